#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Path rules with real clients: each trusts the session's certificate authority by what nono sets alone, and gets the
# permitted path and not the forbidden one, through the proxy and without it.
. "$(dirname "$0")/lib_net.sh"

$world ip addr add 192.0.2.20/24 dev link1
certificates DNS:paths.test

# what is served below /v1/: a git repository, a cargo registry, a Go module, a Python package
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_TERMINAL_PROMPT=0
(
	mkdir -p "$work/www/index/he/ll" "$work/www/crates" "$work/www/mod/word.test/hello/@v" "$work/www/simple/hello" && cd "$work" || exit 1
	git init -q -b main repo && echo text >repo/file && git -C repo add file &&
		git -C repo -c user.name=t -c user.email=t@t commit -q -m one && git clone -q --bare repo www/repo.git &&
		git -C www/repo.git update-server-info || exit 1
	mkdir -p hello-1.0.0/src && printf '[package]\nname = "hello"\nversion = "1.0.0"\n' >hello-1.0.0/Cargo.toml &&
		echo >hello-1.0.0/src/lib.rs && tar -czf www/crates/hello.crate hello-1.0.0 || exit 1
	printf '{"dl":"https://paths.test/v1/crates/{crate}.crate"}' >www/index/config.json
	printf '{"name":"hello","vers":"1.0.0","deps":[],"cksum":"%s","features":{},"yanked":false}\n' \
		"$(sha256sum <www/crates/hello.crate | cut -d' ' -f1)" >www/index/he/ll/hello
	cd "www/mod/word.test/hello/@v" && echo v1.0.0 >list && echo '{"Version":"v1.0.0"}' >v1.0.0.info && echo 'module word.test/hello' >v1.0.0.mod &&
		$python -c "import zipfile; zipfile.ZipFile('v1.0.0.zip', 'w').writestr('word.test/hello@v1.0.0/go.mod', 'module word.test/hello\n')" || exit 1
	cd "$work/www/simple/hello" && $python -c "
import zipfile
z = zipfile.ZipFile('hello-1.0.0-py3-none-any.whl', 'w')
z.writestr('hello.py', '')
z.writestr('hello-1.0.0.dist-info/METADATA', 'Metadata-Version: 2.1\nName: hello\nVersion: 1.0.0\n')
z.writestr('hello-1.0.0.dist-info/WHEEL', 'Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n')
z.writestr('hello-1.0.0.dist-info/RECORD', '')" && echo '<a href="../../hello-1.0.0-py3-none-any.whl">hello-1.0.0-py3-none-any.whl</a>' >index.html &&
		mv hello-1.0.0-py3-none-any.whl "$work/www/"
) || failed=1
$world node "$NONO_SOURCE/tests/cli/lib_proxy_server.js" "$work" 192.0.2.20 &
pids="$pids $!"
$world $python "$here/lib_net_grpc.py" tls "$work" 192.0.2.20 &
pids="$pids $!"
wait_for test -e "$work/ready.proxy"
wait_for test -e "$work/ready.grpc"

cat >main.go <<'GO'
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
)

func main() {
	r, err := http.Get(os.Args[1])
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(r.StatusCode, r.Proto)
	io.Copy(os.Stdout, r.Body)
}
GO
cat >Get.java <<'JAVA'
import java.net.*;
import java.net.http.*;
public class Get {
	public static void main(String[] a) throws Exception {
		if (a[1].equals("old")) {
			HttpURLConnection c = (HttpURLConnection) new URL(a[0]).openConnection();
			System.out.println(c.getResponseCode());
			System.out.println(new String(c.getInputStream().readAllBytes()));
		} else {
			HttpResponse<String> r = HttpClient.newHttpClient().send(
				HttpRequest.newBuilder(URI.create(a[0])).build(), HttpResponse.BodyHandlers.ofString());
			System.out.println(r.statusCode() + " " + r.version() + " " + r.body());
		}
	}
}
JAVA
cat >fetch.js <<'JS'
fetch(process.argv[2]).then(async r => console.log(r.status, await r.text()), e => { console.log(String(e.cause || e)); process.exit(1); });
JS
cat >https.js <<'JS'
require('https').get(process.argv[2], r => { console.log(r.statusCode); r.pipe(process.stdout); }).on('error', e => { console.log(e.code); process.exit(1); });
JS
cat >h2.js <<'JS'
const u = new URL(process.argv[2]), s = require('http2').connect(u.origin);
s.on('error', e => { console.log(e.code); process.exit(1); });
const r = s.request({ ':path': u.pathname });
r.on('response', h => console.log(h[':status']));
r.pipe(process.stdout);
r.on('close', () => s.close());
JS
(CGO_ENABLED=0 GOTOOLCHAIN=local GOCACHE="$NONO_BUILD/tests/gocache" go build -o go-get main.go && javac Get.java) || failed=1
cp "$here/lib_net_grpc.py" grpc_client.py
mkdir -p crate/src crate/.cargo mod && echo >crate/src/lib.rs && printf 'module here\n\ngo 1.18\n' >mod/go.mod
printf '[package]\nname = "here"\nversion = "1.0.0"\n\n[dependencies]\nhello = "1"\n' >crate/Cargo.toml

endpoints=$(for m in GET HEAD POST; do printf '{"method":"%s","path":"/v1/**"},' $m; done)
cat >"$work/paths.json" <<JSON
{ "meta": { "name": "paths" }, "extends": "default", "filesystem": { "allow": ["$work/dir"] },
  "network": { "allow_domain": [{ "domain": "paths.test", "endpoints": [$endpoints { "method": "POST", "path": "/test.Hello/Say" }] }] } }
JSON
# the broker verifies servers by the host's roots: these
export SSL_CERT_FILE="$work/roots.pem"
paths="$nono --on-request deny --profile $work/paths.json --"

