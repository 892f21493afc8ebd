#!/usr/bin/env bats
# shellcheck disable=SC2154,SC2034 # lib.bash sets what it names; bats sets status and output
# Off loopback: TLS or a trusted proxy, and tokens. The proxy is a real HAProxy; names resolve by curl's --resolve.

load lib
load service

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return 1
	# The machine's own address is not loopback: nobody who comes from there is known by a socket.
	far=$(hostname -I 2>/dev/null | tr ' ' '\n' | grep -m 1 '^[0-9.]*$') || far=
	export far
	certificate() { # certificate NAME: NAME.crt and NAME.key
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$1.key" -out "$1.crt" -days 2 \
			-subj "/CN=$1" -addext "subjectAltName=DNS:weir.example.org,DNS:localhost,IP:127.0.0.1${far:+,IP:$far}" 2>/dev/null
	}
	certificate ours
	certificate other
	cat ours.crt ours.key >both.pem
}
setup() {
	weir_setup
	project_new
	cert=$BATS_FILE_TMPDIR/ours.crt key=$BATS_FILE_TMPDIR/ours.key
	export GIT_SSL_CAINFO=$cert
}
teardown() {
	[ -z "${haproxy-}" ] || kill "$haproxy" 2>/dev/null || true
	weir_teardown
}

refused() { # refused TEXT OPTION...: it ends by itself, with one sentence, in time
	local text=$1
	shift
	run timeout 60 weir serve --data "$BATS_TEST_TMPDIR/refused" "$@"
	echo "$output"
	[ "$status" = 1 ]
	[[ $output == *"error: "*"$text"* ]]
	[ "$(grep -c . <<<"$output")" = 1 ]
}
# ask [CURL-OPTION...]: the status code, the body in $body
ask() {
	code=$(curl -s --max-time 20 -o "$BATS_TEST_TMPDIR/body" -w '%{http_code}' "$@") || true
	body=$(cat "$BATS_TEST_TMPDIR/body" 2>/dev/null)
	echo "$code: ${body:0:300}"
}
token_new() { run -0 weir token create "$1" --scopes "$2" --json && token=$(jq -r .token <<<"$output"); }
pushes_as() { # pushes_as PASSWORD URL TOPIC
	run git -C "$project" push -o "topic=$3" "${2/:\/\//:\/\/me:$1@}/git/p.git" HEAD:refs/for/main
	echo "$output"
	[ "$status" = 0 ]
}

@test "open to other machines without TLS or a trusted proxy: weir does not start, and says what to add" {
	cd "$project" || return 1
	for address in 0.0.0.0:0 '[::]:0' '*:0' ':0'; do
		refused "reachable from other machines: add --tls-cert and --tls-key, or --trusted-proxy" --listen "$address"
	done
	[ ! -e "$BATS_TEST_TMPDIR/refused/url" ]
}

@test "open to other machines without a token that is good: weir does not start, and says how to make one" {
	refused "no token is good" --listen 0.0.0.0:0 --tls-cert "$cert" --tls-key "$key"
	refused "no token is good" --listen 0.0.0.0:0 --trusted-proxy 10.0.0.7
	weir_serve
	token_new first read
	weir token revoke first
	weir_kill TERM
	run timeout 60 weir serve --data "$data" --listen 0.0.0.0:0 --trusted-proxy 10.0.0.7
	[ "$status" = 1 ]
	[[ $output == *"weir token create NAME"* ]]
	weir_serve
	token_new second read
	weir_kill TERM
	weir_serve --listen 0.0.0.0:0 --trusted-proxy 10.0.0.7
}

