// Which tools a job meets: a digest of the packages of this machine (dpkg's status file), of its
// architecture, and of path, size and time of every file under /usr/local and /opt.
#pragma once
#include "base/hash.h"

struct toolchain_paths {
	const char *packages;       // NULL = /var/lib/dpkg/status; a missing file counts as such
	bool no_packages;           // none at all
	const char *const *folders; // NULL-terminated; NULL = /usr/local, /opt; may be files
	const char *const *inside;  // what of each the cache looks at: "" is itself; NULL = the usual
	                            // subfolders
};

// `cache` is a file to remember the answer in, or NULL. It is believed while the packages and the
// tops of the folders look the same, and for TOOLCHAIN_CACHE_MS at most, because a deeper change
// does not show there.
enum { TOOLCHAIN_CACHE_MS = 60 * 1000 };
MUST_USE bool toolchain_id(const struct toolchain_paths *paths, const char *cache, int64_t now_ms,
                           struct digest *out, struct err *e);
