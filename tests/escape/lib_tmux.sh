# shellcheck shell=bash
# lib_tmux.sh - a terminal of one's own (tmux) for tests of what a person sees; on top of lib_run.sh.
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"
export NONO
tm() { tmux -S "$dir/tmux" -f /dev/null "$@"; }
clean_up_() {
	tm kill-server 2>/dev/null
	# who is just ending may still write
	for _ in $(seq 50); do rm -rf "$dir" 2>/dev/null && return; sleep 0.2; done
}
trap clean_up_ EXIT
# start_ COMMAND [COLUMNS ROWS]
start_() { tm new-session -d -x "${2:-100}" -y "${3:-30}" "cd $PWD && $1"; }
type_() { tm send-keys -t 0 "$@"; }
screen() { tm capture-pane -p -t 0; }
# shows TEXT: wait for it
shows() {
	for _ in $(seq 600); do
		screen | grep -qF -- "$1" && return 0
		sleep 0.05
	done
	fail "the screen never shows '$1': $(screen | grep -v '^$' | tail -30)"
	finish
}
lacks() { ! screen | grep -qF -- "$1" || fail "the screen shows '$1': $(screen | grep -v '^$' | tail -30)"; }
# asks TEXT: the question with it is there
asks() {
	shows "a program in the sandbox asks"
	shows "$1"
	sleep 1 # keys typed in the first moments are typed ahead, and no answer
}
