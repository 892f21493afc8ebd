#include "store/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "os/file.h"
#include "store/sql.h"

static bool sync_file(const char *path, struct err *e) {
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && fsync(fd) == 0) return true;
	return err_set(e, ERR_IO, "cannot sync %s: %s", path, strerror(errno));
}

// VACUUM INTO reads one state of the database, whatever is written meanwhile.
static bool copy_database(struct store *s, const char *to, struct err *e) {
	AUTO_STMT stmt = NULL;
	AUTO_BUF path = {0};
	buf_printf(&path, "%s/weir.db", to);
	if (!file_make_folders(to, 0700, e)) return false;
	if (file_exists(path.p)) return err_set(e, ERR_CONFLICT, "%s exists", path.p);
	if (!sql_prepare(store_db(s), "VACUUM INTO ?1", &stmt, e)) return false;
	sql_bind_str(stmt, 1, buf_view(&path));
	if (sql_done(stmt, e) && sync_file(path.p, e) && file_sync_folder(to, e)) return true;
	unlink(path.p);
	return false;
}

static bool check_copy(const char *to, struct collect_policy policy, struct store_head *head,
                       struct err *e) {
	AUTO_STORE copy = NULL;
	AUTO_OBJECTS objects = NULL;
	uint64_t live;
	return store_open(to, STORE_READ, &copy, e) && object_store_open(to, &objects, e) &&
	       store_verify(copy, head, e) && collect_check(copy, objects, policy, &live, e);
}

bool backup_make(struct store *s, struct object_store *objects, struct collect_policy policy,
                 const char *to, struct store_head *head, struct err *e) {
	if (copy_database(s, to, e) && object_backup(objects, to, e) && check_copy(to, policy, head, e))
		return true;
	return err_context(e, "backup");
}
