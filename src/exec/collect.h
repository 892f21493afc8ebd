// What a run leaves behind: files of the workspace, found by patterns, copied out of it without
// ever leaving it (openat2 with RESOLVE_BENEATH and RESOLVE_NO_MAGICLINKS). Called when no process
// of the job lives any more.
#pragma once
#include "base/arena.h"
#include "base/hash.h"
#include "exec/mask.h"
#include "exec/spec.h"

enum collect_fault {
	COLLECT_MISSING, // a pattern matched no file
	COLLECT_LINK,    // a link that leads out of the workspace
	COLLECT_SPECIAL, // a socket, pipe or device
	COLLECT_LIMIT,   // too many files or bytes
	COLLECT_PATH,    // a name that is not UTF-8
	COLLECT_SECRET,  // a file holds a secret's bytes, in one of exec/mask.h's forms
	COLLECT_IO,      // weir's own trouble
};

struct collect_limits {
	int64_t bytes, files;
};

struct collect_entry {
	struct str path; // below the workspace
	struct str link; // target, when it is a link; else p == NULL
	bool executable;
	int64_t size;
	struct digest digest; // of a file's bytes
};
struct collect_found {
	struct collect_entry *p; // sorted by path, none twice
	size_t n;
	int64_t bytes;
	struct str unmatched; // the first pattern that matched nothing, or p == NULL
};

// Copies what matches below the open folder `work` to `into` (made; same paths), regular files as
// 0755 or 0644 (by the owner's execute bit: no setuid, no group bits), links as links. Folders
// themselves are not recorded. Missing patterns are an error only with `need_all`. False: *fault
// and one sentence.
MUST_USE bool collect_files(int work, struct exec_strs patterns, const char *into, bool need_all,
                            struct collect_limits limits, const struct mask *mask,
                            struct arena *life, struct collect_found *out,
                            enum collect_fault *fault, struct err *e);
// The artifact: [{"mode":"0755","path":…,"sha256":…,"size":…} | {"link":…,"path":…}, …], canonical.
void collect_manifest(const struct collect_found *found, struct buf *out);
