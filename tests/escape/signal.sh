#!/bin/bash
# No process of the tree outlives its broker or its session, and the tree cannot signal what is outside.
here=$(dirname "$(readlink -f "$0")")
. "$here/lib_run.sh"
cp "$probe" probe

# started DIR: wait until the tree has written its pids
started() {
	for _ in $(seq 100); do
		[ -s "$1" ] && return
		sleep 0.05
	done
	fail "the tree did not start ($1)"
}
# gone PID...: wait until none of them runs
gone() {
	for _ in $(seq 100); do
		local any=
		for p in "$@"; do
			[ -d "/proc/$p" ] && ! grep -q '^State:.Z' "/proc/$p/status" 2>/dev/null && any=$p
		done
		[ -z "$any" ] && return 0
		sleep 0.05
	done
	return 1
}
broker_of() {
	for p in /proc/[0-9]*; do
		[ "$(awk '{print $4}' "$p/stat" 2>/dev/null)" = "$1" ] && basename "$p"
	done
}
tree='echo $$ >>pids; (trap "" TERM HUP; echo $BASHPID >>pids; sleep 300 & echo $! >>pids; wait) &
	setsid sh -c "echo \$\$ >>pids; sleep 300 & echo \$! >>pids; wait" & sleep 0.3; echo go >started; wait'

for victim in broker guard; do
	rm -f pids started
	"$NONO" run -s --allow . --on-request deny --no-diagnostics -- bash -c "$tree" &
	guard=$!
	started started
	broker=$(broker_of $guard)
	[ -n "$broker" ] || fail "no broker"
	if [ $victim = broker ]; then kill -9 "$broker"; else kill -9 $guard; fi
	# shellcheck disable=SC2046
	gone $(cat pids) || fail "processes outlive a killed $victim: $(ps -o pid,args -p "$(paste -sd, pids)" | tail -n +2)"
	wait $guard 2>/dev/null
	gone "$broker" || fail "the broker outlives a killed $victim"
done

# what the program leaves running is ended, and said so
rm -f pids started
err=$("$NONO" run --allow . --no-diagnostics -- bash -c 'sleep 300 & echo $! >pids; (setsid sleep 301 & echo $! >>pids); (trap "" TERM; exec sleep 302) & echo $! >>pids; sleep 0.2; exit 4' 2>&1)
same "exit status with leftovers" 4 $?
# shellcheck disable=SC2046
gone $(cat pids) || fail "processes outlive the session"
case $err in *"3 processes that the program left running were ended"*) ;; *) fail "leftovers are not mentioned: $err" ;; esac

# a process outside cannot be signalled from inside (Landlock's signal scope)
sleep 300 &
outside=$!
same "signal to the outside" EPERM "$(sandboxed ./probe signal_outside $outside 9)"
same "signal to the broker" EPERM "$(sandboxed sh -c './probe signal_outside $PPID 9')"
same "the broker's own entry" refused "$(sandboxed sh -c 'cat /proc/$PPID/stat 2>/dev/null || echo refused')"
kill -0 $outside 2>/dev/null || fail "the process outside was killed"
kill $outside
finish
