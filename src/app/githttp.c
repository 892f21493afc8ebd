#include "app/githttp.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/operations.h"
#include "git/serve.h"
#include "os/file.h"
#include "os/note.h"
#include "os/process.h"

// A push waits here, on a thread of the pool, for its own judgement, which needs another one
// (app/pushes.c): hence the lane. The child lives on when its answer has begun; it dies with the
// thread that started it, and threads of the pool stay.
struct exchange {
	struct daemon *daemon;
	struct arena life;
	struct git_serve_request request;
	web_git_fn *done;
	void *context;
	int from; // the CGI answer, read here until its head is complete
	pid_t pid;
	int pidfd;
	struct loop_watch *watch;
	struct buf head;
	struct git_serve_head parsed;
	bool ok;
	struct err error;
};

static bool read_head(struct exchange *x, struct err *e) {
	for (;;) {
		char *room = buf_grow(&x->head, 16384);
		ssize_t n = read(x->from, room, 16384);
		if (n < 0 && errno == EINTR) continue;
		if (n > 0) x->head.n += (size_t)n;
		switch (git_serve_parse_head(buf_view(&x->head), &x->parsed)) {
		case GIT_SERVE_READY: return true;
		case GIT_SERVE_BAD: return err_set(e, ERR_IO, "git http-backend answered nonsense");
		case GIT_SERVE_MORE: break;
		}
		if (n <= 0) return err_set(e, ERR_IO, "git http-backend ended without an answer");
	}
}

static void exchange_work(void *context) {
	struct exchange *x = context;
	x->from = -1;
	x->ok = git_serve_http(x->daemon->git, &x->request, &x->pid, &x->from, &x->error) &&
	        read_head(x, &x->error);
	file_close(&x->request.body);
}

static void exchange_free(void *context) {
	struct exchange *x = context;
	buf_free(&x->head);
	arena_free(&x->life);
	free(x);
}

static void reap_work(void *context) {
	struct exchange *x = context;
	if (x->pid > 0) waitpid(x->pid, NULL, 0);
}

static void child_ended(void *context) {
	struct exchange *x = context;
	loop_unwatch(x->watch);
	file_close(&x->pidfd);
	reap_work(x);
	exchange_free(x);
}

// Clones are as slow as their clients: nobody waits for them on a thread.
static void reap_later(struct exchange *x) {
	struct loop *l = x->daemon->loop;
	x->pidfd = x->pid > 0 ? process_pidfd(x->pid) : -1;
	x->watch = x->pidfd >= 0 ? loop_watch(l, x->pidfd, true, false, child_ended, x) : NULL;
	if (x->watch) return;
	file_close(&x->pidfd);
	loop_lane_work(x->daemon->exchanges, reap_work, exchange_free, x);
}

static void exchange_done(void *context) {
	struct exchange *x = context;
	struct web_git_header headers[20];
	struct web_git_answer answer = {
		.status = x->parsed.status, .headers = headers, .from = x->from};
	for (size_t i = 0; i < x->parsed.header_count && i < ARRAY_LEN(headers); i++)
		headers[answer.header_count++] = (struct web_git_header){x->parsed.headers[i].name,
		                                                         x->parsed.headers[i].value};
	answer.begun = str_from(buf_view(&x->head), x->parsed.bytes);
	if (!x->ok) {
		file_close(&x->from);
		if (x->pid > 0) kill(-x->pid, SIGKILL);
	}
	x->done(x->context, x->ok, x->ok ? &answer : NULL, x->ok ? NULL : &x->error);
	reap_later(x);
}

static void serve(void *context, const struct web_git_request *q, web_git_fn *done,
                  void *done_context) {
	struct exchange *x = calloc(1, sizeof *x);
	if (!x) abort();
	x->daemon = context;
	x->done = done;
	x->context = done_context;
	x->request = (struct git_serve_request){
		.method = arena_str(&x->life, q->method),
		.path = arena_str(&x->life, q->path),
		.query = arena_str(&x->life, q->query),
		.content_type = arena_str(&x->life, q->content_type),
		.content_encoding = arena_str(&x->life, q->content_encoding),
		.git_protocol = arena_str(&x->life, q->git_protocol),
		.pusher = arena_str(&x->life, q->pusher),
		.peer = arena_str(&x->life, q->peer),
		.pipeline = operation_allows(q->scopes, OPERATION_SCOPE_PIPELINE),
		.body = q->body >= 0 ? fcntl(q->body, F_DUPFD_CLOEXEC, 3) : -1,
		.body_bytes = q->body_bytes,
	};
	loop_lane_work(x->daemon->exchanges, exchange_work, exchange_done, x);
}

struct web_git githttp_fill(struct daemon *d) {
	return (struct web_git){d, serve};
}
