#!/usr/bin/env bats
# `weir run`: jobs of weir.yml on a working tree, without a server; as root and as an ordinary user.

bats_require_minimum_version 1.5.0
load ../escape/job

setup_file() {
	PLACE=$(mktemp -d /tmp/weir-run.XXXXXX)
	export PLACE
	chmod 755 "$PLACE"
	mkdir "$PLACE/bin"
	install -m 755 "${WEIR_BUILD:-$BATS_TEST_DIRNAME/../../build/rel}"/weir{,-leader,-inner,-results} "$PLACE/bin/"
}

teardown_file() {
	chmod -R u+rwX "$PLACE" 2>/dev/null || true # overlay's work/work has no mode
	rm -rf "$PLACE"
}

setup() { who=root; if [ "$(id -u)" != 0 ]; then who=user; fi; }

# repo NAME: an empty repository of $who in $REPO, and we are in it
repo() {
	REPO=$PLACE/$who-$1
	mkdir -p "$REPO" "$PLACE/home-$who"
	if [ "$who" = user ] && [ "$(id -u)" = 0 ]; then chown nobody:nogroup "$REPO" "$PLACE/home-$who"; fi
	cd "$REPO" || return
	mine git init -q -b main
}

mine() { as "$who" env HOME="$PLACE/home-$who" PATH="$PLACE/bin:$PATH" "$@"; }
put() { mine sh -c 'mkdir -p "$(dirname "$1")"; cat >"$1"' sh "$1"; }
commit() { mine git add -A && mine git -c user.name=A -c user.email=a@example.org commit -q -m "${1-first}"; }
# background ARGUMENT...: weir run ARGUMENT... with its pid in $weir and its lines in $PLACE/printed, until it prints "begun"
background() {
	local as=(env)
	if [ "$who" = user ] && [ "$(id -u)" = 0 ]; then as=(setpriv --reuid=nobody --regid=nogroup --clear-groups env); fi
	"${as[@]}" HOME="$PLACE/home-$who" PATH="$PLACE/bin:$PATH" weir run "$@" >"$PLACE/printed" 3>&- &
	weir=$!
	for _ in $(seq 300); do
		if grep -q begun "$PLACE/printed"; then return 0; fi
		sleep 0.1
	done
	return 1
}

state() { jq -r --arg name "$1" '.jobs[] | select(.name == $name) | .state' "$PLACE/answer"; }
answer() { # answer STATUS ARGUMENT...: weir run --json ARGUMENT..., its answer in $PLACE/answer
	local wanted=$1 got=0
	shift
	mine weir run --json "$@" >"$PLACE/answer" || got=$?
	[ "$got" = "$wanted" ] || { echo "exit $got, wanted $wanted"; cat "$PLACE/answer"; return 1; }
}
nothing_left() { # no run, no delta; the lock and the store stay
	[ -z "$(ls .weir/local/runs)" ] || { ls .weir/local/runs; return 1; }
}

@test "a graph: artifacts go to who needs them, what failed stops only what needs it" {
	for who in $(users); do
		repo graph
		put weir.yml <<-'END'
			jobs:
			  build:
			    run: mkdir out; echo made >out/it; chmod 755 out/it; echo side >left
			    artifacts: [out/it]
			  test: {needs: [build], run: "cat out/it; test ! -e left; test -x out/it"}
			  bad: {run: "echo 'src/x.c:7:3: error: oh no' >&2; exit 3"}
			  after: {needs: [bad, build], run: "true"}
			  later: {needs: [after], run: "true"}
			  nightly: {run: "false", when: nightly}
		END
		commit
		run mine weir run
		[ "$status" = 1 ]
		[[ $output == *$'\tbuild\tpassed\t'* ]]
		[[ $output == *$'\ttest\tlog\tmade'* ]]
		[[ $output == *$'\ttest\tpassed\t'* ]]
		[[ $output == *$'\tbad\tfailed\t'*"status 3"* ]]
		[[ $output == *$'\tafter\tskipped\tneeds bad'* ]]
		[[ $output == *$'\tlater\tskipped\tneeds after'* ]]
		[[ $output != *nightly* ]]
		[[ $output == *"bad failed: the job exited with status 3"*"src/x.c:7:3: error: oh no"* ]]
		[[ $output == *"2 passed, 1 failed, 2 skipped"* ]]
		[ "$(cat .weir/out/build/out/it)" = made ]
		[ -x .weir/out/build/out/it ]
		grep -q 'oh no' .weir/out/bad.log
		[ ! -e out ]
		nothing_left
		[ -z "$(mine git status --porcelain)" ]
	done
}

