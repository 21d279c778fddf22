#!/bin/bash
# Files: what the profile lists is shown outside, by its real path; nothing that could be run, and nothing the tree may not read.
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"
export BROWSER=$dir/recorder
printf '#!/bin/sh\nprintf "%%s\\n" "$*" >>%s\n' "$dir/opened" >"$BROWSER"
chmod +x "$BROWSER"
: >"$dir/opened"
here=$(pwd -P)
mkdir -p out/deep out/denied elsewhere "$HOME/docs"
for f in out/report.html "out/a b#c%20ü.txt" out/deep/chart.png out/-x.html out/denied/no.txt elsewhere/page.html "$HOME/docs/one.txt" \
	"$HOME/docs/two.txt" "$dir/secret.txt" out/program.html out/app.desktop out/tool.jar out/plain; do echo text >"$f"; done
chmod +x out/program.html
ln -s ../elsewhere/page.html out/link.html
ln -s "$dir/secret.txt" out/secret.txt
ln -s report.html out/good-link.html
ln -s app.desktop out/launcher.html
mkfifo out/pipe.html
cp elsewhere/page.html elsewhere/page2.html
ln -s /dev/zero out/zero.html
cat >"$dir/files.json" <<JSON
{ "meta": { "name": "files" }, "extends": "default", "workdir": { "access": "readwrite" },
  "filesystem": { "read": ["~/docs"], "deny": ["\$WORKDIR/out/denied"] },
  "open_urls": { "allow_files": ["\$WORKDIR/out", { "path": "~/docs/one.txt", "when": "linux" }] } }
JSON
inside() { "$NONO" run -s --profile "$dir/files.json" --allow-cwd --on-request deny --no-diagnostics -- "$@"; }
opened() { cat "$dir/opened"; }
# shows WHAT PATH COMMAND...: opens exactly this path
shows() {
	: >"$dir/opened"
	inside "${@:3}" 2>err || fail "$1: status $?: $(cat err)"
	same "$1" "$2" "$(opened)"
}
# refused PART COMMAND...: opens nothing, and says why
refused() {
	: >"$dir/opened"
	inside "${@:2}" 2>err && fail "${*:2} is accepted"
	grep -qF -- "$1" err || fail "${*:2}: '$1' is not said: $(cat err)"
	same "${*:2}" "" "$(opened)"
}
shows "a path" "$here/out/report.html" xdg-open out/report.html
shows "another name of the opener" "$here/out/deep/chart.png" open ./out/deep/chart.png
shows "where the caller stands" "$here/out/deep/chart.png" sh -c 'cd out/deep && gio open chart.png'
shows "by the opener's path" "$here/out/report.html" /usr/bin/xdg-open "$here/out/report.html"
shows "BROWSER" "$here/out/report.html" sh -c '$BROWSER out/report.html'
shows "a URL" "$here/out/report.html" xdg-open "file://$here/out/report.html"
shows "a URL of this machine" "$here/out/report.html" xdg-open "FILE://localhost$here/out/report.html"
shows "a name to be encoded" "$here/out/a b#c%20ü.txt" xdg-open "out/a b#c%20ü.txt"
shows "dots" "$here/out/report.html" xdg-open out/deep/../report.html
shows "a link" "$here/out/report.html" xdg-open out/good-link.html
shows "a file that is listed itself" "$(realpath "$HOME")/docs/one.txt" xdg-open "$HOME/docs/one.txt"
shows "a leading dash" "$here/out/-x.html" sh -c 'cd out && xdg-open -- -x.html'
shows "a file made just now" "$here/out/new.txt" sh -c 'echo new >out/new.txt && xdg-open out/new.txt && xdg-open out/new.txt'
: >"$dir/opened"
"$NONO" run -s --allow . --on-request deny --no-diagnostics --allow-open-file elsewhere -- xdg-open elsewhere/page.html ||
	fail "--allow-open-file: status $?"
same "--allow-open-file" "$here/elsewhere/page.html" "$(opened)"

