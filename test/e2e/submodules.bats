#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2164,SC2120 # lib.bash sets data, project, remote and change; bats sets status, and ends a test at a failed cd
# Jobs that ask for submodules: relative URLs name repositories of the same server, others must be in trunk's .gitmodules.

load lib
setup() { weir_setup; }
teardown() { weir_teardown; }

# A second repository `lib` on the server, with one file.
lib_new() {
	git init -q -b main "$BATS_TEST_TMPDIR/lib"
	echo "from lib" >"$BATS_TEST_TMPDIR/lib/lib.txt"
	git -C "$BATS_TEST_TMPDIR/lib" add -A
	git -C "$BATS_TEST_TMPDIR/lib" commit -q -m "Lib"
	weir repo add lib "$BATS_TEST_TMPDIR/lib"
	lib_commit=$(git -C "$BATS_TEST_TMPDIR/lib" rev-parse HEAD)
}

# add_module PATH URL: as git submodule would, without fetching
add_module() {
	git -C "$project" config -f .gitmodules "submodule.$1.path" "$1"
	git -C "$project" config -f .gitmodules "submodule.$1.url" "$2"
	mkdir -p "$project/$1"
	git -C "$project" update-index --add --cacheinfo "160000,$lib_commit,$1"
	git -C "$project" add .gitmodules
	git -C "$project" commit -q -m "Use $1"
}

@test "a submodule with a relative URL is there at its commit, and its folder is writable" {
	project_new "jobs: {test: {run: 'grep -q \"from lib\" ext/lib/lib.txt && touch ext/new', submodules: true}}"
	weir_serve
	lib_new
	add_module ext/lib ../lib.git
	push
	[ "$(ended "$change")" = landed ]
}

@test "without submodules: true its folder is empty" {
	project_new "jobs: {test: {run: 'test -d ext/lib && test -z \"\$(ls ext/lib)\"'}}"
	weir_serve
	lib_new
	add_module ext/lib ../lib.git
	push
	[ "$(ended "$change")" = landed ]
}

@test "a URL that trunk does not know is refused, and the sentence says so" {
	project_new "jobs: {test: {run: 'true', submodules: true}}"
	weir_serve
	lib_new
	add_module ext/lib "file://$BATS_TEST_TMPDIR/lib"
	push -o topic=m
	[ "$(ended "$change")" = rejected ]
	weir status "$change" | grep -q "not in trunk"
	landed() { [ "$(field "$change" state)" = landed ]; } # the same change, once more
	run -0 weir token create owner --scopes propose,pipeline --json
	as_token "$(jq -r .token <<<"$output")" push -q -o topic=m "$url/git/p.git" HEAD:refs/for/main
	eventually landed
}

@test "a URL that trunk names is fetched once and kept" {
	project_new "jobs: {test: {run: 'true'}}"
	weir_serve
	lib_new
	add_module ext/lib "file://$BATS_TEST_TMPDIR/lib"
	push
	[ "$(ended "$change")" = landed ]
	commit weir.yml "jobs: {test: {run: 'grep -q \"from lib\" ext/lib/lib.txt', submodules: true}}" "Ask for it"
	push
	[ "$(ended "$change")" = landed ]
	[ "$(find "$data/cache/modules" -name '*.git' -maxdepth 1 | wc -l)" = 1 ]
}