@test "what passed here with the same inputs is reused, until an input changes" {
	for who in $(users); do
		repo reuse
		put weir.yml <<-'END'
			jobs:
			  build: {run: cp a b, artifacts: [b]}
			  test: {needs: [build], run: "cat b; date +%s%N"}
			  kept: {run: "true", cache: [kept]}
		END
		echo one | put a
		commit
		answer 0
		[ "$(state build) $(state test)" = "passed passed" ]
		first=$(cat .weir/out/test.log)
		rm -rf .weir/out
		answer 0
		[ "$(state build) $(state test)" = "reused reused" ]
		[ "$(state kept)" = passed ] # what may look outside is run again
		[ "$(cat .weir/out/test.log)" = "$first" ]
		[ "$(cat .weir/out/build/b)" = one ]
		answer 0 --no-reuse
		[ "$(state build) $(state test)" = "passed passed" ]
		[ "$(cat .weir/out/test.log)" != "$first" ]
		echo two | put a
		answer 0
		[ "$(state build) $(state test)" = "passed passed" ]
		[ "$(head -1 .weir/out/test.log)" = two ]
		echo one | put a # as it was: the first verdict again
		answer 0
		[ "$(state build)" = reused ]
	done
}

@test "a failure is not reused" {
	repo fails
	put weir.yml <<<'{jobs: {test: {run: "exit 1"}}}'
	answer 1
	answer 1
	[ "$(state test)" = failed ]
	[ "$(jq -r '.jobs[0].reason.code' "$PLACE/answer")" = job-failed ]
	[ "$(jq .jobs[0].exit_status "$PLACE/answer")" = 1 ]
}

@test "the working tree as it is: changed, deleted and untracked files, nothing that is ignored, no .weir" {
	for who in $(users); do
		repo tree
		put weir.yml <<<'{jobs: {look: {run: "cat tracked new; test ! -e gone; test ! -e ignored; test ! -e .weir; test ! -e .git"}}}'
		echo old | put tracked
		echo x | put gone
		echo ignored | put .gitignore
		commit
		echo changed | put tracked
		rm gone
		echo untracked | put new
		echo x | put ignored
		before=$(mine git status --porcelain; find .git -type f | sort | xargs sha256sum)
		answer 0
		[ "$(cat .weir/out/look.log)" = $'changed\nuntracked' ]
		[ "$(mine git status --porcelain; find .git -type f | sort | xargs sha256sum)" = "$before" ]
		mkdir -p sub/deep
		cd sub/deep
		answer 0 look
		[ "$(state look)" = reused ]
	done
}

@test "jobs run side by side up to --slots" {
	repo slots
	put weir.yml <<-'END' # each prints when it began and when it ended
		jobs:
		  a: {run: "echo $(date +%s%N) $(sleep 2; date +%s%N)"}
		  b: {run: "echo $(date +%s%N) $(sleep 2; date +%s%N)"}
		  c: {run: "echo $(date +%s%N) $(sleep 2; date +%s%N)"}
	END
	answer 0 --slots 3 # all had begun before one ended
	cat .weir/out/{a,b,c}.log | awk '$1 > begun { begun = $1 } !ended || $2 < ended { ended = $2 } END { exit !(NR == 3 && begun < ended) }'
	answer 0 --slots 1 --no-reuse # each began when the one before had ended
	cat .weir/out/{a,b,c}.log | sort -n | awk '$1 < ended { bad = 1 } { ended = $2 } END { exit !(NR == 3 && !bad) }'
}

@test "--fail-fast cancels the others, with all their processes" {
	repo fast
	put weir.yml <<-'END'
		jobs:
		  slow: {run: "sleep 987654 & wait"}
		  bad: {run: "sleep 0.3; exit 1"}
	END
	SECONDS=0
	answer 1 --fail-fast --slots 2
	[ "$SECONDS" -lt 20 ]
	[ "$(state bad) $(state slow)" = "failed cancelled" ]
	gone 'sleep 987654'
	nothing_left
}