@test "certificates and keys that cannot be used are named" {
	cd "$project" || return 1
	local dir=$BATS_FILE_TMPDIR
	refused "cannot read $dir/none.crt: No such file" --listen 127.0.0.1:0 --tls-cert "$dir/none.crt" --tls-key "$key"
	refused "cannot read $dir/none.key: No such file" --listen 127.0.0.1:0 --tls-cert "$cert" --tls-key "$dir/none.key"
	refused "$cert with $dir/other.key: " --listen 127.0.0.1:0 --tls-cert "$cert" --tls-key "$dir/other.key"
	refused "$key with $key: " --listen 127.0.0.1:0 --tls-cert "$key" --tls-key "$key"
	echo nonsense >"$dir/nonsense.crt"
	refused "$dir/nonsense.crt with $key: " --listen 127.0.0.1:0 --tls-cert "$dir/nonsense.crt" --tls-key "$key"
	refused "--tls-cert and --tls-key go together" --listen 127.0.0.1:0 --tls-cert "$cert"
	refused "--tls-cert and --tls-key go together" --listen 127.0.0.1:0 --tls-key "$key"
	refused "is no IP address" --listen 0.0.0.0:0 --trusted-proxy proxy.example.org
	refused "is no scheme and name" --listen 127.0.0.1:0 --public-url weir.example.org
	refused "is no scheme and name" --listen 127.0.0.1:0 --public-url https://weir.example.org/weir
}

