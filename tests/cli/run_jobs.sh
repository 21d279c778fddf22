#!/bin/bash
# Job control in a real terminal is what it is without nono: Ctrl-C, Ctrl-Z and fg, bg, kill, resizing, pipelines, hang-up.
# Nothing here relies on how long something takes: each step waits for what the one before shows.
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"
export NONO
tm() { tmux -S "$dir/tmux" -f /dev/null "$@"; }
trap 'tm kill-server 2>/dev/null; rm -rf "$dir"' EXIT
tm new-session -d -x 80 -y 24 "cd $dir/work && exec bash --norc --noprofile"
type_() { tm send-keys -t 0 "$@"; }
screen() { tm capture-pane -p -t 0; }
on_screen() { screen | grep -qE -- "$1"; }
# shows PATTERN: wait until the screen has it
shows() {
	wait_for on_screen "$1" && return 0
	fail "the screen never shows '$1': $(screen | grep -v '^$' | tail -8)"
	tm kill-server
	finish
}
# fresh: an empty screen with a prompt that was not there before
prompts=0
fresh() {
	prompts=$((prompts + 1))
	type_ "PS1='ready-$prompts> '; clear" Enter
	shows "^ready-$prompts> *\$"
}
type_ "alias nn='$NONO run -s --allow . --on-request deny --no-diagnostics --'; shopt -s expand_aliases" Enter
fresh

# Ctrl-C ends the program and the shell goes on
type_ 'nn bash -c "echo up-\$((6*7)); exec sleep 1000"' Enter
shows "^up-42"
type_ C-c
type_ 'echo status=$?' Enter
shows "^status=130"
fresh

# a program that handles SIGINT gets it exactly once
type_ 'nn bash -c "trap \"echo caught\" INT; echo up-\$((6*7)); read -r x; echo over-\$((6*7))"' Enter
shows "^up-42"
type_ C-c
shows "caught"
type_ Enter
shows "^over-42"
same "SIGINT is delivered once" 1 "$(screen | grep -c 'caught$')"
fresh

# Ctrl-Z stops the job, fg brings it back with the terminal
type_ 'nn bash -c "echo up-\$((6*7)); read -r x; echo got-\$x"' Enter
shows "^up-42"
type_ C-z
shows "Stopped"
type_ 'echo shell-alive-$((6*7))' Enter
shows "^shell-alive-42"
type_ 'fg' Enter
type_ 'line' Enter
shows "^got-line"
fresh

# stopped, then continued in the background, then in the foreground
# (bash: dash starts programs with vfork, and cannot be stopped, with or without nono, while its child has yet to execute)
type_ 'nn bash -c "echo up-\$((6*7)); until [ -e go ]; do sleep 0.05; done; echo finished-\$((6*7))"' Enter
shows "^up-42"
type_ C-z
shows "Stopped"
type_ 'bg; touch go' Enter
shows "finished-42"
fresh

# a job started in the background does not take the terminal; it stops when it reads from it
type_ 'nn cat & until jobs -s | grep cat; do sleep 0.1; done; echo state-$((6*7))' Enter
shows "^state-42"
fresh
type_ 'fg' Enter
type_ 'to-cat' Enter
# once as typed, once from cat; the shell may have been reading still when it was typed
twice() { [ "$(screen | grep -c '^to-cat')" = 2 ]; }
wait_for twice || fail "fg does not give the terminal to a background job: $(screen)"
type_ C-d
fresh

# kill %1 reaches the program once
type_ 'nn bash -c "trap \"echo term-came; exit 9\" TERM; touch armed; while :; do sleep 0.1; done" &' Enter
wait_for test -e armed || fail "the job does not start"
type_ 'kill %1; wait %1; echo waited=$?' Enter
shows "^waited=9"
same "SIGTERM to the job is delivered once" 1 "$(screen | grep -c 'term-came$')"
fresh

# both ends of a pipeline have the terminal they had
type_ 'echo piped-$((6*7)) | nn cat | cat; nn echo one-$((6*7)) | less -X; echo after-less-$((6*7))' Enter
shows "^piped-42"
shows "\(END\)"
type_ q
shows "^after-less-42"
fresh

# the size follows the window
type_ 'nn bash -c "trap \"stty size\" WINCH; echo sized-\$((6*7)); until [ -e resized ]; do sleep 0.05; done"' Enter
shows "^sized-42"
tm resize-window -t 0 -x 91 -y 31
shows "^31 91"
touch resized
fresh

# a full-screen program works, stops and comes back
type_ 'nn vi -u NONE -N new-file' Enter
shows "^~"
type_ 'itext'
shows "^text"
type_ Escape
type_ C-z
shows "Stopped"
type_ "clear" Enter
shows "^ready-$prompts> *\$"
type_ 'fg' Enter
shows "^~"
shows "^text"
type_ ':wq' Enter
wait_for grep -qx text new-file || fail "vi did not write"
fresh

# an inner shell with job control of its own; the terminal comes back when it is killed
type_ 'nn bash --norc --noprofile -i' Enter
shows "^bash-"
type_ 'bash -c "echo inner-\$((6*7)); exec sleep 1000"' Enter
shows "^inner-42"
type_ C-z
shows "Stopped"
type_ 'kill -9 $$' Enter
shows "Killed|ready-$prompts> *\$"
type_ 'echo back-again-$((6*7))' Enter
shows "^back-again-42"
fresh

# hang-up ends everything
type_ 'nn bash -c "sleep 1000 & echo \$! >hup; wait"' Enter
wait_for test -s hup || fail "the job does not start"
tm kill-server
ended() { ! kill -0 "$(cat hup)"; }
wait_for ended || fail "a process outlives the terminal"
finish
