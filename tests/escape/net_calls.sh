#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Socket calls made on behalf: they behave as the kernel's own, and cannot be turned elsewhere.
. "$(dirname "$0")/../clients/lib_net.sh"

probe=$NONO_BUILD/tests/net_probe
loops=${NONO_TEST_LOOPS:-10000}

# Listeners of the host: one that never answers, Unix sockets, a UDP port that counts.
python3 - "$work" <<'PY' &
import os, socket, sys, threading
work = sys.argv[1]
full = socket.socket(); full.bind(("192.0.2.10", 81)); full.listen(0)
fill = [socket.socket() for _ in range(4)]
for s in fill:
    s.setblocking(False)
    s.connect_ex(("192.0.2.10", 81))
os.mkdir(f"{work}/sockets")
def unix(path, log=None):
    s = socket.socket(socket.AF_UNIX); s.bind(path); s.listen(64)
    def serve():
        while True:
            c, _ = s.accept()
            if log: open(log, "a").write("reached\n")
            c.close()
    threading.Thread(target=serve, daemon=True).start()
unix(f"{work}/sockets/open.sock"); unix(f"{work}/sockets/docker.sock", f"{work}/docker.log")
unix("\0nono-test-foreign")
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); log.bind(f"{work}/sockets/log.sock")
def echo():
    while True:
        data, who = log.recvfrom(1000); open(f"{work}/datagrams", "a").write(data.decode() + "\n")
        if data == b"two" and who: log.sendto(b"answer", who)
threading.Thread(target=echo, daemon=True).start()
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.bind(("192.0.2.66", 9999))
def time_server():
    t = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); t.bind(("192.0.2.10", 123))
    while True:
        data, who = t.recvfrom(1000); t.sendto(b"time for " + data, who)
threading.Thread(target=time_server, daemon=True).start()
open(f"{work}/listening", "w").close()
while True:
    udp.recv(100); open(f"{work}/udp.log", "a").write("leak\n")
PY
pids="$pids $!"
for _ in $(seq 100); do [ -e "$work/listening" ] && break; sleep 0.05; done
long=$(printf 'l%.0s' $(seq 104)).sck
ln -s "$work/sockets/docker.sock" "$work/sockets/innocent"

ip="$run -d 192.0.2.10 -d 2001:db8::10 -d api.test -L $work/log -u $work/sockets/open.sock -u $work/sockets/new.sock -u $work/$long
	-u $work/sockets/relative.sock --"
lines() { printed=$("$@" | tr '\n' ' '); echo "$printed"; }
says() { expected=$1; shift; printed=$(lines "$@"); echo "$printed"; [ "$printed" = "$expected " ]; }

check "an allowed address connects" says ok $ip $probe connect 192.0.2.10 80
check "a port nobody listens on refuses" says ECONNREFUSED $ip $probe connect 192.0.2.10 9
check "another address is refused" says EACCES $ip $probe connect 192.0.2.66 80
check "non-blocking sockets get their answer later" says EINPROGRESS $ip $probe nonblock 192.0.2.10 81
check "malformed calls get the kernel's errors" \
	says "EBADF ENOTSOCK EFAULT EINVAL EINVAL EINVAL EAFNOSUPPORT EISCONN" $ip $probe errors
check "a signal ends a blocking connect" says "EINTR soon blocking" $ip $probe interrupt 192.0.2.10 81 0
check "a program killed while it connects is gone at once" says gone $ip $probe killed 192.0.2.10 81
check "an address changed by a thread during the call" \
	says "bad 0 good some" $ip $probe swap 192.0.2.10 192.0.2.66 80 "$loops" thread
check "or by another process" says "bad 0 good some" $ip $probe swap 192.0.2.10 192.0.2.66 80 "$loops" process
check "after AF_UNSPEC the next address is judged again" \
	says "ok ok EACCES ok ENOTCONN" $ip $probe again 192.0.2.10 192.0.2.66 80
check "MPTCP and SCTP do not connect" says "done" $ip $probe kinds 192.0.2.10 80

check "datagrams go nowhere" $ip $probe udp 192.0.2.66 9999
sleep 0.1
check "whatever they are sent with" sh -c "! [ -e $work/udp.log ]"

