#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The real claude starts with the hook installed and takes it from its settings.
set -u
bin=${NONO_AGENTS:-$NONO_SOURCE/build/agents/node_modules/.bin}
if [ ! -x "$bin/claude" ]; then
	echo "FAILED: the agents are not installed; run scripts/install-agents" >&2
	exit 1
fi
work=$(mktemp -d /var/tmp/nono-hooks-XXXXXX)
trap 'rm -rf "$work" 2>/dev/null || { sleep 2; rm -rf "$work"; }' EXIT
export HOME=$work/home
mkdir -p "$HOME" "$work/project"
cd "$work/project" || exit 1
settings=$HOME/.claude/settings.json
start() { # LOG: one print-mode start, which ends because nobody is logged in
	timeout 90 "$NONO" run -s --on-request deny --block-net --profile claude-code --allow-cwd \
		--read "${bin%/node_modules/.bin}" -- "$bin/claude" -p hi --debug-file "$work/project/$1" >"$1.out" 2>&1 </dev/null
	[ -s "$1" ]
}
# its log names a hook it has taken over from the settings
start good || { echo "FAILED: claude wrote no log: $(cat good.out)"; exit 1; }
[ -x "$HOME/.claude/hooks/nono-hook.sh" ] && grep -q nono-hook.sh "$settings" || { echo "FAILED: no hook"; exit 1; }
grep -q hook_registered good || { echo "FAILED: claude does not take the hook"; grep -i hook good; exit 1; }
# and none when the settings are at fault, so the line above shows that these are not
echo '{"hooks": {"PostToolUseFailure": "no list"}}' >"$settings"
start bad || exit 1
grep -q hook_registered bad && { echo "FAILED: a fault in the settings is not seen by this test"; exit 1; }
exit 0
