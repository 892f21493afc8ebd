#include "api/logsource.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/read.h"

bool logsource_file(const char *path, uint64_t offset, size_t most, struct buf *out,
                    uint64_t *total, struct err *e) {
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot open the log: %s",
		               strerror(errno));
	struct stat st;
	bool ok = fstat(fd, &st) == 0;
	*total = ok ? (uint64_t)st.st_size : 0;
	while (ok && most && offset < *total) {
		size_t want = most < 65536 ? most : 65536;
		ssize_t n = pread(fd, buf_grow(out, want), want, (off_t)offset);
		if (n < 0 && errno == EINTR) continue;
		if (n <= 0) break;
		out->n += (size_t)n;
		offset += (uint64_t)n;
		most -= (size_t)n;
	}
	if (out->p) out->p[out->n] = 0;
	close(fd);
	return true;
}

bool logsource_read(struct api *api, struct run_id id, uint64_t offset, size_t most,
                    struct buf *out, bool *over, uint64_t *total, struct err *e) {
	AUTO_ARENA life = {0};
	struct read_run run;
	if (!read_run(api->host.store, id, &life, &run, e)) return false;
	if (!run.ended_ms) {
		AUTO_BUF path = {0};
		*over = false;
		*total = 0;
		if (!api->host.run_log(api->host.context, id, &path))
			return true; // about to begin, or about to be stored
		struct err why = {0};
		if (logsource_file(path.p, offset, most, out, total, &why) || why.code == ERR_NOT_FOUND)
			return true;
		*e = why;
		return false;
	}
	if (digest_is_none(run.log)) return err_set(e, ERR_NOT_FOUND, "this run has no log");
	size_t before = out->n;
	if (!object_read(api->host.objects, run.log, offset, most, out, total, e)) {
		if (e && e->code == ERR_NOT_FOUND)
			err_set(e, ERR_NOT_FOUND, "the log was removed by retention");
		return false;
	}
	*over = offset + (out->n - before) >= *total;
	return true;
}
