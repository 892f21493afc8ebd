#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2164,SC2120 # lib.bash sets data, project, remote and change; bats sets status, and ends a test at a failed cd
# Repositories that live elsewhere: branches that match are changes, and weir lands there.

load lib

setup() {
	weir_setup
	project_new
	upstream=$BATS_TEST_TMPDIR/up.git
	git clone -q --bare "$project" "$upstream"
	git -C "$project" remote add up "$upstream"
	remote=$data/repos/up.git
	cd "$BATS_TEST_TMPDIR"
	serve_outside
	weir repo add up "$upstream" --follow --changes 'weir/*' --poll 300ms
}
teardown() { weir_teardown; }

# Not in a work tree: only what is followed is served.
serve_outside() {
	mv "$project" "$project.away"
	weir_serve "$@"
	mv "$project.away" "$project"
}

offer() { git -C "$project" push -qf up "HEAD:refs/heads/$1"; } # offer BRANCH
there() { git -C "$upstream" rev-parse "refs/heads/${1-main}"; }
has_change() { [ "$(sql "SELECT count(*) FROM changes WHERE id=$1")" = 1 ]; }
appears() { eventually has_change "$1"; }
from_upstream() {
	git -C "$project" fetch -q up
	git -C "$project" checkout -q -B "$1" up/main
}
count() { sql "SELECT count(*) FROM changes"; }
polls() { sleep 1.2; } # at least two looks

@test "a branch that matches becomes a change and lands there" {
	from_upstream x
	commit a 1 "Add a"
	offer weir/x
	offer feature # does not match
	appears 1
	lands 1
	[ "$(there)" = "$(git -C "$project" rev-parse HEAD)" ]
	[ "$(field 1 topic)" = weir/x ]
	polls
	[ "$(count)" = 1 ]
	audit_clean
}

@test "a branch that is behind lands as a merge, and a new push to it is the next revision" {
	from_upstream x
	commit broken 1
	offer weir/x
	appears 1
	rejects 1 job-failed
	from_upstream y
	commit b 1
	offer weir/y
	appears 2
	lands 2
	git -C "$project" checkout -q x
	git -C "$project" rm -q broken
	git -C "$project" commit -q -m "Mend it"
	offer weir/x
	eventually field_is 1 revision 2
	lands 1
	[ "$(git -C "$upstream" log -1 --format=%P main | wc -w)" = 2 ]
	audit_clean
}

@test "trunk that moves there meanwhile: the candidate is built again on the new tip" {
	from_upstream x
	commit check.sh "sleep 2; test ! -e broken"
	offer weir/x
	eventually field_is 1 state testing
	git -C "$project" checkout -q -B other up/main
	commit other 1 "Straight to trunk"
	git -C "$project" push -q up HEAD:main
	lands 1
	git -C "$upstream" merge-base --is-ancestor "$(git -C "$project" rev-parse other)" main
	git -C "$upstream" merge-base --is-ancestor "$(git -C "$project" rev-parse x)" main
	[ "$(sql 'SELECT count(*) FROM candidates WHERE change=1')" -ge 2 ]
	[ "$(sql 'SELECT tip FROM repos')" = "$(there)" ]
	audit_clean
}

@test "somebody moves trunk in the moment of the landing: nothing of theirs is lost" {
	cat >"$upstream/hooks/pre-receive" <<-'END'
		#!/bin/sh
		# The first landing finds that trunk has just moved.
		read -r old new ref
		[ -e raced ] && exit 0
		touch raced
		env -u GIT_QUARANTINE_PATH git update-ref refs/heads/main refs/heads/racer
	END
	chmod +x "$upstream/hooks/pre-receive"
	touch "$upstream/raced"
	from_upstream racer
	commit racer 1
	offer racer
	from_upstream x
	commit a 1
	offer weir/x
	rm "$upstream/raced"
	appears 1
	lands 1
	git -C "$upstream" merge-base --is-ancestor racer main
	git -C "$upstream" cat-file -e main:a
	audit_clean
}

@test "upstream out of reach: told once, and found again" {
	mv "$upstream" "$upstream.away"
	eventually grep -q "up: .*looked for again" "$weir_log"
	polls
	[ "$(grep -c 'looked for again' "$weir_log")" = 1 ]
	mv "$upstream.away" "$upstream"
	eventually grep -q "up: reached again" "$weir_log"
	from_upstream x
	commit a 1
	offer weir/x
	appears 1
	lands 1
}

@test "upstream out of reach during the landing: it lands when it is back" {
	from_upstream x
	commit check.sh "sleep 1"
	offer weir/x
	eventually field_is 1 state testing
	mv "$upstream" "$upstream.away"
	sleep 2.5
	[ "$(field 1 ended_ms)" = 0 ]
	mv "$upstream.away" "$upstream"
	lands 1
	[ "$(there)" = "$(git -C "$project" rev-parse x)" ]
	audit_clean
}

@test "upstream refuses the landing: the change is rejected with its words" {
	from_upstream x
	commit a 1
	offer weir/x
	printf '#!/bin/sh\necho "the freeze is on" >&2; exit 1\n' >"$upstream/hooks/pre-receive"
	chmod +x "$upstream/hooks/pre-receive"
	appears 1
	rejects 1 landing-refused "main does not take the candidate: the freeze is on"
	[ "$(there)" = "$(git -C "$project" rev-parse up/main)" ]
}

@test "a change that was withdrawn stays so, also over a restart, until its branch moves" {
	from_upstream x
	commit check.sh "sleep 30"
	offer weir/x
	appears 1
	run -0 weir withdraw 1
	[ "$(ended 1)" = withdrawn ]
	polls
	[ "$(count)" = 1 ]
	weir_kill
	serve_outside
	polls
	[ "$(count)" = 1 ]
	commit check.sh true
	offer weir/x
	appears 2
	lands 2
}

@test "a branch that is deleted there is withdrawn" {
	from_upstream x
	commit check.sh "sleep 30"
	offer weir/x
	eventually field_is 1 state testing
	git -C "$project" push -q up :weir/x
	[ "$(ended 1)" = withdrawn ]
	[ "$(field 1 by)" = upstream ]
	audit_clean
}

@test "a push to the copy here is refused or lands there, never here alone" {
	from_upstream x
	commit a 1
	run git -C "$project" push "$remote" HEAD:refs/for/main
	echo "$output"
	if [ "$status" = 0 ]; then
		appears 1
		lands 1
		[ "$(there)" = "$(git -C "$project" rev-parse HEAD)" ]
	fi
	run git -C "$project" push "$remote" HEAD:main
	[ "$status" != 0 ]
}

@test "killed and started again, a followed repository goes on" {
	from_upstream x
	commit check.sh "sleep 1"
	offer weir/x
	eventually field_is 1 state testing
	weir_kill
	serve_outside
	lands 1
	[ "$(there)" = "$(git -C "$project" rev-parse HEAD)" ]
	audit_clean
}
