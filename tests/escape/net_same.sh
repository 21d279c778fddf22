#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What socket calls answer with the broker in between is what the kernel answers alone, call by call.
. "$(dirname "$0")/../clients/lib_net.sh"

probe=$NONO_BUILD/tests/net_probe
$world $python "$NONO_SOURCE/tests/escape/lib_net_listeners.py" "$work" world &
pids="$pids $!"
wait_for test -e "$work/listening.world"
ip route add unreachable 203.0.113.0/25
ip route add prohibit 203.0.113.128/26
ip route add blackhole 203.0.113.192/26
echo 1 >/proc/sys/net/ipv4/tcp_syn_retries # what is not answered gives up after a few seconds

allow="--open-port 4999 --allow-domain 192.0.2.0/24 --allow-domain 203.0.113.0/24 --allow-domain 2001:db8::/64"
same() {
	$as_user $probe same "$@" <"$work/hosts" >"$work/alone" 2>&1 &&
		$run $allow -- $probe same "$@" <"$work/hosts" >"$work/inside" 2>&1 &&
		test "$(wc -l <"$work/alone")" -gt 10 && diff "$work/alone" "$work/inside"
}
check "blocking connects" same blocking
check "non-blocking connects" same nonblocking
check "states of a socket" same states
check "Unix sockets" same "$work/dir"
finish
