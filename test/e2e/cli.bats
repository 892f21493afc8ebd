#!/usr/bin/env bats
# The command line without a server: usage, exit status, check, init, schema, manual, completion.

bats_require_minimum_version 1.5.0

setup() {
	unset WEIR_URL WEIR_TOKEN NO_COLOR
	export HOME=$BATS_TEST_TMPDIR XDG_CONFIG_HOME='' LC_ALL=C.UTF-8 WEIR_BUILD=${WEIR_BUILD:-$BATS_TEST_DIRNAME/../../build/rel}
	PATH=$WEIR_BUILD:$PATH
	cd "$BATS_TEST_TMPDIR" || return
}

good() {
	printf 'jobs:\n  build:\n    run: make\n' >weir.yml
}

# A port where nobody listens: bound and left again by nobody, so a refused connection.
nobody=http://127.0.0.1:1

@test "help: every command has one, and nothing goes to stderr" {
	run --separate-stderr weir help
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	commands=$(weir help | grep -E '^  [a-z]' | cut -c 3-19 | sed 's/ *$//')
	[ "$(echo "$commands" | wc -l)" -gt 35 ]
	while read -r command; do
		# shellcheck disable=SC2086 # some have two words
		run --separate-stderr weir $command --help
		[ "$status" = 0 ]
		[ -z "$stderr" ]
		[[ ${lines[0]} == "weir $command"* ]]
		# shellcheck disable=SC2086
		run weir help $command
		[ "$status" = 0 ]
	done <<<"$commands"
}

