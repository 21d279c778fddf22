#!/bin/bash
# A directory that may only be written: what the session made can be read back, what others made cannot, by no way.
here=$(dirname "$(readlink -f "$0")")
. "$here/lib_run.sh"

mkdir "$dir/wo"
echo CANARY >"$dir/wo/theirs"
writing() {
	"$NONO" run -s --allow . --write "$dir/wo" --on-request deny --no-diagnostics -- bash -c "$1" bash "$dir/wo" 2>&1
}
same "made and read back" mine "$(writing 'echo mine >"$1/a"; cat "$1/a"')"
same "read back under another name" mine "$(writing 'echo mine >"$1/b"; mv "$1/b" "$1/c"; cat "$1/c"')"
same "made in a directory of its own" mine "$(writing 'mkdir "$1/d"; echo mine >"$1/d/f"; cat "$1/d/f"')"
same "moved to where it may be read" mine "$(writing 'echo mine >"$1/e"; mv "$1/e" here; cat here')"
for try in 'cat "$1/theirs"' 'mv "$1/theirs" x; cat x' 'ln "$1/theirs" y; cat y' 'cp "$1/theirs" z; cat z' \
	'mv "$1/theirs" "$1/f"; cat "$1/f"; mv "$1/f" "$1/theirs"' 'ln -s "$1/theirs" l; cat l' \
	'exec 5>>"$1/theirs"; cat /proc/self/fd/5 /dev/fd/5' 'cd "$1" && cat theirs' 'tail -c 9 "$1/theirs"'; do
	writing "$try" | grep -q CANARY && fail "read: $try"
done
# own files and those of others change places under one name; from outside, theirs is put back whenever it gets lost
echo CANARY >"$dir/keep"
(while [ ! -e "$dir/enough" ]; do ln -f "$dir/keep" "$dir/wo/theirs"; sleep 0.01; done) &
outside=$!
got=$(writing 'end=$((SECONDS + 2))
	(while [ $SECONDS -lt $end ]; do echo mine >"$1/own"; mv -f "$1/own" "$1/swap"; mv -f "$1/theirs" "$1/swap"; mv -f "$1/swap" "$1/theirs"; done) &
	while [ $SECONDS -lt $end ]; do mv -f "$1/swap" out; cat out "$1/swap"; done; wait' | grep -c CANARY)
touch "$dir/enough"
wait "$outside"
same "leaks while names are swapped" 0 "$got"
finish
