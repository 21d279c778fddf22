#!/bin/bash
# Before the start: working directory, dry run, limits, what is refused; wrap.
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"

# without a terminal nobody can be asked: the run goes on without the directory
mkdir -p "$dir/elsewhere"
err=$(cd "$dir/elsewhere" && "$NONO" run -p claude-code -- sh -c 'echo x >f' 2>&1 </dev/null)
[ -e "$dir/elsewhere/f" ] && fail "the working directory was shared without being asked for"
case $err in *"not shared"*) ;; *) fail "nothing is said about the working directory: $err" ;; esac
err=$(cd "$dir/elsewhere" && "$NONO" run -s -p claude-code -- true 2>&1 </dev/null)
same "silent and not shared: status" 1 $?
case $err in *--allow-cwd*) ;; *) fail "--allow-cwd is not mentioned: $err" ;; esac
(cd "$dir/elsewhere" && "$NONO" run -s -p claude-code --allow-cwd -- sh -c 'echo x >f') || fail "--allow-cwd does not share"
[ -s "$dir/elsewhere/f" ] || fail "--allow-cwd does not allow to write"

# the program starts in the working directory when a grant covers it, else in /
same "start directory" "$dir/elsewhere" "$("$NONO" run -s --allow "$dir" --workdir "$dir/elsewhere" -- pwd)"

# a dry run shows and runs nothing
out=$("$NONO" run --allow . --dry-run -- touch ran 2>/dev/null) || fail "dry run fails"
[ -e ran ] && fail "dry run ran"
case $out in *"$dir/work"*touch\ ran*) ;; *) fail "dry run does not show directory and command: $out" ;; esac

# limits that cannot be enforced stop the start
mkdir cg
: >cg/cgroup.controllers
: >cg/cgroup.subtree_control
err=$(NONO_CGROUP_ROOT=$PWD/cg "$NONO" run -s --allow . --memory 100M -- touch limited 2>&1)
same "a limit that cannot be enforced: status" 1 $?
case $err in *memory*) ;; *) fail "the missing controller is not named: $err" ;; esac
[ -e limited ] && fail "the program ran without its limit"

# wrap: the same restrictions, nothing stays behind
"$NONO" wrap -s --allow . -- sh -c 'echo x >wrapped; cat /etc/shadow' >/dev/null 2>&1
[ -s wrapped ] || fail "wrap does not run"
"$NONO" wrap -s --allow . -- sh -c "echo x >$dir/escaped" 2>/dev/null
[ -e "$dir/escaped" ] && fail "wrap does not restrict"
"$NONO" wrap -s --allow . -- sh -c 'exit 7'
same "wrap: status" 7 $?

# a receiver that ends with the tree does not start the next one
strace -f -qq -o threads -e trace=clone,clone3 "$NONO" run -s --allow . -- true
threads=$(grep -c CLONE_THREAD threads)
[ "$threads" -ge 1 ] && [ "$threads" -le 12 ] || fail "a start of true makes $threads threads"

# two at once do not disturb each other; what a killed one left is removed by the next
"$NONO" run -s --allow . --name first -- sh -c 'echo $TMPDIR >first; sleep 1; [ -d "$TMPDIR" ] || echo lost' >one 2>&1 &
while [ ! -s first ]; do sleep 0.02; done
"$NONO" run -s --allow . -- true
wait $!
same "a second session leaves the first alone" "" "$(cat one)"
"$NONO" run -s --allow . -- sh -c 'echo $TMPDIR >dead; kill -9 $PPID; sleep 5' 2>/dev/null
[ -d "$(cat dead)" ] && "$NONO" run -s --allow . -- true
[ -e "$(cat dead)" ] && fail "a dead session's directory stays"
finish
