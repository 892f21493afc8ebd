#include "git/receive.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "git/landing.h"
#include "git/playground.h"

static const char line[] =
	"{\"version\":1,\"uid\":7,\"repo\":\"p.git\",\"via\":\"path\",\"pusher\":\"\",\"options\":["
	"\"topic=x\",\"draft\"],\"commands\":[{\"ref\":\"refs/for/main\",\"old\":"
	"\"0000000000000000000000000000000000000000\",\"new\":"
	"\"4b825dc642cb6eb9a060e54bf8d69288fbee4904\"}]}";

static void reads_the_request(void **state) {
	AUTO_ARENA life = {0};
	struct git_push push;
	struct git_push_options options;
	struct err e;
	(void)state;
	assert_ok(git_receive_parse(str_of(line), &life, &push, &e), e);
	assert_int_equal(push.uid, 7);
	assert_text(push.repo, "p.git");
	assert_int_equal(push.command_count, 1);
	assert_true(oid_is_none(push.commands[0].old) && push.commands[0].new.n == 20);
	assert_ok(git_receive_options(&push, &options, &e), e);
	assert_text(options.topic, "x");
	assert_true(options.draft);
	static const char *const bad[] = {
		"",
		"[]",
		"{}",
		"{\"version\":2}",
		"{\"version\":1,\"repo\":\"p\",\"commands\":[]}",
		"{\"version\":1,\"repo\":\"p\",\"commands\":[{\"ref\":\"r\",\"old\":\"x\"}]}"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_refused(git_receive_parse(str_of(bad[i]), &life, &push, &e), e, ERR_INVALID);
}

static void knows_its_options(void **state) {
	static const char *const bad[] = {"topik=x", "topic=",   "topic=a b", "draft=maybe",
	                                  "title=",  "priority", ""};
	struct git_push_options o;
	struct err e;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct str option = str_of(bad[i]);
		struct git_push push = {.options = &option, .option_count = 1};
		assert_refused(git_receive_options(&push, &o, &e), e, ERR_INVALID);
	}
	struct str good[] = {STR("title=a = b"), STR("priority=high"), STR("draft=false")};
	struct git_push push = {.options = good, .option_count = 3};
	assert_ok(git_receive_options(&push, &o, &e), e);
	assert_text(o.title, "a = b");
	assert_false(o.draft);
}

