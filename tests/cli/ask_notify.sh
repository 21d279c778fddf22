#!/bin/bash
# A question as a desktop notification: a real session bus, a real notification daemon (dunst) on a screen of its own,
# and its menu of actions.
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"
if [ -z "${INNER:-}" ]; then
	cd / && rm -rf "$dir"
	INNER=1 exec dbus-run-session -- "$0"
fi
mkdir "$dir/out" && echo inside >"$dir/out/a"
until_() { for _ in $(seq 1200); do eval "$1" && return; sleep 0.05; done; fail "never: $1: $(cat "$dir/dunst.log")"; finish; }
trap 'kill $daemon $screen 2>/dev/null; wait 2>/dev/null; rm -rf "$dir"' EXIT
Xvfb -displayfd 3 -screen 0 640x480x8 -nolisten tcp 3>"$dir/display" >/dev/null 2>&1 &
screen=$!
daemon=
until_ '[ -s "$dir/display" ]'
DISPLAY=:$(cat "$dir/display")
export DISPLAY
# the menu of actions, and the person who picks from it
cat >"$dir/menu" <<END
#!/bin/sh
tee -a $dir/offered | grep -m1 "\$(cat $dir/choice)"
END
chmod +x "$dir/menu"
# what it shows, as its script hears it
printf '#!/bin/sh\nprintf "%%s\\n" "$2" "$3" >>%s/shown\n' "$dir" >"$dir/record"
chmod +x "$dir/record"
printf '[global]\n\tdmenu = %s\n[record]\n\tappname = nono\n\tscript = %s\n' "$dir/menu" "$dir/record" >"$dir/dunstrc"
dunst -config "$dir/dunstrc" >"$dir/dunst.log" 2>&1 &
daemon=$!
# nothing else may be started in its place
until_ 'dbus-send --session --print-reply=literal --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner string:org.freedesktop.Notifications | grep -q true'

# choose LABEL COMMAND...: run it without a terminal and pick LABEL when it asks; prints what it says
with='' flags=''
choose() {
	echo "$1" >"$dir/choice"
	shift
	: >"$dir/shown"
	setsid -w $with "$NONO" run -s --allow . $flags --no-diagnostics -- "$@" >"$dir/said" 2>&1 </dev/null &
	local run=$!
	until_ '[ "$(dunstctl count displayed)" = 1 ]'
	dunstctl action 0
	wait $run
	cat "$dir/said"
	until_ '[ "$(dunstctl count displayed)" = 0 ]'
}
denied="cat: $dir/out/a: Permission denied"
same "once" inside "$(choose Once cat "$dir/out/a")"
same "this session" "inside
inside" "$(choose 'This session' sh -c "cat $dir/out/a; cat $dir/out/a")"
same "no" "$denied" "$(choose No cat "$dir/out/a")"
grep -q Once "$dir/offered" || fail "the menu: $(cat "$dir/offered")"
# pages: the URL is shown whole, the answers are the same
export BROWSER=$dir/browser
printf '#!/bin/sh\nprintf "%%s\\n" "$*" >>%s/opened\n' "$dir" >"$BROWSER"
chmod +x "$BROWSER"
: >"$dir/opened"
origin=https://unlisted.test
url="$origin/login?client=a%3Cb%3E&next=$(printf 'x%.0s' $(seq 3000))&state=the-end"
whole() { grep -qF "$url" <(sed 's/&amp;/\&/g' "$dir/shown") || fail "$1: the URL is not shown whole: $(cat "$dir/shown")"; }
opens='xdg-open "$0"; echo status-$?; [ -z "$1" ] || xdg-open "$1"'
same "a page once" status-0 "$(choose Once sh -c "$opens" "$url")"
whole "a page once"
same "a page once" "$url" "$(cat "$dir/opened")"
same "a page for this session" status-0 "$(choose 'This session' sh -c "$opens" "$url" $origin/second)"
same "a page for this session" "$url
$url
$origin/second" "$(cat "$dir/opened")"
same "no page" "nono: the page was not opened: the page was refused
status-4" "$(choose No sh -c "$opens" "$url")"
# always: the change is shown in a second notification, and written
grep -q "Always" "$dir/offered" || fail "always is not offered: $(cat "$dir/offered")"
always() { # pick "Always" first and then LABEL; prints what the program says
	echo Always >"$dir/choice"
	: >"$dir/shown"
	setsid -w "$NONO" run -s --profile claude-code --allow-cwd --no-diagnostics -- sh -c "$opens" "$url" >"$dir/said" 2>&1 </dev/null &
	local run=$!
	until_ '[ "$(dunstctl count displayed)" = 1 ]'
	dunstctl action 0
	until_ 'grep -q "what \"always\" changes" "$dir/shown" && [ "$(dunstctl count displayed)" = 1 ]'
	echo "$1" >"$dir/choice"
	dunstctl action 0
	wait $run
	cat "$dir/said"
}
file=$HOME/.config/nono/profiles/claude-code.json
same "always, after all not" "nono: the page was not opened: the page was refused
status-4" "$(always No)"
[ ! -e "$file" ] || fail "always, after all not: $(cat "$file")"
same "a page always" status-0 "$(always Write)"
grep -qF "\"$origin\"" "$dir/shown" || fail "a page always: the change is not shown: $(cat "$dir/shown")"
grep -q "\"https://claude.ai\", .*\"$origin\"" "$file" || fail "a page always: $(cat "$file")"
same "a page always, the next day" status-0 "$("$NONO" run -s --profile claude-code --allow-cwd --no-diagnostics --on-request deny -- sh -c "$opens" "$url" 2>&1)"

# no browser: the person opens it somewhere else
unset BROWSER
with="env -u DISPLAY" flags="--allow-url $origin"
same "a page to open" status-0 "$(choose Done sh -c "$opens" "$url")"
whole "a page to open"
grep -q "Open it yourself" "$dir/shown" || fail "a page to open: $(cat "$dir/shown")"
case $(choose 'It cannot be opened' sh -c "$opens" "$url") in
*"open it yourself: $url"*status-4) ;;
*) fail "a page that cannot be opened: $(cat "$dir/said")" ;;
esac
with='' flags=''
same "a page once more" 4 "$(grep -cFx "$url" "$dir/opened")"

# put aside by the person: no
setsid -w "$NONO" run -s --allow . --no-diagnostics -- cat "$dir/out/a" >"$dir/said" 2>&1 </dev/null &
run=$!
until_ '[ "$(dunstctl count displayed)" = 1 ]'
dunstctl close
wait $run
same "put aside" "$denied" "$(cat "$dir/said")"
# the daemon is gone while it asks: no
setsid -w "$NONO" run -s --allow . --no-diagnostics -- cat "$dir/out/a" >"$dir/said" 2>&1 </dev/null &
run=$!
until_ '[ "$(dunstctl count displayed)" = 1 ]'
kill $daemon
wait $run
same "the daemon is gone" "$denied" "$(cat "$dir/said")"
finish
