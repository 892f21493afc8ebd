#!/usr/bin/env bats
# shellcheck disable=SC2154 # lib.bash sets data, project, remote and change; bats sets status and output
# From a push by file path to a landing: what is accepted, what each refusal says, and what the author is told later.

load lib

setup() {
	weir_setup
	project_new
	weir_serve
}
teardown() { weir_teardown; }

head_of() { git -C "$project" rev-parse "${1-HEAD}"; }
count() { sql "SELECT count(*) FROM changes"; }
slow() { commit check.sh "sleep ${1-1}; test ! -e broken" "Take time"; }

# ---------------------------------------------------------------- accepted

@test "a push becomes a change, and lands" {
	branch work
	commit file two "Count to two"
	push
	[[ $output == *"Change 1, revision 1: place 1 in the queue"* ]]
	[[ $output == *"/change/1 "*"weir status 1 --watch"* ]]
	lands 1
	[ "$(trunk)" = "$(head_of)" ]
	[ "$(git -C "$remote" rev-parse refs/changes/1/1)" = "$(trunk)" ]
	[ "$(field 1 title)" = "Count to two" ]
	[ "$(field 1 author)" = Ada ]
	[ "$(field 1 landed_commit)" = "$(trunk)" ]
	audit_clean
}

@test "a change that trunk has left behind lands as a merge that names it" {
	branch one
	commit a 1
	push
	lands 1
	git -C "$project" checkout -q -B two main
	commit b 1 "Add b"
	push
	lands 2
	[ "$(git -C "$remote" log -1 --format=%P main | wc -w)" = 2 ]
	[ "$(git -C "$remote" log -1 --format='%an %cn %s' main)" = "Ada weir Add b" ]
	git -C "$remote" log -1 --format=%b main | grep -q '^Change: 2$'
	audit_clean
}

@test "the next push of a topic is the next revision" {
	branch work
	commit broken yes
	push -o topic=fix
	rejects 1 job-failed
	git -C "$project" rm -q broken
	git -C "$project" commit -q -m "Mend it"
	push -o topic=fix
	[[ $output == *"Change 1, revision 2"* ]]
	lands 1
	[ "$(git -C "$remote" rev-parse refs/changes/1/2)" = "$(trunk)" ]
	audit_clean
}

@test "the topic may stand in the ref as well" {
	branch work
	commit a 1
	run git -C "$project" push "$remote" HEAD:refs/for/main/fix
	[ "$status" = 0 ]
	[ "$(field 1 topic)" = fix ]
	lands 1
}

@test "the next push of a Change-Id is the next revision, whatever became of the commit" {
	id=$'\n\nChange-Id: I0123456789012345678901234567890123456789'
	branch work
	commit broken yes "Break$id"
	push
	rejects 1 job-failed
	git -C "$project" rm -q broken
	git -C "$project" commit -q --amend --allow-empty -m "Break nothing$id"
	commit a 1 "Add a$id"
	push
	[[ $output == *"Change 1, revision 2"* ]]
	lands 1
}

@test "the next push of the same first commit is the next revision, also after a rebase" {
	branch other
	commit a 1
	git -C "$project" checkout -q -B work main
	commit broken yes
	push
	rejects 1 job-failed
	git -C "$project" checkout -q other
	push
	lands 2
	git -C "$project" checkout -q work
	git -C "$project" rebase -q other
	git -C "$project" rm -q broken
	git -C "$project" commit -q -m "Mend it"
	push
	[[ $output == *"Change 1, revision 2"* ]]
	lands 1
}

@test "a new revision while the old one is tested takes its place" {
	branch work
	slow 5
	push -o topic=x
	eventually [ "$(field 1 state)" = testing ]
	commit check.sh true
	push -o topic=x
	lands 1
	[ "$(field 1 revision)" = 2 ]
	[ "$(trunk)" = "$(head_of)" ]
	[ "$(sql 'SELECT state FROM revisions WHERE change=1 AND revision=1')" = superseded ]
	audit_clean
}

