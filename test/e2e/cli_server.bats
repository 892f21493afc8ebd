#!/usr/bin/env bats
# The command line against a server: what it prints, and how it exits.
# shellcheck disable=SC2154 # run sets stderr

bats_require_minimum_version 1.5.0

setup_file() {
	export WEIR_BUILD=${WEIR_BUILD:-$BATS_TEST_DIRNAME/../../build/rel} LC_ALL=C.UTF-8 HOME=$BATS_FILE_TMPDIR
	export PATH=$WEIR_BUILD:$PATH GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
	export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.com
	unset WEIR_URL WEIR_TOKEN
	chmod 711 "$BATS_FILE_TMPDIR"
	mkdir "$BATS_FILE_TMPDIR/work"
	cd "$BATS_FILE_TMPDIR/work" || return
	git init -q -b main .
	printf 'jobs:\n  test:\n    run: cat word && grep -q good word\n' >weir.yml
	echo good >word
	echo .weir >.gitignore
	git add -A
	git commit -qm first
	weir serve --listen 127.0.0.1:0 >"$BATS_FILE_TMPDIR/out" 2>"$BATS_FILE_TMPDIR/log" 3>&- &
	echo $! >"$BATS_FILE_TMPDIR/pid"
	for _ in $(seq 100); do
		! grep -q "git remote add" "$BATS_FILE_TMPDIR/out" || break
		sleep 0.1
	done
	git remote add weir "$(sed -n 's/.*git remote add weir //p' "$BATS_FILE_TMPDIR/out")"
	git checkout -q -b right
	echo news >news
	git add news
	git commit -qm 'Add more'
	git push -q weir HEAD:refs/for/main
	git checkout -q -b wrong main
	echo bad >word
	git commit -qam 'Break the word'
	git push -q weir HEAD:refs/for/main
}

teardown_file() {
	kill "$(cat "$BATS_FILE_TMPDIR/pid")"
	weir stop --data "$BATS_FILE_TMPDIR/work/.weir" --all || true
}

setup() { cd "$BATS_FILE_TMPDIR/work" || return; }

# call STATUS TEXT COMMAND...: ends so, and says so
call() {
	local want=$1 text=$2
	shift 2
	run --separate-stderr "$@"
	[ "$status" = "$want" ] || { echo "$*: $status, $output $stderr"; return 1; }
	[[ $output$stderr == *"$text"* ]] || { echo "$*: $output $stderr"; return 1; }
}

@test "status --wait exits by the outcome" {
	run --separate-stderr weir status 1 --wait landed --timeout 60s
	[ "$status" = 0 ]
	run --separate-stderr weir status 2 --wait landed --timeout 60s
	[ "$status" = 1 ]
	[[ $output == *$'\t2\trejected\t'* ]]
	run --separate-stderr weir status '#2' --wait 'done'
	[ "$status" = 1 ]
	run --separate-stderr weir status 1 --wait deployed --timeout 1s # no environment will ever run it
	[ "$status" = 1 ]
	[[ $stderr == *'is not deployed after 1.0 s, it is landed'* ]]
}

@test "status ID --json is the API's own JSON" {
	weir status 1 --json >here
	curl -s "$(cat .weir/url)/api/v1/changes/1" >there
	cmp <(jq -S . here) <(jq -S . there)
	[ "$(jq -r '.state + " " + (.id | tostring) + " " + .repo' here)" = 'landed 1 work' ]
}

@test "status of one change and of all" {
	run --separate-stderr weir status 2
	[ "$status" = 0 ]
	[[ ${lines[0]} == '✗ #2 ejected '* ]]
	[[ $output == *'See: weir log 2 test   Repeat here: weir run test'* ]]
	run --separate-stderr weir status
	[ "$status" = 0 ]
	[[ $output == *'0 in the queue'*'last hour: 1 landed, 1 ejected, 0 deployed, 0 rolled back'* ]]
	run --separate-stderr weir status 99
	[ "$status" = 1 ]
	[[ $stderr == 'error: '*'99'* ]]
}

@test "what is watched fits the terminal, and is drawn again in its place" {
	watched() { # watched ROWS: what weir status --watch writes on a terminal of that height, until q
		(sleep 1.5; printf q) | TERM=xterm script -qec "stty cols 80 rows $1; weir status --watch" /dev/null | tr '\033' '%'
	}
	high=$(watched 24)
	[[ $high == *'last hour'* ]]
	[[ $high == *'%[2A'* ]] # two lines up, and again
	[[ $high == *'%[?7h%[?25h'* ]]
	low=$(watched 2)
	[[ $low == *' idle'*'q quits'* ]]
	[[ $low == *'%[1A'* ]]
	[[ $low != *'%[2A'* ]]
	[[ $low != *'last hour'* ]]
}

