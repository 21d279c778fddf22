#!/bin/bash
# Resource limits by control groups, version 2, as root and as a user with a group of its own. A machine whose controllers
# belong to version 1, or a user to whom nothing is delegated, gets the refusal that says so instead.
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"

# what is never taken, delegated or not
for bad in 5X 0 -1 1.5G 100K 512 G; do
	err=$("$NONO" run -s --allow . --memory $bad -- touch ran 2>&1)
	same "--memory $bad: status" 1 $?
	case $err in *limits.memory*) ;; *) fail "--memory $bad: $err" ;; esac
done
for bad in 0 -1 x; do
	"$NONO" run -s --allow . --pids $bad -- touch ran 2>/dev/null && fail "--pids $bad is taken"
	"$NONO" run -s --allow . --cpu $bad -- touch ran 2>/dev/null && fail "--cpu $bad is taken"
done
[ -e ran ] && fail "a bad limit does not keep the program from running"

root=$(awk '$3 == "cgroup2" {print $2; exit}' /proc/self/mounts)
have=" $(cat "$root/cgroup.controllers" 2>/dev/null) "
group=
case $have in *" memory "*) [ "$(id -u)" = 0 ] && group=$root/nono-test-$$ ;; esac
if [ -z "$group" ] || ! echo "+memory +pids +cpu" >"$root/cgroup.subtree_control" || ! mkdir "$group" 2>/dev/null; then
	for flag in "--memory 100M" "--pids 50" "--cpu 50%"; do
		# shellcheck disable=SC2086
		err=$("$NONO" run -s --allow . $flag -- touch ran 2>&1)
		case $?$err in
		0) ;; # delegated to us all the same
		1*"cgroup"* | 1*"control group"*) ;;
		*) fail "$flag: $err" ;;
		esac
	done
	# doctor says the same
	"$NONO" run -s --allow . --memory 100M --pids 50 --cpu 50% -- true 2>/dev/null && want=ok || want=lack
	"$NONO" doctor | grep -q "^$want *cgroup delegation" || fail "doctor says something else about limits than the run"
	[ -e ran ] && [ -n "$err" ] && fail "the program ran without its limit"
	finish
fi
clean() {
	for p in $(cat "$group"/*/cgroup.procs "$group/cgroup.procs" 2>/dev/null); do kill -9 "$p"; done
	for _ in $(seq 50); do rmdir "$group"/*/* "$group"/* "$group" 2>/dev/null; [ -d "$group" ] || break; sleep 0.1; done
	rm -rf "$dir"
}
trap clean EXIT
echo "+memory +pids +cpu" >"$group/cgroup.subtree_control"

# limited AS FLAGS... -- CMD...: in a group of its own below the delegated one, as root or as the user
limited() {
	local as=$1
	shift
	mkdir -p "$group/session"
	[ "$as" = root ] || chown -R "$as" "$group" "$dir"
	# (fork: the shell of the test itself must stay where it is)
	(
		echo "$BASHPID" >"$group/session/cgroup.procs"
		if [ "$as" = root ]; then exec "$NONO" run --allow . --no-diagnostics "$@"; fi
		exec setpriv --reuid="${as%:*}" --regid="${as#*:}" --clear-groups --inh-caps=-all \
			env USER=games LOGNAME=games "$NONO" run --allow . --no-diagnostics "$@"
	)
}
mkdir "$group/session"
same "doctor about limits" 1 "$( (echo $BASHPID >"$group/session/cgroup.procs"; exec "$NONO" doctor) | grep -c "^ok *cgroup delegation")"
eat='data = []
while True: data.append(bytearray(b"x" * (1 << 20)))'
for as in root 5:60; do
	out=$(limited $as --memory 64M -- python3 -c "$eat" 2>&1)
	same "$as: status past the memory limit" 137 $?
	case $out in *"memory limit of 64 MiB was reached"*) ;; *) fail "$as: no report: $out" ;; esac
	same "$as: within the memory limit" "fits" "$(limited $as -s --memory 256M -- python3 -c 'x = b"x" * (64 << 20); print("fits")' 2>&1)"
	same "$as: a child past the limit ends the whole session" 137 "$(limited $as -s --memory 64M -- sh -c "python3 -c '$eat'; echo survived" >out 2>&1; echo $?)"
	grep -q survived out && fail "$as: the rest of the session outlives the limit"
	out=$(limited $as -s --pids 20 -- bash -c 'for i in $(seq 40); do sleep 100 & done 2>&1; jobs -p | wc -l' 2>&1)
	case $out in *"Resource temporarily unavailable"*) ;; *) fail "$as: more processes than --pids: $out" ;; esac
	spin='import time
end, used = time.monotonic() + 2, time.process_time()
while time.monotonic() < end: pass
print(int(50 * (time.process_time() - used)))'
	share=$(limited $as -s --cpu 20% -- python3 -c "$spin")
	[ "$share" -le 40 ] || fail "$as: --cpu 20% lets it have $share%"
	gone() { ! ls -d "$group"/nono-* "$group"/session/nono-* 2>/dev/null; }
	wait_for gone >/dev/null || fail "$as: control groups are left: $(ls -d "$group"/nono-*)"
	# the tree cannot lift its limit
	limited $as -s --memory 64M -- sh -c "for f in $group/nono-*/memory.max $group/nono-*/cgroup.procs; do echo max >\$f; done" 2>/dev/null &&
		fail "$as: the limit can be lifted from inside"
done
chown -R 0:0 "$dir"
err=$("$NONO" run -s --allow . --allow "$root" --memory 64M -- true 2>&1)
same "a grant that reaches the control groups: status" 1 $?
case $err in *"control group"*) ;; *) fail "a grant that reaches the control groups: $err" ;; esac
finish
