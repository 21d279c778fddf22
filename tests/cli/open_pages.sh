#!/bin/bash
# Pages open outside the sandbox, once, in the host's BROWSER; nothing else does.
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"
export BROWSER=$dir/recorder
printf '#!/bin/sh\nprintf "%%s\\n" "$*" >>%s\n' "$dir/opened" >"$BROWSER"
chmod +x "$BROWSER"
: >"$dir/opened"
agent() {
	"$NONO" run -s --profile claude-code --allow-cwd --on-request deny --no-diagnostics "$@"
}
opened() { cat "$dir/opened"; }

agent -- xdg-open https://claude.ai/x || fail "an allowed page: status $?"
same "an allowed page" "https://claude.ai/x" "$(cat "$dir/opened")"
: >"$dir/opened"
agent -- sh -c '$BROWSER https://claude.com/cai && xdg-open https://claude.com/cai' || fail "BROWSER: status $?"
same "the same page twice" "https://claude.com/cai" "$(cat "$dir/opened")"
: >"$dir/opened"
agent -- xdg-open http://localhost:3000/ || fail "localhost: status $?"
same "localhost" "http://localhost:3000/" "$(cat "$dir/opened")"

: >"$dir/opened"
long=$(printf 'https://claude.ai/%09000d' 0)
for url in file:///etc/passwd javascript:alert http://claude.ai/ https://claude.ai@evil.test https://claude.ai.evil.test \
	https://evil.test "$long" --new-window -x $'https://claude.ai/\n' 'https://claude.ai\@evil.test' /etc/passwd; do
	agent -- sh -c 'xdg-open "$1"' sh "$url" >/dev/null 2>err && fail "${url:0:60} is accepted"
	[ -s err ] || fail "${url:0:60}: nothing is said"
done
same "bad URLs" "" "$(cat "$dir/opened")"
err=$(agent -- xdg-open "$long" 2>&1)
case $err in *"longer than 8192 bytes"*) ;; *) fail "the limit is not named: $err" ;; esac
err=$(agent -- sh -c 'xdg-open https://evil.test/' 2>&1)
case $err in *allow_origins*https://evil.test*) ;; *) fail "the line to add is not named: $err" ;; esac

# a failing opener is no opening: the same page may be tried again, with another opener
printf '#!/bin/sh\n[ -e %s/broken ] && exit 3\nprintf "%%s\\n" "$*" >>%s/opened\n' "$dir" "$dir" >"$BROWSER"
: >"$dir/broken"
agent --read "$dir" -- sh -c 'xdg-open "https://claude.ai/y?state=1" 2>/dev/null && echo unreported; touch go
	while [ -e '"$dir"'/broken ]; do sleep 0.05; done; xdg-open "https://claude.ai/y?state=1"' >out 2>&1 &
for _ in $(seq 400); do [ -e go ] && break; sleep 0.05; done
rm -f "$dir/broken"
wait $! || fail "the second try: $(cat out)"
same "a page whose opener failed before" "https://claude.ai/y?state=1" "$(opened)"
same "what was said" "" "$(cat out)"

# a login sends its answer to a port: a program of this session has to listen there
listen='import socket, subprocess, sys, time
s = socket.socket(); s.bind((sys.argv[1], int(sys.argv[2])))
if sys.argv[3] == "now": s.listen()
p = subprocess.Popen(sys.argv[4:])
if sys.argv[3] == "later": time.sleep(0.3); s.listen()
if sys.argv[3] == "outside":
    s.listen(); print(s.getsockname()[1], flush=True); sys.stdin.read()
sys.exit(p.wait())'
login() { echo "https://claude.ai/login?redirect_uri=http%3A%2F%2Flocalhost%3A$1%2Fcb&state=$2"; }
coproc outside { /usr/bin/python3 -c "$listen" 127.0.0.1 0 outside true; }
read -r port <&"${outside[0]}"
: >"$dir/opened"
err=$(agent -- xdg-open "$(login "$port" a)" 2>&1) && fail "a login whose answer another program would get opens"
case $err in *"port $port"*) ;; *) fail "the port is not named: $err" ;; esac
agent -- /usr/bin/python3 -c "$listen" 127.0.0.2 "$port" now xdg-open "$(login "$port" b)" 2>/dev/null &&
	fail "a port that another program listens on, too"
eval "exec ${outside[1]}>&-"
wait "$outside_PID"
agent -- xdg-open "$(login "$port" c)" 2>/dev/null && fail "a login whose answer nobody gets opens"
same "logins that lead elsewhere" "" "$(opened)"
for when in now later; do
	agent -- /usr/bin/python3 -c "$listen" 127.0.0.1 "$port" $when xdg-open "$(login "$port" $when)" ||
		fail "a program that listens $when cannot log in"
