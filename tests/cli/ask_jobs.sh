#!/bin/bash
# A question and job control: death, Ctrl-C, the background, what is typed ahead; a burst.
. "${NONO_SOURCE:?}/tests/escape/lib_tmux.sh"
mkdir "$dir/out"
export O=$dir/out
for f in a b c d e f g h i j; do echo "inside-$f" >"$O/$f"; done
start_ "exec bash --norc --noprofile"
clear_() {
	type_ "clear; echo clean-\$((6*7))" Enter
	shows "clean-42"
}
type_ "PS1='ready> '; nn() { if [ \$1 = --profile ]; then set -- \"\$@\"; else set -- -- \"\$@\"; fi; \$NONO run -s --allow . --on-request ask --no-diagnostics \"\$@\"; }" Enter
clear_

# killed while it asks, interrupted, put aside: the terminal comes back, the session goes on
type_ 'nn bash -c "cat $O/i & p=\$!; (sleep 1.5; kill -9 \$p) & wait \$p; echo end-\$((6*7))"' Enter
asks "out/i"
tm send-keys -t 0 C-z
kill -9 "$(pgrep -f "^cat $dir/out/i")"
shows "end-42"
clear_
type_ 'nn bash -c "cat $O/i; echo rc-\$?"' Enter
asks "out/i"
type_ C-c
shows "rc-1"
clear_
# in the background it does not take the terminal; in front it does
type_ 'nn bash -c "cat $O/i" & sleep 1; echo front-$((6*7))' Enter
shows "front-42"
lacks "a program in the sandbox asks"
type_ 'fg' Enter
asks "out/i"
type_ y
shows "inside-i"
clear_
# what was typed ahead answers nothing
type_ 'nn bash -c "cat $O/j; echo rc-\$?"' Enter
for _ in $(seq 600); do
	screen | grep -qF "a program in the sandbox asks" && break
	type_ s
	sleep 0.02
done
shows "out/j"
sleep 1
shows "out/j"
type_ n
shows "rc-1"
clear_
# fifty at once are one screen
for i in $(seq 50); do echo "many-$i" >"$dir/out/n$i"; done
clear_
type_ 'nn bash -c "for i in \$(seq 50); do cat $O/n\$i & done 2>/dev/null; wait; echo end-\$((6*7))" 2>&1 | tail -3' Enter
shows "questions from the sandbox" # those that had asked before the tree was stopped
sleep 1
# the directory, only when it is picked: all fifty at once
type_ d
shows "beneath which directory"
type_ s
shows "end-42"
clear_

finish
