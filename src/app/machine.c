#include "app/machine.h"

#include <stdlib.h>

#include "exec/etc.h"
#include "exec/toolchain.h"
#include "os/clock.h"
#include "os/loop.h"
#include "os/note.h"

enum { LOOK_MS = TOOLCHAIN_CACHE_MS };

struct look { // by a worker
	struct machine *of;
	struct digest toolchain;
	struct arena life;
	struct str etc;
	bool ok;
};

static bool look(const struct daemon *d, struct look *out) {
	AUTO_ARENA scratch = {0};
	struct err e;
	struct str etc;
	int64_t now_ms = clock_wall_ms();
	struct str seen = daemon_path(d, &scratch, "cache/toolchain");
	bool ok = toolchain_id(&(struct toolchain_paths){0}, seen.p, now_ms, &out->toolchain, &e) &&
	          etc_prepare(daemon_path(d, &scratch, "cache/etc").p, now_ms, &scratch, &etc, &e);
	if (ok) out->etc = arena_str(&out->life, etc);
	else note(NOTE_ERROR, "what jobs find on this machine: %s", e.text);
	return ok;
}

static void take(struct machine *m, const struct look *found) {
	arena_free(&m->life);
	m->life = found->life;
	m->etc = found->etc;
	m->toolchain = found->toolchain;
}

static void look_work(void *context) {
	struct look *l = context;
	l->ok = look(l->of->daemon, l);
}

static void looked(void *context) {
	struct look *l = context;
	if (l->ok) take(l->of, l);
	loop_timer_set(l->of->timer, LOOK_MS);
	free(l);
}

static void due(void *context) {
	struct machine *m = context;
	if (m->daemon->stopping) return;
	struct look *l = calloc(1, sizeof *l);
	if (!l) abort();
	l->of = m;
	loop_work(m->daemon->loop, look_work, looked, l);
}

bool machine_open(struct daemon *d, struct machine **out, struct err *e) {
	struct look found = {0};
	if (!look(d, &found))
		return err_set(e, ERR_IO, "what jobs find on this machine cannot be read");
	struct machine *m = calloc(1, sizeof *m);
	if (!m) abort();
	m->daemon = d;
	take(m, &found);
	m->timer = loop_timer(d->loop, due, m);
	loop_timer_set(m->timer, LOOK_MS);
	*out = m;
	return true;
}

void machine_close(struct machine *m) {
	if (!m) return;
	loop_timer_free(m->timer);
	arena_free(&m->life);
	free(m);
}
