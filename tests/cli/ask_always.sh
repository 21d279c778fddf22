#!/bin/bash
# "Always": the change of the profile is shown first, is small, and holds at once and later.
. "$NONO_SOURCE/tests/escape/lib_tmux.sh"
mkdir "$dir/out"
export O=$dir/out
for f in a b c d e f g h i j; do echo "inside-$f" >"$O/$f"; done
start_ "exec bash --norc --noprofile"
clear_() {
	type_ "clear; echo clean-\$((6*7))" Enter
	shows "clean-42"
}
type_ "PS1='ready> '; nn() { if [ \$1 = --profile ]; then set -- \"\$@\"; else set -- -- \"\$@\"; fi; \$NONO run -s --allow . --on-request ask --no-diagnostics \"\$@\"; }" Enter
clear_

# always: the change is shown first, comments and order stay, it holds at once and in the next session
printf '%s\n' '{' '  // mine' '  "extends": "default",' '  "filesystem": {' '    "read_file": [' '      "/etc/hostname" // why' \
	'    ]' '  }' '}' >"$dir/p.jsonc"
cp "$dir/p.jsonc" "$dir/before.jsonc"
type_ "nn --profile $dir/p.jsonc -- bash -c 'cat \$O/g; cat \$O/g; echo end-\$((6*7))'" Enter
asks "out/g"
type_ a
shows "This is what \"always\" changes"
shows "\"$dir/out/g\""
same "nothing is written yet" "" "$(diff "$dir/before.jsonc" "$dir/p.jsonc")"
type_ y
shows "end-42"
same "one line more, and a comma" '      "/etc/hostname", // why
      "'"$dir"'/out/g"' "$(diff "$dir/before.jsonc" "$dir/p.jsonc" | sed -n 's/^> //p')"
clear_
type_ "nn --profile $dir/p.jsonc -- bash -c 'cat \$O/g; echo end-\$((6*7))'" Enter
shows "inside-g"
clear_
# without a profile it is the default one's
type_ 'nn bash -c "cat $O/h; cat $O/h; echo end-\$((6*7))"' Enter
asks "out/h"
type_ a
shows "profiles/default.json"
type_ y
shows "end-42"
same "the default profile, extended" "default [\"$dir/out/h\"]" "$(python3 -c '
import json, sys
p = json.load(open(sys.argv[1])); print(p["extends"], json.dumps(p["filesystem"]["read_file"]))' "$HOME/.config/nono/profiles/default.json")"
rm "$HOME/.config/nono/profiles/default.json"
clear_

finish
