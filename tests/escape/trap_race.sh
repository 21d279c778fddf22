#!/bin/bash
# The object of a trapped call changes while the broker decides: nothing outside the grants is ever read or changed.
here=$(dirname "$(readlink -f "$0")")
. "$here/lib_run.sh"
loops=${NONO_TEST_LOOPS:-2000}

# deny inside allow: entries made in this directory later are the broker's to open, the others the kernel's
mkdir "$dir/outside"
echo CANARY >"$dir/outside/secret"
echo CANARY >hidden
chmod 0600 hidden "$dir/outside/secret"
echo fine >good
cp "$probe" probe # where it may be executed
cat >"$dir/profile.json" <<EOF
{"meta": {"name": "split", "version": "1.0.0"}, "filesystem": {"allow": ["$PWD"], "deny": ["$PWD/hidden"]}}
EOF
for how in memory process symlink; do
	for secret in "$PWD/hidden" "$dir/outside/secret"; do
		for good in "$PWD/good" "$PWD/later"; do
			rm -f later
			ln -sfn "$good" swap
			got=$("$NONO" run -s --profile "$dir/profile.json" --on-request deny --no-diagnostics -- \
				sh -c '[ -e "$3" ] || echo fine >"$3"; exec "$1" trap_race "$2" "$3" "$4" "$5"' \
				sh "$PWD/probe" "$how" "$good" "$secret" "$loops")
			same "$how, $good, $secret" "leaks 0, reads some" "$got"
		done
		same "mode of $secret after $how" 600 "$(stat -c %a "$secret")"
	done
done
finish
