#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Secrets from a real keyring, in a D-Bus session of the test's own, and from the other sources.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ "${1:-}" != inside ]; then
	unset DISPLAY WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS
	export HOME=$work/home XDG_RUNTIME_DIR=$work/run
	export XDG_CONFIG_HOME=$HOME/.config XDG_DATA_HOME=$HOME/.local/share XDG_STATE_HOME=$HOME/.local/state
	mkdir -p "$XDG_CONFIG_HOME/nono/profiles" "$XDG_DATA_HOME/keyrings" "$work/bin" "$work/project"
	mkdir -m 700 "$XDG_RUNTIME_DIR"
	cd "$work/project" || exit 1
	WORK=$work dbus-run-session -- "$(realpath "$0" 2>/dev/null || echo "$OLDPWD/$0")" inside
	exit
fi
rmdir "$work"
work=$WORK
failures=0
fail() {
	echo "FAIL: $*"
	failures=$((failures + 1))
}
run() { timeout 60 "$NONO" run --on-request deny --allow-cwd "$@" </dev/null; }
# refused WORDS COMMAND...: ends with 1, says WORDS, and starts nothing
refused() {
	local words=$1 out status
	shift
	out=$("$@" 2>&1)
	status=$?
	[ $status = 1 ] || fail "status $status instead of 1: $* ($out)"
	[[ $out == *"$words"* ]] || fail "no \"$words\" in: $out"
	[[ $out != *RAN* ]] || fail "it started: $*"
}

printf password | gnome-keyring-daemon --unlock --components=secrets >"$work/daemon.env" 2>"$work/daemon.log"
owned() {
	dbus-send --session --print-reply=literal --dest=org.freedesktop.DBus / \
		org.freedesktop.DBus.NameHasOwner string:org.freedesktop.secrets | grep -q true
}
for _ in $(seq 100); do
	owned && break
	sleep 0.1
done
keyring_pid=$(dbus-send --session --print-reply=literal --dest=org.freedesktop.DBus / \
	org.freedesktop.DBus.GetConnectionUnixProcessID string:org.freedesktop.secrets | awk '{print $2}')
trap 'kill "$keyring_pid" 2>/dev/null; rm -rf "$work"' EXIT

# as the documents store them
printf anthropic-secret | secret-tool store --label="nono: anthropic_api_key" service nono username anthropic_api_key
printf github-secret | secret-tool store --label=nono service nono account github_token
printf 'go-keyring-base64:Z28tc2VjcmV0' | secret-tool store --label=go service gh:host username me
printf targeted | secret-tool store --label=one service nono username twice target default
printf other | secret-tool store --label=two service nono username twice target else
cat >"$XDG_CONFIG_HOME/nono/profiles/both.json" <<'JSON'
{"extends": "default", "meta": {"name": "both"},
 "env_credentials": {"github_token": "GH_TOKEN", "anthropic_api_key": "ANTHROPIC_API_KEY"}}
JSON

out=$(run --profile both -- printenv GH_TOKEN ANTHROPIC_API_KEY 2>"$work/err")
[ "$out" = $'github-secret\nanthropic-secret' ] || fail "from the keyring: $out $(cat "$work/err")"
out=$(run -vv --profile both -- sh -c 'cat "$NONO_CAP_FILE"; cat /nowhere/at/all /etc/shadow; ps -ef 2>/dev/null' 2>&1)
[[ $out != *github-secret* && $out != *anthropic-secret* ]] || fail "a secret shows in output: $out"
grep -rqs -e github-secret -e anthropic-secret "$XDG_STATE_HOME" "$XDG_RUNTIME_DIR" && fail "a secret was written to a file"
out=$(timeout 60 "$NONO" wrap --allow-cwd --profile both -- printenv GH_TOKEN 2>/dev/null </dev/null)
[ "$out" = github-secret ] || fail "wrap: $out"
out=$(run --env-credential anthropic_api_key -- printenv ANTHROPIC_API_KEY 2>/dev/null)
[ "$out" = anthropic-secret ] || fail "--env-credential: $out"
out=$(run --env-credential-map 'keyring://gh:host/me?decode=go-keyring' TOKEN -- printenv TOKEN 2>/dev/null)
[ "$out" = go-secret ] || fail "go-keyring: $out"
out=$(run --env-credential twice -- printenv TWICE 2>/dev/null)
[ "$out" = targeted ] || fail "target=default first: $out"
refused 'has no such item' run --env-credential absent -- echo RAN

# while it runs, no command line shows it
run --env-credential anthropic_api_key -- sh -c 'echo; cat >/dev/null; sleep 2' >"$work/running" 2>&1 &
until [ -s "$work/running" ]; do sleep 0.1; done
ps -eww -o args | grep -v grep | grep -q anthropic-secret && fail "ps shows a secret"
wait $!

# other sources
printf 'file-secret\n' >"$work/token"
printf '#!/bin/sh\necho "$@" >>%s/calls\necho op-secret\n' "$work" >"$work/bin/op"
printf '#!/bin/sh\necho "$@" >>%s/calls\n[ "$2" = password ] && echo bw-secret || echo '\''{"login":{"username":"bw-user"}}'\''\n' \
	"$work" >"$work/bin/bw"
chmod +x "$work/bin/op" "$work/bin/bw"
export PATH=$work/bin:$PATH OUTSIDE=env-secret
out=$(run --env-credential "op://v/i/f=A,bw://item=B,file://$work/token=C,env://OUTSIDE=D,bw://item/username=E" \
	-- printenv A B C D E 2>"$work/err")
[ "$out" = $'op-secret\nbw-secret\nfile-secret\nenv-secret\nbw-user' ] || fail "other sources: $out $(cat "$work/err")"
[ "$(sort "$work/calls")" = $'get item -- item\nget password -- item\nread -- op://v/i/f' ] || fail "calls: $(cat "$work/calls")"
printf '#!/bin/sh\nexit 3\n' >"$work/bin/op"
refused 'op ended with status 3' run --env-credential op://v/i/f=A -- echo RAN
rm "$work/bin/op"
refused 'no program op' run --env-credential op://v/i/f=A -- echo RAN
refused 'variable ABSENT is not set' run --env-credential env://ABSENT -- echo RAN
refused "$work/none" run --env-credential "file://$work/none=A" -- echo RAN
refused 'NONO_KEYRING_TIMEOUT_SECS' env NONO_KEYRING_TIMEOUT_SECS=soon "$NONO" run --allow-cwd --env-credential x -- echo RAN

# locked: nobody can be asked for the password here
dbus-send --session --print-reply --dest=org.freedesktop.secrets /org/freedesktop/secrets \
	org.freedesktop.Secret.Service.Lock array:objpath:/org/freedesktop/secrets/collection/login >/dev/null
refused 'lock' env NONO_KEYRING_TIMEOUT_SECS=20 "$NONO" run --on-request deny --allow-cwd --profile both -- echo RAN
# no bus
refused 'no keyring can be reached' env DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent \
	"$NONO" run --on-request deny --allow-cwd --profile both -- echo RAN
[ $failures = 0 ]
