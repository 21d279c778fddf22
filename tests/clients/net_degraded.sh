#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Where namespaces are refused there is no dead end: what still resolves, and that nothing leaves.
NET_REFUSE=namespaces
export NET_REFUSE
. "$(dirname "$0")/lib_net.sh"
. "$here/lib_net_programs.sh"

$python "$here/lib_net_capture.py" "$work/capture" &
pids="$pids $!"
wait_for grep -qs listening "$work/capture"
only="$run --allow-domain api.test -- $direct"

check "doctor says what is lost" prints 'names are resolved over TCP' $as_user $NONO doctor
check "and why" prints 'lack .*user namespaces' $as_user $NONO doctor
client() {
	what=$1 pattern=$2; shift 2
	check "$what reaches api.test" prints "$pattern" $only sh -c "$(echo "$*" | sed 's/HOST/api.test/g')"
	refuse "$what does not reach other.test" $only sh -c "$(echo "$*" | sed 's/HOST/other.test/g')"
}
client curl 'hello from' "curl -s -m 10 http://HOST/"
client "static glibc" 'hello from' "./static-get HOST"
client "musl, with the shim" 'hello from' "./musl-shared HOST"
client "static go" 'hello from' "./go-get http://HOST/"
client "busybox nslookup" '198\.18' "busybox nslookup HOST"
client "c-ares in node" '^198\.18' "node ares.js HOST"
client "node fetch" 'hello from' "node fetch.js http://HOST/"
client java 'hello from' "java -Xshare:auto -XX:TieredStopAtLevel=1 -cp . Get http://HOST/"
client gRPC 'hello from' "$python grpc_client.py call HOST 5"
check "dig by TCP" prints '^198\.18' $only dig +tcp +short api.test
check "through the proxy no name is needed" prints 'hello from' $run --allow-domain api.test -- env RES_OPTIONS= curl -s -m 20 http://api.test/

# what a program does with such a socket leads nowhere
cat >away.py <<'PY'
import socket
for family, to in ((socket.AF_INET, "192.0.2.66"), (socket.AF_INET6, "2001:db8::66")):
    s = socket.socket(family, socket.SOCK_DGRAM)
    for i in range(3):
        for port in (53, 123, 9999):
            try:
                s.sendto(b"leak", (to, port))
            except OSError:
                pass
            try:
                socket.socket(family, socket.SOCK_DGRAM).connect((to, port))
            except OSError as e:
                print(port, e.errno)
    s.close()
many = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for i in range(200)]
print(len(many), "sockets")
PY
check "datagrams go nowhere" prints '200 sockets' $only $python away.py
check "and the sockets come back" prints '200 sockets' $only sh -c "for i in 1 2 3 4; do $python away.py; done"

echo | $python -c "import socket; socket.create_connection(('192.0.2.10', 80)).close()"
wait_for grep -q ' 192\.0\.2\.10 6$' "$work/capture"
no='192\.0\.2\.53|192\.0\.2\.10|2001:db8::10|192\.0\.2\.1|2001:db8::1|127\.0\.0\.1'
check "no packet went anywhere else" no_file_line -vE "^listening|^($no) ($no) " "$work/capture"
check "no other name was asked" no_file_line -v '^api\.test' "$work/dns.log"
finish
