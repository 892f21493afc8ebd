# Runs jobs by weir-leader alone, as root or as an ordinary user, in a folder that both can reach.
# bats files `load ../escape/job` and call jobs_setup_file, jobs_teardown_file.

jobs_setup_file() {
	JOBS=$(mktemp -d /tmp/weir-jobs.XXXXXX)
	export JOBS
	chmod 755 "$JOBS"
	mkdir "$JOBS/bin"
	install -m 755 "${WEIR_BUILD:-$BATS_TEST_DIRNAME/../../build/rel}"/weir-{leader,inner,results} "$JOBS/bin/"
	local who
	for who in $(users); do
		mkdir -p "$JOBS/$who/base/src"
		echo tracked >"$JOBS/$who/base/file"
		echo deep >"$JOBS/$who/base/src/deep"
		own "$who" "$JOBS/$who"
	done
}

jobs_teardown_file() {
	chmod -R u+rwX "$JOBS" 2>/dev/null || true # overlay's work/work has no mode
	rm -rf "$JOBS"
}

# root and user where the tests run as root; only user elsewhere.
alive() { # alive TEXT: some process of this machine has it in its arguments
	local file
	for file in /proc/[0-9]*/cmdline; do
		if [ "$file" != "/proc/$BASHPID/cmdline" ] && { tr '\0' ' ' <"$file"; } 2>/dev/null | grep -Fq -- "$1"; then return 0; fi
	done
	return 1
}

appears() { # appears TEXT: some process has it in its arguments, at once or soon
	local _
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		if alive "$1"; then return 0; fi
		sleep 0.1
	done
	echo "not alive: $1"
	return 1
}

gone() { # gone TEXT: no process has it in its arguments, at once or soon
	local _
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		alive "$1" || return 0
		sleep 0.1
	done
	echo "still alive: $1"
	return 1
}

users() { if [ "$(id -u)" = 0 ]; then echo root user; else echo user; fi; }

own() { # own WHO PATH: what the jobs of WHO may write
	[ "$(id -u)" = 0 ] || return 0
	if [ "$1" = root ]; then chown -R 61000:61000 "$2"; else chown -R nobody:nogroup "$2"; fi
}

as() { # as WHO COMMAND...
	if [ "$1" = user ] && [ "$(id -u)" = 0 ]; then
		shift
		setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"
	else
		shift
		"$@"
	fi
}

spec() { # spec WHO NAME COMMAND [JQ-OBJECT]: makes the run's folder $RUN
	RUN=$JOBS/$1/$2
	mkdir "$RUN"
	jq -n --arg id "t$$-$1-$2" --arg command "$3" --arg base "$JOBS/$1/base" \
		'{$id, $command, lowers: [$base], timeout_ms: 60000} + '"${4:-{\}}" >"$RUN/spec.json"
	if [ "$1" = user ]; then own user "$RUN"; fi
}

job() { # job WHO NAME COMMAND [JQ-OBJECT]: runs it to its end, without secrets
	spec "$@"
	as "$1" "$JOBS/bin/weir-leader" "$RUN" 4<&-
}

secret_job() { # secret_job WHO NAME COMMAND JQ-OBJECT VALUE...: values in the order of the spec's names
	local who=$1 n
	spec "$1" "$2" "$3" "$4"
	shift 4
	for value; do
		n=$(printf %s "$value" | wc -c)
		# shellcheck disable=SC2059
		printf "$(printf '\\x%02x\\x%02x\\x00\\x00' $((n & 255)) $((n >> 8)))"
		printf %s "$value"
	done >"$JOBS/values"
	chmod 644 "$JOBS/values"
	as "$who" "$JOBS/bin/weir-leader" "$RUN" 4<"$JOBS/values"
	rm "$JOBS/values"
}

outcome() { jq -r "$1" "$RUN/outcome.json"; }

printed() { sed -n 's/^[0-9]* [oe][ +]//p' "$RUN/log"; } # both outputs, as lines

ends() { # ends OUTCOME [REASON-CODE]
	local got
	got=$(outcome '.outcome + " " + .reason.code')
	[ "$got" = "$1 ${2-}" ] || {
		echo "got: $got, want: $1 ${2-}"
		cat "$RUN/outcome.json" && head -c 3000 "$RUN/log"
		return 1
	}
}

says() { # says TEXT: one line of the output is exactly this
	printed | grep -Fxq -- "$1" || {
		echo "not printed: $1"
		head -c 3000 "$RUN/log"
		return 1
	}
}

never_says() { # never_says TEXT: nowhere in the log
	if grep -aFq -- "$1" "$RUN/log"; then
		echo "printed: $1"
		grep -aF -- "$1" "$RUN/log" | head -n 5 | cut -c1-300
		return 1
	fi
}
