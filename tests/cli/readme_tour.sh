#!/bin/bash
# What README.md says: every command of its tour is run, its profile loads, and each row of its table of what is enforced
# by what is shown by a command. A line of the tour that is not run here makes this fail.
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"
readme=$NONO_SOURCE/README.md
PATH=$dir/bin:$(dirname "$NONO"):/usr/local/bin:/usr/bin:/bin
export BROWSER=true
mkdir "$dir/bin" "$HOME/.ssh" "$HOME/shared-libs" project project/sub
echo "the key" >"$HOME/.ssh/id_ed25519"
cd project || exit 1
printf 'test:\n\t@echo made >made\n\t@echo tests passed\n' >Makefile
printf '#!/bin/sh\nwc -l <Makefile\n' >review.sh && chmod 0755 review.sh
# an agent that does what agents do
cat >"$dir/bin/claude" <<'SH'
#!/bin/sh
mkdir -p ~/.claude && echo state >~/.claude/state && echo written >by-agent && cat ~/.ssh/id_ed25519 2>/dev/null
echo "agent $* done"
SH
chmod 0755 "$dir/bin/claude"

# ---- the commands -----------------------------------------------------------------
declare -A ran
tour() { # LINE OF THE README, PATTERN OF THE OUTPUT, COMMAND...
	local line=$1 pattern=$2 out
	shift 2
	ran[$line]=1
	grep -qF -- "$line" "$readme" || fail "README has no line: $line"
	out=$("$@" 2>&1 </dev/null)
	grep -qE -- "$pattern" <<<"$out" || fail "$line: no line matches '$pattern': $out"
}
answer() { nono "$1" --allow-cwd "${@:2}"; } # what the person would be asked at the start
tour "nono doctor" 'Landlock' nono doctor
tour "nono run --profile claude-code -- claude" 'agent  done' answer run --profile claude-code -- claude
[ "$(cat by-agent)" = written ] || fail "the agent could not write here"
tour "nono run --allow . -- make test" '^tests passed$' nono run --allow . -- make test
tour "nono run --read . --block-net -- ./review.sh" '^3$' nono run --read . --block-net -- ./review.sh
tour "nono shell --allow ." '^inside$' sh -c 'echo "echo inside" | nono shell --allow .'
nono run --allow . --on-request deny -- cat "$HOME/.ssh/id_ed25519" /etc/shadow "$dir/err" >/dev/null 2>&1
touch "$dir/outside"
nono run --allow . --on-request deny -- sh -c "cat $dir/outside; cat $HOME/.ssh/id_ed25519; cat $HOME/shared-libs/x $dir/none; ls $HOME" >/dev/null 2>&1
tour "nono why " '^DENIED' nono why
tour "nono why 3" '^DENIED|it has 2' nono why 3
tour "nono why --path ~/.ssh/id_ed25519 --op read" '^DENIED' nono why --path ~/.ssh/id_ed25519 --op read
tour "nono run --profile claude-code -- claude auth login" 'agent auth login done' answer run --profile claude-code -- claude auth login
tour "nono approve" 'no session|nothing|no question|open questions|\[\]|^$' timeout 20 nono approve --list
while read -r line; do
	line=$(sed 's/ *#.*//' <<<"$line")
	[ -n "${ran[$line]:-}" ] || [ -n "${ran["$line "]:-}" ] || fail "this line of the README is run by nobody: $line"
done < <(sed -n '/^## In sixty seconds/,/^## What is/p' "$readme" | grep -E '^    nono ')

# answers: each letter that the README names is on the screen (the keys themselves: cli/ask_terminal, unit/approve_*)
for word in once session always no never; do
	printf '#!/bin/sh\ncat >/dev/null\necho %s\n' $word >"$dir/bin/answers" && chmod 0755 "$dir/bin/answers"
	got=$(nono run -s --allow . --approver answers -- sh -c "cat $dir/outside && echo got it" 2>/dev/null)
	case $word in no | never) same "an answer of $word" "" "$got" ;; *) same "an answer of $word" "got it" "$got" ;; esac
	rm -rf "$HOME/.config/nono/profiles"
