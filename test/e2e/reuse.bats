#!/usr/bin/env bats
# shellcheck disable=SC2154 # lib.bash sets data, project, remote and change; bats sets status
# Verdicts that hold for a later change: the job is not run again, its artifacts are those of then, and a sample is
# run all the same.

load lib

setup() {
	# Else a verdict holds for its whole tree only (test/e2e/trace.bats), and none of this happens.
	(exec 3<>/dev/fuse) 2>/dev/null || skip "cannot open /dev/fuse here"
	weir_setup
}
teardown() { [ -z "${data-}" ] || weir_teardown; }

# propose FILE CONTENT: a change of this file alone, on trunk as it is
propose() {
	branch "b$RANDOM"
	commit "$1" "$2"
	push
}
runs_of() { sql "SELECT name || ' ' || state FROM runs WHERE change = $1 ORDER BY job"; }
metric() { curl -s "$url/metrics" | sed -n "s/^$1 //p"; }

@test "a change of what no job reads lands without a run, with the artifacts of then" {
	project_new "jobs: {build: {run: 'cp source out; date +%N >>out', artifacts: [out]}, test: {needs: [build], run: 'grep good out'}}"
	commit source "good"
	weir_serve --recheck 0
	propose README one
	lands 1
	propose README two
	lands 2
	[ "$(runs_of 2)" = $'build reused\ntest reused' ]
	[ "$(sql 'SELECT count(DISTINCT artifacts) FROM runs WHERE name = "build"')" = 1 ]
	[ "$(weir status 2 --json | jq -c '[.jobs[] | {name, state, reused}]')" = '[{"name":"build","state":"passed","reused":true},{"name":"test","state":"passed","reused":true}]' ]
	[ "$(metric weir_runs_reused_total)" = 2 ]
	propose source "good too"
	lands 3
	[ "$(runs_of 3)" = $'build finished\ntest finished' ]
	propose source bad
	rejects 4 job-failed
	propose source "good"
	lands 5 # as it was for the first ones
	[ "$(runs_of 5)" = $'build reused\ntest reused' ]
	weir_kill TERM
	audit_clean
	run -0 weir cache verify --data "$data"
	[[ $output == *"0 are wrong"* ]]
	run -0 weir cache stat --data "$data"
	[[ $output == *"reused 4 times"* ]]
	# The log as a trace for the benchmark of queue policies.
	run -0 --separate-stderr weir simulate trace --from-log --data "$data"
	[[ $stderr == "5 changes, 0 left out; "*"was reused (--reuse)" ]]
	[ "$(jq -c '[.changes[].ok]' <<<"$output")" = '[true,true,true,false,true]' ]
	[ "$(jq '.changes[1].areas == .changes[0].areas and .changes[2].areas != .changes[0].areas' <<<"$output")" = true ]
	[ "$(jq '[.changes[].duration_s > 0] | all' <<<"$output")" = true ]
	weir simulate queue --trace - --policy all --executors 2 <<<"$output" | grep -q weir
}

@test "an early cut-off: what a rebuild makes alike is not tested again" {
	project_new "jobs: {build: {run: 'grep -v comment source >out', artifacts: [out]}, test: {needs: [build], run: 'grep good out'}}"
	commit source good
	weir_serve --recheck 0
	propose README one
	lands 1
	propose source $'good\ncomment'
	lands 2
	[ "$(runs_of 2)" = $'build finished\ntest reused' ]
	audit_clean
}

@test "each: a job for each file; a change runs again those that read what it changed" {
	project_new
	mkdir -p "$project/t"
	for i in a b c; do echo "grep -q word words; echo $i" >"$project/t/$i.sh"; done
	echo word >"$project/words"
	commit weir.yml "jobs: {test: {run: 'sh \$WEIR_EACH', each: ['t/*.sh']}}"
	weir_serve --recheck 0
	propose README one
	lands 1
	[ "$(runs_of 1)" = $'test a.sh finished\ntest b.sh finished\ntest c.sh finished' ]
	propose t/b.sh "echo new"
	lands 2
	[ "$(runs_of 2)" = $'test a.sh reused\ntest b.sh finished\ntest c.sh reused' ]
	propose t/d.sh "grep -q word words"
	lands 3
	[ "$(sql "SELECT count(*) FROM runs WHERE change = 3 AND state = 'reused'")" = 3 ]
	propose words "no more"
	rejects 4 job-failed
	[ "$(sql "SELECT count(*) FROM runs WHERE change = 4 AND state = 'reused'")" -le 1 ] # b reads no words
	branch without
	git -C "$project" rm -qr t
	git -C "$project" commit -qm "No tests any more"
	push
	rejects 5 bad-config "each of job test names no file of the tree"
	cd "$project" && git checkout -q -f b 2>/dev/null || git -C "$project" checkout -q -f main
	weir run --json >"$BATS_TEST_TMPDIR/json"
	[ "$(jq '.jobs | length' "$BATS_TEST_TMPDIR/json")" = 3 ]
	audit_clean
}

