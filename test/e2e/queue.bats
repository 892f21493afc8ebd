#!/usr/bin/env bats
# shellcheck disable=SC2154 # lib.bash sets data, project, remote and change; bats sets status
# The queue: what is tested on what, and when it lands.

load lib

setup() { weir_setup; }
teardown() { weir_teardown; }

@test "a change is tested on the result of the one ahead while that is tested, and lands with it" {
	project_new "jobs: {test: {run: 'ls; sleep 2; test ! -e broken'}}"
	weir_serve --slots 2
	branch one
	commit f1 1
	push
	branch two
	commit f2 1
	push
	lands 1
	lands 2
	[ "$(sql "SELECT count(*) FROM runs WHERE change = 2")" = 1 ]
	# Both ran at once, and the second landed when the first had.
	[ "$(sql "SELECT (SELECT started_ms FROM runs WHERE change = 2) < (SELECT ended_ms FROM runs WHERE change = 1)")" = 1 ]
	[ "$(sql "SELECT (SELECT landed_ms FROM changes WHERE id = 2) - (SELECT landed_ms FROM changes WHERE id = 1) < 1500")" = 1 ]
	[ "$(sql "SELECT base_candidate > 0 FROM candidates WHERE change = 2")" = 1 ]
	# One ahead is red: what stood on it is tested without it, and lands.
	branch red
	commit broken 1
	push
	branch three
	commit f3 1
	push
	rejects 3 job-failed
	lands 4
	[ "$(sql "SELECT count(*) FROM runs WHERE change = 4 AND outcome = 'passed'")" = 1 ]
	run git -C "$remote" ls-tree --name-only main
	[[ $output != *broken* ]]
	audit_clean
}
