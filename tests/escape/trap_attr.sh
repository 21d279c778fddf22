#!/bin/bash
# Attributes: what Landlock does not judge goes by the rules, also by descriptor and where no path can be told.
here=$(dirname "$(readlink -f "$0")")
. "$here/lib_run.sh"

echo x >file
same "file capabilities are not set on behalf" "security EPERM
trusted EPERM
remove EPERM" "$(sandboxed "$probe" capability_xattr "$PWD/file")"
same "no attribute was set" "[]" "$(python3 -c "import os; print(os.listxattr(\"file\"))")"

# a file that may only be read, deeper than PATH_MAX
mkdir "$dir/readonly"
step=$(printf 'd%.0s' $(seq 200))
( cd "$dir/readonly" && for _ in $(seq 21); do mkdir "$step" && cd "./$step" || exit 1; done; echo x >deep && chmod 0600 deep )
got=$("$NONO" run -s --allow . --read "$dir/readonly" --on-request deny --no-diagnostics -- "$probe" deep_chmod "$dir/readonly" 21 deep)
same "a mode changed by descriptor, path too long to be told" "open ok
fchmod EACCES" "$got"
mode=$(cd "$dir/readonly" && for _ in $(seq 21); do cd "./$step" || exit 1; done; stat -c %a deep)
same "mode of the deep file" 600 "$mode"
got=$("$NONO" run -s --allow . --on-request deny --no-diagnostics -- "$probe" deep_chmod . 0 file)
same "a granted file's mode" "open ok
fchmod ok" "$got"
finish
