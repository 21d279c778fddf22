#!/bin/bash
# Calls that wait for an answer: asked once whatever interrupts them, withdrawn with their caller, never answered by a program itself.
here=$(dirname "$(readlink -f "$0")")
. "$here/lib_run.sh"
cp "$probe" probe
mkdir "$dir/outside"
echo fine >"$dir/outside/f"
echo CANARY >"$dir/outside/secret"
cat >"$dir/approver" <<'EOF'
#!/bin/bash
cat >>"${0%/*}/asked"
echo >>"${0%/*}/asked"
sleep 0.5
echo session
EOF
chmod 0755 "$dir/approver"
asked() { grep -c '"id"' "$dir/asked" 2>/dev/null; }
run() { "$NONO" run -s --allow . --approver "$dir/approver" --no-diagnostics -- "$@" 2>&1; }

# signals with handlers arrive while the answer is awaited
cat >storm.py <<'EOF'
import os, signal, sys, threading
signal.signal(signal.SIGURG, lambda *a: None)
signal.siginterrupt(signal.SIGURG, False)
child = os.fork()
if child == 0:
    while os.getppid() != 1:
        try: os.kill(os.getppid(), signal.SIGURG)
        except OSError: break
    os._exit(0)
print(open(sys.argv[1]).read(), end="")
os.kill(child, signal.SIGKILL)
EOF
same "opened under a storm of signals" fine "$(run /usr/bin/python3 storm.py "$dir/outside/f")"
same "asked once" 1 "$(asked)"
rm -f "$dir/asked"
# a child that shares its parent's memory waits; nobody needs the parent for the answer
gcc -pthread -o opens "$NONO_SOURCE/tests/cli/shim_opens.c" || fail "cannot build"
same "vfork" 0 "$(run ./opens vfork "$dir/outside/f")"
same "many at once, one question" "8 1" "$(rm -f "$dir/asked"; run "$BASH" -c "for i in 1 2 3 4 5 6 7 8; do cat $dir/outside/f & done; wait" | grep -c fine) $(asked)"

# whoever is killed while it waits is not asked about any more, and holds nobody up
echo here >here
got=$("$NONO" run -s --allow . --on-request hold --no-diagnostics -- "$BASH" -c '
	for i in $(seq 30); do cat "$1" & pids="$pids $!"; done
	sleep 0.3; kill -9 $pids; wait; cat here; ls -d .' bash "$dir/outside/f" 2>&1 | grep -v Killed)
same "killed while waiting" "here
." "$got"

# a program cannot answer for the person: what it writes, and what a terminal answers to that, is no yes
cat >"$dir/terminal.py" <<'EOF'
import os, pty, re, select, signal, sys, time
nono, probe, secret = sys.argv[1:]
pid, tty = pty.fork()
if pid == 0:
    os.environ["TERM"] = "xterm-256color"
    os.environ["NONO_ASK"] = "terminal"
    os.execv(nono, [nono, "run", "-s", "--allow", ".", "--no-diagnostics", "--", "sh", "-c",
        f'(while :; do {probe} way_type >>typed; printf "\\033]0;y\\007\\033[21t\\033[5n\\033P$qy\\033\\\\"; sleep 0.1; done) & until [ -s typed ]; do sleep 0.05; done; cat {secret} >stolen; echo END; kill $!'])
seen, shown, end, answered = b"", None, time.time() + 60, False
while time.time() < end:
    if select.select([tty], [], [], 0.2)[0]:
        try: data = os.read(tty, 65536)
        except OSError: break
        if not data: break
        seen += data
        for query, answer in ((b"\033[6n", b"\033[1;1R"), (b"\033[c", b"\033[?62;22c"), (b"\033[21t", b"\033]ly\033\\"),
                              (b"\033[5n", b"\033[0n"), (b"\033P$qy", b"\033P1$ry\033\\")):
            for _ in range(data.count(query)):
                os.write(tty, answer)
    if shown is None and secret.encode()[-12:] in re.sub(rb"\033\[[0-9;?]*[A-Za-z]", b"", seen):
        shown = time.time()
    if shown and not answered and time.time() > shown + 1.5:
        os.write(tty, b"n")
        answered = True
try: os.kill(pid, signal.SIGKILL)
except OSError: pass
print("asked" if shown else "not asked", "ended" if b"END" in seen else "did not end")
EOF
got=$(/usr/bin/python3 "$dir/terminal.py" "$NONO" "$PWD/probe" "$dir/outside/secret")
same "a question at a terminal that a program writes to" "asked ended" "$got"
same "what a program may do with its terminal" tried "$(sort -u typed)"
[ -s stolen ] && fail "a program answered its own question"

# a file that is granted by itself, and replaced as editors do
echo old >"$dir/outside/single"
got=$("$NONO" run -s --allow . --allow-file "$dir/outside/single" --on-request deny --no-diagnostics -- sh -c '
	echo new >"$1.tmp" 2>/dev/null; echo new >made; cat "$1"; echo changed >"$1"; cat "$1"' sh "$dir/outside/single" 2>&1)
same "a single file" "old
changed" "$got"
(sleep 0.7; echo replaced >"$dir/outside/other"; mv "$dir/outside/other" "$dir/outside/single") &
got=$("$NONO" run -s --allow . --allow-file "$dir/outside/single" --on-request deny --no-diagnostics -- sh -c '
	for i in $(seq 100); do [ "$(cat "$1")" = replaced ] && break; sleep 0.1; done; cat "$1"; echo again >"$1"' sh "$dir/outside/single" 2>&1)
wait
same "a single file that was replaced" replaced "$got"
same "written behind its replacement" again "$(cat "$dir/outside/single")"

# pipelines of a shell that starts many
same "pipelines" 200 "$(sandboxed dash -c 'i=0; while [ $i -lt 200 ]; do echo x | cat | tr x y | cat; i=$((i + 1)); done' | grep -c y)"
# in a process namespace of its own
if unshare -pf --mount-proc true 2>/dev/null; then
	same "in a process namespace" fine "$(unshare -pf --mount-proc "$NONO" run -s --allow . --approver "$dir/approver" --no-diagnostics -- \
		sh -c 'cat "$1" && cat /proc/self/status >/dev/null && cat /proc/$$/stat >/dev/null' sh "$dir/outside/f" 2>&1)"
fi
finish
