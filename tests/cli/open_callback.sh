#!/bin/bash
# A login's answer comes to the program that opened the page, and to nobody else in the session while it waits.
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"
export BROWSER=$dir/recorder
printf '#!/bin/sh\nprintf "%%s\\n" "$*" >>%s\n' "$dir/opened" >"$BROWSER"
chmod +x "$BROWSER"
: >"$dir/opened"
cat >session.py <<'PY'
import os, socket, subprocess, sys, threading, time, errno

def listener(address="127.0.0.1", port=0, family=socket.AF_INET, reuse=False, now=True):
    s = socket.socket(family)
    if reuse:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    s.bind((address, port))
    if now:
        s.listen()
    return s, s.getsockname()[1]

def page(port, state):
    return f"https://claude.ai/login?redirect_uri=http%3A%2F%2Flocalhost%3A{port}%2Fcb&state={state}"

def open_page(port, state, command=("xdg-open",), **how):
    return subprocess.run([*command, page(port, state)], stderr=subprocess.PIPE, text=True, **how)

def listens(**how):
    try:
        s, _ = listener(**how)
        s.close()
        return "listens"
    except OSError as e:
        return errno.errorcode[e.errno]

# in a process of its own, which is not above or below the caller's
def beside(fn, *args, **how):
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(w, str(fn(*args, **how)).encode())
        os._exit(0)
    os.close(w)
    os.waitpid(pid, 0)
    return os.fdopen(r).read()

mode = sys.argv[1]
if mode == "own":
    s, port = listener()
    print(open_page(port, "own").returncode)
elif mode == "own-by-shell":
    s, port = listener()
    print(open_page(port, "shell", ("sh", "-c", 'xdg-open "$1"; true', "sh")).returncode)
elif mode == "own-in-a-session-of-its-own":
    s, port = listener()
    print(open_page(port, "setsid", start_new_session=True).returncode)
elif mode == "detached":  # as Rust's open::that_detached: the opener's parent is gone
    s, port = listener()
    pid = os.fork()
    if pid == 0:
        if os.fork() == 0:
            os.setsid()
            time.sleep(0.2)
            os.execvp("xdg-open", ["xdg-open", page(port, "detached")])
        os._exit(0)
    os.waitpid(pid, 0)
    time.sleep(2)
