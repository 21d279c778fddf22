#!/bin/bash
# Job control in a real terminal is what it is without nono: Ctrl-C, Ctrl-Z and fg, bg, kill, resizing, pipelines, hang-up.
. "$NONO_SOURCE/tests/escape/lib_run.sh"
export NONO
tm() { tmux -S "$dir/tmux" -f /dev/null "$@"; }
trap 'tm kill-server 2>/dev/null; rm -rf "$dir"' EXIT
tm new-session -d -x 80 -y 24 "cd $dir/work && exec bash --norc --noprofile"
type_() { tm send-keys -t 0 "$@"; }
screen() { tm capture-pane -p -t 0; }
# shows TEXT: wait until the screen has it
shows() {
	for _ in $(seq 400); do
		screen | grep -qF -- "$1" && return 0
		sleep 0.05
	done
	fail "the screen never shows '$1': $(screen | grep -v '^$' | tail -8)"
}
clear_() {
	type_ "clear" Enter
	sleep 0.2
}
type_ "PS1='ready> '; alias nn='$NONO run -s --allow . --on-request deny --no-diagnostics --'; shopt -s expand_aliases" Enter
clear_
shows "ready>"

# Ctrl-C ends the program and the shell goes on
type_ 'nn sleep 100' Enter
sleep 0.5
type_ C-c
type_ 'echo status=$?' Enter
shows "status=130"
clear_

# a program that handles SIGINT gets it exactly once
type_ 'nn bash -c "trap \"echo caught\" INT; echo up-\$((6*7)); sleep 1; sleep 1; echo over-\$((6*7))"' Enter
shows "up-42"
type_ C-c
shows "over-42"
same "SIGINT is delivered once" 1 "$(screen | grep -c '^\^\?C\?caught')"
clear_

# Ctrl-Z stops the job, fg brings it back with the terminal
type_ 'nn bash -c "read x; echo got-\$x"' Enter
sleep 0.5
type_ C-z
shows "Stopped"
type_ 'echo shell-alive-$((6*7))' Enter
shows "shell-alive-42"
type_ 'fg' Enter
sleep 0.3
type_ 'line' Enter
shows "got-line"
clear_

# stopped, then continued in the background, then in the foreground
# (bash: dash starts programs with vfork, and cannot be stopped, with or without nono, while its child has yet to execute)
type_ 'nn bash -c "i=0; while [ \$i -lt 8 ]; do sleep 0.2; i=\$((i+1)); done; echo finished-\$((6*7))"' Enter
sleep 0.4
type_ C-z
shows "Stopped"
type_ 'bg' Enter
shows "finished-42"
type_ '' Enter
clear_

# a job started in the background does not take the terminal; it stops when it reads from it
type_ 'nn cat &' Enter
sleep 0.5
type_ 'jobs' Enter
shows "Stopped"
type_ 'fg' Enter
sleep 0.3
type_ 'to-cat' Enter
sleep 0.3
same "fg gives the terminal to a background job" 2 "$(screen | grep -c '^to-cat')"
type_ C-d
clear_

# kill %1 reaches the program once
type_ 'nn bash -c "trap \"echo term-came; exit 9\" TERM; while :; do sleep 0.1; done" &' Enter
sleep 0.6
type_ 'kill %1; wait; echo waited=$?' Enter
shows "waited="
sleep 0.2
same "SIGTERM to the job is delivered once" 1 "$(screen | grep -c '^term-came')"
clear_

# both ends of a pipeline have the terminal they had
type_ 'echo piped-$((6*7)) | nn cat | cat; nn echo one | less -E -X; echo after-less-$((6*7))' Enter
shows "piped-42"
sleep 0.5
type_ q
shows "after-less-42"
clear_

# the size follows the window
type_ 'nn bash -c "trap \"stty size\" WINCH; echo sized-\$((6*7)); for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.2; done"' Enter
shows "sized-42"
tm resize-window -t 0 -x 91 -y 31
shows "31 91"
sleep 1.5
clear_

# a full-screen program works, stops and comes back
type_ 'nn vi -u NONE -N new-file' Enter
shows "~"
type_ 'itext' Escape
sleep 0.3
type_ C-z
shows "Stopped"
type_ 'fg' Enter
shows "text"
type_ ':wq' Enter
sleep 0.5
same "vi wrote" "text" "$(cat new-file)"
clear_

# an inner shell with job control of its own; the terminal comes back when it is killed
type_ 'nn bash --norc --noprofile -i' Enter
sleep 0.4
type_ 'sleep 100' Enter
sleep 0.3
type_ C-z
shows "Stopped"
type_ 'kill -9 $$' Enter
sleep 0.6
type_ 'echo back-again-$((6*7))' Enter
shows "back-again-42"
clear_

# hang-up ends everything
type_ 'nn bash -c "sleep 400 & echo \$! >hup; wait"' Enter
for _ in $(seq 50); do [ -s hup ] && break; sleep 0.1; done
tm kill-server
for _ in $(seq 60); do kill -0 "$(cat hup)" 2>/dev/null || break; sleep 0.1; done
kill -0 "$(cat hup)" 2>/dev/null && fail "a process outlives the terminal"

# without a terminal: a signal to nono is passed on, exactly once
"$NONO" run -s --allow . -- bash -c 'trap "echo usr1" USR1; trap "echo term; exit 3" TERM; echo up; while :; do sleep 0.05; done' >signals 2>&1 &
guard=$!
until grep -q up signals; do sleep 0.05; done
kill -USR1 $guard
sleep 0.4
kill -TERM $guard
wait $guard
same "status after SIGTERM" 3 $?
same "signals passed on" "up usr1 term" "$(tr '\n' ' ' <signals | sed 's/ $//')"
finish
