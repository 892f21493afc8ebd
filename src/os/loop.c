#include "os/loop.h"

#include <assert.h>
#include <stdlib.h>
#include <uv.h>

struct loop {
	uv_loop_t uv;
	uv_prepare_t prepare;
	loop_fn *before_wait;
	void *before_context;
	size_t working;
};

struct loop_watch {
	uv_poll_t poll;
	loop_fn *fn;
	void *context;
};

struct loop_timer {
	uv_timer_t timer;
	loop_fn *fn;
	void *context;
};

struct work {
	uv_work_t request;
	struct loop *loop;
	struct loop_lane *lane; // or NULL
	struct work *next;      // waiting in its lane
	loop_fn *work, *done;
	void *context;
};

struct loop_lane {
	struct loop *loop;
	size_t most, busy;
	struct work *first, **last; // that wait
};

struct on_signal {
	uv_signal_t signal;
	loop_fn *fn;
	void *context;
};

static void *new_zeroed(size_t n) {
	void *p = calloc(1, n);
	if (!p) abort();
	return p;
}

static void free_handle(uv_handle_t *h) {
	free(h->data);
}

bool loop_open(struct loop **out, struct err *e) {
	struct loop *l = new_zeroed(sizeof *l);
	int failed = uv_loop_init(&l->uv);
	if (failed) {
		free(l);
		return err_set(e, ERR_IO, "cannot start the event loop: %s", uv_strerror(failed));
	}
	*out = l;
	return true;
}

static void close_handle(uv_handle_t *h, void *context) {
	(void)context;
	if (!uv_is_closing(h)) uv_close(h, h->data ? free_handle : NULL);
}

void loop_close(struct loop *l) {
	if (!l) return;
	uv_walk(&l->uv, close_handle, NULL);
	uv_run(&l->uv, UV_RUN_DEFAULT);
	int failed = uv_loop_close(&l->uv);
	assert(!failed);
	free(l);
}

void loop_run(struct loop *l) {
	uv_run(&l->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *l) {
	uv_stop(&l->uv);
}

int64_t loop_now_ms(struct loop *l) {
	uv_update_time(&l->uv);
	return (int64_t)uv_now(&l->uv);
}

static void on_poll(uv_poll_t *p, int status, int events) {
	(void)status;
	(void)events;
	struct loop_watch *w = p->data;
	w->fn(w->context);
}

struct loop_watch *loop_watch(struct loop *l, int fd, bool readable, bool writable,
                              loop_fn *on_ready, void *context) {
	struct loop_watch *w = new_zeroed(sizeof *w);
	w->fn = on_ready;
	w->context = context;
	if (uv_poll_init(&l->uv, &w->poll, fd)) {
		free(w);
		return NULL;
	}
	w->poll.data = w;
	uv_poll_start(&w->poll, (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0), on_poll);
	return w;
}

void loop_unwatch(struct loop_watch *w) {
	if (w) uv_close((uv_handle_t *)&w->poll, free_handle);
}

static void on_timer(uv_timer_t *t) {
	struct loop_timer *timer = t->data;
	timer->fn(timer->context);
}

struct loop_timer *loop_timer(struct loop *l, loop_fn *on_due, void *context) {
	struct loop_timer *t = new_zeroed(sizeof *t);
	t->fn = on_due;
	t->context = context;
	uv_timer_init(&l->uv, &t->timer);
	t->timer.data = t;
	return t;
}

void loop_timer_set(struct loop_timer *t, int64_t in_ms) {
	if (in_ms < 0) {
		uv_timer_stop(&t->timer);
		return;
	}
	uv_update_time(t->timer.loop);
	uv_timer_start(&t->timer, on_timer, (uint64_t)in_ms, 0);
}

void loop_timer_free(struct loop_timer *t) {
	if (t) uv_close((uv_handle_t *)&t->timer, free_handle);
}

static void signal_came(uv_signal_t *s, int number) {
	(void)number;
	struct on_signal *on = s->data;
	on->fn(on->context);
}

void loop_on_signal(struct loop *l, int signal, loop_fn *on_signal, void *context) {
	struct on_signal *on = new_zeroed(sizeof *on);
	on->fn = on_signal;
	on->context = context;
	uv_signal_init(&l->uv, &on->signal);
	on->signal.data = on;
	uv_signal_start(&on->signal, signal_came, signal);
}

static void before_wait(uv_prepare_t *p) {
	struct loop *l = p->loop->data;
	l->before_wait(l->before_context);
}

void loop_before_wait(struct loop *l, loop_fn *fn, void *context) {
	l->before_wait = fn;
	l->before_context = context;
	l->uv.data = l;
	uv_prepare_init(&l->uv, &l->prepare);
	uv_prepare_start(&l->prepare, before_wait);
}

static void do_work(uv_work_t *r) {
	struct work *w = r->data;
	w->work(w->context);
}

static void start(struct work *w);

static void work_done(uv_work_t *r, int status) {
	(void)status;
	struct work *w = r->data;
	struct loop_lane *lane = w->lane;
	struct work *next = lane ? lane->first : NULL;
	w->loop->working--;
	if (lane) lane->busy--;
	if (next) {
		lane->first = next->next;
		if (!lane->first) lane->last = &lane->first;
		start(next);
	}
	w->done(w->context);
	free(w);
}

static void start(struct work *w) {
	if (w->lane) w->lane->busy++;
	if (uv_queue_work(&w->loop->uv, &w->request, do_work, work_done)) abort();
}

static struct work *work_new(struct loop *l, loop_fn *work, loop_fn *done, void *context) {
	struct work *w = new_zeroed(sizeof *w);
	*w = (struct work){.loop = l, .work = work, .done = done, .context = context};
	w->request.data = w;
	l->working++;
	return w;
}

void loop_work(struct loop *l, loop_fn *work, loop_fn *done, void *context) {
	start(work_new(l, work, done, context));
}

size_t loop_working(const struct loop *l) {
	return l->working;
}

struct loop_lane *loop_lane(struct loop *l, size_t most) {
	struct loop_lane *lane = new_zeroed(sizeof *lane);
	assert(most > 0);
	*lane = (struct loop_lane){.loop = l, .most = most};
	lane->last = &lane->first;
	return lane;
}

void loop_lane_work(struct loop_lane *lane, loop_fn *work, loop_fn *done, void *context) {
	struct work *w = work_new(lane->loop, work, done, context);
	w->lane = lane;
	if (lane->busy < lane->most) {
		start(w);
		return;
	}
	*lane->last = w;
	lane->last = &w->next;
}

void loop_lane_free(struct loop_lane *lane) {
	free(lane);
}
