#include "git/pkt.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Reads the input as a stream of packets; what is data must come out the same when it is framed
// again.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const char *at = (const char *)data;
	for (size_t left = size;;) {
		const char *body = NULL;
		size_t n = 0, used = 0;
		enum git_pkt kind = git_pkt_parse(at, left, &body, &n, &used);
		if (kind == GIT_PKT_MORE || kind == GIT_PKT_BAD) return 0;
		assert(used >= GIT_PKT_HEAD && used <= left);
		if (kind == GIT_PKT_DATA) {
			char head[GIT_PKT_HEAD + 1];
			const char *again = NULL;
			size_t again_n = 0, again_used = 0;
			assert(body == at + GIT_PKT_HEAD && n + GIT_PKT_HEAD == used);
			git_pkt_head(n, head);
			char copy[GIT_PKT_HEAD + 64];
			if (n <= 64) {
				memcpy(copy, head, GIT_PKT_HEAD);
				memcpy(copy + GIT_PKT_HEAD, body, n);
				assert(git_pkt_parse(copy, used, &again, &again_n, &again_used) == GIT_PKT_DATA);
				assert(again_n == n);
			}
		}
		at += used;
		left -= used;
	}
}