@test "Ctrl-C ends the runs and cleans up" {
	for who in $(users); do
		repo interrupt
		put weir.yml <<<'{jobs: {slow: {run: "echo begun; sleep 876543"}}}'
		background
		kill -INT $weir
		got=0
		wait $weir || got=$?
		[ "$got" = 130 ]
		grep -q $'\tslow\tcancelled\t' "$PLACE/printed"
		gone 'sleep 876543'
		nothing_left
	done
}

@test "what a killed weir run left is ended and removed by the next one" {
	for who in $(users); do
		repo killed
		put weir.yml <<<'{jobs: {slow: {run: "echo begun; sleep 765432"}, quick: {run: "true"}}}'
		background slow
		kill -KILL $weir
		wait $weir || true
		appears 'sleep 765432'
		answer 0 quick
		gone 'sleep 765432'
		nothing_left
	done
}

@test "--write-back copies artifacts into the tree, over what is there, and never out of it" {
	repo back
	put weir.yml <<-'END'
		jobs:
		  gen: {run: "mkdir -p gen/deep; echo new >gen/deep/file; echo top >top", artifacts: [gen, top]}
	END
	echo old | put gen/deep/file
	commit
	run mine weir run --write-back
	[ "$status" = 0 ]
	[[ $output == *"2 files of artifacts written"* ]]
	[ "$(cat gen/deep/file) $(cat top)" = "new top" ]
	mkdir "$PLACE/outside"
	rm -rf gen
	ln -s "$PLACE/outside" gen
	put .gitignore <<<gen
	run mine weir run --write-back
	[ "$status" = 1 ]
	[[ $output == *"a link leads out of it"* ]]
	[ -z "$(ls -A "$PLACE/outside")" ]
}

@test "names of jobs: a family stands for its members, an unknown one gets a hint" {
	repo names
	put weir.yml <<-'END'
		jobs:
		  test: {run: 'echo $WEIR_SHARD of $WEIR_SHARDS', shards: 2}
		  lint: {run: "true"}
	END
	answer 0 test
	[ "$(jq -c '[.jobs[].name]' "$PLACE/answer")" = '["test 1/2","test 2/2"]' ]
	[ "$(cat '.weir/out/test%202%2F2.log')" = "2 of 2" ]
	answer 0 "test 2/2" lint
	[ "$(jq -c '[.jobs[].name]' "$PLACE/answer")" = '["test 2/2","lint"]' ]
	run mine weir run lnit
	[ "$status" = 2 ]
	[[ $output == *'no job "lnit", did you mean'*lint* ]]
}

@test "results: the failing test comes first, with its message and place" {
	repo results
	put weir.yml <<-'END'
		jobs:
		  test:
		    run: |
		      echo '<testsuite name="s"><testcase name="good"/>' >r.xml
		      echo '<testcase name="bad" file="x.c" line="7"><failure message="expected 1, got 2"/></testcase></testsuite>' >>r.xml
		      exit 1
		    results: [r.xml]
	END
	run mine weir run
	[ "$status" = 1 ]
	[[ $output == *"s / bad"*"expected 1, got 2"*"x.c:7"* ]]
	answer 1
	[ "$(jq -c '.jobs[0] | [.tests, .tests_failed, .failed_tests[0], .reason.code]' "$PLACE/answer")" = '[2,1,"s / bad","test-failed"]' ]
}

@test "secrets come from WEIR_SECRET_NAME and are masked; without a value a job runs without and says so" {
	repo secrets
	put weir.yml <<<'{jobs: {job: {run: "echo ${TOKEN-none}", secrets: [TOKEN]}}}'
	WEIR_SECRET_TOKEN=correct-horse answer 0
	[ "$(grep -c -e correct-horse -e none .weir/out/job.log)" = 0 ]
	run mine weir run
	[ "$status" = 0 ]
	[[ $output == *"job runs without TOKEN"* ]]
	[ "$(cat .weir/out/job.log)" = none ]
}

