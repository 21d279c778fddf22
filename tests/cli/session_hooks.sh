#!/bin/bash
# session_hooks: scripts outside the sandbox before and after the program; nothing that programs in a sandbox may write
# decides which one runs; a failure before means that nothing starts.
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"
config=$HOME/.config/nono
mkdir -p "$config/profiles" "$config/scripts" "$dir/elsewhere"
log=$dir/happened
export LOG=$log MARK=host
script() { # NAME: standard input is its text
	{ echo '#!/bin/bash'; cat; } >"$config/scripts/$1"
	chmod 0755 "$config/scripts/$1"
}
profile() { # JSON of session_hooks
	echo "{\"extends\": \"default\", \"filesystem\": {\"allow\": [\"\$WORKDIR\"]}, \"session_hooks\": $1}" >"$config/profiles/mine.json"
}
run() { "$NONO" run --profile mine --on-request deny --no-diagnostics "$@"; }
both="{\"before\": {\"script\": \"$config/scripts/before\"}, \"after\": {\"script\": \"$config/scripts/after\", \"timeout_secs\": 60}}"

script before <<'SH'
echo "before $NONO_HOOK_TYPE $NONO_WORKDIR $PWD $MARK ${NONO_EXIT_CODE-none} $(cat | wc -c)" >>"$LOG"
echo "id $NONO_SESSION_ID" >>"$LOG"
ls -l "$NONO_ENV_FILE" | cut -c1-10 >>"$LOG"
echo "$NONO_ENV_FILE" >"$LOG.env"
echo said by before
cat >>"$NONO_ENV_FILE" <<'ENV'
# a comment
GIVEN=some thing = more
FIXED=by the script
PATH=/nowhere
NONO_CAP_FILE=/nowhere
LD_PRELOAD=/nowhere.so
no variable
2X=y
ENV
SH
script after <<'SH'
echo "after $NONO_HOOK_TYPE $NONO_EXIT_CODE ${NONO_ENV_FILE-none} $MARK" >>"$LOG"
echo "id $NONO_SESSION_ID" >>"$LOG"
SH
echo '{"extends": "default", "filesystem": {"allow": ["$WORKDIR"]}, "environment": {"set_vars": {"FIXED": "by the profile"}}, "session_hooks": '"$both}" >"$config/profiles/mine.json"
out=$(run -- sh -c 'echo "$GIVEN, $FIXED, ${LD_PRELOAD##*/}, $(command -v sh)"; exit 7' 2>err)
same "the program's status" 7 $?
same "variables for the program" "some thing = more, by the profile, libnono-shim.so, $(command -v sh)" "$out"
same "what a script prints goes to standard error" 1 "$(grep -c '^said by before$' err)"
same "it is said that a script runs" 2 "$(grep -c 'runs outside the sandbox' err)"
for v in PATH NONO_CAP_FILE LD_PRELOAD 'no variable' 2X; do
	same "$v is not passed on" 1 "$(grep -c "the variable $v is not passed on" err)"
done
same "what happened" "before before $PWD $PWD host none 0
-rw-------
after after 7 none host" "$(grep -v '^id' "$log")"
same "one session" 1 "$(grep '^id ........$' "$log" | sort -u | wc -l)"
[ -e "$(cat "$log.env")" ] && fail "the file for variables is left"

# what a script starts in the background is no part of the tree and stays
script before <<'SH'
sleep 300 >/dev/null 2>&1 &
echo $! >"$LOG.pid"
SH
run -s -- true
kill -0 "$(cat "$log.pid")" || fail "what the script left running was ended"
kill "$(cat "$log.pid")"

# a failure before: nothing starts; the one after still cleans up
fails() { # WHAT TEXT
	local out
	rm -f "$log" started
	out=$(run -- touch started 2>&1)
	same "$1: status" 1 $?
	[ -e started ] && fail "$1: the program was started"
	case $out in *"$2"*) ;; *) fail "$1: '$2' is not in: $out" ;; esac
}
script before <<<'exit 3'
fails "a status" "session_hooks.before: $config/scripts/before: ended with status 3"
same "after a failure before" "after after 1 none host" "$(grep -v ^id "$log")"
script before <<<'kill -9 $$'
fails "a signal" "was killed by signal 9"
profile "{\"before\": {\"script\": \"$config/scripts/before\", \"timeout_secs\": 1}}"
script before <<<'trap "" TERM; sleep 300 & echo $! >$LOG.pid; wait; sleep 300'
fails "a timeout" "took longer than 1 seconds"
gone() { ! kill -0 "$(cat "$log.pid")"; }
wait_for gone || fail "a timeout: what it started is left"
printf 'no interpreter line\n' >"$config/scripts/before"
fails "no program" "cannot start: Exec format error"

# after: a failure is only said
profile "$both"
script before <<<'true'
script after <<<'exit 4'
same "a failure after" "0 1" "$(run -- true 2>err; echo "$? $(grep -c 'warning: session_hooks.after: .*: ended with status 4' err)")"
run -- sh -c 'kill -9 $$' 2>/dev/null
script after <<<'echo $NONO_EXIT_CODE >>"$LOG"'
rm -f "$log"
run -s -- sh -c 'kill -9 $$'
same "the program died" "137 137" "$? $(cat "$log")"

