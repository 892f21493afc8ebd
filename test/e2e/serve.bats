#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2164,SC2120 # lib.bash sets data, project, remote and change; bats sets status, and ends a test at a failed cd
# The daemon's own life: starts on what it finds, stops in time, loses nothing on the way. A day on which a test needs
# more than its seconds is a slow machine: the limits here are bounds on hanging, not on speed.

load lib
load service

setup() {
	weir_setup
	project_new
}
teardown() { weir_teardown; }

slow() { # slow SECONDS: the next change's job takes that long
	branch slow
	commit check.sh "sleep $1" "Take $1 s"
}
runs_running() { [ "$(sql "SELECT count(*) FROM runs WHERE state = 'running'")" -ge 1 ]; }
leader_of() { cut -d' ' -f1 "$data/runs/$1/pid"; }

# stops_within SECONDS: SIGTERM ends the daemon with 0, in that time
stops_within() {
	local began
	began=$(date +%s%3N)
	kill -TERM "$weir_pid"
	local code=0
	wait "$weir_pid" || code=$?
	weir_pid=
	local took=$(($(date +%s%3N) - began))
	echo "exit $code after $took ms"
	[ "$code" = 0 ]
	[ "$took" -lt $(($1 * 1000)) ]
}

@test "SIGTERM while a job runs: the job goes on, the next daemon adopts it" {
	weir_serve
	slow 6
	push
	eventually runs_running
	stops_within 5
	[ -e "$data/runs/1/pid" ]
	kill -0 "$(leader_of 1)"
	weir_serve
	lands "$change"
	[ "$(sql 'SELECT count(*) FROM runs')" = 1 ]
	audit_clean
}

@test "a run whose start was not recorded any more: the next daemon says when it began" {
	is_dead() { ! kill -0 "$weir_pid"; }
	has_outcome() { [ -e "$data/runs/$1/outcome.json" ]; }
	WEIR_FAILPOINT=before-append.run.started:1 weir_serve
	slow 4
	push || true # it may die before it answers
	eventually is_dead
	sleep 1.5
	weir_serve # it runs
	lands 1
	weir_kill TERM
	WEIR_FAILPOINT=before-append.run.started:1 weir_serve
	branch over
	commit check.sh "sleep 1"
	push || true # it may die before it answers
	eventually is_dead
	eventually has_outcome 2
	sleep 1.5
	weir_serve # it is over
	lands 2
	[ "$(sql "SELECT count(*) FROM v_events WHERE kind = 'run.started'")" = 2 ]
	sql 'SELECT id, issued_ms, started_ms, ended_ms, slot_wait_ms FROM runs'
	[ "$(sql 'SELECT count(*) FROM runs WHERE started_ms BETWEEN issued_ms AND issued_ms + 1400 AND started_ms < ended_ms')" = 2 ]
	audit_clean
}

@test "a run says how long it waited for a slot, and nothing else" {
	weir_serve --slots 1
	branch work
	commit weir.yml 'jobs: {a: {run: sleep 1.5}, b: {run: "true"}, c: {run: "true", needs: [b]}}'
	push
	lands "$change"
	sql 'SELECT name, issued_ms, started_ms, ended_ms, slot_wait_ms FROM runs'
	[ "$(sql "SELECT group_concat(name || (slot_wait_ms >= 1500), ' ') FROM (SELECT * FROM runs ORDER BY name)")" = "a0 b1 c0 test1" ] # c and test were ready when b ended; test since a began
	[ "$(sql "SELECT max(slot_wait_ms) < 500 FROM runs WHERE name IN ('a', 'c')")" = 1 ]
}

