#include "core/eventfield.h"

#define NAMED(S, TYPE, field) \
	{EVENTFIELD_##TYPE, (uint16_t)offsetof(struct event, S.field), sizeof(#field) - 1, #field},
#define EVENT(number, NAME, name, text, ENTITY, doc) \
	static const struct eventfield fields_##name[] = {EVENT_FIELDS_##name(NAMED, name)};
EVENT_TABLE(EVENT)
#undef EVENT

static const struct {
	const struct eventfield *fields;
	size_t count;
} kinds[EVENT_KIND_MAX + 1] = {
#define EVENT(number, NAME, name, text, ENTITY, doc) \
	[number] = {fields_##name, ARRAY_LEN(fields_##name)},
	EVENT_TABLE(EVENT)
#undef EVENT
};

const struct eventfield *eventfield_of(enum event_kind kind, size_t *count) {
	unsigned number = (unsigned)kind;
	*count = number <= EVENT_KIND_MAX ? kinds[number].count : 0;
	return number <= EVENT_KIND_MAX ? kinds[number].fields : NULL;
}