refused '"allow_files": ["~/docs/two.txt"]' xdg-open "$HOME/docs/two.txt"
refused "$here/elsewhere/page.html is not among the files" xdg-open elsewhere/page.html
refused "$here/elsewhere/page.html is not among the files" xdg-open out/link.html
refused "$here/elsewhere/page.html is not among the files" xdg-open out/deep/../../elsewhere/page.html
refused 'may not be read' xdg-open out/secret.txt
refused 'may not be read' xdg-open out/denied/no.txt
refused 'is executable' xdg-open out/program.html
refused 'name of a document' xdg-open out/app.desktop
refused 'name of a document' xdg-open out/launcher.html
refused 'name of a document' xdg-open out/tool.jar
refused 'name of a document' xdg-open out/plain
refused 'no regular file' xdg-open out/pipe.html
refused 'no regular file' xdg-open out/deep
refused '/dev/zero' xdg-open out/zero.html
refused 'takes no options' sh -c 'cd out && xdg-open -x.html'
refused 'there is no file' xdg-open out/none.html
refused 'cannot open' xdg-open "file://$here/out/none.html"
refused 'was not opened' xdg-open /proc/self/root"$here"/out/report.html
for url in "file:out/report.html" "file://evil.test$here/out/report.html" "file:///%00$here/out/report.html" "file://$here/out/report.html?x" \
	"file://$here/out/report.html#x" "file:////$here/out/report.html" "file://$here/out/report%2.html"; do
	refused 'absolute path' xdg-open "$url"
done
refused 'cannot be shown' xdg-open "file://$here/out/a%1b.html"
refused 'cannot be shown' xdg-open "file://$here/out/%E2%80%AEx.html"
touch "$here/out/"$'\xff.html'
refused 'cannot be shown' sh -c 'xdg-open out/?.html'
long=$(printf '%09000d' 0)
refused 'too long' xdg-open "out/$long.html"
refused 'longer than 8192 bytes' xdg-open "file://$here/out/$long.html"
refused 'cannot open' xdg-open "file://$here/out/${long:0:300}.html"

# a link that is changed all the time leads to what is listed or nowhere
inside sh -c 'while [ ! -e end ]; do ln -sfn report.html out/swap.html; ln -sfn ../elsewhere/page.html out/swap.html; ln -sfn '"$dir"'/secret.txt out/swap.html; done &
	for i in 1 2 3 4 5 6 7 8 9 10; do xdg-open out/swap.html; done; touch end; wait' 2>err
same "a link that changes" "" "$(opened | grep -vxF "$here/out/report.html")"
grep -v "was not opened\|there is no file" err && fail "a link that changes: $(cat err)"

# the list is replaced as a whole with the object, like the others of open_urls
echo '{ "meta": { "name": "child" }, "extends": "'"$dir"'/files.json", "open_urls": { "allow_origins": [] } }' >"$dir/child.json"
"$NONO" run -s --profile "$dir/child.json" --allow-cwd --on-request deny --no-diagnostics -- xdg-open out/report.html 2>err &&
	fail "a list that was replaced still counts"

# outside the list a person is asked, about the file itself; what changed while they thought is not opened
ask() {
	"$NONO" run -s --profile "$dir/files.json" --allow-cwd --on-request hold --no-diagnostics -- sh -c 'xdg-open "$1"; echo $?' sh "$1" >said 2>err &
	session=$!
}
: >"$dir/opened"
ask elsewhere/page.html
wait_for sh -c '"$NONO" approve --list | grep -q page.html'
question=$("$NONO" approve --next --answer once 2>&1)
wait $session
same "a question answered with once" "0" "$(cat said)"
same "a question answered with once" "$here/elsewhere/page.html" "$(opened)"
case $question in *"\"object\":\"$here/elsewhere/page.html\""*) ;; *) fail "the question: $question" ;; esac
: >"$dir/opened"
ask elsewhere/page.html
wait_for sh -c '"$NONO" approve --list | grep -q page.html'
ln -sfn "$here/out/report.html" elsewhere/page.html
"$NONO" approve --next --answer once >/dev/null || fail "the second question is not open"
wait $session
same "a file that changed meanwhile" "4" "$(cat said)"
same "a file that changed meanwhile" "" "$(opened)"

# every request is recorded, with the path it was and the line that would open it
log=$(cat "$HOME"/.local/state/nono/denials/*.jsonl)
for answer in opened invalid "not asked"; do
	grep -q "\"operation\":\"open URL\".*html.*\"answer\":\"$answer\"" <<<"$log" || fail "no record says '$answer'"
done
refused 'not among' xdg-open elsewhere/page2.html
why=$("$NONO" why 2>&1)
case $why in *"--allow-open-file $here/elsewhere/page2.html"*'"open_urls": {"allow_files": ["'"$here/elsewhere/page2.html"'"]}'*) ;; *) fail "why: $why" ;; esac
finish
