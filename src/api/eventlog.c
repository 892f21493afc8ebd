// The operation that reads the log of events, one JSON object a line.
#include <stdlib.h>

#include "api/call.h"

struct follow {
	struct api_stream stream;
	struct api *api;
	uint64_t next, left;
	bool follow;
	struct arena life;
	struct str entity;
};

static void write_event(const struct read_event *e, struct buf *out) {
	struct jsonw w = jsonw_to(out);
	char hash[DIGEST_HEX + 1];
	digest_hex(e->hash, hash);
	const char *name = event_name((enum event_kind)e->kind);
	jsonw_object(&w);
	jsonw_key(&w, "body");
	jsonw_raw(&w, e->body);
	jsonw_key_s(&w, "entity", e->entity);
	jsonw_key_z(&w, "hash", hash);
	jsonw_key(&w, "kind");
	if (name) jsonw_cstr(&w, name);
	else jsonw_int(&w, e->kind);
	jsonw_key_i(&w, "seq", e->seq);
	jsonw_key_t(&w, "time", e->time_ms);
	jsonw_object_end(&w);
	buf_char(out, '\n');
}

static bool more(struct api_stream *s, struct buf *out) {
	struct follow *f = (struct follow *)s;
	struct read_events events;
	struct err e = {0};
	AUTO_ARENA life = {0};
	if (!f->left) return false;
	size_t limit = f->left < 500 ? (size_t)f->left : 500;
	if (!read_events(f->api->host.store, f->next, f->entity, limit, &life, &events, &e))
		return false;
	for (size_t i = 0; i < events.n; i++) {
		write_event(&events.p[i], out);
		f->next = (uint64_t)events.p[i].seq + 1;
		f->left--;
	}
	return f->follow || events.n == limit;
}

static void end(struct api_stream *s) {
	struct follow *f = (struct follow *)s;
	arena_free(&f->life);
	free(f);
}

void eventlog_list(struct call *c) {
	struct str entity = call_text(c, "entity");
	if (entity.n && !event_entity_ok(entity)) {
		struct err e;
		err_set(&e, ERR_INVALID, "\"" STR_FMT "\" names nothing", STR_ARG(entity));
		call_fail(c, &e,
		          "such as change/12; also repo/, candidate/, run/, landing/, release/, "
		          "environment/ and rollout/");
		return;
	}
	struct follow *f = calloc(1, sizeof *f);
	if (!f) abort();
	uint64_t head = c->host->seq(c->host->context);
	*f = (struct follow){
		.stream = {false, more, end}, .api = c->api, .follow = call_flag(c, "follow")};
	bool recent = call_int(c, "from", -1) < 0;
	f->next = recent ? head > 50 && !entity.n ? head - 49 : 1 : (uint64_t)call_int(c, "from", 1);
	f->left = f->follow ? UINT64_MAX : (uint64_t)call_int(c, "limit", 1000);
	f->entity = arena_str(&f->life, entity);
	c->answer.stream = &f->stream;
	c->answer.type = "application/x-ndjson";
	call_finish(c);
}
