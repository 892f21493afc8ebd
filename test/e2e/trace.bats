#!/usr/bin/env bats
# What a job reads is recorded whatever it does to get at it: no verdict is reused wrongly, and none is
# thrown away for what the job never asked about. Each way is a job of its own (test/trace/tricks.c).
# shellcheck disable=SC2154 # run sets stderr

bats_require_minimum_version 1.5.0

setup_file() {
	here=$BATS_TEST_DIRNAME/../trace
	export WEIR_BUILD=${WEIR_BUILD:-$BATS_TEST_DIRNAME/../../build/rel} LC_ALL=C.UTF-8 HOME=$BATS_FILE_TMPDIR
	export PATH=$WEIR_BUILD:$PATH GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
	export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.com
	export SOURCE=$BATS_FILE_TMPDIR/source
	mkdir -p "$SOURCE/bin" "$SOURCE/data/deep"
	gcc -O1 -pthread -o "$SOURCE/bin/tricks" "$here/tricks.c"
	gcc -O1 -pthread -static -o "$SOURCE/bin/static" "$here/tricks.c"
	as --32 -o "$BATS_FILE_TMPDIR/old.o" "$here/old.s"
	ld -m elf_i386 -o "$SOURCE/bin/old" "$BATS_FILE_TMPDIR/old.o"
	cp "$SOURCE/bin/static" "$SOURCE/data/program"
	echo "=one" >"$SOURCE/data/target"
	echo ".decoy" >"$SOURCE/data/decoy!"
	echo leaf >"$SOURCE/data/deep/leaf"
	ln -s deep/leaf "$SOURCE/data/link"
	printf '#!/bin/sh\ncat data/target\n' >"$SOURCE/script"
	chmod +x "$SOURCE/script"
	echo nothing >"$SOURCE/unrelated"
}

# A work tree with a job for each line "NAME COMMAND" on standard input
work_tree() {
	cp -a "$SOURCE" "$BATS_TEST_TMPDIR/work"
	cd "$BATS_TEST_TMPDIR/work" || return
	echo "jobs:" >weir.yml
	while read -r name command; do
		printf '  %s:\n    run: %s\n' "$name" "$command" >>weir.yml
	done
	git init -q -b main .
	git add -A
	git commit -qm first
}

# Where the kernel has no FUSE for us nothing is traced, which is a test of its own below.
needs_fuse() { (exec 3<>/dev/fuse) 2>/dev/null || skip "cannot open /dev/fuse here: verdicts hold for whole trees only"; }

# states WORD: names of the jobs that ended so in the last run, one a line
states() { jq -r --arg state "$1" '.jobs[] | select(.state == $state) | .name' <"$BATS_TEST_TMPDIR/json"; }
go() {
	weir run --json >"$BATS_TEST_TMPDIR/json" || {
		jq -r '.jobs[] | select(.state != "passed" and .state != "reused")' "$BATS_TEST_TMPDIR/json"
		return 1
	}
}
# these STATE NAME...: exactly these jobs ended so
these() {
	local state=$1
	shift
	diff <(printf '%s\n' "$@" | sort) <(states "$state" | sort)
}
all_jobs() { jq -r '.jobs[].name' <"$BATS_TEST_TMPDIR/json"; }

@test "twenty ways to read a file, by programs with and without libraries: never a wrong reuse" {
	needs_fuse
	for trick in $("$SOURCE/bin/tricks"); do
		echo "d-$trick bin/tricks $trick"
		echo "s-$trick bin/static $trick"
	done >"$BATS_TEST_TMPDIR/jobs"
	cat >>"$BATS_TEST_TMPDIR/jobs" <<-'END'
		old bin/old || echo refused
		script ./script
		tar tar cf - data | tar xOf - data/target
	END
	work_tree <"$BATS_TEST_TMPDIR/jobs"
	go
	jq -r '.jobs[] | select(.traced | not) | .name' "$BATS_TEST_TMPDIR/json" >"$BATS_TEST_TMPDIR/untraced"
	[ ! -s "$BATS_TEST_TMPDIR/untraced" ] # else this machine has no /dev/fuse for us: weir doctor says so
	for name in $(all_jobs); do grep -q "=one\|refused" ".weir/out/$name.log" || { echo "$name read nothing"; return 1; }; done
	echo other >unrelated
	go
	these reused "$(all_jobs)"
	echo "=two" >data/target # as long as before, with the same times
	go
	refused=none # where the sandbox refuses 32-bit programs, nothing was read
	if grep -q refused .weir/out/old.log; then refused=old; fi
	these passed "$(all_jobs | grep -vx "$refused")"
	for name in $(all_jobs); do grep -q "=two\|refused" ".weir/out/$name.log" || { echo "$name is stale"; return 1; }; done
	echo "=one" >data/target
	go
	these reused "$(all_jobs)"
}