@test "the same push twice is the same change and revision" {
	branch work
	slow
	push
	push
	[[ $output == *"Change 1, revision 1"* ]]
	lands 1
	[ "$(count)" = 1 ]
}

@test "two pushes at once to one topic: one is revision 1, the other 2" {
	for n in a b; do
		git clone -q "$project" "$BATS_TEST_TMPDIR/$n"
		(cd "$BATS_TEST_TMPDIR/$n" && echo "sleep 1 # $n" >check.sh && git commit -qam "$n")
	done
	for n in a b; do
		git -C "$BATS_TEST_TMPDIR/$n" push -o topic=same "$remote" HEAD:refs/for/main >"$BATS_TEST_TMPDIR/$n.out" 2>&1 3>&- &
		pids="${pids-} $!"
	done
	for pid in $pids; do wait "$pid"; done
	cat "$BATS_TEST_TMPDIR"/?.out | grep -c 'Change 1, revision 1'
	cat "$BATS_TEST_TMPDIR"/?.out | grep -c 'Change 1, revision 2'
	lands 1
	[ "$(count)" = 1 ]
	[ "$(trunk)" = "$(git -C "$remote" rev-parse refs/changes/1/2)" ]
	audit_clean
}

@test "twenty pushes at once by twenty people are twenty changes that all land" {
	for n in $(seq 20); do
		git clone -q "$project" "$BATS_TEST_TMPDIR/c$n"
		(cd "$BATS_TEST_TMPDIR/c$n" && echo "$n" >"f$n" && git add . && git commit -qm "Add f$n")
	done
	pids=
	for n in $(seq 20); do
		git -C "$BATS_TEST_TMPDIR/c$n" push -q "$remote" HEAD:refs/for/main 2>/dev/null 3>&- &
		pids+=" $!"
	done
	for pid in $pids; do wait "$pid"; done
	[ "$(count)" = 20 ]
	for n in $(seq 20); do lands "$n"; done
	[ "$(git -C "$remote" ls-tree --name-only main | grep -c '^f[0-9]*$')" = 20 ]
	audit_clean
}

@test "a draft is tested and does not land; without the option it does" {
	branch work
	commit a 1
	push -o draft
	eventually field_is 1 reason draft-tested
	[ "$(trunk)" = "$(head_of main)" ]
	push
	[[ $output == *"Change 1, revision 2"* ]]
	lands 1
	audit_clean
}

@test "the same push with another priority moves the change; without one it keeps its own" {
	branch a
	slow 5
	push
	branch b
	commit f 1
	push
	branch c
	commit weir.yml 'jobs: {test: {run: "sleep 2; sh check.sh"}}'
	push
	[[ $output == *"Change 3, revision 1: place 3 in the queue"* ]]
	push -o priority=high
	[ "$change" = 3 ]
	[[ $output == *"Change 3, revision 1, priority 10: place 1 in the queue"* ]]
	[ "$(weir queue --json | jq -c '[.changes[] | [.id, .priority]]')" = '[[3,10],[1,0],[2,0]]' ]
	push
	[[ $output == *"Change 3, revision 1"* ]]
	lands 3
	lands 2
	lands 1
	[ "$(sql 'SELECT id FROM changes ORDER BY landed_ms LIMIT 1')" = 3 ]
	[ "$(sql 'SELECT count(*) FROM revisions WHERE change=3')" = 1 ]
	audit_clean
}

@test "a higher priority goes first" {
	branch first
	slow 2
	push
	git -C "$project" checkout -q -B second main
	commit b 1
	push
	git -C "$project" checkout -q -B third main
	commit c 1
	push -o priority=high
	[[ $output == *"Change 3, revision 1, priority 10: place 1 "* ]]
	for n in 1 2 3; do lands $n; done
	[ "$(sql 'SELECT landing FROM changes WHERE id=3')" -lt "$(sql 'SELECT landing FROM changes WHERE id=2')" ]
	push_refused HEAD:refs/for/main "priority urgent is none of high, normal, low" -o priority=urgent
}

