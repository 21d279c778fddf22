#!/bin/bash
# nono approve and nono grants from another shell: list, answer, directory, revoke; --approver; --on-request.
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"
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
# pages: the URL in place of the path, and the same answers
printf '#!/bin/sh\nprintf "%%s\\n" "$*" >>%s/opened\n' "$dir" >"$dir/browser"
chmod +x "$dir/browser"
origin=https://unlisted.test
url="$origin/a?b=$(printf 'x%.0s' $(seq 3000))&c=%22"
page() { # word, more pages
	echo "$1" >"$dir/word"
	: >"$dir/asked"
	: >"$dir/opened"
	BROWSER=$browser "$NONO" run -s --allow . --approver "$dir/approver" --no-diagnostics -- \
		sh -c 'for u; do xdg-open "$u"; done; echo $?' sh "$url" "${@:2}" 2>"$dir/err" </dev/null
}
member() { python3 -c '
import json, sys
for l in open(sys.argv[1]):
    q = json.loads(l)
    print(*[q.get(k) for k in sys.argv[2:]])' "$dir/asked" "$@"; }
browser=$dir/browser
same "approver: a page once" 0 "$(page once)"
same "approver: a page" "open URL rule $url xdg-open None False" "$(member operation kind url program path protected)"
same "approver: a page once" "$url" "$(cat "$dir/opened")"
same "approver: two pages once" 2 "$(page once $origin/2 >/dev/null; member url | wc -l)"
same "approver: two pages for the session" "1 2" "$(page session $origin/2 >/dev/null; echo "$(member url | wc -l) $(wc -l <"$dir/opened")")"
same "approver: two pages never" "1 0" "$(page never $origin/2 >/dev/null; echo "$(member url | wc -l) $(wc -l <"$dir/opened")")"
for word in no "" yes; do same "approver: a page, $word" "4 0" "$(page "$word") $(wc -l <"$dir/opened")"; done
# always: with what the built-in profile opens, which the list in the file replaces
same "approver: a page always" 0 "$(page always)"
same "approver: a page always, the next day" "0 0 1" "$(page no) $(member url | wc -l) $(wc -l <"$dir/opened")"
same "approver: what is written" "default [\"$origin\"]" "$(python3 -c '
import json, sys
p = json.load(open(sys.argv[1])); print(p["extends"], json.dumps(p["open_urls"]["allow_origins"]))' "$HOME/.config/nono/profiles/default.json")"
rm "$HOME/.config/nono/profiles/default.json"
# no browser: the approver shows it; what goes by "open URL" does not say so by accident
browser=
unset DISPLAY WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS
export SSH_CONNECTION="192.0.2.1 1 192.0.2.2 22"
same "approver: a page to show" 0 "$(page once)"
same "approver: a page to show" "open URL rule $url
show URL page $url" "$(member operation kind url)"
same "approver: a page to show, for the session" 4 "$(page session)"
grep -qF "open it yourself: $url" "$dir/err" || fail "approver: the URL is not named: $(cat "$dir/err")"
echo 'sleep 300' >>"$dir/approver"
same "approver: a page too late" 4 "$(BROWSER=$dir/browser "$NONO" run -s --allow . --approver "$dir/approver" --approver-timeout 1 --no-diagnostics -- \
	sh -c 'xdg-open https://late.test/; echo $?' 2>/dev/null </dev/null)"
same "approver: too late" "" "$("$NONO" run -s --allow . --approver "$dir/approver" --approver-timeout 1 --no-diagnostics -- cat "$dir/out/a" 2>/dev/null </dev/null)"
# nobody there: refused at once
same "nobody to ask" "cat: $dir/out/a: Permission denied" "$(setsid -w "$NONO" run -s --allow . --no-diagnostics -- cat "$dir/out/a" 2>&1 </dev/null)"
# a session that is just ending: it may still be found, and hangs up
"$NONO" run -s --allow . --on-request hold --no-diagnostics -- sleep 1000 &
session=$!
control=
for _ in $(seq 200); do
	control=$(ls "$HOME"/.local/state/nono/run/sessions/*.sock 2>/dev/null) && "$NONO" approve --list >/dev/null 2>&1 && break
	sleep 0.05
done
mv "$control" "$control.hidden"
/usr/bin/python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.bind(sys.argv[1]); s.listen(); print("ready", flush=True)
while True: s.accept()[0].close()' "$control" >ready &
hangs_up=$!
for _ in $(seq 200); do [ -s ready ] && break; sleep 0.05; done
(sleep 0.3; kill $session) &
same "a session that is just ending" "nono: no session is running" "$("$NONO" approve --list 2>&1)"
kill $hangs_up
wait 2>/dev/null
finish
