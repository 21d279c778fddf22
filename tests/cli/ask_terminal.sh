#!/bin/bash
# Asking in the session's own terminal: in a loop and in vim; every answer; resizing while it asks;
# the screen afterwards.
. "${NONO_SOURCE:?}/tests/escape/lib_tmux.sh"
mkdir "$dir/out"
for f in a b c d e f g h i j; do echo "inside-$f" >"$dir/out/$f"; done
echo "first line" >text
start_ "exec bash --norc --noprofile"
clear_() {
	type_ "clear; echo clean-\$((6*7))" Enter
	shows "clean-42"
}
type_ "PS1='ready> '; O=$dir/out; nn() { if [ \$1 = --profile ]; then set -- \"\$@\"; else set -- -- \"\$@\"; fi; \$NONO run -s --allow . --on-request ask --no-diagnostics \"\$@\"; }" Enter
clear_

# yes for this session: the same read succeeds and a second one does not ask
type_ 'nn bash -c "cat $O/a; cat $O/a; echo sum-\$((6*7))"' Enter
asks "out/a"
type_ s
shows "sum-42"
same "both reads succeed" 2 "$(screen | grep -c '^inside-a')"
lacks "a program in the sandbox asks"
clear_

# once: the next read asks again; n, Enter and Esc refuse that one, N all later ones
type_ 'nn bash -c "for i in 1 2 3 4 5 6; do cat $O/b; echo rc-\$i-\$?; done"' Enter
asks "out/b"
type_ y
for key in n Enter Escape N; do
	asks "out/b"
	type_ "$key"
	sleep 0.7
done
shows "rc-6-1"
shows "rc-1-0"
for i in 2 3 4 5; do shows "rc-$i-1"; done
clear_

# the program is stopped and goes on without noticing: no SIGCONT reaches it
type_ 'nn bash -c "trap \"echo heard-\$((6*7))\" CONT; read -r l <$O/e; echo l-\$l; (trap \"echo heard-\$((6*7))\" CONT; cat $O/f); echo end-\$((6*7))"' Enter
asks "out/e"
type_ s
asks "out/f"
type_ s
shows "end-42"
shows "inside-f"
lacks "heard-42"
clear_

# inside vim: the file is read and the screen is drawn again
type_ "nn vim -u NONE -i NONE -N text" Enter
shows "first line"
type_ ":r $dir/out/c" Enter
asks "out/c"
lacks "first line"
type_ s
shows "inside-c"
shows "first line"
type_ ":r $dir/out/c" Enter
for _ in $(seq 200); do
	[ "$(screen | grep -c '^inside-c')" = 2 ] && break
	sleep 0.05
done
same "a second read in vim does not ask" 2 "$(screen | grep -c '^inside-c')"
# resized while it asks: the question and then vim fit the new size
type_ ":r $dir/out/d" Enter
asks "out/d"
tm resize-window -t 0 -x 70 -y 20
asks "out/d"
type_ s
shows "inside-d"
shows "first line"
type_ ":q!" Enter
shows "ready>"
clear_

finish
