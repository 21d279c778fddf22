#!/bin/bash
# --log-file and NONO_LOG_FILE: nono's own lines with times, and refusals as they happen; nothing of the program's.
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"
unset NONO_LOG_FILE
log=$dir/log
echo secret >"$dir/outside"
run() { "$NONO" run --allow . --on-request deny --no-diagnostics "$@"; }
lines() { # how many lines of the log match
	grep -cE -- "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[+-][0-9]{4} nono\[[0-9]+\]: $1" "$log"
}

out=$(run --log-file "$log" -- sh -c "echo to output; echo to errors >&2; cat $dir/outside; cat $dir/outside" 2>"$dir/err")
same "the program's output" "to output" "$out"
same "the terminal: nothing of nono's" 0 "$(grep -c '^nono' "$dir/err")"
same "the start" 1 "$(lines 'sh with the default profile; ')"
same "a refusal, once" 1 "$(lines "refused read $dir/outside by cat \(process [0-9]+, number 1\)")"
same "the end" 1 "$(lines 'session [0-9a-f]+ ended with status 1$')"
same "every line has a time and comes from nono" "$(wc -l <"$log")" "$(lines '')"
same "nothing of the program's" 0 "$(grep -cE 'to output|to errors|Permission denied|secret' "$log")"
same "its mode" 600 "$(stat -c %a "$log")"

run -s --log-file "$log" -- true 2>"$dir/err"
same "lines are added, also when the terminal is silent" 2 "$(lines 'session [0-9a-f]+ ended with status ')"
same "silent" "" "$(cat "$dir/err")"
NONO_LOG_FILE=$log run -- true
same "by variable" 3 "$(lines 'session [0-9a-f]+ ended with status ')"
NONO_LOG_FILE=$dir/none/log run --log-file="$log" -- true || fail "the flag does not win over the variable"
NONO_LOG_FILE=$dir/none/log "$NONO" --log-file "$log" -s run --allow . -- true || fail "a flag before the command does not win"
same "before the command" 5 "$(lines 'session [0-9a-f]+ ended with status ')"

run --log-file "$log" -- "$dir/no-such-program" 2>"$dir/err"
same "an error: status" 127 $?
same "an error goes to both" "1 1" "$(grep -c no-such-program "$dir/err") $(lines '.*no-such-program')"
name=$'two\nlines\e[1m'
echo x >"$dir/$name"
run --log-file "$log" -- cat "$dir/$name" 2>/dev/null
same "a name with control characters" 1 "$(lines 'refused read .*/two\\x0alines\\x1b\[1m by cat')"
printf '#!/bin/sh\ncat >/dev/null\necho once\n' >"$dir/yes" && chmod 0755 "$dir/yes"
"$NONO" run --allow . --approver "$dir/yes" --log-file "$log" -- cat "$dir/outside" >/dev/null 2>&1
same "what a person allowed" 1 "$(lines "allowed read $dir/outside by cat .*; answer: once")"

# the program has neither the file nor its name
same "not inherited" "none 0" "$(NONO_LOG_FILE=$log run -s -- sh -c 'echo ${NONO_LOG_FILE:-none} $(ls -l /proc/self/fd | grep -c log)')"
same "a file that the program may write is warned of" 1 \
	"$(run --log-file here -- true 2>&1 | grep -c 'the program may write to the log file .*/here: put it elsewhere')"

refused() { # STATUS TEXT COMMAND...: nothing starts
	local status=$1 text=$2
	shift 2
	out=$("$@" 2>&1)
	same "$*: status" "$status" $?
	case $out in *"$text"*) ;; *) fail "$*: '$text' is not in: $out" ;; esac
	case $out in *STARTED*) fail "$*: it started" ;; esac
}
refused 1 "cannot open the log file $dir/none/log: No such file or directory" run --log-file "$dir/none/log" -- echo STARTED
refused 1 "cannot open the log file $dir: Is a directory" run --log-file "$dir" -- echo STARTED
refused 1 "is no regular file" run --log-file /dev/null -- echo STARTED
refused 1 "cannot open the log file $dir/none/log" env NONO_LOG_FILE="$dir/none/log" "$NONO" profile list
refused 2 "--log-file needs a value" "$NONO" --log-file
refused 2 "--log-file needs a value" "$NONO" run --log-file
mkfifo "$dir/fifo"
refused 1 "cannot open the log file $dir/fifo" run --log-file "$dir/fifo" -- echo STARTED
finish
