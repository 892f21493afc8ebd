#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2164,SC2120 # lib.bash sets data, project, remote and change; bats sets status, and ends a test at a failed cd
# Pushes over SSH: a real sshd with the forced command that `weir key add` prints.

load lib

setup() {
	weir_setup
	project_new
	weir_serve
	ssh_start
}
teardown() {
	[ ! -f "$BATS_TEST_TMPDIR/ssh/pid" ] || kill "$(cat "$BATS_TEST_TMPDIR/ssh/pid")" || true
	weir_teardown
}

ssh_start() {
	local dir=$BATS_TEST_TMPDIR/ssh n
	mkdir -m 700 "$dir"
	ssh-keygen -q -t ed25519 -N '' -f "$dir/host"
	ssh-keygen -q -t ed25519 -N '' -f "$dir/ada"
	: >"$dir/authorized_keys"
	[ "$(id -u)" != 0 ] || mkdir -p /run/sshd # sshd insists, as root
	for n in $(seq 20); do # a port that nobody has
		ssh_port=$((20000 + RANDOM % 12000))
		cat >"$dir/config" <<-END
			ListenAddress 127.0.0.1
			Port $ssh_port
			HostKey $dir/host
			PidFile $dir/pid
			AuthorizedKeysFile $dir/authorized_keys
			PasswordAuthentication no
			KbdInteractiveAuthentication no
			UsePAM no
			StrictModes no
			PermitRootLogin prohibit-password
			SetEnv PATH=$PATH
		END
		/usr/sbin/sshd -f "$dir/config" -E "$dir/log" 3>&- && eventually test -s "$dir/pid" && break
	done
	export GIT_SSH_COMMAND="ssh -F /dev/null -p $ssh_port -i $dir/ada -o IdentitiesOnly=yes -o BatchMode=yes
		-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
	GIT_SSH_COMMAND=${GIT_SSH_COMMAND//[$'\n\t']/ }
	there=ssh://$(id -un)@127.0.0.1/p.git
}

let_in() { # let_in [OPTION...]: the line that weir prints goes into authorized_keys
	run -0 weir key add ada "$BATS_TEST_TMPDIR/ssh/ada.pub" "$@"
	grep '^command=' <<<"$output" >"$BATS_TEST_TMPDIR/ssh/authorized_keys"
}

@test "a push over SSH is a change, by the key's name" {
	let_in
	grep -q 'restrict ssh-ed25519' "$BATS_TEST_TMPDIR/ssh/authorized_keys"
	branch work
	commit a 1
	run git -C "$project" push "$there" HEAD:refs/for/main
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"Change 1, revision 1"* ]]
	[ "$(field 1 pusher)" = ada ]
	lands 1
	run -0 git -C "$project" fetch "$there" main
	[ "$(git -C "$project" rev-parse FETCH_HEAD)" = "$(trunk)" ]
	run -0 git clone -q "ssh://$(id -un)@127.0.0.1/git/p.git" "$BATS_TEST_TMPDIR/clone"
}

@test "a direct push to trunk is refused over SSH as well" {
	let_in
	branch work
	commit a 1
	run git -C "$project" push "$there" HEAD:main
	[ "$status" != 0 ]
	[[ $output == *"git push weir HEAD:refs/for/main"* ]]
}

@test "a removed key is refused, also while its line still stands" {
	let_in
	run -0 weir key rm ada
	branch work
	commit a 1
	run git -C "$project" push "$there" HEAD:refs/for/main
	[ "$status" != 0 ]
	[[ $output == *"the key ada was removed"* ]]
	[ "$(sql 'SELECT count(*) FROM changes')" = 0 ]
}

@test "a key that may only read fetches and does not push" {
	let_in --scopes read
	branch work
	commit a 1
	run git -C "$project" push "$there" HEAD:refs/for/main
	[ "$status" != 0 ]
	[[ $output == *"the key ada has no scope propose"* ]]
	run -0 git -C "$project" fetch "$there" main
}

@test "anything but git, and names that lead elsewhere, are refused" {
	let_in
	for words in id 'git-receive-pack; id' 'git-upload-pack ../p.git' "git-upload-pack '/etc'" 'git upload-archive p.git' \
		"git-upload-pack '/p.git' --upload-pack=id" "git-receive-pack '\$(id)'"; do
		run $GIT_SSH_COMMAND "$(id -un)@127.0.0.1" "$words"
		echo "$words: $output"
		[ "$status" != 0 ]
		[[ $output == weir:* && $output != *uid=* ]]
	done
	run $GIT_SSH_COMMAND "$(id -un)@127.0.0.1" # no command: no shell either
	[ "$status" != 0 ]
	[[ $output == *"this key is for git only"* ]]
	run git clone -q "ssh://$(id -un)@127.0.0.1/none.git" "$BATS_TEST_TMPDIR/none"
	[ "$status" != 0 ]
	[[ $output == *"no repository named none"* ]]
}

@test "a key that was never added does not get in" {
	run git -C "$project" ls-remote "$there"
	[ "$status" != 0 ]
	[[ $output == *"Permission denied"* ]]
}

@test "without a daemon a push over SSH is refused, nothing is lost" {
	let_in
	weir_kill TERM
	branch work
	commit a 1
	run git -C "$project" push "$there" HEAD:refs/for/main
	[ "$status" != 0 ]
	[[ $output == *"weir is not running"* ]]
	weir_serve
	run -0 git -C "$project" push "$there" HEAD:refs/for/main
	lands 1
}
