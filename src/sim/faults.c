#include "sim/faults.h"

#include <stdio.h>

#include "base/jsonw.h"
#include "sim/daemon.h"
#include "sim/people.h"
#include "sim/world_deploy.h"
#include "sim/world_git.h"
#include "sim/world_runs.h"

enum {
	PEOPLE_MIN = 30,
	SAFETY_TURNS_MAX = 6000,
	LIVENESS_TURNS_MAX = 20000,
	LIVENESS_MS_MAX = 3600000,
	DAY_MS = 86400000
};

struct scenario {
	struct world world;
	struct daemon daemon;
	uint64_t crashes_planned;
	int64_t crash_at_turn;
};

static uint64_t other_faults(const struct world *w) {
	uint64_t sum = 0;
	for (size_t i = 0; i < WORLD_FAULT_COUNT; i++)
		if (i != WORLD_CRASH) sum += w->counted[i];
	return sum;
}

static void jump_clock(struct world *w) {
	int64_t back = -(int64_t)world_below(w, 600000),
			forward = (int64_t)world_below(w, UINT64_C(2) * DAY_MS);
	w->wall_offset_ms += world_below(w, 2) ? back : forward;
}

// What goes wrong by itself, beside what the adapters do to their answers.
static void fault_menu(struct scenario *r) {
	struct world *w = &r->world;
	struct daemon *d = &r->daemon;
	if (world_fault(w, WORLD_CLOCK, 1, 200)) jump_clock(w);
	if (world_fault(w, WORLD_DISK_FULL, 1, 400))
		w->disk_full_until_ms = w->now_ms + 500 + (int64_t)world_below(w, 3000);
	world_runs_gossip(w);
	world_git_disturb(w);
	if ((int64_t)d->turns < r->crash_at_turn || d->dies != DAEMON_LIVES) return;
	d->dies = 1 + (enum daemon_crash)world_below(w, DAEMON_CRASHES - 1);
	r->crash_at_turn = (int64_t)d->turns + 10 + (int64_t)world_below(w, 200);
}

static void advance(struct scenario *r) {
	struct world *w = &r->world;
	int64_t next = world_next_ms(w), mine = daemon_next_ms(&r->daemon);
	if (next < 0 || mine < next) next = mine;
	w->now_ms = next > w->now_ms ? next : w->now_ms + 1;
	if (w->faults) w->now_ms += (int64_t)world_below(w, 20);
}

static void step(struct scenario *r) {
	world_git_tick(&r->world);
	world_deploy_tick(&r->world);
	daemon_turn(&r->daemon);
	advance(r);
}

static bool enough(const struct scenario *r) {
	return people_all_pushed(&r->world) && r->world.counted[WORLD_CRASH] > 0 &&
	       other_faults(&r->world) >= 3 && r->world.now_ms > 15000;
}

static void safety(struct scenario *r) {
	for (size_t i = 0; i < SAFETY_TURNS_MAX && !r->daemon.broken && !enough(r); i++) {
		fault_menu(r);
		people_act(&r->world, &r->daemon.witness);
		step(r);
	}
}

static void liveness(struct scenario *r) {
	int64_t until = r->world.now_ms + LIVENESS_MS_MAX;
	r->world.faults = false;
	r->world.disk_full_until_ms = 0;
	r->daemon.dies = DAEMON_LIVES;
	for (size_t i = 0; i < LIVENESS_TURNS_MAX && !r->daemon.broken && r->world.now_ms < until;
	     i++) {
		step(r);
		if (daemon_is_idle(&r->daemon) && r->world.now_ms > until - LIVENESS_MS_MAX + 10000) break;
	}
	daemon_check_at_rest(&r->daemon, true);
}

// ---------------------------------------------------------------- totals

static void dump(const struct daemon *d, struct buf *out) {
	for (size_t i = 0; i < d->log.count; i++) {
		const struct event *e = table_at(&d->log, i);
		buf_printf(out, "{\"kind\":\"%s\",\"time_ms\":%lld,\"body\":", event_name(e->kind),
		           (long long)e->time_ms);
		event_body(e, out);
		buf_cstr(out, "}\n");
	}
}

static void add_run(struct sim_totals *t, const struct scenario *r, uint64_t seed) {
	const struct witness *w = &r->daemon.witness;
	t->seeds++;
	t->changes += w->changes.count;
	t->landed += w->landed;
	t->rejected += w->rejected;
	t->withdrawn += w->withdrawn;
	t->events += w->events;
	t->turns += r->daemon.turns;
	t->refused += r->daemon.refused;
	t->rollouts += r->world.rollouts.count;
	t->thin += w->changes.count < PEOPLE_MIN || !r->world.counted[WORLD_CRASH] ||
	           other_faults(&r->world) < 3;
	for (size_t i = 0; i < WORLD_FAULT_COUNT; i++) t->faults[i] += r->world.counted[i];
	if (!r->daemon.broken || t->broken++) return;
	t->broken_seed = seed;
	snprintf(t->broken_name, sizeof t->broken_name, "%s", r->daemon.broken->name);
	snprintf(t->broken_text, sizeof t->broken_text, "%.390s", r->daemon.why.text);
}

