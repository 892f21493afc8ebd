# Batches (core/batch.h): when more changes wait than there are slots for, one run of a job speaks for several of them.
# shellcheck disable=SC2154 # lib.bash sets project, remote, data, change
# shellcheck disable=SC2030,SC2031 # each test is a shell of its own
load lib

setup() { weir_setup; }
teardown() { weir_teardown; }

# change_of FILE CONTENT [OPTION...]: pushes a branch of its own, from where all began
change_of() {
	git -C "$project" checkout -q -B "b-$1" main
	commit "$1" "$2" "Add $1"
	push "${@:3}"
}

# begin: while the first is tested, as many wait as the one slot cannot take one by one
begin() {
	project_new "jobs: {test: {run: 'ls; sleep 1; test ! -e broken'}}"
	weir_serve --slots 1
	for i in 1 2 3; do change_of "f$i" "$i"; done
}

batches() { sql "SELECT count(*) FROM candidates WHERE members <> ''"; }

@test "changes that wait are tested and land together, as the tree that was tested" {
	begin
	for i in 4 5 6; do change_of "f$i" "$i"; done
	for i in 1 2 3 4 5 6; do lands "$i"; done
	[ "$(batches)" -ge 1 ]
	[ "$(sql "SELECT count(*) FROM runs WHERE state = 'finished'")" -lt 6 ]
	# One move of trunk, whose commit names all of them and has each of their commits in it.
	batch=$(sql "SELECT candidate FROM members LIMIT 1")
	[ "$(sql "SELECT count(DISTINCT landed_commit) FROM changes WHERE candidate = $batch")" = 1 ]
	[ "$(sql "SELECT count(*) FROM changes WHERE candidate = $batch")" -ge 2 ]
	commit=$(sql "SELECT commit_oid FROM candidates WHERE id = $batch")
	run git -C "$remote" log -1 --format=%B "$commit"
	[[ $output == "Land "*" changes"* ]]
	for id in $(sql "SELECT id FROM changes WHERE candidate = $batch"); do
		[[ $output == *"Change: $id"* ]]
		git -C "$remote" merge-base --is-ancestor "refs/changes/$id/1" main
	done
	# Each first parent is a tree that was tested.
	for commit in $(git -C "$remote" rev-list --first-parent main ^"$(git -C "$project" rev-parse main)"); do
		tree=$(git -C "$remote" rev-parse "$commit^{tree}")
		[ "$(sql "SELECT count(*) FROM candidates c JOIN runs r ON r.candidate = c.id WHERE c.tree = '$tree' AND r.outcome = 'passed'")" -ge 1 ]
	done
	run weir status 3 --json
	[ "$(jq -r '.jobs[0].name, .jobs[0].state' <<<"$output" | paste -sd' ')" = "test passed" ]
	other=$(sql "SELECT id FROM changes WHERE candidate = $batch ORDER BY id LIMIT 1")
	run weir status "$(sql "SELECT max(id) FROM changes WHERE candidate = $batch")"
	[[ $output == *"tested and landed together with"*"#$other"* ]]
	run weir log 3 test
	[[ $output == *f3* ]]
	audit_clean
}

@test "a red batch rejects nobody: the one that broke it is found, and the others land" {
	begin
	change_of broken 1
	for i in 5 6 7; do change_of "f$i" "$i"; done
	rejects 4 job-failed
	for i in 1 2 3 5 6 7; do lands "$i"; done
	[ "$(batches)" -ge 1 ]
	run git -C "$remote" ls-tree --name-only main
	[[ $output != *broken* ]]
	audit_clean
}

@test "a change that conflicts with another of its batch is told so, and the others land" {
	begin
	for i in 4 5; do change_of "f$i" "$i"; done
	git -C "$project" checkout -q -B clash main
	commit f4 other "Another f4"
	push
	rejects 6 conflict-with-base "f4"
	for i in 1 2 3 4 5; do lands "$i"; done
	audit_clean
}

@test "a change of weir.yml is tested by itself" {
	begin
	git -C "$project" checkout -q -B conf main
	echo "jobs: {test: {run: 'sleep 1; test ! -e broken'}, more: {run: 'true'}}" >"$project/weir.yml"
	commit extra 1 "One more job"
	push
	for i in 5 6; do change_of "f$i" "$i"; done
	for i in 1 2 3 4 5 6; do lands "$i"; done
	[ "$(sql "SELECT coalesce(min(members), '') FROM candidates WHERE id = (SELECT candidate FROM changes WHERE id = 4)")" = "" ]
	[ "$(sql "SELECT count(*) FROM members m JOIN candidates c ON c.id = m.candidate WHERE c.state = 'landed' AND (m.change = 4 OR c.change = 4)")" = 0 ]
	# Who lands behind it has the job, too.
	[ "$(sql "SELECT count(*) FROM runs WHERE name = 'more' AND candidate = (SELECT candidate FROM changes WHERE id = 6)")" -ge 1 ]
	audit_clean
}

@test "killed while a batch lands: after the restart all of it has landed, once" {
	for place in landing-before-cas landing-after-cas before-append.change.landed; do
		rm -rf "$data" "$project"
		project_new "jobs: {test: {run: 'ls; sleep 1'}}"
		WEIR_FAILPOINT=$place:2 weir_serve --slots 1
		for i in 1 2 3 4 5; do change_of "f$i" "$i"; done
		wait "$weir_pid" || true
		weir_serve --slots 1
		for i in 1 2 3 4 5; do lands "$i"; done
		[ "$(batches)" -ge 1 ]
		[ "$(sql "SELECT count(*) FROM events WHERE kind = 15")" = 5 ]
		audit_clean
		weir_kill TERM
	done
}
