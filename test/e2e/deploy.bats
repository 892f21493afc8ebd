#!/usr/bin/env bats
# The supervisor of an environment: deploys, rollbacks, what can go wrong, and that traffic does not notice.
# DEPLOYS=50 makes the test under load as long as bench/bench_deploy's.

bats_require_minimum_version 1.5.0
load ../processes

setup_file() {
	mkdir -p "$BATS_FILE_TMPDIR/bin"
	"$BATS_TEST_DIRNAME/../load/build" "$BATS_FILE_TMPDIR/bin"
	export PATH=$BATS_FILE_TMPDIR/bin:$PATH
	chmod 711 "$BATS_FILE_TMPDIR"
}

setup() {
	env=$BATS_TEST_TMPDIR/env load=
	mkdir -p "$env/releases"
	port=$(envctl port)
	service='./service --port $PORT --mode $(cat mode)'
	spec
}

teardown() {
	[ -z "$load" ] || kill "$load" 2>/dev/null || true # of a test that failed
	[ -e "$env/supervisor.pid" ] || return 0
	envctl ensure "$env" || true # a failed test may have left it dead
	envctl send "$env" '{"do":"stop"}' 20000 >/dev/null || true
	kill_processes_of "$env"
}

# spec [jq FILTER]: writes spec.json, changed by the filter
spec() {
	jq -n --arg run "$service" --arg listen "127.0.0.1:$port" '{environment: "production", $listen, hold_ms: 3000,
		service: {$run, health: "/healthz", grace_ms: 2000, start_timeout_ms: 5000}}' | jq "${1-.}" >"$env/spec.json"
}

release() { # release NAME [MODE]
	mkdir -p "$env/releases/$1"
	cp "$(command -v service)" "$env/releases/$1/"
	echo "${2-ok}" >"$env/releases/$1/mode"
}

send() { envctl send "$env" "$1" "${2-30000}"; }
deploy() { send "{\"do\":\"deploy\",\"id\":\"deploy $1 $RANDOM\",\"release\":\"$1\"}"; }
rollback() { send "{\"do\":\"rollback\",\"id\":\"rollback $RANDOM $RANDOM\"}"; }
status() { send '{"do":"status"}' | jq -r "$1"; }
get() { curl -sS --max-time 5 "http://127.0.0.1:$port/"; }
now_ms() { date +%s%3N; }

first() { # first MODE...: an environment with release r1 active
	release r1 "${1-ok}"
	envctl ensure "$env"
	deploy r1
}

load_start() { # load_start OPTION...: in the background, its report in $report
	report=$BATS_TEST_TMPDIR/load.json
	loadgen --to "$port" --clients 4 --rate 2000 "$@" >"$report" 3>&- &
	load=$!
	sleep 0.2
}
load_stop() {
	kill "$load"
	wait "$load"
	load=
	cat "$report"
}
report() { jq -e "$1" "$report"; }

