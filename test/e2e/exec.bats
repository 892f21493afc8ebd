#!/usr/bin/env bats
# Jobs that behave and jobs that do not: what their outcome, log, artifacts and results say. Everything runs as root
# and as an ordinary user.

load ../escape/job

setup_file() { jobs_setup_file; }
teardown_file() { jobs_teardown_file; }

@test "a job sees its files, its environment and nothing it did not ask for" {
	for who in $(users); do
		job $who plain 'pwd; cat file src/deep; id -u; hostname; umask; env | sort' '{env: {GREETING: "a=b c", LANG: "C"}}'
		ends passed
		says /work
		says tracked
		says deep
		says 61000
		says weir
		says 0022
		says GREETING="a=b c"
		says LANG=C
		says HOME=/home/job
		says CI=1
		[ "$(printed | grep -c =)" = 10 ] # 8 fixed (LANG overridden), GREETING, PWD
		[ "$(outcome .exit_code)" = 0 ]
	done
}

@test "the workspace is the run's own: the base stays as it was, later layers win" {
	for who in $(users); do
		mkdir -p "$JOBS/$who/delta"
		echo changed >"$JOBS/$who/delta/file"
		own $who "$JOBS/$who/delta"
		job $who layers 'cat file; echo more >>file; rm src/deep; mkdir src/new; echo x >src/new/x; cat file' \
			'{lowers: ["'"$JOBS/$who/delta"'", "'"$JOBS/$who/base"'"]}'
		ends passed
		says changed
		says more
		[ "$(cat "$JOBS/$who/base/file")" = tracked ]
		[ "$(cat "$JOBS/$who/base/src/deep")" = deep ]
	done
}

@test "exit status, signal, timeout, working directory" {
	for who in $(users); do
		job $who three 'echo before; exit 3'
		ends failed exit
		[ "$(outcome .exit_code)" = 3 ]
		job $who set-e 'false; echo after'
		ends failed exit
		never_says after
		job $who segv 'kill -SEGV $$'
		ends failed signal
		[ "$(outcome .signal)" = 11 ]
		job $who slow 'echo begun; sleep 60' '{timeout_ms: 300}'
		ends timeout timeout
		says begun
		[ "$(outcome .duration_ms)" -lt 5000 ]
		job $who there 'pwd' '{folder: "src"}'
		ends passed
		says /work/src
		job $who nowhere 'pwd' '{folder: "no/such"}'
		ends failed working-directory
	done
}

@test "outputs are kept apart, with times, invalid UTF-8 and ANSI as they came" {
	for who in $(users); do
		job $who outputs "printf 'a\\033[1mb\\n'; printf '\\377\\376\\n' >&2; sleep 0.2; printf 'no line end'"
		ends passed
		grep -aqE $'^[0-9]+ o a\033\\[1mb$' "$RUN/log"
		grep -aqE $'^[0-9]+ e \xff\xfe$' <(LC_ALL=C cat "$RUN/log") || LC_ALL=C grep -aqP '^[0-9]+ e \xff\xfe$' "$RUN/log"
		[ "$(awk '/no line end/ {print $1}' "$RUN/log")" -ge 200 ]
	done
}

@test "10 GB of log without a line feed neither fill the disk nor take long" {
	who=$(users)
	who=${who%% *}
	job $who huge-log 'echo head; head -c 10G /dev/zero; echo; echo tail' '{timeout_ms: 300000}'
	ends passed
	[ "$(stat -c %s "$RUN/log")" -le 67108864 ]
	says head
	says tail
	[ "$(outcome .log.text_bytes)" -gt 10737418240 ]
	[ "$(outcome .log.dropped_bytes)" -gt 10600000000 ]
	grep -aqE '^[0-9]+ d [0-9]+$' "$RUN/log"
}

@test "a hundred million short lines stay bounded too" {
	who=$(users)
	who=${who%% *}
	job $who many-lines 'yes | head -n 100000000; echo last' '{log_bytes: 1000000}'
	ends passed
	[ "$(stat -c %s "$RUN/log")" -le 1100000 ]
	says last
}

@test "a fork bomb ends with its run and hits its limit" {
	for who in $(users); do
		job $who bomb 'b() { b | b & }; b; sleep 1; exit 1' '{pids: 100, timeout_ms: 5000}'
		case $(outcome .outcome) in killed | failed | timeout) ;; *) false ;; esac
		if [ "$(outcome .cgroup)" != none ]; then [ "$(outcome .limits.hit_pids)" = true ]; fi
		[ "$(outcome .duration_ms)" -lt 20000 ]
	done
	[ -z "$(find /sys/fs/cgroup -name "weir-t$$-*" -type d 2>/dev/null)" ]
}

