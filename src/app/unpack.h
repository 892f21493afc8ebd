// Artifacts as files again: a manifest and its bodies, from the object store into a folder.
#pragma once
#include "store/object.h"

// Adds the manifest's files below folder. patterns (base/glob.h): only files that match one; none =
// all. Existing files with the same name are ERR_CONFLICT.
MUST_USE bool unpack_artifact(struct object_store *s, struct digest manifest, const char *folder,
                              const struct str *patterns, size_t pattern_count, struct err *e);
bool unpack_has(const char *folder,
                struct str pattern); // a plain path exists, or a pattern is believed
