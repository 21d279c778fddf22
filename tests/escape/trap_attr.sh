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

# a descriptor in a mount that is gone: the kernel calls the file by a name that is granted, which another file has
unshare -m true 2>/dev/null && own=-m || own=-rm
cat >"$dir/gone" <<'EOF'
mount --make-rprivate / && mkdir "$dir/point" && mount -t tmpfs none "$dir/point" || exit 1
mkdir -p "$dir/point$PWD" && echo x >"$dir/point$PWD/named" && chmod 0600 "$dir/point$PWD/named"
echo x >named
exec <"$dir/point$PWD/named"
umount -l "$dir/point"
"$NONO" run -s --allow . --on-request deny --no-diagnostics -- /usr/bin/python3 -c 'import os
for f in 0, "/dev/stdin":
    try: os.chmod(f, 0o777); print("changed", os.readlink("/proc/self/fd/0"))
    except PermissionError: print("refused")'
stat -L -c %a /proc/self/fd/0
EOF
export dir
if unshare $own true 2>/dev/null; then
	same "a file in a mount that is gone" "refused
refused
600" "$(unshare $own bash "$dir/gone" 2>&1)"
else
	echo "no mount namespaces here: a mount that is gone is not tried"
fi
finish
