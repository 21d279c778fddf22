#!/bin/bash
# Programs outside the grants: approved they run, as what they are; refused they do not, whatever changes meanwhile.
here=$(dirname "$(readlink -f "$0")")
. "$here/lib_run.sh"
loops=${NONO_TEST_LOOPS:-200}

t=$dir/tools/bin
mkdir -p "$t" "$dir/tools/lib"
cp "$probe" "$t/static"
cp "$probe" probe # where it may be executed
cp /usr/bin/printf "$t/dynamic"
cp "$(readlink -f /bin/sh)" "$t/shell"
chmod 4755 "$t/dynamic"
script() { # NAME FIRST-LINE BODY
	printf '%s\n%s\n' "$2" "$3" >"$t/$1"
	chmod 0755 "$t/$1"
}
script plain '#!/bin/sh' 'echo "$0 $*"'
script option '#! /bin/sh  -ef  ' 'echo "$0 $* $-"'
script mine "#!$t/shell" 'echo "$0 $*"'
script chain "#!$t/mine one" 'never reached'
script env '#!/usr/bin/env bash' 'echo "${BASH##*/} $0 $*"'
script bare 'echo "bare $*"' ''
script count '#!/bin/sh' 'echo $#'
script twice '#!/bin/sh' 'cat "$0" 2>/dev/null | wc -l'
printf '\177ELF nonsense' >"$t/broken" && chmod 0755 "$t/broken"
script refused '#!/bin/sh' 'echo CANARY'
printf '#!%s\necho granted script\n' "$t/shell" >here
chmod 0755 here
cat >"$dir/approver" <<'EOS'
#!/bin/bash
q=$(cat)
echo "$q" >>"${0%/*}/asked"
case $q in
*/refused\"*) echo no ;;
*'"operation":"execute"'*) cat "${0%/*}/answer" ;;
*) echo no ;;
esac
EOS
chmod 0755 "$dir/approver"

run() { "$NONO" run -s --allow . --approver "$dir/approver" --no-diagnostics -- "$@" 2>&1; }
asked() { grep -c . "$dir/asked" 2>/dev/null; }

for answer in once session; do
	echo "$answer" >"$dir/answer"
	same "$answer: a program" "a b" "$(run sh -c "$t/dynamic '%s %s' a b")"
	same "$answer: a static program, called without libc" "-1 EACCES, mask kept" "$(run ./probe exec_thread "$t/static" exec_after "$t/refused")"
	same "$answer: a script" "$t/plain a  b" "$(run sh -c "$t/plain a ' b'")"
	same "$answer: an argument in the first line" "$t/option x fe" "$(run "$BASH" -c "$t/option x")"
	same "$answer: an interpreter of its own" "$t/mine a" "$(run sh -c "$t/mine a")"
	same "$answer: an interpreter that is a script" "$t/mine one $t/chain a" "$(run sh -c "$t/chain a")"
	same "$answer: found by env" "bash $t/env 1" "$(run sh -c "$t/env 1")"
	same "$answer: without a first line" "bare 1" "$(run sh -c "$t/bare 1")"
	same "$answer: a granted script whose interpreter is not" "granted script" "$(run sh -c ./here)"
done
same "by a relative name" "../tools/bin/plain 1" "$(run sh -c '../tools/bin/plain 1')"
same "found in PATH" "$t/plain 1" "$(PATH=$t:$PATH run sh -c 'plain 1')"
same "by descriptor" "$t/plain 1" "$(run ./probe exec_fd "$t/plain" 1)"
same "by a thread" "x" "$(run ./probe exec_thread "$t/dynamic" %s x)"
same "by python, which starts children with vfork" "x" "$(run /usr/bin/python3 -c "import subprocess; subprocess.run(['$t/dynamic', '%s', 'x'])")"
same "its own name" "given" "$(run "$BASH" -c "exec -a given $t/shell -c 'echo \$0'")"
same "what it is called" "dynamic" "$(run sh -c "$t/shell -c 'cat /proc/\$\$/comm' | sed s/shell/dynamic/")"
same "50,000 arguments" 50000 "$(run "$BASH" -c "$t/count {1..50000}")"
same "no program after all" "-1 ENOEXEC, mask kept" "$(run ./probe exec_after "$t/broken")"
same "while signals arrive" "50 of 50" "$(run ./probe exec_storm 50 "$t/dynamic" '')"
same "its signal mask" "0000000000000000" "$(run sh -c "$t/shell -c 'sed -n \"s/^SigBlk:[[:space:]]*//p\" /proc/self/status'")"
same "nobody traces it" "0" "$(run sh -c "$t/shell -c 'sed -n \"s/^TracerPid:[[:space:]]*//p\" /proc/\$\$/status'")"
same "its exit status" 7 "$(run sh -c "$t/shell -c 'exit 7'; echo \$?")"
same "at once by many" 64 "$(run "$BASH" -c "for i in {1..64}; do $t/dynamic 'x\n' & done; wait" | grep -c x)"