@test "SIGTERM while something hangs: weir is gone in seconds, and starts again" {
	weir_serve
	service_build
	free_port
	"$BATS_FILE_TMPDIR/service" --port "$port" --mode hang 3>&- &
	local mute=$!
	eventually curl -s -o /dev/null --max-time 2 "http://127.0.0.1:$port/healthz"
	weir repo add mute "http://127.0.0.1:$port/x.git" >/dev/null 2>&1 3>&- &
	sleep 1
	stops_within 8
	kill "$mute"
	[ ! -e "$data/url" ]
	weir_serve
	branch work
	commit a 1
	push
	lands "$change"
}

@test "a change withdrawn at once frees its slot at once" {
	weir_serve --slots 1
	slow 120
	push
	for _ in $(seq 100); do
		[ "$(sql 'SELECT count(*) FROM runs')" = 0 ] || break
		sleep 0.02
	done
	weir withdraw "$change"
	branch quick
	commit a 1
	push
	lands "$change"
	[ "$(sql 'SELECT state FROM runs WHERE id = 1')" = stopped ]
}

@test "a leader that somebody else told to stop is a lost run, done again" {
	weir_serve
	slow 3
	push
	eventually runs_running
	eventually test -s "$data/runs/1/pid"
	sleep 0.5
	kill -TERM "$(leader_of 1)"
	lands "$change"
	[ "$(sql 'SELECT state FROM runs WHERE id = 1')" = lost ]
	[ "$(sql 'SELECT count(*) FROM runs')" = 2 ]
	audit_clean
}

@test "a machine that went down under a job: the run is lost, done again" {
	weir_serve
	slow 3
	push
	eventually runs_running
	eventually test -s "$data/runs/1/pid"
	sleep 0.5
	local leader
	leader=$(leader_of 1)
	weir_kill KILL
	kill -TERM "$leader"
	eventually test -e "$data/runs/1/outcome.json"
	weir_serve
	lands "$change"
	[ "$(sql 'SELECT state FROM runs WHERE id = 1')" = lost ]
}

@test "a repository that is away does not keep the others from service" {
	weir_serve
	weir repo add other "$project" >/dev/null
	eventually repo_known other
	weir_kill TERM
	mv "$remote" "$data/away"
	weir_serve --slots 2
	grep -q 'repository p.*the others are served' "$weir_log"
	git -C "$project" checkout -q -B work main
	commit a 1
	git -C "$project" push -q "$data/repos/other.git" HEAD:refs/for/main
	lands 1
	weir_kill TERM
	mv "$data/away" "$remote"
	weir_serve
	git -C "$project" checkout -q -B here main
	commit b 1
	push
	lands "$change"
}

@test "data of a newer weir is refused, and left as it is" {
	weir_serve
	weir_kill TERM
	sqlite3 "$data/weir.db" 'PRAGMA user_version = 99'
	run weir serve --data "$data" --listen 127.0.0.1:0
	[ "$status" = 1 ]
	[[ $output == *"a newer weir wrote this data"* ]]
	[ "$(sqlite3 "$data/weir.db" 'PRAGMA user_version')" = 99 ]
}

@test "modes do not depend on the umask: services pass through, nobody else reads" {
	umask 077
	weir_serve
	branch work
	commit a 1
	push
	lands "$change"
	printf 'a-long-secret-value' | weir secret set TOKEN --repo p
	mode() { stat -c %a "$data/$1"; }
	echo "$(mode .) $(mode envs) $(mode cache) $(mode runs) $(mode objects) $(mode secrets) $(mode tmp) $(mode weir.db)"
	[ "$(mode .)" = 711 ]
	[ "$(mode envs)" = 711 ]
	[ "$(mode cache)" = 711 ]
	[ "$(mode runs)" = 700 ]
	[ "$(mode objects)" = 700 ]
	[ "$(mode secrets)" = 700 ]
	[ "$(mode tmp)" = 700 ]
	[ "$(mode weir.db)" = 600 ]
	[ "$(mode weir.db-wal)" = 600 ]
	[ "$(mode weir.db-shm)" = 600 ]
	[ "$(mode secrets/p/TOKEN)" = 600 ]
	[ "$(mode secret.key)" = 600 ]
}

