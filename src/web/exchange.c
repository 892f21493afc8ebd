#include "web/exchange.h"

#include <poll.h>
#include <stdlib.h>
#include <strings.h>

#include "os/file.h"

// gcc's analyzer loses a list that it sees grow behind two pointers.
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif
static void grow(struct exchange ***list, size_t *cap, size_t count) {
	if (count < *cap) return;
	*cap = *cap ? *cap * 2 : 64;
	struct exchange **grown = realloc(*list, *cap * sizeof(struct exchange *));
	if (!grown) abort();
	*list = grown;
}

static void forget(struct exchange **list, size_t *count, const struct exchange *x) {
	for (size_t i = 0; i < *count; i++) {
		if (list[i] != x) continue;
		list[i] = list[--*count];
		return;
	}
}

struct exchange *exchange_new(struct web *w, const char *uri) {
	struct exchange *x = calloc(1, sizeof *x);
	if (!x) abort();
	x->web = w;
	x->spool = -1;
	struct str all = arena_str(&x->life, str_of(uri));
	x->path = str_cut(&all, '?');
	x->query = all.p ? all : STR("");
	return x;
}

void exchange_free(struct exchange *x) {
	if (x->web) {
		forget(x->web->waiting, &x->web->waiting_count, x);
		forget(x->web->asked, &x->web->asked_count, x);
	}
	api_answer_free(&x->answer);
	buf_free(&x->body);
	buf_free(&x->out);
	file_close(&x->spool);
	arena_free(&x->life);
	free(x);
}

struct str exchange_sent(const struct exchange *x, const char *name) {
	return str_of(MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name));
}

void exchange_header(struct exchange *x, const char *name, struct str value) {
	if (x->header_count == ARRAY_LEN(x->headers)) return;
	x->headers[x->header_count++] = (struct web_git_header){arena_str(&x->life, str_of(name)),
	                                                        arena_str(&x->life, value)};
}

// ---------------------------------------------------------------- answers

static void resume(struct exchange *x) {
	if (!x->suspended) return;
	x->suspended = false;
	MHD_resume_connection(x->connection);
	loop_timer_set(x->web->run, 0);
}

void exchange_answer(struct exchange *x, struct api_answer *answer) {
	x->answer = *answer;
	*answer = (struct api_answer){0};
	x->state = EXCHANGE_ANSWERED;
	resume(x);
}

void exchange_error(struct exchange *x, const struct err *e, const char *next, int status) {
	struct api_answer a;
	api_error(e, next, &a);
	if (status) a.status = status;
	exchange_answer(x, &a);
}

void exchange_html(struct exchange *x, int status, struct buf *html) {
	struct api_answer a = {.status = status, .type = "text/html; charset=utf-8", .body = *html};
	*html = (struct buf){0};
	x->page = true;
	exchange_answer(x, &a);
}

void exchange_redirect(struct exchange *x, const char *url) {
	struct api_answer a = {.status = 303, .type = "text/plain; charset=utf-8"};
	exchange_header(x, "Location", str_of(url));
	exchange_answer(x, &a);
}

void exchange_pend(struct exchange *x) {
	struct web *w = x->web;
	grow(&w->asked, &w->asked_cap, w->asked_count);
	w->asked[w->asked_count++] = x;
	x->pending = true;
}

bool exchange_resolve(struct exchange *x) {
	x->pending = false;
	if (x->web) {
		forget(x->web->asked, &x->web->asked_count, x);
		if (x->connection) return true;
	}
	exchange_free(x);
	return false;
}

void exchange_wake(struct exchange *x) {
	if (!x->waits) return;
	x->waits = false;
	forget(x->web->waiting, &x->web->waiting_count, x);
	resume(x);
}

// ---------------------------------------------------------------- sending

