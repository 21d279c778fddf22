#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The Claude Code hook: installed once, updated, removed; nothing of the person's is changed; what it tells.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work/home XDG_CONFIG_HOME=$work/home/.config XDG_STATE_HOME=$work/home/.local/state
unset XDG_RUNTIME_DIR NONO_CAP_FILE
mkdir -p "$HOME/.claude" "$work/project"
cd "$work/project" || exit 1
failures=0
fail() {
	echo "FAIL: $*"
	failures=$((failures + 1))
}
same() { [ "$2" = "$3" ] || fail "$1: expected \"$2\", got \"$3\""; }
claude=$HOME/.claude

# what the person has stays, in its order, and comes back as it was
cat >"$claude/settings.json" <<'JSON'
{
  "zeta": 1.50,
  "hooks": {
    "Stop": [
      {
        "hooks": [
          {
            "type": "command",
            "command": "a/b"
          }
        ]
      }
    ]
  },
  "alpha": [
    "ü",
    null
  ]
}
JSON
printf 'My notes.\n' >"$claude/CLAUDE.md"
chmod 640 "$claude/settings.json"
cp -r "$claude" "$work/before"
start() { timeout 60 "$NONO" run --on-request deny --allow-cwd --profile claude-code -- "$@" 2>&1 </dev/null; }
out=$(start true)
[[ $out == *"Installing claude-code hook to ~/.claude/hooks/nono-hook.sh"* ]] || fail "no message: $out"
same "mode of the settings" 640 "$(stat -c %a "$claude/settings.json")"
same "order" "zeta hooks alpha" "$(python3 -c 'import json,sys; print(*json.load(open(sys.argv[1])))' "$claude/settings.json")"
stamp=$(stat -c %i.%Y "$claude"/settings.json "$claude"/CLAUDE.md "$claude"/hooks/nono-hook.sh)
out=$(start true)
[[ $out != *"claude-code hook"* ]] || fail "said again: $out"
same "nothing is written twice" "$stamp" "$(stat -c %i.%Y "$claude"/settings.json "$claude"/CLAUDE.md "$claude"/hooks/nono-hook.sh)"
echo old >"$claude/hooks/nono-hook.sh"
sed -i 's/## nono sandbox/## old/' "$claude/CLAUDE.md"
"$NONO" hooks status | grep -q 'another version' || fail "status: $("$NONO" hooks status)"
out=$(start true)
[[ $out == *"Updating claude-code hook (new version available)"* ]] || fail "no update: $out"
cmp -s "$claude/hooks/nono-hook.sh" "$NONO_SOURCE/hooks/nono-hook.sh" || fail "the script is not the one of the tree"
[ -x "$claude/hooks/nono-hook.sh" ] || fail "the script cannot be run"
same "sections" 1 "$(grep -c nono-sandbox-start "$claude/CLAUDE.md")"

# what it tells, by the script, inside and outside the sandbox
export PATH=$(dirname "$NONO"):$PATH
event='{"hook_event_name":"PostToolUseFailure","tool_name":"Read","tool_input":{"file_path":"/etc/shadow"},"error":"EACCES: permission denied"}'
same "outside it says nothing" "" "$(echo "$event" | "$claude/hooks/nono-hook.sh")"
tell() { # EVENT: what the hook says in a sandbox
	printf '%s' "$1" >event.json
	timeout 60 "$NONO" run -s --on-request deny --allow-cwd --profile claude-code --read "$(dirname "$NONO")" \
		-- sh -c 'sh "$HOME/.claude/hooks/nono-hook.sh" <event.json' 2>&1 </dev/null
}
out=$(tell "$event")
python3 - "$out" "$work/project" <<'P' || fail "context: $out"
import json, sys
o = json.loads(sys.argv[1])["hookSpecificOutput"]
text = o["additionalContext"]
assert o["hookEventName"] == "PostToolUseFailure"
assert text.startswith("[NONO SANDBOX - PERMISSION DENIED]\n")
assert """
STOP. Do not try alternative approaches. This is a hard security boundary.

You are running inside the nono security sandbox. The operation you just
attempted is PERMANENTLY BLOCKED for this session.

ALLOWED PATHS (everything else is blocked):
""" in text
assert """
Network: allowed

REQUIRED ACTION:
Tell the user they must EXIT this Claude session and restart with:
  nono run --allow /path/to/needed -- claude
""" in text
assert "  %s (readwrite)\n" % sys.argv[2] in text
assert "nono run --allow /path/to/needed -- claude" in text
P
same "another failure" "" "$(tell '{"tool_name":"Bash","error":"syntax error near x"}')"
same "a granted file" "" "$(tell "{\"tool_name\":\"Edit\",\"tool_input\":{\"file_path\":\"$work/project/x\"},\"error\":\"EACCES\"}")"
same "no JSON" "" "$(tell 'no JSON')"

# removed: as before
"$NONO" hooks remove >/dev/null || fail "remove"
rmdir "$claude/hooks" || fail "the script is still there"
python3 -c 'import json,sys; a,b=(json.load(open(f+"/settings.json"),object_pairs_hook=list) for f in sys.argv[1:]); assert a==b' \
	"$claude" "$work/before" || fail "settings: $(cat "$claude/settings.json")"
cmp "$claude/CLAUDE.md" "$work/before/CLAUDE.md" || fail "CLAUDE.md differs"

# what cannot be understood is left alone, with a warning, and the program starts
for bad in '{"a":1,}' '[]' '{"hooks":[]}' '{"hooks":{"PostToolUseFailure":{}}}' '// comment'; do
	printf '%s' "$bad" >"$claude/settings.json"
	out=$(start echo RAN)
	[[ $out == *"warning: the claude-code hook is not installed"*RAN* ]] || fail "$bad: $out"
	same "untouched" "$bad" "$(cat "$claude/settings.json")"
done
rm -r "${claude:?}"/{settings.json,hooks}

# links to elsewhere, as a program in a sandbox could leave them, are not followed
mkdir "$work/else"
printf 'mine\n' >"$work/else/.bashrc"
for name in CLAUDE.md settings.json hooks/nono-hook.sh; do
	rm -rf "$claude"
	mkdir -p "$claude/hooks"
	ln -s "$work/else/.bashrc" "$claude/$name"
	"$NONO" hooks install >/dev/null 2>&1 && fail "installed through a link: $name"
	same "$name" mine "$(cat "$work/else/.bashrc")"
done
rm -rf "$claude"
mkdir "$claude"
ln -s "$work/else" "$claude/hooks"
"$NONO" hooks install >/dev/null 2>&1 && fail "installed through a linked folder"
[ ! -e "$work/else/nono-hook.sh" ] || fail "wrote through a linked folder"
[ $failures = 0 ]
