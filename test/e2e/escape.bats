#!/usr/bin/env bats
# What a hostile job tries, as root's and as an ordinary user's daemon: nothing gets out, nothing gets in.

load ../escape/job

setup_file() { jobs_setup_file; }
teardown_file() { jobs_teardown_file; }

# try NAME COMMAND: a job that must print "safe" and nothing with "ESCAPED"
try() {
	job "$1" "$2" "$3" "${4:-{\}}"
	says safe
	never_says ESCAPED
}

@test "no password file, no host files, no devices" {
	echo host-marker-5093 >"$JOBS/marker-5093"
	for who in $(users); do
		try $who files '
			for f in /etc/shadow /etc/gshadow /etc/sudoers /root /var/lib /var/log /boot /srv /sys /home/job/../../root; do
				if [ -e $f ]; then echo ESCAPED $f; fi
			done
			if grep -v -e ^root: -e ^job: -e ^nobody: /etc/passwd; then echo ESCAPED passwd; fi
			find / -xdev -name "marker-5093" 2>/dev/null | sed "s/^/ESCAPED /"
			find /dev -type b | sed "s/^/ESCAPED /"
			mknod /tmp/disk b 254 0 2>/dev/null && echo ESCAPED mknod
			for d in /dev/mem /dev/kmem /dev/kvm /dev/fuse /dev/net/tun /dev/vda /dev/sda; do if [ -e $d ]; then echo ESCAPED $d; fi; done
			grep -q "^NoNewPrivs:.*1" /proc/self/status || echo ESCAPED nnp
			grep "^Cap" /proc/self/status | grep -v 0000000000000000 && echo ESCAPED caps
			echo safe'
	done
}

@test "nothing of the launcher in /proc: environment, arguments, host pids, descriptors" {
	export WEIR_CANARY=canary-6021
	for who in $(users); do
		try $who proc '
			cat /proc/[0-9]*/environ 2>/dev/null | grep -a canary-602[1] && echo ESCAPED environ
			if [ -s /proc/1/environ ]; then echo ESCAPED environ of 1; fi
			tr "\0" " " </proc/1/cmdline | grep -e weir-jobs -e /mnt && echo ESCAPED cmdline
			n=$(ls -d /proc/[0-9]* | wc -l); if [ $n -gt 5 ]; then echo ESCAPED $n processes; fi
			for n in 3 4 5 6 7 8 9 10 11 12 13 14 15; do if [ -e /proc/$$/fd/$n ]; then echo ESCAPED descriptor $n; fi; done
			readlink /proc/$$/fd/0
			grep -a -e "weir-job[s]" /proc/self/mountinfo | cut -c1-200 | sed "s/^/mounts: /"
			cat /proc/1/mem >/dev/null 2>&1 && echo ESCAPED mem
			kill -9 1 2>/dev/null || true; kill -STOP 1 2>/dev/null || true
			ls /proc/1/root/mnt 2>/dev/null && echo ESCAPED root
			echo safe'
		says /dev/null
	done
}

@test "another run's workspace and secrets cannot be seen or signalled" {
	for who in $(users); do
		spec $who victim 'echo victim-7113 >victim-7113; sleep 4073'
		as $who "$JOBS/bin/weir-leader" "$RUN" &
		victim=$RUN
		for _ in $(seq 200); do if [ -e "$victim/upper/victim-7113" ]; then break; fi; sleep 0.05; done
		[ -e "$victim/upper/victim-7113" ]
		try $who spy '
			find / -name "victim-711[3]" 2>/dev/null | sed "s/^/ESCAPED /"
			ls '"$victim"' 2>/dev/null && echo ESCAPED run folder
			kill -9 -1 2>/dev/null || true
			echo safe'
		alive 'sleep 4073'
		kill -TERM "$(cut -d' ' -f1 "$victim/pid")"
		wait || true
	done
}

@test "nothing outside the workspace can be written" {
	for who in $(users); do
		try $who write '
			for p in /usr/x /usr/bin/x /usr/local/x /etc/x /etc/passwd /etc/ssl/certs/x /opt/x /x /run/x /run/weir-inner /dev/x /bin/sh \
				/etc/alternatives/x /proc/sys/kernel/core_pattern /proc/sysrq-trigger /var/x /home/x; do
				(echo x >>$p) 2>/dev/null && echo ESCAPED $p
			done
			chmod 777 /usr/bin/env 2>/dev/null && echo ESCAPED chmod
			mount -o remount,rw / 2>/dev/null && echo ESCAPED remount
			mount -t tmpfs x /tmp 2>/dev/null && echo ESCAPED mount
			umount /etc 2>/dev/null && echo ESCAPED umount
			for p in /work/x /tmp/x /var/tmp/x /dev/shm/x $HOME/x; do echo x >$p; done
			echo safe'
		[ ! -e /usr/local/x ]
	done
}

