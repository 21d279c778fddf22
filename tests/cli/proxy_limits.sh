#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What programs can make the proxy keep: the broker's memory under floods of HTTP/2 and of data that nobody reads, more
# intercepted connections than are served at a time, more connections than there are descriptors.
. "$NONO_SOURCE/tests/clients/lib_net.sh"
cli=$NONO_SOURCE/tests/cli

$world ip addr add 192.0.2.20/24 dev link1
certificates DNS:paths.test
$world node "$cli/lib_proxy_server.js" "$work" 192.0.2.20 &
pids="$pids $!"
wait_for test -e "$work/ready.proxy"
cat >"$work/endless.py" <<'PY'
import socket, sys, threading
s = socket.socket()
s.bind(("192.0.2.10", 9000))
s.listen(128)
open(sys.argv[1] + "/ready.endless", "w").close()
def send(c):
    try:
        while True:
            c.sendall(bytes(65536))
    except OSError:
        c.close()
while True:
    threading.Thread(target=send, args=(s.accept()[0],), daemon=True).start()
PY
$world $python "$work/endless.py" "$work" &
pids="$pids $!"
wait_for test -e "$work/ready.endless"
cat >"$work/paths.json" <<JSON
{ "meta": { "name": "paths" }, "extends": "default", "filesystem": { "allow": ["$work/dir"] },
  "network": { "allow_domain": ["api.test", { "domain": "paths.test", "endpoints": [{ "method": "*", "path": "/v1/**" }] }] } }
JSON
export SSL_CERT_FILE="$work/roots.pem"
paths="$nono --on-request deny --profile $work/paths.json --"
cp "$cli/lib_proxy_flood.py" .
mkfifo end

# A build that checks its memory keeps what was freed for a while, and puts much around each piece.
scale=1
! grep -q __asan_init "$NONO" || scale=8
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=1:thread_local_quarantine_size_kb=64"

