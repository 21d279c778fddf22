#!/bin/bash
# The real agents log in as far as they get without a network: each opens one page outside the sandbox, at the right
# place, and listens for the callback, which arrives. Tokens in their places stay, and the next session reads them.
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"
bin=${NONO_AGENTS:-$NONO_SOURCE/build/agents/node_modules/.bin}
if [ ! -x "$bin/claude" ]; then
	echo "FAIL: the agents are not installed; run scripts/install-agents" >&2
	exit 1
fi
export BROWSER=$dir/recorder
printf '#!/bin/sh\nprintf "%%s\\n" "$*" >>%s\n' "$dir/opened" >"$BROWSER"
chmod +x "$BROWSER"
session=
# a server for each agent: one that is just ending may still be found by whoever looks for it
shown=gemini
tm() { tmux -S "$dir/tmux-$shown" -f /dev/null "$@"; }
trap 'tm kill-server 2>/dev/null; [ -n "$session" ] && kill "$session" 2>/dev/null; for _ in $(seq 50); do rm -rf "$dir" 2>/dev/null && break; sleep 0.2; done' EXIT
inside() { (exec_inside "$@"); }
exec_inside() { # profile, command...
	local profile=$1
	shift
	exec "$NONO" run -s --profile "$profile" --allow-cwd --read "${bin%/node_modules/.bin}" --on-request deny --no-diagnostics -- "$@"
}
# start NAME PROFILE COMMAND...: runs it in the background until a page was opened
start() {
	: >"$dir/opened"
	(exec_inside "$2" "${@:3}") >"$dir/$1.out" 2>&1 </dev/null &
	session=$!
	for _ in $(seq 600); do
		[ -s "$dir/opened" ] && return
		kill -0 $session 2>/dev/null || break
		sleep 0.1
	done
	fail "$1 opens no page: $(tail -n 5 "$dir/$1.out")"
}
stop() {
	kill "$session" 2>/dev/null
	wait "$session"
	session=
}
# the port of this machine in what was opened
port() { grep -oE 'redirect_uri=http%3A%2F%2F(localhost|127\.0\.0\.1)%3A[0-9]+' "$dir/opened" | grep -oE '[0-9]+$'; }
decode() { /usr/bin/python3 -c 'import sys, urllib.parse as u; print(u.unquote(sys.argv[1]))' "$1"; }
# callback NAME: a wrong answer is answered by the agent itself
callback() {
	local url answer
	url=$(decode "$(grep -oE 'redirect_uri=[^&]*' "$dir/opened" | head -n 1 | cut -d= -f2)")
	answer=$(curl -s --noproxy '*' -m 30 -o "$dir/answer" -w '%{http_code}' "$url?code=wrong&state=wrong")
	case $answer in [1-5]??) ;; *) fail "$1 does not get the callback at $url" ;; esac
}

start claude claude-code "$bin/claude" auth login
sleep 1 # a second page would follow the first at once
same "claude: pages" 1 "$(wc -l <"$dir/opened")"
case $(cat "$dir/opened") in
https://claude.com/cai/oauth/authorize\?*code_challenge=*) ;;
*) fail "claude opens $(cat "$dir/opened")" ;;
esac
[ -n "$(port)" ] || fail "claude names no port: $(cat "$dir/opened")"
callback claude
stop

start codex codex "$bin/codex" login
sleep 1
same "codex: pages" 1 "$(wc -l <"$dir/opened")"
case $(cat "$dir/opened") in
https://auth.openai.com/oauth/authorize\?*code_challenge=*) ;;
*) fail "codex opens $(cat "$dir/opened")" ;;
esac
[ -n "$(port)" ] || fail "codex names no port: $(cat "$dir/opened")"
callback codex
stop

# gemini logs in from its own screen, and only where it sees a display and no sign of a machine without people
screen() { tm capture-pane -p -t 0; }
: >"$dir/opened"
unset CI DEBIAN_FRONTEND SSH_CONNECTION
export DISPLAY=:99
tm new-session -d -x 120 -y 40 "cd $dir/work; '$NONO' run -s --profile gemini --allow-cwd --read '${bin%/node_modules/.bin}' \
	--on-request deny --no-diagnostics -- '$bin/gemini'; sleep 60"
for _ in $(seq 300); do
	[ -s "$dir/opened" ] && break
	# "Sign in with Google" is chosen already, and so is the yes to opening the page
	screen | grep -qE "Sign in with Google|Do you want to continue|trust this folder|Trust folder" && tm send-keys -t 0 Enter
	sleep 0.3
