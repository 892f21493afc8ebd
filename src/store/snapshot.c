#include "store/snapshot.h"

#include <assert.h>
#include <stdlib.h>
#include <zstd.h>

#include "store/sql.h"

enum { LEVEL = 1, BYTES_MAX = 1 << 30 };

static bool insert(sqlite3 *db, uint64_t seq, struct str layout, struct str state,
                   struct str packed, struct err *e) {
	AUTO_STMT stmt = NULL;
	struct digest digest = digest_of(state);
	if (!sql_prepare(db,
	                 "REPLACE INTO snapshots(seq, layout, digest, bytes, state)"
	                 " VALUES(?1, ?2, ?3, ?4, ?5)",
	                 &stmt, e))
		return false;
	sql_bind_int(stmt, 1, (int64_t)seq);
	sql_bind_str(stmt, 2, layout);
	sql_bind_blob(stmt, 3, (struct str){(const char *)digest.b, sizeof digest.b});
	sql_bind_int(stmt, 4, (int64_t)state.n);
	sql_bind_blob(stmt, 5, packed);
	return sql_done(stmt, e);
}

static bool remove_others(sqlite3 *db, struct str layout, struct err *e) {
	AUTO_STMT stmt = NULL;
	if (!sql_prepare(db,
	                 "DELETE FROM snapshots WHERE layout <> ?1 OR seq NOT IN"
	                 " (SELECT seq FROM snapshots WHERE layout = ?1 ORDER BY seq DESC LIMIT 2)",
	                 &stmt, e))
		return false;
	sql_bind_str(stmt, 1, layout);
	return sql_done(stmt, e);
}

bool snapshot_put(struct store *s, uint64_t seq, struct str layout, struct str state,
                  struct err *e) {
	sqlite3 *db = store_db(s);
	AUTO_BUF packed = {0};
	assert(state.n <= BYTES_MAX);
	size_t room = ZSTD_compressBound(state.n);
	size_t n = ZSTD_compress(buf_grow(&packed, room), room, state.p ? state.p : "", state.n, LEVEL);
	if (ZSTD_isError(n)) abort();
	packed.n = n;
	if (!sql_exec(db, "BEGIN IMMEDIATE", e)) return false;
	if (insert(db, seq, layout, state, buf_view(&packed), e) && remove_others(db, layout, e) &&
	    sql_exec(db, "COMMIT", e))
		return true;
	sql_rollback(db);
	return err_context(e, "snapshot");
}

// Whether the row's bytes are what was put there; then they are appended to *state.
static bool unpack(sqlite3_stmt *stmt, struct buf *state) {
	struct str digest = sql_str(stmt, 1), packed = sql_str(stmt, 3);
	int64_t bytes = sqlite3_column_int64(stmt, 2);
	struct digest wanted;
	if (bytes < 0 || bytes > BYTES_MAX || digest.n != sizeof wanted.b) return false;
	memcpy(wanted.b, digest.p, sizeof wanted.b);
	char *to = buf_grow(state, (size_t)bytes + 1);
	size_t n = ZSTD_decompress(to, (size_t)bytes, packed.p ? packed.p : "", packed.n);
	if (n != (size_t)bytes || !digest_eq(digest_of((struct str){to, n}), wanted)) return false;
	state->n += n;
	state->p[state->n] = 0;
	return true;
}

bool snapshot_get(struct store *s, struct str layout, uint64_t *seq, struct buf *state,
                  struct err *e) {
	AUTO_STMT stmt = NULL;
	struct store_head head;
	if (!store_head(s, &head, e) ||
	    !sql_prepare(store_db(s),
	                 "SELECT seq, digest, bytes, state FROM snapshots WHERE layout = ?1"
	                 " AND seq <= ?2 ORDER BY seq DESC",
	                 &stmt, e))
		return false;
	sql_bind_str(stmt, 1, layout);
	sql_bind_int(stmt, 2, (int64_t)head.seq);
	for (;;) {
		bool row;
		if (!sql_row(stmt, &row, e)) return false;
		if (!row) return err_set(e, ERR_NOT_FOUND, "there is no snapshot");
		if (!unpack(stmt, state)) continue;
		*seq = (uint64_t)sqlite3_column_int64(stmt, 0);
		return true;
	}
}
