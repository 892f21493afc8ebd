// Reading objects of a repository through one long-lived cat-file. A reader belongs to one thread.
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"

struct git_repo;
struct git_plumb;

enum git_object_type { GIT_OBJECT_NONE, GIT_COMMIT, GIT_TREE, GIT_BLOB, GIT_TAG };

struct git_object {
	struct oid oid;
	enum git_object_type type; // NONE: no such object
	uint64_t size;
};

struct git_reader {
	struct git_plumb *plumb; // private
};
#define AUTO_READER __attribute__((cleanup(git_object_close))) struct git_reader

MUST_USE bool git_object_open(struct git_repo *r, struct git_reader *out, struct err *e);
void git_object_close(struct git_reader *reader);

// Name: an object id in hex, a full ref name, or what git calls an extended name; without a
// newline. An unknown one gives type NONE and no error.
MUST_USE bool git_object_info(struct git_reader *reader, struct str name, struct git_object *out,
                              struct err *e);
// Appends the bytes of the object. ERR_NOT_FOUND; ERR_LIMIT when it has more than `most` bytes.
MUST_USE bool git_object_read(struct git_reader *reader, struct oid oid, size_t most,
                              struct git_object *info, struct buf *out, struct err *e);
// Many reads with several questions under way: ask up to GIT_OBJECT_AHEAD, then take the answers in
// order.
enum { GIT_OBJECT_AHEAD = 200 };
MUST_USE bool git_object_ask(struct git_reader *reader, const struct oid *oids, size_t count,
                             struct err *e);
// One answer in full, borrowed until the next call; larger than `most` is ERR_LIMIT.
MUST_USE bool git_object_answer(struct git_reader *reader, size_t most, struct git_object *info,
                                struct str *body, struct err *e);

// The one-line forms that take a reader of their own.
MUST_USE bool git_object_resolve(struct git_repo *r, struct str name, struct oid *out,
                                 struct err *e); // none (n = 0) when unknown
