# SPDX-License-Identifier: Apache-2.0
# A network of the test's own: sourced by net tests, which run again inside it.
#
# One namespace holds a name server (192.0.2.53), web servers for api.test (192.0.2.10,
# 2001:db8::10) and for what must not be reached (192.0.2.66, 10.9.8.7, a metadata address),
# all on one interface, so that a capture there sees each packet.

if [ -z "${NET_INSIDE:-}" ]; then
	export NET_INSIDE=1
	if [ "$(id -u)" = 0 ]; then
		exec unshare --net --mount -- "$0" "$@"
	fi
	exec unshare --map-root-user --net --mount -- "$0" "$@"
fi

set -u
here=$(cd "$(dirname "$0")/../clients" && pwd)
run=$NONO_BUILD/tests/net_harness
work=$(mktemp -d "${TMPDIR:-/tmp}/nono-net.XXXXXX")
failed=0 count=0
pids=

cleanup() {
	for pid in $pids; do kill "$pid" 2>/dev/null; done
	wait
	rm -rf "$work"
}
trap cleanup EXIT

ip link set lo up
for a in 192.0.2.53 192.0.2.10 192.0.2.11 192.0.2.66 10.9.8.7 169.254.169.254; do ip addr add "$a/32" dev lo; done
for a in 2001:db8::10 2001:db8::66; do ip addr add "$a/128" dev lo nodad; done
ip route add default dev lo
ip -6 route add default dev lo

printf 'nameserver 192.0.2.53\noptions timeout:2 attempts:2\n' >"$work/resolv.conf"
printf '127.0.0.1 localhost\n::1 localhost\n192.0.2.11 listed.test\n' >"$work/hosts"
printf 'hosts: files dns\n' >"$work/nsswitch.conf"
mount --bind "$work/resolv.conf" "$(readlink -f /etc/resolv.conf)"
mount --bind "$work/hosts" /etc/hosts
mount --bind "$work/nsswitch.conf" /etc/nsswitch.conf

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=api.test \
	-addext 'subjectAltName=DNS:api.test,DNS:other.test' -keyout "$work/key.pem" -out "$work/ca.pem" 2>/dev/null
cat "$work/ca.pem" "$work/key.pem" >"$work/server.pem"
python3 "$here/lib_net_servers.py" "$work" &
pids="$pids $!"
for _ in $(seq 100); do [ -e "$work/ready" ] && break; sleep 0.05; done
: >"$work/dns.log" # the servers look up their own addresses

# check NAME COMMAND...: the command succeeds
check() {
	name=$1; shift; count=$((count + 1))
	if "$@" >"$work/out" 2>&1; then echo "ok - $name"; else
		echo "not ok - $name (status $?)"; sed 's/^/    /' "$work/out" | head -20; failed=$((failed + 1))
	fi
}
# refuse NAME COMMAND...: the command fails
refuse() {
	name=$1; shift; count=$((count + 1))
	if "$@" >"$work/out" 2>&1; then
		echo "not ok - $name: it succeeded"; sed 's/^/    /' "$work/out" | head -20; failed=$((failed + 1))
	else echo "ok - $name"; fi
}
# prints PATTERN COMMAND...: the command prints a line with the pattern
prints() { pattern=$1; shift; "$@" >"$work/printed" 2>&1; cat "$work/printed"; grep -q -- "$pattern" "$work/printed"; }
no_file_line() { ! grep "$@"; }
finish() { [ "$failed" = 0 ] && echo "all $count passed"; exit "$failed"; }
