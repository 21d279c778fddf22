#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Unix datagram sockets inside: pairs, servers at a path, clients with a name of their own; and every way to reach with
# them what no rule allows.
. "$(dirname "$0")/../clients/lib_net.sh"

mkdir "$work/sockets"
cat >"$work/outside.py" <<'PY'
"""Datagram servers outside: sockets/closed.sock and an abstract one write what arrives to a log; sockets/log.sock answers."""
import os, socket, sys, threading
base = sys.argv[1]
def serve(address, answer):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(address)
    while True:
        data, who = s.recvfrom(1000)
        with open(base + "/arrived", "a") as f:
            f.write(f"{address!r} {data.decode()}\n")
        if answer and who:
            try:
                s.sendto(b"answer to " + data, who)
            except OSError:
                pass
for address, answer in ((base + "/sockets/closed.sock", False), (base + "/sockets/log.sock", True), ("\0nono-datagram-foreign", False)):
    threading.Thread(target=serve, args=(address, answer)).start()
while not os.path.exists(base + "/sockets/log.sock"):
    pass
open(base + "/ready.outside", "w").close()
PY
$python "$work/outside.py" "$work" &
pids="$pids $!"
wait_for test -e "$work/ready.outside"

cat >lib.py <<'PY'
import array, ctypes, errno, fcntl, os, socket, struct, sys, threading
libc = ctypes.CDLL(None, use_errno=True)
UNIX, DGRAM = socket.AF_UNIX, socket.SOCK_DGRAM
CLOSED = [os.environ["CLOSED"], "\0nono-datagram-foreign"]
failures = 0

def check(what, ok, detail=""):
    global failures
    print(("ok - " if ok else "not ok - ") + what + ("" if ok else f": {detail!r}"), flush=True)
    failures += not ok

def code(call, *args):
    try:
        call(*args)
    except OSError as e:
        return errno.errorcode[e.errno]
    return "ok"

class iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_char_p), ("len", ctypes.c_size_t)]

class msghdr(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("namelen", ctypes.c_uint), ("iov", ctypes.POINTER(iovec)), ("iovlen", ctypes.c_size_t),
                ("control", ctypes.c_void_p), ("controllen", ctypes.c_size_t), ("flags", ctypes.c_int)]

class mmsghdr(ctypes.Structure):
    _fields_ = [("hdr", msghdr), ("len", ctypes.c_uint)]

def sendmmsg(s, data, where):
    raw = struct.pack("=H", UNIX) + where.encode() + (b"" if where[0] == "\0" else b"\0")
    io = iovec(data, len(data))
    m = (mmsghdr * 1)()
    m[0].hdr.name, m[0].hdr.namelen, m[0].hdr.iov, m[0].hdr.iovlen = raw, len(raw), ctypes.pointer(io), 1
    return libc.sendmmsg(s.fileno(), m, 1, socket.MSG_NOSIGNAL)

def every_way(s, name):
    """Send to each closed address in every way there is; also after connecting, disconnecting and shutting down."""
    for step in ("plain", "connect", "unspec", "shutdown"):
        for where in CLOSED:
            data = f"leak {name} {step}".encode()
            if step == "connect":
                code(s.connect, where)
            elif step == "unspec":
                libc.connect(s.fileno(), struct.pack("=H14x", socket.AF_UNSPEC), 16)
            elif step == "shutdown":
                code(s.shutdown, socket.SHUT_RD)
            code(s.sendto, data, socket.MSG_NOSIGNAL, where)
            code(s.sendmsg, [data], [], socket.MSG_NOSIGNAL, where)
            code(s.sendmsg, [data], [], socket.MSG_NOSIGNAL | socket.MSG_DONTWAIT, where)
            code(s.send, data, socket.MSG_NOSIGNAL)
            sendmmsg(s, data, where)
