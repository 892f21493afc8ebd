// What went wrong in the world: a code for callers, one sentence for people. A function that can
// fail returns false with *e filled and leaves its outputs untouched. Each layer adds its context
// once (err_context), and whoever can act reports it once. Errors of the programmer are asserts,
// not these.
#pragma once
#include "base/str.h"

enum err_code {
	ERR_NONE = 0,
	ERR_INVALID,     // input that can never be right                (HTTP 400, exit 2)
	ERR_DENIED,      // not allowed for who asks                     (HTTP 403)
	ERR_NOT_FOUND,   // what was named does not exist                (HTTP 404)
	ERR_CONFLICT,    // right in itself, not in the present state    (HTTP 409)
	ERR_LIMIT,       // larger than a documented limit               (HTTP 413)
	ERR_UNSUPPORTED, // known, and not built                         (HTTP 422)
	ERR_BUSY,        // somebody else holds it; may go away          (HTTP 423)
	ERR_UNAVAILABLE, // weir or something it needs is away           (HTTP 503, exit 3)
	ERR_CORRUPT,     // stored data that fails its check             (HTTP 500)
	ERR_IO,          // the operating system said no                 (HTTP 500)
	ERR_NO_ROOM,     // the disk, or what may be used of it, is full (HTTP 507)
	ERR_TIMEOUT,     // it took longer than it may                   (HTTP 504)
};

struct err {
	enum err_code code;
	char text[1000]; // NUL-terminated; a longer text ends in "…"
};

// Both return false, so that a failing function can `return err_set(e, ...)`. `e` may be NULL.
bool err_set(struct err *e, enum err_code code, const char *format, ...) PRINTF_LIKE(3, 4);
bool err_context(struct err *e, const char *format, ...) PRINTF_LIKE(2, 3); // "context: old text"
#ifdef __clang_analyzer__ // clang-tidy looks at one file at a time and cannot know that
#define err_set(...) (err_set(__VA_ARGS__), false)
#define err_context(...) (err_context(__VA_ARGS__), false)
#endif
const char *err_code_name(enum err_code code); // "not-found"
int err_http_status(enum err_code code);
int err_exit_status(enum err_code code); // 1 negative answer, 2 usage, 3 no server
