#!/bin/bash
# A question as a desktop notification: a real session bus, a real notification daemon (dunst) on a screen of its own,
# and its menu of actions.
. "$NONO_SOURCE/tests/escape/lib_run.sh"
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
printf '[global]\n\tdmenu = %s\n' "$dir/menu" >"$dir/dunstrc"
dunst -config "$dir/dunstrc" >"$dir/dunst.log" 2>&1 &
daemon=$!
# nothing else may be started in its place
until_ 'dbus-send --session --print-reply=literal --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner string:org.freedesktop.Notifications | grep -q true'

# choose LABEL COMMAND...: run it without a terminal and pick LABEL when it asks; prints what it says
choose() {
	echo "$1" >"$dir/choice"
	shift
	setsid -w "$NONO" run -s --allow . --no-diagnostics -- "$@" >"$dir/said" 2>&1 </dev/null &
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
