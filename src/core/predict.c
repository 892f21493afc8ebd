#include "core/predict.h"

enum {
	LANDED_PRIOR = 920, // of 1,000: before anything is known
	REPO_WEIGHT = 10,   // changes' worth of that
	WEIGHT = 8,         // changes' worth of what holds above a feature, or of a tenth's own name
	HUNDRED = 100,
	FADES = 400, // changes of a row; then the past is halved
	ODDS_LEAST = 1000,
	ODDS_MOST = 1000000000, // millionths
	CHANCE_LEAST = 20000,
	CHANCE_MOST = 998000,
	TENTHS = 10,
	SIZE_MAX_CLASS = 7,
	RUNS_FADE = 8, // runs of a job that its mean is made of
	GAPS_FADE = 8
};

enum feature { OF_REPO, OF_AUTHOR, OF_SIZE, OF_REVISION, OF_TENTH, OF_JOB, OF_GAP };

static uint64_t key_of(struct repo_id repo, enum feature feature, uint64_t value) {
	struct hash h;
	uint64_t key;
	hash_begin(&h);
	hash_add_u64(&h, repo.v);
	hash_add_u64(&h, feature);
	hash_add_u64(&h, value);
	struct digest d = hash_end(&h);
	memcpy(&key, d.b, sizeof key);
	return key ? key : 1;
}

// ---------------------------------------------------------------- what is learned

// The row, made when there is none; the one that knows least makes room.
static struct lesson *lesson(struct state *s, uint64_t key) {
	struct lesson *known = table_get(&s->lessons, key);
	if (known) return known;
	if (s->lessons.count >= PREDICT_ROWS_MAX) {
		size_t least = 0;
		for (size_t i = 0; i < s->lessons.count; i++) {
			const struct lesson *l = table_at(&s->lessons, i), *k = table_at(&s->lessons, least);
			if (l->good + l->bad < k->good + k->bad) least = i;
		}
		table_remove(&s->lessons, least, 1);
	}
	struct lesson *l = table_insert(&s->lessons, table_find(&s->lessons, key));
	l->key = key;
	return l;
}

static void count(struct state *s, uint64_t key, bool good) {
	struct lesson *l = lesson(s, key);
	l->good += good;
	l->bad += !good;
	if (l->good + l->bad < FADES) return;
	l->good /= 2;
	l->bad /= 2;
}

// Mean of the newest `fade` values, or of fewer.
static void mean(struct state *s, uint64_t key, int64_t value, uint32_t fade) {
	struct lesson *l = lesson(s, key);
	if (l->good < fade) l->good++;
	l->mean += (value - l->mean) / l->good;
}

// ---------------------------------------------------------------- changes

void predict_describe(struct change *c, const struct event_change_proposed *e) {
	struct digest author = digest_of(e->email.n ? e->email : e->author);
	int64_t lines = e->lines_added + e->lines_deleted;
	memcpy(&c->author, author.b, sizeof c->author);
	c->size = 0;
	for (; lines > 0 && c->size < SIZE_MAX_CLASS; lines /= 4) c->size++;
}

struct odds {
	uint64_t good, bad; // hundredths of changes, and what is believed without them
};

static uint64_t ratio(struct odds o) {
	uint64_t r = o.good * PREDICT_PPM / (o.bad ? o.bad : 1);
	return r < ODDS_LEAST ? ODDS_LEAST : r > ODDS_MOST ? ODDS_MOST : r;
}

// Of all changes of the repository.
static struct odds odds_of_repo(const struct state *s, struct repo_id repo) {
	const struct lesson *l = table_get(&s->lessons, key_of(repo, OF_REPO, 0));
	uint64_t prior = (uint64_t)REPO_WEIGHT * HUNDRED;
	return (struct odds){(l ? l->good : 0) * (uint64_t)HUNDRED + prior * LANDED_PRIOR / 1000,
	                     (l ? l->bad : 0) * (uint64_t)HUNDRED +
	                         prior * (1000 - LANDED_PRIOR) / 1000};
}

// Of those that share a feature, mixed with what holds for all.
static struct odds odds_of(const struct state *s, uint64_t key, struct odds all) {
	const struct lesson *l = table_get(&s->lessons, key);
	uint64_t prior = (uint64_t)WEIGHT * HUNDRED, sum = all.good + all.bad;
	return (struct odds){(l ? l->good : 0) * (uint64_t)HUNDRED + prior * all.good / sum,
	                     (l ? l->bad : 0) * (uint64_t)HUNDRED + prior * all.bad / sum};
}

