#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Names, connects and listeners hold on kernels whose Landlock knows no network (ABI 1 to 3) and no scopes (ABI 1 to 5).
. "$(dirname "$0")/../clients/lib_net.sh"

probe=$NONO_BUILD/tests/net_probe
for side in world host; do
	[ $side = world ] && in=$world || in=
	$in $python "$NONO_SOURCE/tests/escape/lib_net_listeners.py" "$work" $side &
	pids="$pids $!"
	wait_for test -e "$work/listening.$side"
done
loops=${NONO_TEST_LOOPS:-10000}
says() { expected=$1; shift; printed=$("$@" 2>&1 | tr '\n' ' '); echo "$printed"; [ "$printed" = "$expected " ]; }

for abi in 1 3 5; do
	old="$as_user env ASAN_OPTIONS=verify_asan_link_order=0 NONO_TEST_ABI=$abi LD_PRELOAD=$NONO_BUILD/tests/old_kernel.so $NONO"
	run="$old run -s --no-diagnostics --on-request deny --allow $work/dir"
	ip="$run --allow-domain 192.0.2.10 --allow-unix-socket $work/sockets/open.sock --"
	check "ABI $abi is what nono sees" prints "ABI $abi" $old doctor
	check "ABI $abi: an allowed address connects" says ok $ip $probe connect 192.0.2.10 80
	check "ABI $abi: another is refused" says EACCES $ip $probe connect 192.0.2.66 80
	check "ABI $abi: an address that changes during the call" \
		says "bad 0 good some" $ip $probe swap 192.0.2.10 192.0.2.66 82 "$((loops / 10))" process
	check "ABI $abi: after AF_UNSPEC the next address is judged again" \
		says "ok ok EACCES ok ENOTCONN" $ip $probe again 192.0.2.10 192.0.2.66 80
	check "ABI $abi: names" prints 'hello from' $run --allow-domain api.test -- $direct curl -s http://api.test/
	refuse "ABI $abi: other names" $run --allow-domain api.test -- $direct curl -s -m 5 http://other.test/
	refuse "ABI $abi: nothing with --block-net" $run --block-net -- curl -s -m 5 http://192.0.2.10/
	check "ABI $abi: a chosen port needs a rule" says EACCES $ip $probe listen 127.0.0.1 4567
	check "ABI $abi: one of the kernel's choice is the tree's" says "ok ok ok" $ip $probe listen 127.0.0.1 0
	check "ABI $abi: abstract names of the tree" says "ok ok ok" $ip $probe unix-bind @nono-test-own
	check "ABI $abi: not those of the host" says EPERM $ip $probe unix @nono-test-foreign
	check "ABI $abi: a Unix socket that is granted" says ok $ip $probe unix "$work/sockets/open.sock"
	check "ABI $abi: not another" says EACCES $ip $probe unix "$work/sockets/docker.sock"
done
check "nobody came to the wrong one" sh -c "! [ -e $work/wrong.log ] && ! [ -e $work/docker.log ] && ! [ -e $work/foreign.log ]"
finish
