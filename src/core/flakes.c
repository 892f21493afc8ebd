#include "core/flakes.h"

#include "base/json.h"

// Billionths. How often a change breaks a job that it touches, or that it does not; how often it
// makes one shaky. 20 runs' worth of belief that a test fails one time in a hundred.
static const uint64_t BROKEN = 100000000, BROKEN_APART = 5000000, BROKEN_MOST = 600000000,
					  SHAKY = 2000000, SHAKY_APART = 100000;
enum {
	PRIOR_RUNS = 20,
	PRIOR_PPB = FLAKES_PPB / 100,
	FAILED_ODDS = 1000, // against a good change, to call it red
	SPLIT_ODDS = 5,     // against several good ones, to test them apart
	PASSED_ODDS = 25,   // for it, to call it green
	PASSES_MAX = 1000   // the past is halved there: what is long ago counts less
};

uint64_t flakes_key(struct repo_id repo, struct str job, struct str test) {
	struct hash h;
	uint64_t key;
	hash_begin(&h);
	hash_add_u64(&h, repo.v);
	hash_add_str(&h, job);
	hash_add_str(&h, test);
	struct digest d = hash_end(&h);
	memcpy(&key, d.b, sizeof key);
	return key ? key : 1;
}

static struct flake *row(const struct state *s, uint64_t key) {
	return table_get(&s->flakes, key);
}

static void forget_least(struct state *s) {
	size_t least = 0;
	for (size_t i = 0; i < s->flakes.count; i++) {
		const struct flake *f = table_at(&s->flakes, i), *l = table_at(&s->flakes, least);
		if (f->flips * PRIOR_RUNS + f->passes < l->flips * PRIOR_RUNS + l->passes) least = i;
	}
	table_remove(&s->flakes, least, 1);
}

static struct flake *row_for(struct state *s, uint64_t key) {
	struct flake *f = row(s, key);
	if (f) return f;
	if (s->flakes.count >= FLAKES_ROWS_MAX) forget_least(s);
	f = table_insert(&s->flakes, table_find(&s->flakes, key));
	f->key = key;
	return f;
}

uint32_t flakes_rate(const struct state *s, uint64_t job, uint64_t test, uint32_t reds) {
	const struct flake *of_job = row(s, job), *of_test = row(s, test);
	uint64_t passes = of_job ? of_job->passes : 0, flips = (of_test ? of_test->flips : 0) + reds;
	return (uint32_t)((flips * FLAKES_PPB + (uint64_t)PRIOR_RUNS * PRIOR_PPB) /
	                  (passes + flips + PRIOR_RUNS));
}

void flakes_saw_green(struct state *s, uint64_t job) {
	struct flake *f = row_for(s, job);
	if (++f->passes < PASSES_MAX) return;
	for (size_t i = 0; i < s->flakes.count; i++) {
		struct flake *other = table_at(&s->flakes, i);
		if (other->job != job && other->key != job) continue;
		other->passes /= 2;
		other->flips /= 2;
	}
}

void flakes_saw_flip(struct state *s, const struct job *j) {
	for (size_t i = 0; i < j->red_key_count; i++) {
		struct flake *f = row_for(s, j->red_keys[i]);
		f->job = j->red_job;
		f->flips += j->reds;
	}
}

void flakes_saw_red(const struct state *s, struct job *j, struct repo_id repo, struct str name,
                    struct str failed_tests) {
	AUTO_JSON tests = NULL;
	uint64_t likely = j->reds ? j->faked : FLAKES_PPB;
	if (failed_tests.n && !json_parse(failed_tests, &tests, NULL)) tests = NULL;
	size_t n = json_length(tests) ? json_length(tests) : 1;
	j->red_job = flakes_key(repo, name, STR_NONE);
	j->red_key_count = 0;
	for (size_t i = 0; i < n && likely; i++) {
		struct str test = json_length(tests) ? json_str(json_at(tests, i)) : STR_NONE;
		uint64_t key = flakes_key(repo, name, test);
		likely = likely * flakes_rate(s, j->red_job, key, j->reds) / FLAKES_PPB;
		if (j->red_key_count < STATE_RED_KEYS) j->red_keys[j->red_key_count++] = key;
	}
	j->faked = (uint32_t)likely;
	j->reds++;
}

enum flakes_say flakes_judge(const struct job *j, bool touched, size_t changes) {
	uint64_t good = (uint64_t)j->faked * 9 / 10;
	uint64_t broken = j->greens ? 0 : touched ? BROKEN : BROKEN_APART;
	broken = changes * broken < BROKEN_MOST ? changes * broken : BROKEN_MOST;
	uint64_t shaky = (touched ? SHAKY : SHAKY_APART) >> (j->reds + j->greens);
	if (good * (changes > 1 ? SPLIT_ODDS : FAILED_ODDS) < broken + shaky) return FLAKES_FAILED;
	if (j->greens && good > (broken + shaky) * PASSED_ODDS) return FLAKES_PASSED;
	return j->reds + j->greens >= FLAKES_RUNS_MAX ? FLAKES_FAILED : FLAKES_AGAIN;
}
