#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2164,SC2120 # lib.bash sets data, project, remote and change; bats sets status, and ends a test at a failed cd
# weir audit: clean on what weir did, and every planted violation is found.

load lib

# One folder with two landed changes and a rejected one; each test spoils a copy of its own.
setup_file() {
	load lib
	BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR weir_setup
	BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
	project_new "jobs: {test: {run: 'ls; test ! -e broken; date +%N >out', artifacts: [out]}}" # it depends on every name
	weir_serve
	branch a
	commit a 1
	push
	lands 1
	branch b
	commit b 1
	push
	lands 2
	branch c
	commit broken 1
	push
	rejects 3 job-failed
	audit_clean # also while it is served
	weir_kill TERM
	cp -a "$data" "$BATS_FILE_TMPDIR/good"
}

setup() {
	weir_setup
	cp -a "$BATS_FILE_TMPDIR/good" "$data"
}
teardown() { weir_teardown; }

spoil() { sqlite3 "$data/weir.db" "$1"; }
raw_trunk() { printf '%s\n' "$1" >"$remote/refs/heads/main"; } # past every hook
finds() { # finds TEXT: the audit is not clean and says this
	run weir audit --data "$data"
	echo "$output"
	[ "$status" = 1 ]
	[[ $output == *"$1"* ]]
}
object_of() { find "$data/objects" -type f -name "*${1:2}*"; } # file of a digest

@test "a good folder is clean, in JSON as well" {
	audit_clean
	run -0 --separate-stderr weir audit --data "$data" --json
	[ "$(jq .clean <<<"$output")" = true ]
	[ "$(jq '.findings | length' <<<"$output")" = 0 ]
	[ "$(jq .events <<<"$output")" = "$(sql 'SELECT max(seq) FROM events')" ]
}

@test "a byte of an event was changed" {
	spoil "UPDATE events SET body = replace(body, '\"a is 1\"', '\"a is 2\"') WHERE seq = (SELECT min(seq) FROM events WHERE body LIKE '%\"a is 1\"%')"
	finds "the log's hash chain is whole"
}

@test "the time of an event was changed" {
	spoil "UPDATE events SET time_ms = time_ms + 1 WHERE seq = 10"
	finds "the log's hash chain is whole"
}

@test "an event was removed from the middle, and from the end" {
	spoil "DELETE FROM events WHERE seq = 10"
	finds "hash chain"
	rm -rf "$data"
	cp -a "$BATS_FILE_TMPDIR/good" "$data"
	spoil "DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)"
	finds "the projections are what the log gives"
}

@test "an event was added" {
	spoil "INSERT INTO events SELECT seq + 1, time_ms, kind, version, repo, entity, body, hash FROM events ORDER BY seq DESC LIMIT 1"
	finds "hash chain"
}

@test "trunk was moved by hand: forward, back, elsewhere, away" {
	first=$(git -C "$remote" rev-parse main~1)
	stranger=$(git -C "$remote" commit-tree -p main -m x "main^{tree}")
	alien=$(git -C "$remote" commit-tree -m x "main^{tree}")
	for to in "$first" "$stranger" "$alien"; do
		raw_trunk "$to"
		finds "trunk"
	done
	rm "$remote/refs/heads/main"
	rm -f "$remote/packed-refs"
	finds "trunk"
}

@test "a stored object was deleted, or has other bytes" {
	digest=$(sql "SELECT artifacts FROM runs WHERE artifacts <> '' LIMIT 1")
	file=$(object_of "$digest")
	[ -f "$file" ]
	mv "$file" "$file.away"
	finds "every object that is needed is there"
	mv "$file.away" "$file"
	chmod u+w "$file"
	printf 'x' | dd of="$file" bs=1 seek=10 conv=notrunc status=none
	finds "object"
}

@test "a git object that trunk needs was deleted" {
	git -C "$remote" cat-file -e "main^{tree}"
	tree=$(git -C "$remote" rev-parse "main^{tree}")
	rm -f "$remote/objects/${tree:0:2}/${tree:2}"
	! git -C "$remote" cat-file -e "$tree" || skip "it is in a pack"
	finds "git has every object that its refs lead to"
}

@test "a projection was edited" {
	spoil "UPDATE changes SET state = 'landed' WHERE id = 3"
	finds "the projections are what the log gives"
}

@test "the inputs object of a run names another tree" {
	digest=$(sql "SELECT inputs FROM runs WHERE change = 1 AND inputs <> ''")
	other=$(sql "SELECT inputs FROM runs WHERE change = 2 AND inputs <> ''")
	[ "$digest" != "$other" ]
	cp -f "$(object_of "$other")" "$(object_of "$digest")"
	finds "✗"
}

@test "a landing of a tree that no job has passed, with a log that hashes right, is found" {
	# As a daemon with a bug would have written it: replayed, the run of the landed tree has failed.
	run -0 --separate-stderr weir events --help
	sum=$(sql "SELECT count(*) FROM events JOIN kinds ON number = kind WHERE name = 'run.finished'")
	[ "$sum" = 5 ] # one for each of two changes, and three for the red one
	spoil "UPDATE events SET body = json_set(body, '\$.outcome', 'failed') WHERE seq = (SELECT min(seq) FROM events JOIN kinds ON number = kind WHERE name = 'run.finished')"
	finds "hash chain"
	[ "$(grep -c '✗' <<<"$output")" -ge 2 ] # not the hash alone: the promise itself
}

@test "a folder that is none is said to be none" {
	run weir audit --data "$BATS_TEST_TMPDIR/nothing"
	[ "$status" != 0 ]
	[[ $output == *nothing* ]]
}
