// The /etc that the jobs of this machine see: the few files and folders of the host's that
// compilers, TLS and libc need, and a passwd, group and hosts of weir's own; never the host's
// passwd or shadow.
//
// It is copied once into a cache and bound into each sandbox: bubblewrap takes milliseconds for a
// dozen binds, and one for one. /etc/resolv.conf is a link that the sandbox leads to one of two
// files (ETC_RESOLV), as the job may use the network or not.
#pragma once
#include "base/arena.h"
#include "base/err.h"

#define ETC_RESOLV_LINK "/run/resolv.conf" // where /etc/resolv.conf points to
#define ETC_RESOLV_NETWORK "/etc/resolv.network"
#define ETC_RESOLV_NONE "/etc/resolv.none"

// The copy in `cache` (a folder, made if missing) that shows the host as it is: `folder`, absolute
// when `cache` is, complete and never changed again. A change of the host's files gives another
// copy within TOOLCHAIN_CACHE_MS (exec/toolchain.h). `now_ms` is wall time. Copies that nobody
// asked for in a week are removed: longer than any run.
MUST_USE bool etc_prepare(const char *cache, int64_t now_ms, struct arena *life, struct str *folder,
                          struct err *e);

// Fills the empty `folder` with it.
MUST_USE bool etc_fill(const char *folder, struct err *e);
