#!/usr/bin/env bats
# shellcheck disable=SC2154 # lib.bash sets what it names; bats sets status and output
# The machine misbehaves: a second daemon, a locked database, killed children, stale locks, odd folders. A full disk is
# in disk.bats, clocks that jump in clock.bats.

load lib

setup() {
	weir_setup
	project_new
}
teardown() {
	[ -z "${locker-}" ] || kill "$locker" 2>/dev/null || true
	weir_teardown
}

serve_fails() { # serve_fails TEXT [OPTION...]: it ends by itself, says this
	local text=$1
	shift
	run timeout 20 weir serve --data "$data" --listen 127.0.0.1:0 "$@"
	echo "$output"
	[ "$status" != 0 ]
	[ "$status" != 124 ]
	[[ $output == *"$text"* ]]
}
git_children() {
	local pid comm
	# shellcheck disable=SC2013 # words
	for pid in $(cat "/proc/$weir_pid/task/"*/children 2>/dev/null); do
		read -r comm 2>/dev/null <"/proc/$pid/comm" || continue
		[[ $comm != git* ]] || echo "$pid"
	done
}

@test "a second daemon on the same data is refused, the first goes on" {
	weir_serve
	cd "$project" || return 1
	serve_fails "another weir serves"
	branch work
	commit a 1
	push
	lands 1
}

@test "data of a newer version is refused, and left as it is" {
	weir_serve
	weir_kill TERM
	sqlite3 "$data/weir.db" 'PRAGMA user_version = 9999; PRAGMA wal_checkpoint(TRUNCATE)'
	before=$(sha256sum <"$data/weir.db")
	cd "$project" || return 1
	serve_fails "newer"
	[ "$(sha256sum <"$data/weir.db")" = "$before" ]
}

@test "a database that another process holds for ten seconds: pushes are refused in words, then all goes on by itself" {
	weir_serve
	mkfifo "$BATS_TEST_TMPDIR/lock"
	sqlite3 "$data/weir.db" <"$BATS_TEST_TMPDIR/lock" >/dev/null 2>&1 3>&- &
	locker=$!
	exec 8>"$BATS_TEST_TMPDIR/lock"
	echo 'BEGIN EXCLUSIVE;' >&8
	sleep 0.5
	begun=$SECONDS
	for n in 1 2 3; do
		branch "w$n"
		commit "f$n" "$n"
		run timeout 60 git -C "$project" push -o "topic=t$n" "$remote" HEAD:refs/for/main
		echo "$output"
		[ "$status" != 0 ]
		[[ $output == *"weir is read-only: "*"another process holds the database"*"weir tries again each second"* ]]
		[ "$(curl -s -o /dev/null -w '%{http_code}' --max-time 10 "$url/healthz")" = 503 ]
		run -0 curl -s --max-time 10 "$url/"
		[[ $output == *"Read-only:"*"another process holds the database"* ]]
	done
	while [ $((SECONDS - begun)) -lt 10 ]; do sleep 0.5; done
	kill -0 "$weir_pid"
	exec 8>&-
	wait "$locker" || true
	locker=
	healthy() { [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/healthz")" = 200 ]; }
	eventually healthy
	[ "$(sql 'SELECT count(*) FROM changes')" = 0 ]
	for n in 1 2 3; do
		git -C "$project" checkout -q "w$n"
		push -o "topic=t$n"
		lands "$n"
	done
	audit_clean
}

@test "git children killed at random: every push is answered, every change lands once" {
	weir_serve
	(
		while [ ! -e "$BATS_TEST_TMPDIR/enough" ]; do
			for pid in $(git_children); do [ $((RANDOM % 3)) != 0 ] || kill -9 "$pid" 2>/dev/null || true; done
			sleep 0.05
		done
	) 3>&- &
	killer=$!
	branch work
	for n in $(seq 15); do
		git -C "$project" checkout -q -B "w$n" main
		commit "f$n" "$n"
		for _ in $(seq 20); do
			run git -C "$project" push -o "topic=t$n" "$remote" HEAD:refs/for/main
			[ "$status" != 0 ] || break
			sleep 0.1
		done
		[ "$status" = 0 ]
	done
	touch "$BATS_TEST_TMPDIR/enough"
	wait "$killer"
	for n in $(seq 15); do
		eventually is_over "$n"
		[ "$(field "$n" state)" = landed ] || {
			[ "$(field "$n" reason)" = infrastructure ]
			run -0 weir retry "$n"
			lands "$n"
		}
	done
	[ "$(sql "SELECT count(*) FROM changes")" = 15 ]
	[ "$(git -C "$remote" ls-tree --name-only main | grep -c '^f[0-9]*$')" = 15 ]
	audit_clean
}

