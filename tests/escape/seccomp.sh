#!/bin/bash
# The filter refuses what Landlock does not judge, and nothing else.
here=$(dirname "$(readlink -f "$0")")
. "$here/lib_run.sh"
cp "$probe" probe

out=$(sandboxed ./probe refused_calls) || fail "refused calls: $out"
out=$("$NONO" run -s --allow . --block-net --no-diagnostics -- ./probe refused_calls blocked) ||
	fail "refused calls with --block-net: $out"
out=$("$NONO" run -s --allow . --supervision off --no-diagnostics -- ./probe refused_calls) ||
	fail "refused calls, kernel only: $out"
out=$("$NONO" run -s --allow . --supervision off --block-net --no-diagnostics -- ./probe refused_calls blocked) ||
	fail "refused calls, kernel only with --block-net: $out"
out=$(sandboxed ./probe allowed_calls) || fail "allowed calls: $out"
out=$(sandboxed ./probe other_abi) || fail "other architectures: $out"
finish
