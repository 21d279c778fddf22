#!/bin/bash
# Every C file is formatted as .clang-format says.
cd "$NONO_SOURCE" && git ls-files '*.c' '*.h' | xargs clang-format --dry-run --Werror
