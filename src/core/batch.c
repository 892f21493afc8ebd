#include "core/batch.h"

#include <assert.h>

#include "base/json.h"
#include "base/jsonw.h"

// Rows of a candidate: all members but its own change.
static size_t rows_of(const struct state *s, struct candidate_id id, size_t *from) {
	*from = table_find(&s->members, id.v);
	return table_find(&s->members, id.v + 1) - *from;
}

size_t batch_size(const struct state *s, const struct candidate *c) {
	size_t from;
	return s->members.count ? rows_of(s, c->id, &from) + 1 : 1;
}

struct member batch_member(const struct state *s, const struct candidate *c, size_t i) {
	size_t from;
	if (i < rows_of(s, c->id, &from)) return *(struct member *)table_at(&s->members, from + i);
	return (struct member){c->id.v, c->change, c->head, c->revision};
}

bool batch_has(const struct state *s, const struct candidate *c, struct change_id change) {
	size_t from, n = s->members.count && c->change.v != change.v ? rows_of(s, c->id, &from) : 0;
	for (size_t i = 0; i < n; i++)
		if (((struct member *)table_at(&s->members, from + i))->change.v == change.v) return true;
	return c->change.v == change.v;
}

struct str batch_text(const struct member *members, size_t n, struct arena *life) {
	AUTO_BUF text = {0};
	struct jsonw w = jsonw_to(&text);
	if (n < 2) return STR_NONE;
	jsonw_array(&w);
	for (size_t i = 0; i + 1 < n; i++) {
		char hex[OID_HEX_MAX + 1];
		oid_hex(members[i].head, hex);
		jsonw_array(&w);
		jsonw_int(&w, (int64_t)members[i].change.v);
		jsonw_int(&w, members[i].revision);
		jsonw_str(&w, str_of(hex));
		jsonw_array_end(&w);
	}
	jsonw_array_end(&w);
	return arena_str(life, buf_view(&text));
}

static bool read_one(const struct json *v, struct member *out) {
	int64_t change = json_int(json_at(v, 0), 0), revision = json_int(json_at(v, 1), 0);
	*out = (struct member){.change = {(uint64_t)change}, .revision = (uint32_t)revision};
	return change > 0 && revision > 0 && revision <= UINT32_MAX &&
	       oid_parse(json_str(json_at(v, 2)), &out->head);
}

bool batch_read(struct str members, struct arena *life, struct member **out, size_t *n) {
	AUTO_JSON list = NULL;
	*n = 0;
	*out = NULL;
	if (!members.n) return true;
	if (!json_parse(members, &list, NULL)) return false;
	*out = ARENA_ARRAY(life, struct member, json_length(list) + 1);
	for (; *n < json_length(list); (*n)++)
		if (!read_one(json_at(list, *n), &(*out)[*n])) return false;
	return *n > 0;
}

static bool check_one(const struct state *s, const struct event_candidate_issued *e,
                      const struct member *m, struct err *why) {
	const struct change *c = state_change(s, m->change);
	if (c && c->repo.v == e->repo.v && c->revision == m->revision && m->change.v != e->change.v)
		return true;
	return err_set(why, ERR_NOT_FOUND, "change %llu cannot be tested with others",
	               (unsigned long long)m->change.v);
}

bool batch_check(const struct state *s, const struct event_candidate_issued *e, struct err *why) {
	AUTO_ARENA scratch = {0};
	struct member *list;
	size_t n;
	if (!batch_read(e->members, &scratch, &list, &n))
		return err_set(why, ERR_INVALID, "members is no list of change, revision and head");
	for (size_t i = 0; i < n; i++) {
		if (!check_one(s, e, &list[i], why)) return false;
		for (size_t k = 0; k < i; k++)
			if (list[k].change.v == list[i].change.v)
				return err_set(why, ERR_INVALID, "a change is a member once");
	}
	return true;
}

void batch_set(struct state *s, const struct candidate *c, struct str members) {
	AUTO_ARENA scratch = {0};
	struct member *list;
	size_t n;
	bool good = batch_read(members, &scratch, &list, &n);
	assert(good);
	for (size_t i = 0; i < n; i++) {
		list[i].candidate = c->id.v;
		*(struct member *)table_add(&s->members, 1) = list[i]; // candidates' numbers rise
	}
}

void batch_leave(struct state *s, struct candidate *c, struct change_id change) {
	size_t from, n = rows_of(s, c->id, &from);
	assert(n > 0);
	for (size_t i = 0; i < n; i++) {
		const struct member *m = table_at(&s->members, from + i);
		bool last = c->change.v == change.v && i + 1 == n;
		if (m->change.v != change.v && !last) continue;
		if (last) {
			c->change = m->change;
			c->revision = m->revision;
			c->head = m->head;
		}
		table_remove(&s->members, from + i, 1);
		return;
	}
}

void batch_forget(struct state *s, struct candidate_id candidate) {
	size_t from, n = rows_of(s, candidate, &from);
	if (n) table_remove(&s->members, from, n);
}

struct event batch_landed(const struct state *s, const struct repo *r, size_t i) {
	const struct candidate *c = state_candidate(s, r->landing_candidate);
	struct member m = batch_member(s, c, i);
	return (struct event){.kind = EVENT_CHANGE_LANDED,
	                      .change_landed = {.change = m.change,
	                                        .revision = m.revision,
	                                        .candidate = c->id,
	                                        .landing = r->landing,
	                                        .commit = c->commit,
	                                        .previous = r->tip,
	                                        .tree = c->tree}};
}
