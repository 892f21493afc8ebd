// The files of releases in an environment: ENVFOLDER/releases/NUMBER-COMMIT/. They come from stored
// objects and can be laid out again, so that only what may be needed at once has to stay.
#pragma once
#include "base/err.h"
#include "conf/plan.h"

// artifacts: of the release, as the event release.made has them. Only files that match the patterns
// of the environment (none = all); laid out whole or not at all. A folder that exists is right.
// ERR_NOT_FOUND: a pattern without a file.
MUST_USE bool releasefiles_lay_out(const char *data, struct str artifacts,
                                   const struct conf_strs *patterns, const char *folder,
                                   struct err *e);
// Removes all but the RELEASEFILES_KEPT newest and those that are used (names of folders), and what
// was half made. Nobody may lay out there meanwhile.
enum { RELEASEFILES_KEPT = 3 };
void releasefiles_prune(const char *releases, const struct str *used, size_t count);
