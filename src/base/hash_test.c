#include "base/hash.h"

#include "base/unit.h"

// FIPS 180-4 examples.
static void digests_are_sha256(void **state) {
	(void)state;
	static const struct {
		const char *in, *hex;
	} rows[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	};
	char hex[DIGEST_HEX + 1];
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str in = str_of(rows[i].in);
		digest_hex(digest_of(in), hex);
		assert_string_equal(hex, rows[i].hex);
		struct hash h;
		hash_begin(&h);
		hash_add(&h, in.p, in.n / 2);
		hash_add(&h, in.p + in.n / 2, in.n - in.n / 2);
		assert_true(digest_eq(hash_end(&h), digest_of(in)));
	}
	assert_true(digest_eq(digest_of(STR_NONE), digest_of(STR(""))));
}

static void digests_parse_strictly(void **state) {
	(void)state;
	char hex[DIGEST_HEX + 1];
	struct digest want = digest_of(STR("x")), got = {{0}};
	digest_hex(want, hex);
	assert_true(digest_parse(str_of(hex), &got));
	assert_true(digest_eq(got, want));
	assert_false(digest_is_none(got));
	assert_true(digest_is_none((struct digest){{0}}));
	assert_false(digest_parse((struct str){hex, 63}, &got));
	assert_false(digest_parse(STR(""), &got));
	hex[10] = 'G';
	assert_false(digest_parse(str_of(hex), &got));
	hex[10] = 'A';
	assert_false(digest_parse(str_of(hex), &got));
	assert_true(digest_eq(got, want)); // untouched by failures
	assert_false(digest_eq(digest_of(STR("y")), want));
}

static void oids_parse_both_sizes(void **state) {
	(void)state;
	static const struct {
		const char *hex;
		bool ok;
		int n;
	} rows[] = {
		{"0123456789abcdef0123456789abcdef01234567", true, 20},
		{"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", true, 32},
		{"0000000000000000000000000000000000000000", true, 0},
		{"0000000000000000000000000000000000000000000000000000000000000000", true, 0},
		{"0123456789abcdef0123456789abcdef0123456", false, 0},
		{"0123456789abcdef0123456789abcdef0123456z", false, 0},
		{"", false, 0},
	};
	char hex[OID_HEX_MAX + 1];
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct oid o = {.n = 99};
		assert_int_equal(oid_parse(str_of(rows[i].hex), &o), rows[i].ok);
		assert_int_equal(o.n, rows[i].ok ? rows[i].n : 99);
		if (!rows[i].ok) continue;
		assert_int_equal(oid_is_none(o), rows[i].n == 0);
		oid_hex(o, hex);
		assert_string_equal(hex, rows[i].n ? rows[i].hex : "");
	}
	struct oid a = {.n = 20, .b = {1}}, b = {.n = 32, .b = {1}};
	assert_false(oid_eq(a, b));
	b.n = 20;
	assert_true(oid_eq(a, b));
	b.b[19] = 1;
	assert_false(oid_eq(a, b));
}

// ("ab", "c") and ("a", "bc") are different lists, and so are ("", "a") and ("a", "").
static void lists_do_not_collide(void **state) {
	(void)state;
	static const struct {
		const char *a, *b;
	} rows[] = {{"ab", "c"}, {"a", "bc"}, {"", "abc"}, {"abc", ""}};
	struct digest d[ARRAY_LEN(rows)];
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct hash h;
		hash_begin(&h);
		hash_add_str(&h, str_of(rows[i].a));
		hash_add_str(&h, str_of(rows[i].b));
		d[i] = hash_end(&h);
		for (size_t k = 0; k < i; k++) assert_false(digest_eq(d[i], d[k]));
	}
	struct hash h;
	hash_begin(&h);
	hash_add_u64(&h, 0x0102030405060708);
	assert_true(digest_eq(hash_end(&h), digest_of(STR("\1\2\3\4\5\6\7\10"))));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_are_sha256),
		cmocka_unit_test(digests_parse_strictly),
		cmocka_unit_test(oids_parse_both_sizes),
		cmocka_unit_test(lists_do_not_collide),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