cat >both <<'SH'
# GOOD BAD COMMAND: PATH_ is v1 and prints GOOD, then v2 and prints BAD; by the proxy and without
for way in proxy direct; do
	[ $way = proxy ] || unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY NODE_USE_ENV_PROXY
	good=$(sh -c "$(echo "$3" | sed 's#PATH_#v1#g; s#CALL_#Say#g')" 2>&1 </dev/null)
	bad=$(sh -c "$(echo "$3" | sed 's#PATH_#v2#g; s#CALL_#Other#g')" 2>&1 </dev/null)
	case $good in *"$1"*) ;; *) echo "$way: permitted path: $good"; exit 1 ;; esac
	case $bad in *"$1"*) echo "$way: forbidden path: $bad"; exit 1 ;; *"$2"*) ;; *) echo "$way: forbidden path: $bad"; exit 1 ;; esac
done
SH
# client NAME GOOD BAD COMMAND
client() { what=$1; shift; check "$what" $paths sh ./both "$@"; }

url=https://paths.test/PATH_/file
client "go net/http" 'GET /v1/file 0' 403 "./go-get $url"
client "go modules" 'word.test/hello v1.0.0' 403 \
	"cd mod && export GOTOOLCHAIN=local GOPATH=\$PWD/PATH_ GOCACHE=\$PWD/cache GOFLAGS=-modcacherw GONOSUMDB=* GOPROXY=https://paths.test/PATH_/mod; go mod download -x word.test/hello@v1.0.0 && echo word.test/hello \$(cat PATH_/pkg/mod/cache/download/word.test/hello/@v/list)"
client cargo 'fetched hello' 403 \
	"cd crate && rm -f Cargo.lock && export CARGO_HOME=\$PWD/PATH_ CARGO_NET_RETRY=0 &&
	printf '[source.crates-io]\nreplace-with = \"test\"\n[source.test]\nregistry = \"sparse+https://paths.test/PATH_/index/\"\n' >.cargo/config.toml &&
	RUSTC_BOOTSTRAP=1 /usr/bin/cargo -Z sparse-registry fetch && ls PATH_/registry/src/* | grep -q hello && echo fetched hello"
client "gRPC" 'hello from 192.0.2.20' PERMISSION_DENIED "$python grpc_client.py tls-call paths.test 20 CALL_"
client "java HttpClient" '200 HTTP_2 GET /v1/file 0' '403' "java -Xshare:auto -XX:TieredStopAtLevel=1 -cp . Get $url new"
client "java URLConnection" 'GET /v1/file 0' 'code: 403' "java -Xshare:auto -XX:TieredStopAtLevel=1 -cp . Get $url old"
client "node fetch" '200 GET /v1/file 0' 403 "node fetch.js $url"
client "node https" 'GET /v1/file 0' 403 "node https.js $url"
client "node http2" 'GET /v1/file 0' 403 "node h2.js $url"
client "python urllib" 'GET /v1/file 0' 403 "$python -c \"import urllib.request as u; print(u.urlopen('$url', timeout=20).read())\""
client "python as of 3.13, which checks certificates strictly" 'GET /v1/file 0' 403 "$python -c \"
import ssl, urllib.request as u
c = ssl.create_default_context()
c.verify_flags |= ssl.VERIFY_X509_STRICT
print(u.urlopen('$url', timeout=20, context=c).read())\""
client "python requests" '200 GET /v1/file 0' 403 "$python -c \"import requests; r = requests.get('$url', timeout=20); print(r.status_code, r.text)\""
client pip 'Saved ./PATH/hello' 'No matching distribution' "rm -rf PATH_; $python -m pip --isolated --disable-pip-version-check download --no-cache-dir --no-deps --retries 0 -d PATH_ -i https://paths.test/PATH_/simple/ hello | sed 's#/v1/#/PATH/#'"
client "curl, h2" '200 2' '403 2' "curl -sS -m 20 -o /dev/null -w '%{http_code} %{http_version}' $url"
client "curl, HTTP/1.1" '200 1.1' '403 1.1' "curl --http1.1 -sS -m 20 -o /dev/null -w '%{http_code} %{http_version}' $url"
client wget 'GET /v1/file 0' 403 "wget -nv -T 20 -t 1 -O - $url"
client git 'cloned text' 403 "rm -rf clone; git clone -q https://paths.test/PATH_/repo.git clone && echo cloned \$(cat clone/file)"
client openssl 'Verify return code: 0 (ok)' 'nothing' "case PATH_ in v2) echo nothing;; *) openssl s_client -connect paths.test:443 -servername paths.test 2>&1;; esac"
check "nothing else reached the server" no_file_line 'v2\|Other' "$work/requests.log"
check "the permitted calls did" grep -q ' paths.test /v1/file$' "$work/requests.log"

# ---- what is set ------------------------------------------------------------------------
check "each variable of the document names the bundle" sh -c "
for v in \$(sed -n '/^  certificate is put/,/^- The name/p' $NONO_SOURCE/docs/proxy.md | grep -o '\`[A-Z_0-9]*\`' | tr -d '\`' | grep -v '^JAVA_TOOL_OPTIONS\$\|^WGETRC\$'); do
	echo \$v; echo \"\$v\" >>vars; done; [ \$(wc -l <vars) -ge 15 ] && $paths sh -c 'for v in \$(cat vars); do eval \"x=\\\$\$v\"; [ \"\$x\" = \"\$SSL_CERT_FILE\" ] || { echo \$v is \$x; exit 1; }; done'"
check "a wgetrc of the person's stays" sh -c "echo 'timeout = 7' >$HOME/.wgetrc; ! $paths env | grep ^WGETRC"
finish