done
same "logins" "$(login "$port" now; login "$port" later)" "$(opened)"

# a login opens once, however late the program asks again; what is no login opens again
: >"$dir/opened"
agent -- sh -c 'xdg-open "https://claude.ai/once?state=1"; xdg-open https://claude.ai/again; sleep 11
	xdg-open "https://claude.ai/once?state=1"; xdg-open https://claude.ai/again' || fail "again: status $?"
same "again" "https://claude.ai/once?state=1
https://claude.ai/again
https://claude.ai/again" "$(opened)"

# a profile's open_urls takes the place of the one it extends: the documented one for another identity provider, an empty
# one, one with conditions, wildcard and port; absent and null inherit
mkdir -p "$HOME/.config/nono/profiles"
cp "$NONO_SOURCE/tests/data/profiles/claude-code-custom-auth.json" "$HOME/.config/nono/profiles/"
profile() { echo "{ \"meta\": { \"name\": \"$1\" }, \"extends\": \"claude-code\"$2 }" >"$HOME/.config/nono/profiles/$1.json"; }
profile inherits ''
profile null ', "open_urls": null'
profile empty ', "open_urls": {}'
profile conditions ', "open_urls": { "allow_origins": [ { "origin": "https://linux.example.com", "when": "linux" },
	{ "origin": "https://mac.example.com", "when": "macos" }, "https://*.wild.example.com", "https://port.example.com:8443" ] }'
# what PROFILE opens of everything
opens() {
	: >"$dir/opened"
	"$NONO" run -s --profile "$1" --allow-cwd --on-request deny --no-diagnostics -- sh -c 'for u; do xdg-open "$u"; done' sh \
		https://claude.ai/ https://claude.com/ https://sso.example.com/ http://localhost:3000/ https://linux.example.com/ \
		https://mac.example.com/ https://a.wild.example.com/ https://wild.example.com/ 2>err
	"$NONO" run -s --profile "$1" --allow-cwd --on-request deny --no-diagnostics -- sh -c 'for u; do xdg-open "$u"; done' sh \
		https://port.example.com:8443/ https://port.example.com/ https://a.b.wild.example.com/ https://xwild.example.com/ 2>>err
	sed -E 's,https?://([^/]*)/,\1,' "$dir/opened" | tr '\n' ' '
}
same "inherited pages" "claude.ai claude.com localhost:3000 " "$(opens inherits)"
same "pages of the documented profile" "claude.ai sso.example.com localhost:3000 " "$(opens claude-code-custom-auth)"
same "null inherits" "claude.ai claude.com localhost:3000 " "$(opens null)"
same "no pages: empty" "" "$(opens empty)"
same "pages with conditions" "linux.example.com a.wild.example.com port.example.com:8443 a.b.wild.example.com " "$(opens conditions)"

# the opener is the host's: its environment and directory, no terminal
printf '#!/bin/sh\n{ env; pwd; readlink /proc/self/fd/0; } >%s/host\n' "$dir" >"$BROWSER"
FROM_HOST=yes agent -- sh -c 'FROM_TREE=yes xdg-open https://claude.ai/host'
grep -qx FROM_HOST=yes "$dir/host" || fail "the opener lacks the host's environment"
grep -q "FROM_TREE\|LD_PRELOAD\|NONO_SOCKET" "$dir/host" && fail "the opener has the tree's environment"
same "directory and input of the opener" "/
/dev/null" "$(tail -n 2 "$dir/host")"

# every request is recorded, with its answer
log=$(cat "$HOME"/.local/state/nono/denials/*.jsonl)
for answer in opened "opened already" "opener failed" invalid "not asked"; do
	grep -q "\"operation\":\"open URL\".*\"answer\":\"$answer\"" <<<"$log" || fail "no record says '$answer'"
done

# a question whose program is gone is not shown any more
"$NONO" run -s --profile claude-code --allow-cwd --on-request hold --no-diagnostics -- \
	sh -c 'xdg-open https://unlisted.test/ & echo $! >pid; wait; touch gone; while [ ! -e end ]; do sleep 0.1; done' 2>/dev/null &
pending() { "$NONO" approve --list 2>/dev/null | grep -c unlisted; }
for _ in $(seq 400); do [ "$(pending)" = 1 ] && break; sleep 0.05; done
same "a question waits" 1 "$(pending)"
kill "$(cat pid)"
for _ in $(seq 400); do [ "$(pending)" = 0 ] && break; sleep 0.05; done
same "its program is gone" 0 "$(pending)"
: >end
wait $!

# an opener that fails is reported
printf '#!/bin/sh\nexit 3\n' >"$BROWSER"
agent -- sh -c 'xdg-open https://claude.ai/y' 2>/dev/null && fail "a failing opener goes unreported"
finish
