#include "base/clocktext.h"

#include "base/unit.h"

static void prints_rfc3339(void **state) {
	(void)state;
	static const struct {
		int64_t ms;
		const char *want;
	} rows[] = {
		{0, "1970-01-01T00:00:00.000Z"},
		{-1, "1969-12-31T23:59:59.999Z"},
		{1, "1970-01-01T00:00:00.001Z"},
		{951782400000, "2000-02-29T00:00:00.000Z"},
		{1795098652044, "2026-11-19T14:30:52.044Z"},
		{253402300799999, "9999-12-31T23:59:59.999Z"},
		{-62167219200000, "0000-01-01T00:00:00.000Z"},
	};
	AUTO_BUF b = {0};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		buf_reset(&b);
		clocktext_rfc3339(&b, rows[i].ms);
		assert_text(buf_view(&b), rows[i].want);
		int64_t back = 7;
		assert_true(clocktext_parse(buf_view(&b), &back));
		assert_true(back == rows[i].ms);
	}
}

static void parses_rfc3339(void **state) {
	(void)state;
	static const struct {
		const char *text;
		bool ok;
		int64_t ms;
	} rows[] = {
		{"1970-01-01T00:00:00Z", true, 0},
		{"1970-01-01t00:00:00z", true, 0},
		{"1970-01-01 00:00:00Z", true, 0},
		{"1970-01-01T01:00:00+01:00", true, 0},
		{"1969-12-31T23:30:00-00:30", true, 0},
		{"1970-01-01T00:00:00.5Z", true, 500},
		{"1970-01-01T00:00:00.1239Z", true, 123},
		{"1970-01-01T00:00:00.000000000001Z", true, 0},
		{"2000-02-29T00:00:00Z", true, 951782400000},
		{"1970-01-01T00:00:60Z", true, 60000}, // a leap second
		{"1900-02-29T00:00:00Z", false, 0},
		{"2026-02-29T00:00:00Z", false, 0},
		{"2026-13-01T00:00:00Z", false, 0},
		{"2026-00-01T00:00:00Z", false, 0},
		{"2026-01-00T00:00:00Z", false, 0},
		{"2026-04-31T00:00:00Z", false, 0},
		{"2026-01-01T24:00:00Z", false, 0},
		{"2026-01-01T00:60:00Z", false, 0},
		{"2026-01-01T00:00:61Z", false, 0},
		{"2026-01-01T00:00:00", false, 0},
		{"2026-01-01T00:00:00.Z", false, 0},
		{"2026-01-01T00:00:00Zx", false, 0},
		{"2026-01-01", false, 0},
		{"", false, 0},
		{"2026-01-01T00:00:00+1:00", false, 0},
		{"2026-01-01T00:00:00+24:00", false, 0},
		{"2026-1-01T00:00:00Z", false, 0},
		{"2026-01-01T-0:00:00Z", false, 0},
		{"-000-01-01T00:00:00Z", false, 0}, // a sign is no digit
		{"2026-01-01T00:00:00+-0:00", false, 0},
		{"9999-12-31T23:59:59-01:00", false, 0},
		{"0000-01-01T00:00:00+01:00", false, 0}, // not printable again
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t got = 77;
		bool ok = clocktext_parse(str_of(rows[i].text), &got);
		if (ok != rows[i].ok || got != (ok ? rows[i].ms : 77))
			fail_msg("row %zu: \"%s\"", i, rows[i].text);
	}
}

static void parses_durations(void **state) {
	(void)state;
	static const struct {
		const char *text;
		bool ok;
		int64_t ms;
	} rows[] = {
		{"1500ms", true, 1500},
		{"10m", true, 600000},
		{"1h30m", true, 5400000},
		{"2d", true, 172800000},
		{"1s500ms", true, 1500},
		{"3650d", true, 315360000000},
		{"3650d1ms", false, 0},
		{"3651d", false, 0},
		{"0s", false, 0},
		{"0s1ms", true, 1},
		{"", false, 0},
		{"10", false, 0},
		{"m", false, 0},
		{"-5m", false, 0},
		{"5 m", false, 0},
		{"5min", false, 0},
		{"1.5h", false, 0},
		{"99999999999999999999s", false, 0},
		{"9223372036854775807d", false, 0},
		{"1h30", false, 0},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t got = 77;
		bool ok = clocktext_duration(str_of(rows[i].text), &got);
		if (ok != rows[i].ok || got != (ok ? rows[i].ms : 77))
			fail_msg("row %zu: \"%s\"", i, rows[i].text);
	}
}

static void prints_durations(void **state) {
	(void)state;
	static const struct {
		int64_t ms;
		const char *want;
	} rows[] = {
		{-5, "0 ms"},
		{0, "0 ms"},
		{999, "999 ms"},
		{1000, "1.0 s"},
		{9999, "9.9 s"},
		{10000, "10 s"},
		{41200, "41 s"},
		{59499, "59 s"},
		{59500, "1 min 00 s"},
		{88000, "1 min 28 s"},
		{3599499, "59 min 59 s"},
		{3599500, "1 h 00 min"},
		{7500000, "2 h 05 min"},
		{86399499, "23 h 59 min"},
		{86400000, "1 d 0 h"},
		{273600000, "3 d 4 h"},
		{INT64_MAX, "106751991167 d 7 h"},
	};
	AUTO_BUF b = {0};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		buf_reset(&b);
		clocktext_duration_text(&b, rows[i].ms);
		assert_text(buf_view(&b), rows[i].want);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_rfc3339),
		cmocka_unit_test(parses_rfc3339),
		cmocka_unit_test(parses_durations),
		cmocka_unit_test(prints_durations),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
