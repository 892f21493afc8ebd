#!/usr/bin/env bats
# Every gate passes on a good tree and fails on the violation it is there for.

load plant

# ---- layers

@test "layers: a tree that follows the table passes" {
	passes tools/layers
	[[ $output == *" 4 includes"* ]]
}

@test "layers: a lower folder may not include a higher one" {
	sed -i '1a #include "core/queue.h"' src/base/word.c
	refuses "src/base/word.c:2: src/base may not include src/core" tools/layers
}

@test "layers: no adapter includes another adapter" {
	echo '#pragma once' | tee src/git/repo.h >src/store/log.h
	printf '#include "git/repo.h"\n#include "store/log.h"\n' >src/git/repo.c
	refuses "src/git may not include src/store" tools/layers
}

@test "layers: app may include everything" {
	printf '#include "core/queue.h"\n#include "base/word.h"\n' >src/app/main_weir.c
	passes tools/layers
}

@test "layers: an include names its folder" {
	sed -i 's|"base/word.h"|"word.h"|' src/core/queue.c
	refuses 'names no folder' tools/layers
}

@test "layers: a path with .. is refused" {
	sed -i 's|"base/word.h"|"../base/word.h"|' src/core/queue.c
	refuses 'names no folder' tools/layers
}

@test "layers: the first include is the module's own header" {
	printf '#include <string.h>\n#include "base/word.h"\n' >src/base/word.c
	refuses "the first include is not its own header" tools/layers
}

@test "layers: a folder without a row is refused" {
	mkdir src/util
	printf '#include <string.h>\n' >src/util/util.c
	refuses "folder src/util is not in the table" tools/layers
}

# ---- exports

@test "exports: a module that exports its own names passes" {
	objects
	passes tools/exports
}

@test "exports: a foreign name is refused" {
	echo 'int helper(void); int helper(void) { return 1; }' >>src/base/word.c
	objects
	refuses "src/base/word.c: exports helper" tools/exports
}

@test "exports: a global variable counts, and words_ is not word_" {
	echo 'extern const int wordy; const int wordy = 1;' >>src/base/word.c
	objects
	refuses "exports wordy" tools/exports
}

@test "exports: FOLDER_x_* is a name of x, FOLDER_* is not" {
	printf 'int git_repo_count(void); int git_repo_count(void) { return 1; }\n' >src/git/repo.c
	objects
	passes tools/exports
	printf 'int git_count(void); int git_count(void) { return 1; }\n' >src/git/repo.c
	objects
	refuses "exports git_count" tools/exports
}

@test "exports: events.c may export event_*" {
	printf 'int event_count(void); int event_count(void) { return 1; }\n' >src/core/events.c
	objects
	passes tools/exports
}

@test "exports: an exception needs a reason" {
	echo 'int helper(void); int helper(void) { return 1; }' >>src/base/word.c
	objects
	echo 'src/base/word.c helper # a reason' >tools/exports.allow
	passes tools/exports
	echo 'src/base/word.c helper' >tools/exports.allow
	refuses "has no reason" tools/exports
}

@test "exports: one name in two folders is refused, also where each module may export it" {
	printf 'int word_count(void); int word_count(void) { return 1; }\n' | tee -a src/base/word.c >src/git/word.c
	objects
	refuses "src/git/word.c: exports word_count, and so does src/base/word.c" tools/exports
	sed -i 's/word_count/git_word_count/g' src/git/word.c
	objects
	passes tools/exports
}

@test "exports: no object at all is no success" {
	refuses "no objects" tools/exports
}

# ---- purity

@test "purity: pure code passes, with a constant table of pointers" {
	objects
	passes tools/purity
}

@test "purity: the clock is refused" {
	printf '#include <time.h>\nint queue_now(void); int queue_now(void) { return (int)time(0); }\n' >>src/core/queue.c
	objects
	refuses "src/core/queue.c: uses time" tools/purity
}

@test "purity: input and output are refused" {
	printf '#include <stdio.h>\nvoid queue_say(void); void queue_say(void) { puts("x"); }\n' >>src/core/queue.c
	objects
	refuses "uses puts" tools/purity
}

