#!/usr/bin/env bats
# shellcheck disable=SC2154 # lib.bash sets data, project, remote and change; bats sets status
# A red job is run again before it counts: a flaky test ejects no good change, and a regression is not retried away.

load lib

setup() { weir_setup; }
teardown() { weir_teardown; }

outcomes() { sql "SELECT group_concat(outcome, ' ') FROM (SELECT outcome FROM runs WHERE change = $1 ORDER BY id)"; }

@test "a job that fails once for nothing lands its change; one that fails again and again is rejected" {
	project_new "jobs: {test: {cache: [c], run: 'test ! -e broken; if [ ! -e c/seen ]; then touch c/seen; exit 1; fi'}}"
	weir_serve
	branch good
	commit a 1
	push
	lands 1
	[ "$(outcomes 1)" = "failed passed passed" ]
	run curl -fsS "$(cat "$data/url")/metrics"
	[[ $output == *"weir_flakes_total 1"* ]]
	branch broken
	commit broken 1
	push
	rejects 2 job-failed
	[[ $(outcomes 2) =~ ^failed( failed){2,5}$ ]]
	audit_clean
}

@test "retries: of weir.yml are its author's: any green run counts" {
	project_new "jobs: {test: {retries: 1, cache: [c], run: 'if [ ! -e c/seen ]; then touch c/seen; exit 1; fi'}}"
	weir_serve
	branch good
	commit a 1
	push
	lands 1
	[ "$(outcomes 1)" = "failed passed" ]
}
