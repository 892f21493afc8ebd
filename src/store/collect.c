#include "store/collect.h"

#include <stdlib.h>

#include "store/sql.h"

enum { MANIFEST_MAX = 64 * 1024 * 1024, DAY_MS = 24 * 3600 * 1000, GRACE_MS = 3600 * 1000 };

struct set { // sorted after set_finish
	struct digest *list;
	size_t n, room;
};

static void set_free(struct set *s) {
	free(s->list);
	*s = (struct set){0};
}
#define AUTO_SET __attribute__((cleanup(set_free))) struct set

static void set_add(struct set *s, struct digest d) {
	if (s->n == s->room) {
		s->room = s->room ? s->room * 2 : 256;
		s->list = reallocarray(s->list, s->room, sizeof *s->list);
		if (!s->list) abort();
	}
	s->list[s->n++] = d;
}

static int compare(const void *a, const void *b) {
	return memcmp(a, b, sizeof(struct digest));
}

static void set_finish(struct set *s) {
	size_t kept = 0;
	if (s->n == 0) return;
	qsort(s->list, s->n, sizeof *s->list, compare);
	for (size_t i = 0; i < s->n; i++)
		if (kept == 0 || !digest_eq(s->list[kept - 1], s->list[i])) s->list[kept++] = s->list[i];
	s->n = kept;
}

static bool set_has(const struct set *s, struct digest d) {
	return s->n && bsearch(&d, s->list, s->n, sizeof *s->list, compare) != NULL;
}

