#!/bin/bash
# Hostile requests to open pages: nothing opens, and the broker goes on serving.
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"
export BROWSER=$dir/recorder
printf '#!/bin/sh\nprintf "%%s\\n" "$*" >>%s\n' "$dir/opened" >"$BROWSER"
chmod +x "$BROWSER"
: >"$dir/opened"
cp "$NONO_SOURCE/tests/cli/lib_open_attacks.py" attack.py
python=/usr/bin/python3
agent() {
	"$NONO" run -s --profile claude-code --allow-cwd --on-request deny --no-diagnostics -- "$@"
}
opened() { cat "$dir/opened"; }

# every kind of message, from a program of the tree; the session serves the next one
for mode in malformed deaf; do
	out=$(agent sh -c "$python attack.py $mode \"\$NONO_SOCKET\"; xdg-open https://claude.ai/after-$mode" 2>&1) ||
		fail "after $mode: the session does not serve"
	same "$mode" "" "$out"
done
same "what opened" "https://claude.ai/after-malformed
https://claude.ai/after-deaf" "$(opened)"

# a flood: the person is asked or shown no more than a few
: >"$dir/opened"
n=$(agent sh -c "$python attack.py flood \"\$NONO_SOCKET\"" 2>&1)
same "a flood of pages" "10 10" "$n $(sort -u "$dir/opened" | wc -l)"

# silence: connections that say nothing are hung up on; the person reaches the session all the time
: >"$dir/opened"
agent sh -c "echo \"\$NONO_SOCKET\" >socket; $python attack.py silent \"\$NONO_SOCKET\" mute; xdg-open https://claude.ai/later" >silent 2>&1 &
session=$!
for _ in $(seq 200); do [ -e mute ] && break; sleep 0.05; done
"$NONO" approve --list >list 2>&1 || fail "the person cannot reach the session: $(cat list)"
wait $session || fail "the session does not serve after silence"
same "silence" "" "$(cat silent)"
same "after silence" "https://claude.ai/later" "$(opened)"

# from outside the tree, and from another session
: >"$dir/opened"
agent sh -c 'echo "$NONO_SOCKET" >victim; while [ ! -e end ]; do sleep 0.1; done; xdg-open https://claude.ai/victim' &
session=$!
for _ in $(seq 200); do [ -s victim ] && break; sleep 0.05; done
case $($python attack.py forged "$(cat victim)") in
"hung up" | "refused: "*) ;;
*) fail "a program outside the tree is served" ;;
esac
case $(agent $python attack.py forged "$(cat victim)") in
"refused: "*) ;;
*) fail "a program of another session is served" ;;
esac
case $(agent env NONO_SOCKET="$(cat victim)" xdg-open https://claude.ai/forged 2>&1) in
*"not opened"*) ;;
*) fail "the helper of another session is served" ;;
esac
same "forged requests" "" "$(opened)"
: >end
wait $session || fail "the victim does not serve any more"
same "the victim itself" "https://claude.ai/victim" "$(opened)"
finish
