#!/bin/bash
# The object of a trapped call changes while the broker decides: nothing outside the grants is ever read or changed.
here=$(dirname "$(readlink -f "$0")")
. "$here/lib_run.sh"
loops=${NONO_TEST_LOOPS:-2000}

# deny inside allow: what is not denied in this directory is the broker's to open
mkdir "$dir/outside"
echo CANARY >"$dir/outside/secret"
echo CANARY >hidden
chmod 0600 hidden "$dir/outside/secret"
echo fine >good
cat >"$dir/profile.json" <<EOF
{"meta": {"name": "split", "version": "1.0.0"}, "filesystem": {"allow": ["$PWD"], "deny": ["$PWD/hidden"]}}
EOF
for how in memory process symlink; do
	for secret in "$PWD/hidden" "$dir/outside/secret"; do
		ln -sfn "$PWD/good" swap
		got=$("$NONO" run -s --profile "$dir/profile.json" --on-request deny --no-diagnostics -- \
			"$probe" trap_race "$how" "$PWD/good" "$secret" "$loops")
		same "$how, $secret" "leaks 0, reads some" "$got"
		same "mode of $secret after $how" 600 "$(stat -c %a "$secret")"
	done
done
finish