# nothing is asked that a yes could not change
: >"$dir/asked"
printf 'echo x' >"$t/noexec"
run sh -c "$t/noexec; $t/missing; $t; $BASH -c true" >/dev/null
same "questions about what cannot run anyway" "" "$(cat "$dir/asked")"
# a loader outside the grants
cp "$t/dynamic" "$dir/loaded" && chmod 0755 "$dir/loaded"
if /usr/bin/python3 - "$dir/loaded" <<'PY'; then
import sys
data = open(sys.argv[1], "rb").read()
old = b"/lib64/ld-linux-x86-64.so.2\0"
if old not in data: sys.exit(1)
open(sys.argv[1], "wb").write(data.replace(old, b"../tools/lib/loader.so\0".ljust(len(old), b"\0"), 1))
PY
	cp /lib64/ld-linux-x86-64.so.2 "$dir/tools/lib/loader.so"
	run sh -c "../loaded x" >/dev/null
	same "asked about the loader" 0 "$(grep -c loader.so "$dir/asked")"
	"$NONO" why 2>&1 | grep -q loader.so || fail "nothing is said about the loader"
fi

# no
same "refused" "-1 EACCES, mask kept" "$(run ./probe exec_after "$t/refused")"
same "denied" "-1 EACCES, mask kept" "$("$NONO" run -s --allow . --on-request deny --no-diagnostics -- ./probe exec_after "$t/plain")"
for how in memory symlink; do
	got=$(run ./probe exec_race "$how" "$t/count" "$t/refused" "$loops")
	[[ $got == *CANARY* ]] && fail "$how changes while the broker decides: what was refused ran"
	[[ $got == *0* ]] || fail "$how changes while the broker decides: nothing ran"
done

# a copy cannot be changed, has no special bits and goes with the session; being approved opens nothing else
cat >"$dir/attack" <<EOS
$t/dynamic ''
copy=\$(ls "\${NONO_CAP_FILE%/*}"/run/1/bin/dynamic)
stat -c %a "\$copy"
for try in 'echo x >"\$copy"' 'echo x >>"\$copy"' 'rm -f "\$copy"' 'mv "\$copy" .' 'ln "\$copy" l && echo x >>l' \
	'chmod 777 "\$copy"' 'touch "\${copy%/*}/other"' 'ln -sf /bin/sh "\${copy%/*}/x"' 'mv . "\${copy%/*/*}"' 'cp /bin/sh "\$copy"'; do
	(eval "\$try") 2>/dev/null && echo "worked: \$try"
done
$t/dynamic still
echo
cat $t/dynamic >/dev/null 2>&1 && echo "read by another program"
dirname "\$copy"
EOS
echo session >"$dir/answer"
got=$(run sh "$(cp "$dir/attack" attack && echo attack)")
same "attacks on a copy" "500
still" "$(printf '%s\n' "$got" | sed '$d')"
left=$(printf '%s\n' "$got" | tail -1)
for _ in $(seq 100); do [ -e "$left" ] || break; sleep 0.05; done
[ -n "$left" ] && [ -e "$left" ] && fail "copies are left behind"
same "only who runs a script may read it" "0" "$(run sh -c "$t/twice; cat $t/twice 2>/dev/null")"
# a program in memory runs, and can do no more than its caller
echo CANARY >"$dir/outside"
same "a program without a file" "-1 EACCES, mask kept" "$(run ./probe exec_memfd ./probe exec_after "$t/refused")"
run ./probe exec_memfd /bin/cat "$dir/outside" | grep -q CANARY && fail "a program in memory reads what its caller may not"
finish
