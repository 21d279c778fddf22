#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The HTTP proxy and path rules of a real session: real clients with the proxy variables and without them, what a program
# may try inside, what reaches the proxy from outside, and a parent proxy.
. "${NONO_SOURCE:?}/tests/clients/lib_net.sh"
cli=$NONO_SOURCE/tests/cli

for a in 192.0.2.20/24 192.0.2.21/24; do $world ip addr add "$a" dev link1; done
printf '192.0.2.21 listed.test\n' >>"$work/hosts"
certificates DNS:paths.test,DNS:api.test,DNS:listed.test
mkdir -p "$work/www/repo.git" && cd "$work" && git init -q -b main repo && git -C repo -c user.name=t -c user.email=t@t commit -q --allow-empty -m one &&
	git clone -q --bare repo www/repo.git && git -C www/repo.git update-server-info
cd "$work/dir" || exit 1
for address in 192.0.2.20 192.0.2.21; do
	rm -f "$work/ready.proxy"
	$world node "$cli/lib_proxy_server.js" "$work" $address &
	pids="$pids $!"
	wait_for test -e "$work/ready.proxy"
done

endpoints='[{"method":"GET","path":"/v1/**"},{"method":"HEAD","path":"/v1/**"},{"method":"POST","path":"/v1/**"},{"method":"PUT","path":"/v1/**"}]'
cat >"$work/paths.json" <<JSON
{ "meta": { "name": "paths" }, "extends": "default",
  "filesystem": { "allow": ["$work/dir"], "read_file": ["$work/roots.pem"] },
  "network": { "allow_domain": ["api.test", { "domain": "paths.test", "endpoints": $endpoints }, { "domain": "listed.test", "endpoints": $endpoints }] } }
JSON
# the broker verifies servers by the host's roots: these
export SSL_CERT_FILE="$work/roots.pem"
paths="$nono --on-request deny --profile $work/paths.json --"
cp "$cli/lib_proxy_inside.py" inside.py

cat >Get.java <<'JAVA'
import java.net.*;
public class Get {
	public static void main(String[] a) throws Exception {
		HttpURLConnection c = (HttpURLConnection) new URL(a[0]).openConnection();
		System.out.println(c.getResponseCode());
		if (c.getResponseCode() == 200) System.out.println(new String(c.getInputStream().readAllBytes()));
	}
}
JAVA
cat >fetch.js <<'JS'
fetch(process.argv[2]).then(async r => console.log(r.status, await r.text()), e => { console.log(String(e.cause || e)); process.exit(1); });
JS
# Inside: each command for a permitted and for a forbidden path, with the proxy and without.
cat >clients <<'SH'
one() { # NAME COMMAND with PATH
	for way in proxy direct; do
		command=$2
		[ $way = proxy ] || command="unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY NODE_USE_ENV_PROXY; $2"
		good=$(sh -c "$(echo "$command" | sed 's#PATH_#v1/file#g')" 2>&1 </dev/null)
		bad=$(sh -c "$(echo "$command" | sed 's#PATH_#v2/file#g')" 2>&1 </dev/null)
		case $good in *"GET /v1/file 0"*) ;; *) echo "$1, $way: permitted path: $good"; exit 1 ;; esac
		case $bad in *403*) ;; *) echo "$1, $way: forbidden path: $bad"; exit 1 ;; esac
	done
	echo "$1 works"
}
url=https://paths.test/PATH_
one curl "curl -sS -m 20 -w ' %{http_code}' $url"
one "curl, HTTP/1.1" "curl --http1.1 -sS -m 20 -w ' %{http_code}' $url"
one "python urllib" "/usr/bin/python3 -c 'import urllib.request as u; print(u.urlopen(\"$url\", timeout=20).read())'"
one "python requests" "/usr/bin/python3 -c 'import requests; r = requests.get(\"$url\", timeout=20); print(r.status_code, r.text)'"
one "node fetch" "node fetch.js $url"
one wget "wget -S -T 20 -t 1 -O - $url"
one java "java -Xshare:auto Get.java $url"
SH
check "clients use permitted paths only, by the proxy and on their own" prints 'java works' $paths sh ./clients
for way in "" "$direct"; do
	check "git over https${way:+, on its own}" prints '^cloned' $paths $way sh -c 'rm -rf clone; git clone -q https://paths.test/v1/repo.git clone && echo cloned'
	check "an upload of 30 MB${way:+, on its own}" prints 'PUT /v1/up 31457280' \
		$paths $way sh -c 'head -c 31457280 /dev/zero | curl -sS -T - -H "Content-Length: 31457280" -H "Transfer-Encoding:" https://paths.test/v1/up'
	check "a chunked upload by HTTP/1.1${way:+, on its own}" prints 'PUT /v1/up 5000000 over 1.1' \
		$paths $way sh -c 'head -c 5000000 /dev/zero | curl --http1.1 -sS -T - https://paths.test/v1/up'
	check "an upload by h2${way:+, on its own}" prints 'PUT /v1/up 5000000 over 2.0' \
		$paths $way sh -c 'head -c 5000000 /dev/zero | curl -sS -T - https://paths.test/v1/up'
	check "a download of 8 MB${way:+, on its own}" prints '^8388608$' $paths $way sh -c 'curl -sS https://paths.test/v1/large | wc -c'
	check "and by HTTP/1.1${way:+, on its own}" prints '^8388608$' $paths $way sh -c 'curl --http1.1 -sS https://paths.test/v1/large | wc -c'
	check "HEAD${way:+, on its own}" prints 'HTTP/1.1 200' $paths $way curl --http1.1 -sSI -m 20 https://paths.test/v1/head
	check "304${way:+, on its own}" prints '^304$' $paths $way curl -sS -m 20 -o /dev/null -w '%{http_code}\n' https://paths.test/v1/304
	check "trailers${way:+, on its own}" prints 'x-sum: 42' $paths $way curl --http1.1 -sSv -m 20 --raw https://paths.test/v1/trailers
	check "trailers of h2${way:+, on its own}" prints 'x-sum: 42' $paths $way curl -sSv -m 20 https://paths.test/v1/trailers
	check "a response that ends with the connection${way:+, on its own}" prints 'GET /v1/close 0' $paths $way curl -sS -m 20 https://paths.test:8443/v1/close
	check "three requests on one connection${way:+, on its own}" prints '^100$' \
		$paths $way curl --http1.1 -sS -m 20 -o /dev/null -o /dev/null -o /dev/null -w '%{num_connects}' https://paths.test/v1/a https://paths.test/v1/b https://paths.test/v1/c
