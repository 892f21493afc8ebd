#!/usr/bin/env bats
# shellcheck disable=SC2154 # lib.bash sets what it names; bats sets status and output
# The wall clock jumps a day forward and back again: the log's time never goes back and never stands still, no
# duration is negative, and everything goes on. WEIR_CLOCK (os/clock.h) is what makes the clock wrong.

load lib
load service

DAY=86400000
setup() {
	weir_setup
	project_new
	export WEIR_CLOCK=$BATS_TEST_TMPDIR/clock
	shift_clock 0
}
teardown() {
	ask_end
	weir_teardown
}

shift_clock() { echo "$1" >"$WEIR_CLOCK"; } # shift_clock MS
runs_running() { [ "$(sql "SELECT count(*) FROM runs WHERE state = 'running'")" -ge 1 ]; }
newest_ms() { sql 'SELECT max(time_ms) FROM events'; }
deployed() { [ "$(sql "SELECT count(*) FROM rollouts WHERE outcome = 'passed'")" -ge "$1" ]; }

# times_are_sound: no event is before its predecessor, and what took seconds has seconds for durations, not a day or less than nothing
times_are_sound() {
	local table odd
	[ "$(sql 'SELECT count(*) FROM events a JOIN events b ON b.seq = a.seq + 1 WHERE b.time_ms < a.time_ms')" = 0 ]
	for table in runs rollouts; do
		odd=$(sql "SELECT id, duration_ms FROM $table WHERE duration_ms NOT BETWEEN 0 AND 60000")
		[ -z "$odd" ] || { echo "$table: $odd" && return 1; }
	done
	odd=$(sql "SELECT id, proposed_ms, queued_ms, landed_ms FROM changes WHERE queued_ms < proposed_ms OR landed_ms < queued_ms")
	[ -z "$odd" ] || { echo "changes: $odd" && return 1; }
	odd=$(sql "SELECT id, issued_ms, exposed_ms, ended_ms FROM rollouts WHERE exposed_ms < issued_ms OR ended_ms < exposed_ms")
	[ -z "$odd" ] || { echo "rollouts: $odd" && return 1; }
	audit_clean
}

slow_change() { # slow_change NAME: a change whose job takes a second
	branch "$1"
	commit check.sh "sleep 1; : $1"
	push
}

@test "the clock jumps a day forward and back, while jobs run and between" {
	weir_serve
	environment_new
	push
	lands "$change"
	eventually deployed 1
	ask_start

	slow_change forward
	eventually runs_running
	shift_clock $DAY
	lands "$change"
	eventually deployed 2
	[ "$(newest_ms)" -ge $(($(date +%s%3N) + DAY - 60000)) ]
	times_are_sound

	slow_change back
	eventually runs_running
	shift_clock 0
	lands "$change"
	eventually deployed 3
	eventually grep -q "clock is .* behind the log" "$weir_log"
	[ "$(grep -c "behind the log" "$weir_log")" = 1 ]
	times_are_sound

	# Time goes on in the log: the job's second is nearly a second there.
	slow_change meanwhile
	lands "$change"
	took=$(sql "SELECT ended_ms - started_ms FROM runs WHERE change = $change AND name = 'test'")
	echo "the run took $took ms in the log"
	[ "$took" -ge 800 ]
	[ "$took" -lt 60000 ]
	eventually deployed 4
	times_are_sound

	# What is shown counts from the log's time as well.
	run -0 curl -s "$url/change/$change"
	[[ ! $output =~ \>-[0-9] ]]
	slow_change shown
	eventually runs_running
	begun=$(sql "SELECT started_ms FROM runs WHERE state = 'running' LIMIT 1")
	run -0 curl -s "$url/api/v1/status"
	now=$(date -d "$(jq -r .time <<<"$output")" +%s%3N)
	echo "the run began at $begun, the server says it is $now"
	[ "$now" -ge "$begun" ]
	[ "$now" -lt $((begun + 60000)) ]
	lands "$change"
	ask_stop
}

@test "a daemon that starts a day behind its log goes on from there" {
	shift_clock $DAY
	weir_serve
	branch work
	commit a 1
	push
	lands 1
	weir_kill
	before=$(newest_ms)
	shift_clock 0
	weir_serve
	eventually grep -q "behind the log" "$weir_log"
	slow_change later
	lands 2
	[ "$(newest_ms)" -gt $((before + 800)) ]
	[ "$(newest_ms)" -lt $((before + 60000)) ]
	times_are_sound
}

@test "a nightly job runs once for a day that the clock jumped to, and not again when it jumped back" {
	commit weir.yml "jobs: {test: {run: sh check.sh}, night: {run: 'true', when: nightly}}"
	weir_serve
	branch work
	commit a 1
	push
	lands 1
	nights() { sql "SELECT count(*) FROM runs WHERE name = 'night' AND outcome = 'passed'"; }
	nights_are() { [ "$(nights)" = "$1" ]; }
	nights_are 0
	shift_clock $DAY
	branch next # an event wakes the loop, which looks once a minute otherwise
	commit b 1
	push
	lands 2
	eventually nights_are 1
	shift_clock 0
	branch more
	commit c 1
	push
	lands 3
	sleep 1
	nights_are 1
	times_are_sound
}