@test "the push of a rejected commit, as it is, says what to do" {
	branch work
	commit broken 1
	push
	rejects 1 job-failed
	push
	[[ $output == *"Change 1, revision 1 was rejected as it is: push a correction, or try it again with weir retry"*"  job test failed"* ]]
}

@test "title and topic come from the options, whatever bytes they have" {
	branch work
	commit a 1
	# shellcheck disable=SC2016 # meant as it stands
	push -o 'title=Say "x" & <b> $(id) `id`' -o topic=a-b
	[ "$(field 1 title)" = 'Say "x" & <b> $(id) `id`' ]
	push_refused HEAD:refs/for/main "unknown push option" -o colour=red
	push_refused HEAD:refs/for/main "no blanks" -o 'topic=a b'
	lands 1
}

@test "a push that is said again after its change landed is told yes, and makes no other change" {
	branch work
	commit a 1
	push -o topic=once
	lands 1
	run git -C "$project" push -o topic=once "$remote" HEAD:refs/for/main
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"Change 1, revision 1 has landed already"* ]]
	push_refused HEAD:refs/for/main "nothing to land" -o topic=other
	[ "$(sql 'SELECT count(*) FROM changes')" = 1 ]
}

@test "a weir.yml that names another trunk than the repository has is refused" {
	branch work
	commit weir.yml "trunk: other
jobs: {test: {run: 'true'}}"
	push
	rejects 1 bad-config "weir.yml names the trunk other, and changes land on main here"
	commit weir.yml "trunk: main
jobs: {test: {run: 'true'}}"
	push -o topic=right
	lands 2
}

@test "a title of a megabyte is whole in the commit and short everywhere else" {
	branch work
	echo 1 >"$project/a"
	git -C "$project" add a
	printf '%01000000dé' 0 | git -C "$project" commit -qF -
	push
	lands 1
	[ "$(sql 'SELECT length(CAST(title AS BLOB)) <= 500 AND title LIKE "000%…" FROM changes')" = 1 ]
	[ "$(git -C "$remote" log -1 --format=%s main | wc -c)" -gt 1000000 ]
}

@test "withdraw takes a change back, retry queues a rejected one again" {
	branch work
	commit check.sh "test -e $BATS_TEST_TMPDIR/never; sleep 5; false"
	push
	run -0 weir withdraw 1
	[ "$(ended 1)" = withdrawn ]
	run -1 weir retry 1
	push
	[ "$change" = 2 ]
	branch other
	commit broken 1
	push
	rejects 3 job-failed
	run -0 weir retry 3
	rejects 3 job-failed
	[ "$(field 3 retries)" = 1 ]
	run -1 weir withdraw 99
	[[ $output == *99* ]]
	audit_clean
}

# ---------------------------------------------------------------- tested, and not landed

@test "a conflict names the files and both sides" {
	branch one
	commit file $'mine\nsame' "Mine"
	push
	lands 1
	git -C "$project" checkout -q -B two main
	commit file $'yours\nsame' "Yours"
	commit other 1
	push
	rejects 2 conflict-with-base "conflicts with the target in file"
	sides=$(sql "SELECT conflicts FROM candidates WHERE change=2 ORDER BY id DESC LIMIT 1")
	[ "$(jq -r '.[0].path' <<<"$sides")" = file ]
	[[ $(jq -r '.[0] | .ours + .theirs + .text' <<<"$sides") == *mine*yours* ]]
	[ "$(jq length <<<"$sides")" = 1 ]
	[ "$(trunk)" = "$(head_of one)" ]
	audit_clean
}

