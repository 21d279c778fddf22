#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Socket calls made on behalf: they behave as the kernel's own, and cannot be turned elsewhere.
. "$(dirname "$0")/../clients/lib_net.sh"

probe=$NONO_BUILD/tests/net_probe
loops=${NONO_TEST_LOOPS:-10000}

$world python3 "$NONO_SOURCE/tests/escape/lib_net_listeners.py" "$work" world &
pids="$pids $!"
python3 "$NONO_SOURCE/tests/escape/lib_net_listeners.py" "$work" host &
pids="$pids $!"
wait_for test -e "$work/listening.world"
wait_for test -e "$work/listening.host"
long=$(printf 'l%.0s' $(seq 104)).sck
ln -s "$work/sockets/docker.sock" "$work/sockets/innocent"

ip="$run --allow-domain 192.0.2.10 --allow-domain 2001:db8::10 --allow-domain api.test --allow-unix-socket-bind $work/sockets/open.sock --allow-unix-socket-bind $work/sockets/new.sock --allow-unix-socket-bind $work/$long
	--allow-unix-socket-bind $work/sockets/relative.sock --"
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
	says "bad 0 good some" $ip $probe swap 192.0.2.10 192.0.2.66 82 "$loops" thread
check "or by another process" says "bad 0 good some" $ip $probe swap 192.0.2.10 192.0.2.66 82 "$loops" process
check "leads nowhere else" sh -c "! [ -e $work/wrong.log ]"
check "after AF_UNSPEC the next address is judged again" \
	says "ok ok EACCES ok ENOTCONN" $ip $probe again 192.0.2.10 192.0.2.66 80
# enough ports for them, whatever the loops above have left waiting; below are those that are listened on
echo 5000 65535 >/proc/sys/net/ipv4/ip_local_port_range
many=$(ulimit -Hn); [ "$many" != unlimited ] && [ "$many" -lt 10100 ] && many=$((many - 100)) || many=10000
check "$many connections at a time" says "$many connections" $ip $probe many 192.0.2.10 83 "$many"
check "MPTCP and SCTP do not connect" says "done" $ip $probe kinds 192.0.2.10 80

check "datagrams go nowhere" $ip $probe udp 192.0.2.66 9999
sleep 0.1
check "whatever they are sent with" sh -c "! [ -e $work/udp.log ]"

ask='import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(1)
a = (socket.gethostbyname(sys.argv[1]), int(sys.argv[2]))
s.sendto(b"me", a); d, w = s.recvfrom(100); assert w == a; s.connect(a); s.send(b"you"); print(d, s.recv(100))'
check "UDP that a rule allows, with and without connecting" prints "time for me.*time for you" \
	$run --allow-domain api.test:123/udp -- $python -c "$ask" api.test 123
check "to an address" prints "time for me" $run --allow-domain 192.0.2.10:123/udp -- $python -c "$ask" 192.0.2.10 123
refuse "not by a rule for TCP" $run --allow-domain api.test:123 -- $python -c "$ask" api.test 123
refuse "nor to another port" $run --allow-domain api.test:124/udp -- $python -c "$ask" api.test 123
refuse "nor to another address" $run --allow-domain api.test:9999/udp -- $python -c "$ask" 192.0.2.66 9999

check "a loopback port of the kernel's choice may be listened on and connected to" \
	says "ok ok ok" $ip $probe listen 127.0.0.1 0
check "a chosen port needs a rule" says EACCES $ip $probe listen 127.0.0.1 4567
check "open_port is such a rule" says "ok ok ok" $run --allow-domain api.test --open-port 4567 -- $probe listen 127.0.0.1 4567
check "for no other address" says EACCES $run --allow-domain api.test --open-port 4567 -- $probe listen 192.0.2.1 4567
check "listen_port is for every address" says "ok ok EACCES" $run --allow-domain api.test --listen-port 4568 -- $probe listen 192.0.2.1 4568
check "a port bound without a family is judged" says "ok EACCES" $ip $probe unbound
check "loopback ports of the host are closed" says EACCES $ip $probe connect 127.0.0.1 80
check "open_port opens one" says ok $run --block-net --open-port 80 -- $probe connect 127.0.0.1 80
check "but not elsewhere" says EACCES $run --block-net --open-port 80 -- $probe connect 192.0.2.66 80
check "connect_port is for every address" says ok $run --allow-connect-port 80 -- $probe connect 192.0.2.66 80
check "but metadata" says EACCES $run --allow-connect-port 80 -- $probe connect 169.254.169.254 80

