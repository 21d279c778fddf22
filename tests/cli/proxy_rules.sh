#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every form of a network rule, through `nono run`: what can be connected to, listened on and resolved with it, by the
# proxy and without it; the examples of the documents; errors that name the place.
. "${NONO_SOURCE:?}/tests/clients/lib_net.sh"

cat >reach.py <<'PY'
"""Connect to each HOST:PORT by itself and through the proxy; prints what can be reached, one word each."""
import base64
import os
import socket
import sys
import urllib.parse

def direct(host, port):
    socket.create_connection((host, port), timeout=20).close()

def proxied(host, port):
    p = urllib.parse.urlsplit(os.environ["HTTPS_PROXY"])
    auth = base64.b64encode(f"{p.username}:{p.password}".encode()).decode()
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    with socket.create_connection((p.hostname, p.port), timeout=20) as s:
        s.sendall(f"CONNECT {shown} HTTP/1.1\r\nHost: {shown}\r\nProxy-Authorization: Basic {auth}\r\n\r\n".encode())
        if b" 200 " not in s.recv(4096):
            raise OSError("refused")

ways = [direct] + ([proxied] if "HTTPS_PROXY" in os.environ else [])
reached = [[] for _ in ways]
for target in sys.argv[1:]:
    host, port = target.rsplit(":", 1)
    host = host.strip("[]")
    for way, out in zip(ways, reached):
        try:
            way(host, int(port))
            out.append(target)
        except OSError:
            pass
for out in reached:
    print(" ".join(out) or "nothing")
PY
all="api.test:80 api.test:443 www.wild.test:80 wild.test:80 xapi.test:80 private.test:80 loop.test:80 192.0.2.10:80 192.0.2.10:443 192.0.2.66:80 10.9.8.7:80 127.0.0.1:80 [2001:db8::10]:80 [2001:db8::10]:443 169.254.169.254:80"
# reach EXPECTED FLAG...: that and nothing else can be reached, both ways
reach() {
	expected=$1; shift
	check "$* reaches $expected" same_lines "$expected" "$@"
}
same_lines() {
	expected=$1; shift
	got=$($run "$@" -- $python reach.py $all 2>&1 | sort -u)
	[ "$got" = "$expected" ] || { echo "$got"; return 1; }
}
reach "api.test:80 api.test:443" --allow-domain api.test
reach "api.test:80 api.test:443" --allow-domain API.Test.
reach "api.test:80" --allow-domain api.test:80
reach "api.test:443" --allow-domain https://api.test:443
reach "www.wild.test:80" --allow-domain '*.wild.test'
reach "192.0.2.10:80 192.0.2.10:443" --allow-domain 192.0.2.10
reach "192.0.2.10:443" --allow-domain 192.0.2.10:443
reach "192.0.2.10:80 192.0.2.10:443" --allow-domain 192.0.2.0/26
reach "192.0.2.10:80 192.0.2.66:80" --allow-domain 192.0.2.0/24:80
reach "10.9.8.7:80" --allow-domain 10.0.0.0/8
reach "192.0.2.10:80 192.0.2.10:443 192.0.2.66:80" --allow-domain 0.0.0.0/0
reach "[2001:db8::10]:80 [2001:db8::10]:443" --allow-domain ::/0
reach "192.0.2.10:80 192.0.2.10:443 192.0.2.66:80 [2001:db8::10]:80 [2001:db8::10]:443" --allow-domain 0.0.0.0/0 --allow-domain ::/0
reach "192.0.2.10:443 [2001:db8::10]:443" --allow-domain 0.0.0.0/0:443 --allow-domain '[::]/0:443'
reach "[2001:db8::10]:80" --allow-domain '[2001:db8::10]:80'
reach "[2001:db8::10]:80 [2001:db8::10]:443" --allow-domain 2001:db8::/32
reach "private.test:80" --allow-domain private.test --allow-domain loop.test
reach "127.0.0.1:80" --allow-domain 127.0.0.1
reach "127.0.0.1:80" --allow-domain localhost:80
reach "nothing" --network-profile minimal
reach "nothing" --allow-domain github
reach "nothing" --allow-domain 169.254.0.0/16
reach "api.test:80 api.test:443 192.0.2.10:80" --allow-domain api.test --allow-domain 192.0.2.10:80
reach "api.test:80 www.wild.test:80 private.test:80 192.0.2.10:80 192.0.2.66:80 10.9.8.7:80 127.0.0.1:80 [2001:db8::10]:80" --allow-connect-port 80
# without the proxy, which these sessions do not have
reach "127.0.0.1:80" --block-net --open-port 80
reach "nothing" --block-net
reach "api.test:80 api.test:443 www.wild.test:80 private.test:80 loop.test:80 192.0.2.10:80 192.0.2.10:443 192.0.2.66:80 10.9.8.7:80 127.0.0.1:80 [2001:db8::10]:80 [2001:db8::10]:443" --allow-net