static void says_where_a_push_aims(void **state) {
	struct git_ref heads[] = {{STR("refs/heads/main"), {0}}, {STR("refs/heads/rel/1"), {0}}};
	static const struct {
		const char *ref;
		size_t heads;
		enum err_code code;
		const char *text; // branch:topic, or part of the error
	} rows[] = {
		{"refs/for/main", 2, ERR_NONE, "main:"},
		{"refs/for/main/fix", 2, ERR_NONE, "main:fix"},
		{"refs/for/rel/1", 2, ERR_NONE, "rel/1:"},
		{"refs/for/rel/1/a/b", 2, ERR_NONE, "rel/1:a/b"},
		{"refs/for/main", 0, ERR_NONE, "main:"},
		{"refs/heads/main", 0, ERR_NONE, "main:"},
		{"refs/for/mian", 2, ERR_NOT_FOUND, "there is main, rel/1"},
		{"refs/for/dev", 0, ERR_NOT_FOUND, "trunk will be main"},
		{"refs/for/rel", 2, ERR_NOT_FOUND, "no branch \"rel\""},
		{"refs/heads/main", 2, ERR_DENIED, "git push weir HEAD:refs/for/main"},
		{"refs/heads/rel/1", 2, ERR_DENIED, "git push weir HEAD:refs/for/rel/1"},
		{"refs/heads/new", 2, ERR_DENIED, "git push weir HEAD:refs/for/main"},
		{"refs/tags/v1", 2, ERR_DENIED, "only changes are taken"},
		{"refs/for/", 2, ERR_INVALID, "takes no name"},
		{"refs/for/main;rm -rf $HOME", 2, ERR_INVALID, "takes no name"},
		{"refs/for/$(id)", 2, ERR_INVALID, "takes no name"},
		{"refs/for/../x", 2, ERR_INVALID, "takes no name"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct git_push_command c = {.ref = str_of(rows[i].ref), .new = {.n = 20, .b = {1}}};
		struct git_push_aim aim;
		struct err e = {0};
		bool ok = git_receive_aim(&c, STR("main"), heads, rows[i].heads, &aim, &e);
		AUTO_BUF got = {0};
		if (ok) buf_printf(&got, STR_FMT ":" STR_FMT, STR_ARG(aim.branch), STR_ARG(aim.topic));
		if (e.code != rows[i].code || !strstr(ok ? got.p : e.text, rows[i].text))
			fail_msg("%s: %s", rows[i].ref, ok ? got.p : e.text);
		if (ok) assert_int_equal(aim.unborn, rows[i].heads == 0);
	}
	struct git_push_command gone = {.ref = STR("refs/heads/main"), .old = {.n = 20, .b = {1}}};
	struct git_push_aim aim;
	struct err e;
	assert_refused(git_receive_aim(&gone, STR("main"), heads, 2, &aim, &e), e, ERR_DENIED);
}

// ---------------------------------------------------------------- real pushes to a daemon of a few
// lines

struct daemon {
	pthread_t thread;
	int listener;
	bool mute; // closes without an answer
	char seen[20000];
};

static void answer_push(struct daemon *d, struct str request, struct buf *answer) {
	AUTO_ARENA life = {0};
	struct git_push push;
	struct git_push_options options;
	struct git_ref *heads;
	size_t head_count;
	struct err e;
	bool ok = git_receive_parse(request, &life, &push, &e);
	snprintf(d->seen, sizeof d->seen, STR_FMT, STR_ARG(request));
	bool options_ok = ok && git_receive_options(&push, &options, &e);
	struct err why = e;
	if (!git_query_refs(pg.repo, "refs/heads/", &life, &heads, &head_count, &e)) abort();
	for (size_t i = 0; ok && i < push.command_count; i++) {
		struct git_push_aim aim;
		struct git_landing_result r;
		const struct git_push_command *c = &push.commands[i];
		if (!options_ok) git_receive_refuse(answer, str_of(why.text));
		else if (!git_receive_aim(c, STR("main"), heads, head_count, &aim, &e))
			git_receive_refuse(answer, str_of(e.text));
		else if (aim.kind == GIT_PUSH_FIRST) {
			if (!git_landing_land(pg.repo, "refs/heads/main", (struct oid){0}, c->new, &r, &e))
				git_receive_refuse(answer, str_of(e.text));
			else git_receive_ok(answer);
		} else {
			if (!git_landing_write_change(pg.repo, 7, 1, c->new, &e)) abort();
			git_receive_say(answer, STR("change 7, first in the queue\nhttp://127.0.0.1/7"));
			git_receive_ok_as(answer, STR("refs/changes/7/1"), c->new);
		}
	}
	git_receive_end(answer);
}

static void *serve(void *given) {
	struct daemon *d = given;
	for (;;) {
		int fd = accept(d->listener, NULL, NULL);
		if (fd < 0) return NULL;
		AUTO_BUF request = {0}, answer = {0};
		struct err e;
		while (!request.n || request.p[request.n - 1] != '\n') {
			char *room = buf_grow(&request, 65536);
			ssize_t n = read(fd, room, 65536);
			if (n <= 0) break;
			request.n += (size_t)n;
		}
		if (!d->mute) answer_push(d, str_trim(buf_view(&request)), &answer);
		if (!file_write_all(fd, buf_view(&answer), &e)) abort();
		close(fd);
	}
}

static void daemon_start(struct daemon *d) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s/receive.sock", pg.data);
	d->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(d->listener, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(d->listener, 8), 0);
	assert_int_equal(pthread_create(&d->thread, NULL, serve, d), 0);
}

static void daemon_stop(struct daemon *d) {
	shutdown(d->listener, SHUT_RDWR);
	pthread_join(d->thread, NULL);
	close(d->listener);
	git_repo_rest(pg.repo);
}

static void want_in(const char *text, const char *part) {
	if (!strstr(text, part)) fail_msg("no \"%s\" in:\n%s", part, text);
}