ask='import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(1)
a = (socket.gethostbyname(sys.argv[1]), int(sys.argv[2]))
s.sendto(b"me", a); d, w = s.recvfrom(100); assert w == a; s.connect(a); s.send(b"you"); print(d, s.recv(100))'
check "UDP that a rule allows, with and without connecting" prints "time for me.*time for you" \
	$run -d api.test:123/udp -- python3 -c "$ask" api.test 123
check "to an address" prints "time for me" $run -d 192.0.2.10:123/udp -- python3 -c "$ask" 192.0.2.10 123
refuse "not by a rule for TCP" $run -d api.test:123 -- python3 -c "$ask" api.test 123
refuse "nor to another port" $run -d api.test:124/udp -- python3 -c "$ask" api.test 123
refuse "nor to another address" $run -d api.test:9999/udp -- python3 -c "$ask" 192.0.2.66 9999

check "a loopback port of the kernel's choice may be listened on and connected to" \
	says "ok ok ok" $ip $probe listen 127.0.0.1 0
check "a chosen port needs a rule" says EACCES $ip $probe listen 127.0.0.1 4567
check "open_port is such a rule" says "ok ok ok" $run -d api.test -p 4567 -- $probe listen 127.0.0.1 4567
check "for loopback only" says EACCES $run -d api.test -p 4567 -- $probe listen 0.0.0.0 4567
check "listen_port is for every address" says "ok ok EACCES" $run -d api.test -l 4568 -- $probe listen 192.0.2.11 4568
check "listening without bind, or bound without a family, is judged" \
	says "EACCES EACCES" $ip $probe unbound
check "loopback ports of the host are closed" says EACCES $ip $probe connect 127.0.0.1 80
check "open_port opens one" says ok $run -b -p 80 -- $probe connect 127.0.0.1 80
check "but not elsewhere" says EACCES $run -b -p 80 -- $probe connect 192.0.2.66 80
check "connect_port is for every address" says ok $run -b -c 80 -- $probe connect 192.0.2.66 80
check "but metadata" says EACCES $run -b -c 80 -- $probe connect 169.254.169.254 80

check "a granted Unix socket connects" says ok $ip $probe unix "$work/sockets/open.sock"
check "by a relative path" says ok $ip $probe unix sockets/open.sock "$work"
check "a name that fills the address is bound and connected to" says "ok ok mode 750 ok" $ip $probe unix-bind "$long" "$work"
check "another one is refused" says EACCES $ip $probe unix "$work/sockets/docker.sock"
check "also through a link" says EACCES $ip $probe unix "$work/sockets/innocent"
check "or a magic link" says EACCES $ip $probe unix "/proc/self/cwd/sockets/docker.sock" "$work"
check "what is no socket refuses as it does" says ECONNREFUSED $ip $probe unix "$work/log"
check "what is not there is not there" says ENOENT $ip $probe unix "$work/sockets/nothing"
check "a link that alternates during the call" says connected \
	$ip $probe unix-swap "$work/sockets/open.sock" "$work/sockets/docker.sock" "$((loops / 5))"
check "never leads to the other socket" sh -c "! [ -e $work/docker.log ]"
check "binding with the program's umask" says "ok ok mode 750 ok" $ip $probe unix-bind "$work/sockets/new.sock"
check "by a relative path as well" says "ok ok mode 750 ok" $ip $probe unix-bind relative.sock "$work/sockets"
check "elsewhere it is refused" says EACCES $ip $probe unix-bind "$work/sockets/elsewhere.sock"
check "datagrams to a granted Unix socket, and their answer" says "ENOTCONN ok ok ok answer" \
	$run -d api.test -u "$work/sockets/log.sock" -- $probe unix-datagram "$work/sockets/log.sock"
check "message by message" sh -c "[ \"\$(tr '\n' ' ' <$work/datagrams)\" = 'one two ' ]"
check "to another one they are refused" says "ENOTCONN EACCES" $ip $probe unix-datagram "$work/sockets/log.sock"
check "abstract names of the tree are connected to" says "ok ok ok" $ip $probe unix-bind @nono-test-own
check "those of the host are not" says EPERM $ip $probe unix @nono-test-foreign
finish
