#!/bin/bash
# The program inherits the standard streams and nothing else, and no privileges.
here=$(dirname "$(readlink -f "$0")")
. "$here/lib_run.sh"
cp "$probe" probe

exec 7</etc/passwd 9>leak 133</etc/hostname 900</dev/null
out=$(sandboxed ./probe descriptors 7<&7 9>&9) || fail "inherited descriptors: $out"
out=$("$NONO" run -s --allow . --supervision off --no-diagnostics -- ./probe descriptors) || fail "kernel only: $out"
exec 7<&- 9>&- 133<&- 900<&-
out=$(sandboxed ./probe capabilities) || fail "capabilities: $out"
out=$(sandboxed sh -c 'exec ./probe capabilities') || fail "capabilities after another exec: $out"
same "no_new_privs" 1 "$(sandboxed sh -c 'while read -r k v; do [ "$k" = NoNewPrivs: ] && echo "$v"; done </proc/self/status')"
finish
