# shellcheck disable=SC2154 # bats sets status and output
# What the end-to-end tests share: a daemon on a data folder of its own, a project that pushes to it, and waiting.
#
#   setup() { weir_setup; }                   $data, $project, $remote; nothing runs yet
#   teardown() { weir_teardown; }             ends what the test started, shows the daemon's words after a failure
#   weir_serve [OPTION...]                    starts the daemon, waits until it is ready: $weir_pid
#   commit FILE CONTENT [MESSAGE]             in the project
#   push [-o OPTION...]                       the project's HEAD as a change: $change, what git printed in $output
#   ended CHANGE                              waits for its end and prints its state
#
# Questions about what happened go to the database; the API has tests of its own.

# shellcheck source=test/processes.bash
source "$BATS_TEST_DIRNAME/../processes.bash"

weir_setup() {
	export GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=ada@example.org GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=ada@example.org
	export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
	unset WEIR_URL WEIR_TOKEN
	PATH=${WEIR_BUILD:-$BATS_TEST_DIRNAME/../../build/rel}:$PATH
	bats_require_minimum_version 1.5.0
	data=$BATS_TEST_TMPDIR/d
	project=$BATS_TEST_TMPDIR/p
	remote=$data/repos/p.git
	weir_log=$BATS_TEST_TMPDIR/serve.log
	weir_pid=
	: >"$weir_log"
}

weir_teardown() {
	weir_kill TERM
	[ -n "${BATS_TEST_COMPLETED-}" ] || sed 's/^/serve: /' "$weir_log"
	kill_processes_of "$BATS_TEST_TMPDIR"
}

# project_new [WEIR.YML]: a work tree with one commit; its job is check.sh, which fails when `broken` exists.
project_new() {
	git init -q -b main "$project"
	echo "test ! -e broken" >"$project/check.sh"
	commit weir.yml "${1-"jobs: {test: {run: sh check.sh}}"}" "Begin"
}

commit() { # commit FILE CONTENT [MESSAGE]
	mkdir -p "$(dirname "$project/$1")"
	printf '%s\n' "$2" >"$project/$1"
	git -C "$project" add -A
	git -C "$project" commit -q -m "${3-$1 is $2}"
}

# branch NAME: a new branch from trunk as weir has it
branch() {
	git -C "$project" fetch -q "$remote" main
	git -C "$project" checkout -q -B "$1" FETCH_HEAD
}

# weir_launch [OPTION...]: starts the daemon in the project (or here) and does not wait
weir_launch() {
	local here=$PWD
	[ -d "$project" ] && here=$project
	: >"$BATS_TEST_TMPDIR/ready"
	(cd "$here" && exec weir serve --data "$data" --listen 127.0.0.1:0 "$@") >"$BATS_TEST_TMPDIR/ready" 2>>"$weir_log" 3>&- &
	weir_pid=$!
}

# weir_ready: waits until it printed its URL; false when it ended before
weir_ready() {
	for _ in $(seq 1000); do
		if [ -s "$BATS_TEST_TMPDIR/ready" ]; then
			url=$(head -n 1 "$BATS_TEST_TMPDIR/ready")
			export WEIR_URL=$url
			return 0
		fi
		if ! kill -0 "$weir_pid" 2>/dev/null; then
			echo "weir serve ended: $(cat "$weir_log")"
			return 1
		fi
		sleep 0.02
	done
	echo "weir serve printed no URL within 20 s"
	return 1
}

weir_serve() {
	weir_launch "$@"
	weir_ready
	# A work tree with empty data: its copy appears a moment after the URL.
	[ ! -d "$project" ] || eventually repo_known p
}

repo_known() { [ "$(sql "SELECT count(*) FROM repos WHERE name='$1'")" = 1 ]; }

weir_kill() { # weir_kill [SIGNAL]
	[ -n "$weir_pid" ] || return 0
	kill "-${1-KILL}" "$weir_pid" 2>/dev/null || true
	wait "$weir_pid" 2>/dev/null || true
	weir_pid=
}

sql() { sqlite3 -cmd '.timeout 5000' -readonly "$data/weir.db" "$1"; }
field() { sql "SELECT $2 FROM changes WHERE id=$1"; } # field CHANGE COLUMN
trunk() { git -C "$remote" rev-parse refs/heads/main; }

# eventually COMMAND...: within 20 s
eventually() {
	for _ in $(seq 400); do
		"$@" 2>/dev/null && return
		sleep 0.05
	done
	echo "not within 20 s: $*"
	return 1
}

field_is() { [ "$(field "$1" "$2")" = "$3" ]; } # field_is CHANGE COLUMN VALUE
# as_token TOKEN GIT-ARGUMENT...: in the project; on loopback git is not asked for a password, so it is told to say it
as_token() { git -C "$project" -c "http.extraHeader=Authorization: Basic $(printf 'x:%s' "$1" | base64 -w 0)" "${@:2}"; }
is_over() { [ "$(sql "SELECT ended_ms > 0 FROM changes WHERE id=$1")" = 1 ]; }
ended() { # ended CHANGE: its state after its end
	eventually is_over "$1" || {
		sql "SELECT * FROM changes WHERE id=$1"
		return 1
	}
	field "$1" state
}

# push [GIT-PUSH-OPTION...]: $change from what weir said
push() {
	run git -C "$project" push "$@" "$remote" HEAD:refs/for/main
	change=$(sed -n 's/^remote: Change \([0-9]*\), revision.*/\1/p' <<<"$output" | head -n 1)
	# shellcheck disable=SC2015 # both or the block
	[ "$status" = 0 ] && [ -n "$change" ] || {
		echo "$output"
		return 1
	}
}

# push_refused REFSPEC TEXT [OPTION...]: git says no, with this sentence, and nothing was recorded
push_refused() {
	local refspec=$1 text=$2 before after
	shift 2
	before=$(sql 'SELECT count(*) FROM changes')
	run git -C "$project" push "$@" "$remote" "$refspec"
	echo "$output"
	[ "$status" != 0 ]
	[[ $output == *"$text"* ]]
	after=$(sql 'SELECT count(*) FROM changes')
	[ "$before" = "$after" ]
}

lands() { [ "$(ended "$1")" = landed ]; } # lands CHANGE
# rejects CHANGE CODE [TEXT]: it ended so, and the author is told TEXT
rejects() {
	local state
	state=$(ended "$1")
	# shellcheck disable=SC2015 # all of it or the block
	[ "$state" = rejected ] && [ "$(field "$1" reason)" = "$2" ] && [[ $(field "$1" reason_text) == *"${3-}"* ]] || {
		echo "change $1 is $state: $(field "$1" "reason || ': ' || reason_text")"
		return 1
	}
}

audit_clean() {
	weir audit --data "$data" || {
		echo "the audit is not clean"
		return 1
	}
}
