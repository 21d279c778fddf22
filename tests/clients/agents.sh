#!/bin/bash
# The real agents start inside: --version and --help of each, and an interactive start of each in a terminal,
# which ends without a question and without a refusal worth telling.
# They come from npm (scripts/install-agents); nothing here talks to the network.
set -u
bin=${NONO_AGENTS:-$NONO_SOURCE/build/agents/node_modules/.bin}
# not below /tmp, which is no place for a home: what groups grant there would open all of it
work=$(mktemp -d /var/tmp/nono-agents-XXXXXX)
export HOME=$work/home TMUX_TMPDIR=$work
export ANTHROPIC_API_KEY=sk-ant-none-00000000000000000000
unset XDG_CONFIG_HOME XDG_STATE_HOME XDG_RUNTIME_DIR XDG_CACHE_HOME XDG_DATA_HOME NONO_CAP_FILE
unset CI CONTINUOUS_INTEGRATION # some take it for "nobody is there"
mkdir -p "$HOME" "$work/project"
cd "$work/project" || exit 1
cleanup() {
	tmux -L agents kill-server 2>/dev/null
	# an agent that is just ending may still write to its home
	for _ in $(seq 50); do rm -rf "$work" 2>/dev/null && return; sleep 0.2; done
	echo "FAILED: $work cannot be removed" >&2
}
trap cleanup EXIT
failed=0

check() { # what, status
	if [ "$2" = 0 ]; then echo "ok: $1"; else echo "FAILED: $1"; failed=1; return 1; fi
}

if [ ! -x "$bin/claude" ]; then
	echo "FAILED: the agents are not installed; run scripts/install-agents" >&2
	exit 1
fi
inside=("$NONO" run --allow-cwd --read "${bin%/node_modules/.bin}")

# A first start may say more than a later one, and a start beside one that is still ending less: the end of
# what it says is compared, and up to three times.
same() { # agent, profile, flag
	for _ in 1 2 3; do
		"$bin/$1" "$3" >bare.out 2>&1 </dev/null
		"${inside[@]}" -s --profile "$2" --on-request deny -- "$bin/$1" "$3" >inside.out 2>&1 </dev/null
		[ -s inside.out ] && diff <(tail -n 5 bare.out) <(tail -n 5 inside.out) >difference && return 0
	done
	cat difference
	return 1
}
for pair in claude:claude-code codex:codex opencode:opencode gemini:gemini; do
	for flag in --version --help; do
		same "${pair%%:*}" "${pair##*:}" $flag
		check "${pair%%:*} $flag says the same inside and outside" $?
	done
done

# an interactive start of somebody who has used claude here before
cat >"$HOME/.claude.json" <<JSON
{"hasCompletedOnboarding": true, "theme": "dark", "lastOnboardingVersion": "2.0.0",
 "customApiKeyResponses": {"approved": ["${ANTHROPIC_API_KEY: -20}"], "rejected": []},
 "projects": {"$work/project": {"hasTrustDialogAccepted": true, "hasCompletedProjectOnboarding": true}}}
JSON
# a server without sessions ends, perhaps just as the next one is made: this one stays to the end
tmux -L agents new-session -d -s base "sleep 600" \; set-option -g remain-on-exit on
screen() { tmux -L agents capture-pane -p -S -100 -t "$1"; }
# not by the words that tmux writes then: once in some hundred times it misses that its child is there to be waited for
ended() { [ "$(tmux -L agents display-message -p -t "$1" '#{pane_dead}')" = 1 ]; }
screen_has() { # session, pattern: poll for up to two minutes
	for _ in $(seq 240); do
		screen "$1" | grep -Eiq "$2" && return 0
		sleep 0.5
	done
	screen "$1"
	return 1
}
asked="a program in the sandbox asks"
for triple in "claude:claude-code:Claude Code v" "codex:codex:Sign in with ChatGPT" "opencode:opencode:ask anything" \
	"gemini:gemini:Gemini CLI v"; do
	IFS=: read -r agent profile pattern <<<"$triple"
	# a state directory for each, so that its refusals can be told from another's
	tmux -L agents new-session -d -s "$agent" -x 140 -y 50 -c "$work/project" -e XDG_STATE_HOME="$work/state-$agent" \
		"$(printf '%q ' "${inside[@]}" --block-net --profile "$profile" -- "$bin/$agent")"
	screen_has "$agent" "$pattern|$asked"
	check "$agent draws its first screen inside" $?
	# what it looks for while it starts is there by then
	sleep "${NONO_AGENTS_WATCH_SECS:-3}"
	! screen "$agent" | grep "$asked"
	check "$agent starts without a question" $? || screen "$agent"
	for _ in $(seq 100); do
		ended "$agent" && break
		tmux -L agents send-keys -t "$agent" C-c
		sleep 0.3
	done
	ended "$agent"
	check "$agent ends on Ctrl-C" $? || screen "$agent"
	tmux -L agents kill-session -t "$agent"
	refused=$(XDG_STATE_HOME="$work/state-$agent" "$NONO" why --list --json 2>/dev/null | grep -v '"quiet":true' |
		grep -v '"operation":"connect"')
	[ -z "$refused" ]
	check "nothing but the network is refused to $agent while it starts" $? || echo "$refused"
done
exit $failed