PY
cat >pairs.py <<'PY'
from lib import *
a, b = socket.socketpair(UNIX, DGRAM)
a.send(b"one"), a.send(b""), a.send(b"three")
check("a pair keeps messages apart", [b.recv(100), b.recv(100), b.recv(100)] == [b"one", b"", b"three"])
b.send(b"x" * 100)
check("cuts what is too long", a.recv(10) == b"x" * 10)
r, w = os.pipe()
socket.send_fds(a, [b"fd"], [w])
_, fds, _, _ = socket.recv_fds(b, 10, 1)
os.write(fds[0], b"through")
check("carries descriptors", os.read(r, 10) == b"through")
check("has CLOEXEC as asked", fcntl.fcntl(a, fcntl.F_GETFD) == fcntl.FD_CLOEXEC)
raw = array.array("i", [0, 0])
libc.socketpair(UNIX, DGRAM | socket.SOCK_NONBLOCK, 0, ctypes.c_void_p(raw.buffer_info()[0]))
check("and not", fcntl.fcntl(raw[0], fcntl.F_GETFD) == 0 and fcntl.fcntl(raw[1], fcntl.F_GETFD) == 0)
check("is non-blocking as asked", code(socket.socket(fileno=raw[0]).recv, 1) == "EAGAIN")
before = len(os.listdir("/proc/self/fd"))
def bad(pointer, kind=DGRAM, protocol=0):
    return errno.errorcode[ctypes.get_errno()] if libc.socketpair(UNIX, kind, protocol, ctypes.c_void_p(pointer)) < 0 else "ok"
check("malformed calls", (bad(8), bad(raw.buffer_info()[0], DGRAM | 0x10), bad(raw.buffer_info()[0], DGRAM, 7)) == ("EFAULT", "EINVAL", "EPROTONOSUPPORT"))
check("leave nothing behind", len(os.listdir("/proc/self/fd")) == before)
for s in socket.socketpair(UNIX, DGRAM):
    every_way(s, "pair")
for s in socket.socketpair(UNIX, DGRAM):
    code(s.bind, "pair.sock")
    every_way(s, "bound pair")
sys.exit(failures != 0)
PY
cat >servers.py <<'PY'
from lib import *
server = socket.socket(UNIX, DGRAM)
fcntl.fcntl(server, fcntl.F_SETFL, os.O_RDWR | os.O_NONBLOCK)
server.bind("server.sock")
check("a server has its name", server.getsockname() == "server.sock" and os.path.exists("server.sock"))
check("stays non-blocking, and closed on exec", code(server.recv, 1) == "EAGAIN" and fcntl.fcntl(server, fcntl.F_GETFD) == fcntl.FD_CLOEXEC)
server.setblocking(True)
client = socket.socket(UNIX, DGRAM)
client.connect("server.sock")
client.send(b"first"), client.send(b"second")
check("receives from inside", [server.recv(100), server.recv(100)] == [b"first", b"second"])
server.settimeout(60)
open("listening", "w").close()
data, fds, _, _ = socket.recv_fds(server, 100, 1)
check("and from outside, with descriptors", data == b"from outside" and os.read(fds[0], 100) == b"a file outside")
check("cannot send", code(server.sendto, b"x", "server.sock") == "EPIPE" and code(server.send, b"x") in ("EPIPE", "ENOTCONN"))
check("is a datagram socket", server.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE) == DGRAM)
every_way(socket.fromfd(server.fileno(), UNIX, DGRAM), "server")
other = socket.socket(UNIX, DGRAM)
check("a path in use", code(other.bind, "server.sock") == "EADDRINUSE")
every_way(other, "failed bind")
other = socket.socket(UNIX, DGRAM)
check("a place without a grant", code(other.bind, os.environ["CLOSED"] + ".new") == "EACCES")
every_way(other, "refused bind")
fresh = socket.socket(UNIX, DGRAM)
every_way(fresh, "unbound")
named = socket.socket(UNIX, DGRAM)
named.bind("named.sock")
if os.fork() == 0:
    every_way(named, "inherited")
    os._exit(0)
