#!/bin/bash
# Pages open outside the sandbox, once, in the host's BROWSER; nothing else does.
. "$NONO_SOURCE/tests/escape/lib_run.sh"
export BROWSER=$dir/recorder
printf '#!/bin/sh\nprintf "%%s\\n" "$*" >>%s\n' "$dir/opened" >"$BROWSER"
chmod +x "$BROWSER"
: >"$dir/opened"
agent() {
	"$NONO" run -s --profile claude-code --allow-cwd --on-request deny --no-diagnostics -- "$@"
}

agent xdg-open https://claude.ai/x || fail "an allowed page: status $?"
same "an allowed page" "https://claude.ai/x" "$(cat "$dir/opened")"
: >"$dir/opened"
agent sh -c '$BROWSER https://claude.com/cai && xdg-open https://claude.com/cai' || fail "BROWSER: status $?"
same "the same page twice" "https://claude.com/cai" "$(cat "$dir/opened")"
: >"$dir/opened"
agent xdg-open http://localhost:3000/ || fail "localhost: status $?"
same "localhost" "http://localhost:3000/" "$(cat "$dir/opened")"

: >"$dir/opened"
long=$(printf 'https://claude.ai/%09000d' 0)
for url in file:///etc/passwd javascript:alert http://claude.ai/ https://claude.ai@evil.test https://claude.ai.evil.test \
	https://evil.test "$long" --new-window -x $'https://claude.ai/\n' 'https://claude.ai\@evil.test' /etc/passwd; do
	agent sh -c 'xdg-open "$1"' sh "$url" >/dev/null 2>err && fail "${url:0:60} is accepted"
	[ -s err ] || fail "${url:0:60}: nothing is said"
done
same "bad URLs" "" "$(cat "$dir/opened")"
err=$(agent sh -c 'xdg-open https://evil.test/' 2>&1)
case $err in *allow_origins*https://evil.test*) ;; *) fail "the line to add is not named: $err" ;; esac

# an opener that fails is reported
printf '#!/bin/sh\nexit 3\n' >"$BROWSER"
agent sh -c 'xdg-open https://claude.ai/y' 2>/dev/null && fail "a failing opener goes unreported"
finish