enum { FEATURES = 3 };

static void features(const struct change *c, uint64_t keys[FEATURES]) {
	keys[0] = key_of(c->repo, OF_AUTHOR, c->author);
	keys[1] = key_of(c->repo, OF_SIZE, c->size);
	keys[2] = key_of(c->repo, OF_REVISION, c->revision > 1);
}

static uint64_t raw_chance(const struct state *s, const struct change *c) {
	struct odds all = odds_of_repo(s, c->repo);
	uint64_t keys[FEATURES], base = ratio(all), odds = base;
	features(c, keys);
	for (size_t i = 0; i < FEATURES; i++) {
		odds = odds * ratio(odds_of(s, keys[i], all)) / base;
		if (odds > ODDS_MOST) odds = ODDS_MOST;
		if (odds < ODDS_LEAST) odds = ODDS_LEAST;
	}
	return odds * PREDICT_PPM / (PREDICT_PPM + odds);
}

static uint64_t key_of_tenth(struct repo_id repo, uint64_t chance) {
	return key_of(repo, OF_TENTH, chance * TENTHS / PREDICT_PPM);
}

uint32_t predict_chance(const struct state *s, const struct change *c) {
	uint64_t raw = raw_chance(s, c);
	const struct lesson *l = table_get(&s->lessons, key_of_tenth(c->repo, raw));
	uint64_t good = l ? l->good : 0, n = good + (l ? l->bad : 0);
	uint64_t chance = (good * PREDICT_PPM + WEIGHT * raw) / (n + WEIGHT);
	if (chance < CHANCE_LEAST) chance = CHANCE_LEAST;
	return (uint32_t)(chance > CHANCE_MOST ? CHANCE_MOST : chance);
}

void predict_queued(struct state *s, struct change *c, int64_t chance, int64_t now_ms) {
	uint64_t key = key_of(c->repo, OF_GAP, 0);
	c->chance = (uint32_t)chance;
	if (!chance) return;
	c->tenth = (uint8_t)(raw_chance(s, c) * TENTHS / PREDICT_PPM);
	struct lesson *last = lesson(s, key);
	int64_t before_ms = last->last_ms;
	last->last_ms = now_ms;
	if (before_ms) mean(s, key, now_ms - before_ms, GAPS_FADE);
	s->learns = 1;
}

// What says something of the change, not of the machine, of people or of luck.
static bool is_its_fault(enum reason reason) {
	return reason != REASON_NONE && reason != REASON_INFRASTRUCTURE &&
	       reason != REASON_LANDING_REFUSED && reason != REASON_ALREADY_LANDED &&
	       reason != REASON_CANCELLED;
}

void predict_ended(struct state *s, const struct change *c, bool landed, enum reason reason) {
	uint64_t keys[FEATURES];
	if (!c->chance || (!landed && !is_its_fault(reason))) return;
	features(c, keys);
	for (size_t i = 0; i < FEATURES; i++) count(s, keys[i], landed);
	count(s, key_of(c->repo, OF_REPO, 0), landed);
	count(s, key_of(c->repo, OF_TENTH, c->tenth), landed);
}

// ---------------------------------------------------------------- times

static uint64_t key_of_job(struct repo_id repo, struct str job) {
	struct digest d = digest_of(job);
	uint64_t name;
	memcpy(&name, d.b, sizeof name);
	return key_of(repo, OF_JOB, name);
}

void predict_saw_run(struct state *s, struct repo_id repo, struct str job, int64_t duration_ms) {
	if (s->learns && duration_ms >= 0) mean(s, key_of_job(repo, job), duration_ms, RUNS_FADE);
}

int64_t predict_job_ms(const struct state *s, struct repo_id repo, struct str job) {
	const struct lesson *l = s->learns ? table_get(&s->lessons, key_of_job(repo, job)) : NULL;
	return l ? l->mean : -1;
}

int64_t predict_gap_ms(const struct state *s, struct repo_id repo) {
	const struct lesson *l = table_get(&s->lessons, key_of(repo, OF_GAP, 0));
	return l && l->good ? l->mean : 0;
}