@test "a red test ejects the change and is named; the one behind lands" {
	branch work
	commit weir.yml 'jobs: {test: {run: "cp report.xml out.xml; test ! -e broken", results: [out.xml]}}' "Report"
	commit report.xml '<testsuite><testcase classname="sum" name="adds"/><testcase classname="sum" name="carries" file="sum_test.c" line="41"><failure message="9+1 is 00&#10;in base ten"/></testcase></testsuite>'
	commit broken 1
	push
	rejects 1 test-failed
	[ "$(sql 'SELECT DISTINCT tests || " " || tests_failed FROM runs WHERE change=1')" = "2 1" ]
	[[ $(sql 'SELECT failed_tests FROM runs WHERE change=1') == *carries* ]]
	run weir status 1
	[[ $output == *"sum / carries fails in job test"*"    9+1 is 00"*"sum_test.c:41"* ]]
	[[ $output != *"base ten"* ]]
	branch good
	commit a 1
	push
	lands 2
	audit_clean
}

@test "a job that takes too long fails with its limit named" {
	branch work
	commit weir.yml 'jobs: {test: {run: "sleep 30", timeout: 300ms}}'
	push
	rejects 1 job-timed-out
	[[ $(field 1 reason_text)$(sql 'SELECT reason_text FROM runs WHERE change=1') == *"300"*ms* ]]
}

@test "a change cannot drop or soften trunk's jobs" {
	branch work
	commit broken 1
	commit weir.yml 'jobs: {other: {run: "true"}}'
	push
	rejects 1 job-failed
}

@test "weir.yml: absent, empty, wrong, not UTF-8: the author is told where and why" {
	branch absent
	git -C "$project" rm -q weir.yml
	git -C "$project" commit -q -m "Drop it"
	push
	rejects 1 no-config "no weir.yml"

	branch empty
	: >"$project/weir.yml"
	git -C "$project" commit -q -am "Empty it"
	push
	rejects 2 bad-config weir.yml

	branch typo
	commit weir.yml $'jobs:\n  test:\n    rum: true'
	push
	rejects 3 bad-config 'did you mean'
	[[ $(field 3 reason_text) == *"weir.yml:3:5"* ]]
	[[ $(field 3 reason_text) == *^* ]]

	branch bytes
	printf 'jobs: {test: {run: "\xff"}}' >"$project/weir.yml"
	git -C "$project" commit -q -am "Bytes"
	push
	rejects 4 bad-config UTF-8

	branch huge
	{ echo 'jobs: {test: {run: "true"}}'; head -c 10000000 /dev/zero | tr '\0' '#'; } >"$project/weir.yml"
	git -C "$project" commit -q -am "Huge"
	push
	rejects 5 bad-config "weir.yml is larger than 1 MB"

	branch folder
	git -C "$project" rm -q weir.yml
	commit weir.yml/x 1
	push
	rejects 6 bad-config weir.yml

	branch link
	ln -sf /etc/passwd "$project/weir.yml"
	git -C "$project" commit -q -am "Link"
	push
	[ "$(ended 7)" = rejected ]
	[[ $(field 7 reason_text) != *root:* ]]
	[ "$(trunk)" = "$(head_of main)" ]
	audit_clean
}

# ---------------------------------------------------------------- refused at the door

@test "a direct push to trunk is refused with the command to use" {
	branch work
	commit a 1
	push_refused HEAD:main "git push weir HEAD:refs/for/main"
	push_refused +HEAD:main "git push weir HEAD:refs/for/main"
	[ "$(trunk)" = "$(head_of main)" ]
}

@test "trunk cannot be deleted, nor anything else" {
	push_refused :main "nothing is deleted by a push"
	push_refused :refs/changes/1/1 ""
	[ "$(trunk)" = "$(head_of main)" ]
}

@test "other branches, tags and hidden refs are refused" {
	branch work
	commit a 1
	push_refused HEAD:refs/heads/feature "git push weir HEAD:refs/for/main"
	git -C "$project" tag v1
	push_refused v1 "git push weir HEAD:refs/for/main"
	push_refused HEAD:refs/changes/1/1 ""
	push_refused HEAD:refs/candidates/1 ""
	push_refused HEAD:refs/follow/main ""
	push_refused HEAD:refs/notes/x ""
	[ "$(git -C "$remote" for-each-ref --format='%(refname)')" = refs/heads/main ]
}

