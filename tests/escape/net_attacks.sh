#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Ways out that are not an ordinary connect(): no packet may leave for anything but the allowed address.
. "$(dirname "$0")/../clients/lib_net.sh"

probe=$NONO_BUILD/tests/net_probe
for side in world host; do
	[ $side = world ] && in=$world || in=
	$in $python "$NONO_SOURCE/tests/escape/lib_net_listeners.py" "$work" $side &
	pids="$pids $!"
	wait_for test -e "$work/listening.$side"
done
# fast open without a cookie, and servers that follow source routes: the attacks would work
echo 1797 >/proc/sys/net/ipv4/tcp_fastopen
$world sh -c 'for f in /proc/sys/net/ipv4/conf/*/accept_source_route /proc/sys/net/ipv6/conf/*/seg6_enabled; do echo 1 >$f; done' 2>/dev/null

$python "$here/lib_net_capture.py" "$work/capture" &
pids="$pids $!"
wait_for grep -qs listening "$work/capture"
only="$run --allow-domain 192.0.2.10 --allow-domain 2001:db8::10 --allow-domain rebind.test --allow-domain turn.test
	--allow-unix-socket $work/sockets/hand.sock --"

says_done() { "$@" >said 2>&1; cat said; [ "$(grep -v 'sockets from outside' said)" = "done" ] && grep -q '^[34] sockets' said; }
check "every kind of socket, send and option" says_done $only $probe attack 192.0.2.10 192.0.2.66 80 "$work/sockets/hand.sock"

for address in 3221226050 0300.0.2.0102 0xc0.0.2.66 0xc0000242 192.0.578 192.578 '[::ffff:c000:242]' '[::ffff:192.0.2.66]' \
	'[2002:c000:242::]' 2852039166 0xa9fea9fe 0251.0376.0251.0376 169.254.43518 '[::ffff:a9fe:a9fe]' '[fe80::2%25link0]' \
	0 127.1 2130706433 0x7f.1 '[::]' '[::1]' '[::ffff:127.0.0.1]' 192.0.2.66. 192。0。2。66; do
	for way in "" "$direct"; do
		refuse "the address $address ${way:+directly}" $only $way curl -g -s -f -m 5 "http://$address/"
	done
done

# A name whose address changes: judged anew each time, and never to loopback or metadata.
rebinding() {
	for _ in $(seq 20); do $only $direct curl -s -m 5 http://rebind.test/; done >said 2>&1
	cat said
	grep -q 'hello from 192.0.2.10' said && ! grep 'from' said | grep -v 'hello from 192.0.2.10'
}
check "a name that alternates between an allowed, a loopback and a metadata address" rebinding
check "by the proxy as well" sh -c "for i in 1 2 3 4 5 6; do $only curl -s -m 5 http://rebind.test/; done | { ! grep 'from 127\|from 169'; }"
cat >turn.py <<'PY'
import socket
a = socket.getaddrinfo("turn.test", 80, socket.AF_INET, socket.SOCK_STREAM)[0][4]
for i in range(3):
    socket.getaddrinfo("turn.test", 80, socket.AF_INET, socket.SOCK_STREAM)
s = socket.create_connection(a)
print("connected to", s.getpeername()[0])
PY
check "what was resolved is what is dialled" prints 'connected to 192.0.2.10' $only $python turn.py

tunnel='import socket
for i in range(200):
    for name in (f"{i:x}.leak.other.test", f"{i:x}.192.0.2.10", f"{i:x}.turn.test", f"leak{i:x}.test"):
        try: print(socket.getaddrinfo(name, 80))
        except OSError: pass'
check "names as a tunnel: nothing resolves" sh -c "[ -z \"\$($only $python -c '$tunnel')\" ]"
check "and nothing is asked outside" no_file_line 'leak' "$work/dns.log"

# the same sockets with everything else in the way: two processes, the address changing
loops=${NONO_TEST_LOOPS:-10000}
check "an address that changes during the call, synthetic ones too" prints 'bad 0 good some' \
	$only $probe swap 192.0.2.10 198.18.0.9 80 "$((loops / 10))" process

echo | $python -c "import socket; socket.create_connection(('192.0.2.10', 80)).close()"
wait_for grep -q ' 192\.0\.2\.10 6$' "$work/capture"
no='192\.0\.2\.53|192\.0\.2\.10|2001:db8::10|192\.0\.2\.1|2001:db8::1|127\.0\.0\.1|::1'
allowed_only() { sed -n "s/ [0-9a-z]*\$//p" "$work/capture" | sort | uniq -c | grep -vE " ($no) ($no)\$|listening" && return 1; return 0; }
check "not one packet to anything else" allowed_only
check "no datagram arrived" sh -c "! [ -e $work/udp.log ]"
check "nobody came to the wrong server" no_file_line -E '^(192.0.2.66|169.254|10.9|2001:db8::66)' "$work/http.log"
finish
