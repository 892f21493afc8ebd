#include "app/pushes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/pipeline.h"
#include "app/propose.h"
#include "app/room.h"
#include "base/clocktext.h"
#include "git/landing.h"
#include "os/failpoint.h"
#include "os/file.h"
#include "os/note.h"
#include "store/read.h"

enum { COMMANDS_MAX = 20, ACCEPT_PAUSE_MS = 200, REASON_BYTES_MAX = 4000, JUDGED_MOST = 5 };

struct pushes {
	struct daemon *daemon;
	int fd;
	struct loop_watch *watch;
	struct loop_timer *again; // no descriptor was left: to wait for one is better than to spin
};

struct command { // one ref of a push
	struct push *push;
	struct event event; // change.proposed, or trunk.moved for the first push
	struct event configured;
	struct err error;
	bool ok, created_trunk, had_landed;
	struct change_id change;
	uint64_t revision;
};

struct push {
	struct pushes *pushes;
	int fd;
	struct loop_watch *watch;
	struct buf line;
	struct arena life;
	struct git_push request;
	struct git_push_options options;
	struct daemon_repo *repo;
	struct command commands[COMMANDS_MAX];
	struct oid tip; // trunk's, before it was judged
	int judged;     // times
	size_t waiting; // submissions without an answer
	struct buf answer;
};

static void push_free(struct push *p) {
	loop_unwatch(p->watch);
	file_close(&p->fd);
	buf_free(&p->line);
	buf_free(&p->answer);
	arena_free(&p->life);
	free(p);
}

// The answer is small next to a socket's buffer; who does not read it loses it, never the change.
static void finish(struct push *p) {
	git_receive_end(&p->answer);
	if (!file_write_all(p->fd, buf_view(&p->answer), NULL))
		note(NOTE_DEBUG, "a pusher left before its answer");
	push_free(p);
}

static void refuse_all(struct push *p, const char *reason) {
	size_t n = p->request.command_count ? p->request.command_count : 1;
	for (size_t i = 0; i < n; i++) git_receive_refuse(&p->answer, str_of(reason));
	finish(p);
}

// ---------------------------------------------------------------- 4. the answer

// A change can be rejected before its push is answered: then the answer says why.
static void say_reason(struct push *p, const struct command *c) {
	struct read_change row;
	AUTO_BUF text = {0};
	if (!read_change(p->pushes->daemon->reader, c->change, &p->life, &row, NULL)) return;
	struct str rest = row.reason_text.n ? row.reason_text : reason_code(row.reason);
	while (rest.p) {
		struct str line = str_cut(&rest, '\n');
		if (text.n + line.n > REASON_BYTES_MAX) {
			buf_cstr(&text, "  …\n");
			break;
		}
		buf_cstr(&text, "  ");
		for (size_t i = 0; i < line.n; i++) // a terminal shows it
			buf_char(&text, (unsigned char)line.p[i] < ' ' && line.p[i] != '\t' ? '?' : line.p[i]);
		buf_char(&text, '\n');
	}
	text.n -= text.n > 0; // the last line's end
	git_receive_say(&p->answer, buf_view(&text));
}

static void say_place(struct push *p, const struct command *c) {
	struct daemon *d = p->pushes->daemon;
	const struct state *s = turn_state(d->turn);
	AUTO_BUF text = {0};
	size_t place = 1;
	int64_t each_ms = 0;
	const struct change *me = state_change(s, c->change);
	for (size_t i = 0; me && i < s->changes.count; i++) {
		const struct change *other = table_at(&s->changes, i);
		place += other->repo.v == me->repo.v && other->state == CHANGE_QUEUED &&
		         (other->priority > me->priority ||
		          (other->priority == me->priority && other->queue_order < me->queue_order));
	}
	struct err e;
	buf_printf(&text, "Change %llu, revision %llu", (unsigned long long)c->change.v,
	           (unsigned long long)c->revision);
	if (me && p->options.priority.n) buf_printf(&text, ", priority %d", (int)me->priority);
	if (me) buf_printf(&text, ": place %zu in the queue", place);
	if (me && read_landing_wait(d->reader, me->repo, &each_ms, &e) && each_ms > 0) {
		buf_cstr(&text, ", lands in about ");
		clocktext_duration_text(&text, each_ms * (int64_t)place);
	} else if (me) {
		buf_cstr(&text, ", no estimate yet");
	}
	bool rejected = state_rejected(s, c->change) != NULL;
	if (c->had_landed) buf_cstr(&text, " has landed already");
	if (rejected)
		buf_cstr(&text,
		         " was rejected as it is: push a correction, or try it again with weir retry");
	git_receive_say(&p->answer, buf_view(&text));
	buf_reset(&text);
	if (rejected) say_reason(p, c);
	buf_printf(&text, "%s/change/%llu   weir status %llu --watch", d->public_url,
	           (unsigned long long)c->change.v, (unsigned long long)c->change.v);
	git_receive_say(&p->answer, buf_view(&text));
}

