#include "probe/intern.h"

#include <stdlib.h>

static size_t slot_of(const struct intern *t, const struct digest *key) {
	size_t at;
	memcpy(&at, key->b, sizeof at);
	for (at &= t->size - 1; t->slots[at]; at = (at + 1) & (t->size - 1))
		if (digest_eq(t->keys[t->slots[at] - 1], *key)) break;
	return at;
}

static void grow(struct intern *t) {
	t->size = t->size ? t->size * 2 : 256;
	free(t->slots);
	t->slots = calloc(t->size, sizeof *t->slots);
	t->keys = realloc(t->keys, t->size / 2 * sizeof *t->keys);
	if (!t->slots || !t->keys) abort();
	for (size_t i = 0; i < t->count; i++) t->slots[slot_of(t, &t->keys[i])] = (uint32_t)i + 1;
}

size_t intern_number(struct intern *t, struct str name, bool *fresh) {
	struct digest key = digest_of(name);
	if (t->count >= t->size / 2) grow(t);
	size_t at = slot_of(t, &key);
	*fresh = t->slots[at] == 0;
	if (*fresh) {
		t->keys[t->count] = key;
		t->slots[at] = (uint32_t)++t->count;
	}
	return t->slots[at] - 1;
}

void intern_free(struct intern *t) {
	free(t->keys);
	free(t->slots);
	*t = (struct intern){0};
}
