#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# UDP by rule (`host:port/udp`), through `nono run` with flags and with a profile: what is allowed is answered, every other
# way of sending leaves nothing on the wire, and what was refused is in the report and explained by `nono why`.
. "$(dirname "$0")/lib_net.sh"

cat >"$work/udp.py" <<'PY'
import socket, sys, threading
def serve(host, port):
    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((host, port))
    while True:
        data, who = s.recvfrom(65536)
        with open(sys.argv[1] + "/udp.log", "a") as f:
            f.write(f"{host} {port} {data[:40].decode()}\n")
        s.sendto(b"answer to " + data, who)
for host in ("192.0.2.10", "192.0.2.11", "192.0.2.66", "2001:db8::10", "2001:db8::66"):
    for port in (123, 124):
        threading.Thread(target=serve, args=(host, port)).start()
open(sys.argv[1] + "/ready.udp", "w").close()
PY
$world $python "$work/udp.py" "$work" &
pids="$pids $!"
wait_for test -e "$work/ready.udp"
cat >ask.py <<'PY'
"""HOST PORT...: by connected sockets, IPv4 then IPv6; prints "HOST PORT answered" for those that answer."""
import socket, sys
for host, port in zip(sys.argv[1::2], sys.argv[2::2]):
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            where = socket.getaddrinfo(host, int(port), family, socket.SOCK_DGRAM)[0][4]
        except OSError:
            continue
        with socket.socket(family, socket.SOCK_DGRAM) as s:
            s.settimeout(20)
            s.connect(where)
            assert s.send(f"q {host} {port}".encode()) and s.getpeername()[:2] == where[:2]
            print(host, port, "answered" if s.recv(100) == f"answer to q {host} {port}".encode() else "wrongly")
PY
cat >others.py <<'PY'
"""A socket connected to HOST (argument 1), port 123, that is allowed; then every way to other addresses and ports."""
import ctypes, socket, struct, sys
libc = ctypes.CDLL(None, use_errno=True)

def in_addr(host, port):
    return struct.pack("=HH4s8x", socket.AF_INET, socket.htons(port), socket.inet_aton(host))

class iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_char_p), ("len", ctypes.c_size_t)]

class msghdr(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("namelen", ctypes.c_uint), ("iov", ctypes.POINTER(iovec)),
                ("iovlen", ctypes.c_size_t), ("control", ctypes.c_void_p), ("controllen", ctypes.c_size_t), ("flags", ctypes.c_int)]

class mmsghdr(ctypes.Structure):
    _fields_ = [("hdr", msghdr), ("len", ctypes.c_uint)]

def sendmmsg(s, data, where):
    keep = [iovec(data, len(data)), in_addr(*where)]
    all_ = (mmsghdr * 2)()
    for m in all_:
        m.hdr.name, m.hdr.namelen, m.hdr.iov, m.hdr.iovlen = keep[1], 16, ctypes.pointer(keep[0]), 1
    libc.sendmmsg(s.fileno(), all_, 2, 0)

def reconnect(s, data, where):
    s.connect(where)
    s.send(data)

def disconnect(s, data, where):
    libc.connect(s.fileno(), struct.pack("=H14x", socket.AF_UNSPEC), 16)
    s.connect(where)
    s.send(data)

name = socket.gethostbyname(sys.argv[1])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(20)
ways = {
    "sendto": lambda s, d, w: s.sendto(d, w), "sendmsg": lambda s, d, w: s.sendmsg([d], [], 0, w),
    "sendmmsg": sendmmsg, "reconnect": reconnect, "disconnect": disconnect,
}
for way, send in ways.items():
    for where in ((name, 124), ("192.0.2.66", 123), ("192.0.2.66", 124), ("192.0.2.10", 123), ("169.254.169.254", 123)):
        for connected in (True, False):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                if connected:
                    s.connect((name, 123))
                try:
                    send(s, f"leak {way}".encode(), where)
                except OSError:
                    pass
# the last word: what was sent before it has been carried, if it is
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(20)
s.connect((name, 123))
s.send(b"last")
print(s.recv(100).decode())
# a port of no rule: the namespace itself says that nobody is there
s.connect((name, 124))
s.send(b"x")
try:
    s.recv(100)
except OSError as e:
    print(e.strerror)
