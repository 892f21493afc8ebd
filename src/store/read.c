#include "store/read.h"

#include <stdlib.h>

#define TABLE(name, NAME, from)                                                                   \
	static const struct row_field fields_##name[] = {READ_##NAME(ROW_FIELD, struct read_##name)}; \
	static const struct row_table table_##name = {fields_##name, ARRAY_LEN(fields_##name),        \
	                                              sizeof(struct read_##name), from};
READ_TABLES(TABLE)
#undef TABLE

enum { PARAMETERS_MAX = 4, MEDIAN_OF = 20, PREFIX_LEAST = 4 };

// A parameter of a query, ?1 first: text when its pointer is set.
struct parameter {
	int64_t number;
	struct str text;
};
#define NUMBER(v) \
	{ .number = (int64_t)(v) }
#define TEXT(s) \
	{ .text = (s).p ? (s) : STR("") }
#define ASK(rest, ...)                                 \
	(rest), (const struct parameter[PARAMETERS_MAX]) { \
		__VA_ARGS__                                    \
	}

static bool prepare(struct store *s, const struct row_table *table, const char *rest,
                    const struct parameter *parameters, sqlite3_stmt **owned, struct err *e) {
	if (!row_prepare(store_db(s), table, rest, owned, e)) return false;
	for (int i = 0; i < sqlite3_bind_parameter_count(*owned); i++) {
		if (parameters[i].text.p) sql_bind_str(*owned, i + 1, parameters[i].text);
		else sql_bind_int(*owned, i + 1, parameters[i].number);
	}
	return true;
}

static bool one(struct store *s, const struct row_table *table, const char *rest,
                const struct parameter *parameters, struct arena *life, void *out, struct err *e) {
	AUTO_STMT stmt = NULL;
	return prepare(s, table, rest, parameters, &stmt, e) && row_one(stmt, table, life, out, e);
}

static bool list(struct store *s, const struct row_table *table, const char *rest,
                 const struct parameter *parameters, struct arena *life, void **rows, size_t *count,
                 struct err *e) {
	AUTO_STMT stmt = NULL;
	return prepare(s, table, rest, parameters, &stmt, e) &&
	       row_list(stmt, table, life, rows, count, e);
}

// The list as the struct read_NAMEs that the caller wants.
#define LIST(s, name, rest_and_parameters, life, out, e)                                  \
	do {                                                                                  \
		void *rows_;                                                                      \
		size_t count_;                                                                    \
		if (!list((s), &table_##name, rest_and_parameters, (life), &rows_, &count_, (e))) \
			return false;                                                                 \
		*(out) = (struct read_##name##s){rows_, count_};                                  \
		return true;                                                                      \
	} while (0)

static int64_t limit_of(size_t limit) {
	return limit == 0 || limit > INT32_MAX ? -1 : (int64_t)limit; // SQL: -1 = no limit
}

// ---------------------------------------------------------------- repositories and changes

bool read_repo(struct store *s, struct repo_id id, struct arena *life, struct read_repo *out,
               struct err *e) {
	return one(s, &table_repo, ASK("WHERE id = ?1", NUMBER(id.v)), life, out, e);
}

bool read_repo_named(struct store *s, struct str name, struct arena *life, struct read_repo *out,
                     struct err *e) {
	return one(s, &table_repo, ASK("WHERE name = ?1", TEXT(name)), life, out, e);
}

bool read_repos(struct store *s, struct arena *life, struct read_repos *out, struct err *e) {
	LIST(s, repo, ASK("ORDER BY id", {0}), life, out, e);
}

bool read_change(struct store *s, struct change_id id, struct arena *life, struct read_change *out,
                 struct err *e) {
	if (one(s, &table_change, ASK("WHERE id = ?1", NUMBER(id.v)), life, out, e)) return true;
	return e && e->code == ERR_NOT_FOUND
	           ? err_set(e, ERR_NOT_FOUND, "there is no change %llu", (unsigned long long)id.v)
	           : false;
}

bool read_changes(struct store *s, struct read_filter filter, struct arena *life,
                  struct read_changes *out, struct err *e) {
	static const char *const all[] = {
		[READ_ALL] = "WHERE (?2 = 0 OR id < ?2) ORDER BY id DESC LIMIT ?3",
		[READ_OPEN] = "WHERE ended_ms = 0 AND (?2 = 0 OR id < ?2) ORDER BY id DESC LIMIT ?3",
		[READ_ENDED] = "WHERE ended_ms > 0 AND (?2 = 0 OR (ended_ms, id) <"
					   " (SELECT ended_ms, id FROM changes WHERE id = ?2))"
					   " ORDER BY ended_ms DESC, id DESC LIMIT ?3",
	};
	static const char *const of_repo[] = {
		[READ_ALL] = "WHERE repo = ?1 AND (?2 = 0 OR id < ?2) ORDER BY id DESC LIMIT ?3",
		[READ_OPEN] = "WHERE repo = ?1 AND ended_ms = 0 AND (?2 = 0 OR id < ?2)"
					  " ORDER BY id DESC LIMIT ?3",
		[READ_ENDED] = "WHERE repo = ?1 AND ended_ms > 0 AND (?2 = 0 OR (ended_ms, id) <"
					   " (SELECT ended_ms, id FROM changes WHERE id = ?2))"
					   " ORDER BY ended_ms DESC, id DESC LIMIT ?3",
	};
	const char *rest = filter.repo.v ? of_repo[filter.which] : all[filter.which];
	LIST(s, change,
	     ASK(rest, NUMBER(filter.repo.v), NUMBER(filter.before.v), NUMBER(limit_of(filter.limit))),
	     life, out, e);
}

bool read_change_of_topic(struct store *s, struct repo_id repo, struct str topic,
                          struct arena *life, struct read_change *out, struct err *e) {
	return one(
		s, &table_change,
		ASK("WHERE repo = ?1 AND topic = ?2 ORDER BY id DESC LIMIT 1", NUMBER(repo.v), TEXT(topic)),
		life, out, e);
}

bool read_change_of_commit(struct store *s, struct str digits, struct arena *life,
                           struct read_change *out, struct err *e) {
	static const char hex[] = "0123456789abcdef";
	bool plain = digits.n > 0 && digits.n <= OID_HEX_MAX;
	for (size_t i = 0; plain && i < digits.n; i++)
		plain = memchr(hex, digits.p[i], sizeof hex - 1) != NULL;
	if (!plain) return err_set(e, ERR_NOT_FOUND, "no commit begins so");
	return one(
		s, &table_change,
		ASK("WHERE landed_commit GLOB ?1 || '*' OR id IN "
	        "(SELECT change FROM revisions WHERE head GLOB ?1 || '*') ORDER BY id DESC LIMIT 1",
	        TEXT(digits)),
		life, out, e);
}

bool read_revisions(struct store *s, struct change_id change, struct arena *life,
                    struct read_revisions *out, struct err *e) {
	LIST(s, revision, ASK("WHERE change = ?1 ORDER BY revision", NUMBER(change.v)), life, out, e);
}

bool read_candidate(struct store *s, struct candidate_id id, struct arena *life,
                    struct read_candidate *out, struct err *e) {
	return one(s, &table_candidate, ASK("WHERE id = ?1", NUMBER(id.v)), life, out, e);
}

bool read_candidates(struct store *s, struct change_id change, struct arena *life,
                     struct read_candidates *out, struct err *e) {
	LIST(s, candidate,
	     ASK("WHERE change = ?1 OR id IN (SELECT candidate FROM members WHERE change = ?1)"
	         " ORDER BY id",
	         NUMBER(change.v)),
	     life, out, e);
}

// ---------------------------------------------------------------- runs

bool read_run(struct store *s, struct run_id id, struct arena *life, struct read_run *out,
              struct err *e) {
	return one(s, &table_run, ASK("WHERE id = ?1", NUMBER(id.v)), life, out, e);
}

bool read_runs_of_change(struct store *s, struct change_id change, struct arena *life,
                         struct read_runs *out, struct err *e) {
	LIST(s, run,
	     ASK("WHERE change = ?1 OR candidate IN (SELECT candidate FROM members WHERE change = ?1)"
	         " ORDER BY id",
	         NUMBER(change.v)),
	     life, out, e);
}

bool read_runs_of_candidate(struct store *s, struct candidate_id candidate, struct arena *life,
                            struct read_runs *out, struct err *e) {
	LIST(s, run, ASK("WHERE candidate = ?1 ORDER BY id", NUMBER(candidate.v)), life, out, e);
}

bool read_verdicts(struct store *s, struct repo_id repo, struct digest basis, struct arena *life,
                   struct read_verdicts *out, struct err *e) {
	char hex[DIGEST_HEX + 1];
	digest_hex(basis, hex);
	LIST(s, verdict,
	     ASK("WHERE basis = ?1 AND repo = ?2 ORDER BY time_ms DESC, run DESC LIMIT ?3",
	         TEXT(str_of(hex)), NUMBER(repo.v), NUMBER(READ_VERDICTS_MAX)),
	     life, out, e);
}

bool read_predictions(struct store *s, struct arena *life, struct read_predictions *out,
                      struct err *e) {
	LIST(s, prediction, ASK("WHERE changes > ?1 ORDER BY repo, tenth", NUMBER(0)), life, out, e);
}

bool read_job_inputs(struct store *s, struct repo_id repo, struct arena *life,
                     struct read_job_inputs *out, struct err *e) {
	LIST(s, job_input, ASK("WHERE repo = ?1 ORDER BY job", NUMBER(repo.v)), life, out, e);
}

bool read_local_runs(struct store *s, struct digest basis, struct arena *life,
                     struct read_local_runs *out, struct err *e) {
	char hex[DIGEST_HEX + 1];
	digest_hex(basis, hex);
	LIST(s, local_run,
	     ASK("WHERE basis = ?1 AND outcome = 'passed' ORDER BY seq DESC LIMIT ?2",
	         TEXT(str_of(hex)), NUMBER(READ_VERDICTS_MAX)),
	     life, out, e);
}

bool read_all_verdicts(struct store *s, struct arena *life, struct read_verdicts *out,
                       struct err *e) {
	LIST(s, verdict, ASK("WHERE basis <> ?1 ORDER BY run", TEXT(STR(""))), life, out, e);
}

bool read_all_local_runs(struct store *s, struct arena *life, struct read_local_runs *out,
                         struct err *e) {
	LIST(s, local_run, ASK("WHERE outcome = 'passed' AND basis <> ?1 ORDER BY seq", TEXT(STR(""))),
	     life, out, e);
}

bool read_plan(struct store *s, struct digest digest, struct arena *life, struct str *json,
               struct err *e) {
	char hex[DIGEST_HEX + 1];
	AUTO_STMT stmt = NULL;
	bool row;
	digest_hex(digest, hex);
	if (!sql_prepare(store_db(s), "SELECT plan FROM plans WHERE digest = ?1", &stmt, e))
		return false;
	sql_bind_str(stmt, 1, str_of(hex));
	if (!sql_row(stmt, &row, e)) return false;
	if (!row) return err_set(e, ERR_NOT_FOUND, "there is no plan %s", hex);
	*json = arena_str(life, sql_str(stmt, 0));
	return true;
}

// ---------------------------------------------------------------- delivery

bool read_release(struct store *s, struct release_id id, struct arena *life,
                  struct read_release *out, struct err *e) {
	return one(s, &table_release, ASK("WHERE id = ?1", NUMBER(id.v)), life, out, e);
}

static bool is_hex(struct str text) {
	for (size_t i = 0; i < text.n; i++)
		if (!strchr("0123456789abcdef", text.p[i]) || !text.p[i]) return false;
	return text.n >= PREFIX_LEAST && text.n <= OID_HEX_MAX;
}

bool read_release_named(struct store *s, struct repo_id repo, struct str name, struct arena *life,
                        struct read_release *out, struct err *e) {
	uint64_t id;
	void *rows;
	size_t n;
	if (str_to_u64(name, &id) && id <= INT64_MAX) {
		struct err why;
		if (one(s, &table_release,
		        ASK("WHERE id = ?1 AND (?2 = 0 OR repo = ?2)", NUMBER(id), NUMBER(repo.v)), life,
		        out, &why))
			return true;
		if (why.code != ERR_NOT_FOUND) return err_set(e, why.code, "%s", why.text);
	}
	if (!is_hex(name))
		return err_set(
			e, ERR_NOT_FOUND,
			"there is no release \"%.80s\": name its number, or at least %d digits of its "
			"commit",
			arena_cstr(life, name), PREFIX_LEAST);
	if (!list(s, &table_release,
	          ASK("WHERE commit_oid >= ?1 AND commit_oid < ?1 || 'g'"
	              " AND (?2 = 0 OR repo = ?2) LIMIT 2",
	              TEXT(name), NUMBER(repo.v)),
	          life, &rows, &n, e))
		return false;
	if (n == 0)
		return err_set(e, ERR_NOT_FOUND, "there is no release of a commit " STR_FMT, STR_ARG(name));
	if (n > 1)
		return err_set(e, ERR_CONFLICT, "the commits of several releases begin with " STR_FMT,
		               STR_ARG(name));
	*out = *(struct read_release *)rows;
	return true;
}

bool read_releases(struct store *s, struct repo_id repo, struct release_id before, size_t limit,
                   struct arena *life, struct read_releases *out, struct err *e) {
	LIST(s, release,
	     ASK("WHERE (?1 = 0 OR repo = ?1) AND (?2 = 0 OR id < ?2) ORDER BY id DESC LIMIT ?3",
	         NUMBER(repo.v), NUMBER(before.v), NUMBER(limit_of(limit))),
	     life, out, e);
}

bool read_blocks(struct store *s, struct env_id env, struct arena *life, struct read_blocks *out,
                 struct err *e) {
	LIST(s, block, ASK("WHERE env = ?1 ORDER BY release DESC", NUMBER(env.v)), life, out, e);
}

bool read_envs(struct store *s, struct repo_id repo, struct arena *life, struct read_envs *out,
               struct err *e) {
	LIST(s, env, ASK("WHERE ?1 = 0 OR repo = ?1 ORDER BY id", NUMBER(repo.v)), life, out, e);
}

bool read_rollout(struct store *s, struct rollout_id id, struct arena *life,
                  struct read_rollout *out, struct err *e) {
	return one(s, &table_rollout, ASK("WHERE id = ?1", NUMBER(id.v)), life, out, e);
}

bool read_rollouts(struct store *s, struct env_id env, struct rollout_id before, size_t limit,
                   struct arena *life, struct read_rollouts *out, struct err *e) {
	LIST(s, rollout,
	     ASK("WHERE (?1 = 0 OR env = ?1) AND (?2 = 0 OR id < ?2) ORDER BY id DESC LIMIT ?3",
	         NUMBER(env.v), NUMBER(before.v), NUMBER(limit_of(limit))),
	     life, out, e);
}

bool read_delivery(struct store *s, struct change_id change, struct arena *life,
                   struct read_delivery *out, struct err *e) {
	return one(s, &table_delivery, ASK("WHERE 1", NUMBER(change.v)), life, out, e);
}

bool read_feed(struct store *s, struct repo_id repo, int64_t before_ms, size_t limit,
               struct arena *life, struct read_feeds *out, struct err *e) {
	LIST(s, feed,
	     ASK("ORDER BY time_ms DESC, rollout DESC, change DESC LIMIT ?3", NUMBER(repo.v),
	         NUMBER(before_ms), NUMBER(limit_of(limit))),
	     life, out, e);
}

bool read_tally_of(struct store *s, const char *name, int64_t *n, struct err *e) {
	AUTO_ARENA life = {0};
	struct read_tally row;
	*n = 0;
	if (!one(s, &table_tally, ASK("WHERE name = ?1", TEXT(str_of(name))), &life, &row, e))
		return e->code == ERR_NOT_FOUND;
	*n = row.n;
	return true;
}

bool read_counted(struct store *s, int64_t since_ms, struct arena *life, struct read_counts *out,
                  struct err *e) {
	LIST(s, count, ASK("ORDER BY hour_ms, what", NUMBER(since_ms)), life, out, e);
}

// ---------------------------------------------------------------- who may what

bool read_tokens(struct store *s, struct arena *life, struct read_tokens *out, struct err *e) {
	LIST(s, token, ASK("ORDER BY name", {0}), life, out, e);
}

bool read_token(struct store *s, struct digest hash, struct arena *life, struct read_token *out,
                struct err *e) {
	char hex[DIGEST_HEX + 1];
	digest_hex(hash, hex);
	return one(s, &table_token, ASK("WHERE hash = ?1 AND revoked_ms = 0", TEXT(str_of(hex))), life,
	           out, e);
}

bool read_keys(struct store *s, struct arena *life, struct read_keys *out, struct err *e) {
	LIST(s, key, ASK("ORDER BY name", {0}), life, out, e);
}

bool read_webhooks(struct store *s, struct arena *life, struct read_webhooks *out, struct err *e) {
	LIST(s, webhook, ASK("ORDER BY name", {0}), life, out, e);
}

bool read_secrets(struct store *s, struct repo_id repo, struct arena *life,
                  struct read_secrets *out, struct err *e) {
	LIST(s, secret, ASK("WHERE repo = ?1 ORDER BY name", NUMBER(repo.v)), life, out, e);
}

// ---------------------------------------------------------------- the log and estimates

bool read_events(struct store *s, uint64_t from, struct str entity, size_t limit,
                 struct arena *life, struct read_events *out, struct err *e) {
	if (from > INT64_MAX) from = INT64_MAX;
	LIST(s, event,
	     ASK("WHERE seq >= ?1 AND (?2 = '' OR entity = ?2) ORDER BY seq LIMIT ?3", NUMBER(from),
	         TEXT(entity), NUMBER(limit_of(limit))),
	     life, out, e);
}

static int compare(const void *a, const void *b) {
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

// Of the first column; of an even number of rows the lower one in the middle.
static bool median(sqlite3_stmt *stmt, int64_t *out, struct err *e) {
	int64_t values[MEDIAN_OF];
	size_t n = 0;
	for (bool row = true; n < MEDIAN_OF;) {
		if (!sql_row(stmt, &row, e)) return false;
		if (!row) break;
		values[n++] = sqlite3_column_int64(stmt, 0);
	}
	if (n) qsort(values, n, sizeof values[0], compare);
	*out = n ? values[(n - 1) / 2] : 0;
	return true;
}

bool read_job_duration(struct store *s, struct repo_id repo, struct str job, int64_t *ms,
                       struct err *e) {
	AUTO_STMT stmt = NULL;
	if (!sql_prepare(store_db(s),
	                 "SELECT duration_ms FROM runs WHERE repo = ?1 AND name = ?2"
	                 " AND state = 'finished' AND outcome = 'passed' ORDER BY id DESC LIMIT 20",
	                 &stmt, e))
		return false;
	sql_bind_int(stmt, 1, (int64_t)repo.v);
	sql_bind_str(stmt, 2, job);
	return median(stmt, ms, e);
}

bool read_landing_wait(struct store *s, struct repo_id repo, int64_t *ms, struct err *e) {
	AUTO_STMT stmt = NULL;
	if (!sql_prepare(store_db(s),
	                 "SELECT landed_ms - queued_ms FROM changes WHERE repo = ?1 AND landed_ms > 0"
	                 " AND queued_ms > 0 ORDER BY landing DESC LIMIT 20",
	                 &stmt, e))
		return false;
	sql_bind_int(stmt, 1, (int64_t)repo.v);
	return median(stmt, ms, e);
}
