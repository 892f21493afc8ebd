// A supervisor's program and client for tests: what the daemon does through
// src/deploy/environment.h, one call at a time. Built by test/load/build.
//   envctl port | supervise FOLDER | ensure FOLDER | send FOLDER JSON [TIMEOUT_MS] | watch FOLDER
// send prints the answer and exits 0 if it is ok, 1 if not, 3 if there was none.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "deploy/environment.h"
#include "deploy/port.h"
#include "deploy/supervisor.h"

static int failed(const struct err *e) {
	fprintf(stderr, "envctl: %s\n", e->text);
	return 3;
}

int main(int argc, char **argv) {
	struct err e;
	const char *verb = argc > 2 ? argv[1] : "";
	uint16_t port;
	if (argc == 2 && !strcmp(argv[1], "port")) {
		if (!port_pick(NULL, 0, &port, &e)) return failed(&e);
		printf("%u\n", port);
		return 0;
	}
	if (!strcmp(verb, "supervise")) return supervisor_run(argv[2]);
	if (!strcmp(verb, "ensure"))
		return environment_ensure(argv[2], "/proc/self/exe", &e) ? 0 : failed(&e);
	if (!strcmp(verb, "send") && argc > 3) {
		AUTO_JSON answer = NULL;
		AUTO_BUF text = {0};
		int64_t timeout_ms = argc > 4 ? atoi(argv[4]) : 30000;
		if (!environment_command(argv[2], str_of(argv[3]), timeout_ms, &answer, &e))
			return failed(&e);
		json_print(&text, answer);
		puts(text.p);
		return json_get_bool(answer, "ok", false) ? 0 : 1;
	}
	if (!strcmp(verb, "watch")) {
		int fd;
		char bytes[65536];
		ssize_t n;
		if (!environment_watch(argv[2], &fd, &e)) return failed(&e);
		while ((n = read(fd, bytes, sizeof bytes)) > 0)
			if (write(1, bytes, (size_t)n) != n) return 1;
		return 0;
	}
	fprintf(stderr, "usage: envctl supervise|ensure|send|watch FOLDER [JSON [TIMEOUT_MS]]\n");
	return 2;
}