PY

rule="$run --allow-domain api.test:123/udp --"
check "a name and its port" prints 'api.test 123 answered' $rule $python ask.py api.test 123
check "by IPv6 too" sh -c "[ \$($rule $python ask.py api.test 123 | grep -c answered) = 2 ]"
check "it arrived at its addresses" sh -c "grep -q '^192.0.2.10 123 q api.test' $work/udp.log && grep -q '^2001:db8::10 123 q api.test' $work/udp.log"
check "an address" prints '192.0.2.11 124 answered' $run --allow-domain 192.0.2.11:124/udp -- $python ask.py 192.0.2.11 124
check "an IPv6 address" prints '2001:db8::66 124 answered' $run --allow-domain '[2001:db8::66]:124/udp' -- $python ask.py 2001:db8::66 124
check "a prefix" prints '192.0.2.66 123 answered' $run --allow-domain 192.0.2.64/26:123/udp -- $python ask.py 192.0.2.66 123
check "names below a suffix" prints 'www.wild.test 123 answered' $run --allow-domain '*.wild.test:123/udp' -- $python ask.py www.wild.test 123
mkdir -p "$HOME/.config/nono/profiles"
printf '{ "meta": { "name": "time" }, "extends": "default", "filesystem": { "allow": ["%s"] }, "network": { "allow_domain": ["api.test:123/udp", "192.0.2.11:124/udp"] } }\n' \
	"$work/dir" >"$HOME/.config/nono/profiles/time.json"
both() { prints 'api.test 123 answered' "$@" && grep -q '192.0.2.11 124 answered' "$work/printed"; }
check "rules of a profile" both $nono --on-request deny --profile time -- $python ask.py api.test 123 192.0.2.11 124
check "beside a parent proxy, which carries none" prints 'api.test 123 answered' \
	$run --allow-domain api.test:123/udp --upstream-proxy 192.0.2.10:3128 -- $python ask.py api.test 123
check "a rule for UDP is none for TCP" sh -c "! $run --allow-domain api.test:80/udp -- $direct curl -s -m 10 http://api.test/"

: >"$work/udp.log"
$python "$here/lib_net_capture.py" "$work/capture" &
pids="$pids $!"
wait_for grep -qs listening "$work/capture"
check "every other way and address" prints 'answer to last' $rule $python others.py api.test
check "a port without a rule refuses like one where nobody listens" grep -q '^Connection refused' "$work/printed"
check "none of it arrived" no_file_line leak "$work/udp.log"
check "the capture saw what was allowed" grep -q '^192.0.2.1 192.0.2.10 17$' "$work/capture"
check "and nothing else" no_file_line -vE '^listening|^192\.0\.2\.(1|10|53) 192\.0\.2\.(1|10|53) (17|arp)$' "$work/capture"

say="$as_user $NONO run --on-request deny --allow $work/dir --allow-domain api.test:123/udp --"
check "the report names them" prints 'connect  192\.0\.2\.66:123/udp' $say $python others.py api.test
check "by name where there is one" grep -q 'connect  api\.test:124/udp' "$work/printed"
check "with the flag that would allow them" grep -q 'to allow .*--allow-domain api.test:124/udp' "$work/printed"
check "not what was allowed" no_file_line 'api\.test:123/udp$' "$work/printed"
why() { $as_user "$NONO" why --list >list 2>&1; $as_user "$NONO" why "$(sed -n "s#^ *\([0-9]*\) .*$1.*#\1#p" list | head -1)"; }
check "nono why explains a name" prints 'DENIED connect api.test:124/udp' why api.test:124/udp
check "and what would allow it" grep -q 'For one run .*--allow-domain api.test:124/udp' "$work/printed"
check "an address" prints 'no rule allows it' why 192.0.2.66:124/udp
check "and what never is" prints 'nono never lets' why 169.254.169.254:123/udp
check "a question about UDP" prints DENIED $as_user "$NONO" why --host api.test --port 124/udp --allow-domain api.test:123/udp
check "and one that a rule answers" prints ALLOWED $as_user "$NONO" why --host api.test --port 123/udp --allow-domain api.test:123/udp
check "which is another than that about TCP" prints DENIED $as_user "$NONO" why --host api.test --port 123 --allow-domain api.test:123/udp
finish
