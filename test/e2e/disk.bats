#!/usr/bin/env bats
# shellcheck disable=SC2154 # lib.bash sets what it names; bats sets status and output
# The disk is full, for real: the data folder is a small file system, and something else fills it at different moments.
# Each time: a push is refused in one sentence, pages and API say read-only and why, the service that runs is answered
# all the while, nothing acknowledged is lost, and weir goes on by itself when there is room.

load lib
load service

setup_file() { bats_require_minimum_version 1.5.0; }
setup() {
	weir_setup
	size=96m
	# Where 5 % is more than the 16 MB below which nothing is taken at all.
	[[ $BATS_TEST_DESCRIPTION != *"5 %"* && $BATS_TEST_DESCRIPTION != *"where objects lie"* ]] || size=1g
	if [ "$(id -u)" != 0 ] && [ -z "${WEIR_DISK-}" ]; then
		inside
		skip "it passed in a namespace that has such a disk"
	fi
	data=${WEIR_DISK-$data}
	remote=$data/repos/p.git
	project_new
	mkdir -p "$data"
	[ -n "${WEIR_DISK-}" ] || mount -t tmpfs -o "size=$size,mode=711" weir-small "$data"
}
# inside: this test once more, for who may mount nothing: root of a namespace mounts, and the same user as here goes on
inside() {
	mkdir -p "$BATS_TEST_TMPDIR/disk" "$BATS_TEST_TMPDIR/disk.tmp"
	# shellcheck disable=SC2016 # for the inner shell
	WEIR_DISK=$BATS_TEST_TMPDIR/disk unshare -rm sh -c 'mount -t tmpfs -o size=$1,mode=755 weir-small "$WEIR_DISK" &&
		exec env -i HOME="$HOME" TMPDIR="$WEIR_DISK.tmp" PATH="$6" WEIR_DISK="$WEIR_DISK" \
			unshare -U --map-user="$2" --map-group="$3" bats "$4" -f "^$5\$"' - \
		"$size" "$(id -u)" "$(id -g)" "$BATS_TEST_FILENAME" "$BATS_TEST_DESCRIPTION" \
		"${PATH//*bats-core:/}"
}
teardown() {
	ask_end
	weir_teardown
	[ "$(id -u)" != 0 ] || ! mountpoint -q "$data" 2>/dev/null || umount -l "$data"
}

# fill [BYTES]: all but BYTES, at once; weir may write something in between
fill() {
	local left
	for _ in 1 2 3 4 5; do
		left=$(($(df --output=avail -B1 "$data" | tail -1) - ${1-0}))
		[ "$left" -gt 0 ] || return 0
		fallocate -l "$left" "$data/filler.$RANDOM$RANDOM" && return
	done
	head -c "$left" /dev/zero >"$data/filler.last" || true
}
fill_all() { # also what is released meanwhile
	fill
	head -c 100m /dev/zero >"$data/filler.rest" 2>/dev/null || true
}
make_room() { rm -f "$data"/filler.*; }

code() { curl -s -o /dev/null -w '%{http_code}' --max-time 5 "$url$1"; }
is_read_only() { [ "$(code /healthz)" = 503 ]; }
is_writable() { [ "$(code /healthz)" = 200 ]; }
says_why() {
	run -0 curl -s "$url/api/v1/status"
	jq -r .read_only <<<"$output"
	[[ $(jq -r .read_only <<<"$output") == *"disk"*"weir goes on by itself"* ]]
	run -0 curl -s "$url/"
	[[ $output == *"Read-only:"*"disk"* ]]
	run -0 weir status
	echo "$output"
	[[ $output == *"read-only"* ]]
}
running() { [ "$(sql "SELECT count(*) FROM runs WHERE state = 'running'")" -ge 1 ]; }
deployed() { [ "$(sql "SELECT count(*) FROM rollouts WHERE outcome = 'passed'")" -ge "$1" ]; }
active() { curl -s "http://127.0.0.1:$port/"; }