@test "no namespaces, no tracing, no large kernel interfaces" {
	[ "$(uname -m)" = x86_64 ] || skip "the call numbers are those of x86-64"
	for who in $(users); do
		try $who calls '
			unshare -U true 2>/dev/null && echo ESCAPED unshare
			unshare -m true 2>/dev/null && echo ESCAPED unshare -m
			bwrap --unshare-user --ro-bind / / true 2>/dev/null && echo ESCAPED bwrap
			cat >call.pl <<"END"
			use Errno;
			sub try { my ($name, $want, @call) = @_; my $n = shift @call; $! = 0; my $r = syscall($n, @call);
				my $pid = $name =~ /^clone/ ? $r : 0; if ($pid == 0 && $name =~ /^clone/ && $r != -1) { exit 0 }
				my $err = $! + 0; print($r == -1 && $err == $want ? "ok $name\n" : "ESCAPED $name $r $err\n"); }
			my ($EPERM, $ENOSYS, $NOFAMILY) = (1, 38, 97); my $z = "\0" x 128;
			try("ptrace", $EPERM, 101, 0, 0, 0, 0); try("process_vm_readv", $EPERM, 310, 1, 0, 0, 0, 0, 0);
			try("process_vm_writev", $EPERM, 311, 1, 0, 0, 0, 0, 0); try("keyctl", $EPERM, 250, 0, -3, 0);
			try("add_key", $EPERM, 248, $z, $z, $z, 0, -3); try("request_key", $EPERM, 249, $z, $z, $z, 0);
			try("bpf", $EPERM, 321, 0, $z, 128); try("perf_event_open", $EPERM, 298, $z, 0, -1, -1, 0);
			try("userfaultfd", $EPERM, 323, 1); try("io_uring_setup", $ENOSYS, 425, 1, $z);
			try("io_uring_enter", $ENOSYS, 426, 0, 0, 0, 0, 0, 0); try("io_uring_register", $ENOSYS, 427, 0, 0, 0, 0);
			try("clone userns", $EPERM, 56, 0x10000011, 0, 0, 0, 0); try("clone mountns", $EPERM, 56, 0x00020011, 0, 0, 0, 0);
			try("clone netns", $EPERM, 56, 0x40000011, 0, 0, 0, 0); try("clone cgroupns", $EPERM, 56, 0x02000011, 0, 0, 0, 0);
			try("clone3", $ENOSYS, 435, $z, 88);
			try("unshare time", $EPERM, 272, 0x80); try("setns", $EPERM, 308, 0, 0); try("mount", $EPERM, 165, $z, $z, $z, 0, 0);
			try("pivot_root", $EPERM, 155, $z, $z); try("chroot", $EPERM, 161, $z); try("fsopen", $EPERM, 430, $z, 0);
			try("open_tree", $EPERM, 428, -100, $z, 0); try("move_mount", $EPERM, 429, 0, $z, 0, $z, 0);
			try("mount_setattr", $EPERM, 442, 0, $z, 0, $z, 0); try("kexec_load", $EPERM, 246, 0, 0, 0, 0);
			try("finit_module", $EPERM, 313, 0, $z, 0); try("reboot", $EPERM, 169, 0, 0, 0, 0);
			try("open_by_handle_at", $EPERM, 304, 0, $z, 0); try("pidfd_getfd", $EPERM, 438, 0, 0, 0);
			try("TIOCSTI", $EPERM, 16, 0, 0x5412, $z); try("TIOCSTI with high bits", $EPERM, 16, 0, 0x100005412, $z);
			try("vsock", $NOFAMILY, 41, 40, 1, 0); try("alg", $NOFAMILY, 41, 38, 5, 0);
			try("x32 getpid", $ENOSYS, 0x40000000 + 39);
END
			perl call.pl
			printf "int main(void){int r;__asm__ volatile(\"int \$0x80\":\"=a\"(r):\"a\"(20));return r>0?7:8;}" >i.c
			if command -v gcc >/dev/null; then gcc i.c -o i && { r=0; ./i || r=$?; if [ $r = 7 ]; then echo ESCAPED int80; fi; }; fi
			echo safe'
		[ "$(printed | grep -c '^ok ')" = 36 ]
	done
}