@test "a job that takes more memory than it may is killed" {
	for who in $(users); do
		job $who memory 'perl -e "my \$x = q(x) x 400_000_000; print length(\$x)"; echo survived' '{memory_bytes: 100000000}'
		never_says survived
		case $(outcome .cgroup) in none) ends failed exit ;; *) ends killed oom ;; esac
	done
}

@test "a job that fills the disk is stopped, by size of one file and by all it wrote" {
	for who in $(users); do
		job $who file 'head -c 100M /dev/zero >big' '{disk_bytes: 20000000}'
		ends killed disk
		job $who files 'i=0; while :; do head -c 1M /dev/zero >f$i; i=$((i + 1)); sleep 0.01; done' '{disk_bytes: 20000000}'
		ends killed disk
		[ "$(du -sm "$RUN/upper" | cut -f1)" -lt 500 ]
	done
}

@test "the whole tree ends with its job: daemons left behind, daemons that hold the log open" {
	for who in $(users); do
		job $who daemon 'setsid sleep 4071 >/dev/null 2>&1 & (setsid sh -c "trap \"\" TERM HUP; sleep 4071") & echo done'
		ends passed
		says "done"
		[ "$(outcome .duration_ms)" -lt 5000 ]
		gone 'sleep 4071'
	done
}

@test "cancel by socket and by signal; the job of a killed leader dies with it" {
	for who in $(users); do
		for how in socket signal kill; do
			spec $who cancel-$how 'echo begun; sleep 4072'
			as $who "$JOBS/bin/weir-leader" "$RUN" &
			for _ in $(seq 200); do
				if grep -qs begun "$RUN/log"; then break; fi
				sleep 0.05
			done
			case $how in
			socket) answer=$(cd "$RUN" && perl -MIO::Socket::UNIX -e '
				my $s = IO::Socket::UNIX->new(Peer => "control") or die "no socket: $!";
				print $s "cancel\n"; print <$s>;') ;;
			signal) kill -TERM "$(cut -d' ' -f1 "$RUN/pid")" ;;
			kill) kill -KILL "$(cut -d' ' -f1 "$RUN/pid")" ;;
			esac
			wait || true
			if [ $how = socket ]; then [ "$answer" = '{"ok":true}' ]; fi
			if [ $how = kill ]; then
				[ ! -e "$RUN/outcome.json" ]
				while read -r folder; do rmdir "$folder" || { sleep 0.3 && rmdir "$folder"; }; done <"$RUN/cgroup"
			else
				ends cancelled cancelled
			fi
			gone 'sleep 4072'
		done
	done
}

@test "artifacts: patterns, modes, links inside; the manifest does not depend on time or place" {
	for who in $(users); do
		local first=
		for round in 1 2; do
			job $who artifacts-$round 'mkdir -p out/a/b; echo x >out/a/b/x.txt; echo y >out/y.bin; echo t >out/a/t.txt
				chmod 4775 out/y.bin; ln -s a/b/x.txt out/link; ln out/y.bin hard; echo one >one' \
				'{artifacts: ["out/**/*.txt", "out/y.bin", "out/link", "one", "hard", "out/a"]}'
			ends passed
			run jq -c '[.[] | [.path, .mode // .link]]' "$RUN/out/manifest.json"
			[ "$output" = '[["hard","0755"],["one","0644"],["out/a/b/x.txt","0644"],["out/a/t.txt","0644"],["out/link","a/b/x.txt"],["out/y.bin","0755"]]' ]
			[ "$(sha256sum <"$RUN/out/manifest.json" | cut -d' ' -f1)" = "$(outcome .artifact.digest)" ]
			[ "$(stat -c %a "$RUN/out/files/out/y.bin")" = 755 ]
			[ "$(cat "$RUN/out/files/out/a/b/x.txt")" = x ]
			[ -z "$first" ] || [ "$first" = "$(outcome .artifact.digest)" ]
			first=$(outcome .artifact.digest)
		done
	done
}

@test "artifacts: a missing one fails the job and is named; of a failed job none is kept; limits hold" {
	for who in $(users); do
		job $who missing 'echo x >there' '{artifacts: ["there", "not/there"]}'
		ends failed artifact-missing
		[[ "$(outcome .reason.text)" == *not/there* ]]
		[ ! -e "$RUN/out" ]
		job $who failed 'echo x >there; exit 1' '{artifacts: ["there"]}'
		ends failed exit
		[ ! -e "$RUN/out" ]
		job $who bytes 'head -c 2M /dev/zero >there' '{artifacts: ["there"], artifact_bytes: 1000000}'
		ends failed artifact-limit
		job $who count 'mkdir d; for i in 1 2 3 4 5; do : >d/$i; done' '{artifacts: ["d"], artifact_files: 4}'
		ends failed artifact-limit
		job $who name "mkdir d; : >d/\$(printf '\\377')" '{artifacts: ["d"]}'
		ends failed artifact-path
	done
}

