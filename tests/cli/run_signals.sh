#!/bin/bash
# A signal for the session reaches the program exactly once, whoever of guard, broker and program it was sent to,
# and however late guard and broker are scheduled: they are stopped by hand while it is under way.
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"
cp "$probe" probe

# session: a run in a process group of its own; sets guard and broker
session() {
	rm -f log
	setsid "$NONO" run -s --allow . --on-request deny --no-diagnostics -- ./probe signals >log &
	guard=$!
	wait_for grep -q ready log || fail "the program did not start"
	broker=$(ps -o pid= --ppid $guard | head -1)
	broker=${broker// /}
}
# over WANTED...: what arrived until SIGUSR2, which is sent to the guard last and so arrives last
over() {
	for s in "$@"; do
		wait_for grep -q "$s" log || fail "$what: $s never arrives"
	done
	kill -USR2 $guard
	wait $guard
	same "$what: status" 7 $?
	same "$what" "ready $* over" "$(paste -sd' ' log)"
}
stopped() {
	kill -STOP "$1"
	wait_for grep -q '^State:.T' "/proc/$1/status" || fail "$1 does not stop"
}

for _ in $(seq "${NONO_TEST_ROUNDS:-1}"); do
	for sig in TERM HUP USR1 WINCH INT; do
		session; what="SIG$sig to the guard"
		kill -$sig $guard
		over $sig

		session; what="SIG$sig to the broker"
		kill -$sig "$broker"
		over $sig

		session; what="SIG$sig to the process group"
		kill -$sig -- -$guard
		over $sig

		session; what="SIG$sig by name"
		pkill -$sig -s $guard nono
		over $sig

		session; what="SIG$sig to the process group while the guard does not run"
		stopped $guard
		kill -$sig -- -$guard
		wait_for grep -q $sig log
		sleep 0.1 # more than the broker's window
		kill -CONT $guard
		over $sig CONT

		session; what="SIG$sig to the process group while the broker does not run"
		stopped "$broker"
		kill -$sig -- -$guard
		wait_for grep -q $sig log
		sleep 0.1
		kill -CONT "$broker"
		over $sig CONT

		session; what="SIG$sig to the guard while the broker does not run"
		stopped "$broker"
		kill -$sig $guard
		sleep 0.1
		kill -CONT "$broker"
		wait_for grep -q $sig log || fail "$what: never arrives"
		wait_for grep -q CONT log || fail "$what: SIGCONT never arrives"
		kill -USR2 $guard
		wait $guard
		same "$what" "$sig CONT" "$(grep -v 'ready\|over' log | sort -r | paste -sd' ')"
	done
done

# the job stops by the signal that stopped the program, and goes on with it
# (in a process group of its own below this one: in an orphaned group nothing stops but by SIGSTOP)
python3 - "$NONO" <<'P' || fail "a stopped job does not tell the signal that stopped the program"
import os, signal, sys
for name in ("SIGTSTP", "SIGSTOP", "SIGTTIN", "SIGTTOU"):
    sig = getattr(signal, name)
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        os.execv(sys.argv[1], [sys.argv[1], "run", "-s", "--allow", ".", "--", "sh", "-c", f"kill -{name[3:]} $$"])
    _, status = os.waitpid(pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status) and os.WSTOPSIG(status) == sig, (name, status)
    os.kill(pid, signal.SIGCONT)
    _, status = os.waitpid(pid, 0)
    assert os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0, (name, status)
P
finish