@test "over TLS: API, pages, command line and git, with tokens of their scopes only" {
	weir_serve
	token_new first read
	weir_kill TERM
	weir_serve --listen 0.0.0.0:0 --tls-cert "$cert" --tls-key "$key" --public-url https://weir.example.org
	local own=${url##*:} token
	[[ $url == https://* ]]
	export SSL_CERT_FILE=$cert WEIR_URL=https://localhost:$own
	run -0 weir status
	token_new reader read
	local reader=$token
	token_new writer read,propose
	local writer=$token
	unset SSL_CERT_FILE
	run ! weir status # a certificate that nobody vouches for
	echo "$output"
	export SSL_CERT_FILE=$cert

	local there=https://localhost:$own
	if [ -n "$far" ]; then
		there=https://$far:$own
		ask --cacert "$cert" "$there/api/v1/status"
		[ "$code" = 401 ]
		ask --cacert "$cert" -H "Authorization: Bearer $reader" "$there/api/v1/status"
		[ "$code" = 200 ]
		ask --cacert "$cert" -H "Authorization: Bearer wrong" "$there/api/v1/status"
		[ "$code" = 401 ]
	fi
	# By its name, which is not an address of this machine.
	local by_name=(--cacert "$cert" --connect-to "weir.example.org:443:127.0.0.1:$own")
	ask "${by_name[@]}" -H "Authorization: Bearer $reader" https://weir.example.org/api/v1/status
	[ "$code" = 200 ]
	[ "$(jq -r .url <<<"$body")" = https://weir.example.org ]
	ask --cacert "$cert" -H 'Host: evil.example' "https://127.0.0.1:$own/"
	[ "$code" = 403 ]
	# Plain HTTP at the same port gets nothing.
	ask "http://127.0.0.1:$own/api/v1/status"
	[ "$code" = 000 ] || [ "$code" = 400 ]

	branch work
	commit a 1
	pushes_as "$writer" "$there" one
	[[ $output == *"https://weir.example.org/change/1"* ]]
	lands 1
	[ -z "$far" ] || [ "$(field 1 pusher)" = writer ]
}

# HAProxy on $front with TLS, which comes to weir from 127.0.0.3.
proxy_start() {
	free_port
	front=$port
	cat >"$BATS_TEST_TMPDIR/haproxy.cfg" <<-END
		defaults
		  mode http
		  timeout connect 5s
		  timeout client 60s
		  timeout server 60s
		frontend front
		  bind 127.0.0.1:$front ssl crt $BATS_FILE_TMPDIR/both.pem
		  option forwardfor
		  default_backend weir
		backend weir
		  server weir ${url#http://} source 127.0.0.3
	END
	haproxy -db -f "$BATS_TEST_TMPDIR/haproxy.cfg" >"$BATS_TEST_TMPDIR/haproxy.log" 2>&1 3>&- &
	haproxy=$!
	proxied=(--cacert "$cert" --connect-to "weir.example.org:443:127.0.0.1:$front")
	listens() { (exec 9<>"/dev/tcp/127.0.0.1/$front") 2>/dev/null; }
	eventually listens
}

@test "behind HAProxy: names, tokens, pages and live updates; nobody is known by a socket through it" {
	weir_serve --trusted-proxy 127.0.0.3 --public-url https://weir.example.org
	token_new reader read
	local reader=$token
	token_new writer read,propose
	local writer=$token site=https://weir.example.org
	proxy_start
	ask "${proxied[@]}" $site/healthz
	[ "$code" = 200 ]
	# The proxy runs as the user that runs weir: without its headers it would be the owner.
	ask "${proxied[@]}" $site/api/v1/status
	[ "$code" = 401 ]
	ask "${proxied[@]}" -H "Authorization: Bearer $reader" $site/api/v1/status
	[ "$code" = 200 ]
	ask "${proxied[@]}" -H "Authorization: Bearer $reader" -X POST $site/api/v1/changes/1/withdraw
	[ "$code" = 403 ]
	# A page of the public name may ask, one of another may not, also when it names ours as Host.
	ask "${proxied[@]}" -H "Authorization: Bearer $writer" -H "Origin: $site" -X POST $site/api/v1/changes/99/withdraw
	[ "$code" = 404 ]
	ask "${proxied[@]}" -H "Authorization: Bearer $writer" -H 'Origin: https://evil.example' -X POST $site/api/v1/changes/99/withdraw
	[ "$code" = 403 ]
	ask --cacert "$cert" -k --connect-to "evil.example:443:127.0.0.1:$front" https://evil.example/
	[ "$code" = 403 ]
	# The login's cookie is for TLS only, because the public URL is.
	run -0 curl -s -D- -o /dev/null "${proxied[@]}" -H "Origin: $site" --data-urlencode "token=$reader" $site/login
	echo "$output"
	[[ $output == *"; Secure"* ]]

	# Server-sent events pass through, as they happen.
	curl -sN --max-time 60 "${proxied[@]}" -H "Authorization: Bearer $reader" "$site/live?page=%2F" >"$BATS_TEST_TMPDIR/events" 3>&- &
	local listener=$!
	begun() { grep -q '^event: put' "$BATS_TEST_TMPDIR/events"; }
	eventually begun
	branch work
	commit a 1 "The news of today"
	run ! pushes_as "$reader" "https://localhost:$front" one
	[[ $output == *403* ]]
	run ! pushes_as wrong "https://localhost:$front" one
	[ "$(sql 'SELECT count(*) FROM changes')" = 0 ]
	pushes_as "$writer" "https://localhost:$front" one
	[[ $output == *"$site/change/1"* ]]
	heard() { grep -q 'The news of today' "$BATS_TEST_TMPDIR/events"; }
	eventually heard
	kill "$listener"
	lands 1
	[ "$(field 1 pusher)" = writer ]
}

@test "X-Forwarded-For takes rights away from anybody and gives none" {
	weir_serve --trusted-proxy 127.0.0.3
	ask "$url/api/v1/status"
	[ "$code" = 200 ] # the owner, by the socket
	for header in 'X-Forwarded-For: 127.0.0.1' 'X-Forwarded-For: 10.1.2.3' 'Forwarded: for=127.0.0.1' 'X-Real-IP: 127.0.0.1'; do
		ask -H "$header" "$url/api/v1/status"
		[ "$code" = 401 ]
	done
	# From the proxy's address, with and without: never the owner.
	ask --interface 127.0.0.3 "$url/api/v1/status"
	[ "$code" = 401 ]
	ask --interface 127.0.0.3 -H 'X-Forwarded-For: 127.0.0.1' "$url/api/v1/status"
	[ "$code" = 401 ]
	# Another address of loopback is no proxy.
	ask --interface 127.0.0.4 "$url/api/v1/status"
	[ "$code" = 200 ]
	# X-Forwarded-Host and -Proto say nothing to weir: neither another name nor TLS.
	ask --interface 127.0.0.3 -H 'Host: evil.example' -H 'X-Forwarded-Host: 127.0.0.1' "$url/healthz"
	[ "$code" = 403 ]
}

@test "a start that fails leaves nothing behind: no URL, no lock, no leak" {
	cd "$project" || return 1
	for _ in 1 2; do
		refused "$cert with $BATS_FILE_TMPDIR/other.key: " --listen 127.0.0.1:0 --tls-cert "$cert" --tls-key "$BATS_FILE_TMPDIR/other.key"
	done
	[ ! -e "$BATS_TEST_TMPDIR/refused/url" ]
	data=$BATS_TEST_TMPDIR/refused
	weir_serve
	taken=${url#http://}
	refused "another program listens on $taken" --data "$BATS_TEST_TMPDIR/third" --listen "$taken"
	audit_clean
}
