# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034
# Sourced behind lib_net.sh: programs to build, and what they talk to: a git repository over http and ssh, an npm
# registry, a gRPC server.

cat >"$work/dir/main.go" <<'GO'
package main

import (
	"io"
	"net/http"
	"os"
	"time"
)

func main() {
	client := http.Client{Timeout: 10 * time.Second}
	r, err := client.Get(os.Args[1])
	if err != nil {
		println(err.Error())
		os.Exit(1)
	}
	io.Copy(os.Stdout, r.Body)
}
GO
cat >"$work/dir/get.c" <<'C'
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
cat >"$work/dir/Get.java" <<'JAVA'
import java.net.*;
public class Get {
	public static void main(String[] a) throws Exception {
		URLConnection c = new URL(a[0]).openConnection();
		c.setConnectTimeout(10000);
		System.out.print(new String(c.getInputStream().readAllBytes()));
	}
}
JAVA
cat >"$work/dir/ares.js" <<'JS'
require("dns").resolve4(process.argv[2], (e, a) => { console.log(e ? e.code : a.join(" ")); process.exit(e ? 1 : 0); });
JS
cat >"$work/dir/fetch.js" <<'JS'
fetch(process.argv[2], { signal: AbortSignal.timeout(10000) }).then((r) => r.text())
	.then((t) => console.log(t), (e) => { console.log(String(e.cause || e)); process.exit(1); });
JS
cat >"$work/dir/http.js" <<'JS'
require("http").get(process.argv[2], (r) => r.pipe(process.stdout)).on("error", (e) => { console.log(e.code); process.exit(1); });
JS
(
	cd "$work/dir" || exit 1
	CGO_ENABLED=0 GOTOOLCHAIN=local GOCACHE="$NONO_BUILD/tests/gocache" GOFLAGS=-mod=mod go build -o go-get main.go &&
		musl-gcc -static -o musl-get get.c && musl-gcc -o musl-shared get.c && javac Get.java && { gcc -static -o static-get get.c 2>/dev/null; }
) || failed=1

# the repository, with one file
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_TERMINAL_PROMPT=0
git init -q -b main "$work/src" && echo text >"$work/src/file" && git -C "$work/src" add file &&
	git -C "$work/src" -c user.name=t -c user.email=t@api.test commit -q -m one &&
	git clone -q --bare "$work/src" "$work/www/repo.git" && git -C "$work/www/repo.git" update-server-info || failed=1

# the registry: one package
mkdir -p "$work/www/npm" "$work/package"
printf '{"name":"hello","version":"1.0.0","main":"index.js"}' >"$work/package/package.json"
echo 'module.exports = "hello"' >"$work/package/index.js"
tar -C "$work" -czf "$work/www/npm/hello-1.0.0.tgz" package
printf '{"name":"hello","dist-tags":{"latest":"1.0.0"},"versions":{"1.0.0":{"name":"hello","version":"1.0.0","dist":{"tarball":"http://api.test/npm/hello-1.0.0.tgz","shasum":"%s"}}}}' \
	"$(sha1sum <"$work/www/npm/hello-1.0.0.tgz" | cut -d' ' -f1)" >"$work/www/npm/hello"
export npm_config_cache="$work/dir/npm-cache" npm_config_fetch_retries=0 npm_config_fetch_timeout=10000 \
	npm_config_update_notifier=false npm_config_audit=false npm_config_fund=false npm_config_userconfig=/dev/null

# an ssh server as who we are, who has a home here; the login shell of system accounts lets nobody in
mkdir -p "$work/home/.ssh" && chmod 0700 "$work/home" "$work/home/.ssh"
sed "s#^\($(id -un):.*\):[^:]*:[^:]*\$#\1:$work/home:/bin/sh#" /etc/passwd >"$work/passwd"
mount --bind "$work/passwd" /etc/passwd
dropbearkey -t ed25519 -f "$work/host_key" >"$work/ssh.log" 2>&1 && ssh-keygen -q -t ed25519 -N '' -f "$work/dir/key" &&
	cp "$work/dir/key.pub" "$work/home/.ssh/authorized_keys" && chmod 0600 "$work/home/.ssh/authorized_keys"
$world /usr/sbin/dropbear -F -E -r "$work/host_key" -P "$work/ssh.pid" -p 192.0.2.10:22 -p 192.0.2.66:22 2>>"$work/ssh.log" &
pids="$pids $!"
ssh="ssh -F none -i $work/dir/key -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=10 -o LogLevel=ERROR"

cp "$here/lib_net_grpc.py" "$work/dir/grpc_client.py"
$world $python "$here/lib_net_grpc.py" serve "$work" &
pids="$pids $!"
wait_for test -e "$work/ready.grpc"
wait_for test -e "$work/ssh.pid"
