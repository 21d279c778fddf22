#!/bin/bash
# A question inside the real interactive claude: a read outside the grants asks, "for this session" makes it succeed,
# the screen is what it was, a second read does not ask, the record shows it.
bin=${NONO_AGENTS:-$NONO_SOURCE/build/agents/node_modules/.bin}
if [ ! -x "$bin/claude" ]; then
	echo "FAILED: the agents are not installed; run scripts/install-agents" >&2
	exit 1
fi
. "${NONO_SOURCE:?}/tests/escape/lib_tmux.sh"
mkdir "$dir/out" .claude
for f in a b; do echo "inside-$f" >"$dir/out/$f"; done
# past the first-run questions; a key that is none, and nobody to send it to
cat >"$HOME/.claude.json" <<END
{"hasCompletedOnboarding": true, "theme": "dark", "numStartups": 3,
 "customApiKeyResponses": {"approved": ["aaaaaaaaaaaaaaaaaaaa"], "rejected": []},
 "projects": {"$PWD": {"hasTrustDialogAccepted": true}}}
END
cat >look <<END
cat $dir/out/a && echo looked-\$((6*7))
END
# beside claude, something that reads when told to, while claude is idle
cat >session <<END
(for i in 1 2; do while [ ! -e go\$i ]; do sleep 0.05; done; cat $dir/out/b >got\$i; done) &
exec $bin/claude
END
start_ "export DISABLE_AUTOUPDATER=1 CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 ANTHROPIC_API_KEY=sk-ant-aaaaaaaaaaaaaaaaaaaa \
ANTHROPIC_BASE_URL=http://127.0.0.1:9; exec $NONO run -s --profile claude-code --allow . --read ${bin%/node_modules/.bin} --on-request ask -- bash session"
# nothing is asked at its start
shows "for shortcuts"
screen >before
while sleep 1 && ! screen | cmp -s - before; do screen >before; done

# over the idle program: afterwards every cell is as before
touch go1
asks "out/b"
lacks "for shortcuts"
type_ s
until [ -s got1 ]; do sleep 0.05; done
same "the read succeeds" inside-b "$(cat got1)"
for _ in $(seq 200); do
	screen | cmp -s - before && break
	sleep 0.05
done
same "the screen is what it was" "$(cat before)" "$(screen)"
touch go2
until [ -s got2 ]; do sleep 0.05; done
same "a second read succeeds" inside-b "$(cat got2)"
same "a second read does not ask" "$(cat before)" "$(screen)"

# what claude's own shell reads
type_ '!'
shows "for shell mode"
type_ 'sh ./look; true'
shows "look; true"
type_ Enter
asks "out/a"
type_ s
shows "inside-a"
shows "looked-42"
same "one picture of it" 1 "$(screen | grep -c 'Welcome back')"
"$NONO" why --list >list
same "the record shows both" 2 "$(grep -c "allowed  read     $dir/out/[ab]" list)"
"$NONO" grants >list
same "the grants show both" 2 "$(grep -c "read $dir/out/[ab] (session)" list)"
finish