done
same "no answer means no" "" "$(printf '#!/bin/sh\nsleep 300\n' >"$dir/bin/silent" && chmod 0755 "$dir/bin/silent"
	nono run -s --allow . --approver silent --approver-timeout 1 -- cat "$HOME/shared-libs" 2>/dev/null)"

# the profile, as it stands there
mkdir -p "$HOME/.config/nono/profiles"
sed -n '/"meta": { "name": "mine" }/,/} }/p' "$readme" >"$HOME/.config/nono/profiles/mine.json"
same "the README's profile" "Result: valid" "$(nono profile validate mine | tail -1)"
same "its read grant" ALLOWED "$(nono why --profile mine --path "$HOME/shared-libs/x" | head -1)"
same "its host" ALLOWED "$(nono why --profile mine --host registry.npmjs.org | head -1)"
same "another host" DENIED "$(nono why --profile mine --host example.org | head -1)"
for doc in $(grep -oE '\]\(docs/[a-z]+\.md\)' "$readme" | tr -d '])('); do [ -e "$NONO_SOURCE/$doc" ] || fail "README names $doc"; done
for room in $(sed -n 's/^    broker\/ *the nono program: //p' "$readme"); do [ -d "$NONO_SOURCE/broker/$room" ] || fail "README names the room $room"; done

# ---- what is enforced by what -------------------------------------------------------
rows=0
row() { # BEGINNING OF THE ROW
	grep -qF -- "| $1" "$readme" || fail "README's table has no row: $1"
	rows=$((rows + 1))
}
full() { nono run -s --allow . --on-request deny --no-diagnostics -- "$@" 2>/dev/null; }
kernel() { nono run -s --allow . --supervision off --no-diagnostics -- "$@" 2>/dev/null; }
cp /bin/true "$dir/tool"
row "reading, writing, creating, deleting, executing files"
for way in full kernel; do
	for command in "cat $dir/outside >&2 && echo" "echo x >$dir/outside; test -s $dir/outside && echo" "mkdir $dir/made && echo" \
		"rm -f $dir/outside && echo" "$dir/tool && echo"; do
		same "$way: $command" "" "$($way sh -c "$command done" | grep done)"
	done
	same "$way: inside" done "$($way sh -c 'echo x >f && cat f >/dev/null && mkdir d && rm -r d f && cp /bin/true t && ./t && rm t && echo done')"
done
row "moving files between directories"
same "moving" moved "$(kernel sh -c 'echo x >f && mkdir -p d1 && mv f d1/f && [ -e d1/f ] && rm -r d1 && echo moved')"
row "truncating files"
echo content >"$dir/outside"
full sh -c ": >$dir/outside; truncate -s 0 $dir/outside"
same "truncating" content "$(cat "$dir/outside")"
row "mode, owner, times, extended attributes"
chmod 0640 "$dir/outside"
full sh -c "chmod 0777 $dir/outside"
same "mode, with the broker" 640 "$(stat -c %a "$dir/outside")"
kernel sh -c "chmod 0600 $dir/outside"
same "mode, without: not enforced" 600 "$(stat -c %a "$dir/outside")"
row "deny inside allow"
home() { nono run -s --allow . --allow "$HOME" --on-request deny --no-diagnostics "$@" 2>/dev/null; }
same "deny inside allow" "" "$(home -- cat "$HOME/.ssh/id_ed25519")"
same "beside it" new "$(home -- sh -c "echo new >$HOME/later && cat $HOME/later")"
rm -f "$HOME/later"
same "beside it, without the broker" "" "$(home --supervision off -- sh -c "echo new >$HOME/later && cat $HOME/later")"
row "TCP connections, by name, address and port"
row "UDP and DNS"
cat >net.py <<'PY'
import socket, sys
server = socket.create_server(("127.0.0.1", 0)) if sys.argv[1] == "-" else None
port = server.getsockname()[1] if server else int(sys.argv[1])
def attempt(what, call):
    try: call(); print(what, "yes")
    except OSError as e: print(what, "no")
