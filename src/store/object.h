// Content-addressed objects: logs, artifacts, results, inputs. FOLDER/objects/ab/cdef...: the name
// is the SHA-256 of the bytes, the file is store/objectfile.h. An object never changes; it is
// written under another name, synced and renamed, so that it is whole or absent. Everything read as
// a whole is checked against its name.
//
// Many small objects: object_batch_begin, any number of puts, object_batch_commit syncs them
// together; until then they can't be read. Without a batch each put is durable when it returns.
#pragma once
#include <sys/types.h>

#include "base/buf.h"
#include "base/hash.h"

struct object_store;
#define OBJECT_BYTES_MAX ((uint64_t)64 << 30)

MUST_USE bool object_store_open(const char *folder, struct object_store **owned, struct err *e);
void object_store_close(struct object_store **owned); // forgets an open batch
#define AUTO_OBJECTS __attribute__((cleanup(object_store_close))) struct object_store *

// The same bytes again are the same object, and renewed (see object_renew). ERR_LIMIT: larger than
// `most` (0 = OBJECT_BYTES_MAX); ERR_NO_ROOM: the disk is full.
MUST_USE bool object_put(struct object_store *s, struct str bytes, struct digest *name,
                         struct err *e);
// From where fd stands to its end.
MUST_USE bool object_put_fd(struct object_store *s, int fd, uint64_t most, struct digest *name,
                            uint64_t *bytes, struct err *e);
MUST_USE bool object_put_file(struct object_store *s, const char *path, uint64_t most,
                              struct digest *name, uint64_t *bytes, struct err *e);
void object_batch_begin(struct object_store *s);
MUST_USE bool object_batch_commit(struct object_store *s,
                                  struct err *e); // ends the batch in any case

bool object_exists(struct object_store *s, struct digest name);
// The same, and keeps it from being collected in the next hour: for an object that an event is
// going to name.
bool object_renew(struct object_store *s, struct digest name);

// All reads: ERR_NOT_FOUND, ERR_CORRUPT.
// Whole; ERR_LIMIT when it has more than `most` bytes. Appends to *out.
MUST_USE bool object_get(struct object_store *s, struct digest name, size_t most, struct buf *out,
                         struct err *e);
// At most `most` bytes from offset on (empty past the end), appended to *out; *total = bytes of the
// object. Each piece of 1 MiB is checked, the name is not.
MUST_USE bool object_read(struct object_store *s, struct digest name, uint64_t offset, size_t most,
                          struct buf *out, uint64_t *total, struct err *e);
// As the new file `path` with this mode (umask does not matter); not synced. Nothing is left on
// failure; ERR_CONFLICT when path exists.
MUST_USE bool object_extract(struct object_store *s, struct digest name, const char *path,
                             mode_t mode, struct err *e);
MUST_USE bool object_check(struct object_store *s, struct digest name,
                           struct err *e); // reads it all

// Each object: its name, bytes on disk, and when it was put or renewed. False from fn ends it.
typedef bool object_fn(void *context, struct digest name, uint64_t disk_bytes, int64_t renewed_ms,
                       struct err *e);
MUST_USE bool object_each(struct object_store *s, object_fn *fn, void *context, struct err *e);
MUST_USE bool object_remove(struct object_store *s, struct digest name, struct err *e);
// Removes what puts that never ended left behind, older than a day.
MUST_USE bool object_tidy(struct object_store *s, struct err *e);
// Every object as a hard link (or, on another file system, a copy) in `to`/objects.
MUST_USE bool object_backup(struct object_store *s, const char *to, struct err *e);