done
check "a plain request through the proxy" prints 'GET /v1/plain 0' $paths curl -sS -m 20 http://paths.test/v1/plain
check "and its connection is kept" prints '^10$' $paths curl -sS -m 20 -o /dev/null -o /dev/null -w '%{num_connects}' http://paths.test/v1/a http://paths.test/v1/b
refuse "interception is no tunnel: the server's own authority does not verify" $paths curl -sS -m 20 --cacert "$work/roots.pem" https://paths.test/v1/a

# a host without endpoints is a tunnel, with its own certificate
check "other hosts are not intercepted" prints 'hello from' $paths curl -sk -m 20 https://api.test/
refuse "and their certificates are not ours" $paths curl -sS -m 20 https://api.test/

: >"$work/requests.log"
check "what a program may try inside" $paths env PATHS_ADDRESS=192.0.2.20 LISTED_ADDRESS=192.0.2.21 $python ./inside.py
grep '^not ok' "$work/out"
check "nothing of it reached the server" no_file_line 'v2\|smuggled\|DELETE\|CONNECT\|h2c' "$work/requests.log"
check "what was permitted did" grep -q '^2.0 GET paths.test /v1/h2$' "$work/requests.log"

# ---- from outside -----------------------------------------------------------------------
mkfifo "$work/dir/end"
$paths sh -c 'echo $HTTP_PROXY >url; ls -l "$SSL_CERT_FILE" >bundle; read -r _ <end' &
session=$!
wait_for test -s bundle
url=$(cat url)
count_before=$count
check "the proxy's port is held" sh -c "! $python -c 'import socket, sys; socket.socket().bind((\"127.0.0.1\", int(sys.argv[1])))' ${url##*:}"
check "but nobody outside can connect, with the session's token" prints 'Couldn.t connect\|Failed to connect\|refused' curl -v -m 10 -x "$url" http://api.test/
refuse "nor from another session, even one that may connect to that port" \
	$run --allow-domain "127.0.0.1:${url##*:}" --allow-domain api.test -- curl -fsS -m 10 -x "$url" http://api.test/
refuse "nor from another session with its own rules" $run --allow-domain api.test -- curl -fsS -m 10 -x "$url" http://api.test/
echo >end
wait $session
[ "$count" -gt "$count_before" ] || exit 1
check "the bundle is gone with the session" sh -c "! test -e \$(sed 's/.* //' bundle)"

# ---- the parent proxy -------------------------------------------------------------------
parent="http://user:p%40ss%3Aword@192.0.2.20:3128"
up="$run --read-file $work/roots.pem --allow-domain paths.test --allow-domain two.test --upstream-proxy $parent --upstream-bypass two.test --"
: >"$work/parent.log"; : >"$work/dns.log"
check "a tunnel through the parent proxy" prints 'GET /a 0' $up curl -sS -m 20 --cacert "$work/roots.pem" https://paths.test/a
check "which was asked for it" grep -q '^CONNECT paths.test:443$' "$work/parent.log"
check "a plain request in absolute form" prints 'plain 0' $up curl -sS -m 20 http://paths.test/plain
check "as it came" grep -q '^GET http://paths.test/plain$' "$work/parent.log"
: >"$work/parent.log"
check "a program that knows no proxy is led through it" prints 'GET /b 0' $up $direct curl -sS -m 20 http://paths.test/b
check "by a tunnel" grep -q '^CONNECT paths.test:80$' "$work/parent.log"
check "nothing was looked up here" no_file_line paths.test "$work/dns.log"
: >"$work/parent.log"
check "a host that goes around it" prints 'hello from' $up curl -sS -m 20 http://two.test/
refuse "is not asked for there" grep -q two.test "$work/parent.log"
refuse "hosts without a rule are not asked for either" $up curl -fsS -m 20 http://other.test/
check "(none was)" no_file_line other.test "$work/parent.log"
wrong="$run --allow-domain paths.test --upstream-proxy http://user:wrong@192.0.2.20:3128 --"
check "a wrong password is told" prints 'parent proxy refused paths.test:443: HTTP/1.1 407\|CONNECT tunnel failed, response 502' $wrong curl -sSv -m 20 https://paths.test/
refuse "a parent proxy without a port is an error" $run --upstream-proxy proxy.test -- true
intercepted="$nono --on-request deny --profile $work/paths.json --upstream-proxy $parent --"
: >"$work/parent.log"
check "path rules through the parent proxy" prints 'GET /v1/x 0' $intercepted curl -sS -m 20 https://paths.test/v1/x
check "and on its own" prints 'GET /v1/y 0' $intercepted $direct curl -sS -m 20 https://paths.test/v1/y
check "both went that way" sh -c "[ \$(grep -c '^CONNECT paths.test:443$' $work/parent.log) = 2 ]"
finish
