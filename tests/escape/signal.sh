#!/bin/bash
# No process of the tree outlives its broker or its session, and the tree cannot signal what is outside.
here=$(dirname "$(readlink -f "$0")")
. "$here/lib_run.sh"
cp "$probe" probe

# gone PID...: wait until none of them runs
gone() {
	wait_for none_of "$@"
}
none_of() {
	for p in "$@"; do
		grep -qs '^State:.[^ZX]' "/proc/$p/status" && return 1
	done
	return 0
}
tree='echo $$ >>pids; (trap "" TERM HUP; echo $BASHPID >>pids; sleep 300 & echo $! >>pids; wait) &
	setsid sh -c "echo \$\$ >>pids; sleep 300 & echo \$! >>pids; wait" &
	until [ "$(wc -l <pids)" -ge 5 ]; do sleep 0.02; done; echo go >started; wait'

for victim in broker guard; do
	rm -f pids started
	"$NONO" run -s --allow . --on-request deny --no-diagnostics -- bash -c "$tree" &
	guard=$!
	wait_for test -s started || fail "the tree did not start"
	broker=$(ps -o pid= --ppid $guard | head -1)
	broker=${broker// /}
	[ -n "$broker" ] || fail "no broker"
	if [ $victim = broker ]; then kill -9 "$broker"; else kill -9 $guard; fi
	# shellcheck disable=SC2046
	gone $(cat pids) || fail "processes outlive a killed $victim: $(ps -o pid,args -p "$(paste -sd, pids)" | tail -n +2)"
	wait $guard 2>/dev/null
	gone "$broker" || fail "the broker outlives a killed $victim"
done

# what the program leaves running is ended, and said so: three processes that are what they will stay
rm -f pids
err=$("$NONO" run --allow . --no-diagnostics -- bash -c 'sleep 300 & echo $! >pids
	(setsid sh -c "echo \$\$ >>pids; exec sleep 301" &)
	(trap "" TERM; exec sleep 302) & echo $! >>pids
	for p in 1 2 3; do
		until pid=$(sed -n ${p}p pids) && [ -n "$pid" ] && [ "$(cat /proc/$pid/comm)" = sleep ]; do sleep 0.02; done
	done
	exit 4' 2>&1)
same "exit status with leftovers" 4 $?
# shellcheck disable=SC2046
gone $(cat pids) || fail "processes outlive the session"
case $err in *"3 processes that the program left running were ended"*) ;; *) fail "leftovers are not mentioned: $err" ;; esac

# a process outside cannot be signalled from inside where Landlock scopes signals (Linux 6.12)
sleep 300 &
outside=$!
if "$NONO" doctor | grep -q "not judged by the kernel:.*signals"; then
	echo "this kernel does not scope signals: not tried"
else
	same "signal to the outside" EPERM "$(sandboxed ./probe signal_outside $outside 9)"
	same "signal to the broker" EPERM "$(sandboxed sh -c './probe signal_outside $PPID 9')"
	kill -0 $outside 2>/dev/null || fail "the process outside was killed"
fi
same "the broker's own entry" refused "$(sandboxed sh -c 'cat /proc/$PPID/stat 2>/dev/null || echo refused')"
kill $outside
finish
