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
