#include "sim/people.h"

#include "sim/world_git.h"

static const int32_t priorities[] = {0, 0, 0, 0, 0, 1, 5};

static struct world_person *person(const struct world *w, size_t index) {
	return table_at(&w->people, index);
}

void people_init(struct world *w, size_t count) {
	(void)table_add(&w->people, count);
	for (size_t i = 0; i < count; i++)
		*person(w, i) = (struct world_person){
			.repo = world_below(w, 5) == 0,
			.next_ms = w->now_ms + (int64_t)world_below(w, 8000),
			.waits_since_ms = -1,
			.priority = priorities[world_below(w, ARRAY_LEN(priorities))],
			.draft = world_below(w, 10) == 0,
		};
}

static struct digest key_of(size_t index) {
	struct digest d = {.b = {'p'}};
	memcpy(d.b + 8, &index, sizeof index);
	return d;
}

static void push(struct world *w, size_t index) {
	struct world_person *p = person(w, index);
	struct event e = {.kind = EVENT_CHANGE_PROPOSED};
	e.change_proposed = (struct event_change_proposed){
		.repo = {p->repo + 1},
		.target = STR("main"),
		.key = key_of(index),
		.head = gitmodel_oid(p->head),
		.title = STR("a change"),
		.author = STR("somebody"),
		.author_kind = STR("person"),
		.priority = p->priority,
		.draft = p->draft,
		.commits = 1,
	};
	p->waits_since_ms = w->now_ms;
	p->next_ms = w->now_ms + 2000 + (int64_t)world_below(w, 2000);
	world_send(w, WORLD_FROM_PERSON, (int64_t)world_below(w, 50), e, (uint32_t)index + 1);
}

static void push_new_head(struct world *w, size_t index) {
	struct world_person *p = person(w, index);
	bool fresh = p->pushes == 0 || world_below(w, 2);
	uint32_t fork = fresh ? w->git.tip[p->repo] : gitmodel_commit(&w->git, p->head)->fork;
	const struct gitmodel_commit *from = gitmodel_commit(&w->git, fork);
	bool good = world_below(w, 10) < 7;
	p->head = gitmodel_branch(&w->git, fork, world_git_edit(w, from->tree, good));
	p->pushes++;
	push(w, index);
}

static void ask(struct world *w, struct event e) {
	world_send(w, WORLD_FROM_PERSON, (int64_t)world_below(w, 50), e, 0);
}

static void withdraw(struct world *w, const struct witness_change *c) {
	ask(w, (struct event){.kind = EVENT_CHANGE_WITHDRAWN,
	                      .change_withdrawn = {{c->id}, c->revision, STR("its author")}});
}

static void retry(struct world *w, const struct witness_change *c) {
	ask(w, (struct event){.kind = EVENT_CHANGE_RETRIED,
	                      .change_retried = {{c->id}, c->revision, STR("its author")}});
}

static void while_open(struct world *w, size_t index, const struct witness_change *c) {
	switch (world_below(w, 12)) {
	case 0:
	case 1:
		if (person(w, index)->pushes < 4) push_new_head(w, index);
		return;
	case 2: push(w, index); return;
	case 3: withdraw(w, c); return;
	case 4: // the same commit is more urgent now, or less
		person(w, index)->priority = priorities[world_below(w, ARRAY_LEN(priorities))];
		push(w, index);
		return;
	default: return;
	}
}

static void while_rejected(struct world *w, size_t index, const struct witness_change *c) {
	struct world_person *p = person(w, index);
	if (p->pushes >= 4) {
		p->done = true;
		return;
	}
	switch (world_below(w, 4)) {
	case 0: retry(w, c); return;
	case 1: push(w, index); return;
	default: push_new_head(w, index); return;
	}
}

static void act(struct world *w, size_t index, const struct witness *seen) {
	struct world_person *p = person(w, index);
	const struct witness_change *c = p->change ? table_get(&seen->changes, p->change) : NULL;
	p->next_ms = w->now_ms + 500 + (int64_t)world_below(w, 5000);
	if (p->waits_since_ms >= 0) push(w, index); // nobody answered
	else if (p->pushes == 0) push_new_head(w, index);
	else if (!c || c->state == WITNESS_LANDED || c->state == WITNESS_WITHDRAWN) p->done = true;
	else if (c->state == WITNESS_REJECTED) while_rejected(w, index, c);
	else if (c->state != WITNESS_VERIFIED) while_open(w, index, c);
	else if (world_below(w, 2)) {
		p->draft = false;
		push(w, index);
	}
}

static void operate(struct world *w, const struct witness *seen) {
	if (seen->envs.count == 0 || world_below(w, 60)) return;
	const struct witness_env *env = table_at(&seen->envs, world_below(w, seen->envs.count));
	uint64_t release = 1 + world_below(w, seen->releases.count + 1);
	struct event e = {.kind = EVENT_ROLLBACK_REQUESTED,
	                  .rollback_requested = {{env->id}, STR("somebody"), STR_NONE}};
	if (world_below(w, 2))
		e = (struct event){
			.kind = EVENT_DEPLOY_REQUESTED,
			.deploy_requested = {{env->id}, {release}, world_below(w, 3) == 0, STR("somebody")}};
	ask(w, e);
}

void people_act(struct world *w, const struct witness *seen) {
	for (size_t i = 0; i < w->people.count; i++) {
		const struct world_person *p = person(w, i);
		if (!p->done && p->next_ms <= w->now_ms) act(w, i, seen);
	}
	operate(w, seen);
}

void people_answer(struct world *w, uint32_t index, bool accepted, struct change_id change,
                   uint32_t revision, struct oid head) {
	struct world_person *p = person(w, index);
	if (accepted) {
		struct world_ack *ack = table_add(&w->acks, 1);
		*ack = (struct world_ack){change, revision, head};
	}
	if (!oid_eq(head, gitmodel_oid(p->head))) return; // an answer to an earlier push
	if (!accepted) return;
	p->waits_since_ms = -1;
	p->change = change.v;
	p->revision = revision;
}

bool people_all_pushed(const struct world *w) {
	for (size_t i = 0; i < w->people.count; i++)
		if (!person(w, i)->change) return false;
	return true;
}
