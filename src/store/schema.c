#include "store/schema.h"

#include "core/event.h"
#include "store/project.h"
#include "store/sql.h"

enum { APPLICATION_ID = 0x77656972 }; // "weir"

// Step n makes format n + 1 out of format n. Append only: a step that was released is never
// changed.
static const char *const steps[] = {
	"CREATE TABLE events(seq INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, kind INTEGER NOT NULL,"
	" version INTEGER NOT NULL, repo INTEGER NOT NULL, entity TEXT NOT NULL, body TEXT NOT NULL,"
	" hash BLOB NOT NULL);"
	"CREATE TABLE kinds(number INTEGER PRIMARY KEY, name TEXT NOT NULL, doc TEXT NOT NULL);"
	"CREATE TABLE snapshots(seq INTEGER PRIMARY KEY, layout TEXT NOT NULL, digest BLOB NOT NULL,"
	" bytes INTEGER NOT NULL, state BLOB NOT NULL);"
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;",
};

// clang-format off
#define TIME(column) \
	"iif(" column "_ms > 0, strftime('%Y-%m-%dT%H:%M:%fZ', " column "_ms / 1000.0," \
	" 'unixepoch'), '') AS " column

// Made anew whenever the projections are.
static const char views[] =
	"DROP VIEW IF EXISTS v_events;"
	"DROP VIEW IF EXISTS v_changes;"
	"DROP VIEW IF EXISTS v_runs;"
	"CREATE VIEW v_events AS /* every event; body is JSON: json_extract(body, '$.field') */"
	" SELECT seq, " TIME("time") ", coalesce(k.name, kind) AS kind,"
	" (SELECT name FROM repos WHERE id = e.repo) AS repo, entity, body"
	" FROM events AS e LEFT JOIN kinds AS k ON k.number = e.kind;"
	"CREATE VIEW v_changes AS /* every change with its newest revision */"
	" SELECT c.id, r.name AS repo, revision, title, author, state, reason, reason_text,"
	" landed_commit, " TIME("proposed") ", " TIME("queued") ", " TIME("landed") ", "
	TIME("deployed") ", " TIME("ended")
	" FROM changes AS c LEFT JOIN repos AS r ON r.id = c.repo;"
	"CREATE VIEW v_runs AS /* every run of a job */"
	" SELECT u.id, r.name AS repo, change, candidate, u.name AS job, attempt, state, outcome,"
	" reason, reason_text, " TIME("issued") ", " TIME("started") ", " TIME("ended") ","
	" duration_ms, tests, tests_failed"
	" FROM runs AS u LEFT JOIN repos AS r ON r.id = u.repo;";
// clang-format on

static void layout_hex(char hex[DIGEST_HEX + 1]) {
	struct hash h;
	struct digest tables = project_layout();
	hash_begin(&h);
	hash_add(&h, tables.b, sizeof tables.b);
	hash_add_str(&h, str_of(views));
	digest_hex(hash_end(&h), hex);
}

static bool layout_is_current(sqlite3 *db, bool *current, struct err *e) {
	char hex[DIGEST_HEX + 1];
	AUTO_STMT stmt = NULL;
	layout_hex(hex);
	return sql_prepare(db, "SELECT 1 FROM meta WHERE key = 'projections' AND value = ?1", &stmt,
	                   e) &&
	       (sql_bind_str(stmt, 1, str_of(hex)), sql_row(stmt, current, e));
}

bool schema_check(sqlite3 *db, bool *current, struct err *e) {
	int64_t version, id, tables;
	if (!sql_int(db, "PRAGMA user_version", 0, &version, e) ||
	    !sql_int(db, "PRAGMA application_id", 0, &id, e) ||
	    !sql_int(db, "SELECT count(*) FROM sqlite_schema", 0, &tables, e))
		return false;
	if (id != APPLICATION_ID && (id || version || tables))
		return err_set(e, ERR_INVALID, "the database is not weir's");
	if (version > (int64_t)ARRAY_LEN(steps))
		return err_set(e, ERR_UNSUPPORTED,
		               "a newer weir wrote this data (format %lld; known here: up to %zu)",
		               (long long)version, ARRAY_LEN(steps));
	*current = false;
	return version < (int64_t)ARRAY_LEN(steps) || layout_is_current(db, current, e);
}

// Opening a log that is up to date writes nothing.
static bool kinds_are_current(sqlite3 *db, bool *current, struct err *e) {
	AUTO_STMT stmt = NULL;
	bool row = false;
	int kind = 0;
	*current = false;
	if (!sql_prepare(db, "SELECT number, name, doc FROM kinds ORDER BY number", &stmt, e))
		return false;
	while (++kind <= EVENT_KIND_MAX) {
		if (!event_name((enum event_kind)kind)) continue;
		if (!sql_row(stmt, &row, e)) return false;
		if (!row || sqlite3_column_int(stmt, 0) != kind ||
		    !str_eq(sql_str(stmt, 1), str_of(event_name((enum event_kind)kind))) ||
		    !str_eq(sql_str(stmt, 2), str_of(event_doc((enum event_kind)kind))))
			return true;
	}
	if (!sql_row(stmt, &row, e)) return false;
	*current = !row;
	return true;
}

static bool fill_kinds(sqlite3 *db, struct err *e) {
	AUTO_STMT stmt = NULL;
	bool current;
	if (!kinds_are_current(db, &current, e)) return false;
	if (current) return true;
	if (!sql_exec(db, "DELETE FROM kinds", e) ||
	    !sql_prepare(db, "INSERT INTO kinds(number, name, doc) VALUES(?1, ?2, ?3)", &stmt, e))
		return false;
	for (int kind = 1; kind <= EVENT_KIND_MAX; kind++) {
		if (!event_name((enum event_kind)kind)) continue;
		sql_bind_int(stmt, 1, kind);
		sql_bind_str(stmt, 2, str_of(event_name((enum event_kind)kind)));
		sql_bind_str(stmt, 3, str_of(event_doc((enum event_kind)kind)));
		if (!sql_done(stmt, e)) return false;
	}
	return true;
}

static bool new_projections(sqlite3 *db, struct err *e) {
	char hex[DIGEST_HEX + 1];
	AUTO_STMT stmt = NULL;
	layout_hex(hex);
	if (!project_drop(db, e) || !project_create(db, e) || !sql_exec(db, views, e) ||
	    !sql_prepare(db, "REPLACE INTO meta(key, value) VALUES('projections', ?1)", &stmt, e))
		return false;
	sql_bind_str(stmt, 1, str_of(hex));
	return sql_done(stmt, e);
}

bool schema_upgrade(sqlite3 *db, bool *rebuild, struct err *e) {
	bool current;
	int64_t version;
	if (!sql_int(db, "PRAGMA user_version", 0, &version, e)) return false;
	for (size_t i = (size_t)version; i < ARRAY_LEN(steps); i++) {
		AUTO_BUF mark = {0};
		buf_printf(&mark, "PRAGMA application_id = %d; PRAGMA user_version = %zu", APPLICATION_ID,
		           i + 1);
		if (!sql_exec(db, steps[i], e) || !sql_exec(db, mark.p, e))
			return err_context(e, "data format %zu", i + 1);
	}
	if (!layout_is_current(db, &current, e) || !fill_kinds(db, e)) return false;
	*rebuild = !current;
	return current || new_projections(db, e);
}
