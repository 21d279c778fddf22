#!/bin/bash
# Where no browser is known, the page is shown to the person: in the session's terminal and in `nono approve`.
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"
export NONO
unset DISPLAY WAYLAND_DISPLAY BROWSER WSL_DISTRO_NAME WSL_INTEROP DBUS_SESSION_BUS_ADDRESS
export SSH_CONNECTION="192.0.2.1 1 192.0.2.2 22" # the bus of this machine's desktop, if any, is left alone
tm() { tmux -S "$dir/tmux" -f /dev/null "$@"; }
trap 'tm kill-server 2>/dev/null; rm -rf "$dir"' EXIT
tm new-session -d -x 100 -y 50 "cd $dir/work && exec bash --norc --noprofile"
tm set-option -s set-clipboard on # as a terminal that copies what it is asked to
type_() { tm send-keys -t "$1" "${@:2}"; }
screen() { tm capture-pane -p -t "$1"; }
shows() { # pane, text
	for _ in $(seq 400); do
		screen "$1" | grep -qF -- "$2" && return 0
		sleep 0.05
	done
	fail "the screen never shows '$2': $(screen "$1" | grep -v '^$' | tail -12)"
	finish
}
# a key that counts: repeated, as those of the first moments do not
key() { # pane, key, what then shows
	for _ in $(seq 40); do
		type_ "$1" "$2"
		sleep 0.3
		screen "$1" | grep -qF -- "$3" && return 0
	done
	fail "key $2 never shows '$3': $(screen "$1" | grep -v '^$' | tail -12)"
	finish
}
url="https://claude.ai/login?state=$(printf 'x%.0s' $(seq 150))-end"
run="\$NONO run -s --profile claude-code --allow-cwd --no-diagnostics"
type_ 0 "clear; $run -- sh -c 'echo the-program; xdg-open \"$url\"; echo status-\$?'" Enter
shows 0 "a page to open"
shows 0 "xdg-open, started by sh, wants a page to be opened"
same "the URL in one piece" 1 "$(tm capture-pane -J -p -t 0 | grep -cFx "$url")"
screen 0 | grep -q the-program && fail "the program's screen shows as well"
key 0 c "asked to copy"
for _ in $(seq 100); do [ "$(tm show-buffer 2>/dev/null)" = "$url" ] && break; sleep 0.05; done
same "what was copied" "$url" "$(tm show-buffer 2>/dev/null)"

# the code on the screen is the one of the library, module by module
key 0 q "█"
screen 0 >picture
/usr/bin/python3 - "$url" <<'PY' || fail "the code shows something else"
import ctypes, sys
lib = ctypes.CDLL("libqrencode.so.4")
class Code(ctypes.Structure):
    _fields_ = [("version", ctypes.c_int), ("width", ctypes.c_int), ("data", ctypes.POINTER(ctypes.c_ubyte))]
lib.QRcode_encodeString8bit.restype = ctypes.POINTER(Code)
q = lib.QRcode_encodeString8bit(sys.argv[1].encode(), 0, 0).contents
want = [[q.data[r * q.width + c] & 1 for c in range(q.width)] for r in range(q.width)]
half = {" ": (0, 0), "▄": (0, 1), "▀": (1, 0), "█": (1, 1)}
lines = [l.rstrip("\n").ljust(q.width + 4) for l in open("picture")]
first = next(i for i, l in enumerate(lines) if "█" in l or "▄" in l or "▀" in l)
got = []
for l in lines[first:first + (q.width + 1) // 2]:
    cells = [half[c] for c in l[2:2 + q.width]]
    got += [[c[0] for c in cells], [c[1] for c in cells]]
sys.exit(got[:q.width] != want)
PY
key 0 Space "Enter done"
key 0 Enter "status-0"
shows 0 the-program

# n: the program hears that it cannot be opened, and may say so
type_ 0 "clear; $run -- xdg-open https://claude.ai/no; echo status-\$?" Enter
shows 0 "xdg-open, started by nono, wants a page to be opened"
key 0 n "status-4"
shows 0 "the sandbox to open it with"

# held for another terminal, where q is the code as well and leaves only the empty list
type_ 0 "clear; $run --on-request hold -- sh -c 'xdg-open https://claude.ai/held; echo status-\$?'" Enter
tm new-window -d "cd $dir/work && exec bash --norc --noprofile"
for _ in $(seq 200); do "$NONO" approve --list 2>/dev/null | grep -q held && break; sleep 0.05; done
case $("$NONO" approve --list) in
*'"kind":"page"'*) ;;
*) fail "the list does not say that it is a page: $("$NONO" approve --list)" ;;
esac
"$NONO" approve --next --answer session >/dev/null 2>&1 && fail "a page is answered for the session"
type_ 1 "$NONO approve" Enter
shows 1 "https://claude.ai/held"
key 1 q "any key back"
key 1 Space "Enter done"
key 1 Enter "the session ended"
shows 0 status-0

# nobody to show it to: the program gets the URL
out=$("$NONO" run -s --profile claude-code --allow-cwd --no-diagnostics --on-request deny -- xdg-open https://claude.ai/none 2>&1) &&
	fail "a page that nobody sees is opened"
case $out in *"open it yourself: https://claude.ai/none"*) ;; *) fail "the URL is not named: $out" ;; esac
finish
