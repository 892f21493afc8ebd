# A tiny tree with the real Makefile and tools, into which each test plants one violation.
# shellcheck disable=SC2154 # bats sets status, output and lines

root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	export VARIANT=rel # whatever these tests are run for: the tree is another one
	mkdir -p src/base src/core src/git src/store src/app
	cp -r "$root/Makefile" "$root/tools" .
	: >tools/exports.allow
	: >tools/sizes.allow
	cat >src/base/word.h <<-'END'
		// A word.
		#pragma once
		int word_length(const char *word);
	END
	cat >src/base/word.c <<-'END'
		#include "base/word.h"

		#include <string.h>

		static const char *const names[] = {"one", "two"};

		int word_length(const char *word) {
			return (int)strlen(word) + (int)strlen(names[0]) - 3;
		}
	END
	cat >src/core/queue.h <<-'END'
		// A queue.
		#pragma once
		int queue_length(void);
	END
	cat >src/core/queue.c <<-'END'
		#include "core/queue.h"

		#include "base/word.h"

		int queue_length(void) {
			return word_length("abc");
		}
	END
}

objects() { # compiles every src/FOLDER/x.c as the release does, without asking pkg-config
	local file
	for file in src/*/*.c; do
		mkdir -p "build/rel/$(dirname "$file")"
		gcc -O2 -fPIE -ffunction-sections -fdata-sections -fno-common -D_GNU_SOURCE -Isrc -c "$file" -o "build/rel/${file%.c}.o"
	done
}

passes() { # passes COMMAND...
	run "$@"
	[ "$status" = 0 ] || { echo "$output"; return 1; }
}

refuses() { # refuses TEXT COMMAND...: it fails, and its message says TEXT and how to mend it
	local text=$1
	shift
	run "$@"
	[ "$status" != 0 ] || { echo "it passed: $output"; return 1; }
	[[ $output == *"$text"* ]] || { echo "no \"$text\" in: $output"; return 1; }
	[[ $output == *"fix: "* ]] || { echo "no fix in: $output"; return 1; }
}
