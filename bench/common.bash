# shellcheck shell=bash
# What the benchmarks share: a scratch folder in $work that goes at the end, a daemon, medians.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
top=$PWD
PATH=$top/build:$PATH
export GIT_AUTHOR_NAME=Bench GIT_AUTHOR_EMAIL=bench@example.org GIT_COMMITTER_NAME=Bench GIT_COMMITTER_EMAIL=bench@example.org
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
unset WEIR_URL WEIR_TOKEN
work=$(mktemp -d "${TMPDIR:-/tmp}/weir-bench.XXXXXX")
chmod 755 "$work"
serve_pid=

bench_end() {
	serve_stop
	chmod -R u+rwX "$work" 2>/dev/null || true # overlay's work/work has no mode
	rm -rf "$work"
}
trap bench_end EXIT

machine() { # what the numbers were measured on
	printf '%s cores, %s, load %s\n' "$(nproc)" "$(uname -sr)" "$(cut -d' ' -f1-3 /proc/loadavg)"
}

now_us() { printf '%s' "${EPOCHREALTIME/[.,]/}"; }

# timed FILE COMMAND...: runs it and adds its wall time in microseconds to FILE. The clock is read without a subshell,
# whose fork would be a millisecond of ours.
timed() {
	local file=$1 begin end
	shift
	begin=${EPOCHREALTIME/[.,]/}
	"$@" >"$work/out" 2>&1 || { cat "$work/out" >&2; return 1; }
	end=${EPOCHREALTIME/[.,]/}
	echo $((end - begin)) >>"$file"
}

# quantile FILE PERCENT: of microseconds, in milliseconds
quantile() {
	sort -n "$1" | awk -v q="$2" '{ v[NR] = $1 } END { n = int((NR - 1) * q / 100 + 1.5); printf "%.2f", NR ? v[n] / 1000 : 0 }'
}

row() { # row NAME FILE: its median, and between what the middle 80 % lies
	printf '  %-34s %8s ms   p10 %s  p90 %s  n %s\n' "$1" "$(quantile "$2" 50)" "$(quantile "$2" 10)" "$(quantile "$2" 90)" "$(wc -l <"$2")"
}

ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f", b ? a / b : 0 }'; }

# serve_start PROJECT: a daemon that knows PROJECT as p; $url, $remote
serve_start() {
	local _
	(cd "$1" && exec weir serve --data "$work/data" --listen 127.0.0.1:0 "${@:2}") >"$work/serve.log" 2>&1 &
	serve_pid=$!
	for _ in $(seq 100); do
		url=$(grep -o 'http://[0-9.:]*' "$work/serve.log" | head -1)
		if [ -n "$url" ] && [ -d "$work/data/repos/$(basename "$1").git" ]; then break; fi
		sleep 0.1
	done
	export WEIR_URL=$url
	# shellcheck disable=SC2034 # for those who load this
	remote=$work/data/repos/$(basename "$1").git
}

serve_stop() {
	[ -n "$serve_pid" ] || return 0
	kill "$serve_pid" 2>/dev/null || true
	wait "$serve_pid" 2>/dev/null || true
	serve_pid=
}

events() { weir events --from 1 --limit 1000000 --json; }