elif mode == "child-listens":
    child = subprocess.Popen([sys.executable, __file__, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    print(open_page(int(child.stdout.readline()), "child").returncode)
    child.stdin.close()
elif mode == "serve":
    s, port = listener()
    print(port, flush=True)
    sys.stdin.read()
elif mode == "other":  # somebody else's child listens where this one's page sends its answer
    thief = subprocess.Popen(["sh", "-c", f"{sys.executable} {__file__} serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    port = thief.stdout.readline().strip()
    victim = subprocess.run(["sh", "-c", f"{sys.executable} {__file__} victim {port}; true"], capture_output=True, text=True)
    print(victim.stdout, victim.stderr)
    thief.stdin.close()
elif mode == "victim":  # does not listen itself, though it believes that it does
    r = open_page(int(sys.argv[2]), "victim")
    print(r.returncode, r.stderr)
elif mode == "both":  # the victim listens as well, on another address of the same port, and shares it
    thief = subprocess.Popen(["sh", "-c", f"{sys.executable} {__file__} serve; true"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    port = thief.stdout.readline().strip()
    victim = subprocess.run(["sh", "-c", f"{sys.executable} {__file__} victim6 {port}; true"], capture_output=True, text=True)
    print(victim.stdout, victim.stderr)
    thief.stdin.close()
elif mode == "victim6":
    s, port = listener("::1", int(sys.argv[2]), socket.AF_INET6)
    r = open_page(port, "both")
    print(r.returncode, r.stderr)
elif mode == "kept":  # while the answer is awaited, nobody else listens there, however
    login = subprocess.Popen(["sh", "-c", f"{sys.executable} {__file__} awaits; true"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    port = int(login.stdout.readline())
    def attack(**how):
        return listens(port=port, **how)
    # a page of one's own that sends its answer there frees nothing
    print("asked", beside(lambda: open_page(port, "thief", ("sh", "-c", 'xdg-open "$1"; exit $?', "sh")).returncode))
    print("::1", beside(attack, address="::1", family=socket.AF_INET6))
    print("::", beside(attack, address="::", family=socket.AF_INET6))
    print("127.0.0.2", beside(attack, address="127.0.0.2"))
    print("shared", beside(attack, reuse=True))
    print("elsewhere", beside(listens))
    login.stdin.write("end\n"); login.stdin.flush()
    login.stdout.readline()
    print("afterwards", beside(attack, address="::1", family=socket.AF_INET6))
    login.stdin.close()
elif mode == "awaits":
    s, port = listener(reuse=True)
    if open_page(port, "awaits").returncode == 0:
        # itself and what it starts may listen on other addresses of it
        t, _ = listener("::1", port, socket.AF_INET6)
        t.close()
        print(port, flush=True)
    sys.stdin.readline()
    s.close()
    print("closed", flush=True)
    sys.stdin.readline()
elif mode == "race":  # the thief begins to listen in the very moment in which the page is asked for
    pairs = []
    for i in range(9):  # as many pages as may be asked for in ten seconds
        to_thief, to_login = os.pipe(), os.pipe()
        login = os.fork()
        if login == 0:
            s, port = listener()
            os.write(to_thief[1], str(port).encode())
            os.read(to_login[0], 1)
            opened = open_page(port, f"race{sys.argv[2]}x{i}", ("sh", "-c", 'xdg-open "$1"; exit $?', "sh")).returncode == 0
            time.sleep(4)
            os._exit(opened)
        thief = os.fork()
        if thief == 0:
            t, _ = listener("::1", int(os.read(to_thief[0], 9)), socket.AF_INET6, now=False)
            os.write(to_login[1], b"x")
            time.sleep(0.02 * (int(sys.argv[2]) * 9 + i))
            try:
                t.listen()
            except OSError:
                os._exit(0)
            time.sleep(4)  # longer than the broker waits for the right one
            os._exit(t.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
        pairs.append((login, thief))
        time.sleep(0.03)
    for pair in pairs:
        opened, listens_now = (os.waitstatus_to_exitcode(os.waitpid(p, 0)[1]) for p in pair)
        print(("opened" if opened else "refused") + (" and heard" if listens_now else ""))
PY
agent() {
	"$NONO" run -s --profile claude-code --allow-cwd --on-request deny --no-diagnostics -- /usr/bin/python3 session.py "$@" 2>&1
}
for mode in own own-by-shell own-in-a-session-of-its-own child-listens; do
	same "$mode" 0 "$(agent $mode)"
done
agent detached
same "logins that open" "own shell setsid child detached " "$(grep -oE 'state=[a-z]+' "$dir/opened" | cut -d= -f2 | tr '\n' ' ')"

: >"$dir/opened"
for mode in other both; do
	out=$(agent $mode)
	case $out in
	*"another program of this session listens than the one that opens it"*) ;;
	*) fail "$mode: $out" ;;
	esac
done
same "logins whose answer another would get" "" "$(cat "$dir/opened")"

same "while an answer is awaited" "asked 4
::1 EADDRINUSE
:: EADDRINUSE
127.0.0.2 EADDRINUSE
shared EADDRINUSE
elsewhere listens
afterwards listens" "$(agent kept)"

# whoever came first: a page is opened, or somebody else listens there, never both
for i in 0 1 2 3; do agent race $i >"race$i" & done
wait
same "races" 36 "$(cat race? | grep -cE '^(opened|refused and heard)$')"
for way in opened "refused and heard"; do
	grep -qx "$way" race? || fail "no race ended with: $way"
done
finish
