#!/bin/bash
# Every way to an opener ends in one request: entries in PATH, paths in all functions that execute.
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"
export BROWSER=$dir/recorder
printf '#!/bin/sh\nprintf "%%s\\n" "$*" >>%s\n' "$dir/opened" >"$BROWSER"
chmod +x "$BROWSER"
supervision=full
agent() {
	: >"$dir/opened"
	"$NONO" run -s --profile claude-code --supervision $supervision --allow-cwd --on-request deny --no-diagnostics -- "$@" 2>"$dir/err"
}
opens() { # WHAT URL CMD...
	local what=$1 url=$2
	shift 2
	agent "$@" || fail "$what: status $?: $(cat "$dir/err")"
	same "$what" "$url" "$(cat "$dir/opened")"
}
# WHAT COMMAND...: each opens the URL that stands for @ in it; nine in a session, which is not given more at once
all() {
	local what=$1 n=0 script='' urls='' url command
	shift
	for command in "$@" ''; do
		if [ $n = 9 ] || { [ -z "$command" ] && [ $n -gt 0 ]; }; then
			agent sh -c "$script exit \${bad:-0}" || fail "$what: $(cat "$dir/err")"
			same "$what" "$urls" "$(cat "$dir/opened")"
			n=0 script='' urls=''
		fi
		[ -n "$command" ] || continue
		url=https://claude.ai/$((++n)).${command//[^a-zA-Z]/}
		urls+=${urls:+$'\n'}$url
		script+="${command//@/$url} || { echo 'fails: $command' >&2; bad=1; };"
	done
}
# a desktop whose own opener knows nothing of BROWSER, as far as the tree can see
export XDG_CURRENT_DESKTOP=GNOME DISPLAY=:99

# by name
all "by name" {xdg-open,sensible-browser,x-www-browser,www-browser,gnome-www-browser,gnome-open,kde-open,kde-open5}' @' \
	{dde-open,wslview,open,exo-open,'gio open','gio open --','kfmclient openURL','qtxdg-mat open'}' @' \
	'exo-open --launch WebBrowser @' '$BROWSER @' '/usr/bin/python3 -m webbrowser @'
opens "nono run xdg-open" https://claude.ai/x xdg-open https://claude.ai/x
# what an opener says about itself, and what else a program does
same "xdg-open --version" "$(xdg-open --version)" "$(agent sh -c 'xdg-open --version')"
printf '#!/bin/sh\necho real "$@"\n' >gio && chmod +x gio
same "another use of gio" "real info x" "$(PATH=$PWD:$PATH agent sh -c 'gio info x')"
agent sh -c 'PATH=${PATH%%:*} kfmclient foo' && fail "a program that is not there"
grep -q 'no such program' "$dir/err" || fail "a program that is not there: $(cat "$dir/err")"

# the statuses of xdg-open, with a sentence
says() { # STATUS PATTERN CMD...
	local status=$1 pattern=$2
	shift 2
	agent sh -c '"$@"' sh "$@"
	same "status of $*" "$status" "$?"
	grep -qE "$pattern" "$dir/err" || fail "$*: $(cat "$dir/err")"
	same "$* opens nothing" "" "$(cat "$dir/opened")"
}
says 1 'page to open is missing' xdg-open
says 1 'page to open is missing' xdg-open ''
says 1 'takes no options' xdg-open --new-window https://claude.ai/
says 1 'takes no options' xdg-open -https://claude.ai/
says 1 'one page is opened at a time' xdg-open https://claude.ai/1 https://claude.ai/2
says 1 'one page is opened at a time' gio open https://claude.ai/1 https://claude.ai/2
says 2 'there is no file nowhere' xdg-open nowhere
says 4 'does not have the name of a document' xdg-open /etc/passwd
says 4 'only pages at https' xdg-open mailto:a@b.test
says 4 'control character' xdg-open $'https://claude.ai/\nx'
says 4 'allow_origins' xdg-open https://evil.test/

