// What every unit test includes: cmocka with the headers it forgets, and comparisons of weir's own
// types that print both sides. For *_test.c only.
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/err.h"

// Text must be exactly `want` (a C string); the row names the case of a table.
#define assert_text(got, want) unit_text((got), (want), __FILE__, __LINE__)

static inline void unit_text(struct str got, const char *want, const char *file, int line) {
	if (str_eq(got, str_of(want))) return;
	print_error("got:  \"" STR_FMT "\"\nwant: \"%s\"\n", STR_ARG(got), want);
	_fail(file, line);
}

// A call that must succeed / must fail with this code; prints the error's text otherwise.
#define assert_ok(call, e) unit_ok((call), &(e), #call, __FILE__, __LINE__)
#define assert_refused(call, e, wanted) \
	unit_refused((call), &(e), (wanted), #call, __FILE__, __LINE__)

static inline void unit_ok(bool ok, const struct err *e, const char *call, const char *file,
                           int line) {
	if (ok) return;
	print_error("%s: %s\n", call, e->text);
	_fail(file, line);
}

static inline void unit_refused(bool ok, const struct err *e, enum err_code wanted,
                                const char *call, const char *file, int line) {
	if (!ok && e->code == wanted && e->text[0]) return;
	print_error("%s: %s, want %s (%s)\n", call, ok ? "succeeded" : err_code_name(e->code),
	            err_code_name(wanted), ok ? "" : e->text);
	_fail(file, line);
}
