#include "base/prng.h"

#include "base/unit.h"

// The reference values of SplitMix64 with seed 1234567 (Vigna's splitmix64.c).
static void follows_the_reference(void **state) {
	(void)state;
	static const uint64_t want[] = {6457827717110365317u, 3203168211198807973u,
	                                9817491932198370423u, 4593380528125082431u,
	                                16408922859458223821u};
	struct prng r = prng_seeded(1234567);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) assert_true(prng_next(&r) == want[i]);
}

static void below_is_even_and_in_range(void **state) {
	(void)state;
	struct prng r = prng_seeded(1);
	int seen[7] = {0};
	for (int i = 0; i < 70000; i++) {
		uint64_t x = prng_below(&r, 7);
		assert_true(x < 7);
		seen[x]++;
	}
	for (int i = 0; i < 7; i++) assert_in_range(seen[i], 9500, 10500);
	for (int i = 0; i < 100; i++) assert_int_equal(prng_below(&r, 1), 0);
}

static void chances_are_met(void **state) {
	(void)state;
	struct prng r = prng_seeded(2);
	int hits = 0;
	for (int i = 0; i < 100000; i++) {
		hits += prng_chance(&r, 1, 4);
		assert_false(prng_chance(&r, 0, 4));
		assert_true(prng_chance(&r, 4, 4));
	}
	assert_in_range(hits, 24000, 26000);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_the_reference),
		cmocka_unit_test(below_is_even_and_in_range),
		cmocka_unit_test(chances_are_met),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
