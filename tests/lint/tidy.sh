#!/bin/bash
# clang-tidy finds nothing in the program, the shim and the protocol.
cd "$NONO_SOURCE" && git ls-files 'broker/*.c' 'proto/*.c' | xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p "$NONO_BUILD" 2>&1 |
	grep -v -E '^[0-9]+ warnings? (generated|treated)|^Suppressed|^Use -header' >"$NONO_BUILD/tidy.txt"
! grep -E 'error:|warning:' "$NONO_BUILD/tidy.txt"