@test "what is looked at but not read: each answer counts, and only it" {
	needs_fuse
	work_tree <<-'END'
		size stat -c %s data/target
		executable test -x data/target || echo no
		absent test ! -e data/missing
		below test ! -e data/not/there
		list ls data
		link readlink data/link
		through cat data/link
		glob echo data/deep/*
		find find . -name leaf
	END
	go
	echo other >unrelated
	go
	these reused size executable absent below list link through glob find
	echo "=two" >data/target # its bytes are nobody's business here
	go
	these reused size executable absent below list link through glob find
	echo "=longer" >data/target
	go
	these passed size executable
	chmod +x data/target
	go
	these passed size executable
	touch data/missing
	run -1 weir run --json absent
	run -1 weir run --json absent # a red verdict is never reused
	rm data/missing
	mkdir -p data/not
	echo there >data/not/there
	run -1 weir run --json below
	rm -r data/not
	touch data/more
	go
	these passed list find
	touch data/deep/more
	go
	these passed glob find
	ln -sf deep/more data/link
	go
	these passed link through
}

@test "where /dev/fuse is not for us a verdict holds for its whole tree, and that is said" {
	work_tree <<-'END'
		cat cat data/target
	END
	chmod 711 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR/.."
	mkdir -m 755 ../programs
	cp "$WEIR_BUILD"/weir* ../programs 2>/dev/null || true # where everybody may run them
	PATH=$BATS_TEST_TMPDIR/programs:$PATH
	as_nobody() { HOME=$BATS_TEST_TMPDIR setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"; }
	if [ "$(id -u)" = 0 ]; then chown -R nobody:nogroup .; else as_nobody() { "$@"; }; fi
	if as_nobody sh -c 'exec 3<>/dev/fuse' 2>/dev/null; then closed=; else closed=yes; fi
	run as_nobody weir run --explain
	echo "$output"
	[ "$status" = 0 ]
	[ -z "$closed" ] || [[ $output == *"its verdict depends on the whole tree; not traced: cannot open /dev/fuse: Permission denied"* ]]
	[ -z "$closed" ] || [[ $(as_nobody weir doctor || true) == *"a verdict holds for its whole tree only"* ]]
	run as_nobody weir run
	[[ $output == *reused* ]]
	echo other >unrelated
	run as_nobody weir run
	[ -z "$closed" ] || [[ $output == *"1 passed"* ]]
}

@test "weir run --explain names what changed, and what a verdict depends on" {
	needs_fuse
	work_tree <<-'END'
		cat cat data/target
	END
	run weir run --explain
	[[ $output == *"cat ran: its definition, its needs or the machine's tools are new"*"its verdict depends on 1 file read, 1 name looked at"* ]]
	run weir run --explain
	[[ $output == *"cat was reused: nothing that it read changed"* ]]
	echo "=two" >data/target
	run weir run --explain
	[[ $output == *"cat ran: data/target changed"* ]]
	run weir run --explain --no-reuse
	[[ $output == *"cat ran: asked for"* ]]
}

@test "a job that reads nothing of the tree is reused, whatever changes there" {
	needs_fuse
	work_tree <<-'END'
		says echo hello
	END
	go
	these passed says
	echo other >unrelated
	go
	these reused says
}
