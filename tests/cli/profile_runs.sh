#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What published profiles grant to a program that runs under them, and what a profile makes before the start.
set -u
# not below /tmp, which is no place for a home: what groups grant there would open all of it
work=$(mktemp -d /var/tmp/nono-profiles-XXXXXX)
trap 'rm -rf "$work"' EXIT
export HOME=$work/home
unset NONO_CAP_FILE XDG_CONFIG_HOME XDG_STATE_HOME XDG_RUNTIME_DIR XDG_CACHE_HOME XDG_DATA_HOME
profiles=$HOME/.config/nono/profiles
mkdir -p "$profiles" "$HOME/.ssh" "$work/project" "$HOME/shared-libs"
cp "$NONO_SOURCE"/tests/data/profiles/*.json "$profiles"
cd "$work/project" || exit 1
failures=0
fail() {
	echo "FAIL: $*"
	failures=$((failures + 1))
}
run() { timeout 60 "$NONO" run -s --block-net --on-request deny --allow-cwd "$@" </dev/null 2>&1; }
# gives WANTED COMMAND...: what the command prints
gives() {
	local wanted=$1 out
	shift
	out=$("$@")
	[ "$out" = "$wanted" ] || fail "$*: expected \"$wanted\", got \"$out\""
}
refused() {
	local out
	out=$("$@")
	[[ $out == *"Permission denied"* ]] || fail "not refused: $*: $out"
}

# keys stay closed, whatever else of their directory is opened; known_hosts need not be there yet
printf 'key\n' >"$HOME/.ssh/id_ed25519"
printf 'Host x\n' >"$HOME/.ssh/config"
refused run --profile claude-code -- cat "$HOME/.ssh/id_ed25519"
[ ! -e "$HOME/.ssh/known_hosts" ] || fail "known_hosts is there too early"
gives "Host x" run --profile claude-code-secretive -- cat "$HOME/.ssh/config"
gives "first" run --profile claude-code-secretive -- sh -c 'echo first >>~/.ssh/known_hosts; cat ~/.ssh/known_hosts'
gives $'first\nsecond' run --profile claude-code-secretive -- sh -c 'echo second >>~/.ssh/known_hosts; cat ~/.ssh/known_hosts'
refused run --profile claude-code-secretive -- cat "$HOME/.ssh/id_ed25519"
refused run --profile claude-code-secretive -- ls "$HOME/.ssh"
gives ok run --profile claude-code-netopen -- echo ok
gives ok run --profile claude-code-custom-auth -- echo ok

# the profile that hides the built-in of its name: what it lists, and nothing of the hidden one
python3 - "$NONO_SOURCE/tests/data/profiles/own/claude-code.json" "$profiles/claude-code.json" <<'P' || fail "no copy of the profile"
import json, sys
profile = json.load(open(sys.argv[1]))
del profile["env_credentials"] # there is no keyring here
json.dump(profile, open(sys.argv[2], "w"))
P
echo lib >"$HOME/shared-libs/lib"
gives lib run --profile claude-code -- cat "$HOME/shared-libs/lib"
refused run --profile claude-code -- sh -c 'echo x >~/shared-libs/lib'
gives x run --profile claude-code -- sh -c 'echo x >written; cat written'
mkdir -p "$HOME/.vscode"
refused run --profile claude-code -- touch "$HOME/.vscode/x"
rm "$profiles/claude-code.json"

# numbers that a page puts beside its lines: pointed at, and nothing starts
out=$(run --profile callouts -- echo RAN)
[[ $out == *callouts.json:23:16:*callout* && $out != *RAN* ]] || fail "callouts: $out"

# made before the start, so that what a program puts there can be run; not by a dry run
cat >"$profiles/makes.json" <<'J'
{"extends": "default", "filesystem": {"allow": ["~/.agent"], "create_dir": ["~/.agent/bin", "$XDG_RUNTIME_DIR/x"],
 "read": ["$XDG_RUNTIME_DIR/none"]}}
J
timeout 60 "$NONO" run --profile makes --dry-run -- true >/dev/null 2>&1 </dev/null
[ ! -e "$HOME/.agent" ] || fail "a dry run made a directory"
gives RUNS run --profile makes -- sh -c 'printf "#!/bin/sh\necho RUNS\n" >~/.agent/bin/tool; chmod +x ~/.agent/bin/tool; ~/.agent/bin/tool'
[ "$(stat -c %a "$HOME/.agent")" = 700 ] || fail "mode of what was made: $(stat -c %a "$HOME/.agent")"
touch "$HOME/.file"
sed -i 's,~/.agent/bin,~/.file/bin,' "$profiles/makes.json"
gives ok run --profile makes -- echo ok

# variables in values and arguments: those that mean something to profiles, the rest stays
cat >"$profiles/values.json" <<'J'
{"extends": "default", "environment": {"set_vars": {"A": "$HOME/x", "B": "~/y $HOMEX $", "C": "$TMPDIR"}},
 "command_args": ["~/q", "$WORKDIR", "$NOPE"]}
J
gives "$HOME/x|$HOME/y \$HOMEX \$|$HOME/q $work/project \$NOPE" run --profile values -- sh -c 'touch "$C/file" && echo "$A|$B|$*"' sh

# directories that programs look at on their way up: names may be seen, nothing opened
gives ok run --profile default -- sh -c 'ls / /etc >/dev/null && echo ok'
refused run --profile default -- sh -c "ls '$HOME'"
# and no report ever proposes the whole home directory
out=$(timeout 60 "$NONO" run --on-request deny --block-net --allow-cwd -- sh -c 'ls ~; mkdir ~/.new' 2>&1 </dev/null)
[[ $out == *"2 things were refused"* && $out != *"to allow"* ]] || fail "report: $out"

# what every built-in profile promises here: it starts, in a home that has nothing yet
for name in $("$NONO" profile list --json | python3 -c 'import json, sys
for p in json.load(sys.stdin):
    if p["source"] == "built-in": print(p["name"])'); do
	mkdir "$work/fresh"
	HOME=$work/fresh gives ok run --profile "$name" -- echo ok
	rm -rf "${work:?}/fresh"
done
[ $failures = 0 ]
