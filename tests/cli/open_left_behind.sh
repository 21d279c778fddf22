#!/bin/bash
# A program that asks for a page and ends before the person has answered: the question stays, and the answer counts.
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"
export NONO
export BROWSER=$dir/recorder
printf '#!/bin/sh\nprintf "%%s\\n" "$*" >>%s\n' "$dir/opened" >"$BROWSER"
chmod +x "$BROWSER"
: >"$dir/opened"
tm() { tmux -S "$dir/tmux" -f /dev/null "$@"; }
trap 'tm kill-server 2>/dev/null; rm -rf "$dir"' EXIT
cat >leave.py <<'PY'
import os, subprocess
subprocess.Popen(["/usr/bin/xdg-open", "https://evil.test/left"], start_new_session=True, stdin=-3, stdout=-3, stderr=-3)
os._exit(3)
PY
tm new-session -d -x 100 -y 50 "cd $dir/work && exec bash --norc --noprofile"
waits() { # TEXT [KEY]: pressed until it shows, as the keys of the first moments do not count
	for _ in $(seq 200); do
		tm capture-pane -p | grep -qF -- "$1" && return 0
		[ -n "${2:-}" ] && tm send-keys "$2"
		sleep 0.1
	done
	fail "the screen never shows '$1': $(tm capture-pane -p | grep -v '^$' | tail -12)"
	finish
}
for pair in y=https://evil.test/left n=; do
	: >"$dir/opened"
	tm send-keys "clear; \$NONO run -s --profile claude-code --allow-cwd --no-diagnostics -- /usr/bin/python3 leave.py; echo status-\$?" Enter
	waits "wants to  open the page"
	waits status-3 "${pair%%=*}"
	same "the answer ${pair%%=*}" "${pair#*=}" "$(cat "$dir/opened")"
	tm send-keys C-u
done
finish
