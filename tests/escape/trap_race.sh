#!/bin/bash
# The object of a trapped call changes while the broker decides: nothing outside the grants is ever read or changed.
# NONO_TEST_LOOPS sets how often each way is tried with each pair of files.
here=$(dirname "$(readlink -f "$0")")
. "$here/lib_run.sh"
loops=${NONO_TEST_LOOPS:-1500}

# deny inside allow: what is made in a split directory later is the broker's to open, the rest the kernel's
mkdir "$dir/outside" hidden early
for d in "$dir/outside" hidden; do
	echo CANARY >"$d/f"
	chmod 0600 "$d/f"
done
echo fine >early/f
cp "$probe" probe # where it may be executed
cat >"$dir/profile.json" <<EOF
{"meta": {"name": "split", "version": "1.0.0"}, "filesystem": {"allow": ["$PWD"], "deny": ["$PWD/hidden"]}}
EOF
# attempt HOW GOOD SECRET
attempt() {
	rm -rf later swap*
	ln -sfn "$2" swap
	"$NONO" run -s --profile "$dir/profile.json" --on-request deny --no-diagnostics -- \
		sh -c '[ -e "$3" ] || { mkdir later; echo fine >"$3"; }; exec "$1" trap_race "$2" "$3" "$4" "$5"' \
		sh "$PWD/probe" "$1" "$2" "$3" "$loops"
}
for how in memory process symlink rename fd dirfd cwd; do
	for secret in "$PWD/hidden/f" "$dir/outside/f"; do
		for good in "$PWD/early/f" "$PWD/later/f"; do
			same "$how, $good, $secret" "leaks 0, reads some" "$(attempt "$how" "$good" "$secret")"
		done
		same "mode of $secret after $how" 600 "$(stat -c %a "$secret")"
	done
done

# mounts change, made by somebody outside in a mount namespace of this test's own
mkdir "$dir/point"
cat >"$dir/mounts" <<'EOF'
mount --make-rprivate / && mount --bind "$dir/outside" "$dir/point" && umount "$dir/point" || exit 1
(while [ ! -e "$dir/enough" ]; do
	mount --bind "$dir/outside" "$dir/point"; umount -l "$dir/point"
	mount --bind early "$dir/point"; umount -l "$dir/point"
done) &
"$NONO" run -s --profile "$dir/profile.json" --on-request deny --no-diagnostics -- "$PWD/probe" trap_race outside "$dir/point/f" x/x "$1"
touch "$dir/enough"
wait
EOF
export dir
unshare -m true 2>/dev/null && own=-m || own=-rm
got=$(unshare $own bash "$dir/mounts" "$loops" 2>&1)
rc=$?
if [ $rc = 77 ] || ! unshare $own true 2>/dev/null; then
	echo "no mount namespaces here: mounts that change are not tried"
else
	[[ $got == "leaks 0, reads "* ]] || fail "mounts: $got"
	same "mode of a file behind mounts that change" 600 "$(stat -c %a "$dir/outside/f")"
fi
finish