@test "killed inside the landing, at every step of it: it lands once" {
	weir_serve
	n=0
	for place in after-append.landing.issued landing-before-intent landing-before-cas landing-after-cas landing-told \
		before-append.change.landed after-append.change.landed push-before-refs push-before-answer; do
		weir_kill
		WEIR_FAILPOINT=$place:1 weir_serve
		n=$((n + 1))
		branch "work$n"
		commit "f$n" "$place"
		git -C "$project" push -o "topic=t$n" "$remote" HEAD:refs/for/main >/dev/null 2>&1 || true
		dead() { ! kill -0 "$weir_pid" 2>/dev/null; }
		eventually dead
		weir_serve
		push -o "topic=t$n" || [[ $output == *"nothing to land"* ]]
		lands "$n"
		audit_clean
	done
	[ "$(sql "SELECT count(*) FROM changes")" = "$n" ]
}

@test "stale locks of git are removed at the start" {
	weir_serve
	weir_kill
	touch "$remote/refs/heads/main.lock" "$remote/HEAD.lock" "$remote/packed-refs.lock"
	weir_serve
	branch work
	commit a 1
	push
	lands 1
	[ ! -e "$remote/refs/heads/main.lock" ]
}

@test "a stale lock of git's that appears while weir runs does not keep a change from landing" {
	weir_serve
	touch "$remote/refs/heads/main.lock" "$remote/packed-refs.lock"
	branch work
	commit a 1
	push
	lands 1
	[ ! -e "$remote/refs/heads/main.lock" ]
	audit_clean
}

@test "a data folder whose path is too long for a socket is refused with the limit" {
	data=$BATS_TEST_TMPDIR/$(printf 'x%.0s' $(seq 120))
	cd "$project" || return 1
	serve_fails "too long for a socket"
}

@test "an unwritable data folder, a taken port, a bad address" {
	touch "$BATS_TEST_TMPDIR/file"
	(cd "$project" && data=$BATS_TEST_TMPDIR/file/d serve_fails "$BATS_TEST_TMPDIR/file")
	data=/proc/nothing
	(cd "$project" && serve_fails "/proc/nothing")
	data=$BATS_TEST_TMPDIR/d
	weir_serve
	taken=${url#http://}
	data=$BATS_TEST_TMPDIR/e
	cd "$project" || return 1
	run timeout 20 weir serve --data "$data" --listen "$taken"
	[ "$status" != 0 ]
	[[ $output == *"$taken"* ]]
	run timeout 20 weir serve --data "$data" --listen nonsense
	[ "$status" != 0 ]
	[[ $output == *nonsense* ]]
}

@test "a repository that was taken away: the others are served, and it is found again" {
	weir_serve
	run -0 weir repo add second "$project"
	weir_kill
	mv "$remote" "$BATS_TEST_TMPDIR/away.git"
	weir_serve
	grep -q "repository p" "$weir_log"
	remote=$data/repos/second.git
	branch work
	commit a 1
	push
	lands 1
	weir_kill
	remote=$data/repos/p.git
	mv "$BATS_TEST_TMPDIR/away.git" "$remote"
	weir_serve
	branch more
	commit b 1
	push
	lands 2
	audit_clean
}

@test "trunk moved by hand while weir was away: told, and built upon" {
	weir_serve
	weir_kill
	stranger=$(git -C "$remote" commit-tree -p main -m stranger 'main^{tree}')
	printf '%s\n' "$stranger" >"$remote/refs/heads/main"
	weir_serve
	eventually grep -q "moved without weir" "$weir_log"
	branch work
	commit a 1
	push
	lands 1
	git -C "$remote" merge-base --is-ancestor "$stranger" main
}

@test "time of events never goes back" {
	weir_serve
	branch work
	commit a 1
	push
	lands 1
	[ "$(sql 'SELECT count(*) FROM events a JOIN events b ON b.seq = a.seq + 1 WHERE b.time_ms < a.time_ms')" = 0 ]
}

@test "foreign Host and Origin are refused" {
	weir_serve
	[ "$(curl -s -o /dev/null -w '%{http_code}' "$url/api/v1/status")" = 200 ]
	for header in 'Host: evil.example' 'Host: evil.example:80'; do
		code=$(curl -s -o /dev/null -w '%{http_code}' -H "$header" "$url/api/v1/status")
		[ "$code" -ge 400 ]
		[ "$code" -lt 500 ]
	done
	code=$(curl -s -o /dev/null -w '%{http_code}' -X POST -H 'Origin: http://evil.example' "$url/api/v1/changes/1/withdraw")
	[ "$code" = 403 ]
}