@test "an unknown branch is refused, and the known one named" {
	branch work
	commit a 1
	push_refused HEAD:refs/for/mian "there is no branch \"mian\"; there is main"
}

@test "no commits: already landed is said" {
	branch work
	push_refused HEAD:refs/for/main "main holds these commits already: there is nothing to land"
	commit a 1
	push
	lands 1
	push_refused HEAD:refs/for/main "nothing to land"
	push_refused HEAD~1:refs/for/main "nothing to land"
}

@test "unrelated history is refused" {
	git -C "$project" checkout -q --orphan alien
	commit a 1
	push_refused HEAD:refs/for/main "no common history with main"
}

@test "five thousand commits: refused with the limit" {
	branch work
	for n in $(seq 5000); do
		printf 'commit refs/heads/many\ncommitter A <a@b> %d +0000\ndata 1\nx\n' "$n"
		[ "$n" != 1 ] || echo "from $(head_of)"
	done | git -C "$project" fast-import --quiet
	push_refused many:refs/for/main "more than "
	[[ $output == *"commits in one change; push a smaller series"* ]]
	push_refused many~4900:refs/for/main "" || {
		change=$(sql 'SELECT max(id) FROM changes')
		lands "$change"
	}
}

@test "a folder too deep and a path too long are refused by name" {
	deep=$(printf 'd/%.0s' $(seq 220))
	long=$(printf 'a%.0s' $(seq 200))
	for path in "${deep}leaf" "$(printf "$long/%.0s" $(seq 25))leaf"; do
		printf 'commit refs/heads/far\ncommitter A <a@b> 1 +0000\ndata 1\nx\nfrom %s\nM 644 inline %s\ndata 1\nx\n\n' \
			"$(head_of)" "$path" | git -C "$project" fast-import --quiet --force
		push_refused far:refs/for/main "${path:0:40}"
		[[ $output == *"at most "*" are taken"* ]]
	done
}

@test "ref names and topics with shell characters do nothing but what they say" {
	branch work
	commit a 1
	for ref in 'refs/for/main;touch${IFS}x' 'refs/for/$(id)' 'refs/for/`id`' "refs/for/main'" 'refs/for/main"' 'refs/for/main|id' \
		'refs/for/main&id' 'refs/for/<main>' 'refs/for/mäin' 'refs/for/main/$(id)'; do
		push_refused "HEAD:$ref" "weir takes no name like"
	done
	# shellcheck disable=SC2016
	push -o 'topic=$(touch${IFS}x);|&'
	lands 1
	# shellcheck disable=SC2016
	[ "$(field 1 topic)" = '$(touch${IFS}x);|&' ]
	[ -z "$(find "$BATS_TEST_TMPDIR" -name x)" ]
}

@test "several refs in one push: each gets its own answer" {
	branch work
	commit a 1
	git -C "$project" branch other HEAD
	run git -C "$project" push "$remote" HEAD:refs/for/main/one HEAD:refs/heads/x HEAD:refs/for/none
	[ "$status" != 0 ]
	[[ $output == *"Change 1, revision 1"* ]]
	[[ $output == *"there is no branch \"none\""* ]]
	[[ $output == *"only changes are taken"* ]]
	lands 1
	[ "$(count)" = 1 ]
	refs=()
	for n in $(seq 21); do refs+=("HEAD:refs/for/main/t$n"); done
	run git -C "$project" push "$remote" "${refs[@]}"
	[ "$status" != 0 ]
	[[ $output == *"more than 20 refs"* ]]
}

