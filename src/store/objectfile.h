// The file of one object: its bytes in pieces, each compressed by itself, so that the tail of a
// long log can be read without the rest.
//
//   "weirobj1"  8 bytes
//   size        8 bytes big endian, of the uncompressed bytes
//   pieces      each: 4 bytes big endian n, then n bytes: one zstd frame (level 3, with checksum)
//   of 1 MiB; the
//               last one has what is left. An empty object has none.
//
// Nothing may follow. For src/store only.
#pragma once
#include "base/buf.h"
#include "base/hash.h"

enum { OBJECTFILE_PIECE = 1 << 20 };

struct objectfile; // contexts and buffers, used for one file after the other

struct objectfile *objectfile_new(void);
void objectfile_free(struct objectfile **f);

// Where the bytes come from: a descriptor, read to its end, or with fd < 0 the text.
struct objectfile_source {
	int fd;
	struct str text;
};
// Writes the file to the empty `out`. ERR_LIMIT: more than `most` bytes, or the disk is full.
MUST_USE bool objectfile_write(struct objectfile *f, struct objectfile_source source, uint64_t most,
                               int out, struct digest *name, uint64_t *bytes, struct err *e);

typedef bool objectfile_sink(void *context, struct str bytes, struct err *e);
// Gives bytes offset .. offset + most - 1, as far as there are, to `sink`; *total = bytes of the
// object. With `name` the range must be the whole object, and the end is ERR_CORRUPT if its digest
// is another one: what the sink got until then must not be used. Damage of any kind is ERR_CORRUPT.
MUST_USE bool objectfile_read(struct objectfile *f, int fd, uint64_t offset, uint64_t most,
                              const struct digest *name, objectfile_sink *sink, void *context,
                              uint64_t *total, struct err *e);