@test "results are read, also of a job that failed; malformed, huge and absent ones are a note" {
	for who in $(users); do
		job $who junit 'cat >j.xml <<END
<testsuite name="s"><testcase name="good"/><testcase name="bad"><failure message="no"/></testcase><testcase name="skip"><skipped/></testcase></testsuite>
END
		exit 1' '{results: ["*.xml"], coverage: ["cov.info"]}'
		ends failed exit
		[ "$(outcome '.tests | [.total, .passed, .failed, .skipped] | join(" ")')" = "3 1 1 1" ]
		[[ "$(outcome '.tests.first_failed[0]')" == *bad* ]]
		jq -e '.[0].path == "j.xml" and .[0].results' "$RUN/results.json"
		[[ "$(outcome .coverage_error)" == *cov.info* ]]
		job $who malformed 'echo "<testsuite" >j.xml; echo "{" >j.json' '{results: ["j.xml", "j.json"]}'
		ends passed
		[ -n "$(outcome .results_error)" ]
		[ "$(outcome .tests)" = null ]
		job $who absent 'true' '{results: ["j.xml"]}'
		ends passed
		[[ "$(outcome .results_error)" == *j.xml* ]]
		job $who huge 'head -c 300M /dev/zero >j.xml' '{results: ["j.xml"]}'
		ends passed
		[ -n "$(outcome .results_error)" ]
		[ ! -e "$RUN/results" ]
	done
}

@test "a spec that cannot be, a layer that is not there: an error that says so" {
	for who in $(users); do
		job $who no-layer true '{lowers: ["/nonexistent/layer"]}'
		ends error workspace
		[[ "$(outcome .reason.text)" == */nonexistent/layer* ]]
		job $who no-command "" '{}'
		ends error spec
		job $who outside true '{folder: "../.."}'
		ends error spec
	done
}

@test "network: none without asking, out but never the host's loopback with it" {
	perl -MIO::Socket::INET -e '
		$0 = "weir-test-listener";
		my $s = IO::Socket::INET->new(LocalAddr => "0.0.0.0", LocalPort => 0, Listen => 5) or die;
		open(my $f, ">", $ARGV[0]); print $f $s->sockport; close($f);
		alarm 60; while (my $c = $s->accept) { print $c "reached\n"; close $c; }' "$JOBS/port" 3>&- &
	listener=$!
	for _ in $(seq 100); do if [ -s "$JOBS/port" ]; then break; fi; sleep 0.05; done
	port=$(cat "$JOBS/port")
	own=$(hostname -I | cut -d' ' -f1)
	for who in $(users); do
		probe='for a in 127.0.0.1 10.0.2.2 '$own'; do timeout 5 bash -c "cat </dev/tcp/$a/'$port'" 2>/dev/null | sed "s/^/$a /" || true; done
			cat /proc/net/dev; cat /etc/resolv.conf; perl -MIO::Socket::INET -e '"'"'
			my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1) or die; print "own loopback works\n"'"'"
		job $who offline "$probe"
		ends passed
		never_says reached
		says "own loopback works"
		spec $who online "$probe" '{network: true}'
		if [ $who = user ] && [ "$(id -u)" = 0 ] && ! as user test -w /dev/net/tun; then
			# Where udev runs everybody may open it; here as there, for this one process.
			mknod "$JOBS/tun" c 10 200
			chmod 666 "$JOBS/tun"
			export -f as
			unshare -m bash -c 'mount --bind "$JOBS/tun" /dev/net/tun && chmod 666 /dev/net/tun && as user "$JOBS/bin/weir-leader" "$0"' "$RUN"
			job user no-tun true '{network: true}'
			ends error workspace
			[[ "$(outcome .reason.text)" == */dev/net/tun* ]]
			RUN=$JOBS/user/online
		else
			as $who "$JOBS/bin/weir-leader" "$RUN" 4<&-
		fi
		ends passed
		never_says "127.0.0.1 reached"
		never_says "10.0.2.2 reached"
		says "nameserver 10.0.2.3"
		printed | grep -q tap0
		[ -z "$own" ] || says "$own reached"
	done
	kill $listener
}