@test "no host loopback, no host address, no abstract sockets without asking" {
	perl -MIO::Socket::INET -e '
		my $s = IO::Socket::INET->new(LocalAddr => "0.0.0.0", LocalPort => 0, Listen => 5) or die;
		open(my $f, ">", $ARGV[0]); print $f $s->sockport; close($f);
		alarm 60; while (my $c = $s->accept) { print $c "ESCAPED\n"; close $c; }' "$JOBS/port" 3>&- &
	listener=$!
	for _ in $(seq 100); do if [ -s "$JOBS/port" ]; then break; fi; sleep 0.05; done
	for who in $(users); do
		try $who net '
			for a in 127.0.0.1 localhost 10.0.2.2 '"$(hostname -I)"'; do
				timeout 2 bash -c "cat </dev/tcp/$a/'"$(cat "$JOBS/port")"'" 2>/dev/null || true
			done
			if [ "$(ls /sys/class/net 2>/dev/null || sed 1,2d /proc/net/dev | cut -d: -f1 | tr -d " ")" != lo ]; then echo ESCAPED device; fi
			sed 1d /proc/net/unix | grep @ | sed "s/^/ESCAPED /"
			echo safe'
	done
	kill $listener
}

@test "artifacts: no link, no dots, no special file leads out, no privilege comes along" {
	for who in $(users); do
		n=0
		while IFS='|' read -r code pattern command; do
			n=$((n + 1))
			job $who artifact-$n "$command" "{artifacts: [\"$pattern\"]}"
			ends failed "artifact-$code"
			[ ! -e "$RUN/out" ]
		done <<-'END'
			link|leak|ln -s /etc/passwd leak
			link|leak|ln -s ../upper leak
			link|d|mkdir d; ln -s ../../../../../../etc/shadow d/leak
			link|d|mkdir d; ln -s / d/root
			link|*|ln -s /proc/self/root leak
			link|leak/passwd|ln -s /etc leak
			link|a|mkdir a; ln -s ../b a/one; ln -s .. b
			link|../spec.json|true
			link|/etc/passwd|true
			link|d/../../spec.json|mkdir d
			special|pipe|mkfifo pipe
			special|d|mkdir d; mkfifo d/pipe
			special|s|perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => "s", Listen => 1) or die'
			missing|gone|ln -s nothing there
		END
		[ $n = 14 ]
		job $who artifact-dangling 'mkdir d; ln -s x/../../../../etc d/leak' '{artifacts: ["d"]}'
		ends failed artifact-link
	done
}

