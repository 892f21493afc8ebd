#include "git/pkt.h"

#include <assert.h>

static int digit(char c) {
	if (c >= '0' && c <= '9') return c - '0';
	if (c >= 'a' && c <= 'f') return c - 'a' + 10;
	if (c >= 'A' && c <= 'F') return c - 'A' + 10;
	return -1;
}

enum git_pkt git_pkt_parse(const char *bytes, size_t n, const char **body, size_t *body_n,
                           size_t *used) {
	size_t length = 0;
	for (size_t i = 0; i < GIT_PKT_HEAD; i++) {
		if (i >= n) return GIT_PKT_MORE;
		int d = digit(bytes[i]);
		if (d < 0) return GIT_PKT_BAD;
		length = length * 16 + (size_t)d;
	}
	*used = GIT_PKT_HEAD;
	switch (length) {
	case 0: return GIT_PKT_FLUSH;
	case 1: return GIT_PKT_DELIM;
	case 2: return GIT_PKT_END;
	case 3: return GIT_PKT_BAD;
	default: break;
	}
	if (length - GIT_PKT_HEAD > GIT_PKT_BODY_MAX) return GIT_PKT_BAD;
	if (length > n) return GIT_PKT_MORE;
	*body = bytes + GIT_PKT_HEAD;
	*body_n = length - GIT_PKT_HEAD;
	*used = length;
	return GIT_PKT_DATA;
}

void git_pkt_head(size_t body_n, char out[GIT_PKT_HEAD + 1]) {
	static const char digits[] = "0123456789abcdef";
	assert(body_n <= GIT_PKT_BODY_MAX);
	size_t length = body_n + GIT_PKT_HEAD;
	for (int i = GIT_PKT_HEAD - 1; i >= 0; i--, length /= 16) out[i] = digits[length % 16];
	out[GIT_PKT_HEAD] = 0;
}
