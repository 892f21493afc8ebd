#include "sim/world.h"

void world_init(struct world *w, uint64_t seed, enum bug bug) {
	*w = (struct world){
		.random = prng_seeded(seed),
		.now_ms = 1000,
		.wall_offset_ms = 1700000000000,
		.faults = true,
		.bug = bug,
		.messages = TABLE_OF(struct world_message),
		.runs = TABLE_OF(struct world_run),
		.children = TABLE_OF(struct world_child),
		.rollouts = TABLE_OF(struct world_rollout),
		.services = TABLE_OF(struct world_service),
		.people = TABLE_OF(struct world_person),
		.acks = TABLE_OF(struct world_ack),
	};
	gitmodel_init(&w->git);
}

void world_free(struct world *w) {
	struct table *all[] = {&w->messages, &w->runs,   &w->children, &w->rollouts,
	                       &w->services, &w->people, &w->acks};
	for (size_t i = 0; i < ARRAY_LEN(all); i++) table_free(all[i]);
	gitmodel_free(&w->git);
	arena_free(&w->texts);
}

uint64_t world_below(struct world *w, uint64_t limit) {
	return prng_below(&w->random, limit);
}

bool world_fault(struct world *w, enum world_fault f, uint64_t in, uint64_t out_of) {
	if (!w->faults || !prng_chance(&w->random, in, out_of)) return false;
	w->counted[f]++;
	return true;
}

int64_t world_wall_ms(const struct world *w) {
	return w->now_ms + w->wall_offset_ms;
}

static void put(struct world *w, struct world_message m) {
	*(struct world_message *)table_add(&w->messages, 1) = m;
}

void world_send(struct world *w, enum world_from from, int64_t delay_ms, struct event fact,
                uint32_t person) {
	struct world_message m = {w->now_ms + delay_ms, from, person, fact};
	if (world_fault(w, WORLD_LOST, 3, 100)) return;
	if (world_fault(w, WORLD_LATE, 3, 100)) m.due_ms += 1000 + (int64_t)world_below(w, 5000);
	put(w, m);
	if (!world_fault(w, WORLD_DOUBLED, 4, 100)) return;
	m.due_ms += (int64_t)world_below(w, 300);
	m.person = 0;
	put(w, m);
}

bool world_receive(struct world *w, struct world_message *out) {
	size_t best = w->messages.count;
	for (size_t i = 0; i < w->messages.count; i++) {
		const struct world_message *m = table_at(&w->messages, i);
		if (m->due_ms > w->now_ms) continue;
		if (best == w->messages.count || world_fault(w, WORLD_REORDERED, 1, 10)) best = i;
	}
	if (best == w->messages.count) return false;
	*out = *(struct world_message *)table_at(&w->messages, best);
	table_remove(&w->messages, best, 1);
	return true;
}

static void earlier(int64_t *best, int64_t ms, int64_t now) {
	if (ms < 0) return;
	if (ms < now) ms = now;
	if (*best < 0 || ms < *best) *best = ms;
}

int64_t world_next_ms(const struct world *w) {
	int64_t best = -1;
	for (size_t i = 0; i < w->messages.count; i++)
		earlier(&best, ((const struct world_message *)table_at(&w->messages, i))->due_ms,
		        w->now_ms);
	for (size_t i = 0; i < w->children.count; i++)
		earlier(&best, ((const struct world_child *)table_at(&w->children, i))->due_ms, w->now_ms);
	for (size_t i = 0; i < w->rollouts.count; i++) {
		const struct world_rollout *r = table_at(&w->rollouts, i);
		if (!r->told) earlier(&best, r->switched ? r->end_ms : r->switch_ms, w->now_ms);
	}
	for (size_t i = 0; i < w->services.count; i++)
		earlier(&best, ((const struct world_service *)table_at(&w->services, i))->unhealthy_ms,
		        w->now_ms);
	for (size_t i = 0; w->faults && i < w->people.count; i++) {
		const struct world_person *p = table_at(&w->people, i);
		if (!p->done) earlier(&best, p->next_ms, w->now_ms);
	}
	return best;
}

// Answers on their way from the daemon's own children die with it; a leader's or a supervisor's may
// still arrive; who pushed sees a broken connection.
void world_daemon_died(struct world *w) {
	for (size_t i = w->messages.count; i > 0; i--) {
		const struct world_message *m = table_at(&w->messages, i - 1);
		bool outlives = m->from == WORLD_FROM_RUNNER || m->from == WORLD_FROM_DEPLOY;
		if (!outlives || world_below(w, 2)) table_remove(&w->messages, i - 1, 1);
	}
	for (size_t i = 0; i < w->children.count; i++) {
		struct world_child *c = table_at(&w->children, i);
		if (!c->orphan) w->counted[WORLD_ORPHAN]++;
		c->orphan = true;
	}
	for (size_t i = w->rollouts.count; i > 0; i--) {
		const struct world_rollout *r = table_at(&w->rollouts, i - 1);
		if (!r->switched && !r->told && world_fault(w, WORLD_HALF_DEPLOYED, 1, 4))
			table_remove(&w->rollouts, i - 1, 1);
	}
}