# the flag is macOS's; what a profile says about it has no effect here
for command in run shell wrap; do
	"$NONO" $command --profile claude-code --allow-cwd --allow-launch-services -- true 2>"$dir/err" </dev/null
	same "$command --allow-launch-services" 2 "$?"
	grep -q -- '--allow-launch-services is for macOS' "$dir/err" || fail "--allow-launch-services: $(cat "$dir/err")"
done
echo '{"extends": "claude-code", "allow_launch_services": true}' >"$dir/launch.json"
"$NONO" run -s --profile "$dir/launch.json" --allow-cwd --on-request deny -- true || fail "allow_launch_services: status $?"

# by path, in every function that executes
gcc -D_GNU_SOURCE -o roads "$NONO_SOURCE/tests/cli/open_roads.c" || fail "cannot build"
gcc -D_GNU_SOURCE -static -o static "$NONO_SOURCE/tests/cli/open_roads.c" || fail "cannot build the static program"
libc="execve execv execvp execvpe execl execlp execle fexecve posix_spawn posix_spawnp"
each() { # PROGRAM KIND...
	local program=$1 commands=()
	shift
	for kind in "$@"; do commands+=("$program $kind /usr/bin/xdg-open @"); done
	all "by path, $program" "${commands[@]}"
}
each ./roads $libc execveat execveat-fd system popen
# as programs of musl, as far as they have the same functions
musl-gcc -D_GNU_SOURCE -o musl "$NONO_SOURCE/tests/cli/open_roads.c" || fail "cannot build with musl"
each ./musl $libc system popen
all "other paths" './roads execv '{/usr/bin/open,/usr/local/bin/x-www-browser,/bin/sensible-browser}' @'
# a copy of the script that a package brings along
cp /usr/bin/xdg-open xdg-open
opens "a copy of xdg-open" https://claude.ai/ ./roads execv "$PWD/xdg-open" https://claude.ai/
opens "a copy of xdg-open, relative" https://claude.ai/ ./roads posix_spawn ./xdg-open https://claude.ai/
# what is called like an opener elsewhere is not one
printf '#!/bin/sh\necho own "$@"\n' >open && chmod +x open
same "a program's own open" "own x" "$(agent ./open x)"
# errors stay those of the kernel: EFAULT, ENOENT, EACCES, EINVAL
for pair in fault=14 fault-at=14 missing=2 directory=13 bad-fd=22; do
	agent ./roads ${pair%=*} x x
	same "${pair%=*}" "${pair#*=}" "$?"
done
# Without the shim the broker leads there: no variable helps, and the program has another name for itself.
each 'env -i ./static' $libc execveat execveat-fd syscall
opens "raw" https://claude.ai/raw env -i ./roads syscall /usr/bin/open https://claude.ai/raw
agent env -i ./static posix_spawn /usr/bin/xdg-open https://evil.test/ && fail "static: a page that is not allowed"
opens "a copy of xdg-open, static" https://claude.ai/ env -i ./static execve "$PWD/xdg-open" https://claude.ai/
same "a program's own open, static" "own https://claude.ai/" "$(agent env -i ./static execve ./open https://claude.ai/)"
for pair in fault=14 missing=2 directory=13; do
	agent env -i ./static ${pair%=*} x x
	same "static, ${pair%=*}" "${pair#*=}" "$?"
done
# a program that starts an opener and ends at once
for program in /usr/bin/xdg-open ./xdg-open gio; do
	opens "left behind: $program" https://claude.ai/left /usr/bin/python3 -c '
import os, subprocess, sys
subprocess.Popen([sys.argv[1], *["open"] * (sys.argv[1] == "gio"), "https://claude.ai/left"], start_new_session=True, stdin=-3, stdout=-3, stderr=-3)
os._exit(0)' $program
done
# a sanitizer's runtime in nono itself reads its options by calls that only full supervision serves
grep -q __asan_init "$NONO" && finish
# where the broker is not asked, so the shim alone leads there; and where the environment does
supervision=shim
each ./roads $libc
each ./musl $libc system popen
finish
