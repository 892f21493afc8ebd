#!/usr/bin/env bats
# shellcheck disable=SC2154 # lib.bash sets data, project, remote and change; bats sets status
# The queue: what is tested on what, and when it lands.

load lib

setup() { weir_setup; }
teardown() { weir_teardown; }

# Two jobs of which each reads its own folder, as is known when change 1 has landed.
two_parts() {
	(exec 3<>/dev/fuse) 2>/dev/null || skip "cannot open /dev/fuse here: verdicts hold for whole trees only"
	project_new "jobs: {lib: {run: 'sh lib/job.sh'}, app: {run: 'sh app/job.sh'}}"
	weir_serve --slots 2 --recheck 0
	branch both
	mkdir "$project/lib" "$project/app"
	echo true >"$project/lib/job.sh"
	commit app/job.sh true "Two parts"
	push
	lands 1
}

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

@test "what stands on a change of weir.yml waits until that has landed, and then obeys it" {
	project_new "jobs: {old: {run: 'sleep 2; test -e old'}}"
	commit old 1
	weir_serve --slots 2
	branch one
	git -C "$project" rm -q old
	echo "jobs: {new: {run: 'test ! -e old; sleep 1'}}" >"$project/weir.yml"
	git -C "$project" commit -qam "Another job"
	push
	branch two
	commit two 2
	push
	rejects 1 job-failed # the job that it takes out runs once more, and misses its file
	lands 2
	[ "$(sql "SELECT group_concat(DISTINCT name) FROM runs WHERE change = 2 AND outcome = 'passed'")" = old ]
	branch three
	echo "jobs: {old: {run: 'sleep 2; test -e old'}, more: {run: 'true'}}" >"$project/weir.yml"
	git -C "$project" commit -qam "One job more"
	push
	branch four
	commit four 4
	push
	lands 3
	lands 4
	[ "$(sql "SELECT group_concat(name) FROM (SELECT DISTINCT name FROM runs WHERE change = 4 ORDER BY name)")" = more,old ]
	# It was not even built before the other had landed.
	[ "$(sql "SELECT min(built_ms) >= (SELECT landed_ms FROM changes WHERE id = 3) FROM candidates WHERE change = 4 AND built_ms > 0")" = 1 ]
	audit_clean
}

@test "a change that has not landed gives no secret to the one behind it" {
	project_new "jobs: {test: {run: 'sleep 2; [ -z \"\$KEY\" ]', secrets: [KEY]}}"
	weir_serve --slots 2
	echo secret-value | weir secret set KEY
	branch one
	echo "jobs: {test: {run: 'sleep 2; [ -z \"\$KEY\" ]', secrets: [KEY], before_landing: true}}" >"$project/weir.yml"
	git -C "$project" commit -qam "Give it to me"
	push
	branch two
	commit two 2
	push
	lands 1
	rejects 2 job-failed # trunk says so now, and nobody before
	[ "$(sql "SELECT count(*) FROM runs WHERE change = 2 AND started_ms < (SELECT landed_ms FROM changes WHERE id = 1)")" = 0 ]
}

@test "a change that touches nothing of what another's jobs read does not wait for it" {
	two_parts
	branch slow
	commit lib/job.sh "sleep 6"
	push
	branch quick
	commit app/job.sh "echo quick"
	push
	lands 3
	[ "$(sql "SELECT landed_ms FROM changes WHERE id = 2")" = 0 ]
	# What meets the slow one waits for it, and says so.
	branch meets
	chmod +x "$project/lib/job.sh"
	git -C "$project" commit -qam "It may be executed"
	push
	for _ in $(seq 30); do
		run weir status 4
		[[ $output == *"waits for #2: both touch job lib"* ]] && break
		sleep 0.1
	done
	[[ $output == *"waits for #2: both touch job lib"* ]]
	lands 2
	# The slow job went on while trunk moved, and its verdict counted on the new tip.
	[ "$(sql "SELECT count(*) FROM runs WHERE change = 2 AND name = 'lib' AND state = 'finished'")" = 1 ]
	[ "$(sql "SELECT count(*) FROM runs WHERE change = 2 AND name = 'lib' AND state = 'reused'")" = 1 ]
	[ "$(git -C "$remote" show main:app/job.sh)" = "echo quick" ]
	[ "$(git -C "$remote" show main:lib/job.sh)" = "sleep 6" ]
	audit_clean
}

@test "a red verdict of the change itself counts on the new tip, and one whose inputs changed does not" {
	two_parts
	branch red
	commit lib/job.sh "sleep 4; false"
	push
	branch quick
	commit app/job.sh "echo quick"
	push
	lands 3
	[ "$(sql "SELECT ended_ms FROM changes WHERE id = 2")" = 0 ]
	rejects 2 job-failed
	[ "$(sql "SELECT group_concat(state || ' ' || outcome, ', ') FROM (SELECT * FROM runs WHERE change = 2 AND name = 'lib' ORDER BY id)")" = "finished failed, finished failed, finished failed, reused failed" ]
	# Its job looks for what another change writes, which nobody could know before it ran.
	branch wants
	commit lib/job.sh "sleep 4; test -e app/new"
	push
	branch new
	commit app/new 1
	push
	lands 5
	[ "$(sql "SELECT ended_ms FROM changes WHERE id = 4")" = 0 ]
	lands 4
	[ "$(sql "SELECT group_concat(state || ' ' || outcome, ', ') FROM (SELECT * FROM runs WHERE change = 4 AND name = 'lib' ORDER BY id)")" = "finished failed, finished failed, finished failed, finished passed" ]
	audit_clean
}