static bool one_seed(const struct sim_options *o, uint64_t seed, struct sim_totals *totals) {
	struct scenario r = {.crash_at_turn = 0};
	world_init(&r.world, seed, o->bug);
	r.crash_at_turn = 5 + (int64_t)world_below(&r.world, 100);
	people_init(&r.world, PEOPLE_MIN + world_below(&r.world, 8));
	daemon_init(&r.daemon, &r.world, 1 + (uint32_t)world_below(&r.world, 4));
	safety(&r);
	liveness(&r);
	add_run(totals, &r, seed);
	bool good = !r.daemon.broken;
	if (o->log) {
		buf_reset(o->log);
		dump(&r.daemon, o->log);
	}
	daemon_free(&r.daemon);
	world_free(&r.world);
	return good;
}

bool sim_faults_run(const struct sim_options *o, struct sim_totals *totals) {
	bool good = true;
	for (uint64_t i = 0; i < o->seeds && (good || o->keep_on); i++)
		good = one_seed(o, o->first_seed + i, totals) && good;
	return good;
}

void sim_faults_add(struct sim_totals *to, const struct sim_totals *more) {
	to->seeds += more->seeds;
	to->changes += more->changes;
	to->landed += more->landed;
	to->rejected += more->rejected;
	to->withdrawn += more->withdrawn;
	to->events += more->events;
	to->turns += more->turns;
	to->refused += more->refused;
	to->rollouts += more->rollouts;
	to->thin += more->thin;
	for (size_t i = 0; i < WORLD_FAULT_COUNT; i++) to->faults[i] += more->faults[i];
	if (more->broken && (!to->broken || more->broken_seed < to->broken_seed)) {
		to->broken_seed = more->broken_seed;
		memcpy(to->broken_name, more->broken_name, sizeof to->broken_name);
		memcpy(to->broken_text, more->broken_text, sizeof to->broken_text);
	}
	to->broken += more->broken;
}

// ---------------------------------------------------------------- the report

static const char *const fault_names[] = {
#define FAULT(NAME, text) text,
	WORLD_FAULTS(FAULT)
#undef FAULT
};

static const struct {
	const char *name, *text;
} bugs[] = {
#define BUG(NAME, name, text) {name, text},
	BUG_TABLE(BUG)
#undef BUG
};

enum bug sim_faults_bug_named(struct str name) {
	size_t i = 0;
	while (i < BUG_COUNT && !str_eq(name, str_of(bugs[i].name))) i++;
	return (enum bug)i;
}

const char *sim_faults_bug_name(enum bug bug) {
	return bugs[bug].name;
}

const char *sim_faults_bug_text(enum bug bug) {
	return bugs[bug].text;
}

static void report_json(const struct sim_options *o, const struct sim_totals *t, struct buf *out) {
	struct jsonw w = jsonw_to(out);
	jsonw_object(&w);
	jsonw_key_z(&w, "bug", bugs[o->bug].name);
	jsonw_key_i(&w, "changes", (int64_t)t->changes);
	jsonw_key_i(&w, "events", (int64_t)t->events);
	jsonw_key(&w, "faults");
	jsonw_object(&w);
	for (size_t i = 0; i < WORLD_FAULT_COUNT; i++)
		jsonw_key_i(&w, fault_names[i], (int64_t)t->faults[i]);
	jsonw_object_end(&w);
	jsonw_key_i(&w, "first_seed", (int64_t)o->first_seed);
	jsonw_key_i(&w, "landed", (int64_t)t->landed);
	jsonw_key_i(&w, "refused_facts", (int64_t)t->refused);
	jsonw_key_i(&w, "rejections", (int64_t)t->rejected);
	jsonw_key_i(&w, "rollouts", (int64_t)t->rollouts);
	jsonw_key_i(&w, "seeds", (int64_t)t->seeds);
	jsonw_key_i(&w, "turns", (int64_t)t->turns);
	jsonw_key_i(&w, "violations", (int64_t)t->broken);
	if (t->broken) {
		jsonw_key_z(&w, "violated", t->broken_name);
		jsonw_key_i(&w, "violated_seed", (int64_t)t->broken_seed);
		jsonw_key_z(&w, "violation", t->broken_text);
	}
	jsonw_key_i(&w, "withdrawn", (int64_t)t->withdrawn);
	jsonw_object_end(&w);
	buf_char(out, '\n');
}

void sim_faults_report(const struct sim_options *o, const struct sim_totals *t, struct buf *out) {
	if (o->json) {
		report_json(o, t, out);
		return;
	}
	typedef unsigned long long number;
	buf_printf(out,
	           "%llu seeds from %llu: %llu changes, %llu landed, %llu rejections, %llu withdrawn, ",
	           (number)t->seeds, (number)o->first_seed, (number)t->changes, (number)t->landed,
	           (number)t->rejected, (number)t->withdrawn);
	buf_printf(out, "%llu rollouts, %llu events in %llu turns, %llu facts refused\n",
	           (number)t->rollouts, (number)t->events, (number)t->turns, (number)t->refused);
	for (size_t i = 0; i < WORLD_FAULT_COUNT; i++)
		buf_printf(out, "%10llu %s\n", (number)t->faults[i], fault_names[i]);
	if (!t->broken) buf_cstr(out, "every promise held\n");
	else
		buf_printf(out, "BROKEN in %llu seeds, first seed %llu: %s: %s\n", (number)t->broken,
		           (number)t->broken_seed, t->broken_name, t->broken_text);
}