@test "no line of help is wider than 80 columns" {
	for command in check 'repo add' 'key add' status deploy 'token create' 'simulate faults'; do
		# shellcheck disable=SC2086
		weir help $command | tail -n +2 | while IFS= read -r line; do [ ${#line} -le 80 ] || { echo "$line"; false; }; done
	done
	weir help | while IFS= read -r line; do [ ${#line} -le 100 ] || { echo "$line"; false; }; done
}

@test "wrong usage: 2, says what was meant, on stderr" {
	run --separate-stderr weir
	[ "$status" = 2 ]
	run --separate-stderr weir chekc
	[ "$status" = 2 ]
	[ -z "$output" ]
	[[ $stderr == 'error: unknown command "chekc", did you mean weir check?'* ]]
	run --separate-stderr weir check --fromat json
	[ "$status" = 2 ]
	[[ $stderr == *'did you mean --format?'* ]]
	run --separate-stderr weir check --format xml
	[ "$status" = 2 ]
	[[ $stderr == *'--format is one of: text json'* ]]
	run --separate-stderr weir check a b
	[ "$status" = 2 ]
	run --separate-stderr weir deploy
	[ "$status" = 2 ]
	[[ $stderr == *'weir deploy needs ENV [RELEASE]'* ]]
	run --separate-stderr weir token
	[ "$status" = 2 ]
	[[ $stderr == *'create, list, revoke'* ]]
	run --separate-stderr weir token creat x
	[ "$status" = 2 ]
	run --separate-stderr weir status abc
	[ "$status" = 2 ]
	run --separate-stderr weir status 1 --wait soon
	[ "$status" = 2 ]
	run --separate-stderr weir status 1 --wait 'done' --timeout never
	[ "$status" != 0 ]
	run --separate-stderr weir -C /nowhere check
	[ "$status" = 2 ]
}

@test "version, and -C" {
	run weir --version
	[ "$status" = 0 ]
	[[ $output =~ ^weir\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
	mkdir there
	(cd there && good)
	run weir -C there check
	[ "$status" = 0 ]
}

@test "no server: 3, with what to do" {
	export WEIR_URL=$nobody
	for command in queue status 'status 12' releases environments 'deploy production' 'rollback production' 'log 1 test' \
		'token list' 'repo list' events 'secret list' 'artifact get 1 x'; do
		# shellcheck disable=SC2086
		run --separate-stderr weir $command
		echo "$command: $status $stderr"
		[ "$status" = 3 ]
		[ -z "$output" ]
		[[ $stderr == "error: no server at $nobody (connection refused)"* ]]
		[[ $stderr == *'Start one here with weir serve, or set WEIR_URL'* ]]
	done
}

@test "the server's address comes from WEIR_URL, then .weir/url here or above, and never from a checkout for elsewhere" {
	mkdir -p a/.weir a/b/c
	echo http://127.0.0.1:2 >a/.weir/url
	cd a/b/c
	run --separate-stderr weir queue
	[ "$status" = 3 ]
	[[ $stderr == *127.0.0.1:2* ]]
	WEIR_URL=$nobody run --separate-stderr weir queue
	[[ $stderr == *127.0.0.1:1* ]]
	echo http://weir.example:2 >../../.weir/url
	run --separate-stderr weir queue
	[ "$status" = 1 ]
	[[ $stderr == *'set WEIR_URL to it if you trust it'* ]]
	WEIR_URL=ftp://x run --separate-stderr weir queue
	[ "$status" = 2 ]
}

@test "http_proxy does not stand between weir and this machine" {
	http_proxy=http://127.0.0.1:9 WEIR_URL=$nobody run --separate-stderr weir queue
	[ "$status" = 3 ]
	[[ $stderr == *"$nobody (connection refused)"* ]]
}

@test "check: clean is one line and 0; errors are 1 with line and caret" {
	good
	run --separate-stderr weir check
	[ "$status" = 0 ]
	[ "$output" = '✓ weir.yml: 1 job, 0 environments' ]
	printf 'jobs:\n  build:\n    rnu: make\n' >weir.yml
	run --separate-stderr weir check
	[ "$status" = 1 ]
	[[ $output == *'weir.yml:3:5: error: unknown key "rnu"'* ]]
	[[ $output == *'^^^'* ]]
	run --separate-stderr weir check - <<<'jobs: {a: {run: x}}'
	[ "$status" = 0 ]
}

@test "check --json and --format json are one JSON object" {
	printf 'jobs:\n  build:\n    rnu: make\n' >weir.yml
	run --separate-stderr weir check --json
	[ "$status" = 1 ]
	[ "$(jq -r '.diagnostics[] | select(.code == "unknown-key") | .line' <<<"$output")" = 3 ]
	other=$(weir check --format json || true)
	[ "$output" = "$other" ]
}

@test "check: bad input gets a clear answer" {
	run --separate-stderr weir check
	[ "$status" = 1 ]
	[[ $stderr == *'there is no weir.yml here'* ]]
	[[ $stderr == *'weir init'* ]]
	: >weir.yml
	run weir check
	[ "$status" = 1 ]
	head -c 10000000 /dev/zero | tr '\0' '#' >weir.yml
	run weir check
	[ "$status" = 1 ]
	[ ${#output} -lt 2000 ]
	printf 'jobs:\n  \xff: {run: x}\n' >weir.yml
	run weir check
	[ "$status" = 1 ]
	mkdir folder
	run --separate-stderr weir check folder
	[ "$status" != 0 ]
	[[ $stderr == *'is a folder'* ]]
}

@test "init writes what check takes, says what it saw, and does not overwrite" {
	printf 'all:\n\tcc -o x x.c\ncheck:\n\t./x\n' >Makefile
	git init -q -b trunk .
	git -c user.name=a -c user.email=a@example.com commit -q --allow-empty -m first
	run --separate-stderr weir init
	[ "$status" = 0 ]
	[[ $output == *Makefile* ]]
	grep -q 'trunk: "trunk"' weir.yml
	run weir check
	[ "$status" = 0 ]
	cp weir.yml before
	run --separate-stderr weir init
	[ "$status" = 1 ]
	[[ $stderr == *'--force'* ]]
	cmp weir.yml before
	echo '# mine' >weir.yml
	run weir init --force
	[ "$status" = 0 ]
	cmp weir.yml before
}

@test "init in an empty folder writes a template and says so" {
	run weir init
	[ "$status" = 0 ]
	[[ $output == *template* ]]
}

@test "schema is JSON" {
	weir schema | jq -e '.properties.jobs' >/dev/null
}

@test "colour only where it is wanted" {
	printf 'jobs:\n  build:\n    rnu: make\n' >weir.yml
	run weir check
	[[ $output != *$'\e['* ]]
	command -v script >/dev/null || skip "no script(1)"
	TERM=xterm script -qec 'weir check' /dev/null </dev/null >out || true
	grep -q $'\e\[1;31m' out
	TERM=xterm NO_COLOR=1 script -qec 'weir check' /dev/null </dev/null >out || true
	run ! grep -q $'\e\[' out
	TERM=dumb script -qec 'weir check' /dev/null </dev/null >out || true
	run ! grep -q $'\e\[' out
}

@test "without UTF-8 there are only ASCII characters" {
	good
	LC_ALL=C run weir check
	[ "$output" = 'ok weir.yml: 1 job, 0 environments' ]
}

@test "manual: both pages, as text and as roff without an error of groff" {
	weir manual | grep -q '^EXIT STATUS'
	weir manual weir.yml | grep -q 'artifacts'
	weir manual --roff | head -n 1 | grep -q '^\.TH WEIR 1'
	run --separate-stderr weir manual nothing
	[ "$status" = 2 ]
	command -v groff >/dev/null || return 0
	for page in weir weir.yml; do
		[ -z "$(weir manual --roff $page | groff -man -ww -Tutf8 2>&1 >/dev/null)" ]
	done
}

@test "bash completion: commands, second words, options, choices, files" {
	weir completion bash >weir.bash
	good
	complete_words() { # complete_words WORD...: what is offered for the last one
		bash -c 'source ./weir.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _weir; printf "%s\n" "${COMPREPLY[@]}"' - "$@" | sort | tr '\n' ' '
	}
	[[ $(complete_words weir ch) == *check* ]]
	[ "$(complete_words weir token '')" = 'create list revoke ' ]
	[ "$(complete_words weir check --f)" = '--format ' ]
	[ "$(complete_words weir check --format '')" = 'json text ' ]
	[ "$(complete_words weir status 1 --wait l)" = 'landed ' ]
	[[ $(complete_words weir check weir.y) == *weir.yml* ]]
	[ "$(complete_words weir completion z)" = 'zsh ' ]
	[[ $(complete_words weir artifact get 1 --o) == *--output* ]]
	[[ $(complete_words weir '') != *supervise* ]]
}

@test "completion of the other shells is well formed" {
	weir completion zsh >_weir
	[ "$(head -n 1 _weir)" = '#compdef weir' ]
	weir completion fish >weir.fish
	run weir completion ksh
	[ "$status" = 2 ]
	! command -v zsh >/dev/null || zsh -n _weir
	! command -v fish >/dev/null || fish -n weir.fish
}

@test "completion in fish, where it is installed: commands, options, choices, files" {
	command -v fish >/dev/null || return 0
	weir completion fish >weir.fish
	good
	offers() { HOME=$PWD fish --private -c "source weir.fish; complete -C '$1'" | cut -f 1 | sort | tr '\n' ' '; }
	[ "$(offers 'weir chec')" = 'check ' ]
	[ "$(offers 'weir token ')" = 'create list revoke ' ]
	[ "$(offers 'weir check --f')" = '--format ' ]
	[ "$(offers 'weir check --format ')" = 'json text ' ]
	[ "$(offers 'weir status --wait l')" = 'landed ' ]
	[ "$(offers 'weir check weir.y')" = 'weir.yml ' ]
	[ "$(offers 'weir artifact get 1 --output weir.y')" = 'weir.yml ' ]
	[ "$(offers 'weir completion z')" = 'zsh ' ]
	[[ $(offers 'weir ') != *supervise* ]]
}

@test "completion in zsh, where it is installed: commands, options, choices, files" {
	command -v zsh >/dev/null || return 0
	mkdir functions
	weir completion zsh >functions/_weir
	good
	cat >types.zsh <<-'END'
		# Types each argument and a tab into an interactive zsh and prints what became of the line.
		zmodload zsh/zpty
		zpty z env PS1= TERM=dumb zsh -f -i
		say() { zpty -w z "$1" }
		await() { # what it printed up to this text, within 10 s
			local seen= part
			for _ in {1..100}; do
				while zpty -rt z part; do seen+=$part; done
				[[ $seen == *"$1"* ]] && { print -r -- "$seen"; return }
				sleep 0.1
			done
			print -r -- "nothing but: $seen"
		}
		say 'fpath=($PWD/functions $fpath); autoload -U compinit; compinit -u -D; accept() { print -r "<$BUFFER>" }'
		say 'zle -N accept; bindkey "^M" accept; echo re""ady'
		await ready >/dev/null
		for line; do
			zpty -wn z $'\025'"$line"$'\t\r'
			await '>' | tr -d '\r' | grep -o '<.*>'
		done
	END
	HOME=$PWD run zsh -f types.zsh 'weir chec' 'weir token revo' 'weir check --form' 'weir check --format js' \
		'weir status 1 --wait l' 'weir check weir.y' 'weir completion z'
	echo "$output"
	for line in 'weir check ' 'weir token revoke ' 'weir check --format ' 'weir check --format json ' 'weir status 1 --wait landed ' \
		'weir check weir.yml ' 'weir completion zsh '; do
		[[ $output == *"<$line>"* ]]
	done
}

@test "a secret's value is never taken from the command line" {
	WEIR_URL=$nobody run --separate-stderr weir secret set NAME value
	[ "$status" = 2 ]
	WEIR_URL=$nobody run --separate-stderr weir secret set NAME </dev/null
	[ "$status" = 2 ]
	[[ $stderr == *'the value is empty'* ]]
}

@test "a private key is refused before it is sent" {
	printf -- '-----BEGIN OPENSSH PRIVATE KEY-----\nx\n' >id
	WEIR_URL=$nobody run --separate-stderr weir key add me id
	[ "$status" = 2 ]
	[[ $stderr == *'private key'* ]]
}

@test "simulate faults: same seed, same world; a planted bug is found; all workers count" {
	run weir simulate faults --seeds 12 --json
	[ "$status" = 0 ]
	[ "$(jq .seeds <<<"$output")" = 12 ]
	[ "$output" = "$(weir simulate faults --seeds 12 --jobs 1 --json)" ]
	run weir simulate faults --seeds 200 --bug red-lands
	[ "$status" = 1 ]
	[[ $output == *BROKEN* ]]
	run --separate-stderr weir simulate faults --bug nothing
	[ "$status" = 2 ]
	[[ $stderr == *no-compare* ]]
}

@test "simulate queue: traces, policies and the rules; bad input is named" {
	weir simulate trace --changes 120 --seed 7 >"$BATS_TEST_TMPDIR/trace"
	cmp "$BATS_TEST_TMPDIR/trace" <(weir simulate trace --changes 120 --seed 7)
	run -0 weir simulate queue --trace "$BATS_TEST_TMPDIR/trace" --policy all --executors 20 --json
	[ "$(jq -s 'length' <<<"$output")" = 8 ]
	[ "$(jq -rs 'map(.outcomes) | unique | length' <<<"$output")" = 1 ]
	[ "$(jq -rs '.[0] | .policy + " " + (.n | tostring) + " " + (.outcomes | length | tostring)' <<<"$output")" = "oracle 120 120" ]
	run -0 weir simulate queue --trace - --executors 20 --explain <"$BATS_TEST_TMPDIR/trace"
	jq -e '.policy == "weir" and (.decisions | length) == 120 and all(.decisions[]; .candidates | length > 0)
		and (.candidates | length) == (.builds_per_change * 120 | round)' <<<"$output"
	run -0 weir simulate queue --trace "$BATS_TEST_TMPDIR/trace" --executors 20 --reuse 0.5 --json
	[ "$(jq .modelled_reuse <<<"$output")" = 0.5 ]
	run -0 weir simulate queue --trace "$BATS_TEST_TMPDIR/trace" --policy all
	[[ $output == *"best-first-threshold"*"times the oracle"* || $output == *"times the oracle"*"best-first-threshold"* ]]
	refuses() { # refuses STATUS TEXT OPTION...
		local want=$1 text=$2
		shift 2
		run --separate-stderr weir simulate queue "$@" </dev/null
		[ "$status" = "$want" ]
		[[ $stderr == *"$text"* ]]
	}
	refuses 2 "--trace FILE is missing"
	refuses 1 "cannot read /nowhere" --trace /nowhere
	refuses 2 'did you mean "weir"' --trace - --policy wier
	refuses 2 "--price is lean, mid, fast or a number" --trace - --price dear
	refuses 2 "--reuse is a number from 0" --trace - --reuse 2
	refuses 2 "not JSON" --trace -
}

@test "doctor: each finding has a level and, unless it is ok, something to do" {
	WEIR_URL=$nobody run --separate-stderr weir doctor --json
	[ "$status" = 0 ] || [ "$status" = 1 ]
	jq -e '.server == null and (.local.findings | length >= 8) and all(.local.findings[]; .level == "ok" or .next != null)' <<<"$output"
	[ "$(jq 'any(.local.findings[]; .level == "bad")' <<<"$output")" = "$([ "$status" = 1 ] && echo true || echo false)" ]
}