# eventually COMMAND...: within 5 s
eventually() {
	for _ in $(seq 100); do
		"$@" && return
		sleep 0.05
	done
	echo "not within 5 s: $*"
	return 1
}
pid_of() { status ".releases[] | select(.id == \"$1\") | .instances[${2-0}].pid"; }
is_gone() { [ ! -e "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status"; }
proxy_pid() { jq .proxy.process.pid "$env/state.json"; }

@test "a release is deployed and answers" {
	first
	[ "$(get)" = "hello from r1" ]
	[ "$(status .active)" = r1 ]
	[ "$(status .healthy)" = true ]
}

@test "deploys and rollbacks under load fail no request" {
	first
	deploys=${DEPLOYS:-6}
	load_start
	slowest=0
	for n in $(seq 2 $((deploys + 1))); do
		release "r$n"
		deploy "r$n"
		sleep 0.1
		begin=$(now_ms)
		rollback
		took=$(($(now_ms) - begin))
		[ "$took" -lt 1000 ]
		[ "$took" -le "$slowest" ] || slowest=$took
		[ "$(get)" = "hello from r1" ]
		sleep 0.1
	done
	load_stop
	echo "# $deploys deploys and rollbacks, slowest rollback $slowest ms: $(jq -c 'del(.releases)' "$report")" >&3
	report '.failed == 0 and .service_5xx == 0 and .requests == .ok and .rps >= 1000'
	report "(.releases | length) == $deploys + 1"
	for kind in get_kept post_kept get_fresh post_fresh; do report ".$kind.requests > 100"; done
}

@test "requests under way are finished by the release that has them" {
	first
	release r2
	load_start --path /slow
	deploy r2
	sleep 0.5
	rollback
	sleep 0.5
	load_stop
	report '.failed == 0 and .releases.r1.count > 0 and .releases.r2.count > 0'
}

@test "a release that hangs is left within a second, and its requests are cut after the grace" {
	first
	release r2 "hang --after 0"
	load_start --timeout 20000
	deploy r2
	sleep 0.5
	begin=$(now_ms)
	rollback
	[ "$(get)" = "hello from r1" ]
	[ $(($(now_ms) - begin)) -lt 1000 ]
	eventually eval '[ "$(status .cut)" -gt 0 ]'
	load_stop
	report '.refused + .reset + .truncated + .timeout == 0' # only what r2 had is cut, and GETs are tried again
	report '.get_kept.failed + .get_fresh.failed == 0 and .failed <= 8'
}

@test "a supervisor killed by -9 is replaced, and no request notices" {
	first
	release r2
	deploy r2
	before=$(pid_of r2)
	load_start
	kill -9 "$(cat "$env/supervisor.pid")"
	sleep 0.3
	run ! send '{"do":"ping"}'
	limit=1000
	[ "${VARIANT-}" != asan ] || limit=5000 # a program with sanitizers takes its time to start
	begin=$(now_ms)
	envctl ensure "$env"
	rollback
	[ $(($(now_ms) - begin)) -lt "$limit" ]
	[ "$(get)" = "hello from r1" ]
	kill -9 "$(cat "$env/supervisor.pid")"
	envctl ensure "$env"
	release r3
	deploy r3
	[ "$(get)" = "hello from r3" ]
	load_stop
	report '.failed == 0 and .requests == .ok'
	eventually is_gone "$before"
}

@test "a supervisor killed at any moment of a deploy: the same command again ends it" {
	first
	load_start
	for n in $(seq 2 $((${KILLS:-6} + 1))); do
		release "r$n"
		send "{\"do\":\"deploy\",\"id\":\"d$n\",\"release\":\"r$n\"}" >/dev/null 2>&1 3>&- &
		sleep "0.0$((RANDOM % 60 + 10))"
		kill -9 "$(cat "$env/supervisor.pid")"
		wait $! || true
		envctl ensure "$env"
		send "{\"do\":\"deploy\",\"id\":\"d$n\",\"release\":\"r$n\"}"
		[ "$(get)" = "hello from r$n" ]
	done
	load_stop
	report '.failed == 0 and .requests == .ok'
	eventually eval '[ "$(status ".releases | length")" -le 2 ]'
	for n in $(seq 1 $((${KILLS:-6} - 1))); do [ -z "$(in_release "r$n")" ]; done
}

@test "what died while no supervisor lived comes back" {
	first
	kill -9 "$(cat "$env/supervisor.pid")"
	kill -9 "$(pid_of_record)" "$(proxy_pid)"
	envctl ensure "$env"
	eventually eval '[ "$(get 2>&1)" = "hello from r1" ]'
}
pid_of_record() { jq '.releases[0].instances[0].process.pid' "$env/state.json"; }

@test "a killed HAProxy is back at once, and no connection is refused" {
	first
	load_start
	old=$(proxy_pid)
	kill -9 "$old"
	eventually eval '[ "$(proxy_pid)" != "$old" ] && [ "$(status .proxy_up)" = true ]'
	[ "$(get)" = "hello from r1" ]
	sleep 0.3
	load_stop
	report '.refused + .timeout + .proxy_5xx + .truncated == 0 and .failed <= 16' # one a client at most: it was under way
	report '.slowest_us < 500000'
}

@test "a killed HAProxy is back also for a supervisor that adopted it" {
	first
	kill -9 "$(cat "$env/supervisor.pid")"
	envctl ensure "$env"
	eventually eval '[ "$(status .proxy_up)" = true ]'
	load_start
	kill -9 "$(proxy_pid)"
	sleep 0.5
	load_stop
	report '.refused == 0 and .proxy_5xx == 0'
}

@test "a missing artifact is refused by name" {
	first
	run -1 deploy nothing
	[[ $output == *'"code":"not-found"'*releases/nothing* ]]
	release r2
	rm "$env/releases/r2/service"
	run -1 deploy r2
	[[ $output == *"not found"* ]]
	[ "$(get)" = "hello from r1" ]
}

@test "a health check that is never green fails the deploy, with the answer it gave" {
	first
	release r2 red
	spec '.service.start_timeout_ms = 600'
	load_start
	run -1 deploy r2
	[[ $output == *'"code":"timeout"'*"GET /healthz answered 503"* ]]
	load_stop
	report '.failed == 0 and (.releases | keys) == ["r1"]'
	eventually eval '[ "$(status ".releases | length")" = 1 ]'
}

@test "a service that exits at once fails the deploy at once, with its last lines" {
	first
	release r2
	spec '.service.run = "echo cannot find the moon; exit 3"'
	begin=$(now_ms)
	run -1 deploy r2
	[ $(($(now_ms) - begin)) -lt 2000 ]
	[[ $output == *"exited with status 3"* ]]
	[[ $output == *"cannot find the moon"* ]]
	[ "$(get)" = "hello from r1" ]
}

@test "a service on a port that is taken fails with its own words" {
	first
	release r2
	spec ".service.run = \"./service --port $port\""
	run -1 deploy r2
	[[ $output == *"cannot listen on port $port"* ]]
	[ "$(get)" = "hello from r1" ]
}

@test "an address that is taken fails the deploy and leaves what serves" {
	first
	taken=$port
	env2=$BATS_TEST_TMPDIR/env2
	mkdir -p "$env2/releases"
	cp -r "$env/releases/r1" "$env2/releases/"
	cp "$env/spec.json" "$env2/"
	envctl ensure "$env2"
	run -1 envctl send "$env2" '{"do":"deploy","id":"1","release":"r1"}'
	[[ $output == *'"code":"conflict"'*"cannot listen on 127.0.0.1:$taken"* ]]
	envctl send "$env2" '{"do":"stop"}'
	[ "$(get)" = "hello from r1" ]
}

@test "a service that ignores SIGTERM is killed after its grace" {
	spec '.service.grace_ms = 300'
	first deaf
	deaf=$(pid_of r1)
	release r2
	release r3
	deploy r2
	deploy r3
	eventually is_gone "$deaf"
	eventually grep -q "killed 1 processes that remained" "$env/log/r1.0.log"
	[ "$(send '{"do":"logs","release":"r1","lines":1}' | jq -r '.lines | length')" = 1 ]
}

in_release() { # processes whose working directory is that release's
	find /proc/[0-9]*/cwd -prune -lname "$env/releases/$1" 2>/dev/null
}

@test "what a service leaves behind is ended with it" {
	first spawn
	[ "$(in_release r1 | wc -l)" -ge 2 ]
	release r2
	deploy r2
	rollback
	release r3
	deploy r3
	release r4
	deploy r4
	eventually eval '[ -z "$(in_release r1)" ]'
}

# What the process had in its hands when it died is lost: at most one request a client.
@test "a service that crashes is started again, and requests wait for it" {
	first
	crashed=$(pid_of r1)
	load_start
	kill -9 "$crashed"
	eventually eval '[ "$(status ".releases[0].instances[0].state")" = healthy ] && [ "$(pid_of r1)" != "$crashed" ]'
	sleep 0.2
	load_stop
	report '.refused + .timeout == 0 and .failed <= 16'
	[ "$(status '.releases[0].instances[0].restarts')" = 1 ]
}

@test "a service that keeps crashing is started with growing pauses" {
	first
	echo "crash --after 0" >"$env/releases/r1/mode"
	kill -9 "$(pid_of r1)"
	sleep 2
	restarts=$(status '.releases[0].instances[0].restarts')
	[ "$restarts" -ge 3 ]
	[ "$restarts" -le 6 ] # 100 200 400 800 1600
}

@test "one of several instances dies and the others serve" {
	spec '.service.instances = 3'
	first
	[ "$(status '.releases[0].instances | length')" = 3 ]
	load_start
	kill -9 "$(pid_of r1 1)"
	sleep 1
	load_stop
	report '.refused + .timeout == 0 and .failed <= 16'
	[ "$(status .healthy)" = true ]
}

@test "a new release that turns red is reported within 300 ms" {
	first
	release r2 "late-red --after 1000"
	envctl watch "$env" >"$BATS_TEST_TMPDIR/watch" 3>&- &
	deploy r2
	eventually grep -q '"event":"unhealthy"' "$BATS_TEST_TMPDIR/watch"
	red=$(jq -r 'select(.event == "unhealthy") | "\(.release) \(.in_hold) \(.why)"' "$BATS_TEST_TMPDIR/watch")
	[ "$red" = "r2 true GET /healthz answered 503" ]
	began=$(date -d "$(sed -n 's/ .*started as process.*//p' "$env/log/r2.0.log")" +%s%3N)
	told=$(date -d "$(jq -r 'select(.event == "unhealthy") | .at' "$BATS_TEST_TMPDIR/watch")" +%s%3N)
	echo "# told $((told - began - 1000)) ms after it turned red" >&3
	[ $((told - began)) -lt 1350 ] # and the start of a process
}

@test "before runs once for each release, and its failure is the deploy's" {
	spec '.service.before = "echo once >> $HOME/../before.log; test ! -e fail"'
	mkdir -p "$env/home" && touch "$env/before.log" && chmod 666 "$env/before.log"
	spec '.service.before = "echo migrating; test ! -e fail"'
	first
	release r2
	touch "$env/releases/r2/fail"
	run -1 deploy r2
	[[ $output == *"service.before: the process exited with status 1"*migrating* ]]
	rm "$env/releases/r2/fail"
	deploy r2
	release r3
	deploy r3
	release r4
	deploy r4
	deploy r2
	[ "$(grep -c migrating "$env/log/r2.before.log")" = 2 ] # the one that failed and the one that did not
}

@test "the same id is done once" {
	first
	release r2
	answer=$(send '{"do":"deploy","id":"d2","release":"r2"}')
	rollback
	[ "$(send '{"do":"deploy","id":"d2","release":"r2"}')" = "$answer" ]
	[ "$(status .active)" = r1 ]
	kill -9 "$(cat "$env/supervisor.pid")"
	envctl ensure "$env"
	[ "$(send '{"do":"deploy","id":"d2","release":"r2"}' | jq -S .)" = "$(jq -S . <<<"$answer")" ]
	[ "$(status .active)" = r1 ]
}

@test "a rollback needs a release to go back to, and a deploy under way gives way to it" {
	first
	run -1 rollback
	[[ $output == *"no release is kept"* ]]
	release r2
	deploy r2
	release r3 red
	deploy r3 >"$BATS_TEST_TMPDIR/r3" 3>&- &
	sleep 0.3
	rollback
	[ "$(get)" = "hello from r1" ]
	eventually grep -q cancelled "$BATS_TEST_TMPDIR/r3"
	run -1 rollback
	[[ $output == *"no release is kept"* ]]
}

@test "switch goes between the two that run" {
	first
	release r2
	deploy r2
	send '{"do":"switch","id":"1","release":"r1"}'
	[ "$(get)" = "hello from r1" ]
	send '{"do":"switch","id":"2","release":"r2"}'
	[ "$(get)" = "hello from r2" ]
	run -1 send '{"do":"switch","id":"3","release":"r9"}'
}

@test "a kept release that does not answer well gets no traffic back by a deploy" {
	first "late-red --after 4000"
	release r2
	deploy r2
	sick() { [ "$(status '.releases[] | select(.id == "r1") | .healthy')" = false ]; }
	eventually sick
	run -1 deploy r1
	[[ $output == *"release r1 runs and is not healthy: GET /healthz answered 503"* ]]
	[ "$(get)" = "hello from r2" ]
}

@test "a second supervisor of the same folder is refused" {
	first
	run -1 envctl supervise "$env"
	[[ $output == *"held by another process"* ]]
	[ "$(get)" = "hello from r1" ]
}

@test "secrets reach the service, come back after crashes, and are in no file" {
	spec '.service.secrets = ["KEY"] | .service.run = "echo \"the key has ${#KEY} bytes\"; exec ./service --port $PORT"'
	release r1
	envctl ensure "$env"
	run -1 deploy r1
	[[ $output == *"secrets without a value: KEY"* ]]
	send '{"do":"deploy","id":"1","release":"r1","secrets":{"KEY":"correct horse battery"}}'
	grep -q "the key has 21 bytes" "$env/log/r1.0.log"
	kill -9 "$(cat "$env/supervisor.pid")"
	envctl ensure "$env"
	kill -9 "$(pid_of r1)"
	eventually eval '[ "$(grep -c "the key has 21 bytes" "$env/log/r1.0.log")" = 2 ]'
	run ! grep -rs "correct horse" "$env"
	kill -9 "$(cat "$env/supervisor.pid")" "$(pid_of r1)"
	envctl ensure "$env"
	grep -q '"event":"needs_secrets"' "$env/log/supervisor.log"
	send '{"do":"secrets","release":"r1","secrets":{"KEY":"correct horse battery"}}'
	eventually eval '[ "$(get 2>&1)" = "hello from none" ] || [ "$(get 2>&1)" = "hello from r1" ]'
}

@test "stop leaves nothing behind" {
	first
	pids="$(pid_of r1) $(proxy_pid) $(cat "$env/supervisor.pid")"
	send '{"do":"stop"}'
	for pid in $pids; do eventually is_gone "$pid"; done
	run ! get
	envctl ensure "$env"
	[ "$(status '.releases | length')" = 0 ]
}

@test "a new listen is a new HAProxy, and the old address goes on until it is up" {
	first
	old=$port
	port=$(envctl port)
	spec
	release r2
	deploy r2
	[ "$(get)" = "hello from r2" ]
	port=$old
	run ! get
}

@test "after a reboot nothing is adopted, and what was active is started" {
	first
	before=$(pid_of r1)
	kill -9 "$(cat "$env/supervisor.pid")" "$(proxy_pid)"
	sed -i 's/"boot":"[^"]*"/"boot":"another one"/g' "$env/state.json"
	envctl ensure "$env"
	eventually eval '[ "$(get 2>&1)" = "hello from r1" ]'
	[ "$(pid_of r1)" != "$before" ]
	is_gone "$before"
}

@test "a state.json that is not understood stops the supervisor, not the service" {
	first
	kill -9 "$(cat "$env/supervisor.pid")"
	cp "$env/state.json" "$env/kept.json"
	echo '{"version":2}' >"$env/state.json"
	run -3 envctl ensure "$env"
	[[ $output == *"log/supervisor.log"* ]]
	grep -q "another version" "$env/log/supervisor.log"
	[ "$(get)" = "hello from r1" ]
	mv "$env/kept.json" "$env/state.json"
	envctl ensure "$env"
	[ "$(status .active)" = r1 ]
}

@test "TLS: a new certificate takes over without a failed connection" {
	command -v openssl >/dev/null || skip "no openssl here"
	cert() { openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj "/CN=$1" -keyout "$env/key.pem" -out "$env/cert.pem" 2>/dev/null; }
	cert one
	spec ".tls = {cert: \"$env/cert.pem\", key: \"$env/key.pem\"}"
	first
	[ "$(curl -sSk "https://127.0.0.1:$port/")" = "hello from r1" ]
	cert two
	release r2
	deploy r2
	curl -svk "https://127.0.0.1:$port/" 2>&1 | grep -q "CN=two"
	echo nonsense >"$env/cert.pem"
	release r3
	run -1 deploy r3
	[ "$(curl -sSk "https://127.0.0.1:$port/")" = "hello from r2" ]
}

@test "what is no command is refused" {
	first
	run -1 send 'not json'
	run -1 send '{"do":"dance"}'
	[[ $output == *'no such command: \"dance\"'* ]]
	run -1 send '{"do":"deploy","release":"r1"}'
	run -1 send '{"do":"deploy","id":"1","release":"../r1"}'
	echo '{"environment":"x","listen":"nowhere","service":{"run":"x"}}' >"$env/spec.json"
	release r2
	run -1 deploy r2
	[[ $output == *"listen must be ADDRESS:PORT"* ]]
}
