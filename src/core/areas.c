#include "core/areas.h"

#include <stdlib.h>

#include "base/json.h"
#include "core/bits.h"

uint32_t areas_of_file(struct str path) {
	struct digest d = digest_of(path);
	uint32_t number = 0;
	for (size_t i = 0; i < 4; i++) number = number << 8 | d.b[i];
	return number;
}

// Beyond those of files.
uint64_t areas_of_job(struct str job) {
	return UINT64_C(1) << 32 | areas_of_file(job);
}

// Rows of a change: [*from, *to).
static void rows_of(const struct state *s, struct change_id id, size_t *from, size_t *to) {
	*from = table_find(&s->areas, id.v);
	*to = table_find(&s->areas, id.v + 1);
}

static const struct area *row(const struct state *s, size_t i) {
	return table_at(&s->areas, i);
}

static void put(struct state *s, struct change_id id, uint64_t number) {
	size_t at, to;
	rows_of(s, id, &at, &to);
	while (at < to && row(s, at)->number < number) at++;
	if (at < to && row(s, at)->number == number) return;
	*(struct area *)table_insert(&s->areas, at) = (struct area){id.v, number};
}

void areas_forget(struct state *s, struct change *c) {
	size_t from, to;
	rows_of(s, c->id, &from, &to);
	if (to > from) table_remove(&s->areas, from, to - from);
	c->areas_known = 0;
}

void areas_forget_all(struct state *s, struct repo_id repo) {
	for (size_t i = 0; i < s->changes.count; i++) {
		struct change *c = table_at(&s->changes, i);
		if (c->repo.v == repo.v) areas_forget(s, c);
	}
}

void areas_distrust(struct state *s, struct change *c) {
	areas_forget(s, c);
	c->areas_wrong = 1;
}

void areas_set(struct state *s, struct change *c, struct str affects) {
	AUTO_JSON v = NULL;
	if (!affects.n || !json_parse(affects, &v, NULL)) return;
	const struct json *files = json_get(v, "files"), *jobs = json_get(v, "jobs");
	areas_forget(s, c);
	if (json_length(files) + json_length(jobs) > AREAS_MAX) return;
	for (size_t i = 0; i < json_length(files); i++)
		put(s, c->id, (uint32_t)json_int(json_at(files, i), 0));
	for (size_t i = 0; i < json_length(jobs); i++)
		put(s, c->id, areas_of_job(json_str(json_at(jobs, i))));
	c->areas_known = 1;
}

bool areas_has(const struct state *s, const struct change *c, uint64_t number) {
	size_t from, to;
	if (!c->areas_known) return true;
	rows_of(s, c->id, &from, &to);
	for (size_t i = from; i < to; i++)
		if (row(s, i)->number == number) return true;
	return false;
}

bool areas_has_job(const struct state *s, const struct change *c, struct str job) {
	return areas_has(s, c, areas_of_job(job));
}

bool areas_meet(const struct state *s, const struct change *a, const struct change *b) {
	size_t i, i_end, k, k_end;
	if (!a->areas_known || !b->areas_known) return true;
	rows_of(s, a->id, &i, &i_end);
	rows_of(s, b->id, &k, &k_end);
	while (i < i_end && k < k_end) {
		if (row(s, i)->number == row(s, k)->number) return true;
		if (row(s, i)->number < row(s, k)->number) i++;
		else k++;
	}
	return false;
}

// ---------------------------------------------------------------- all of a queue

int areas_compare(const struct change *a, const struct change *b) {
	if (a->priority != b->priority) return a->priority > b->priority ? -1 : 1;
	return (a->queue_order > b->queue_order) - (a->queue_order < b->queue_order);
}

static int compare_order(const void *a, const void *b) {
	return areas_compare(*(const struct change *const *)a, *(const struct change *const *)b);
}

static int compare_numbers(const void *a, const void *b) {
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static size_t place(const uint64_t *numbers, size_t n, uint64_t wanted) {
	size_t from = 0, to = n;
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		if (numbers[middle] < wanted) from = middle + 1;
		else to = middle;
	}
	return from;
}

// Each number once, sorted.
static uint64_t *all_numbers(const struct state *s, struct arena *life, size_t *count) {
	uint64_t *numbers = ARENA_ARRAY(life, uint64_t, s->areas.count + 1);
	size_t n = 0;
	for (size_t i = 0; i < s->areas.count; i++) numbers[i] = row(s, i)->number;
	if (s->areas.count) qsort(numbers, s->areas.count, sizeof *numbers, compare_numbers);
	for (size_t i = 0; i < s->areas.count; i++)
		if (!n || numbers[n - 1] != numbers[i]) numbers[n++] = numbers[i];
	*count = n;
	return numbers;
}

// Goes through the queue once; who touched each number so far is at hand.
static void find_before(const struct state *s, struct arena *life, struct areas_order *o) {
	size_t numbers, w = o->words;
	const uint64_t *number = all_numbers(s, life, &numbers);
	uint64_t **users = ARENA_ARRAY(life, uint64_t *, numbers + 1);
	uint64_t *everybody = ARENA_ARRAY(life, uint64_t, w), *unknown = ARENA_ARRAY(life, uint64_t, w);
	for (size_t i = 0; i < o->n; i++) {
		const struct change *c = o->list[i];
		uint64_t *before = ARENA_ARRAY(life, uint64_t, w);
		size_t from, to;
		rows_of(s, c->id, &from, &to);
		memcpy(before, c->areas_known ? unknown : everybody, w * sizeof *before);
		for (size_t k = from; k < to; k++) {
			uint64_t **user = &users[place(number, numbers, row(s, k)->number)];
			if (!*user) *user = ARENA_ARRAY(life, uint64_t, w);
			for (size_t x = 0; x < w; x++) before[x] |= (*user)[x];
			if (!c->draft) bits_add(*user, i);
		}
		o->before[i] = before;
		if (c->draft) continue;
		bits_add(everybody, i);
		if (!c->areas_known) bits_add(unknown, i);
	}
}

void areas_order(const struct state *s, struct repo_id repo, struct arena *life,
                 struct areas_order *out) {
	const struct change **sorted = ARENA_ARRAY(life, const struct change *, s->changes.count + 1);
	size_t n = 0;
	for (size_t i = 0; i < s->changes.count; i++) {
		const struct change *c = table_at(&s->changes, i);
		if (c->repo.v == repo.v && c->state == CHANGE_QUEUED) sorted[n++] = c;
	}
	if (n) qsort(sorted, n, sizeof(struct change *), compare_order);
	*out = (struct areas_order){sorted, n, bits_words(n), ARENA_ARRAY(life, uint64_t *, n + 1)};
	find_before(s, life, out);
}
