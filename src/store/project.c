#include "store/project.h"

#include <assert.h>
#include <stdlib.h>

#include "core/eventfield.h"
#include "store/project.def.h"
#include "store/tables.def.h"
#include "store/sql.h"

static const struct {
	enum event_kind kind;
	const char *sql;
} rules[] = {
#define RULE(NAME, sql) {EVENT_##NAME, sql},
	PROJECT_RULES(RULE)
#undef RULE
};

static const char *const table_names[] = {
#define TABLE(name, columns, options, indexes) #name,
	PROJECT_TABLES(TABLE)
#undef TABLE
		NULL,
};

static const char *const table_texts[] = {
#define TABLE(name, columns, options, indexes) \
	"CREATE TABLE " #name "(" columns ")" options ";" indexes,
	PROJECT_TABLES(TABLE)
#undef TABLE
};

const char *const *project_tables(void) {
	return table_names;
}

struct digest project_layout(void) {
	struct hash h;
	hash_begin(&h);
	for (size_t i = 0; i < ARRAY_LEN(table_texts); i++) hash_add_str(&h, str_of(table_texts[i]));
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		hash_add_u64(&h, (uint64_t)rules[i].kind);
		hash_add_str(&h, str_of(rules[i].sql));
	}
	return hash_end(&h);
}

bool project_drop(sqlite3 *db, struct err *e) {
	for (const char *const *name = table_names; *name; name++) {
		AUTO_BUF sql = {0};
		buf_printf(&sql, "DROP TABLE IF EXISTS %s", *name);
		if (!sql_exec(db, sql.p, e)) return false;
	}
	return true;
}

bool project_create(sqlite3 *db, struct err *e) {
	for (size_t i = 0; i < ARRAY_LEN(table_texts); i++)
		if (!sql_exec(db, table_texts[i], e)) return err_context(e, "table %s", table_names[i]);
	return true;
}

enum { PARAMETERS_MAX = 40 };

struct rule {
	sqlite3_stmt *stmt;
	int count;
	const struct eventfield *fields[PARAMETERS_MAX]; // NULL = :time or :seq
};

struct project {
	sqlite3 *db;
	struct rule rules[ARRAY_LEN(rules)];
};

struct project *project_open(sqlite3 *db) {
	struct project *p = calloc(1, sizeof *p);
	if (!p) abort();
	p->db = db;
	return p;
}

void project_close(struct project **p) {
	if (!*p) return;
	for (size_t i = 0; i < ARRAY_LEN((*p)->rules); i++) sqlite3_finalize((*p)->rules[i].stmt);
	free(*p);
	*p = NULL;
}

static bool is_parameter(sqlite3_stmt *stmt, int at, const char *name) {
	return strcmp(sqlite3_bind_parameter_name(stmt, at) + 1, name) == 0;
}

static bool prepare(struct project *p, size_t index, struct err *e) {
	struct rule *r = &p->rules[index];
	if (!sql_prepare(p->db, rules[index].sql, &r->stmt, e))
		return err_context(e, "rule %zu, %s", index, event_name(rules[index].kind));
	size_t n;
	const struct eventfield *fields = eventfield_of(rules[index].kind, &n);
	r->count = sqlite3_bind_parameter_count(r->stmt);
	assert(r->count < PARAMETERS_MAX);
	for (int at = 1; at <= r->count; at++) {
		for (size_t i = 0; i < n; i++)
			if (is_parameter(r->stmt, at, fields[i].name)) r->fields[at] = &fields[i];
		assert(r->fields[at] || is_parameter(r->stmt, at, "time") ||
		       is_parameter(r->stmt, at, "seq"));
	}
	return true;
}

static void bind_hex(sqlite3_stmt *stmt, int at, const char *hex) {
	int rc = sqlite3_bind_text(stmt, at, hex, -1, SQLITE_TRANSIENT);
	assert(rc == SQLITE_OK);
}

static void bind_field(sqlite3_stmt *stmt, int at, const struct eventfield *f,
                       const struct event *event) {
	const void *value = (const char *)event + f->offset;
	char hex[OID_HEX_MAX + 1] = "";
	switch (f->type) {
	case EVENTFIELD_STR:
	case EVENTFIELD_JSON: sql_bind_str(stmt, at, *(const struct str *)value); return;
	case EVENTFIELD_OID: oid_hex(*(const struct oid *)value, hex); break;
	case EVENTFIELD_DIGEST:
		if (!digest_is_none(*(const struct digest *)value))
			digest_hex(*(const struct digest *)value, hex);
		break;
	case EVENTFIELD_REASON:
		sql_bind_str(stmt, at, reason_code(*(const enum reason *)value));
		return;
	case EVENTFIELD_OUTCOME:
		sql_bind_str(stmt, at, str_of(event_outcome_name(*(const enum outcome *)value)));
		return;
	case EVENTFIELD_INT:
	case EVENTFIELD_LATER:
	case EVENTFIELD_REPO_ID:
	case EVENTFIELD_CHANGE_ID:
	case EVENTFIELD_CANDIDATE_ID:
	case EVENTFIELD_RUN_ID:
	case EVENTFIELD_LANDING_ID:
	case EVENTFIELD_RELEASE_ID:
	case EVENTFIELD_ENV_ID:
	case EVENTFIELD_ROLLOUT_ID: sql_bind_int(stmt, at, *(const int64_t *)value); return;
	}
	bind_hex(stmt, at, hex);
}

static bool run_rule(struct project *p, size_t index, uint64_t seq, const struct event *event,
                     struct err *e) {
	struct rule *r = &p->rules[index];
	if (!r->stmt && !prepare(p, index, e)) return false;
	for (int at = 1; at <= r->count; at++) {
		if (r->fields[at]) bind_field(r->stmt, at, r->fields[at], event);
		else
			sql_bind_int(r->stmt, at,
			             is_parameter(r->stmt, at, "time") ? event->time_ms : (int64_t)seq);
	}
	if (!sql_done(r->stmt, e)) return err_context(e, "%s", event_name(event->kind));
	return true;
}

bool project_event(struct project *p, uint64_t seq, const struct event *event, struct err *e) {
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (rules[i].kind == event->kind && !run_rule(p, i, seq, event, e)) return false;
	return true;
}
