// HAProxy's runtime socket (management guide of 2.6, section 9.3): one line of commands, one
// answer.
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum { RUNTIME_WAIT_MS = 1000 };

// `commands` are joined by ";" and have no line end. ERR_UNAVAILABLE: nobody answers there.
MUST_USE bool runtime_ask(const char *socket_path, struct str commands, struct buf *answer,
                          struct err *e);

// One line of `show servers state`.
struct runtime_server {
	struct str name;
	uint16_t port;
	bool maintenance, drain;
};
MUST_USE bool runtime_parse_servers(struct str answer, struct arena *life,
                                    struct runtime_server **out, size_t *count, struct err *e);
// `show stat BACKEND 4 -1`: sum of scur over the servers whose name starts with `prefix`.
MUST_USE bool runtime_parse_sessions(struct str answer, struct str prefix, int64_t *out,
                                     struct err *e);
