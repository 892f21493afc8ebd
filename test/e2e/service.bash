# shellcheck shell=bash disable=SC2154,SC2034 # lib.bash sets data, project and url; what loads this uses the rest
# An environment with a service from a landed release, and somebody who asks it all the while.
#
#   environment_new [YAML]      weir.yml with a service on a free port $port and its source, on a branch of its own;
#                               YAML: more lines below `service:`, indented by six
#   answers                     the service does, now
#   ask_start / ask_stop        asks it without a pause in between; fails unless every request was answered
#   ask_end                     for teardown: bats would wait for who still asks

free_port() { # $port, which nobody listens on now
	port=$((20000 + RANDOM % 12000)) # below the ports that the kernel gives out by itself
	while (exec 9<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
}

environment_new() {
	local up=$BATS_TEST_TMPDIR
	while [ "$up" != /tmp ] && [ "$up" != / ]; do
		chmod a+x "$up" 2>/dev/null || true # services have a user of their own
		up=$(dirname "$up")
	done
	free_port
	branch environment
	cp "$BATS_TEST_DIRNAME/../load/service.c" "$project/service.c"
	echo "./service --port \$PORT" >"$project/run.sh"
	commit weir.yml "
jobs:
  test: {run: sh check.sh}
  build: {run: cc -std=gnu17 -D_GNU_SOURCE -O1 -pthread service.c -o service, artifacts: [service, run.sh]}
environments:
  production:
    artifacts: [service, run.sh]
    service:
      run: ${service_run-exec ./service --port \$PORT}
      health: /healthz
${1-}
    listen: 127.0.0.1:$port
"
}

answers() { [ "$(curl -s -o /dev/null -w '%{http_code}' --max-time 2 "http://127.0.0.1:$port/healthz")" = 200 ]; }

ask_start() {
	: >"$BATS_TEST_TMPDIR/asked"
	(
		while [ -e "$BATS_TEST_TMPDIR/asked" ] && [ ! -e "$BATS_TEST_TMPDIR/asked.enough" ]; do
			curl -s -o /dev/null -w '%{http_code}\n' --max-time 5 "http://127.0.0.1:$port/healthz" \
				>>"$BATS_TEST_TMPDIR/asked" || true
			sleep 0.05
		done
	) 3>&- >/dev/null 2>&1 &
	asker=$!
}

ask_end() {
	[ -z "${asker-}" ] || kill "$asker" 2>/dev/null || true
	asker=
}

ask_stop() {
	touch "$BATS_TEST_TMPDIR/asked.enough"
	wait "$asker"
	asker=
	rm "$BATS_TEST_TMPDIR/asked.enough"
	echo "asked: $(sort "$BATS_TEST_TMPDIR/asked" | uniq -c | tr '\n' ' ')"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/asked")" -gt 10 ]
	! grep -qv '^200$' "$BATS_TEST_TMPDIR/asked"
}