@test "a sample is run all the same: other artifacts and another outcome are counted, a red answer believed" {
	project_new "jobs: {test: {run: 'date +%N >out', artifacts: [out]}}"
	weir_serve --recheck 100
	propose README one
	lands 1
	propose README two
	lands 2
	[ "$(runs_of 2)" = "test finished" ]
	[ "$(metric weir_rechecks_total)" = 1 ]
	[ "$(metric weir_rechecks_varied_total)" = 1 ]
	[ -z "$(metric weir_runs_reused_total)" ] || [ "$(metric weir_runs_reused_total)" = 0 ]
}

@test "a job that answers the same inputs in two ways: the recheck finds it, and the green verdict is gone" {
	# Green up to a moment, red from then on: what it reads of the tree does not change.
	project_new "jobs: {test: {run: 'test -e /run/weir-inner; [ \$(date +%s) -lt DEADLINE ]'}}"
	deadline=$(($(date +%s) + 25)) # also a slow machine lands the first one by then
	sed -i "s/DEADLINE/$deadline/" "$project/weir.yml"
	git -C "$project" commit -qam deadline
	weir_serve --recheck 100
	propose README one
	lands 1
	while [ "$(date +%s)" -le "$deadline" ]; do sleep 1; done
	propose README two
	rejects 2 job-failed
	[ "$(metric weir_rechecks_differed_total)" = 1 ]
	grep -q "a flaky job, or one that depends on what weir does not see" "$weir_log"
	[ "$(sql 'SELECT count(*) FROM verdicts')" = 0 ]
}

@test "an untrusted change's verdict serves no later trust level" {
	project_new "jobs: {test: {run: 'true'}, after: {when: landed, run: 'true'}}"
	weir_serve --recheck 0
	propose README one
	lands 1
	propose README two
	lands 2
	ran() { [ "$(sql "SELECT count(*) FROM runs WHERE name = 'after' AND ended_ms > 0")" = 2 ]; }
	eventually ran
	[ "$(sql 'SELECT count(DISTINCT trust) FROM runs')" = 2 ]
	[ "$(sql "SELECT count(*) FROM runs AS r JOIN runs AS o ON o.id = r.reused_of WHERE o.trust <> r.trust")" = 0 ]
}

@test "the daemon is killed while a traced job runs: the next one takes its record over" {
	project_new "jobs: {test: {run: 'cat word; sleep 3; cat word'}}"
	commit word one
	weir_serve --recheck 0
	propose README one
	running() { [ "$(sql "SELECT count(*) FROM runs WHERE state = 'running'")" = 1 ]; }
	eventually running
	weir_kill KILL
	weir_serve --recheck 0
	lands 1
	propose README two
	lands 2
	[ "$(runs_of 2)" = "test reused" ]
	propose word two
	lands 3
	[ "$(runs_of 3)" = "test finished" ]
	audit_clean
}

@test "inputs: the job is given only those files, and its verdict holds while they are unchanged" {
	project_new "jobs: {test: {run: 'ls; test ! -e README; test ! -e src/b; cat src/a', inputs: [src/a, 'lib/**']}}"
	mkdir "$project/src" "$project/lib"
	echo a >"$project/src/a"
	echo b >"$project/src/b"
	commit lib/l one
	weir_serve --recheck 0
	propose README one
	lands 1
	propose src/b two
	lands 2
	[ "$(runs_of 2)" = "test reused" ]
	propose lib/more new
	lands 3
	[ "$(runs_of 3)" = "test finished" ]
	propose src/a two
	lands 4
	[ "$(runs_of 4)" = "test finished" ]
	weir_kill TERM
	audit_clean
	weir cache verify --data "$data"
	cd "$project"
	git checkout -q -B local FETCH_HEAD
	weir run
	echo other >src/b
	run weir run --explain
	[[ $output == *"1 reused"* ]]
}

@test "jobs of one definition and two names, or of two repositories, are not each other's verdicts" {
	project_new "jobs: {one: {run: 'echo \$WEIR_JOB; test \$WEIR_JOB = one'}, two: {run: 'echo \$WEIR_JOB; test \$WEIR_JOB = one'}}"
	weir_serve --recheck 0
	propose README 1
	rejects 1 job-failed
	[ "$(sql "SELECT count(*) FROM runs WHERE state = 'reused'")" = 0 ]
	commit weir.yml "jobs: {one: {run: 'test \$WEIR_REPO = p'}}"
	weir repo add q
	git -C "$project" push -q "$url/git/q.git" HEAD:refs/heads/main
	commit README 2
	push -o topic=x
	git -C "$project" push -q "$url/git/p.git" HEAD:refs/for/main -o topic=mine
	git -C "$project" push -q "$url/git/q.git" HEAD:refs/for/main -o topic=theirs
	all_over() { [ "$(sql 'SELECT count(*) FROM changes WHERE ended_ms = 0')" = 0 ]; }
	eventually all_over
	[ "$(sql "SELECT state FROM changes WHERE topic = 'theirs'")" = rejected ]
	cd "$project"
	printf 'jobs: {one: {run: "test $WEIR_JOB = one"}, two: {run: "test $WEIR_JOB = one"}}\n' >weir.yml
	run -1 weir run -j 1
	[[ $output == *"1 passed, 1 failed"* ]]
}