@test "retries, git: true, cache" {
	for who in $(users); do
		repo more
		put weir.yml <<-'END'
			jobs:
			  flaky: {run: "test -e keep/seen || { touch keep/seen; exit 1; }", cache: [keep], retries: 1}
			  git: {run: "git log --format=%s; git status --porcelain", git: true}
		END
		commit "the subject"
		echo x | put new
		run mine weir run
		[ "$status" = 0 ]
		[[ $output == *$'\tflaky\tfailed\t'*$'\tflaky\tpassed\t'* ]]
		[[ $output == *$'\tgit\tlog\tthe subject'* ]]
		[[ $output == *$'\tgit\tlog\t?? new'* ]]
	done
}

@test "submodules: true brings them as the commit names them" {
	repo lib
	echo shared | put lib.txt
	commit
	lib=$REPO
	repo with-lib
	put weir.yml <<<'{jobs: {with: {run: cat lib/lib.txt, submodules: true}, without: {run: "! test -e lib/lib.txt"}}}'
	mine git -c protocol.file.allow=always submodule --quiet add "file://$lib" lib
	commit
	answer 0
	[ "$(cat .weir/out/with.log)" = shared ]
	nothing_left
}

@test "weir.yml: wrong, absent, and no working tree" {
	repo wrong
	put weir.yml <<<$'jobs:\n  test: {run: "true", artefacts: [a]}\n'
	run mine weir run
	[ "$status" = 1 ]
	[[ $output == *'weir.yml:2:'*'unknown key "artefacts"'*"did you mean"* ]]
	run --separate-stderr mine weir run --json
	[ "$status" = 1 ]
	[ "$(jq .errors <<<"$output")" = 1 ]
	rm weir.yml
	run mine weir run
	[ "$status" = 1 ]
	[[ $output == *"no weir.yml"*"weir init"* ]]
	mkdir "$PLACE/bare"
	cd "$PLACE/bare"
	run mine weir run
	[ "$status" = 1 ]
	[[ $output == *"not a git working tree"* ]]
	run mine weir run --slots many
	[ "$status" = 2 ]
}

@test "on a terminal: a line a job and a live line; NO_COLOR has no colour" {
	repo terminal
	put weir.yml <<<'{jobs: {slow: {run: "echo working on it; sleep 1"}}}'
	run mine env TERM=xterm LANG=C.UTF-8 script -qec "weir run" /dev/null
	[ "$status" = 0 ]
	[[ $output == *"working on it"*"passed"* ]]
	[[ $output == *$'\e[32m✓'* ]]
	run mine env TERM=xterm NO_COLOR=1 LANG=C.UTF-8 script -qec "weir run --log --no-reuse" /dev/null
	[ "$status" = 0 ]
	[[ $output != *$'\e[3'* ]]
	[[ $output == *"slow │ working on it"* ]]
}

@test "two at once: the second waits for the first" {
	repo two
	put weir.yml <<<'{jobs: {slow: {run: "echo begun; sleep 1"}, quick: {run: "true"}}}'
	background slow
	run mine weir run quick
	[ "$status" = 0 ]
	[[ $output == *"another weir run is under way"* ]]
	wait $weir
	grep -q $'\tslow\tpassed\t' "$PLACE/printed"
}