@test "what runs left behind that the log knows to be over goes at a start" {
	weir_serve
	weir_kill TERM
	mkdir -p "$data/runs/77/upper" "$data/runs/77.delta/x" "$data/runs/78.git/.git"
	weir_serve
	eventually test ! -e "$data/runs/77"
	eventually test ! -e "$data/runs/77.delta"
	eventually test ! -e "$data/runs/78.git"
}

@test "two additions of one repository at once: one is made, one is refused" {
	weir_serve
	weir repo add twin "$project" >"$BATS_TEST_TMPDIR/1" 2>&1 3>&- &
	local first=$!
	weir repo add twin "$project" >"$BATS_TEST_TMPDIR/2" 2>&1 3>&- &
	local second=$! failures=0
	wait "$first" || failures=$((failures + 1))
	wait "$second" || failures=$((failures + 1))
	cat "$BATS_TEST_TMPDIR/1" "$BATS_TEST_TMPDIR/2"
	[ "$failures" = 1 ]
	eventually repo_known twin
	git -C "$project" ls-remote "$data/repos/twin.git" | grep -q refs/heads/main
	git -C "$project" checkout -q -B work main
	commit a 1
	git -C "$project" push -q "$data/repos/twin.git" HEAD:refs/for/main
	lands 1
}

service_build() { # the test service, for use outside of weir
	cc -std=gnu17 -D_GNU_SOURCE -O1 -pthread "$BATS_TEST_DIRNAME/../load/service.c" -o "$BATS_FILE_TMPDIR/service"
}
# Its service needs a secret.
secret_environment_new() {
	# shellcheck disable=SC2016,SC2034 # for the service's shell; service.bash
	service_run='test ${#TOKEN} = 19 && exec ./service --port $PORT'
	environment_new "      secrets: [TOKEN]"
}
is_silent() { ! answers; }
kill_environment() { kill_processes_of "$data/envs"; } # as a machine that goes down does

@test "after the machine went down: weir starts, and the services come back with their secrets" {
	weir_serve
	printf 'a-long-secret-value' | weir secret set TOKEN --repo p
	secret_environment_new
	push
	lands "$change"
	eventually answers
	weir_kill KILL
	kill_environment
	eventually is_silent
	weir_serve
	eventually answers
	run weir environment production --repo p
	echo "$output"
	run ! grep -rqF a-long-secret-value "$data/weir.db" "$data/weir.db-wal" "$data/envs" "$weir_log"
	audit_clean
}

@test "files of releases: the newest and what runs stay, an older one is laid out again" {
	weir_serve
	printf 'a-long-secret-value' | weir secret set TOKEN --repo p
	environment_new
	for n in 1 2 3 4 5; do
		[ "$n" = 1 ] || branch environment
		commit note "$n"
		push
		lands "$n"
		live() { [ "$(sql 'SELECT release FROM envs')" = "$1" ]; }
		eventually live "$n"
	done
	laid_out() { find "$data/envs/p.production/releases" -mindepth 1 -maxdepth 1 -printf '%f\n' | cut -d- -f1 | sort | tr -d '\n'; }
	[ "$(laid_out)" = 345 ]
	weir rollback production --repo p
	weir deploy production 1 --repo p # its files are gone, its objects are not
	live 1
	answers
	[ "$(laid_out)" = 1345 ]
	weir rollback production --repo p
	live 4
	audit_clean
}

@test "SIGTERM in the middle of a deploy: the service serves on, the next daemon ends the deploy" {
	weir_serve
	printf 'a-long-secret-value' | weir secret set TOKEN --repo p
	secret_environment_new
	push
	lands "$change"
	eventually rollout_runs
	stops_within 5
	weir_serve
	eventually answers
	eventually rollout_passed
	audit_clean
}
rollout_runs() { [ "$(sql 'SELECT count(*) FROM rollouts')" -ge 1 ]; }
rollout_passed() { [ "$(sql "SELECT outcome FROM rollouts WHERE id = 1")" = passed ]; }

