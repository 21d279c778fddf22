#!/bin/bash
# nono approve and nono grants from another shell: list, answer, directory, revoke; --approver; --on-request.
. "$NONO_SOURCE/tests/escape/lib_run.sh"
mkdir "$dir/out"
for f in a b c; do echo "inside-$f" >"$dir/out/$f"; done
trap 'kill "$session" 2>/dev/null; wait "$session" 2>/dev/null; rm -rf "$dir"' EXIT
field() { python3 -c 'import json, sys; print(json.loads(sys.stdin.readline()).get(sys.argv[1]))' "$1"; }
until_() { for _ in $(seq 1200); do eval "$1" && return; sleep 0.05; done; fail "never: $1"; finish; }
# one read for every line of "todo"; the results in "done"
cat >loop <<'END'
while read -r file; do cat "$file" >>done 2>&1 || echo refused >>done; done <todo
END
mkfifo todo
"$NONO" run -s --allow . --on-request hold -- sh loop 2>/dev/null </dev/null &
session=$!
exec 3>todo
read_() { echo "$dir/out/$1" >&3; }
last() { tail -n 1 done 2>/dev/null; }

read_ a
same "the first question, waited for" "$dir/out/a" "$("$NONO" approve --next --wait 60 | field object)"
same "its program" cat "$("$NONO" approve --list | field program)"
kill -0 "$("$NONO" approve --list | field pid)" || fail "its process"
"$NONO" approve --next --answer once >/dev/null || fail "once"
until_ '[ "$(last)" = inside-a ]'
read_ a
id=$("$NONO" approve --next --wait 60 | field id)
"$NONO" approve "$id" --answer session || fail "session"
until_ '[ "$(grep -c inside-a done)" = 2 ]'
read_ a
until_ '[ "$(grep -c inside-a done)" = 3 ]'
same "one grant" "   1  read $dir/out/a (session)" "$("$NONO" grants)"
same "one grant, JSON" False "$("$NONO" grants --json | field never)"
# taken back: it asks again
"$NONO" grants --revoke 1 || fail "revoke"
same "no grant" "" "$("$NONO" grants)"
read_ a
id=$("$NONO" approve --next --wait 60 | field id)
"$NONO" approve "$id" --answer never || fail "never"
until_ '[ "$(last)" = refused ]'
: >done
read_ a
until_ '[ "$(last)" = refused ]'
same "said" "never: " "$("$NONO" grants | grep -o 'never: ')"
# a directory, only one that is above
read_ b
id=$("$NONO" approve --next --wait 60 | field id)
"$NONO" approve "$id" --answer session --dir "$HOME" 2>err && fail "another directory is taken"
same "another directory" "nono: $HOME is not a directory above $dir/out/b" "$(cat err)"
"$NONO" approve "$id" --answer once --dir "$dir/out" 2>/dev/null && fail "a directory once"
"$NONO" approve "$id" --answer session --dir "$dir/out" || fail "directory"
until_ '[ "$(last)" = inside-b ]'
read_ c
until_ '[ "$(last)" = inside-c ]'
# mistakes
same "no such question" "nono: question $id is not open" "$("$NONO" approve "$id" --answer once 2>&1)"
same "no such answer" "nono: --answer maybe: there are once, session, always, no and never" "$("$NONO" approve --next --answer maybe 2>&1 | head -1)"
same "no such grant" "nono: there is no grant 77" "$("$NONO" grants --revoke 77 2>&1)"
# from inside nobody answers
same "not from inside" 1 "$(sandboxed "$NONO" approve --list 2>&1 | grep -c 'cannot be answered from inside')"
exec 3>&-
wait "$session"
until_ '[ "$("$NONO" grants 2>&1)" = "nono: no session is running" ]'

# --approver: one object in, one word out
cat >"$dir/approver" <<END
#!/bin/sh
cat >>$dir/asked
cat $dir/word
END
chmod +x "$dir/approver"
asked() { echo "$1" >"$dir/word"; : >"$dir/asked"; "$NONO" run -s --allow . --approver "$dir/approver" --no-diagnostics -- cat "$dir/out/a" 2>/dev/null </dev/null; }
for word in once session; do same "approver: $word" inside-a "$(asked $word)"; done
for word in no never yes "once once"; do same "approver: $word" "" "$(asked "$word")"; done
asked once >/dev/null
same "approver: the object" "read $dir/out/a cat False True" "$(python3 -c '
import json, sys
q = json.load(open(sys.argv[1])); print(q["operation"], q["path"], q["program"], q["protected"], {"id", "parent", "rule"} <= set(q))' "$dir/asked")"
echo 'sleep 300' >>"$dir/approver"
same "approver: too late" "" "$("$NONO" run -s --allow . --approver "$dir/approver" --approver-timeout 1 --no-diagnostics -- cat "$dir/out/a" 2>/dev/null </dev/null)"
# nobody there: refused at once
same "nobody to ask" "cat: $dir/out/a: Permission denied" "$(setsid -w "$NONO" run -s --allow . --no-diagnostics -- cat "$dir/out/a" 2>&1 </dev/null)"
finish