@test "a message that is no UTF-8, or holds NUL, is taken and shown as text" {
	branch work
	tree=$(git -C "$project" write-tree)
	latin=$(printf 'tree %s\nparent %s\nauthor J\xf6rg <j@b> 1 +0000\ncommitter J\xf6rg <j@b> 1 +0000\n\nGr\xfc\xdfe\n' \
		"$tree" "$(head_of)" | git -C "$project" hash-object -t commit -w --stdin)
	run git -C "$project" push "$remote" "$latin:refs/for/main"
	[ "$status" = 0 ]
	lands 1
	[ "$(field 1 title)" = "Gr��e" ]
	[ "$(field 1 author)" = "J�rg" ]

	nul=$(printf 'tree %s\nparent %s\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nbefore\0after\n' \
		"$tree" "$latin" | git -C "$project" hash-object -t commit -w --literally --stdin)
	run git -C "$project" push "$remote" "$nul:refs/for/main"
	echo "$output"
	if [ "$status" = 0 ]; then # git's own fsck may refuse it before weir sees it
		lands 2
		[ "$(field 2 title)" = before ]
	else
		[[ $output == *nul* ]]
	fi
	audit_clean
}

@test "a submodule is an empty folder in the job unless it is asked for" {
	branch work
	git -C "$project" update-index --add --cacheinfo 160000,"$(head_of)",lib
	git -C "$project" config -f .gitmodules submodule.lib.path lib
	git -C "$project" config -f "$project/.gitmodules" submodule.lib.path lib
	git -C "$project" config -f "$project/.gitmodules" submodule.lib.url https://example.invalid/lib.git
	echo 'test -d lib && test -z "$(ls -A lib)"' >"$project/check.sh"
	git -C "$project" add .gitmodules check.sh
	git -C "$project" commit -q -m "Add a submodule"
	push
	lands 1
	audit_clean
}

@test "an object over the limit is refused, and the limit is named" {
	git -C "$remote" config receive.maxInputSize 100k
	branch work
	head -c 300000 /dev/urandom >"$project/big"
	git -C "$project" add big
	git -C "$project" commit -q -m "Big"
	push_refused HEAD:refs/for/main "exceeds maximum allowed size"
	git -C "$project" reset -q --hard HEAD~1
	commit small 1
	push
	lands 1
}

# ---------------------------------------------------------------- the first commit of all

@test "an empty repository takes its first trunk by a direct push or as a change" {
	run -0 weir repo add fresh
	remote=$data/repos/fresh.git
	run git -C "$project" push "$remote" HEAD:main
	[ "$status" = 0 ]
	[[ $output == *"Trunk begins here"* ]]
	[ "$(trunk)" = "$(head_of)" ]
	branch work
	commit a 1
	push
	lands "$change"

	run -0 weir repo add later
	remote=$data/repos/later.git
	git -C "$project" checkout -q -B begin main
	push
	lands "$change"
	[ "$(trunk)" = "$(head_of)" ]
	push_refused HEAD:refs/heads/other "git push weir HEAD:refs/for/main"
	audit_clean
}

@test "a job of trunk stays required, unless the pusher may change the pipeline" {
	touch "$project/kept"
	git -C "$project" add -A
	commit weir.yml "jobs: {old: {run: test -e kept}, test: {run: 'true'}}"
	push
	lands 1
	git -C "$project" rm -q kept
	commit weir.yml "jobs: {test: {run: 'true'}}" "Test no more that it is kept"
	push -o topic=a
	rejects "$change" job-failed
	run -0 weir token create writer --scopes read,propose --json
	writer=$(jq -r .token <<<"$output")
	run -0 weir token create owner --scopes read,propose,pipeline --json
	owner=$(jq -r .token <<<"$output")
	as_token "$writer" push -q -o topic=b "$url/git/p.git" HEAD:refs/for/main
	rejects 3 job-failed
	# The same commit from somebody who may is asked again.
	as_token "$owner" push -q -o topic=b "$url/git/p.git" HEAD:refs/for/main
	lands 3
	[ "$(sql "SELECT group_concat(pusher || ' ' || pipeline_scope || ' ' || revision) FROM changes WHERE id > 1")" = "uid:$(id -u) 0 1,owner 1 2" ]
}
