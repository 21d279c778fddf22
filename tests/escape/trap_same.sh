#!/bin/bash
# Calls that the broker makes on a program's behalf answer what the kernel answers without a sandbox.
here=$(dirname "$(readlink -f "$0")")
. "$here/lib_run.sh"

echo CANARY >hidden
cp "$probe" probe
cat >"$dir/profile.json" <<EOF
{"meta": {"name": "split", "version": "1.0.0"}, "filesystem": {"allow": ["$PWD"], "deny": ["$PWD/hidden"]}}
EOF
./probe trap_same made | cat >"$dir/alone" # a pipe: the probe limits the size of files
rm -rf made
"$NONO" run -s --profile "$dir/profile.json" --on-request deny --no-diagnostics -- "$PWD/probe" trap_same made 2>&1 | cat >"$dir/brokered"
[ "$(wc -l <"$dir/alone")" -gt 60 ] || fail "the calls were not made"
diff "$dir/alone" "$dir/brokered" || fail "calls answer differently (without a sandbox: <, brokered: >)"
finish