@test "purity: errno is refused" {
	printf '#include <errno.h>\nint queue_why(void); int queue_why(void) { return errno; }\n' >>src/core/queue.c
	objects
	refuses "uses __errno_location" tools/purity
}

@test "purity: a symbol of an impure folder is refused" {
	mkdir src/os
	printf 'int clock_now(void); int clock_now(void) { return 1; }\n' >src/os/clock.c
	printf 'int clock_now(void); int queue_now(void); int queue_now(void) { return clock_now(); }\n' >>src/core/queue.c
	objects
	refuses "uses clock_now" tools/purity
}

@test "purity: initialised, zeroed, thread-local and common data are refused" {
	cp src/core/queue.c keep.c
	for line in 'static int n = 3; int queue_next(void); int queue_next(void) { return n++; }' \
		'static int n; int queue_next(void); int queue_next(void) { return n++; }' \
		'static _Thread_local int n; int queue_next(void); int queue_next(void) { return n++; }' \
		'__attribute__((common)) int queue_n;' \
		'static const char *n[] = {"a"}; const char **queue_next(void); const char **queue_next(void) { return n; }'; do
		{ cat keep.c; echo "$line"; } >src/core/queue.c
		objects
		refuses "mutable static data" tools/purity
	done
}

@test "purity: an allowed name needs a reason" {
	objects
	echo 'time' >>tools/purity.allow
	refuses "has no reason" tools/purity
}

@test "purity: impure folders are free" {
	printf '#include <time.h>\nint repo_now(void); int repo_now(void) { return (int)time(0); }\n' >src/git/repo.c
	objects
	passes tools/purity
}

# ---- sizes

lines() { for ((i = 0; i < $1; i++)); do echo "$2"; done; }

@test "sizes: small files pass" { passes tools/sizes; }

@test "sizes: a file of 601 lines is refused, 600 pass, and an exception needs a reason" {
	lines 600 '// x' >src/base/long.c
	passes tools/sizes
	echo '// x' >>src/base/long.c
	refuses "src/base/long.c: 601 lines" tools/sizes
	echo 'src/base/long.c # a table' >tools/sizes.allow
	passes tools/sizes
	echo 'src/base/long.c' >tools/sizes.allow
	refuses "has no reason" tools/sizes
}

@test "sizes: a header of 151 lines is refused" {
	lines 151 '// x' >src/base/long.h
	refuses "src/base/long.h: 151 lines" tools/sizes
}

@test "sizes: a function of 71 lines is refused, 70 pass" {
	{ echo 'static void long_walk(int a) {'; lines 68 '	a++;'; echo '}'; } >src/base/long.c
	passes tools/sizes
	{ echo 'static void long_walk(int a) {'; lines 69 '	a++;'; echo '}'; } >src/base/long.c
	refuses "src/base/long.c:long_walk: 71 lines" tools/sizes
}

@test "sizes: a long function is seen when its arguments span lines" {
	{ printf 'static void long_walk(int a,\n                      int b) {\n'; lines 90 '	a++;'; echo '}'; } >src/base/long.c
	refuses "src/base/long.c:long_walk:" tools/sizes
}

@test "sizes: a long table is no function" {
	{ echo 'static const int table[] = {'; lines 90 '	1,'; echo '};'; } >src/base/long.c
	passes tools/sizes
}

@test "sizes: a row of a macro table may have 140 columns" {
	printf '//%138s\n' x >src/base/rows.def.h
	passes tools/sizes
	printf '//%139s\n' x >src/base/rows.def.h
	refuses "141 columns" tools/sizes
}

@test "sizes: 101 columns are refused, 100 pass; a tab is 4, a UTF-8 character 1" {
	printf '//%98s\n//%96s\303\274\303\274\n\t%96s\n' x x x >src/base/long.c
	passes tools/sizes
	printf '//%99s\n' x >src/base/long.c
	refuses "src/base/long.c:1: 101 columns" tools/sizes
	printf '\t%97s\n' x >src/base/long.c
	refuses "src/base/long.c:1: 101 columns" tools/sizes
}
