#!/bin/bash
# Exit status and streams of a run are the program's; failures of nono have their own.
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"

# status WHAT EXPECTED CMD...
status() {
	local what=$1 want=$2
	shift 2
	sandboxed "$@" >out 2>err </dev/null
	same "$what" "$want" $?
}
for code in 0 1 2 3 42 125 126 127 128 129 200 255; do
	status "exit $code" $code sh -c "exit $code"
done
for sig in HUP QUIT KILL TERM USR1 SEGV ABRT INT; do
	status "killed by SIG$sig" $((128 + $(kill -l $sig))) sh -c "ulimit -c 0; kill -$sig \$\$"
done
status "not found" 127 no-such-program-here
status "not found by path" 127 ./no-such-file
touch plain
status "not a program" 126 ./plain
grep -q 'plain' err || fail "the program is not named: $(cat err)"
printf '#!/nonexistent/interpreter\n' >script
chmod +x script
status "a script without its interpreter" 127 ./script
status "a directory" 126 ./.

# a shell that runs nono in a loop stops at Ctrl-C only if nono dies of SIGINT as the program did
python3 - "$NONO" <<'P' || fail "nono does not die of SIGINT as the program did"
import subprocess, sys, signal
p = subprocess.run([sys.argv[1], "run", "-s", "--allow", ".", "--", "sh", "-c", "kill -INT $$"])
sys.exit(0 if p.returncode == -signal.SIGINT else 1)
P

# streams: what the program writes is all there is on standard output, standard input reaches it
same "standard output" "hello" "$(sandboxed echo hello 2>/dev/null)"
same "standard error of a silent run" "" "$(sandboxed true 2>&1)"
same "standard input" "typed" "$(echo typed | sandboxed cat)"
same "one line at the start" 1 "$("$NONO" run --allow . -- true 2>&1 | wc -l)"
same "arguments arrive as given" "-n|a b||*|\$x|" "$(sandboxed printf '%s|' -n 'a b' '' '*' '$x')"
same "argv[0] is what was typed" "sh" "$(sandboxed sh -c 'echo $0')"

# a closed reader ends the program as it does without nono
sandboxed sh -c 'yes; echo $? >yes' | head -1 >/dev/null
same "a broken pipe" 141 "$(cat yes)"

# many short pipelines: no status and no byte is lost
n=${NONO_TEST_LOOPS:-1000}
got=$(sandboxed dash -c "i=0; while [ \$i -lt $n ]; do echo a | cat | cat || exit 1; i=\$((i+1)); done" | wc -l)
same "$n pipelines" "$n" "$got"
finish
