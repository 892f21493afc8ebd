#include "web/gitdoor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "os/file.h"

bool gitdoor_is(struct str path) {
	return str_starts(path, STR("/git/"));
}

bool gitdoor_pushes(struct str path, struct str query) {
	return str_ends(path, STR("/git-receive-pack")) ||
	       str_contains(query, STR("service=git-receive-pack"));
}

static void refuse(struct exchange *x, int status, const char *text) {
	struct api_answer a = {.status = status, .type = "text/plain; charset=utf-8"};
	buf_printf(&a.body, "weir: %s\n", text);
	exchange_answer(x, &a);
}

bool gitdoor_begin(struct exchange *x) {
	struct web *w = x->web;
	bool pushes = gitdoor_pushes(x->path, x->query);
	const char *why = w->api.host.read_only(w->api.host.context);
	enum operation_scope needed = pushes ? OPERATION_SCOPE_PROPOSE : OPERATION_SCOPE_READ;
	x->access.is_git = true;
	if (!w->has_git) refuse(x, 404, "there is no git here");
	else if (!operation_allows(x->who.scopes, needed))
		refuse(x, x->who.scopes ? 403 : 401,
		       pushes ? "to push, give a token with the scope propose as password"
		              : "give a token with the scope read as password");
	else if (pushes && why) refuse(x, 503, why);
	else return true;
	return false;
}

bool gitdoor_body(struct exchange *x, struct str bytes, struct err *e) {
	if (x->spool < 0) {
		x->spool = open(x->web->options.spool, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		if (x->spool < 0)
			return err_set(e, ERR_IO, "cannot spool the request: %s", strerror(errno));
	}
	if (x->spooled + (int64_t)bytes.n > WEB_GIT_BODY_MAX)
		return err_set(e, ERR_LIMIT,
		               "a push over HTTP has at most %d MB; push fewer commits at once, or by SSH",
		               WEB_GIT_BODY_MAX >> 20);
	x->spooled += (int64_t)bytes.n;
	return file_write_all(x->spool, bytes, e);
}

// ---------------------------------------------------------------- the answer comes through a pipe

struct pipe_stream {
	struct api_stream stream;
	struct exchange *exchange;
	struct loop_watch *watch;
	int fd;
};

static void readable(void *context) {
	struct pipe_stream *p = context;
	loop_unwatch(p->watch);
	p->watch = NULL;
	exchange_wake(p->exchange);
}

static bool more(struct api_stream *s, struct buf *out) {
	struct pipe_stream *p = (struct pipe_stream *)s;
	for (;;) {
		ssize_t n = read(p->fd, buf_grow(out, 65536), 65536);
		if (n < 0 && errno == EINTR) continue;
		if (n > 0) out->n += (size_t)n;
		if (n >= 0) return n > 0;
		if (errno != EAGAIN) return false;
		if (!p->watch)
			p->watch = loop_watch(p->exchange->web->loop, p->fd, true, false, readable, p);
		return true;
	}
}

static void end(struct api_stream *s) {
	struct pipe_stream *p = (struct pipe_stream *)s;
	loop_unwatch(p->watch);
	file_close(&p->fd);
	free(p);
}

static void served(void *context, bool ok, const struct web_git_answer *g, const struct err *e) {
	struct exchange *x = context;
	int from = ok ? g->from : -1;
	if (!exchange_resolve(x)) {
		file_close(&from);
		return;
	}
	if (!ok) {
		refuse(x, err_http_status(e->code), e->text);
		return;
	}
	struct api_answer a = {.status = g->status, .type = "application/octet-stream"};
	for (size_t i = 0; i < g->header_count; i++) {
		char *name = arena_cstr(&x->life, g->headers[i].name);
		if (strcasecmp(name, "Content-Type") == 0)
			a.type = arena_cstr(&x->life, g->headers[i].value);
		else if (strcasecmp(name, "Content-Length") != 0 && strcasecmp(name, "Status") != 0)
			exchange_header(x, name, g->headers[i].value);
	}
	buf_str(&a.body, g->begun);
	if (from >= 0) {
		struct pipe_stream *p = calloc(1, sizeof *p);
		if (!p) abort();
		*p = (struct pipe_stream){{false, more, end}, x, NULL, from};
		int flags = fcntl(from, F_GETFL);
		if (flags >= 0) flags = fcntl(from, F_SETFL, flags | O_NONBLOCK);
		a.stream = &p->stream;
		if (flags < 0) {
			end(a.stream);
			a.stream = NULL;
		}
	}
	exchange_answer(x, &a);
}

void gitdoor_answer(struct exchange *x) {
	struct web *w = x->web;
	if (x->spool >= 0 && lseek(x->spool, 0, SEEK_SET) < 0) {
		refuse(x, 500, "cannot read the spooled request");
		return;
	}
	struct web_git_request q = {.method = x->method,
	                            .path = str_from(x->path, strlen("/git")),
	                            .query = x->query,
	                            .content_type = exchange_sent(x, "Content-Type"),
	                            .content_encoding = exchange_sent(x, "Content-Encoding"),
	                            .git_protocol = exchange_sent(x, "Git-Protocol"),
	                            .pusher = x->who.name,
	                            .peer = str_of(x->peer_text),
	                            .scopes = x->who.scopes,
	                            .pushes = gitdoor_pushes(x->path, x->query),
	                            .body = x->spool,
	                            .body_bytes = x->spooled};
	exchange_pend(x);
	w->git.serve(w->git.context, &q, served, x);
}