check "a granted Unix socket connects" says ok $ip $probe unix "$work/sockets/open.sock"
check "by a relative path" says ok $ip $probe unix sockets/open.sock "$work"
check "a name that fills the address is bound and connected to" says "ok ok mode 750 ok" $ip $probe unix-bind "$long" "$work"
check "another one is refused" says EACCES $ip $probe unix "$work/sockets/docker.sock"
check "also through a link" says EACCES $ip $probe unix "$work/sockets/innocent"
check "or a magic link" says EACCES $ip $probe unix "/proc/self/cwd/sockets/docker.sock" "$work"
check "what is no socket refuses as it does" says ECONNREFUSED $ip $probe unix "$work/hosts"
check "what is not there is not there" says ENOENT $ip $probe unix "$work/sockets/nothing"
check "a link that alternates during the call" says connected \
	$ip $probe unix-swap "$work/sockets/open.sock" "$work/sockets/docker.sock" "$((loops / 5))"
check "never leads to the other socket" sh -c "! [ -e $work/docker.log ]"
check "binding with the program's umask" says "ok ok mode 750 ok" $ip $probe unix-bind "$work/sockets/new.sock"
check "by a relative path as well" says "ok ok mode 750 ok" $ip $probe unix-bind relative.sock "$work/sockets"
check "where files may be made anyway, the name is the program's" prints "^$work/dir/own.sock .*dir/rel.sock 750\$" $ip $python -c "
import os, socket
os.umask(0o027)
a, b = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
a.bind('$work/dir/own.sock'); b.bind('../dir/rel.sock')
print(a.getsockname(), b.getsockname(), oct(os.stat('own.sock').st_mode & 0o777)[2:])"
ln -s "$work/sockets" "$work/dir/way" && mkdir "$work/dir/inner"
check "a link to a place without a grant is no way" says EACCES $ip $probe unix-bind way/elsewhere.sock
check "nor is one that alternates during the call" says some $ip $probe unix-bind-swap inner "$work/sockets" raced "$((loops / 5))"
check "nothing was made there" sh -c "! [ -e $work/sockets/raced ]"
check "elsewhere it is refused" says EACCES $ip $probe unix-bind "$work/sockets/elsewhere.sock"
# Name services of the host would ask for any name: closed under any grant, without a word in the report.
mount -t tmpfs none /run && mkdir -p /run/nscd /run/systemd/resolve
$python -c 'import socket, threading
for path in ("/run/nscd/socket", "/run/systemd/resolve/io.systemd.Resolve"):
    s = socket.socket(socket.AF_UNIX); s.bind(path); s.listen()
    def serve(s=s):
        while True:
            s.accept(); open("'"$work"'/services.log", "a").write("reached")
    threading.Thread(target=serve).start()' &
pids="$pids $!"
wait_for test -S /run/systemd/resolve/io.systemd.Resolve
wide="$as_user $NONO run --on-request deny --allow $work/dir --allow /run --allow-domain api.test --"
check "nscd is closed" prints '^ECONNREFUSED$' $wide $probe unix /run/nscd/socket
check "and systemd-resolved" prints '^ECONNREFUSED$' $wide $probe unix /run/systemd/resolve/io.systemd.Resolve
quiet() { $wide getent hosts api.test >said 2>&1; cat said; grep -q 'api\.test$' said && ! grep -q 'nscd' said; }
check "names resolve without, and nothing is said of it" quiet
check "nobody asked there" sh -c "! [ -e $work/services.log ]"
umount -l /run
check "datagrams to a granted Unix socket, and their answer" says "ENOTCONN ok ok ok answer" \
	$run --allow-domain api.test --allow-unix-socket-bind "$work/sockets/log.sock" -- $probe unix-datagram "$work/sockets/log.sock"
check "message by message" sh -c "[ \"\$(tr '\n' ' ' <$work/datagrams)\" = 'one two ' ]"
check "a datagram socket is none for other types" prints '^EPROTOTYPE EPROTOTYPE$' \
	$run --allow-unix-socket "$work/sockets/packet.sock" --allow-unix-socket "$work/sockets/log.sock" -- $python -c "
import errno, socket
print(*[errno.errorcode[socket.socket(socket.AF_UNIX, kind).connect_ex('$work/sockets/' + name)] for kind, name in
	((socket.SOCK_DGRAM, 'packet.sock'), (socket.SOCK_SEQPACKET, 'log.sock'))])"
check "to another one they are refused" says "ENOTCONN EACCES" $ip $probe unix-datagram "$work/sockets/log.sock"
check "abstract names of the tree are connected to" says "ok ok ok" $ip $probe unix-bind @nono-test-own
check "those of the host are not" says EPERM $ip $probe unix @nono-test-foreign
finish
