#include "store/row.h"

bool row_prepare(sqlite3 *db, const struct row_table *table, const char *rest, sqlite3_stmt **owned,
                 struct err *e) {
	AUTO_BUF sql = {0};
	buf_cstr(&sql, "SELECT ");
	for (size_t i = 0; i < table->count; i++) {
		const struct row_field *f = &table->fields[i];
		buf_printf(&sql, "%s%s", i ? ", " : "", f->sql[0] ? f->sql : f->name);
	}
	buf_printf(&sql, " FROM %s AS t %s", table->from, rest);
	return sql_prepare(db, sql.p, owned, e);
}

static bool take(sqlite3_stmt *stmt, int at, const struct row_field *f, struct arena *life,
                 void *out) {
	struct str text = sql_str(stmt, at);
	switch (f->type) {
	case EVENTFIELD_STR:
	case EVENTFIELD_JSON: *(struct str *)out = arena_str(life, text); return true;
	case EVENTFIELD_OID: return text.n == 0 || oid_parse(text, out);
	case EVENTFIELD_DIGEST: return text.n == 0 || digest_parse(text, out);
	case EVENTFIELD_REASON: return reason_parse(text, out);
	case EVENTFIELD_OUTCOME: return event_outcome_parse(text, out);
	case EVENTFIELD_INT:
	case EVENTFIELD_LATER:
	case EVENTFIELD_REPO_ID:
	case EVENTFIELD_CHANGE_ID:
	case EVENTFIELD_CANDIDATE_ID:
	case EVENTFIELD_RUN_ID:
	case EVENTFIELD_LANDING_ID:
	case EVENTFIELD_RELEASE_ID:
	case EVENTFIELD_ENV_ID:
	case EVENTFIELD_ROLLOUT_ID: *(int64_t *)out = sqlite3_column_int64(stmt, at); return true;
	}
	return false;
}

bool row_take(sqlite3_stmt *stmt, const struct row_table *table, struct arena *life, void *out,
              struct err *e) {
	memset(out, 0, table->size);
	for (size_t i = 0; i < table->count; i++) {
		const struct row_field *f = &table->fields[i];
		if (!take(stmt, (int)i, f, life, (char *)out + f->offset))
			return err_set(e, ERR_CORRUPT, "column %s of %s can't be read", f->name, table->from);
	}
	return true;
}

bool row_list(sqlite3_stmt *stmt, const struct row_table *table, struct arena *life, void **rows,
              size_t *count, struct err *e) {
	char *list = NULL;
	size_t n = 0, room = 0;
	for (;;) {
		bool row;
		if (!sql_row(stmt, &row, e)) return false;
		if (!row) break;
		if (n == room) {
			room = room ? room * 2 : 8;
			char *more = arena_array(life, room, table->size);
			if (n) memcpy(more, list, n * table->size);
			list = more;
		}
		if (!row_take(stmt, table, life, list + n * table->size, e)) return false;
		n++;
	}
	*rows = list;
	*count = n;
	return true;
}

bool row_one(sqlite3_stmt *stmt, const struct row_table *table, struct arena *life, void *out,
             struct err *e) {
	bool row;
	if (!sql_row(stmt, &row, e)) return false;
	if (!row) return err_set(e, ERR_NOT_FOUND, "there is no such entry in %s", table->from);
	return row_take(stmt, table, life, out, e);
}
