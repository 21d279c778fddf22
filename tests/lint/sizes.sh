#!/bin/bash
# No source file over 700 lines, no function over 70.
cd "$NONO_SOURCE" || exit 1
long=$(git ls-files '*.c' '*.h' '*.sh' '*.py' | xargs wc -l | awk '$2 != "total" && $1 > 700')
functions=$(git ls-files '*.c' | xargs awk '
	FNR == 1 { start = 0 }
	/^\{/ { start = FNR }
	/^\}/ { if (start && FNR - start > 70) print FILENAME ":" start ": function of " FNR - start " lines"; start = 0 }')
[ -z "$long$functions" ] || { printf '%s\n%s\n' "$long" "$functions"; exit 1; }