@test "what nobody will ask for any more is removed: layers at once, objects and snapshots once a day" {
	for who in $(users); do
		repo tidy
		put weir.yml <<<'jobs: {make: {run: "cat f1 >out", artifacts: [out]}, use: {run: cat out, needs: [make]}}'
		mine sh -c 'for i in $(seq 310); do echo $i >f$i; done'
		commit
		mine weir run
		first=$(ls .weir/local/cache/base/*)
		mine sh -c 'for i in $(seq 310); do echo more >>f$i; done'
		mine weir run # too much for a delta: a checkout of its own
		[ "$(find .weir/local/cache/base -mindepth 2 -maxdepth 2 | wc -l)" = 1 ]
		[ "$(ls .weir/local/cache/base/*)" != "$first" ]
		[ -z "$(ls .weir/local/cache/gone 2>/dev/null)" ]
		objects=$(find .weir/local/objects -type f | wc -l)

		mine sqlite3 .weir/local/weir.db 'UPDATE local_runs SET time_ms = time_ms - 100 * 86400000'
		mine find .weir/local/objects -type f -exec touch -d '100 days ago' {} +
		mine mkdir -p .weir/local/snapshot/objects/17
		mine sh -c 'for i in $(seq 100); do : >.weir/local/snapshot/objects/17/$(printf %038d $i); done'
		mine weir run
		[ "$(find .weir/local/objects -type f -mtime +90 | wc -l)" -gt 0 ] # today was done
		mine touch -d '2 days ago' .weir/local/collected
		mine weir run --no-reuse
		[ "$(find .weir/local/objects -type f -mtime +90 | wc -l)" = 0 ]
		[ ! -e .weir/local/snapshot/objects/17/"$(printf %038d 1)" ]
		mine weir run
		[ "$(cat .weir/out/make/out)" = $'1\nmore' ]
		[ "$objects" -gt 3 ]
	done
}

@test "weir starts without the libraries of HTTP and XML" { # os/late.h: they cost 10 ms each time
	[ "$(readelf -d "$PLACE/bin/weir" | grep -c -e libcurl -e libmicrohttpd -e libxml2)" = 0 ]
}

@test "a log that cannot be opened: one sentence, nothing is left, whether an earlier run might answer or not" {
	repo newer
	put weir.yml <<<'jobs: {a: {run: "echo begun; sleep 30"}, b: {run: "true", needs: [a]}}'
	commit
	mine timeout 60 weir run b --no-reuse --json >/dev/null & # makes the log; ended below
	first=$!
	for _ in $(seq 100); do [ -e .weir/local/weir.db ] && break || sleep 0.1; done
	kill -INT "$first" 2>/dev/null || true
	wait "$first" || true
	sqlite3 .weir/local/weir.db 'PRAGMA user_version = 9999'
	for reuse in "" --no-reuse; do
		begun=$SECONDS
		# shellcheck disable=SC2086 # none or one word
		run mine weir run $reuse
		echo "$output"
		[ "$status" = 1 ]
		[[ $output == *"a newer weir wrote this data"* ]]
		[ $((SECONDS - begun)) -lt 20 ]
		for _ in $(seq 50); do [ -z "$(ls .weir/local/runs)" ] && break || sleep 0.1; done
		[ -z "$(ls .weir/local/runs)" ]
	done
}

@test "what a job says last, without a line end, stands before what weir says of it" {
	repo last
	put weir.yml <<<'jobs: {a: {run: "printf \"first\\nlast words\"; exit 1"}}'
	run mine weir run
	[ "$status" = 1 ]
	run cat .weir/out/a.log
	echo "$output"
	[ "${lines[0]}" = first ]
	[ "${lines[1]}" = "last words" ]
	[[ ${lines[2]} == *"the job exited with status 1"* ]]
}

@test "weir's own folder may be ignored by name, and is no part of the tree" {
	repo ignored
	put weir.yml <<<'jobs: {a: {run: "find . -name .weir -o -name kept"}}'
	put .weir/x <<<x
	put sub/.weir/kept <<<kept
	for ignored in .weir/ /.weir .weir ''; do
		put .gitignore <<<"$ignored"
		run -0 mine weir run --no-reuse
		echo "$output"
		[[ $output != *$'\t./.weir'* && $output != *$'\n./.weir'* ]]
	done
	[[ $output == *"./sub/.weir/kept"* ]]
}

@test "a tree of which git has thrown a part away is asked for again" {
	repo pruned
	put weir.yml <<<'jobs: {a: {run: "cat d/x"}}'
	put d/x <<<kept
	commit
	mine touch weir.yml d/x .git/index # as old as the files: git reads them again, and forgets the tree
	run -0 mine weir run --no-reuse
	[ -e .weir/local/snapshot/tree ]
	broken=$(printf '040000 tree %040d\td\n' 7 | mine git mktree --missing)
	sed -i "s/ .*/ $broken/" .weir/local/snapshot/tree
	mine touch weir.yml d/x .git/index
	run mine weir run --no-reuse
	[ "$status" = 1 ]
	[[ $output == *"0000000000000000000000000000000000000007"* ]]
	mine touch weir.yml d/x .git/index
	run -0 mine weir run --no-reuse
}