@test "log, diff, changes, releases, queue, events" {
	[ "$(weir log 2 test | head -n 1)" = bad ]
	weir diff 2 | grep -q '^+bad'
	[ "$(weir changes | wc -l)" = 2 ]
	weir releases | grep -q 'Add more'
	weir queue --json | jq -e '.changes == []'
	weir events --from 1 | grep -q 'change.landed'
	weir events --from 1 --json | jq -e -s 'length > 5 and all(.[]; .seq > 0)'
	run --separate-stderr weir log 2 nothing
	[ "$status" = 1 ]
}

@test "a stream that ends with its reader is no error message" {
	weir events --from 1 --json | head -n 1 | jq -e .seq
}

@test "retry, then withdraw or cancel" {
	run --separate-stderr weir retry 2
	[ "$status" = 0 ]
	run --separate-stderr weir status 2 --wait 'done' --timeout 60s
	[ "$status" = 1 ]
	run --separate-stderr weir withdraw 1
	[ "$status" = 1 ]
}

@test "tokens: shown once, alone in a pipe; void after revoke" {
	token=$(weir token create ci --scopes read)
	[[ $token =~ ^weir_[0-9a-f]{64}$ ]]
	run weir token list
	[[ $output == *ci* ]]
	[[ $output != *"$token"* ]]
	run --separate-stderr weir token create other
	[ "$status" = 2 ]
	run --separate-stderr weir token create other --scopes everything
	[ "$status" != 0 ]
	weir token revoke ci
	WEIR_TOKEN=$token run --separate-stderr weir queue
	[ "$status" = 1 ]
}

@test "secrets: from standard input, never shown again" {
	printf 'hunter2-and-more\n' | weir secret set KEY
	run weir secret list
	[[ $output == *KEY* ]]
	[[ $output != *hunter2* ]]
	weir secret rm KEY
	run --separate-stderr weir secret rm KEY
	[ "$status" = 1 ]
}

@test "keys: the line for authorized_keys" {
	key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDdDAKjXbV0Yh5n5s0pXkT3o0RkHq5d8n6iYyQd0sW1k me@here"
	echo "$key" >id.pub
	run --separate-stderr weir key add me id.pub
	[ "$status" = 0 ]
	[[ $output == *"command=\"weir ssh-serve me"*",restrict $key"* ]]
	weir key list | grep -q '^me'
	weir key rm me
}

@test "deploy and rollback without an environment say so" {
	run --separate-stderr weir deploy production
	[ "$status" = 1 ]
	run --separate-stderr weir rollback production
	[ "$status" = 1 ]
}

@test "numbers, names and files that cannot be are answered with what can" {
	call 2 'lines is a number from 1, not "0"' weir log 1 test --lines 0
	call 2 'before is a number from 1, not "0"' weir changes --before 0
	call 2 '"foo" names nothing' weir events --entity foo
	call 2 'env is empty' weir deploy ''
	call 2 'the name of the file is empty' weir check ''
	call 2 'weir sets WEIR_ variables itself' bash -c 'echo secrets | weir secret set WEIR_TOKEN'
	call 1 'cannot write the output: No space left on device' bash -c 'weir queue >/dev/full'
	for verb in audit replay collect; do
		call 1 'Name its folder with --data DIR' weir "$verb" --data /nonexistent
	done
}

@test "a second server on the same address says so, and how to have another" {
	address=$(head -1 "$BATS_FILE_TMPDIR/out")
	call 1 "another program listens on ${address#http://}; take another port" \
		weir serve --listen "${address#http://}" --data "$BATS_TEST_TMPDIR/data"
}

@test "a scope is kept once, and a day of another year has its year" {
	weir token create twice --scopes propose,read,read --days 400 >/dev/null
	run weir token list
	[[ $output =~ read,propose\ .*\ 20[0-9][0-9]\  ]]
	weir token revoke twice
}

@test "the API names the methods there are, and refuses a long body before it comes" {
	address=$(head -1 "$BATS_FILE_TMPDIR/out")
	run curl -s -i -X POST "$address/api/v1/changes"
	[[ $output == *'Allow: GET, HEAD'* ]]
	run timeout 5 curl -s -i -H 'Content-Length: 99999999999' -d '{' "$address/api/v1/repos"
	[[ $output == *' 413 '* ]]
	run curl -s -d '{"name":"a\u0000"}' "$address/api/v1/repos"
	[[ $output == *'u0000 is not taken'*'openapi.json describes each parameter'* || $output == *'openapi.json describes each parameter'*'u0000 is not taken'* ]]
}

@test "a follower of events that went away keeps no descriptor" {
	address=$(head -1 "$BATS_FILE_TMPDIR/out")
	pid=$(cat "$BATS_FILE_TMPDIR/pid")
	before=$(find "/proc/$pid/fd" | wc -l)
	for _ in 1 2 3 4 5; do timeout 0.3 curl -s -o /dev/null "$address/api/v1/events?follow=1&from=1" || true; done
	for _ in $(seq 150); do
		[ "$(find "/proc/$pid/fd" | wc -l)" -gt "$before" ] || break
		sleep 0.1
	done
	[ "$(find "/proc/$pid/fd" | wc -l)" -le "$before" ]
}