# Anonymous memory of process $1 in KB: what it keeps, without the pages of libraries.
anon() { sed -n 's/^RssAnon:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status"; }
peak() { sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status"; }
# flood KIND CONNECTIONS LIMIT: under it the broker grows by less than LIMIT KB, at any time, and still serves
flood() {
	rm -f done broker
	$paths $python lib_proxy_flood.py "$1" "$2" <end >flood.out 2>&1 &
	session=$!
	exec 9>end
	wait_for test -s broker
	before=$(peak "$(cat broker)")
	echo go >&9
	wait_for test -s done
	grown=$(($(peak "$(cat broker)") - before))
	echo "grew by $grown KB, keeps $(anon "$(cat broker)") KB"
	exec 9>&-
	wait $session
	cat flood.out
	grep -q '^served$' flood.out && [ "$grown" -lt $(($3 * scale)) ]
}
for kind in resets continuation settings pings priorities; do
	check "memory is bounded under a flood of $kind" flood $kind 16 4096
done
for kind in refused_streams streams table uploads; do
	check "memory is bounded under a flood of $kind" flood $kind 16 10240
done
# 50 MB are on their way to somebody who reads none of it
check "memory is bounded when nobody reads downloads" flood downloads 32 12288
check "and with tunnels that nobody reads" flood tunnels 100 12288

# ---- more intercepted connections than are served at a time ----------------------------------
cat >many.py <<'PY'
import socket, ssl, sys
context = ssl.create_default_context()
def get(s):
    s.sendall(b"GET /v1/a HTTP/1.1\r\nHost: paths.test\r\n\r\n")
    return s.recv(65536).startswith(b"HTTP/1.1 200")
held = [context.wrap_socket(socket.create_connection(("paths.test", 443)), server_hostname="paths.test") for _ in range(128)]
more = [socket.create_connection(("paths.test", 443)) for _ in range(20)]
for s in more:
    s.settimeout(1)
try:
    context.wrap_socket(more[0], server_hostname="paths.test", do_handshake_on_connect=False).do_handshake()
    print("was served")
except TimeoutError:
    print("waits")
for s in more[1:4]:
    s.close()  # those that give up are no trouble
print("held are served", all(get(s) for s in held))
for s in held[:64]:
    s.close()
for s in more[4:]:
    s.settimeout(60)
print("the others are served then", all(get(context.wrap_socket(s, server_hostname="paths.test")) for s in more[4:]))
PY
check "more intercepted connections than are served wait" prints '^waits$' $paths $python many.py
check "the first ones are served" grep -q '^held are served True$' "$work/printed"
check "the others when those end" grep -q '^the others are served then True$' "$work/printed"

# ---- many tunnels --------------------------------------------------------------------------------
$world $python "$NONO_SOURCE/tests/escape/lib_net_listeners.py" "$work" world &
pids="$pids $!"
wait_for test -e "$work/listening.world"
cat >tunnels.py <<'PY'
"""N tunnels at a time to a server that gives back what it gets; each is used, once all are there."""
import base64, os, resource, socket, sys, urllib.parse
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
p = urllib.parse.urlsplit(os.environ["HTTPS_PROXY"])
auth = base64.b64encode(f"{p.username}:{p.password}".encode()).decode()
request = f"CONNECT api.test:83 HTTP/1.1\r\nHost: api.test:83\r\nProxy-Authorization: Basic {auth}\r\n\r\n".encode()
with open("broker", "w") as f:
    f.write(str(os.getppid()))
all_ = []
for _ in range(int(sys.argv[1])):
    s = socket.create_connection((p.hostname, p.port), timeout=60)
    s.sendall(request)
    if b" 200 " not in s.recv(100):
        break
    all_.append(s)
for s in all_:
    s.sendall(b"x")
print(len(all_), "tunnels,", sum(s.recv(1) == b"x" for s in all_), "answer", flush=True)
with open("done", "w") as f:
    f.write("done")
sys.stdin.read()
PY
echo 5000 65535 >/proc/sys/net/ipv4/ip_local_port_range
many=$(ulimit -Hn); [ "$many" != unlimited ] && [ "$many" -lt 20600 ] && many=$(((many - 600) / 2)) || many=10000
tunnels() {
	rm -f done broker
	$run --allow-domain api.test -- $python tunnels.py "$many" <end >tunnels.out 2>&1 &
	session=$!
	exec 9>end
	wait_for test -s done
	echo "the broker's memory: $(peak "$(cat broker)") KB at most, $(anon "$(cat broker)") KB of its own"
	used=$(anon "$(cat broker)")
	exec 9>&-
	wait $session
	cat tunnels.out
	grep -q "^$many tunnels, $many answer\$" tunnels.out && [ "$used" -lt $((many * 6 * scale + 10240)) ]
}
check "$many tunnels at a time" tunnels

# ---- descriptors ---------------------------------------------------------------------------------
cat >crowd.py <<'PY'
"""200 tunnels at a time, of 5 processes, under a limit of 160 open files; files that have to be asked about; one more tunnel."""
import base64, os, socket, sys, time, urllib.parse
p = urllib.parse.urlsplit(os.environ["HTTPS_PROXY"])
auth = base64.b64encode(f"{p.username}:{p.password}".encode()).decode()

def tunnel():
    s = socket.create_connection((p.hostname, p.port), timeout=60)
    s.sendall(f"CONNECT api.test:80 HTTP/1.1\r\nHost: api.test:80\r\nProxy-Authorization: Basic {auth}\r\n\r\n".encode())
    return s, s.recv(4096)

end, stay = os.pipe()
out, report = os.pipe()
for _ in range(5):
    if os.fork() == 0:
        os.close(stay)
        kept, seen = [], []
        for _ in range(40):
            try:
                s, got = tunnel()
                kept.append(s)
                seen.append("ok" if b" 200 " in got else "told" if b" 503 " in got and b"open files" in got else repr(got))
            except ConnectionRefusedError:
                seen.append("refused")
            except OSError as e:
                seen.append(repr(e))
        os.write(report, (" ".join(seen) + "\n").encode())
        os.read(end, 1)
        os._exit(0)
seen = b""
while seen.count(b"\n") < 5:
    seen += os.read(out, 65536)
seen = seen.decode().split()
print("kinds", *sorted(set(seen)), file=sys.stderr)
print("some are served", seen.count("ok") > 20)
print("others are told why", seen.count("told") > 20 and set(seen) <= {"ok", "told", "refused"})
print("a file that is asked about", open(sys.argv[1]).read().strip())
try:
    open(sys.argv[2])
except OSError as e:
    print("a file that is refused", e.strerror)
with open("made", "w") as f:
    f.write("made")
os.close(stay)
for _ in range(5):
    os.wait()
while True:  # those of the others are being closed
    try:
        s, got = tunnel()
        if b" 200 " in got:
            break
        s.close()
    except ConnectionRefusedError:
        pass
    time.sleep(0.05)
s.sendall(b"GET / HTTP/1.0\r\n\r\n")
got = b""
while part := s.recv(4096):
    got += part
print("a tunnel afterwards", b"hello from" in got)
PY
echo secret >"$work/asked.txt"; echo secret >"$work/refused.txt"
printf '#!/bin/sh\ncase $(cat) in *asked.txt*) echo session ;; *) echo no ;; esac\n' >"$work/yes" && chmod +x "$work/yes"
few="setpriv --inh-caps=-all --bounding-set=-sys_resource"
[ "$(id -u)" = 0 ] || few=$as_user
check "connections beyond the limit of open files" prints '^some are served True$' \
	prlimit --nofile=160:160 $few "$NONO" run -s --no-diagnostics --approver "$work/yes" --allow "$work/dir" --allow-domain api.test -- $python crowd.py "$work/asked.txt" "$work/refused.txt"
check "are told why" grep -q '^others are told why True$' "$work/printed"
check "files are asked about all the same" grep -q '^a file that is asked about secret$' "$work/printed"
check "and refused" grep -q '^a file that is refused Permission denied$' "$work/printed"
check "and connections are served again when others end" grep -q '^a tunnel afterwards True$' "$work/printed"
finish