listen='import socket, sys
for where in sys.argv[1:]:
    host, port = where.rsplit(":", 1)
    try:
        socket.create_server((host, int(port))).close()
        print(where, end=" ")
    except OSError:
        pass
print(".")'
listens() { expected=$1; shift; check "$* listens on $expected" prints "^$expected\\.\$" $run "$@" -- $python -c "$listen" 127.0.0.1:8123 0.0.0.0:8123 127.0.0.1:8124; }
listens "" --block-net
listens "127.0.0.1:8123 0.0.0.0:8123 " --block-net --open-port 8123 # the second one on loopback only
listens "127.0.0.1:8123 0.0.0.0:8123 " --block-net --listen-port 8123
listens "127.0.0.1:8123 0.0.0.0:8123 " --allow-domain api.test --listen-port 8123

# ---- profiles: merging, clearing ----------------------------------------------------------
mkdir -p "$HOME/.config/nono/profiles"
profile() { printf '{ "meta": { "name": "%s" }, %s }\n' "$1" "$2" >"$HOME/.config/nono/profiles/$1.json"; }
profile base '"network": { "network_profile": "minimal", "allow_domain": ["api.test:80"] }'
profile more '"extends": "base", "network": { "allow_domain": ["192.0.2.66"] }'
profile cleared '"extends": "base", "network": { "network_profile": null }'
profile blocked '"extends": "base", "network": { "block": true }'
reach "api.test:80 192.0.2.66:80" --profile more
reach "api.test:80" --profile cleared
reach "nothing" --profile blocked
reach "nothing" --profile more --block-net
reach "api.test:80 api.test:443 192.0.2.66:80" --profile more --allow-domain api.test
# the documents: no filter in the built-in profile, its network profile cleared, no network, one domain more
profile claude-code-netopen '"extends": "claude-code", "network": { "network_profile": null }'
claude() { check "$1" prints "$2" $nono --on-request deny --allow "$work/dir" --profile "$3" ${4:-} -- $python reach.py api.test:80 other.test:80; }
claude "claude-code reaches the network" '^api.test:80 other.test:80$' claude-code
claude "claude-code-netopen as well" '^api.test:80 other.test:80$' claude-code-netopen
claude "claude-code --block-net does not" '^nothing$' claude-code --block-net
claude "claude-code --allow-domain" '^api.test:80$' claude-code "--allow-domain api.test"

# ---- names outside ASCII, errors -------------------------------------------------------------
check "a name outside ASCII" prints '^b' $run --allow-domain 'bücher.test' -- sh -c 'getent hosts xn--bcher-kva.test && echo by-name'
: >"$work/dns.log"
refuse "the name above a suffix" $run --allow-domain '*.wild.test' -- getent hosts wild.test
check "is not looked up" no_file_line wild.test "$work/dns.log"
printf '{ "meta": { "name": "bad" },\n "network": {\n "allow_domain": [ "api.test",\n "*.com" ] } }\n' >"$HOME/.config/nono/profiles/bad.json"
check "an error names file and line" prints 'profiles/bad.json:4: network.allow_domain: \*.com would allow' $run --profile bad -- true
check "or the flag" prints 'allow-domain: \*.co.uk would allow names that anybody can register' $run --allow-domain '*.co.uk' -- true
check "an unknown network profile lists those there are" prints 'there are minimal' $run --network-profile nope -- true
finish