@test "repositories without a log: weir does not begin anew over them" {
	weir_serve
	branch work
	commit a 1
	push
	lands 1
	weir_kill
	rm -f "$data"/weir.db-*
	: >"$data/weir.db"
	run -1 weir serve --data "$data" --listen 127.0.0.1:0
	echo "$output"
	[[ $output == *"holds repositories and no log: weir.db is missing or empty; put back weir.db from a backup"* ]]
	rm "$data/weir.db"
	run -1 weir serve --data "$data" --listen 127.0.0.1:0
	[ ! -e "$data/weir.db" ]
}

# shellcheck disable=SC2053 # a pattern
health_is() { [[ "$(sql 'SELECT health, health_text FROM envs WHERE id = 1')" == $1 ]]; } # a pattern

@test "what turns red after its hold is shown as unhealthy, and nothing is rolled back" {
	weir_serve
	environment_new
	push
	lands "$change"
	eventually answers
	branch later
	# shellcheck disable=SC2016 # for the service's shell
	sed -i 's/exec .*/exec .\/service --port $PORT --mode late-red --after 12000/' "$project/weir.yml"
	git -C "$project" commit -qam later
	push -o topic=later
	lands "$change"
	live() { [ "$(sql 'SELECT release FROM envs')" = 2 ]; }
	eventually live
	red() { [ "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/healthz")" = 503 ]; }
	eventually red
	eventually health_is "unhealthy|GET /healthz answered 503*"
	[ "$(sql 'SELECT release FROM envs')" = 2 ]
	run -0 weir environment production
	[[ $output == *"unhealthy"*"503"* ]]
	run -0 weir status
	[[ $output == *"unhealthy"* ]]
	[ "$(sql 'SELECT count(*) FROM rollouts')" = 2 ]
	weir rollback production --repo p
	eventually health_is "healthy|*"
	audit_clean
}

@test "an environment that was stopped says so, also after a start, and a deploy brings it back" {
	weir_serve
	environment_new
	push
	lands "$change"
	eventually answers
	run -0 weir stop production --data "$data"
	eventually health_is "unhealthy|no release runs: it was stopped; weir deploy starts one"
	run -0 weir environments
	echo "$output"
	[[ $output == *"unhealthy"* ]]
	weir_kill
	weir_serve
	sleep 4 # longer than it takes to say something else
	health_is "unhealthy|*"
	run -0 weir deploy production
	eventually answers
	eventually health_is "healthy|*"
	audit_clean
}

@test "a service that fails below a folder that it may not enter: the folder is named, with what to do" {
	[ "$(id -u)" = 0 ] || skip "only root gives services a user of their own"
	mkdir -m 700 "$BATS_TEST_TMPDIR/closed"
	data=$BATS_TEST_TMPDIR/closed/d
	remote=$data/repos/p.git
	weir_serve
	# shellcheck disable=SC2016,SC2034 # for the service's shell; service.bash
	service_run='exec "$(readlink -f service)" --port $PORT'
	environment_new
	push
	lands "$change"
	ended() { [ "$(sql 'SELECT outcome FROM rollouts WHERE id = 1')" != "" ]; }
	eventually ended
	run sql 'SELECT outcome, reason_text FROM rollouts WHERE id = 1'
	echo "$output"
	[[ $output == "failed|instance 0: "*"Perhaps because user 61001 may not enter $BATS_TEST_TMPDIR/closed, where the service lies: chmod o+x there"* ]]
	chmod o+x "$BATS_TEST_TMPDIR/closed"
	run -0 weir deploy production
	eventually answers
}

@test "a backup that was restored says that its services do not run" {
	weir_serve
	environment_new
	push
	lands "$change"
	eventually answers
	run -0 weir backup "$BATS_TEST_TMPDIR/copy" --data "$data"
	weir_kill
	run -0 weir stop --all --data "$data"
	was=$data
	data=$BATS_TEST_TMPDIR/copy
	weir_serve
	eventually health_is "unhealthy|*"
	sql 'SELECT health_text FROM envs'
	run -0 weir deploy production
	eventually answers
	eventually health_is "healthy|*"
	weir_kill
	run -0 weir stop --all --data "$data"
	data=$was
}

@test "what a service says before it exits is shown, and does not decide why the deploy failed" {
	weir_serve
	# shellcheck disable=SC2034 # service.bash
	service_run='echo the context was cancelled, not healthy within its time; exit 3'
	environment_new
	push
	lands "$change"
	ended() { [ "$(sql 'SELECT outcome FROM rollouts WHERE id = 1')" != "" ]; }
	eventually ended
	run sql 'SELECT outcome, reason, reason_text FROM rollouts WHERE id = 1'; echo "$output"
	[[ $output == "failed|service-exited|instance 0: "*"the context was cancelled"* ]]
	# And who waits for the change to be live hears it.
	run -1 timeout 20 weir status "$change" --wait deployed
	echo "$output"
	[[ $output == *"not live: the deploy to production failed: instance 0: "*"the context was cancelled"* ]]
	run -0 weir status "$change" --json
	[ "$(jq -r '.delivery | .state + " " + .environment + " " + .reason' <<<"$output")" = "failed production service-exited" ]
	run -0 curl -s "$url/change/$change"
	[[ $output == *"Not live:"*"the deploy to production failed"* ]]
	run -0 weir logs production
	[[ $output == *"the context was cancelled, not healthy within its time"* ]]
}

@test "two repositories with an environment of one name: each has its page, and its button its own effect" {
	weir_serve
	run -0 weir repo add other
	environment_new
	git -C "$project" push -q "$remote" HEAD:refs/for/main
	first=$port
	eventually answers
	environment_new
	git -C "$project" push -q "$data/repos/other.git" HEAD:refs/for/main
	eventually answers
	for n in 1 2; do
		commit "again$n" "$n"
		git -C "$project" push -q "$data/repos/other.git" HEAD:refs/for/main
		deployed() { [ "$(sql "SELECT count(*) FROM rollouts WHERE outcome = 'passed'")" = $((n + 2)) ]; }
		eventually deployed
	done

	run -0 curl -s "$url/environments"
	[[ $output == *'href="/environment/p/production"'*'href="/environment/other/production"'* ||
		$output == *'href="/environment/other/production"'*'href="/environment/p/production"'* ]]
	run -0 curl -s -o /dev/null -w '%{http_code}' "$url/environment/production"
	[ "$output" = 409 ]
	run -0 curl -s "$url/environment/production"
	[[ $output == *"2 repositories have an environment"*"production"* ]]
	run -0 curl -s "$url/environment/other/production"
	[[ $output == *"127.0.0.1:$port"* ]]
	[[ $output == *"weir rollback production --repo other"* ]]
	csrf=$(grep -o 'name="csrf" value="[^"]*"' <<<"$output" | head -n 1 | cut -d'"' -f4)
	run -0 curl -s -o /dev/null -w '%{http_code} %{redirect_url}' -d do=rollback -d "csrf=$csrf" "$url/environment/other/production"
	[ "$output" = "303 $url/environment/other/production" ]
	deployed() { [ "$(sql "SELECT count(*) FROM rollouts WHERE cause = 'rollback' AND outcome = 'passed'")" = 1 ]; }
	eventually deployed
	[ "$(sql "SELECT repos.name FROM rollouts JOIN envs ON envs.id = rollouts.env JOIN repos ON repos.id = envs.repo WHERE cause = 'rollback'")" = other ]
	port=$first
	answers
}