# what ends the program, here for its whole group as by Ctrl-C, does not end the script behind it
script after <<<'sleep 0.3; echo $NONO_EXIT_CODE >>"$LOG"'
rm -f "$log" up
setsid env --default-signal=INT,QUIT "$NONO" run --profile mine --on-request deny -- sh -c 'echo $$ >up; exec sleep 300' 2>err &
nono=$!
wait_for test -s up
kill -INT -- -$nono
wait $nono
same "interrupted" "130 130" "$? $(cat "$log")"
grep -q 'was interrupted' err && fail "the interrupt reached the script behind: $(cat err)"

# whoever ends nono ends the script, and nothing starts
script before <<<'echo up >"$LOG"; exec sleep 300'
rm -f "$log" started
"$NONO" run --profile mine --on-request deny -- touch started 2>err &
nono=$!
wait_for test -s "$log" || fail "the script does not run"
kill -TERM $nono
wait $nono
same "ended meanwhile" "1 1" "$? $(grep -c 'session_hooks.before: .*: was interrupted' err)"
[ -e started ] && fail "ended meanwhile: the program was started"

# which scripts and profiles
script before <<<'echo ran >>"$LOG"'
script after <<<'true'
chmod 0757 "$config/scripts/before"
fails "everybody may write it" "belongs to somebody else, or everybody may write it"
chmod 0755 "$config/scripts/before"
chmod 0757 "$config/scripts"
fails "everybody may write its directory" "lies in a directory that everybody may write"
chmod 0755 "$config/scripts"
chmod 0644 "$config/scripts/after"
fails "not executable" "session_hooks.after.script: $config/scripts/after may not be executed"
chmod 0755 "$config/scripts/after"
[ -e "$log" ] && fail "a script ran although the other one may not"
profile '{"before": {"script": "scripts/before"}}'
fails "a relative path" "must be an absolute path"
profile "{\"before\": {\"script\": \"$config/scripts\"}}"
fails "a directory" "is no regular file"
profile "{\"before\": {\"script\": \"$config/scripts/none\"}}"
fails "missing" "No such file or directory"
cp "$config/scripts/before" inside
profile "{\"before\": {\"script\": \"$PWD/inside\"}}"
fails "in a directory that the program may write" "may be written by programs in the sandbox"
ln -s "$PWD/inside" "$config/scripts/link"
profile "{\"before\": {\"script\": \"$config/scripts/link\"}}"
fails "a link to it" "may be written by programs in the sandbox"
if [ "$(id -u)" = 0 ]; then
	chown 1 "$config/scripts/before"
	profile "$both"
	fails "somebody else's" "belongs to somebody else"
	chown 0 "$config/scripts/before"
fi
[ -e "$log" ] && fail "a script ran that may not"
profile "$both"
cp "$config/profiles/mine.json" other.json
same "a profile from elsewhere" ran "$("$NONO" run --profile ./other.json --on-request deny -- echo ran 2>err)"
same "it is said" 1 "$(grep -c "warning: .*/other.json:1: session_hooks has no effect: scripts are run for profiles in ~/.config/nono/profiles only" err)"
[ -e "$log" ] && fail "a profile from elsewhere ran a script"
"$NONO" profile validate mine | grep 'no effect' && fail "validate warns of one's own"
same "validate" 1 "$("$NONO" profile validate ./other.json | grep -c 'other.json:1: session_hooks has no effect')"
ln -s "$PWD/other.json" "$config/profiles/linked.json"
"$NONO" run -s --profile linked --on-request deny -- true
[ -e "$log" ] && fail "a profile that is a link elsewhere ran a script"
"$NONO" run --profile mine --dry-run -- true >/dev/null
[ -e "$log" ] && fail "a dry run ran a script"
same "wrap" "1 1" "$("$NONO" wrap --profile mine -- true 2>err; echo "$? $(grep -c 'no process behind that could run session_hooks' err)")"
echo 'echo from the shell' | "$NONO" shell --profile mine --shell /bin/sh >out 2>/dev/null
same "shell" "from the shell ran" "$(cat out "$log" | paste -sd' ')"

# a start without is as ever, and the keys are checked
profile '{}'
same "an empty object" ran "$(run -s -- echo ran)"
for text in '{"befor": {"script": "/x"}}:did you mean "before"' '{"before": {"script": "/x", "timeout_sec": 1}}:did you mean "timeout_secs"' \
	'{"before": {}}:needs "script"' '{"after": {"script": "/x", "timeout_secs": 0}}:must be at least 1' '{"after": {"script": 1}}:must be a string' '[]:must be'; do
	profile "${text%%:did*}"
	[[ $text == *:did* ]] || profile "${text%:*}"
	out=$(run -- true 2>&1) && fail "$text: it is taken"
	case $out in *"mine.json:1:"*"session_hooks"*"${text##*:}"*) ;; *) fail "$text: $out" ;; esac
done
finish
