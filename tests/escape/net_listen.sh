#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Servers inside are reached from where rules say: from the tree and this machine by loopback, from the world never unless
# listen_port says so.
. "$(dirname "$0")/../clients/lib_net.sh"

cat >"$work/dir/serve.py" <<'PY'
import os, socket, sys
family, address, port = sys.argv[1:4]
s = socket.socket(socket.AF_INET6 if family == "6" else socket.AF_INET)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
if address != "-":
    s.bind((address, int(port)))
s.listen(16)
for option, value in ((socket.SO_BINDTODEVICE, b""), (62, 0)):  # by name, by index: back to every interface
    try:
        s.setsockopt(socket.SOL_SOCKET, option, value)
    except OSError:
        pass
me = socket.create_connection(("127.0.0.1" if family == "4" else "::1", s.getsockname()[1]))
s.accept()[0].send(b"inside")
print("inside" if me.recv(10) == b"inside" else "nothing", flush=True)
open("port.new", "w").write(str(s.getsockname()[1]))
os.rename("port.new", "port")
while True:
    s.accept()[0].send(b"hello")
PY
cat >"$work/dir/reach.py" <<'PY'
import socket, sys
try:
    print(socket.create_connection((sys.argv[1], int(open(sys.argv[2]).read())), 5).recv(10).decode())
except OSError:
    print("no")
PY
# who reaches it: "by IPv4 loopback, by IPv6 loopback, from the world by IPv4, by IPv6"
reached() {
	for host in 127.0.0.1 ::1; do $python reach.py $host port; done
	for host in 192.0.2.1 2001:db8::1; do $world $python reach.py $host port; done
}
# serves EXPECTED OPTIONS FAMILY ADDRESS PORT
serves() {
	expected=$1 options=$2; shift 2
	rm -f port
	$nono --on-request deny --allow "$work/dir" --allow-domain api.test $options -- $python serve.py "$@" >said 2>&1 &
	server=$!
	started() { [ -e port ] || ! kill -0 $server 2>/dev/null; }
	wait_for started
	if [ -e port ]; then got=$(reached | tr '\n' ' '); else got="refused "; fi
	kill $server 2>/dev/null
	wait $server
	echo "$got"
	[ "$got" = "$expected " ]
}
check "a port of the kernel's choice on loopback" serves "hello no no no" "" 4 127.0.0.1 0
check "on every address: from this machine only" serves "hello no no no" "" 4 0.0.0.0 0
check "by IPv6 as well" serves "hello hello no no" "" 6 :: 0
check "bound by listening: the same" serves "hello no no no" "" 4 - 0
check "by IPv6" serves "hello hello no no" "" 6 - 0
check "a chosen port needs a rule" serves refused "" 4 127.0.0.1 4567
check "on every address too" serves refused "" 4 0.0.0.0 4567
check "open_port is one, for loopback" serves "hello no no no" "--open-port 4567" 4 127.0.0.1 4567
check "on every address: from this machine only" serves "hello no no no" "--open-port 4567" 4 0.0.0.0 4567
check "by IPv6" serves "hello hello no no" "--open-port 4567" 6 :: 4567
check "not on an address of the world" serves refused "--open-port 4567" 4 192.0.2.1 4567
check "listen_port is for the world" serves "hello no hello no" "--listen-port 4567" 4 0.0.0.0 4567
check "and its IPv6 side" serves "hello hello hello hello" "--listen-port 4567" 6 :: 4567
check "for that port only" serves refused "--listen-port 4567" 4 0.0.0.0 4568

check "a client inside reaches a server inside, in another process" prints '^hello$' \
	$run --allow-domain api.test -- sh -c "rm -f port; $python serve.py 6 :: 0 >/dev/null & while ! [ -e port ]; do sleep 0.1; done
		$python reach.py localhost port; kill \$!"
echo 80 >"$work/dir/web"
check "a server of the host on loopback is not reached" prints '^no$' $run --allow-domain api.test -- $python reach.py 127.0.0.1 web
# a port of a server inside, taken over by a program of the host
cat >"$work/dir/leave.py" <<'PY'
import socket, sys, os, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(); port = s.getsockname()[1]
s.close()
open("left.new", "w").write(str(port)); os.rename("left.new", "left")
while not os.path.exists("taken"):
    time.sleep(0.05)
try:
    socket.create_connection(("127.0.0.1", port), 5); print("reached")
except OSError as e:
    print("refused", e.errno)
PY
takeover() {
	$run --allow-domain api.test -- $python leave.py >said 2>&1 &
	client=$!
	wait_for test -e left
	$python -c "import socket, time
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('127.0.0.1', int(open('left').read()))); s.listen(); open('taken', 'w').close(); time.sleep(60)" &
	host=$!
	wait $client
	kill $host
	cat said
	grep -q '^refused 13' said
}
check "nor one that took over the port of a server inside" takeover
finish
