#include "exec/key.h"

#include "base/unit.h"

static struct digest d(char c) {
	struct digest out;
	memset(out.b, c, sizeof out.b);
	return out;
}

static struct exec_pair two[] = {{{"A", 1}, {"1", 1}}, {{"B", 1}, {"2", 1}}};
static struct exec_pair turned[] = {{{"B", 1}, {"2", 1}}, {{"A", 1}, {"1", 1}}};

static struct key_parts base_parts(struct digest *needs) {
	needs[0] = d('n');
	needs[1] = d('m');
	return (struct key_parts){.job = STR("{}"),
	                          .env = {two, 2},
	                          .needs = needs,
	                          .need_count = 2,
	                          .toolchain = d('t'),
	                          .trust = KEY_TRUST_CHANGE};
}

// It stands in the log for ever: these bytes may not change without a new version.
static void is_fixed(void **state) {
	(void)state;
	char hex[DIGEST_HEX + 1];
	struct digest needs[2];
	struct key_parts p = base_parts(needs);
	digest_hex(key_basis(&p), hex);
	assert_string_equal(hex, "152fffd1e5f45a5f7e7dddbb138ed9dbf17e9371e67ca24e43e67d939fca1506");
	digest_hex(key_of(key_basis(&p), d('i')), hex);
	assert_string_equal(hex, "6f69e9ba11db8ae250628d2b326f517730ce7593470655f642e42797e8a85274");
	assert_false(digest_eq(key_of(key_basis(&p), d('i')), key_of(key_basis(&p), d('j'))));
}

static void the_order_of_env_does_not_matter(void **state) {
	(void)state;
	struct digest needs[2];
	struct key_parts p = base_parts(needs), q = p;
	q.env.p = turned;
	assert_true(digest_eq(key_basis(&p), key_basis(&q)));
}

static void each_part_matters(void **state) {
	(void)state;
	struct digest needs[2], other[2];
	struct key_parts p = base_parts(needs), rows[9];
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) rows[i] = p;
	struct exec_pair changed[] = {{STR("A"), STR("1B")}, {STR(""), STR("2")}};
	rows[0].job = STR("{\"a\":1}");
	rows[1].env.n = 1;
	rows[2].env.p = changed;
	rows[3].need_count = 1;
	other[0] = needs[1];
	other[1] = needs[0];
	rows[4].needs = other;
	rows[5].trust = KEY_TRUST_RELEASE;
	rows[6].toolchain = d('T');
	rows[7].trust = KEY_TRUST_TRUNK;
	rows[8].env.n = rows[8].need_count = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_false(digest_eq(key_basis(&rows[i]), key_basis(&p)));
		for (size_t k = 0; k < i; k++)
			assert_false(digest_eq(key_basis(&rows[i]), key_basis(&rows[k])));
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_fixed),
		cmocka_unit_test(the_order_of_env_does_not_matter),
		cmocka_unit_test(each_part_matters),
	};
	return cmocka_run_group_tests_name("key", tests, NULL, NULL);
}
