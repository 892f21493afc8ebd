#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

#undef err_set
#undef err_context

static void end_cut_text(struct err *e, int wanted) {
	size_t room = sizeof e->text;
	if (wanted < 0 || (size_t)wanted < room) return;
	size_t at = room - sizeof "…";
	while (at > 0 && ((unsigned char)e->text[at] & 0xc0) == 0x80) at--; // never half a character
	memcpy(e->text + at, "…", sizeof "…");
}

bool err_set(struct err *e, enum err_code code, const char *format, ...) {
	if (!e) return false;
	va_list args;
	va_start(args, format);
	e->code = code;
	end_cut_text(e, vsnprintf(e->text, sizeof e->text, format, args));
	va_end(args);
	return false;
}

bool err_context(struct err *e, const char *format, ...) {
	if (!e) return false;
	struct err old = *e;
	va_list args;
	va_start(args, format);
	int n = vsnprintf(e->text, sizeof e->text, format, args);
	va_end(args);
	if (n >= 0 && (size_t)n < sizeof e->text) {
		size_t at = (size_t)n;
		int more = snprintf(e->text + at, sizeof e->text - at, ": %s", old.text);
		end_cut_text(e, n + more);
	} else {
		end_cut_text(e, n);
	}
	return false;
}

static const struct {
	const char *name;
	int http, exit;
} codes[] = {
	[ERR_NONE] = {"none", 200, 0},
	[ERR_INVALID] = {"invalid", 400, 2},
	[ERR_DENIED] = {"denied", 403, 1},
	[ERR_NOT_FOUND] = {"not-found", 404, 1},
	[ERR_CONFLICT] = {"conflict", 409, 1},
	[ERR_LIMIT] = {"limit", 413, 1},
	[ERR_UNSUPPORTED] = {"unsupported", 422, 1},
	[ERR_BUSY] = {"busy", 423, 1},
	[ERR_UNAVAILABLE] = {"unavailable", 503, 3},
	[ERR_CORRUPT] = {"corrupt", 500, 1},
	[ERR_IO] = {"io", 500, 1},
	[ERR_NO_ROOM] = {"no-room", 507, 1},
	[ERR_TIMEOUT] = {"timeout", 504, 1},
};

const char *err_code_name(enum err_code code) {
	return code < ARRAY_LEN(codes) ? codes[code].name : "unknown";
}

int err_http_status(enum err_code code) {
	return code < ARRAY_LEN(codes) ? codes[code].http : 500;
}

int err_exit_status(enum err_code code) {
	return code < ARRAY_LEN(codes) ? codes[code].exit : 1;
}
