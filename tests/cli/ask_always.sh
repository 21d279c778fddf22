#!/bin/bash
# "Always": the change of the profile is shown first, is small, and holds at once and later.
. "${NONO_SOURCE:?}/tests/escape/lib_tmux.sh"
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

# pages: the list of the file would replace the built-in one, so it holds that as well
export BROWSER=$dir/browser
printf '#!/bin/sh\nprintf "%%s\\n" "$*" >>%s/opened\n' "$dir" >"$BROWSER"
chmod +x "$BROWSER"
clear_
type_ "export BROWSER=$BROWSER; nc() { \$NONO run -s --profile claude-code --allow-cwd --no-diagnostics \"\$@\"; }; clear" Enter
long=$(printf 'x%.0s' $(seq 900))
type_ "nc -- bash -c 'xdg-open https://sso.test:8443/a?b=$long; echo end-\$((6*7))'" Enter
asks "sso.test"
type_ a
shows "This is what \"always\" changes"
shows '"allow_localhost": true'
shows '"https://sso.test:8443"]'
type_ y
shows "end-42"
file=$HOME/.config/nono/profiles/claude-code.json
same "the origins before and the new one" 'claude-code ["https://claude.ai", "https://claude.com", "https://console.anthropic.com", "https://platform.claude.com", "https://api.anthropic.com", "https://sso.test:8443"] True' \
	"$(python3 -c '
import json, sys
p = json.load(open(sys.argv[1])); u = p["open_urls"]; print(p["extends"], json.dumps(u["allow_origins"]), u["allow_localhost"])' "$file")"
# a second one is added to it; a file to be opened too
cp "$file" "$dir/before.json"
clear_
echo text >page.html
type_ "nc -- bash -c 'xdg-open https://other.test/; xdg-open page.html; xdg-open https://claude.ai/x; xdg-open https://sso.test:8443/b; echo end-\$((6*7))'" Enter
asks "other.test"
type_ a
shows "This is what \"always\" changes"
type_ y
asks "page.html"
type_ a
shows "This is what \"always\" changes"
type_ y
shows "end-42"
same "what changed: a value, a comma, a list" "3" "$(diff "$dir/before.json" "$file" | grep -c '^>')"
same "the list of files" "[\"$(pwd -P)/page.html\"]" "$(python3 -c '
import json, sys
print(json.dumps(json.load(open(sys.argv[1]))["open_urls"]["allow_files"]))' "$file")"
: >"$dir/opened"
"$NONO" run -s --profile claude-code --allow-cwd --on-request deny --no-diagnostics -- sh -c 'for u in https://claude.com/ https://sso.test:8443/c https://other.test/ page.html; do xdg-open "$u"; done' ||
	fail "the next session opens less: $?"
same "the next session" 4 "$(wc -l <"$dir/opened")"

finish