static void answer_command(struct push *p, const struct command *c) {
	if (c->ok && !c->created_trunk) say_place(p, c);
	if (c->ok && c->created_trunk)
		git_receive_say(&p->answer, STR("Trunk begins here; from now on push to refs/for/"));
}

static void refs_written(void *context) {
	struct push *p = context;
	failpoint("push-before-answer");
	for (size_t i = 0; i < p->request.command_count; i++) answer_command(p, &p->commands[i]);
	for (size_t i = 0; i < p->request.command_count; i++) {
		const struct command *c = &p->commands[i];
		if (c->ok) git_receive_ok(&p->answer);
		else git_receive_refuse(&p->answer, str_of(c->error.text));
	}
	finish(p);
}

// ---------------------------------------------------------------- 3. durable; now the refs

static void write_refs(void *context) {
	struct push *p = context;
	failpoint("push-before-refs");
	for (size_t i = 0; i < p->request.command_count; i++) {
		struct command *c = &p->commands[i];
		if (!c->ok || c->created_trunk || c->had_landed) continue;
		c->ok = git_landing_write_change(p->repo->git, c->change.v, c->revision,
		                                 c->event.change_proposed.head, &c->error);
	}
}

static void submitted(void *context, bool ok, const struct err *why, const struct event *applied) {
	struct command *c = context;
	struct push *p = c->push;
	(void)applied;
	c->ok = ok;
	if (!ok) c->error = *why;
	if (--p->waiting) return;
	loop_work(p->pushes->daemon->loop, write_refs, refs_written, p);
}

// Remembers which change it was, also when the same push came before.
static enum turn_fill identify(void *context, const struct state *s, struct event *e,
                               struct err *why) {
	struct command *c = context;
	enum turn_fill fill = propose_identify(s, c->push->options.priority.n > 0, e);
	(void)why;
	c->change = e->change_proposed.change;
	c->revision = (uint64_t)e->change_proposed.revision;
	return fill;
}

static void judge_work(void *context);
static void judged(void *context);

static void judge(struct push *p) {
	const struct repo *row = state_repo(turn_state(p->pushes->daemon->turn), p->repo->id);
	p->tip = row->tip;
	p->judged++;
	loop_work(p->pushes->daemon->loop, judge_work, judged, p);
}

// What it was judged by is no more when trunk has moved meanwhile: perhaps to this very commit.
static bool is_stale(const struct push *p) {
	const struct repo *row = state_repo(turn_state(p->pushes->daemon->turn), p->repo->id);
	for (size_t i = 0; i < p->request.command_count; i++)
		if (p->commands[i].created_trunk) return false;
	return !oid_eq(row->tip, p->tip) && p->judged < JUDGED_MOST;
}

// Who never heard that it was taken pushes again, perhaps after it has landed: the same topic with
// the same commit is the same change, and the answer is yes.
static void recall_landed(struct push *p, struct command *c, struct oid head) {
	struct read_change row;
	if (c->ok || c->error.code != ERR_CONFLICT || !p->options.topic.n ||
	    !read_change_of_topic(p->pushes->daemon->reader, p->repo->id, p->options.topic, &p->life,
	                          &row, NULL) ||
	    !str_eq(row.state, STR("landed")) || !oid_eq(row.head, head))
		return;
	c->ok = c->had_landed = true;
	c->change = row.id;
	c->revision = (uint64_t)row.revision;
}