begin() { # begin [YAML]: a service from a landed release, that somebody asks
	weir_serve
	environment_new "${1-}"
	push
	lands "$change"
	eventually deployed 1
	eventually answers
	ask_start
}
push_is_refused() { # push_is_refused TEXT
	local before
	before=$(sql 'SELECT count(*) FROM changes')
	run timeout 30 git -C "$project" push -o topic=refused "$1" HEAD:refs/for/main
	echo "$output"
	[ "$status" != 0 ]
	[ "$status" != 124 ]
	[ "$(sql 'SELECT count(*) FROM changes')" = "$before" ]
}
# goes_on: with room again, all that was acknowledged ends as if nothing had been, and a new change lands
goes_on() {
	make_room
	eventually is_writable
	for id in $(sql 'SELECT id FROM changes'); do lands "$id"; done
	branch after
	commit after.txt "$RANDOM"
	push
	lands "$change"
	eventually deployed "$1"
	ask_stop
	audit_clean
	weir_kill
	weir_serve
	audit_clean
	answers
}

@test "full before a push: refused in one sentence by path and HTTP, then it lands" {
	begin
	branch work
	commit a 1
	fill
	eventually is_read_only
	says_why
	push_is_refused "$remote"
	[[ $output == *"read-only: less than 16 MB are left on the disk of $data"*"make room"* ]]
	push_is_refused "$url/git/p.git"
	[[ $output == *"503"* ]]
	make_room
	eventually is_writable
	push
	goes_on 3
}

@test "full to the last byte, reserve included: nobody is told yes, weir lives and goes on" {
	begin
	branch work
	commit a 1
	fill
	eventually is_read_only
	for _ in 1 2 3; do
		fill_all
		sleep 0.5
	done
	push_is_refused "$remote"
	[[ $output == *"No space left on device"* || $output == *"read-only"* ]]
	push_is_refused "$url/git/p.git"
	says_why
	run -0 weir status
	goes_on 2
}

@test "full while a job runs: its end is recorded, the change lands, or waits and lands" {
	begin
	branch work
	commit check.sh "sleep 3"
	push
	slow=$change
	eventually running
	fill
	eventually is_read_only
	sleep 4
	sql "SELECT id, state, reason FROM changes; SELECT id, state, reason FROM runs"
	[[ "$(field "$slow" state)" =~ ^(landed|landing|testing|queued)$ ]]
	goes_on 3
	[ "$(field "$slow" state)" = landed ]
}

@test "full to the last byte while a job runs: its end is not lost" {
	begin
	branch work
	commit check.sh "sleep 3"
	push
	eventually running
	fill
	eventually is_read_only
	fill_all
	sleep 4
	fill_all
	says_why
	goes_on 3
}

@test "full in the moment of landing and deploying, at each step: it lands once and is deployed" {
	begin
	n=1
	for table in candidates landings releases rollouts; do # a row appears as the step begins
		branch "step$n"
		commit check.sh "sleep 0.5; : $table"
		rows() { sql "SELECT count(*) FROM $table"; }
		before=$(rows)
		push -o "topic=step$n"
		until [ "$(rows)" -gt "$before" ]; do sleep 0.01; done
		fill_all
		sleep 1
		make_room
		eventually is_writable
		lands "$change"
		n=$((n + 1))
		eventually deployed "$n"
	done
	goes_on $((n + 1))
	[ "$(sql "SELECT count(*) FROM changes WHERE state = 'landed'")" = $((n + 1)) ]
	[ "$(sql 'SELECT count(*) FROM changes')" = $((n + 1)) ]
}

# full_in_a_deploy: a second release, whose deploy finds the disk full when service.before has ended
full_in_a_deploy() {
	local go=$BATS_TEST_TMPDIR/go
	touch "$go"
	begin "      before: until [ -e $go ]; do sleep 0.02; done"
	rm "$go"
	branch next
	commit a 1
	push
	lands "$change"
	deploying() { compgen -G "$data/envs/*/log/2-*before.log"; }
	eventually deploying
	fill
	eventually is_read_only
	fill_all
	touch "$go"
	told() { [[ $(cat "$BATS_TEST_TMPDIR"/serve*) == *"rollout 2: "*"No space left on device; tried again when there is room"* ]]; }
	eventually told
	sleep 1.5 # it is tried again, and finds none
	[ "$(sql 'SELECT outcome FROM rollouts WHERE id = 2')" = "" ]
	answers
}

