#include "core/forecast.h"

#include "core/areas.h"
#include "core/batch.h"
#include "core/predict.h"

enum {
	LEAST_SHARE = 4, // a run that is over its time is thought to need a quarter more
	LEAST_MS = 1000  // of any candidate: it has to be built, looked up, landed
};

static struct forecast_plan times_of(const struct forecast *f, const struct plan *plan) {
	struct forecast_plan p = {.plan = plan};
	int64_t sum = 0, known = 0;
	if (!plan || !f->s->learns) return p;
	p.digest = plan->digest;
	p.ms = ARENA_ARRAY(f->life, int64_t, plan->job_count + 1);
	p.numbers = ARENA_ARRAY(f->life, uint64_t, plan->job_count + 1);
	for (size_t i = 0; i < plan->job_count; i++) {
		struct str name = state_name(&state_plan_job(f->s, plan, i)->name);
		p.numbers[i] = areas_of_job(name);
		p.ms[i] = predict_job_ms(f->s, f->repo, name);
		if (p.ms[i] < 0) continue;
		sum += p.ms[i];
		known++;
	}
	if (!known) p.ms = NULL;
	for (size_t i = 0; known && i < plan->job_count; i++)
		if (p.ms[i] < 0) p.ms[i] = sum / known;
	return p;
}

void forecast_begin(struct forecast *f, const struct state *s, const struct repo *r, size_t slots,
                    struct arena *life) {
	*f = (struct forecast){.s = s, .repo = r->id, .slots = slots, .life = life};
	f->trunk = times_of(f, state_plan(s, r->plan));
}

// left[i]: of job i alone. Needs may stand behind; they form no circle.
static int64_t together(const struct forecast *f, const struct plan *plan, const int64_t *left) {
	int64_t *until = ARENA_ARRAY(f->life, int64_t, plan->job_count + 1), sum = 0;
	int64_t longest = LEAST_MS;
	bool moved = true;
	for (size_t round = 0; moved && round <= plan->job_count; round++) {
		moved = false;
		for (size_t i = 0; i < plan->job_count; i++) {
			const struct plan_job *job = state_plan_job(f->s, plan, i);
			int64_t begins = 0;
			for (size_t k = 0; k < job->need_count; k++) {
				uint16_t need = *(const uint16_t *)table_at(&f->s->needs, job->need_at + k);
				if (until[need] > begins) begins = until[need];
			}
			moved = moved || until[i] != begins + left[i];
			until[i] = begins + left[i];
		}
	}
	for (size_t i = 0; i < plan->job_count; i++) {
		if (until[i] > longest) longest = until[i];
		sum += left[i];
	}
	sum /= (int64_t)f->slots;
	return sum > longest ? sum : longest;
}

static bool decides(const struct forecast *f, const struct plan *plan, size_t job) {
	return state_plan_job(f->s, plan, job)->when == WHEN_CHANGE;
}

int64_t forecast_change_ms(const struct forecast *f, const struct change *c, int64_t *work_ms) {
	const struct forecast_plan *p = &f->trunk;
	*work_ms = p->ms ? 0 : FORECAST_UNKNOWN_MS;
	if (!p->ms) return FORECAST_UNKNOWN_MS;
	int64_t *left = ARENA_ARRAY(f->life, int64_t, p->plan->job_count + 1);
	for (size_t i = 0; i < p->plan->job_count; i++)
		if (decides(f, p->plan, i) && areas_has(f->s, c, p->numbers[i])) {
			left[i] = p->ms[i];
			*work_ms += p->ms[i];
		}
	return together(f, p->plan, left);
}

static bool touches(const struct forecast *f, const struct candidate *c, uint64_t job) {
	for (size_t i = 0; i < batch_size(f->s, c); i++) {
		const struct change *change = state_change(f->s, batch_member(f->s, c, i).change);
		if (!change || areas_has(f->s, change, job)) return true;
	}
	return false;
}

static int64_t left_of(const struct forecast *f, const struct job *j, int64_t ms, int64_t now_ms) {
	const struct run *run = j->status == JOB_ISSUED ? state_run(f->s, j->run) : NULL;
	if (j->status == JOB_PASSED || j->status == JOB_FAILED || j->status == JOB_SKIPPED) return 0;
	if (!run) return ms;
	int64_t left = ms - (now_ms - run->issued_ms);
	return left > ms / LEAST_SHARE ? left : ms / LEAST_SHARE;
}

void forecast_candidate(const struct forecast *f, const struct candidate *c, int64_t now_ms,
                        int64_t *whole_ms, int64_t *left_ms) {
	struct forecast_plan own, p = f->trunk;
	bool built = c->state == CANDIDATE_TESTING || c->state == CANDIDATE_LANDING;
	if (built && !digest_eq(c->plan, p.digest)) {
		own = times_of(f, state_plan(f->s, c->plan));
		p = own;
	}
	*whole_ms = *left_ms = FORECAST_UNKNOWN_MS;
	if (!p.ms) return;
	int64_t *whole = ARENA_ARRAY(f->life, int64_t, p.plan->job_count + 1);
	int64_t *left = ARENA_ARRAY(f->life, int64_t, p.plan->job_count + 1);
	for (size_t i = 0; i < p.plan->job_count; i++) {
		bool runs = built && state_job(f->s, c, i)->status == JOB_ISSUED;
		if (!decides(f, p.plan, i) || (!runs && !touches(f, c, p.numbers[i]))) continue;
		whole[i] = p.ms[i];
		left[i] = built ? left_of(f, state_job(f->s, c, i), p.ms[i], now_ms) : p.ms[i];
	}
	*whole_ms = together(f, p.plan, whole);
	*left_ms = together(f, p.plan, left);
}
