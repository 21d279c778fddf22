#!/bin/bash
# The environment is sanitised; the program gets a directory for temporary files of its own.
here=$(dirname "$(readlink -f "$0")")
. "$here/lib_run.sh"

for name in BASH_ENV ENV CDPATH GLOBIGNORE PROMPT_COMMAND PYTHONSTARTUP PYTHONPATH NODE_OPTIONS NODE_PATH PERL5OPT \
	PERL5LIB RUBYOPT RUBYLIB GEM_PATH GEM_HOME JAVA_TOOL_OPTIONS _JAVA_OPTIONS DOTNET_STARTUP_HOOKS GOFLAGS \
	LD_LIBRARY_PATH LD_AUDIT DYLD_INSERT_LIBRARIES OP_SERVICE_ACCOUNT_TOKEN OP_SESSION_x NONO_SUPERVISOR_PATH; do
	got=$(env "$name=from-outside" "$NONO" run -s --allow . --no-diagnostics -- /usr/bin/env 2>/dev/null | grep -c "from-outside")
	same "$name is removed" 0 "$got"
done
got=$(LD_PRELOAD=/nonexistent/evil.so "$NONO" run -s --allow . --no-diagnostics -- /usr/bin/env 2>/dev/null | grep -c evil)
same "LD_PRELOAD from outside is removed" 0 "$got"
got=$(FOO_BAR=kept sandboxed /usr/bin/env | grep -c '^FOO_BAR=kept$')
same "other variables stay" 1 "$got"
got=$(BROWSER=x PATH=/usr/bin:/bin sandboxed /usr/bin/env | cut -d= -f1 | sort | uniq -d)
same "no variable appears twice" "" "$got"

# TMPDIR: private, usable, executable, gone afterwards
sandboxed sh -c '[ -d "$TMPDIR" ] && [ "$TMP" = "$TMPDIR" ] && cp /bin/true "$TMPDIR/t" && "$TMPDIR/t" &&
	mkdir "$TMPDIR/sub" && echo x >"$TMPDIR/sub/f" && chmod 0500 "$TMPDIR/sub" && [ "$(cat "$TMPDIR/sub/f")" = x ] &&
	echo "$TMPDIR" >tmpdir' || fail "TMPDIR does not work"
# the broker cleans up while the shell goes on already
gone_soon() {
	for _ in $(seq 40); do
		[ -e "$1" ] || return 0
		sleep 0.05
	done
	fail "$1 is left behind"
}
gone_soon "$(cat tmpdir)"
same "nothing of dead sessions is left" "" "$(find "$HOME/.local/state/nono" -name '????????*' -not -path '*/denials/*' -path '*/sessions/*')"

# the capability file: readable, not writable, gone afterwards
sandboxed sh -c '[ -r "$NONO_CAP_FILE" ] && grep -q net_blocked "$NONO_CAP_FILE" && echo "$NONO_CAP_FILE" >cap' ||
	fail "the capability file cannot be read inside"
sandboxed sh -c 'echo x >"$NONO_CAP_FILE"' 2>/dev/null && fail "the capability file can be written inside"
sandboxed sh -c 'rm -f "$NONO_CAP_FILE"; [ -e "$NONO_CAP_FILE" ]' 2>/dev/null || fail "the capability file can be removed inside"
gone_soon "$(cat cap)"
finish