static void judged(void *context) {
	struct push *p = context;
	struct turn *turn = p->pushes->daemon->turn;
	if (is_stale(p)) {
		judge(p);
		return;
	}
	p->waiting = 1; // held until all are submitted
	for (size_t i = 0; i < p->request.command_count; i++) {
		struct command *c = &p->commands[i];
		recall_landed(p, c, p->request.commands[i].new);
		if (!c->ok || c->had_landed) continue;
		p->waiting++;
		turn_submit(turn, &c->event, c->created_trunk ? NULL : identify, submitted, c);
		if (c->configured.kind != EVENT_NONE) turn_submit(turn, &c->configured, NULL, NULL, NULL);
	}
	if (--p->waiting == 0) refs_written(p);
}

// ---------------------------------------------------------------- 2. what it means, on a worker
// thread

static bool create_trunk(struct command *c, const struct git_push_command *asked, struct err *e) {
	struct push *p = c->push;
	struct git_landing_result landed;
	struct pipeline pipeline = {0};
	enum reason reason;
	struct err unread = {0};
	char ref[192];
	snprintf(ref, sizeof ref, "refs/heads/%s", p->repo->trunk);
	if (!git_landing_land(p->repo->git, ref, (struct oid){0}, asked->new, &landed, e)) return false;
	if (landed.state != GIT_LANDED)
		return err_set(e, ERR_CONFLICT, "somebody else created %s just now", p->repo->trunk);
	bool has_plan = pipeline_read_own(p->repo->git, asked->new, &p->life, &pipeline, &reason,
	                                  &unread);
	c->created_trunk = true;
	c->event = (struct event){
		.kind = EVENT_TRUNK_MOVED,
		.trunk_moved = {p->repo->id, (struct oid){0}, asked->new, p->request.pusher}};
	c->configured = (struct event){
		.kind = EVENT_REPO_CONFIGURED,
		.repo_configured = {p->repo->id, asked->new, pipeline.own_digest, pipeline.own,
	                        has_plan ? STR_NONE : arena_str(&p->life, str_of(unread.text))}};
	return true;
}

static bool judge_command(struct command *c, const struct git_push_command *asked,
                          const struct git_ref *heads, size_t head_count, struct err *e) {
	struct push *p = c->push;
	struct git_push_aim aim;
	if (!git_receive_aim(asked, str_of(p->repo->trunk), heads, head_count, &aim, e)) return false;
	if (aim.kind == GIT_PUSH_FIRST) return create_trunk(c, asked, e);
	if (!str_eq(aim.branch, str_of(p->repo->trunk)))
		return err_set(e, ERR_UNSUPPORTED, "changes land on %s; push to refs/for/%s",
		               p->repo->trunk, p->repo->trunk);
	struct propose proposal = {
		.repo = p->repo,
		.target = aim.branch,
		.head = asked->new,
		.topic = aim.topic.n ? aim.topic : p->options.topic,
		.title = p->options.title,
		.pusher = p->request.pusher,
		.draft = p->options.draft,
		.pipeline_scope = p->request.pipeline,
	};
	for (size_t i = 0; i < head_count; i++)
		if (str_eq(str_from(heads[i].name, 11), aim.branch)) proposal.tip = heads[i].oid;
	return propose_priority(p->options.priority, &proposal.priority, e) &&
	       propose_judge(&proposal, &p->life, &c->event, e);
}

static void judge_work(void *context) {
	struct push *p = context;
	struct git_ref *heads;
	size_t head_count;
	for (size_t i = 0; i < p->request.command_count; i++) {
		struct command *c = &p->commands[i];
		c->push = p;
		c->ok = git_query_refs(p->repo->git, "refs/heads/", &p->life, &heads, &head_count,
		                       &c->error) &&
		        judge_command(c, &p->request.commands[i], heads, head_count, &c->error);
	}
}

// ---------------------------------------------------------------- 1. the request

