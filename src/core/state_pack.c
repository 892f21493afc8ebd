#include "core/state_pack.h"

enum { TABLES = 16, VERSION = 1 };

static void tables_of(struct state *s, struct table *list[TABLES]) {
	struct table *all[TABLES] = {&s->repos, &s->changes,  &s->rejected, &s->candidates,
	                             &s->jobs,  &s->runs,     &s->plans,    &s->plan_jobs,
	                             &s->needs, &s->releases, &s->blocks,   &s->envs,
	                             &s->areas, &s->flakes,   &s->members,  &s->lessons};
	memcpy(list, all, sizeof all);
}

struct str state_pack_layout(struct arena *life) {
	struct state s;
	struct table *list[TABLES];
	AUTO_BUF text = {0};
	state_init(&s);
	tables_of(&s, list);
	buf_printf(&text, "state/%d/%zu", VERSION, sizeof s);
	for (size_t i = 0; i < TABLES; i++) buf_printf(&text, "/%u", list[i]->row_bytes);
	state_free(&s);
	return arena_str(life, buf_view(&text));
}

void state_pack(const struct state *s, struct buf *out) {
	struct state shallow = *s;
	struct table *list[TABLES];
	tables_of(&shallow, list);
	buf_add(out, s, sizeof *s); // scalars; the pointers in it are not believed when it is read
	for (size_t i = 0; i < TABLES; i++)
		buf_add(out, list[i]->rows, (size_t)list[i]->count * list[i]->row_bytes);
}

bool state_pack_read(struct state *s, struct str bytes) {
	struct state read, fresh;
	struct table *from[TABLES], *to[TABLES];
	state_free(s);
	state_init(s);
	if (bytes.n < sizeof read) return false;
	memcpy(&read, bytes.p, sizeof read);
	bytes = str_from(bytes, sizeof read);
	state_init(&fresh);
	tables_of(&read, from);
	tables_of(&fresh, to);
	uint32_t counts[TABLES];
	size_t need = 0;
	for (size_t i = 0; i < TABLES; i++) {
		if (from[i]->row_bytes != to[i]->row_bytes) return false;
		counts[i] = from[i]->count;
		need += (size_t)counts[i] * to[i]->row_bytes;
	}
	if (need != bytes.n) return false;
	for (size_t i = 0; i < TABLES; i++) {
		size_t n = (size_t)counts[i] * to[i]->row_bytes;
		void *rows = table_add(to[i], counts[i]);
		if (n) memcpy(rows, bytes.p, n);
		bytes = str_from(bytes, n);
		*from[i] = *to[i];
	}
	*s = read;
	return true;
}