@test "a deploy that finds the disk full is tried again when there is room" {
	full_in_a_deploy
	goes_on 3
	[ "$(sql 'SELECT outcome FROM rollouts WHERE id = 2')" = passed ]
}

@test "a deploy that waits for room on the disk gives way to a rollback" {
	full_in_a_deploy
	truncate -s -3M "$(ls -S "$data"/filler.* | head -1)" # enough to record it, and less than 5 %
	run -0 weir rollback production
	cancelled() { [ "$(sql 'SELECT outcome FROM rollouts WHERE id = 2')" = cancelled ]; }
	eventually cancelled
	goes_on 2
	[ "$(sql 'SELECT outcome FROM rollouts WHERE id = 2')" = cancelled ]
}

@test "a full disk does not keep anybody from rolling back" {
	begin
	branch next
	commit a 1
	push
	lands "$change"
	eventually deployed 2
	fill
	eventually is_read_only
	run -0 curl -s "$url/environment/production"
	grep -o '<button[^>]*id="rollback"[^>]*>' <<<"$output" | grep -v disabled
	run -0 weir rollback production
	echo "$output"
	rolled() { [ "$(sql "SELECT outcome FROM rollouts WHERE cause = 'rollback'")" = passed ]; }
	eventually rolled
	goes_on 4
}

@test "less than 5 % free: jobs wait for room, a job under way is stopped, and both are done in the end" {
	weir_serve
	fill 40000000 # 3.7 %
	branch work
	commit a 1
	push
	sleep 3
	[ "$(field "$change" state)" = testing ]
	[ "$(sql "SELECT count(*) FROM runs WHERE state <> 'issued'")" = 0 ]
	grep -q "less than 5 % of the disk" "$weir_log"
	run -0 weir status
	[[ $output == *"runs wait: less than 5 % of the disk of "* ]]
	run -0 curl -s "$url/"
	[[ $output == *"Runs wait:</strong> less than 5 % of the disk of "* ]]
	[ "$(curl -s "$url/api/v1/status" | jq -r .read_only,.runs_waiting)" = $'null\n1' ]
	make_room
	lands "$change"
	[ "$(sql 'SELECT count(*) FROM runs')" = 1 ]
	[ "$(curl -s "$url/api/v1/status" | jq -r .runs_wait_because)" = null ]

	branch slow
	commit check.sh "sleep 4"
	push
	stopped() { [ "$(sql "SELECT count(*) FROM runs WHERE state = 'lost' AND reason_text LIKE '%5 \%%' ESCAPE '\\'")" = "$1" ]; }
	for n in 1 2 3 4; do # more often than a run may be lost
		eventually running
		fill 40000000
		eventually stopped "$n"
		sleep 1
		[ "$(field "$change" state)" = testing ]
		make_room
	done
	lands "$change"
	audit_clean
}

@test "a job that writes until less than 5 % is free ends as failed, once; the others go on" {
	weir_serve
	branch work
	commit check.sh "head -c 980m /dev/zero >big; sleep 20"
	push
	rejects "$change" job-killed "less than 5 % of the disk is free"
	[ "$(sql 'SELECT count(*) FROM runs')" = 1 ]
	git -C "$project" checkout -q main
	branch fine
	commit a 1
	push
	lands "$change"
	audit_clean
}

@test "what a run made finds no room where objects lie: it is tried as often as any lost run, no more" {
	[ "$(id -u)" = 0 ] || skip "only root can give a part of the data folder a disk of its own"
	mkdir -m 700 "$data/objects"
	mount -t tmpfs -o size=8m,mode=700 weir-objects "$data/objects"
	project_new "jobs: {test: {run: head -c 30m /dev/urandom >big, artifacts: [big]}}"
	weir_serve
	branch work
	commit a 1
	push
	rejects "$change" infrastructure
	[ "$(sql "SELECT count(*) FROM runs")" = 3 ]
	weir_kill TERM
	umount -l "$data/objects"
}
