#!/bin/bash
# `cmake --install` gives a tree that works from where it is: program, shim, man page, completions, profiles.
. "$NONO_SOURCE/tests/escape/lib_run.sh"
prefix=$dir/prefix
cmake --install "$NONO_BUILD" --prefix "$prefix" >install.log 2>&1 || fail "cmake --install: $(tail -3 install.log)"
for file in bin/nono lib/nono/libnono-shim.so share/man/man1/nono.1 share/nono/profiles/claude-code.json \
	share/bash-completion/completions/nono share/zsh/site-functions/_nono share/fish/vendor_completions.d/nono.fish; do
	[ -s "$prefix/$file" ] || fail "$file is not installed"
done
bash -n "$prefix/share/bash-completion/completions/nono" || fail "the bash completion does not parse"
NONO=$prefix/bin/nono
same "a run from the installed tree" 42 "$(sandboxed sh -c 'echo $((6*7))')"
same "the claude-code profile from the installed tree" 42 \
	"$("$NONO" run -s --profile claude-code --allow-cwd --on-request deny -- sh -c 'echo $((6*7))')"
finish