static void name_pusher(struct push *p) {
	struct ucred peer = {0};
	socklen_t n = sizeof peer;
	if (getsockopt(p->fd, SOL_SOCKET, SO_PEERCRED, &peer, &n)) peer.uid = (uid_t)-1;
	bool trusted = peer.uid == 0 || peer.uid == geteuid();
	p->request.pipeline = p->request.pipeline && trusted;
	if (!trusted || p->request.pusher.n == 0)
		p->request.pusher = arena_printf(&p->life, "uid:%lld",
		                                 (long long)(trusted ? p->request.uid : (int64_t)peer.uid));
}

static void request_came(struct push *p) {
	struct daemon *d = p->pushes->daemon;
	struct err e;
	struct str line = {p->line.p, p->line.n - 1};
	if (!git_receive_parse(line, &p->life, &p->request, &e) ||
	    !git_receive_options(&p->request, &p->options, &e)) {
		refuse_all(p, e.text);
		return;
	}
	if (p->request.command_count > COMMANDS_MAX) {
		refuse_all(p, "more than 20 refs in one push; push fewer at a time");
		return;
	}
	struct str name = p->request.repo;
	if (str_ends(name, STR(".git"))) name.n -= 4;
	p->repo = daemon_repo_named(d, name);
	if (!p->repo) {
		refuse_all(p, "this repository is not known to the server");
		return;
	}
	const char *why = room_full(d->room) ? room_full(d->room) : turn_read_only(d->turn);
	if (why) {
		refuse_all(p, arena_printf(&p->life, "weir is read-only: %s", why).p);
		return;
	}
	name_pusher(p);
	judge(p);
}

static void on_readable(void *context) {
	struct push *p = context;
	const size_t most = 64UL * 1024;
	char *room = buf_grow(&p->line, most);
	ssize_t n = read(p->fd, room, most);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
	if (n <= 0 || p->line.n > GIT_RECEIVE_LINE_MAX) {
		push_free(p);
		return;
	}
	p->line.n += (size_t)n;
	if (p->line.p[p->line.n - 1] != '\n') return;
	loop_unwatch(p->watch);
	p->watch = NULL;
	fcntl(p->fd, F_SETFL, 0); // the answer is written in one piece
	struct timeval patience = {.tv_sec = 2};
	setsockopt(p->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	request_came(p);
}

static void on_connection(void *context) {
	struct pushes *set = context;
	int fd = accept4(set->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		if (errno != EMFILE && errno != ENFILE) return;
		note(NOTE_WARN, "a push waits: %s", strerror(errno));
		loop_unwatch(set->watch);
		set->watch = NULL;
		loop_timer_set(set->again, ACCEPT_PAUSE_MS);
		return;
	}
	struct push *p = calloc(1, sizeof *p);
	if (!p) abort();
	p->pushes = set;
	p->fd = fd;
	p->watch = loop_watch(set->daemon->loop, fd, true, false, on_readable, p);
	if (!p->watch) push_free(p);
}

static void accept_again(void *context) {
	struct pushes *set = context;
	set->watch = loop_watch(set->daemon->loop, set->fd, true, false, on_connection, set);
	if (!set->watch) loop_timer_set(set->again, ACCEPT_PAUSE_MS);
}

bool pushes_open(struct daemon *d, struct pushes **out, struct err *e) {
	AUTO_ARENA scratch = {0};
	struct str path = daemon_path(d, &scratch, "receive.sock");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (path.n >= sizeof address.sun_path)
		return err_set(
			e, ERR_LIMIT,
			"the data folder's path is too long for a socket in it (%zu bytes; at most %zu): %s",
			path.n, sizeof address.sun_path - 1, path.p);
	memcpy(address.sun_path, path.p, path.n);
	unlink(path.p);
	AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) || listen(fd, 128))
		return err_set(e, ERR_IO, "cannot listen on %s: %s", path.p, strerror(errno));
	struct pushes *p = calloc(1, sizeof *p);
	if (!p) abort();
	p->daemon = d;
	p->fd = file_keep(&fd);
	p->again = loop_timer(d->loop, accept_again, p);
	accept_again(p);
	*out = p;
	return true;
}

void pushes_close(struct pushes *p) {
	if (!p) return;
	loop_unwatch(p->watch);
	loop_timer_free(p->again);
	file_close(&p->fd);
	free(p);
}
