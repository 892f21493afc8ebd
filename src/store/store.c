#include "store/store.h"

#include <assert.h>
#include <stdlib.h>

#include "core/eventread.h"
#include "os/file.h"
#include "store/project.h"
#include "store/schema.h"
#include "store/sql.h"

enum { EVENT_VERSION = 1, BUSY_MS = 2000 };

struct store {
	sqlite3 *db;
	char *folder;
	enum store_mode mode;
	struct store_head head; // of STORE_WRITE: what this process wrote last
	struct project *project;
	sqlite3_stmt *insert;
	struct buf body, entity;
	struct arena scratch;
};

sqlite3 *store_db(struct store *s) {
	return s->db;
}

const char *store_folder(const struct store *s) {
	return s->folder;
}

void store_close(struct store **owned) {
	struct store *s = *owned;
	if (!s) return;
	sql_finish(&s->insert);
	project_close(&s->project);
	sqlite3_close(s->db);
	buf_free(&s->body);
	buf_free(&s->entity);
	arena_free(&s->scratch);
	free(s->folder);
	free(s);
	*owned = NULL;
}

// ---------------------------------------------------------------- one record

struct record {
	uint64_t seq;
	int64_t time_ms, kind, version;
	uint64_t repo;
	struct str entity, body;
};

static void add_number(struct hash *h, uint64_t v) {
	hash_add_u64(h, sizeof v);
	hash_add_u64(h, v);
}

static struct digest hash_of(struct digest previous, const struct record *r) {
	struct hash h;
	hash_begin(&h);
	hash_add(&h, previous.b, sizeof previous.b);
	add_number(&h, r->seq);
	add_number(&h, (uint64_t)r->time_ms);
	add_number(&h, (uint64_t)r->kind);
	add_number(&h, (uint64_t)r->version);
	add_number(&h, r->repo);
	hash_add_str(&h, r->entity);
	hash_add_str(&h, r->body);
	return hash_end(&h);
}

static bool parse(const struct record *r, struct arena *life, struct event *out, struct err *e) {
	enum event_kind kind = (enum event_kind)r->kind;
	return eventread_parse(kind, r->time_ms, r->body, life, out) ||
	       event_parse(kind, r->time_ms, r->body, life, out, e);
}

#define RECORD_COLUMNS "seq, time_ms, kind, version, repo, entity, body, hash"

static struct record record_of(sqlite3_stmt *stmt) {
	return (struct record){.seq = (uint64_t)sqlite3_column_int64(stmt, 0),
	                       .time_ms = sqlite3_column_int64(stmt, 1),
	                       .kind = sqlite3_column_int64(stmt, 2),
	                       .version = sqlite3_column_int64(stmt, 3),
	                       .repo = (uint64_t)sqlite3_column_int64(stmt, 4),
	                       .entity = sql_str(stmt, 5),
	                       .body = sql_str(stmt, 6)};
}

static bool digest_column(sqlite3_stmt *stmt, int at, struct digest *out) {
	struct str bytes = sql_str(stmt, at);
	if (bytes.n != sizeof out->b) return false;
	memcpy(out->b, bytes.p, sizeof out->b);
	return true;
}

// ---------------------------------------------------------------- opening

static bool read_head(struct store *s, struct store_head *out, struct err *e) {
	AUTO_STMT stmt = NULL;
	bool row;
	*out = (struct store_head){0};
	if (!sql_prepare(s->db, "SELECT " RECORD_COLUMNS " FROM events ORDER BY seq DESC LIMIT 1",
	                 &stmt, e) ||
	    !sql_row(stmt, &row, e))
		return false;
	if (!row) return true;
	struct record r = record_of(stmt);
	struct store_head head = {.seq = r.seq, .time_ms = r.time_ms};
	if (!digest_column(stmt, 7, &head.hash))
		return err_set(e, ERR_CORRUPT, "event %llu has no hash", (unsigned long long)r.seq);
	*out = head;
	return true;
}

