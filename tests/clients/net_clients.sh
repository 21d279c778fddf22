#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Real clients, each with a resolver and connecting code of its own, reach api.test and nothing else.
. "$(dirname "$0")/lib_net.sh"

git init -q --bare "$work/www/repo.git" && git -C "$work/www/repo.git" update-server-info
mkdir "$work/src"
cat >"$work/src/main.go" <<'GO'
package main

import (
	"io"
	"net/http"
	"os"
)

func main() {
	r, err := http.Get(os.Args[1])
	if err != nil {
		println(err.Error())
		os.Exit(1)
	}
	io.Copy(os.Stdout, r.Body)
}
GO
cat >"$work/src/get.c" <<'C'
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	static const char request[] = "GET / HTTP/1.0\r\n\r\n";
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *a;
	char buf[4096];
	if (argc < 2 || getaddrinfo(argv[1], "80", &hints, &a))
		return 1;
	for (; a; a = a->ai_next) {
		int fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
		if (fd < 0 || connect(fd, a->ai_addr, a->ai_addrlen) < 0)
			continue;
		if (write(fd, request, sizeof(request) - 1) < 0)
			return 1;
		for (ssize_t n; (n = read(fd, buf, sizeof(buf))) > 0;)
			fwrite(buf, 1, (size_t)n, stdout);
		return 0;
	}
	return 1;
}
C
cat >"$work/src/Get.java" <<'JAVA'
import java.net.*;
public class Get {
	public static void main(String[] a) throws Exception {
		System.out.print(new String(new URL(a[0]).openStream().readAllBytes()));
	}
}
JAVA
cat >"$work/src/ares.js" <<'JS'
require("dns").resolve4(process.argv[2], (e, a) => { console.log(e ? e.code : a.join(" ")); process.exit(e ? 1 : 0); });
JS
cat >"$work/src/fetch.js" <<'JS'
fetch(process.argv[2]).then((r) => r.text()).then((t) => console.log(t), (e) => { console.log(String(e.cause || e)); process.exit(1); });
JS
cat >"$work/src/http.js" <<'JS'
require("http").get(process.argv[2], (r) => r.pipe(process.stdout)).on("error", (e) => { console.log(e.code); process.exit(1); });
JS
export HOME="$work" GOCACHE="$work/gocache" GOTOOLCHAIN=local
(cd "$work/src" && CGO_ENABLED=0 go build -o go-get main.go) || failed=1
musl-gcc -static -o "$work/src/musl-get" "$work/src/get.c" || failed=1
gcc -static -o "$work/src/static-get" "$work/src/get.c" 2>/dev/null || failed=1

python3 "$here/lib_net_capture.py" "$work/capture" &
pids="$pids $!"
for _ in $(seq 100); do grep -qs listening "$work/capture" && break; sleep 0.05; done

only="$run -d api.test -L $work/log --"
# both NAME PATTERN COMMAND...: works for api.test (written HOST in the command), fails for other.test
both() {
	what=$1 pattern=$2; shift 2
	check "$what reaches api.test" prints "$pattern" $only sh -c "$(echo "$*" | sed 's/HOST/api.test/g')"
	refuse "$what does not reach other.test" $only sh -c "$(echo "$*" | sed 's/HOST/other.test/g')"
}
both curl 'hello from' "curl -s -m 5 http://HOST/"
both "curl over TLS" 'hello from 192.0.2.10' "curl -4 -s -m 5 --cacert $work/ca.pem https://HOST/"
both wget 'hello from' "wget -q -T 5 -t 1 -O - http://HOST/"
both git listed "git ls-remote http://HOST/repo.git && echo listed"
both "python urllib" 'hello from' "python3 -c \"import urllib.request as u; print(u.urlopen('http://HOST/', timeout=5).read())\""
both "python requests" 'hello from' "/usr/bin/python3 -c \"import requests; print(requests.get('http://HOST/', timeout=5).text)\""
both "node fetch" 'hello from' "node $work/src/fetch.js http://HOST/"
both "node http" 'hello from' "node $work/src/http.js http://HOST/"
both "c-ares in node" '^198' "node $work/src/ares.js HOST"
both "static go" 'hello from' "$work/src/go-get http://HOST/"
both "static musl" 'hello from' "$work/src/musl-get HOST"
both "static glibc" 'hello from' "$work/src/static-get HOST"
both "static busybox" "^Address: 198" "busybox nslookup HOST"
both java 'hello from' "java -Xshare:auto $work/src/Get.java http://HOST/"
both "getent" '^fd6e\|^198' "getent ahosts HOST"
both "ssh" 'kex_exchange\|banner\|Connection reset\|closed' "timeout 4 ssh -v -o StrictHostKeyChecking=no -o ConnectTimeout=2 -p 80 HOST 2>&1 | grep 'kex_exchange\|banner\|closed by'"
check "names of localhost resolve" prints '127.0.0.1\|::1' $only getent hosts localhost
check "resolution without the dead end, by TCP" prints 'hello from' $only env RES_OPTIONS=use-vc curl -s http://api.test/

sleep 0.2
check "the capture saw the traffic" grep -q ' 192\.0\.2\.10 6$' "$work/capture"
# The name server, api.test, and loopback, where the broker takes over DNS by TCP.
no='192\.0\.2\.53|192\.0\.2\.10|2001:db8::10|127\.0\.0\.1'
check "no packet went anywhere else" no_file_line -vE "^listening|^($no) ($no) " "$work/capture"
check "no other name was asked" no_file_line -v '^api\.test' "$work/dns.log"
finish
