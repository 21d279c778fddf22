#!/bin/bash
# Nobody is asked about noise: ordinary tools start, and do their work, without a refusal that would be a question;
# what the kernel refuses anyway is not the sandbox's doing.
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"
printf '[user]\n\tname = x\n\temail = x@example.org\n' >.gitconfig
export GIT_CONFIG_GLOBAL=$PWD/.gitconfig
git init -q . && echo 'int main(void) { return 0; }' >t.c && printf 'all: t.c\n\t$(CC) -o t t.c\n' >Makefile
for f in .bashrc .profile .bash_history .viminfo .vimrc .lesshst .inputrc .python_history; do echo : >"$HOME/$f"; done

# refusals PROFILE WORD...: what of its work would have been a question
refusals() {
	local profile=$1
	shift
	"$NONO" run -s --profile "$profile" --allow . --on-request deny --diagnostics-json -- "$@" 2>&1 >/dev/null </dev/null |
		grep '^{"denials"' | python3 -c '
import json, sys
for line in sys.stdin:
    for d in json.loads(line)["denials"]:
        if not d.get("quiet"):
            print(d["operation"], d["resolved"], "by", d["program"])'
}
tools=(
	"bash -c :" "bash -lc :" "bash -ic :" "sh -c :" "git status" "git commit -qm x --allow-empty" "git log"
	"python3 -c 'import json, locale, socket, ssl, subprocess; locale.setlocale(locale.LC_ALL, \"\")'"
	"node -e 'new Date().toLocaleString(); require(\"https\")'" "vim -es -c q" "vim -es -u NONE -c q"
	"echo x | less" "cc -o t t.c" "make" "curl --version" "ssh -V" "ssh -G localhost" "java -version" "go version"
	"cargo --version" "perl -e 'use POSIX; print strftime(\"%c\", localtime)'" "ruby -v" "rg x ." "find ." "ls -la"
	"date" "id" "whoami" "df ." "free" "nproc" "tar cf x.tar t.c" "awk 'BEGIN { print strftime() }'" "man -w ls" "locale"
	"tput -T xterm colors" "file t.c" "getent hosts localhost" "hostname" "uptime" "ps aux" "ps -eo tty,args" "ip addr"
	"cmake --version" "openssl version" "tmux -V" "xz --version" "npm --version" "jq . <<<1" "gpg --version"
	"stat /" "du -s ." "env" "mktemp" "sort t.c" "ldd /bin/ls" "busybox true" "dpkg -l bash")
# only what this machine has for everybody
export PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
found=0
for tool in "${tools[@]}"; do
	name=${tool%% *}
	[ "$name" = echo ] && name=less
	command -v "$name" >/dev/null || continue
	found=$((found + 1))
	out=$(refusals default bash -c "$tool")
	[ -z "$out" ] || fail "$tool would ask: $out"
done
[ "$found" -ge 25 ] || fail "only $found tools are here"
everything='bash -c :; python3 -c "import locale, ssl; locale.setlocale(locale.LC_ALL, \"\")"; perl -e "use POSIX; print strftime(q(%c), localtime)"; date; ls -la; sort t.c; git status; cc -o t t.c'
for lang in C C.UTF-8 de_DE.UTF-8 nonsense; do
	out=$(LANG=$lang TZ=Europe/Berlin refusals claude-code bash -c "$everything" 2>/dev/null)
	[ -z "$out" ] || fail "LANG=$lang would ask: $out"
done

# inside tmux: programs are not told of a server that they may not reach
same "TMUX is not passed on" "" "$(TMUX=$dir/tmux,1,0 TMUX_PANE=%0 sandboxed sh -c 'echo $TMUX$TMUX_PANE')"
# a path the person is tired of
mkdir "$dir/out" && echo x >"$dir/out/a"
same "out/a would be a question" "read $dir/out/a by cat" "$(refusals default cat "$dir/out/a")"
out=$("$NONO" run -s --allow . --on-request ask --ignore-denied "$dir/out/*" -- cat "$dir/out/a" 2>&1 </dev/null)
same "ignored: refused, not reported" "cat: $dir/out/a: Permission denied" "$out"
out=$("$NONO" why --list | grep -c "refused.*$dir/out/a")
same "ignored: recorded" 1 "$out"

# not the sandbox's doing
nothing() { # WHAT COMMAND...
	local what=$1 out
	shift
	out=$("$NONO" run -s --allow . --on-request deny -- "$@" 2>&1 >/dev/null </dev/null)
	[ -n "$out" ] || fail "$what: it does not fail"
	case $out in *"nono: "*) fail "$what is blamed on the sandbox: $out" ;; esac
}
nothing "a missing file" cat /etc/no-such-file
nothing "a closed port" bash -c ': </dev/tcp/127.0.0.1/1'
nothing "a file where a directory is wanted" ls t.c/x
if [ "$(id -u)" != 0 ]; then
	echo secret >closed && chmod 000 closed
	nothing "the mode of a granted file" cat closed
	for file in /etc/shadow /root; do nothing "the mode of $file" ls -l "$file/"; done
	nothing "the mode of a file outside" cat /etc/shadow
	nothing "the owner of a directory outside" mkdir /usr/share/new
	nothing "the owner of a file outside" bash -c 'echo x >>/etc/passwd'
	nothing "the owner, when the mode is changed" python3 -c 'import os; os.chmod("/etc/passwd", 0o777)'
	nothing "the owner, when times are changed" python3 -c 'import os; os.utime("/etc/passwd", (1, 1))'
fi
finish