done
case $(cat "$dir/opened") in
https://accounts.google.com/o/oauth2/v2/auth\?*) callback gemini ;;
*) fail "gemini opens '$(cat "$dir/opened")'; its screen: $(screen | grep -v '^$' | tail -n 20)" ;;
esac
same "gemini: pages" 1 "$(wc -l <"$dir/opened")"
tm kill-server

# opencode's `auth login` opens no page by itself, it names it; the callback arrives at its fixed port
unset DISPLAY
shown=opencode
: >"$dir/opened"
tm new-session -d -x 1000 -y 40 "cd $dir/work; '$NONO' run -s --profile opencode --allow-cwd --read '${bin%/node_modules/.bin}' \
	--on-request deny --no-diagnostics -- '$bin/opencode' auth login -p openai -m 'ChatGPT Pro/Plus (browser)'; sleep 60"
for _ in $(seq 600); do screen | grep -q "Waiting for authorization" && break; sleep 0.1; done
screen | grep -oE 'https://auth.openai.com/oauth/authorize\?[^ ]*code_challenge=[^ ]*' >"$dir/named" ||
	fail "opencode names no page: $(screen | grep -v '^$' | tail -n 20)"
answer=$(curl -s --noproxy '*' -m 30 -o "$dir/answer" -w '%{http_code}' "$(decode "$(grep -oE 'redirect_uri=[^&]*' "$dir/named" | cut -d= -f2)")?code=wrong&state=wrong")
same "opencode: a wrong callback" 400 "$answer"
same "opencode: pages" "" "$(cat "$dir/opened")"
tm kill-server

# its console's login does, by the device flow: all of it, with a console of the test's own; the page authorizes
console=$dir/console
printf '#!/bin/sh\nprintf "%%s\\n" "$*" >>%s/opened\nexec curl -fsS --noproxy "*" "$1"\n' "$dir" >"$BROWSER"
coproc server { exec /usr/bin/python3 "$NONO_SOURCE/tests/clients/lib_oauth_console.py" "$console"; }
session=$server_PID
read -r port <&"${server[0]}"
out=$(inside opencode "$bin/opencode" console login "http://127.0.0.1:$port" 2>&1 </dev/null)
case $out in *"Logged in as ann@a.test"*) ;; *) fail "opencode's console: $out" ;; esac
same "opencode's console: pages" "http://127.0.0.1:$port/device?user_code=ABCD-EFGH" "$(cat "$dir/opened")"
same "opencode's console: the server" "authorized
token" "$(head -n 2 "$console")"
case $(inside opencode "$bin/opencode" console orgs 2>&1 </dev/null) in
*"ann@a.test"*) ;;
*) fail "opencode's token is gone in the next session" ;;
esac
kill "$session" && wait "$session" 2>/dev/null
session=

# tokens: written in place and by a new file that takes the old one's place, read in the next session
tokens() { # profile, file...
	local profile=$1 file
	shift
	for file; do
		inside "$profile" sh -c 'umask 077; mkdir -p "${1%/*}"; echo first >"$1"; cat "$1"' sh "$HOME/$file" >/dev/null ||
			fail "$profile: $file cannot be written"
		same "$profile: $file in the next session" first "$(inside "$profile" cat "$HOME/$file")"
		inside "$profile" sh -c 'echo second >"$1.tmp.1.2" && mv "$1.tmp.1.2" "$1"' sh "$HOME/$file" ||
			fail "$profile: $file cannot be replaced"
		same "$profile: $file replaced" second "$(inside "$profile" cat "$HOME/$file")"
		same "$profile: $file outside" second "$(cat "$HOME/$file")"
	done
}
tokens claude-code .claude/.credentials.json
tokens codex .codex/auth.json
tokens gemini .gemini/oauth_creds.json .gemini/google_accounts.json
tokens opencode .local/share/opencode/auth.json
tokens gh .config/gh/hosts.yml
# claude's settings are one file in the home directory, which is not writable otherwise; it is replaced all the same
echo '{}' >"$HOME/.claude.json"
inside claude-code sh -c 'echo "{\"a\":1}" >~/.claude.json && echo "{\"a\":2}" >~/.claude.json.tmp.1.2 && mv ~/.claude.json.tmp.1.2 ~/.claude.json' ||
	fail "claude-code: .claude.json cannot be replaced"
same "claude-code: .claude.json" '{"a":2}' "$(cat "$HOME/.claude.json")"
finish
