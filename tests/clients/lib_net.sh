# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034
# Networks of the test's own: sourced by net tests, which run again inside them.
#
# Two network namespaces with one link between them. In the one, "host", the test and nono
# run: 192.0.2.1, 2001:db8::1, fe80::1, a web server on loopback. The other is the "world": a name
# server (192.0.2.53), web servers for api.test (192.0.2.10, 2001:db8::10) and for what must not be
# reached (192.0.2.66, 10.9.8.7, a metadata address). An ordinary user gets a user namespace in which the
# test may make them; nono itself runs without any capability there. NET_REFUSE=namespaces: nono is refused namespaces of
# its own, as in many containers.

if [ -z "${NET_INSIDE:-}" ]; then
	export NET_INSIDE=1
	if [ "$(id -u)" = 0 ]; then
		exec unshare ${NET_REFUSE:+--map-root-user} --net --mount -- "$0" "$@"
	fi
	exec unshare --map-current-user --keep-caps --net --mount -- "$0" "$@"
fi

set -u
here=$(cd "$(dirname "$0")/../clients" 2>/dev/null && pwd || echo "$NONO_SOURCE/tests/clients")
work=$(mktemp -d "${TMPDIR:-/tmp}/nono-net.XXXXXX")
failed=0 count=0
pids=

cleanup() {
	for pid in $pids; do kill "$pid" 2>/dev/null; done
	wait
	rm -rf "$work"
}
trap cleanup EXIT

# wait_for COMMAND...: until it succeeds, a minute at most
wait_for() {
	for _ in $(seq 600); do "$@" && return; sleep 0.1; done
	echo "gave up waiting: $*"; exit 1
}

unshare --net sleep infinity &
world_pid=$!
pids="$pids $world_pid"
other_net() { [ "$(readlink "/proc/$world_pid/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }
wait_for other_net
world="nsenter -t $world_pid --net"

ip link set lo up
ip link add link0 type veth peer name link1 netns "$world_pid"
ip addr add 192.0.2.1/24 dev link0
ip addr add 2001:db8::1/64 dev link0 nodad
ip addr add fe80::1/64 dev link0 nodad
ip link set link0 up
$world ip link set lo up
for a in 192.0.2.254/24 192.0.2.53/24 192.0.2.10/24 192.0.2.11/24 192.0.2.66/24 10.9.8.7/32 169.254.169.254/32; do
	$world ip addr add "$a" dev link1
done
for a in 2001:db8::10/64 2001:db8::66/64 2001:db8::fe/64 fe80::2/64; do $world ip addr add "$a" dev link1 nodad; done
$world ip link set link1 up
ip route add default via 192.0.2.254
ip -6 route add default via 2001:db8::fe

printf 'nameserver 192.0.2.53\noptions timeout:2 attempts:2\n' >"$work/resolv.conf"
printf '127.0.0.1 localhost\n::1 localhost\n192.0.2.11 listed.test\n' >"$work/hosts"
printf 'hosts: files dns\n' >"$work/nsswitch.conf"
mount --bind "$work/resolv.conf" "$(readlink -f /etc/resolv.conf)"
mount --bind "$work/hosts" /etc/hosts
mount --bind "$work/nsswitch.conf" /etc/nsswitch.conf

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=api.test \
	-addext 'subjectAltName=DNS:api.test,DNS:other.test' -keyout "$work/key.pem" -out "$work/ca.pem" 2>/dev/null
cat "$work/ca.pem" "$work/key.pem" >"$work/server.pem"
$world python3 "$here/lib_net_servers.py" "$work" world &
pids="$pids $!"
python3 "$here/lib_net_servers.py" "$work" host &
pids="$pids $!"
wait_for test -e "$work/ready.world"
wait_for test -e "$work/ready.host"
: >"$work/dns.log" # the servers look up their own addresses

# A home of the program's own; nono is started as the ordinary user that this is, or as root.
mkdir "$work/home" "$work/dir"
export HOME="$work/home" NONO_NO_SAVE_PROMPT=1
unset XDG_RUNTIME_DIR XDG_STATE_HOME XDG_CONFIG_HOME XDG_CACHE_HOME NONO_PROFILE
for v in http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY RES_OPTIONS LOCALDOMAIN; do unset "$v"; done
for v in $(env | sed -n 's/^\([A-Z0-9_]*CA_BUNDLE\|SSL_CERT_[A-Z]*\|[A-Z_]*CA_CERTS\|GIT_SSL_CAINFO\|GRPC_[A-Z_]*\|NODE_[A-Z_]*\)=.*/\1/p'); do unset "$v"; done
cd "$work/dir" || exit 1
python=/usr/bin/python3 # the distribution's: others may lie where nothing is granted
as_user=
[ "$(id -u)" = 0 ] || as_user="setpriv --ambient-caps=-all --inh-caps=-all"
if [ -n "${NET_REFUSE:-}" ]; then
	echo 0 >/proc/sys/user/max_user_namespaces # of this test's user namespace
	[ "$(id -u)" = 0 ] && as_user="setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin"
fi
# the product itself, asking nobody
nono="$as_user $NONO run -s --no-diagnostics"
run="$nono --on-request deny --allow $work/dir"
# for programs that would take the broker's proxy otherwise
direct="env -u http_proxy -u https_proxy -u all_proxy -u HTTP_PROXY -u HTTPS_PROXY -u ALL_PROXY -u NODE_USE_ENV_PROXY"

# check NAME COMMAND...: the command succeeds
check() {
	name=$1; shift; count=$((count + 1))
	if "$@" >"$work/out" 2>&1; then echo "ok - $name"; else
		echo "not ok - $name (status $?)"; sed 's/^/    /' "$work/out" | head -20; failed=$((failed + 1))
	fi
}
# certificates NAMES: server.key and server.crt for a server of these ("DNS:name,..."), and roots.pem that signs them
certificates() (
	cd "$work" || exit
	ec="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
	openssl req -x509 $ec -days 2 -subj "/CN=test CA" -keyout ca.key -out roots.pem
	openssl req $ec -subj /CN=paths.test -keyout server.key -out server.csr
	printf 'subjectAltName=%s\n' "$1" >ext
	openssl x509 -req -in server.csr -CA roots.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out server.crt
) >"$work/openssl.log" 2>&1
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
