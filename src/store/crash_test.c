// What survives when the writer dies or the disk refuses, at any moment: all that was acknowledged,
// and nothing half.
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/prng.h"
#include "base/unit.h"
#include "os/clock.h"
#include "os/file.h"
#include "store/object.h"
#include "store/store.h"

enum { KILLS = 120 };

struct shared { // what the child says it was promised
	_Atomic uint64_t acknowledged;
	_Atomic bool refused;
};

static struct shared *share(void) {
	AUTO_FD fd = memfd_create("shared", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fd, sizeof(struct shared)), 0);
	struct shared *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(s != MAP_FAILED);
	return s;
}

static struct str text_of(uint64_t n, struct buf *out) {
	buf_reset(out);
	for (int i = 0; i < 50; i++)
		buf_printf(out, "log of run %llu, line %d\n", (unsigned long long)n, i);
	return buf_view(out);
}

// One transaction: n events that name one object each, which are durable before.
static bool write_turn(struct store *s, struct object_store *objects, size_t n,
                       uint64_t *acknowledged, struct err *e) {
	struct event events[8];
	struct store_head head;
	uint64_t first;
	AUTO_BUF text = {0};
	if (!store_head(s, &head, e)) return false;
	object_batch_begin(objects);
	for (size_t i = 0; i < n; i++) {
		uint64_t run = head.seq + i + 1;
		struct event_run_finished body = {.run = {run}, .outcome = OUTCOME_PASSED};
		if (!object_put(objects, text_of(run, &text), &body.log, e)) return false;
		events[i] = (struct event){
			.kind = EVENT_RUN_FINISHED, .time_ms = head.time_ms + 1, .run_finished = body};
	}
	if (!object_batch_commit(objects, e) || !store_append(s, events, n, &first, e)) return false;
	*acknowledged = first + n - 1;
	return true;
}

static void child(const char *folder, uint64_t seed, struct shared *shared) {
	struct prng random = prng_seeded(seed);
	struct store *s;
	struct object_store *objects;
	struct err e;
	uint64_t acknowledged;
	if (!store_open(folder, STORE_WRITE, &s, &e) || !object_store_open(folder, &objects, &e))
		_exit(1);
	for (;;) {
		if (!write_turn(s, objects, 1 + prng_below(&random, 5), &acknowledged, &e)) {
			shared->refused = true;
			_exit(e.code == ERR_NO_ROOM || e.code == ERR_IO ? 2 : 1);
		}
		shared->acknowledged = acknowledged;
	}
}

static bool has_its_log(void *context, uint64_t seq, const struct event *event, struct err *e) {
	AUTO_BUF text = {0};
	assert_true(digest_eq(event->run_finished.log, digest_of(text_of(seq, &text))));
	return object_check(context, event->run_finished.log, e);
}

// Returns the head.
static uint64_t check(const char *folder, uint64_t acknowledged, uint64_t from) {
	struct err e;
	struct store_head head;
	AUTO_STORE s = NULL;
	AUTO_OBJECTS objects = NULL;
	assert_ok(store_open(folder, STORE_WRITE, &s, &e), e);
	assert_ok(object_store_open(folder, &objects, &e), e);
	assert_ok(store_verify(s, &head, &e), e);
	assert_true(head.seq >= acknowledged);
	assert_ok(store_replay(s, from + 1, UINT64_MAX, has_its_log, objects, &e), e);
	return head.seq;
}

static void loses_nothing_when_killed(void **state) {
	(void)state;
	char folder[] = "/tmp/weir-crash.XXXXXX";
	struct err e;
	struct shared *shared = share();
	struct prng random = prng_seeded(7);
	uint64_t head = 0;
	int worked = 0;
	assert_non_null(mkdtemp(folder));
	for (uint64_t i = 0; i < KILLS; i++) {
		pid_t pid = fork();
		if (pid == 0) child(folder, i, shared);
		assert_true(pid > 0);
		uint64_t before = head;
		clock_sleep_ms(2 + (int64_t)prng_below(&random, 40));
		assert_int_equal(kill(pid, SIGKILL), 0);
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status)); // it did not end by itself
		head = check(folder, shared->acknowledged, before);
		worked += head > before;
	}
	assert_true(worked > KILLS / 10); // else the kills came too early to prove anything
	assert_true(shared->acknowledged > 0);
	AUTO_STORE s = NULL;
	assert_ok(store_open(folder, STORE_READ, &s, &e), e);
	assert_ok(store_check_projections(s, &e), e);
	assert_ok(file_remove_tree(folder, &e), e);
	munmap(shared, sizeof *shared);
}

// Files may not grow past a limit that falls somewhere in the log's writes; then the limit is gone.
static void goes_on_after_the_disk_was_full(void **state) {
	(void)state;
	char folder[] = "/tmp/weir-full.XXXXXX";
	struct err e;
	struct shared *shared = share();
	uint64_t head = 0;
	assert_non_null(mkdtemp(folder));
	for (uint64_t i = 0; i < 40; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			struct rlimit limit = {.rlim_cur = 60000 + i * 9973, .rlim_max = RLIM_INFINITY};
			limit.rlim_max = limit.rlim_cur;
			signal(SIGXFSZ, SIG_IGN);
			if (setrlimit(RLIMIT_FSIZE, &limit)) _exit(3);
			child(folder, i, shared);
		}
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), shared->refused ? 2 : 1); // 1: it could not even open
		shared->refused = false;
		head = check(folder, shared->acknowledged, head);
	}
	assert_true(head > 0);
	AUTO_STORE s = NULL;
	assert_ok(store_open(folder, STORE_READ, &s, &e), e);
	assert_ok(store_check_projections(s, &e), e);
	assert_ok(file_remove_tree(folder, &e), e);
	munmap(shared, sizeof *shared);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loses_nothing_when_killed),
		cmocka_unit_test(goes_on_after_the_disk_was_full),
	};
	return cmocka_run_group_tests_name("crash", tests, NULL, NULL);
}
