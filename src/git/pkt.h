// pkt-line, the framing of git's protocols (gitprotocol-common(5)): four hex digits of length, then
// bytes. Needs nothing but libc, because the hook program is static. Pure.
#pragma once
#include <stddef.h>

enum git_pkt {
	GIT_PKT_DATA,
	GIT_PKT_FLUSH, // 0000
	GIT_PKT_DELIM, // 0001
	GIT_PKT_END,   // 0002
	GIT_PKT_MORE,  // the bytes end within a packet
	GIT_PKT_BAD,   // not pkt-line
};

enum { GIT_PKT_HEAD = 4, GIT_PKT_BODY_MAX = 65516 };

// Looks at the packet at the start of bytes. *body is borrowed and without the head; *used = bytes
// of the packet. Both are set for DATA (possibly empty), *used for the others that are whole.
enum git_pkt git_pkt_parse(const char *bytes, size_t n, const char **body, size_t *body_n,
                           size_t *used);
void git_pkt_head(size_t body_n, char out[GIT_PKT_HEAD + 1]); // body_n <= GIT_PKT_BODY_MAX