static void wait(struct exchange *x) {
	struct web *w = x->web;
	grow(&w->waiting, &w->waiting_cap, w->waiting_count);
	w->waiting[w->waiting_count++] = x;
	x->waits = x->suspended = true;
	MHD_suspend_connection(x->connection);
	int64_t at = loop_now_ms(w->loop) + (x->answer.stream->polls ? API_STREAM_MS : 5000);
	if (w->tick_set && w->tick_at <= at) return;
	w->tick_set = true;
	w->tick_at = at;
	loop_timer_set(w->tick, at - loop_now_ms(w->loop));
}

// While nothing is sent, nothing else tells that the reader went away.
static bool reader_is_gone(const struct exchange *x) {
	const union MHD_ConnectionInfo *fd = MHD_get_connection_info(x->connection,
	                                                             MHD_CONNECTION_INFO_CONNECTION_FD);
	struct pollfd p = {.fd = fd ? fd->connect_fd : -1, .events = POLLRDHUP};
	return fd && poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

static ssize_t send_more(void *context, uint64_t at, char *to, size_t most) {
	(void)at;
	struct exchange *x = context;
	struct api_stream *s = x->answer.stream;
	if (x->sent == x->out.n) {
		buf_reset(&x->out);
		x->sent = 0;
		if (!s) return MHD_CONTENT_READER_END_OF_STREAM;
		if (!s->more(s, &x->out)) {
			s->close(s);
			x->answer.stream = NULL;
			if (!x->out.n) return MHD_CONTENT_READER_END_OF_STREAM;
		}
	}
	if (!x->out.n) {
		if (reader_is_gone(x)) return MHD_CONTENT_READER_END_WITH_ERROR;
		wait(x);
		return 0;
	}
	size_t n = x->out.n - x->sent < most ? x->out.n - x->sent : most;
	memcpy(to, x->out.p + x->sent, n);
	x->sent += n;
	return (ssize_t)n;
}

// A file's name for a header: what could end the quotes is left out.
static struct str attachment(struct exchange *x) {
	AUTO_BUF text = {0};
	buf_cstr(&text, "attachment; filename=\"");
	for (const char *c = x->answer.file_name; *c; c++)
		if (*c > ' ' && *c != '"' && *c != '\\' && *c != 0x7f) buf_char(&text, *c);
	buf_char(&text, '"');
	return arena_str(&x->life, buf_view(&text));
}

static void add(struct MHD_Response *r, const char *name, const char *value) {
	enum MHD_Result added = MHD_add_response_header(r, name, value);
	(void)added; // only a name or value that is not printable is refused, and then it is better
	             // missing
}

enum MHD_Result exchange_respond(struct exchange *x) {
	struct MHD_Response *r;
	if (x->answer.stream) {
		buf_str(&x->out, buf_view(&x->answer.body));
		r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 32768, send_more, x, NULL);
	} else {
		static char nothing[1];
		void *bytes = x->answer.body.p ? x->answer.body.p : nothing;
		r = MHD_create_response_from_buffer(x->answer.body.n, bytes, MHD_RESPMEM_PERSISTENT);
	}
	if (!r) return MHD_NO;
	add(r, "Content-Type", x->answer.type);
	add(r, "X-Content-Type-Options", "nosniff");
	bool cached = false;
	for (size_t i = 0; i < x->header_count; i++) {
		add(r, x->headers[i].name.p, x->headers[i].value.p);
		cached |= strcasecmp(x->headers[i].name.p, "Cache-Control") == 0;
	}
	if (!cached) add(r, "Cache-Control", "no-store");
	if (x->page) {
		add(r, "Content-Security-Policy", x->web->policy);
		add(r, "Referrer-Policy", "same-origin");
		add(r, "X-Frame-Options", "DENY");
	}
	if (x->answer.file_name[0]) add(r, "Content-Disposition", attachment(x).p);
	if (x->answer.allow[0]) add(r, "Allow", x->answer.allow);
	if (x->answer.status == 401)
		add(r, "WWW-Authenticate",
		    x->access.is_git ? "Basic realm=\"weir\"" : "Bearer realm=\"weir\"");
	enum MHD_Result queued = MHD_queue_response(x->connection, (unsigned)x->answer.status, r);
	MHD_destroy_response(r);
	return queued;
}
