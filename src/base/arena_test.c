#include "base/arena.h"

#include "base/unit.h"

static void memory_is_zeroed_and_aligned(void **state) {
	(void)state;
	AUTO_ARENA scratch = {0};
	for (size_t size = 0; size < 3000; size += 7) {
		char *p = arena_alloc(&scratch, size);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++) assert_int_equal(p[i], 0);
		memset(p, 0xee, size); // what the next reader of this memory must not see
	}
	arena_reset(&scratch);
	char *again = arena_alloc(&scratch, 4096);
	for (size_t i = 0; i < 4096; i++) assert_int_equal(again[i], 0);
}

static void pieces_do_not_overlap(void **state) {
	(void)state;
	AUTO_ARENA scratch = {0};
	unsigned char *p[200];
	for (size_t i = 0; i < 200; i++) {
		p[i] = arena_alloc(&scratch, 1 + i * 40);
		memset(p[i], (int)i, 1 + i * 40);
	}
	for (size_t i = 0; i < 200; i++)
		for (size_t k = 0; k < 1 + i * 40; k++) assert_int_equal(p[i][k], (unsigned char)i);
}

static void large_pieces_fit(void **state) {
	(void)state;
	AUTO_ARENA scratch = {0};
	uint64_t *numbers = ARENA_ARRAY(&scratch, uint64_t, 1000000);
	numbers[999999] = 7;
	char *small = arena_alloc(&scratch, 1);
	assert_true(small < (char *)numbers || small >= (char *)(numbers + 1000000));
	arena_reset(&scratch);
	assert_non_null(arena_alloc(&scratch, 10));
}

static void reset_keeps_the_first_block(void **state) {
	(void)state;
	AUTO_ARENA scratch = {0};
	void *first = arena_alloc(&scratch, 100);
	for (int i = 0; i < 100; i++) arena_alloc(&scratch, 5000);
	arena_reset(&scratch);
	assert_ptr_equal(arena_alloc(&scratch, 100), first);
	arena_free(&scratch);
	assert_null(scratch.head);
	arena_free(&scratch); // twice is harmless
}

static void copies_text(void **state) {
	(void)state;
	AUTO_ARENA scratch = {0};
	char source[] = "hello";
	struct str copy = arena_str(&scratch, (struct str){source, 5});
	source[0] = 'j';
	assert_text(copy, "hello");
	assert_int_equal(copy.p[copy.n], 0);
	assert_string_equal(arena_cstr(&scratch, STR("x y")), "x y");
	assert_string_equal(arena_cstr(&scratch, STR_NONE), "");
	assert_int_equal(arena_str(&scratch, STR_NONE).n, 0);
	assert_text(arena_printf(&scratch, "%d-%s", 42, "z"), "42-z");
	assert_int_equal(arena_printf(&scratch, "%50000d", 1).n, 50000);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_and_aligned),
		cmocka_unit_test(pieces_do_not_overlap),
		cmocka_unit_test(large_pieces_fit),
		cmocka_unit_test(reset_keeps_the_first_block),
		cmocka_unit_test(copies_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
