#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Real clients, each with a resolver and connecting code of its own, under `nono run --allow-domain api.test`: they
# reach api.test and nothing else, with the proxy variables that nono sets and without them. A capture of every
# interface sees no packet to anything else.
. "$(dirname "$0")/lib_net.sh"
. "$here/lib_net_programs.sh"

$python "$here/lib_net_capture.py" "$work/capture" &
pids="$pids $!"
wait_for grep -qs listening "$work/capture"

agents=${NONO_AGENTS:-$NONO_SOURCE/build/agents/node_modules/.bin}
[ -x "$agents/opencode" ] || { echo "the agents are not installed; run scripts/install-agents" >&2; exit 1; }
only="$run --allow-domain api.test --read-file $work/ca.pem --read ${agents%/node_modules/.bin} --"
bun="BUN_BE_BUN=1 $agents/opencode run" # as which it is built
# Inside: the command with HOST replaced, in both ways, for each host. One line each, and what was printed.
cat >"$work/dir/each" <<'SH'
pattern=$1; shift
for way in proxy direct; do
	[ $way = proxy ] || unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NODE_USE_ENV_PROXY
	for host in api.test other.test 192.0.2.66 192.0.2.10; do
		if sh -c "$(echo "$*" | sed "s/HOST/$host/g")" >printed 2>&1 </dev/null && grep -q -- "$pattern" printed; then
			echo "$way $host reached"
		else
			echo "$way $host refused"; echo "$way $host: $(head -c 300 printed)" >>why
		fi
	done
done
SH
expected='proxy api.test reached
proxy other.test refused
proxy 192.0.2.66 refused
proxy 192.0.2.10 refused
direct api.test reached
direct other.test refused
direct 192.0.2.66 refused
direct 192.0.2.10 refused'
reaches_only() {
	rm -f "$work/dir/why"
	result=$($only sh ./each "$@" 2>&1)
	[ "$result" = "$expected" ] || { echo "$result"; cat "$work/dir/why"; return 1; }
}
# client NAME PATTERN COMMAND: both ways, four hosts
client() { what=$1; shift; check "$what reaches api.test and nothing else" reaches_only "$@"; }

client curl 'hello from' "curl -s -m 10 http://HOST/"
client "curl over TLS" 'hello from' "curl -s -m 10 -k https://HOST/"
client "curl that trusts the server" 'hello from 192.0.2.10' "curl -4 -s -m 10 --cacert $work/ca.pem https://HOST/"
client "curl by IPv6" 'hello from 2001:db8::10' "curl --noproxy '*' -6 -s -m 10 http://HOST/"
client "curl --noproxy" 'hello from' "curl --noproxy '*' -s -m 10 http://HOST/"
client wget 'hello from' "wget -q -T 10 -t 1 -O - http://HOST/"
client "git over http" '^file$' "rm -rf clone; git clone -q http://HOST/repo.git clone && ls clone"
client "git over ssh" '^file$' "rm -rf clone; GIT_SSH_COMMAND='$ssh' git clone -q HOST:$work/www/repo.git clone && ls clone"
client ssh '^hello by ssh' "$ssh HOST echo hello by ssh"
client "python urllib" 'hello from' "$python -c \"import urllib.request as u; print(u.urlopen('http://HOST/', timeout=10).read())\""
client "python requests" 'hello from' "$python -c \"import requests; print(requests.get('http://HOST/', timeout=10).text)\""
client "node fetch" 'hello from' "node fetch.js http://HOST/"
client "node http" 'hello from' "node http.js http://HOST/"
client "bun fetch" 'hello from' "$bun ./fetch.js http://HOST/"
client "bun http" 'hello from' "$bun ./http.js http://HOST/"
client "npm" 'added 1 package' "rm -rf node_modules; npm install --registry http://HOST/npm/ hello && cat node_modules/hello/index.js"
client "gRPC" 'hello from' "$python grpc_client.py call HOST 5"
client "static go" 'hello from' "./go-get http://HOST/"
client "static musl" 'hello from' "./musl-get HOST"
client "static glibc" 'hello from' "./static-get HOST"
client java 'hello from' "java -Xshare:auto -XX:TieredStopAtLevel=1 -cp . Get http://HOST/"

# resolve NAME COMMAND: prints a synthetic address for api.test, fails or prints none for other.test
resolves_only() {
	prints '\(^\|[^0-9]\)198\.1[89]\.\|^fd6e:' $only sh -c "$(echo "$*" | sed 's/HOST/api.test/g')" || return 1
	! prints '198\.1[89]\.\|fd6e:\|192\.0\.2\.66' $only sh -c "$(echo "$*" | sed 's/HOST/other.test/g')"
}
resolves() { what=$1; shift; check "$what resolves api.test and nothing else" resolves_only "$@"; }
resolves dig "dig +short HOST; dig +short +tcp HOST; dig +short aaaa HOST"
resolves "c-ares" "node ares.js HOST"
resolves "c-ares in bun" "$bun ./ares.js HOST"
resolves "busybox nslookup" "busybox nslookup HOST"
resolves getent "getent ahosts HOST; getent hosts HOST; getent ahostsv6 HOST"
resolves gethostbyname "$python -c \"import socket; print(socket.gethostbyname('HOST'))\""
check "names of localhost resolve" prints '127.0.0.1\|::1' $only getent hosts localhost
check "resolution without UDP" prints 'hello from' $only env RES_OPTIONS=use-vc curl -s http://api.test/
# by name also where the program names a server of its own
check "a name server of its choice is the broker's" prints '^198' $only dig +short @192.0.2.66 api.test
check "a tunnel through names gets nowhere" sh -c "! $only dig +short txt 736563726574.other.test @192.0.2.53 | grep ."

echo | $python -c "import socket; socket.create_connection(('192.0.2.10', 80)).close()" # the last packet is in the capture
wait_for grep -q ' 192\.0\.2\.10 6$' "$work/capture"
check "the capture saw the traffic by IPv6 too" grep -q ' 2001:db8::10 6$' "$work/capture"
# The name server, api.test, the host itself; loopback, where the broker takes over DNS by TCP.
no='192\.0\.2\.53|192\.0\.2\.10|2001:db8::10|192\.0\.2\.1|2001:db8::1|127\.0\.0\.1'
check "no packet went anywhere else" no_file_line -vE "^listening|^($no) ($no) " "$work/capture"
check "no other name was asked" no_file_line -v '^api\.test' "$work/dns.log"
check "the other servers were not reached" no_file_line -E '^(192.0.2.66|192.0.2.11|169.254|10.9)' "$work/http.log"
finish
