#include "core/table.h"

#include "base/unit.h"

struct row {
	uint64_t id;
	int value;
};

static void rows_stay_sorted_and_found(void **state) {
	(void)state;
	struct table t = TABLE_OF(struct row);
	static const uint64_t ids[] = {7, 3, 9, 1, 5};
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		struct row *r = table_insert(&t, table_find(&t, ids[i]));
		assert_int_equal(r->value, 0);
		*r = (struct row){ids[i], (int)ids[i] * 10};
	}
	for (size_t i = 1; i < t.count; i++)
		assert_true(((struct row *)table_at(&t, i - 1))->id < ((struct row *)table_at(&t, i))->id);
	assert_int_equal(((struct row *)table_get(&t, 5))->value, 50);
	assert_null(table_get(&t, 4));
	assert_null(table_get(&t, 10));
	assert_int_equal(table_find(&t, 4), 2);
	assert_int_equal(table_find(&t, 100), 5);
	table_free(&t);
}

static void rows_are_removed_in_runs(void **state) {
	(void)state;
	struct table t = TABLE_OF(struct row);
	struct row *first = table_add(&t, 20);
	for (uint64_t i = 0; i < 20; i++) first[i].id = i;
	table_remove(&t, 5, 10);
	table_remove(&t, 0, 0);
	assert_int_equal(t.count, 10);
	assert_int_equal(((struct row *)table_at(&t, 4))->id, 4);
	assert_int_equal(((struct row *)table_at(&t, 5))->id, 15);
	struct row *again = table_add(&t, 1); // old bytes must not shine through
	assert_int_equal(again->id, 0);
	table_free(&t);
}

static void copies_are_apart(void **state) {
	(void)state;
	struct table t = TABLE_OF(struct row), copy, empty = TABLE_OF(struct row), none;
	((struct row *)table_add(&t, 1))->id = 1;
	table_copy(&copy, &t);
	((struct row *)table_at(&copy, 0))->id = 2;
	assert_int_equal(((struct row *)table_at(&t, 0))->id, 1);
	table_copy(&none, &empty);
	assert_int_equal(none.count, 0);
	((struct row *)table_add(&none, 1))->id = 3;
	table_free(&t);
	table_free(&copy);
	table_free(&none);
	table_free(&empty);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_stay_sorted_and_found),
		cmocka_unit_test(rows_are_removed_in_runs),
		cmocka_unit_test(copies_are_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
