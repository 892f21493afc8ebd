#!/usr/bin/env bats
# The Makefile and the test runner on a tiny tree: what is found, built, counted and refused.

load plant

unit_test() { # unit_test FILE ASSERTION
	cat >"$1" <<-END
		#include <stdarg.h>
		#include <stddef.h>
		#include <stdint.h>
		#include <setjmp.h>
		#include <cmocka.h>

		#include "base/word.h"

		static void counts(void **state) {
			(void)state;
			$2
		}

		int main(void) {
			const struct CMUnitTest tests[] = {cmocka_unit_test(counts)};
			return cmocka_run_group_tests(tests, NULL, NULL);
		}
	END
}

tap() { # tap NAME TEXT [STATUS]: a suite that prints TEXT
	mkdir -p "test/$1"
	printf '#!/bin/sh\ncat <<END\n%s\nEND\nexit %s\n' "$2" "${3-0}" >"test/$1/run"
	chmod +x "test/$1/run"
}

last() { printf '%s\n' "${lines[@]}" | grep -E '^[0-9]+ passed, [0-9]+ failed$' | tail -n 1; }

@test "make all builds the programs that have a main, and says nothing of the others" {
	passes make all
	[ ! -e build/weir ]
	printf '#include "core/queue.h"\n\nint main(void) {\n\treturn queue_length();\n}\n' >src/app/main_weir.c
	printf 'int main(void) {\n\treturn 7;\n}\n' >src/app/main_inner.c
	passes make all
	run build/weir
	[ "$status" = 3 ]
	run build/weir-inner
	[ "$status" = 7 ]
	! readelf -d build/weir-inner | grep NEEDED
}

@test "a changed header rebuilds what includes it" {
	passes make all
	passes make -q all
	touch src/base/word.h
	run make -q all
	[ "$status" = 1 ]
}

@test "unit tests are found, run and counted" {
	unit_test src/base/word_test.c 'assert_int_equal(word_length("ab"), 2);'
	passes make suites
	[ "$(last)" = "1 passed, 0 failed" ]
}

@test "a failing unit test fails make test and is shown" {
	unit_test src/base/word_test.c 'assert_int_equal(word_length("ab"), 3);'
	run make suites
	[ "$status" != 0 ]
	[ "$(last)" = "0 passed, 1 failed" ]
	[[ $output == *"0x2 != 0x3"* ]]
}

@test "a unit test that crashes is a failure" {
	unit_test src/base/word_test.c '__builtin_trap();'
	run make suites
	[ "$status" != 0 ]
	[ "$(last)" = "0 passed, 1 failed" ]
}

@test "the test of a folder does not link with what the folder may not see" {
	unit_test src/base/word_test.c 'int queue_length(void); assert_int_equal(queue_length(), 3);'
	run make suites
	[ "$status" != 0 ]
	[[ $output == *"undefined reference to"* ]]
}

@test "a fuzzer's corpus is replayed, each file is a test, a crash is a failure, no corpus too" {
	cat >src/base/word_fuzz.c <<-'END'
		#include <stdint.h>
		#include <stdlib.h>

		int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
		int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
			if (size && data[0] == '!') abort();
			return 0;
		}
	END
	run make suites
	[ "$status" != 0 ]
	mkdir -p test/corpus/word
	echo a >test/corpus/word/a
	: >test/corpus/word/empty
	passes make suites
	[ "$(last)" = "2 passed, 0 failed" ]
	echo '!' >test/corpus/word/b
	run make suites
	[ "$status" != 0 ]
	[ "$(last)" = "1 passed, 2 failed" ]
}

@test "no test at all is a failure" {
	run tools/test
	[ "$status" != 0 ]
	[ "$(last)" = "0 passed, 1 failed" ]
}

@test "suites are summed, skipped tests count as neither" {
	tap scene $'1..3\nok 1 - a\nok 2 - b # SKIP no clang\nnot ok 3 # SKIP c'
	tap golden $'1..2\nok 1 - a\nok 2 - b'
	passes tools/test
	[ "$(last)" = "3 passed, 0 failed" ]
	[[ $output == *"2 skipped"* ]]
	tap golden $'1..2\nok 1 - a\nnot ok 2 - b' 1
	run tools/test
	[ "$status" != 0 ]
	[ "$(last)" = "2 passed, 1 failed" ]
}