attempt("tcp", lambda: socket.create_connection(("127.0.0.1", port), 5))
attempt("name", lambda: socket.getaddrinfo("other.test", 80))
PY
/usr/bin/python3 -c '
import socket, time
s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1], flush=True)
u = socket.socket(socket.AF_UNIX); u.bind("'"$HOME"'/sock"); u.listen()
while True: s.accept()' >port &
server=$!
trap 'kill $server; rm -rf "$dir"' EXIT
wait_for test -s port
wait_for test -S "$HOME/sock"
port=$(cat port)
same "another host's rule" "tcp no name no" "$(nono run -s --allow . --allow-domain api.test --on-request deny --no-diagnostics -- /usr/bin/python3 net.py "$port" | paste -sd' ')"
same "its own rule" "tcp yes name no" "$(nono run -s --allow . --allow-domain "localhost:$port" --on-request deny --no-diagnostics -- /usr/bin/python3 net.py "$port" | paste -sd' ')"
same "blocked, without the broker" "tcp no name no" "$(nono run -s --allow . --block-net --supervision off --no-diagnostics -- /usr/bin/python3 net.py "$port" | paste -sd' ')"
row "Unix sockets, control sockets of the host"
connect='import socket; socket.socket(socket.AF_UNIX).connect("'$HOME'/sock"); print("connected")'
same "a socket" "" "$(full /usr/bin/python3 -c "$connect")"
same "a socket that is granted" connected "$(nono run -s --allow . --allow-unix-socket "$HOME/sock" --on-request deny -- /usr/bin/python3 -c "$connect")"
row "signals and abstract sockets outside the session"
if nono doctor | grep -q 'not judged by the kernel:.*signals'; then
	echo "this kernel does not scope signals: not tried"
else
	full sh -c "kill -TERM $server"
	kill -0 $server || fail "a signal left the session"
fi
row "raw sockets, io_uring, bpf, mounts, keyrings, terminal injection"
for call in "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)" "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)" \
	"fcntl.ioctl(0, 0x5412, b'x')" "call(libc.mount(b'none', b'/mnt', b'tmpfs', 0, None))" "call(libc.unshare(0x10000000))" \
	"call(libc.syscall(425, 8, ctypes.create_string_buffer(120)))" "call(libc.syscall(321 if os.uname().machine == 'x86_64' else 280, 0, None, 0))"; do
	for way in full kernel; do
		same "$way: $call" refused "$($way /usr/bin/python3 -c "
import ctypes, fcntl, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def call(rc):
    if rc < 0: raise OSError(ctypes.get_errno(), '')
try: $call; print('done')
except OSError: print('refused')")"
	done
done
row "memory, processes, processor"
if nono doctor | grep -q '^lack.*cgroup'; then
	nono run --allow . --memory 1G -- true 2>/dev/null && fail "a limit that cannot be set is taken"
else
	nono run -s --allow . --memory 1G -- true || fail "--memory"
fi
same "rows of the table" "$(sed -n '/^| what | by/,/^$/p' "$readme" | grep -c '^| [a-zA-Z]')" "$((rows + 1))"

# if the broker dies, everything it started dies
nono run -s --allow . -- sh -c 'echo $$ >pid; exec sleep 300' 2>/dev/null &
wait_for test -s pid
guard=$!
kill -KILL "$(ps -o ppid= -p "$(cat pid)" | tr -d ' ')"
wait $guard
gone() { ! kill -0 "$(cat pid)"; }
wait_for gone || fail "the program outlives the broker"
finish