@test "a secret stays in its run: files, log in seven forms, artifacts, results, other runs" {
	secret='canary S3cr/et+"8812"&é'
	for who in $(users); do
		rm -f "$JOBS/values"
		secret_job $who secret-log '
			[ "$TOKEN" = "$(cat /run/secrets/TOKEN)" ] && echo both
			stat -c %a /run/secrets/TOKEN
			echo "raw $TOKEN"; printf %s "$TOKEN" | base64 -w0; echo; printf "x%s" "$TOKEN" | base64; printf "xy%s" "$TOKEN" | base64 | tr "+/" "-_"
			printf %s "$TOKEN" | od -An -tx1 | tr -d " \n"; echo; printf %s "$TOKEN" | od -An -tx1 | tr -d " \n" | tr a-f A-F; echo
			perl -e "my \$s = \$ENV{TOKEN}; \$s =~ s/([^A-Za-z0-9._~-])/sprintf(q(%%%02X), ord(\$1))/ge; print qq(\$s\n)"
			perl -e "my \$s = \$ENV{TOKEN}; \$s =~ s/([\"\\\\])/\\\\\$1/g; print qq({\"k\":\"\$s\"}\n)"
			perl -e "\$| = 1; for (split //, \$ENV{TOKEN}) { print; select(undef, undef, undef, 0.01) } print qq(\n)"
			echo "err $TOKEN" >&2; echo end' '{secrets: ["TOKEN"]}' "$secret"
		ends passed
		says both
		says 400
		says 'raw ***'
		says 'err ***'
		says '{"k":"***"}'
		says end
		[ "$(outcome .log.secrets_masked)" -ge 10 ]
		for form in "$secret" "S3cr/et" "$(printf %s "$secret" | base64 -w0 | cut -c1-20)" "$(printf x%s "$secret" | base64 | cut -c5-25)" \
			"$(printf xy%s "$secret" | base64 | tr '+/' '-_' | cut -c5-25)" "$(printf %s "$secret" | od -An -tx1 | tr -d ' \n' | cut -c1-16)" \
			"S3cr%2Fet" "533343522F"; do
			never_says "$form"
		done
		rm -rf "$RUN/upper" "$RUN/work" 2>/dev/null || true
		if grep -rqaF 'S3cr/et' "$RUN"/[a-t]*; then echo "in the run's folder" && false; fi

		secret_job $who secret-artifact 'printf "x%s" "$TOKEN" | base64 -w0 >leak' '{secrets: ["TOKEN"], artifacts: ["leak"]}' "$secret"
		ends failed artifact-secret
		[ ! -e "$RUN/out" ]
		secret_job $who secret-results 'echo "<testsuite><testcase name=\"$TOKEN\"/></testsuite>" >j.xml' \
			'{secrets: ["TOKEN"], results: ["j.xml"]}' 'plain-secret-9931'
		ends failed results-secret
		[ ! -e "$RUN/results" ]
		[ ! -e "$RUN/results.json" ]
		try $who other-secret 'ls -A /run/secrets | sed "s/^/ESCAPED /"; env | grep TOKEN | sed "s/^/ESCAPED /"; echo safe'
		secret_job $who short-secret true '{secrets: ["TOKEN"]}' 12345
		ends error spec
		[[ "$(outcome .reason.text)" == *"at least 6 bytes"* ]]
	done
}

@test "what a job leaves cannot trip the leader: odd trees, unreadable folders, huge depth" {
	for who in $(users); do
		job $who odd '
			mkdir -p locked/in; echo x >locked/in/f; chmod 000 locked
			i=0; while [ $i -lt 400 ]; do mkdir d; cd d; i=$((i + 1)); done; cd /work
			ln -s loop loop; mkdir "new
line"; : >"new
line/f"
			echo ok >good' '{artifacts: ["good", "**/f"], results: ["**/*.xml"], coverage: ["**"]}'
		case $(outcome .outcome) in passed | failed) ;; *) ends passed ;; esac
	done
}

@test "a cache is mounted through no link of the tree, neither in the sandbox nor outside" {
	for who in $(users); do
		target=$JOBS/outside-$who
		mkdir -p "$target" "$JOBS/$who/cache"
		echo '#!/bin/sh' >"$JOBS/$who/cache/weir-inner"
		own "$who" "$JOBS/$who/cache"
		own "$who" "$target"
		n=0
		for link in /newroot/run /run "/oldroot$target" "$target" ../.. .; do
			n=$((n + 1))
			mkdir -p "$JOBS/$who/linked-$n"
			ln -sfn "$link" "$JOBS/$who/linked-$n/c"
			echo file >"$JOBS/$who/linked-$n/f"
			own "$who" "$JOBS/$who/linked-$n"
			for path in c c/x; do
				job "$who" "link-$n-${path//\//-}" 'echo ran' "$(jq -n --arg base "$JOBS/$who/linked-$n" --arg path "$path" \
					--arg cache "$JOBS/$who/cache" '{lowers: [$base], mounts: {($path): $cache}}')"
				ends failed cache
				[[ $(outcome .reason.text) == *'a cache lies in "c", which the tree has as a link'* ]]
				[ -z "$(printed)" ]
				[ -z "$(ls -A "$target")" ]
			done
		done
		job "$who" not-a-folder 'echo ran' "$(jq -n --arg base "$JOBS/$who/linked-1" --arg cache "$JOBS/$who/cache" \
			'{lowers: [$base], mounts: {"f/x": $cache}}')"
		ends failed cache
		job "$who" fine 'echo kept >new/deep/file; ls new/deep; grep -c "/new/deep .*nosuid,nodev" /proc/self/mountinfo' \
			"$(jq -n --arg cache "$JOBS/$who/cache" --arg base "$JOBS/$who/base" '{lowers: [$base], mounts: {"new/deep": $cache}}')"
		ends passed
		[ "$(printed)" = $'file\nweir-inner\n1' ]
		[ "$(cat "$JOBS/$who/cache/file")" = kept ]
		rm -f "$JOBS/$who/cache/file"
	done
}