static bool is_hex(char c) {
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

// Every run of exactly 64 hexadecimal digits.
static void add_digests(struct set *s, struct str text) {
	for (size_t start = 0; start < text.n;) {
		size_t end = start;
		while (end < text.n && is_hex(text.p[end])) end++;
		struct digest d;
		if (end - start == DIGEST_HEX && digest_parse(str_slice(text, start, end), &d))
			set_add(s, d);
		start = end + 1;
	}
}

// ---------------------------------------------------------------- what is live

// ?1 = runs that ended since are kept, ?2 = releases kept
#define KEPT_RUN                                                                               \
	"(ended_ms = 0 OR ended_ms >= ?1 OR change IN (SELECT id FROM changes WHERE ended_ms = 0)" \
	" OR candidate IN (SELECT candidate FROM members WHERE change IN"                          \
	" (SELECT id FROM changes WHERE ended_ms = 0)))"

static const char plain_objects[] =
	"SELECT log || ' ' || results || ' ' || coverage FROM runs WHERE " KEPT_RUN
	" UNION ALL SELECT log || ' ' || results FROM local_runs WHERE time_ms >= ?1";

// Kept when they are there; whether inputs are an object is up to who runs the job.
static const char optional_objects[] =
	"SELECT inputs FROM runs WHERE inputs <> '' AND " KEPT_RUN
	" UNION ALL SELECT inputs FROM local_runs WHERE inputs <> '' AND time_ms >= ?1";

static const char manifests[] =
	"SELECT artifacts FROM runs WHERE artifacts <> '' AND " KEPT_RUN
	" UNION ALL SELECT artifacts FROM local_runs WHERE time_ms >= ?1"
	" UNION ALL SELECT artifacts FROM releases AS e WHERE id >= coalesce((SELECT id FROM releases"
	" WHERE repo = e.repo ORDER BY id DESC LIMIT 1 OFFSET ?2 - 1), 0)"
	" OR id IN (SELECT release FROM (SELECT release, row_number() OVER (PARTITION BY env"
	" ORDER BY max(id) DESC) AS place FROM rollouts GROUP BY env, release) WHERE place <= ?2)"
	" OR id IN (SELECT release FROM env_history)";

static bool add_rows(struct store *s, const char *sql, int64_t since_ms, int64_t releases,
                     struct set *set, struct err *e) {
	AUTO_STMT stmt = NULL;
	if (!sql_prepare(store_db(s), sql, &stmt, e)) return false;
	sql_bind_int(stmt, 1, since_ms);
	if (sqlite3_bind_parameter_count(stmt) > 1) sql_bind_int(stmt, 2, releases);
	for (;;) {
		bool row;
		if (!sql_row(stmt, &row, e)) return false;
		if (!row) return true;
		add_digests(set, sql_str(stmt, 0));
	}
}

// What the manifest names; one that is gone names nothing.
static bool add_named(struct object_store *objects, struct digest manifest, struct set *set,
                      struct err *e) {
	AUTO_BUF bytes = {0};
	struct err why;
	if (object_get(objects, manifest, MANIFEST_MAX, &bytes, &why)) {
		add_digests(set, buf_view(&bytes));
		return true;
	}
	if (why.code == ERR_NOT_FOUND) return true;
	return err_set(e, why.code, "a manifest can't be read: %s", why.text);
}

// With `optional` also what may well be no object.
static bool mark(struct store *s, struct object_store *objects, struct collect_policy policy,
                 bool optional, struct set *live, struct err *e) {
	AUTO_SET artifacts = {0};
	int64_t logs_since = policy.now_ms - policy.log_days * DAY_MS;
	int64_t artifacts_since = policy.now_ms - policy.artifact_days * DAY_MS;
	int64_t releases = policy.releases < 1 ? 1 : policy.releases;
	if (!add_rows(s, plain_objects, logs_since, releases, live, e) ||
	    (optional && !add_rows(s, optional_objects, logs_since, releases, live, e)) ||
	    !add_rows(s, manifests, artifacts_since, releases, &artifacts, e))
		return false;
	set_finish(&artifacts);
	for (size_t i = 0; i < artifacts.n; i++) {
		set_add(live, artifacts.list[i]);
		if (!add_named(objects, artifacts.list[i], live, e)) return false;
	}
	set_finish(live);
	return true;
}

// ---------------------------------------------------------------- removal

struct sweep {
	struct object_store *objects;
	const struct set *live;
	int64_t before_ms;
	struct collect_result *result;
};

static bool sweep_one(void *context, struct digest name, uint64_t disk_bytes, int64_t renewed_ms,
                      struct err *e) {
	struct sweep *sweep = context;
	if (set_has(sweep->live, name)) {
		sweep->result->live++;
		return true;
	}
	if (renewed_ms >= sweep->before_ms) return true;
	if (!object_remove(sweep->objects, name, e)) return false;
	sweep->result->removed++;
	sweep->result->removed_bytes += disk_bytes;
	return true;
}

bool collect_run(struct store *s, struct object_store *objects, struct collect_policy policy,
                 struct collect_result *out, struct err *e) {
	AUTO_SET live = {0};
	struct collect_result result = {0};
	struct sweep sweep = {objects, &live, policy.now_ms - GRACE_MS, &result};
	if (!mark(s, objects, policy, true, &live, e) || !object_each(objects, sweep_one, &sweep, e) ||
	    !object_tidy(objects, e))
		return err_context(e, "collecting objects");
	*out = result;
	return true;
}

// ---------------------------------------------------------------- checks

static bool missing(struct digest name, enum err_code code, struct err *e) {
	char hex[DIGEST_HEX + 1];
	digest_hex(name, hex);
	return err_set(e, code, "the object %s is missing", hex);
}

bool collect_check(struct store *s, struct object_store *objects, struct collect_policy policy,
                   uint64_t *live, struct err *e) {
	AUTO_SET set = {0};
	if (!mark(s, objects, policy, false, &set, e)) return false;
	for (size_t i = 0; i < set.n; i++)
		if (!object_exists(objects, set.list[i])) return missing(set.list[i], ERR_CORRUPT, e);
	*live = set.n;
	return true;
}

bool collect_renew(struct object_store *objects, struct digest manifest, struct err *e) {
	AUTO_SET set = {0};
	AUTO_BUF bytes = {0};
	if (!object_get(objects, manifest, MANIFEST_MAX, &bytes, e)) return false;
	set_add(&set, manifest);
	add_digests(&set, buf_view(&bytes));
	for (size_t i = 0; i < set.n; i++)
		if (!object_renew(objects, set.list[i])) return missing(set.list[i], ERR_NOT_FOUND, e);
	return true;
}