os.wait()
check("a client with a name of its own", code(named.connect, os.environ["LOG"]) == "ok")
named.settimeout(60)
named.send(b"hello")
check("gets its answer", named.recv(100) == b"answer to hello")
every_way(named, "named client")
# abstract names, of the tree
abstract = socket.socket(UNIX, DGRAM)
abstract.bind("\0nono-datagram-own")
client = socket.socket(UNIX, DGRAM)
check("an abstract name of the tree", code(client.connect, "\0nono-datagram-own") == "ok")
client.send(b"abstract")
check("receives", abstract.recv(100) == b"abstract")
check("a foreign one is closed", code(socket.socket(UNIX, DGRAM).connect, "\0nono-datagram-foreign") == "EPERM")
every_way(abstract, "abstract")
every_way(client, "abstract client")
auto = socket.socket(UNIX, DGRAM)
auto.bind("")
every_way(auto, "automatic name")
# descriptors that change during the call
stop = False
spot = socket.socket(UNIX, DGRAM).detach()
def change():
    stream, tcp = socket.socket(UNIX), socket.socket()
    while not stop:
        for fd in (stream.fileno(), socket.socket(UNIX, DGRAM), tcp.fileno(), socket.socketpair(UNIX, DGRAM)[0]):
            os.dup2(fd if isinstance(fd, int) else fd.fileno(), spot)
thread = threading.Thread(target=change)
thread.start()
for i in range(int(os.environ["LOOPS"])):
    raw = struct.pack("=H", UNIX) + f"race{i % 3}".encode() + b"\0"
    libc.bind(spot, raw, len(raw))
    for where in CLOSED:
        to = struct.pack("=H", UNIX) + where.encode() + (b"" if where[0] == "\0" else b"\0")
        libc.sendto(spot, b"leak race", 9, socket.MSG_NOSIGNAL | socket.MSG_DONTWAIT, to, len(to))
    if i % 3 == 2:
        for k in range(3):
            if os.path.exists(f"race{k}"):
                os.unlink(f"race{k}")
stop = True
thread.join()
sys.exit(failures != 0)
PY
export CLOSED="$work/sockets/closed.sock" LOG="$work/sockets/log.sock" LOOPS=$((${NONO_TEST_LOOPS:-10000} / 10))
inside="$run --allow-domain api.test --allow-unix-socket $work/sockets/log.sock --"
check "without nono each way arrives" sh -c "$python -c 'from lib import *; s = socket.socket(UNIX, DGRAM); every_way(s, \"outside\"); every_way(socket.socketpair(UNIX, DGRAM)[0], \"outside\")
s = socket.socket(UNIX, DGRAM)
for where in CLOSED: s.sendto(b\"that was all\", where)'
	until [ \$(grep -c 'that was all' $work/arrived) = 2 ]; do sleep 0.1; done
	[ \$(grep -c 'closed.sock.* leak outside' $work/arrived) -ge 30 ] && [ \$(grep -c 'foreign.* leak outside' $work/arrived) -ge 30 ]"
: >"$work/arrived"
check "pairs" $inside $python pairs.py
grep '^not ok' "$work/out"
# a datagram with a descriptor, from outside to the server inside
$python - "$work" <<'PY' &
import os, socket, sys, time
base = sys.argv[1]
while not os.path.exists(base + "/dir/listening"):
    time.sleep(0.05)
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.connect(base + "/dir/server.sock")
text = os.open(base + "/given", os.O_RDWR | os.O_CREAT)
os.write(text, b"a file outside")
os.lseek(text, 0, 0)
socket.send_fds(s, [b"from outside"], [text])
PY
pids="$pids $!"
check "servers and clients" $inside $python servers.py
grep '^not ok' "$work/out"
check "the allowed server was reached" grep -q "log.sock' hello" "$work/arrived"
check "and nothing else, by no way" no_file_line 'closed\.sock\|foreign' "$work/arrived"
check "a server at a path of a rule" prints '^got it$' $run --allow-domain api.test --allow-unix-socket-bind "$work/sockets/mine.sock" -- $python -c "
import os, socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind('$work/sockets/mine.sock')
c = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
c.connect('$work/sockets/mine.sock')
c.send(b'got it')
print(s.recv(100).decode())"
check "with the network blocked as well" prints 'one' $run --block-net -- $python -c "
import socket
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
a.send(b'one')
print(b.recv(9))"
check "and open" prints 'one' $run -- $python -c "
import socket
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
a.send(b'one')
print(b.recv(9))"
finish