static bool in_transaction(struct store *s, bool (*work)(struct store *s, struct err *e),
                           struct err *e) {
	if (!sql_exec(s->db, "BEGIN IMMEDIATE", e)) return false;
	if (work(s, e) && sql_exec(s->db, "COMMIT", e)) return true;
	sql_rollback(s->db);
	return false;
}

static bool fill_projections(struct store *s, struct err *e);

static bool upgrade(struct store *s, struct err *e) {
	bool rebuild;
	return schema_upgrade(s->db, &rebuild, e) && (!rebuild || fill_projections(s, e));
}

static bool prepare_writer(struct store *s, struct err *e) {
	bool current;
	return sql_exec(s->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", e) &&
	       schema_check(s->db, &current, e) && in_transaction(s, upgrade, e) &&
	       sql_prepare(s->db,
	                   "INSERT INTO events(" RECORD_COLUMNS
	                   ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	                   &s->insert, e) &&
	       read_head(s, &s->head, e);
}

static bool prepare_reader(struct store *s, struct err *e) {
	bool current;
	if (!schema_check(s->db, &current, e)) return false;
	if (current) return true;
	return err_set(e, ERR_UNSUPPORTED,
	               "the data is of another version of weir; weir serve brings it up to date");
}

static bool open_database(struct store *s, struct err *e) {
	AUTO_BUF path = {0};
	bool write = s->mode == STORE_WRITE;
	buf_printf(&path, "%s/weir.db", s->folder);
	if (write && !file_make_folders(s->folder, 0700, e)) return false;
	if (!write && !file_exists(path.p))
		return err_set(e, ERR_NOT_FOUND, "there is no data in %s", s->folder);
	int flags = write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
	if (sqlite3_open_v2(path.p, &s->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
	                    NULL) != SQLITE_OK)
		return sql_fail(s->db, "open the database", e);
	sqlite3_busy_timeout(s->db, BUSY_MS);
	s->project = project_open(s->db);
	return write ? prepare_writer(s, e) : prepare_reader(s, e);
}

bool store_open(const char *folder, enum store_mode mode, struct store **owned, struct err *e) {
	struct store *s = calloc(1, sizeof *s);
	if (!s || !(s->folder = strdup(folder))) abort();
	s->mode = mode;
	if (!open_database(s, e)) {
		store_close(&s);
		return err_context(e, "%s", folder);
	}
	*owned = s;
	return true;
}

bool store_head(struct store *s, struct store_head *out, struct err *e) {
	if (s->mode == STORE_READ) return read_head(s, out, e);
	*out = s->head;
	return true;
}

// ---------------------------------------------------------------- appending

// What could not be read back (a JSON field that is none) would stop every later start.
static bool check_readable(struct store *s, const struct record *r, struct err *e) {
	struct event again;
	arena_reset(&s->scratch);
	if (r->body.n > STORE_BODY_MAX)
		return err_set(e, ERR_LIMIT, "an event of %zu bytes; at most %d", r->body.n,
		               STORE_BODY_MAX);
	if (parse(r, &s->scratch, &again, e)) return true;
	return err_set(e, ERR_INVALID, "%s has a field that is not what it should be",
	               event_name((enum event_kind)r->kind));
}

static bool append_one(struct store *s, const struct event *event, struct store_head *head,
                       struct err *e) {
	assert(event->time_ms >= head->time_ms && event_name(event->kind));
	buf_reset(&s->body);
	buf_reset(&s->entity);
	event_body(event, &s->body);
	event_entity(event, &s->entity);
	struct record r = {.seq = head->seq + 1,
	                   .time_ms = event->time_ms,
	                   .kind = event->kind,
	                   .version = EVENT_VERSION,
	                   .repo = event_repo(event).v,
	                   .entity = buf_view(&s->entity),
	                   .body = buf_view(&s->body)};
	if (!check_readable(s, &r, e)) return false;
	struct digest hash = hash_of(head->hash, &r);
	sql_bind_int(s->insert, 1, (int64_t)r.seq);
	sql_bind_int(s->insert, 2, r.time_ms);
	sql_bind_int(s->insert, 3, r.kind);
	sql_bind_int(s->insert, 4, r.version);
	sql_bind_int(s->insert, 5, (int64_t)r.repo);
	sql_bind_str(s->insert, 6, r.entity);
	sql_bind_str(s->insert, 7, r.body);
	sql_bind_blob(s->insert, 8, (struct str){(const char *)hash.b, sizeof hash.b});
	if (!sql_done(s->insert, e)) {
		if (sqlite3_errcode(s->db) == SQLITE_CONSTRAINT_PRIMARYKEY)
			return err_set(e, ERR_CONFLICT, "another process wrote to this log");
		return false;
	}
	if (!project_event(s->project, r.seq, event, e)) return false;
	*head = (struct store_head){r.seq, r.time_ms, hash};
	return true;
}

bool store_append(struct store *s, const struct event *events, size_t n, uint64_t *first,
                  struct err *e) {
	assert(s->mode == STORE_WRITE);
	struct store_head head = s->head;
	*first = head.seq + 1;
	if (n == 0) return true;
	if (!sql_exec(s->db, "BEGIN IMMEDIATE", e)) return false;
	bool ok = true;
	for (size_t i = 0; ok && i < n; i++) ok = append_one(s, &events[i], &head, e);
	if (ok && sql_exec(s->db, "COMMIT", e)) {
		s->head = head;
		return true;
	}
	sql_rollback(s->db);
	return err_context(e, "%zu event%s not written", n, n == 1 ? " was" : "s were");
}

// ---------------------------------------------------------------- reading

static bool select_range(struct store *s, uint64_t from, uint64_t to, sqlite3_stmt **owned,
                         struct err *e) {
	if (!sql_prepare(
			s->db, "SELECT " RECORD_COLUMNS " FROM events WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq",
			owned, e))
		return false;
	sql_bind_int(*owned, 1, from > INT64_MAX ? INT64_MAX : (int64_t)from);
	sql_bind_int(*owned, 2, to > INT64_MAX ? INT64_MAX : (int64_t)to);
	return true;
}

static bool check_seq(uint64_t seq, uint64_t wanted, struct err *e) {
	if (seq == wanted) return true;
	return err_set(e, ERR_CORRUPT, "event %llu is missing from the log",
	               (unsigned long long)wanted);
}

static bool replay_one(sqlite3_stmt *stmt, struct arena *turn, store_fn *fn, void *context,
                       struct err *e) {
	struct record r = record_of(stmt);
	struct event event;
	if (!parse(&r, turn, &event, e)) return err_context(e, "event %llu", (unsigned long long)r.seq);
	return fn(context, r.seq, &event, e);
}

bool store_replay(struct store *s, uint64_t from, uint64_t to, store_fn *fn, void *context,
                  struct err *e) {
	AUTO_STMT stmt = NULL;
	AUTO_ARENA turn = {0};
	if (from == 0) from = 1;
	if (!select_range(s, from, to, &stmt, e)) return false;
	for (uint64_t wanted = from;; wanted++) {
		bool row;
		if (!sql_row(stmt, &row, e)) return false;
		if (!row) return true;
		if (!check_seq((uint64_t)sqlite3_column_int64(stmt, 0), wanted, e) ||
		    !replay_one(stmt, &turn, fn, context, e))
			return false;
		arena_reset(&turn);
	}
}

static bool verify_one(sqlite3_stmt *stmt, struct store_head *head, struct err *e) {
	struct record r = record_of(stmt);
	struct digest stored;
	if (!check_seq(r.seq, head->seq + 1, e)) return false;
	if (r.time_ms < head->time_ms)
		return err_set(e, ERR_CORRUPT, "event %llu is older than the one before it",
		               (unsigned long long)r.seq);
	struct digest hash = hash_of(head->hash, &r);
	if (!digest_column(stmt, 7, &stored) || !digest_eq(hash, stored))
		return err_set(e, ERR_CORRUPT, "event %llu was changed: its hash does not fit",
		               (unsigned long long)r.seq);
	*head = (struct store_head){r.seq, r.time_ms, hash};
	return true;
}

// A log that lost its newest events has a whole chain; damaged pages show it.
static bool check_pages(sqlite3 *db, struct err *e) {
	AUTO_STMT stmt = NULL;
	bool row;
	if (!sql_prepare(db, "PRAGMA quick_check(1)", &stmt, e) || !sql_row(stmt, &row, e))
		return false;
	struct str answer = row ? sql_str(stmt, 0) : STR_NONE;
	if (str_eq(answer, STR("ok"))) return true;
	return err_set(e, ERR_CORRUPT, "the database is damaged: " STR_FMT, STR_ARG(answer));
}

bool store_verify(struct store *s, struct store_head *out, struct err *e) {
	AUTO_STMT stmt = NULL;
	struct store_head head = {0};
	if (!check_pages(s->db, e) || !select_range(s, 1, INT64_MAX, &stmt, e)) return false;
	for (bool row = true;;) {
		if (!sql_row(stmt, &row, e)) return false;
		if (!row) break;
		if (!verify_one(stmt, &head, e)) return false;
	}
	*out = head;
	return true;
}

// ---------------------------------------------------------------- projections

static bool project_one(void *context, uint64_t seq, const struct event *event, struct err *e) {
	return project_event(context, seq, event, e);
}

// Tables larger than SQLite's usual 2 MB of pages in memory: more for the time of the work.
static bool fill_projections(struct store *s, struct err *e) {
	(void)sqlite3_exec(s->db, "PRAGMA cache_size = -131072", NULL, NULL, NULL);
	bool ok = store_replay(s, 1, UINT64_MAX, project_one, s->project, e);
	(void)sqlite3_exec(s->db, "PRAGMA cache_size = -2000", NULL, NULL, NULL);
	(void)sqlite3_db_release_memory(s->db);
	return ok || err_context(e, "projections");
}

static bool rebuild(struct store *s, struct err *e) {
	for (const char *const *name = project_tables(); *name; name++) {
		AUTO_BUF sql = {0};
		buf_printf(&sql, "DELETE FROM %s", *name);
		if (!sql_exec(s->db, sql.p, e)) return false;
	}
	return fill_projections(s, e);
}

bool store_rebuild(struct store *s, struct err *e) {
	assert(s->mode == STORE_WRITE);
	return in_transaction(s, rebuild, e);
}

static bool same_table(sqlite3 *db, const char *name, struct err *e) {
	AUTO_BUF sql = {0};
	int64_t differ;
	buf_printf(&sql,
	           "SELECT EXISTS(SELECT * FROM main.%s EXCEPT SELECT * FROM live.%s)"
	           " OR EXISTS(SELECT * FROM live.%s EXCEPT SELECT * FROM main.%s)",
	           name, name, name, name);
	if (!sql_int(db, sql.p, 1, &differ, e)) return false;
	if (!differ) return true;
	return err_set(e, ERR_CORRUPT, "the table %s does not hold what the log gives", name);
}

static bool compare_with(struct store *s, sqlite3 *db, struct err *e) {
	AUTO_PROJECT project = project_open(db);
	AUTO_STMT attach = NULL;
	AUTO_BUF path = {0};
	buf_printf(&path, "%s/weir.db", s->folder);
	if (!sql_prepare(db, "ATTACH ?1 AS live", &attach, e)) return false;
	sql_bind_str(attach, 1, buf_view(&path));
	// Events never change, so a replay up to the head that this view of `live` shows is its own
	// log.
	int64_t head;
	if (!sql_done(attach, e) || !sql_exec(db, "BEGIN", e) || !project_create(db, e) ||
	    !sql_int(db, "SELECT coalesce(max(seq), 0) FROM live.events", 0, &head, e) ||
	    !store_replay(s, 1, (uint64_t)head, project_one, project, e))
		return false;
	for (const char *const *name = project_tables(); *name; name++)
		if (!same_table(db, *name, e)) return false;
	return true;
}

bool store_check_projections(struct store *s, struct err *e) {
	sqlite3 *scratch = NULL;
	bool ok = sqlite3_open(":memory:", &scratch) == SQLITE_OK ? compare_with(s, scratch, e)
	                                                          : sql_fail(scratch, "compare", e);
	sqlite3_close(scratch);
	return ok;
}
