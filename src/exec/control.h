// The named socket in a run's folder: one line in, one line out. "cancel" ends the run, "status"
// answers how it is. Only the fast path: the folder's files tell the same, and SIGTERM to the
// leader cancels too. The folder may lie deeper than a socket's address is long: both sides go
// through /proc/self/fd.
#pragma once
#include "base/buf.h"
#include "base/err.h"

enum { CONTROL_CLIENTS = 4, CONTROL_LINE = 64 };

struct control {
	int listener;
	struct control_client {
		int fd; // 0 = free
		char line[CONTROL_LINE];
		size_t n;
	} clients[CONTROL_CLIENTS];
};

MUST_USE bool control_open(int folder, struct control *c, struct err *e);
void control_accept(struct control *c);
// Reads from a client; true when a whole line came: *line lasts until control_reply, which closes.
bool control_read(struct control *c, size_t client, struct str *line);
void control_reply(struct control *c, size_t client, struct str text);

// The other side: sends one line, gives the answer. ERR_NOT_FOUND: nobody listens.
MUST_USE bool control_ask(const char *folder, const char *line, struct buf *answer, struct err *e);
