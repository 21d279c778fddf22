#!/bin/bash
# Guard, broker or both killed with SIGKILL: nothing of the tree is left, whatever sessions and parents its processes gave themselves.
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"

# a child that ignores signals, a session of its own, a double fork whose parents are gone, a stopped process
tree='echo $$ >>pids
(trap "" TERM HUP INT; echo $BASHPID >>pids; sleep 300 & echo $! >>pids; wait) &
setsid sh -c "echo \$\$ >>pids; sleep 300 & echo \$! >>pids; wait" &
( (setsid sleep 300 & echo $! >>pids) & )
sleep 300 & echo $! >>pids; kill -STOP $!
until [ "$(wc -l <pids)" -ge 7 ]; do sleep 0.02; done
echo go >started
wait'

# alive PID...: those that run
alive() {
	for p in "$@"; do
		grep -qs '^State:.[^ZX]' "/proc/$p/status" && echo "$p"
	done
}
# once VICTIM...: start a tree, kill these at once, wait for the rest
once() {
	rm -f pids started
	"$NONO" run -s --allow . --on-request deny --no-diagnostics -- bash -c "$tree" 2>/dev/null &
	guard=$!
	for _ in $(seq 400); do [ -s started ] && break; sleep 0.05; done
	[ -s started ] || fail "the tree did not start"
	broker=$(ps -o pid= --ppid $guard | head -1)
	broker=${broker// /}
	local victims=()
	for v in "$@"; do victims+=("${!v}"); done
	kill -9 "${victims[@]}"
	wait $guard 2>/dev/null
	mapfile -t members < <(cat pids; echo "$broker")
	for _ in $(seq 400); do
		[ -z "$(alive "${members[@]}")" ] && return
		sleep 0.025
	done
	fail "$* killed, but there still runs: $(ps -o pid,ppid,args -p "$(alive "${members[@]}" | paste -sd,)")"
	kill -9 $(alive "${members[@]}")
}
for _ in 1 2 3 4 5; do
	once guard
	once broker
	once guard broker
	once broker guard
done
finish
