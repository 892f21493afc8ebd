// Who is at the other end of a loopback connection: the kernel knows the uid of each socket.
#pragma once
#include <netinet/in.h>
#include <sys/types.h>

#include "base/err.h"

bool peer_is_loopback(const struct sockaddr *address);
// The uid of the process that owns the socket at `remote`, connected to `local`. False: there is no
// such connection (any more).
MUST_USE bool peer_uid(const struct sockaddr *remote, const struct sockaddr *local, uid_t *uid);
// For tests: looks in a table in the format of /proc/net/tcp or tcp6.
MUST_USE bool peer_find(struct str table, const struct sockaddr *remote,
                        const struct sockaddr *local, uid_t *uid);
void peer_text(const struct sockaddr *address, char out[64]); // "127.0.0.1"; a mapped one as IPv4
