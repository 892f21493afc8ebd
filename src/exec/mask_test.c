#include "exec/mask.h"

#include "base/prng.h"
#include "base/unit.h"

static struct str all_at_once(struct arena *life, const struct mask *m, struct str text,
                              uint64_t *hits) {
	struct mask_stream s = {.mask = m};
	AUTO_BUF out = {0};
	mask_feed(&s, text, &out);
	mask_end(&s, &out);
	if (hits) *hits = s.hits;
	return arena_str(life, buf_view(&out));
}

static const struct mask *mask_of(struct arena *life, const char *value) {
	struct str v = str_of(value);
	return mask_new(&v, 1, life);
}

static void hides_each_encoding(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	const struct mask *m = mask_of(&life, "p@ss/w\"rd<1>");
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"is p@ss/w\"rd<1>.", "is ***."},
		{"cEBzcy93InJkPDE+", "***"},                                // printf %s "$S" | base64
		{"cEBzcy93InJkPDE-", "***"},                                // URL alphabet
		{"eHBAc3MvdyJyZDwxPg==", "eH***g=="},                       // one byte in front
		{"eHhwQHNzL3cicmQ8MT4=", "eHh***4="},                       // two bytes in front
		{"704073732f77227264 3c313e", "704073732f77227264 3c313e"}, // torn: not a form
		{"704073732f772272643c313e", "***"},
		{"704073732F772272643C313E", "***"},
		{"p%40ss%2Fw%22rd%3C1%3E", "***"},
		{"p%40ss%2fw%22rd%3c1%3e", "***"},
		{"{\"k\":\"p@ss/w\\\"rd<1>\"}", "{\"k\":\"***\"}"},
		{"{\"k\":\"p@ss\\/w\\\"rd\\u003c1\\u003e\"}", "{\"k\":\"***\"}"},
		{"p@ss/w\"rd<1", "p@ss/w\"rd<1"},
		{"p@ss/w\"rd<1>p@ss/w\"rd<1>", "***"},
		{"", ""},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_text(all_at_once(&life, m, str_of(rows[i].text), NULL), rows[i].want);
}

static void hides_over_write_boundaries(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	const struct mask *m = mask_of(&life, "hunter2hunter3");
	struct mask_stream s = {.mask = m};
	AUTO_BUF out = {0};
	struct str text = STR("a hunter2hunter2hunter3 b hunter2hunt");
	for (size_t i = 0; i < text.n; i++) mask_feed(&s, str_slice(text, i, i + 1), &out);
	assert_text(buf_view(&out), "a hunter2*** b "); // the rest may still become it
	mask_end(&s, &out);
	assert_text(buf_view(&out), "a hunter2*** b hunter2hunt");
	assert_int_equal(s.hits, 1);
}

static void lets_ordinary_text_through_at_once(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	struct mask_stream s = {.mask = mask_of(&life, "hunter2hunter3")};
	AUTO_BUF out = {0};
	mask_feed(&s, STR("Password: "), &out);
	assert_text(buf_view(&out), "Password: ");
	mask_end(&s, &out);
}

static void hides_lines_and_wrapped_forms(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	const struct mask *m = mask_of(
		&life, "-----BEGIN KEY-----\nMIGkAgEBBDAPQYb1W0sO\nshort\n-----END KEY-----\n");
	assert_text(all_at_once(&life, m, STR("  MIGkAgEBBDAPQYb1W0sO"), NULL), "  ***");
	char key[121];
	memset(key, 'k', sizeof key - 1);
	for (int i = 0; i < 120; i++) key[i] = (char)('a' + i % 23);
	key[120] = 0;
	m = mask_of(&life, key);
	// base64 of it, wrapped at 76 as coreutils does
	struct str wrapped = STR(
		"YWJjZGVmZ2hpamtsbW5vcHFyc3R1dndhYmNkZWZnaGlqa2xtbm9wcXJzdHV2d2FiY2RlZmdoaWpr\n"
		"bG1ub3BxcnN0dXZ3YWJjZGVmZ2hpamtsbW5vcHFyc3R1dndhYmNkZWZnaGlqa2xtbm9wcXJzdHV2\n"
		"d2FiY2Rl\n");
	assert_text(all_at_once(&life, m, wrapped, NULL), "***\n***\n***\n");
}

static void refuses_what_cannot_be_hidden(void **state) {
	(void)state;
	struct err e = {0};
	assert_ok(mask_check(STR("123456"), &e), e);
	assert_ok(mask_check(STR("123456\n"), &e), e);
	assert_refused(mask_check(STR("12345\n"), &e), e, ERR_INVALID);
	assert_refused(mask_check(STR(""), &e), e, ERR_INVALID);
	assert_refused(mask_check(STR("1234\0"
	                              "567"),
	                          &e),
	               e, ERR_INVALID);
}

static void without_secrets_nothing_changes(void **state) {
	(void)state;
	AUTO_ARENA life = {0};
	const struct mask *m = mask_new(NULL, 0, &life);
	assert_text(all_at_once(&life, m, STR("text"), NULL), "text");
}

// The slowest way to do it: mark every byte of every match, then print.
static void naive(const struct mask *m, struct str text, struct buf *out) {
	char hidden[512] = {0};
	size_t count;
	const struct str *needles = mask_needles(m, &count);
	for (size_t i = 0; i < text.n; i++)
		for (size_t k = 0; k < count; k++)
			if (text.n - i >= needles[k].n && memcmp(text.p + i, needles[k].p, needles[k].n) == 0)
				memset(hidden + i, 1, needles[k].n);
	for (size_t i = 0; i < text.n; i++)
		if (!hidden[i]) buf_char(out, text.p[i]);
		else if (i == 0 || !hidden[i - 1]) buf_cstr(out, "***");
}

static void streaming_equals_naive(void **state) {
	(void)state;
	struct prng r = prng_seeded(7);
	uint64_t hits = 0;
	for (int round = 0; round < 20000; round++) {
		AUTO_ARENA life = {0};
		char raw[3][16], text[256];
		struct str values[3];
		for (size_t k = 0; k < 3; k++) {
			values[k] = (struct str){raw[k], 6 + prng_below(&r, 8)};
			for (size_t i = 0; i < values[k].n; i++) raw[k][i] = (char)('a' + prng_below(&r, 2));
		}
		const struct mask *m = mask_new(values, 3, &life);
		size_t n = prng_below(&r, sizeof text);
		for (size_t i = 0; i < n; i++) text[i] = (char)('a' + prng_below(&r, 2));
		AUTO_BUF want = {0};
		AUTO_BUF got = {0};
		naive(m, (struct str){text, n}, &want);
		struct mask_stream s = {.mask = m};
		for (size_t at = 0; at < n;) {
			size_t step = 1 + prng_below(&r, 40);
			mask_feed(&s, str_slice((struct str){text, n}, at, at + step), &got);
			at += step;
		}
		mask_end(&s, &got);
		hits += s.hits;
		buf_char(&want, 0);
		assert_text(buf_view(&got), want.p);
	}
	assert_true(hits > 10000);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hides_each_encoding),
		cmocka_unit_test(hides_over_write_boundaries),
		cmocka_unit_test(lets_ordinary_text_through_at_once),
		cmocka_unit_test(hides_lines_and_wrapped_forms),
		cmocka_unit_test(refuses_what_cannot_be_hidden),
		cmocka_unit_test(without_secrets_nothing_changes),
		cmocka_unit_test(streaming_equals_naive),
	};
	return cmocka_run_group_tests_name("mask", tests, NULL, NULL);
}