static void pushes_by_path(void **state) {
	struct daemon d = {0};
	(void)state;
	daemon_start(&d);
	sh("git init -q -b main w; cd w; git commit -q --allow-empty -m one; git remote add weir $R");
	// The first one may make trunk, directly.
	want_in(sh("cd w; git push weir HEAD:main 2>&1"), "[new branch]      HEAD -> main");
	assert_text(str_of(sh("git -C $R rev-parse main")), sh("git -C w rev-parse HEAD"));
	// From then on only changes.
	sh("cd w; git commit -q --allow-empty -m two");
	want_in(sh("cd w; git push weir HEAD:main 2>&1 || true"), "git push weir HEAD:refs/for/main");
	want_in(sh("cd w; git push weir HEAD:refs/for/mian 2>&1 || true"), "there is main");
	want_in(sh("cd w; git push weir HEAD:refs/tags/v1 2>&1 || true"), "only changes are taken");
	want_in(sh("cd w; git push weir :main 2>&1 || true"), "nothing is deleted");
	want_in(sh("cd w; git push weir 'HEAD:refs/for/a;$(id)' 2>&1 || true"), "takes no name");
	want_in(sh("cd w; git push -o foo=1 weir HEAD:refs/for/main 2>&1 || true"),
	        "unknown push option");
	want_in(sh("cd w; git push weir HEAD:refs/changes/9/1 2>&1 || true"), "hidden ref");
	const char *said = sh(
		"cd w; git push -o topic=x -o 'title=\"q\" é\x01' weir HEAD:refs/for/main 2>&1");
	want_in(said, "remote: change 7, first in the queue");
	want_in(said, "[new reference]   HEAD -> refs/changes/7/1");
	want_in(d.seen, "\"options\":[\"topic=x\",\"title=\\\"q\\\" é\\u0001\"]");
	want_in(d.seen, "\"via\":\"path\"");
	assert_text(str_of(sh("git -C $R rev-parse refs/changes/7/1")), sh("git -C w rev-parse HEAD"));
	assert_text(str_of(sh("git -C $R for-each-ref --format='%%(refname)'")),
	            "refs/changes/7/1\nrefs/heads/main");
	// Anyone can fetch a change; candidates are nobody's business.
	sh("git -C $R update-ref refs/candidates/1 refs/changes/7/1; cd w; git fetch -q weir "
	   "refs/changes/7/1");
	assert_text(str_of(sh("git ls-remote $R | cut -f2 | tr '\\n' ' '")),
	            "HEAD refs/changes/7/1 refs/heads/main");
	daemon_stop(&d);
}

static void a_daemon_that_is_away_is_said(void **state) {
	struct daemon d = {.mute = true};
	(void)state;
	sh("git init -q -b main w; cd w; git commit -q --allow-empty -m one");
	const char *said = sh("cd w; git push $R HEAD:refs/for/main HEAD:main 2>&1 || echo refused");
	want_in(said, "weir: not running");
	want_in(said, "! [remote rejected] HEAD -> main (weir is not running)");
	want_in(said, "refused");
	daemon_start(&d);
	said = sh("cd w; git push $R HEAD:refs/for/main 2>&1 || echo refused");
	want_in(said, "stopped before it answered");
	daemon_stop(&d);
	assert_text(str_of(sh("git -C $R for-each-ref | wc -l")), "0");
}

static void bad_objects_are_refused(void **state) {
	struct daemon d = {0};
	(void)state;
	daemon_start(&d);
	sh("git init -q -b main w; cd w; git commit -q --allow-empty -m one");
	const char *said = sh("cd w; { git cat-file commit HEAD; printf 'a\\000b\\n'; } >../nul; "
	                      "C=$(git hash-object -t commit -w --literally ../nul); git push $R "
	                      "$C:refs/for/main 2>&1 || echo refused");
	want_in(said, "nulInCommit");
	want_in(said, "refused");
	// A small limit stands for the large one.
	sh("git -C $R config receive.maxInputSize 100000; cd w; head -c 300000 /dev/urandom >big; git "
	   "add "
	   "big; git commit -q -m big");
	said = sh("cd w; git push $R HEAD:refs/for/main 2>&1 || echo refused");
	want_in(said, "exceeds maximum allowed size");
	assert_text(str_of(sh("git -C $R for-each-ref | wc -l")), "0");
	daemon_stop(&d);
}

// A push to weir beside one to a bare repository of git's own.
static void measure(void **state) {
	enum { ROUNDS = 15 };
	struct daemon d = {0};
	int64_t us[2] = {0, 0};
	(void)state;
	daemon_start(&d);
	sh("git init -q --bare plain.git; git init -q -b main w; cd w; git commit -q --allow-empty -m "
	   "one; "
	   "git push -q $R HEAD:main; git push -q ../plain.git HEAD:main");
	for (int i = 0; i < ROUNDS; i++) {
		sh("cd w; echo %d >a; git add a; git commit -q -m %d", i, i);
		for (int k = 0; k < 2; k++) {
			int64_t t = clock_mono_us();
			if (k)
				sh("git -C $R update-ref -d refs/changes/7/1; cd w; git push -q $R "
				   "HEAD:refs/for/main");
			else
				sh("git -C plain.git update-ref -d refs/none/x; cd w; git push -q ../plain.git "
				   "HEAD:refs/x/%d",
				   i);
			us[k] += clock_mono_us() - t;
		}
	}
	print_message("# push to git %.1f ms, to weir %.1f ms (a daemon that decides nothing)\n",
	              (double)us[0] / ROUNDS / 1e3, (double)us[1] / ROUNDS / 1e3);
	daemon_stop(&d);
}

#define PLAY(name) cmocka_unit_test_setup_teardown(name, playground_open, playground_close)

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_request),
		cmocka_unit_test(knows_its_options),
		cmocka_unit_test(says_where_a_push_aims),
		PLAY(pushes_by_path),
		PLAY(a_daemon_that_is_away_is_said),
		PLAY(bad_objects_are_refused),
		PLAY(measure),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
