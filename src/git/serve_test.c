#include "git/serve.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "git/playground.h"

static void knows_names(void **state) {
	static const char *const good[] = {"a", "my-service_2.x", "A"};
	static const char *const bad[] = {"", ".a", "-a", "a/b", "a b", "a.git", "a.lock", "..", "a;b"};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) assert_true(git_serve_name_ok(str_of(good[i])));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) assert_false(git_serve_name_ok(str_of(bad[i])));
}

static void judges_requests(void **state) {
	static const struct {
		const char *method, *path, *query;
		enum err_code code;
		bool pushes;
	} rows[] = {
		{"GET", "/p.git/info/refs", "service=git-upload-pack", ERR_NONE, false},
		{"GET", "/p.git/info/refs", "service=git-receive-pack", ERR_NONE, true},
		{"POST", "/p.git/git-upload-pack", "", ERR_NONE, false},
		{"POST", "/p.git/git-receive-pack", "", ERR_NONE, true},
		{"GET", "/p.git/info/refs", "", ERR_DENIED, false},
		{"GET", "/p.git/HEAD", "", ERR_NOT_FOUND, false},
		{"GET", "/p.git/objects/info/packs", "", ERR_NOT_FOUND, false},
		{"GET", "/../p.git/info/refs", "service=git-upload-pack", ERR_NOT_FOUND, false},
		{"GET", "/p/info/refs", "service=git-upload-pack", ERR_NOT_FOUND, false},
		{"DELETE", "/p.git/git-receive-pack", "", ERR_NOT_FOUND, false},
		{"POST", "p.git/git-receive-pack", "", ERR_NOT_FOUND, false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct git_serve_request q = {.method = str_of(rows[i].method),
		                              .path = str_of(rows[i].path),
		                              .query = str_of(rows[i].query)};
		struct str name = STR_NONE;
		bool pushes = false;
		struct err e = {0};
		bool ok = git_serve_judge(&q, &name, &pushes, &e);
		if (ok != (rows[i].code == ERR_NONE) || e.code != rows[i].code || pushes != rows[i].pushes)
			fail_msg("row %zu: %s", i, e.text);
		if (ok) assert_text(name, "p");
	}
}

static void reads_cgi_heads(void **state) {
	struct git_serve_head head;
	(void)state;
	struct str text = STR("Status: 404 Not Found\r\nContent-Type: a/b\r\n\r\nbody");
	assert_int_equal(git_serve_parse_head(text, &head), GIT_SERVE_READY);
	assert_int_equal(head.status, 404);
	assert_int_equal(head.header_count, 1);
	assert_text(head.headers[0].value, "a/b");
	assert_text(str_from(text, head.bytes), "body");
	for (size_t n = 0; n < text.n - 4; n++)
		assert_int_equal(git_serve_parse_head(str_slice(text, 0, n), &head), GIT_SERVE_MORE);
	assert_int_equal(git_serve_parse_head(STR("X: 1\n\n"), &head), GIT_SERVE_READY);
	assert_int_equal(head.status, 200);
	assert_int_equal(git_serve_parse_head(STR("nonsense\n\n"), &head), GIT_SERVE_BAD);
	assert_int_equal(git_serve_parse_head(STR("Status: 99\n\n"), &head), GIT_SERVE_BAD);
	assert_int_equal(git_serve_parse_head(STR("A: x\x01y\n\n"), &head), GIT_SERVE_BAD);
}

static void reads_ssh_commands(void **state) {
	static const struct {
		const char *text, *name;
		bool pushes;
		enum err_code code;
	} rows[] = {
		{"git-receive-pack '/p.git'", "p", true, ERR_NONE},
		{"git-upload-pack 'git/p.git'", "p", false, ERR_NONE},
		{"git upload-pack '/git/p.git/'", "p", false, ERR_NONE},
		{"git-upload-pack p", "p", false, ERR_NONE},
		{"git-upload-pack '/../etc'", "", false, ERR_NOT_FOUND},
		{"git-upload-pack 'p.git' 'q'", "", false, ERR_DENIED},
		{"git-upload-pack p;id", "", false, ERR_DENIED},
		{"git-upload-pack 'p", "", false, ERR_DENIED},
		{"git-upload-archive 'p'", "", false, ERR_DENIED},
		{"git-shell -c x", "", false, ERR_DENIED},
		{"", "", false, ERR_DENIED},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_ARENA life = {0};
		struct git_serve_ssh ssh = {0};
		struct err e = {0};
		bool ok = git_serve_parse_ssh(str_of(rows[i].text), &life, &ssh, &e);
		if (e.code != rows[i].code || ssh.pushes != rows[i].pushes)
			fail_msg("%s: %s", rows[i].text, e.text);
		if (ok) assert_text(ssh.name, rows[i].name);
	}
}

// ---------------------------------------------------------------- a web server of a few lines

static struct str header(struct str head, const char *name) {
	while (head.p) {
		struct str line = str_trim(str_cut(&head, '\n')), value = line;
		struct str key = str_cut(&value, ':');
		if (key.n == strlen(name) && strncasecmp(key.p, name, key.n) == 0) return str_trim(value);
	}
	return STR_NONE;
}

static void reply(int fd, struct git_serve_request *q) {
	AUTO_BUF cgi = {0}, head = {0};
	struct err e;
	pid_t pid;
	AUTO_FD from = -1;
	if (!git_serve_http(pg.home, q, &pid, &from, &e)) {
		buf_printf(&head, "HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n", err_http_status(e.code));
		if (!file_write_all(fd, buf_view(&head), &e)) abort();
		return;
	}
	struct git_serve_head parsed;
	struct process_status status;
	if (!file_read_fd(from, 64 << 20, &cgi, &e) || !process_wait(pid, 10000, &status, &e)) abort();
	if (git_serve_parse_head(buf_view(&cgi), &parsed) != GIT_SERVE_READY) abort();
	buf_printf(&head, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n", parsed.status,
	           cgi.n - parsed.bytes);
	for (size_t i = 0; i < parsed.header_count; i++)
		buf_printf(&head, STR_FMT ": " STR_FMT "\r\n", STR_ARG(parsed.headers[i].name),
		           STR_ARG(parsed.headers[i].value));
	buf_cstr(&head, "\r\n");
	buf_str(&head, str_from(buf_view(&cgi), parsed.bytes));
	if (!file_write_all(fd, buf_view(&head), &e)) abort();
}

static void one_request(int fd) {
	AUTO_BUF in = {0};
	size_t end;
	while ((end = str_find(buf_view(&in), STR("\r\n\r\n"))) == in.n) {
		char *room = buf_grow(&in, 4096);
		ssize_t n = read(fd, room, 4096);
		if (n <= 0) return;
		in.n += (size_t)n;
	}
	struct str head = str_slice(buf_view(&in), 0, end), rest = head;
	int64_t length = 0;
	(void)!str_to_i64(header(head, "content-length"), &length);
	while (in.n < end + 4 + (size_t)length) {
		char *room = buf_grow(&in, 65536);
		ssize_t n = read(fd, room, 65536);
		if (n <= 0) return;
		in.n += (size_t)n;
	}
	head = rest = str_slice(buf_view(&in), 0, end);
	struct str body = str_from(buf_view(&in), end + 4);
	struct str first = str_cut(&rest, '\r'), method = str_cut(&first, ' ');
	struct str target = str_cut(&first, ' '), path = str_cut(&target, '?');
	AUTO_FD spool = memfd_create("body", MFD_CLOEXEC);
	struct err e;
	if (!file_write_all(spool, body, &e) || lseek(spool, 0, SEEK_SET)) abort();
	struct git_serve_request q = {
		.method = method,
		.path = str_from(path, 4),
		.query = target,
		.content_type = header(head, "content-type"),
		.content_encoding = header(head, "content-encoding"),
		.git_protocol = header(head, "git-protocol"),
		.pusher = STR("ann"),
		.peer = STR("127.0.0.1"),
		.body = spool,
		.body_bytes = (int64_t)body.n,
	};
	reply(fd, &q);
}

static int web, socket_of_daemon;

static void *serve_web(void *unused) {
	(void)unused;
	for (int fd; (fd = accept(web, NULL, NULL)) >= 0; close(fd)) one_request(fd);
	return NULL;
}

static char seen[4096];

// Accepts every push: answers "ok" to each command.
static void *serve_daemon(void *unused) {
	(void)unused;
	for (int fd; (fd = accept(socket_of_daemon, NULL, NULL)) >= 0; close(fd)) {
		ssize_t n = read(fd, seen, sizeof seen - 1);
		seen[n > 0 ? n : 0] = 0;
		struct err e;
		if (!file_write_all(fd, STR("0008m hi0006ok0000"), &e)) abort();
	}
	return NULL;
}

static void git_talks_over_http(void **state) {
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	socklen_t size = sizeof address;
	pthread_t threads[2];
	(void)state;
	web = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(web, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(web, 8), 0);
	assert_int_equal(getsockname(web, (struct sockaddr *)&address, &size), 0);
	snprintf(local.sun_path, sizeof local.sun_path, "%s/receive.sock", pg.data);
	socket_of_daemon = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(socket_of_daemon, (struct sockaddr *)&local, sizeof local), 0);
	assert_int_equal(listen(socket_of_daemon, 8), 0);
	pthread_create(&threads[0], NULL, serve_web, NULL);
	pthread_create(&threads[1], NULL, serve_daemon, NULL);
	int port = ntohs(address.sin_port);
	sh("git init -q -b main w; cd w; seq 20000 >a; git add a; git commit -q -m one; git remote add "
	   "weir http://127.0.0.1:%d/git/p.git",
	   port);
	const char *said = sh("cd w; git push -o topic=t weir HEAD:refs/for/main 2>&1");
	assert_non_null(strstr(said, "remote: hi"));
	assert_non_null(strstr(said, "HEAD -> refs/for/main"));
	assert_non_null(strstr(seen, "\"via\":\"http\",\"pusher\":\"ann\""));
	assert_non_null(strstr(seen, "\"repo\":\"p.git\""));
	assert_non_null(strstr(seen, "topic=t"));
	// The object is here; a ref makes it visible, and a clone brings it back (protocol 2, gzipped
	// questions).
	sh("git -C $R update-ref refs/changes/1/1 $(git -C w rev-parse HEAD); git -c "
	   "protocol.version=2 "
	   "clone -q -c remote.origin.fetch=+refs/changes/*:refs/x/* http://127.0.0.1:%d/git/p.git c "
	   "2>&1",
	   port);
	assert_text(str_of(sh("cd c; git show refs/x/1/1:a | tail -1")), "20000");
	assert_non_null(strstr(sh("git ls-remote http://127.0.0.1:%d/git/none.git 2>&1 || true", port),
	                       "not found"));
	shutdown(web, SHUT_RDWR);
	shutdown(socket_of_daemon, SHUT_RDWR);
	for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
	close(web);
	close(socket_of_daemon);
}

#define PLAY(name) cmocka_unit_test_setup_teardown(name, playground_open, playground_close)

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_names),     cmocka_unit_test(judges_requests),
		cmocka_unit_test(reads_cgi_heads), cmocka_unit_test(reads_ssh_commands),
		PLAY(git_talks_over_http),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