@test "a suite that ends early, exits with an error or runs nothing is a failure" {
	tap scene $'1..3\nok 1 - a'
	run tools/test
	[ "$(last)" = "1 passed, 2 failed" ]
	tap scene $'1..1\nok 1 - a' 1
	run tools/test
	[ "$(last)" = "1 passed, 1 failed" ]
	tap scene '1..0'
	run tools/test
	[ "$(last)" = "0 passed, 1 failed" ]
	tap scene ''
	run tools/test
	[ "$(last)" = "0 passed, 1 failed" ]
}

@test "a suite that hangs is stopped and counted" {
	mkdir -p test/scene
	printf '#!/bin/sh\necho 1..1\nsleep 60\n' >test/scene/run
	chmod +x test/scene/run
	TEST_TIMEOUT=1 run tools/test
	[ "$status" != 0 ]
	[ "$(last)" = "0 passed, 1 failed" ]
	[[ $output == *"stopped after 1 s"* ]]
}

@test "lint sees a warning of gcc, also when nothing is left to compile" {
	passes make objects
	passes tools/lint gcc
	echo 'int word_unused(int a); int word_unused(int a) { unsigned b = 3; return a < (int)b ? 0 : b; }' >>src/base/word.c
	passes make objects
	run tools/lint gcc
	[ "$status" != 0 ]
	[[ $output == *"-Wsign-conversion"* ]]
	run tools/lint gcc
	[ "$status" != 0 ]
}

@test "WERROR=1 makes a warning an error" {
	echo 'int word_unused(int a);  int word_unused(int a) { unsigned b = 3; return a ? 0 : b; }' >>src/base/word.c
	run make WERROR=1 objects
	[ "$status" != 0 ]
}

@test "lint sees a header that does not compile alone" {
	passes tools/lint headers
	echo 'void word_print(struct buf *out, size_t n);' >>src/base/word.h
	refuses "src/base/word.h: does not compile alone" tools/lint headers
}

@test "deps: everything there is silence; what is missing is named, with the command" {
	mkdir bin
	printf '#!/bin/sh\nprintf "gcc installed\\nmake installed\\n"\n' >bin/dpkg-query
	printf '#!/bin/sh\necho 1000\n' >bin/id
	printf '#!/bin/sh\nexit 1\n' >bin/sudo
	chmod +x bin/*
	printf '# a list\ngcc\nmake   # with a remark\n' >list
	PATH=$PWD/bin:$PATH run tools/deps list
	[ "$status" = 0 ]
	[ -z "$output" ]
	echo bats >>list
	PATH=$PWD/bin:$PATH run tools/deps list
	[ "$status" = 1 ]
	[[ $output == *"sudo apt-get install --no-install-recommends bats"* ]]
}

@test "deps: a command from elsewhere replaces a package" {
	mkdir bin
	printf '#!/bin/sh\ntrue\n' >bin/dpkg-query
	cp bin/dpkg-query bin/npm
	chmod +x bin/*
	echo 'npm command=npm' >list
	PATH=$PWD/bin:$PATH passes tools/deps list
}

@test "what a sanitizer says of a process whose end nobody looks at is a failure" {
	tap scene $'1..1\nok 1 - a'
	sed -i '2i "$WEIR_BUILD/leaky" >/dev/null 2>&1' test/scene/run
	mkdir -p build/asan
	echo 'int main(void) { return 0; }' | gcc -fsanitize=address -x c - -o build/asan/leaky
	VARIANT=asan passes tools/test
	echo '#include <stdlib.h>
	int main(void) { int *volatile lost = malloc(4); lost = NULL; return lost != NULL; }' | gcc -fsanitize=address -x c - -o build/asan/leaky
	VARIANT=asan run tools/test
	[ "$status" != 0 ]
	[ "$(last)" = "1 passed, 1 failed" ]
	[[ $output == *"LeakSanitizer"* ]]
}

@test "check runs every step, names those that fail, and fails with them" {
	mkdir bin
	printf '#!/bin/sh\necho "a leak"\nexit 1\n' >bin/cppcheck
	chmod +x bin/cppcheck
	passes tools/check analyze
	[[ $output == *"1 steps, 0 failed"*"check: clean" ]]
	PATH=$PWD/bin:$PATH run tools/check cppcheck analyze
	[ "$status" = 1 ]
	[[ $output == *"a leak"*"FAILED "*" s  cppcheck"*"ok "*" s  gcc -fanalyzer"*"2 steps, 1 failed"* ]]
	sed -i 's/return (int)strlen/int *none = NULL;\n\tif (!word) return *none;\n\treturn (int)strlen/' src/base/word.c
	run tools/check analyze
	[ "$status" = 1 ]
	[[ $output == *"word.c:"*"analyzer-null-dereference"* ]]
	run tools/check analyse
	[ "$status" = 2 ]
}
