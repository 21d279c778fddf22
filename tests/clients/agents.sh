#!/bin/bash
# The real agents start inside: --version and --help of each, and an interactive start of each in a terminal.
# They come from npm (scripts/install-agents); nothing here talks to the network.
set -u
bin=${NONO_AGENTS:-$NONO_SOURCE/build/agents/node_modules/.bin}
work=$(mktemp -d /var/tmp/nono-agents-XXXXXX)
export HOME=$work/home TMUX_TMPDIR=$work
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
for pair in claude:claude-code codex:codex opencode:opencode gemini:gemini; do
	agent=${pair%%:*} profile=${pair##*:}
	for flag in --version --help; do
		# some write their help to standard error; a first start may say more than a later one, the end stays the same
		bare=$("$bin/$agent" $flag 2>&1 </dev/null | tail -n 5)
		inside=$("$NONO" run -s --profile "$profile" --allow-cwd --read "${bin%/node_modules/.bin}" --on-request deny -- \
			"$bin/$agent" $flag 2>&1 </dev/null | tail -n 5)
		[ -n "$inside" ] && [ "$bare" = "$inside" ]
		check "$agent $flag says the same inside and outside" $? || printf 'outside: %s\ninside: %s\n' "$bare" "$inside"
	done
done

# an interactive start: the program draws its first screen
# a server without sessions ends, perhaps just as the next one is made: this one stays to the end
tmux -L agents new-session -d -s base "sleep 600"
screen_has() { # session, pattern: poll for up to 30 s
	for _ in $(seq 60); do
		tmux -L agents capture-pane -p -t "$1" | grep -Eiq "$2" && return 0
		sleep 0.5
	done
	tmux -L agents capture-pane -p -t "$1"
	return 1
}
for triple in "claude:claude-code:claude code|theme|welcome|text style" "codex:codex:codex|sign in|openai" \
	"opencode:opencode:opencode|ask anything|build" "gemini:gemini:gemini|auth|theme|sign in"; do
	IFS=: read -r agent profile pattern <<<"$triple"
	tmux -L agents new-session -d -s "$agent" -x 120 -y 40 -c "$work/project" \
		"'$NONO' run -s --profile $profile --allow-cwd --read '${bin%/node_modules/.bin}' --on-request deny -- '$bin/$agent'; echo ended \$?; sleep 60"
	screen_has "$agent" "$pattern"
	check "$agent draws its first screen inside" $?
	tmux -L agents kill-session -t "$agent"
done
exit $failed
