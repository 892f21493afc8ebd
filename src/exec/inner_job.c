#include "exec/inner_job.h"

#include <string.h>

bool inner_job_next(struct inner_job *job, struct inner_record *record) {
	uint32_t n;
	if ((size_t)(job->end - job->at) < 1 + sizeof n) return false;
	memcpy(&n, job->at + 1, sizeof n);
	if ((size_t)(job->end - job->at) - 1 - sizeof n < n) return false;
	*record = (struct inner_record){(enum inner_tag)(unsigned char)*job->at, job->at + 5, n};
	job->at += 5 + n;
	return true;
}

static bool is_text(const struct inner_record *r, size_t nuls) {
	size_t found = 0;
	for (uint32_t i = 0; i < r->n; i++) found += r->bytes[i] == 0;
	return r->n && r->bytes[r->n - 1] == 0 && found == nuls;
}

bool inner_job_open(const void *bytes, size_t n, struct inner_job *job) {
	const char *p = bytes;
	struct inner_record r;
	if (n < 8 || memcmp(p, INNER_MAGIC, 8) != 0) return false;
	*job = (struct inner_job){p + 8, p + n};
	struct inner_job walk = *job;
	while (inner_job_next(&walk, &r)) {
		switch (r.tag) {
		case INNER_COMMAND:
		case INNER_FOLDER:
		case INNER_ENV:
		case INNER_WRITABLE:
			if (!is_text(&r, 1)) return false;
			break;
		case INNER_SECRET:
			if (!is_text(&r, 2)) return false;
			break;
		case INNER_LIMIT:
			if (r.n != 16) return false;
			break;
		default: return false;
		}
	}
	return walk.at == walk.end;
}
