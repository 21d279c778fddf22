#!/bin/bash
# Ways around the broker that do not depend on luck: descriptors, forged shims, other processes, the person's terminal.
here=$(dirname "$(readlink -f "$0")")
. "$here/lib_run.sh"
cp "$probe" probe
mkdir "$dir/outside"
printf '#!/bin/sh\necho CANARY\n' >"$dir/outside/secret"
chmod 0755 "$dir/outside/secret"
echo CANARY >hidden
cat >"$dir/profile.json" <<EOF
{"meta": {"name": "split", "version": "1.0.0"}, "filesystem": {"allow": ["$PWD"], "deny": ["$PWD/hidden"]}}
EOF
state() {
	stat -c '%n %a %u %g %Y %s %h' "$dir/outside" "$dir/outside/secret" hidden
	cat "$dir/outside/secret" hidden
	getfattr -d "$dir/outside/secret" hidden 2>/dev/null
}
before=$(state)

for mode in full shim; do
	split() { "$NONO" run -s --profile "$dir/profile.json" --on-request deny --supervision $mode --no-diagnostics -- "$@" 2>&1; }
	for secret in "$dir/outside/secret" "$PWD/hidden"; do
		same "$mode: named only, ${secret##*/}" tried "$(split ./probe way_opath "$secret")"
		same "$mode: the lane's value, ${secret##*/}" tried "$(split ./probe way_forged "$secret")"
		same "$mode: as before, ${secret##*/}" "$before" "$(state)"
	done
	same "$mode: a directory named only" tried "$(split ./probe way_opath_dir "$dir/outside" secret)"
	same "$mode: descriptors over a socket" tried "$("$probe" way_give "$dir/outside/secret" "$dir/outside" \
		"$NONO" run -s --profile "$dir/profile.json" --on-request deny --supervision $mode --no-diagnostics -- \
		./probe way_take secret 2>&1)"
	same "$mode: state" "$before" "$(state)"
	[ -e stolen ] && fail "$mode: something was stolen"
done

# a file that may only be read stays so, under another name too
chmod 0644 "$dir/outside/secret"
before=$(state)
got=$("$NONO" run -s --allow . --read "$dir/outside" --on-request deny --no-diagnostics -- sh -c '
	ln "$1/secret" l && echo x >>l; mv "$1/secret" m; ln "$1/secret" "$1/n"; cp -l "$1/secret" c && echo x >c
	wc -l <"$1/secret"' sh "$dir/outside" 2>/dev/null)
same "a second name for what may be read" 2 "$got"
same "what may be read is as before" "$before" "$(state)"

# the kernel stacks sixteen domains; where there is no room for one more nothing starts
same "beneath twelve other domains" ran "$("$probe" way_layers 12 "$NONO" run -s --allow . --no-diagnostics -- echo ran 2>&1)"
got=$("$probe" way_layers 16 "$NONO" run -s --allow . --no-diagnostics -- echo ran 2>&1) && fail "a run without a domain of its own"
[[ $got == *nono:* && $got != *ran* ]] || fail "too many domains: $got"

# code put before a program's own has the rights of the program
cat >evil.c <<'EOF'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
__attribute__((constructor)) static void evil(void)
{
	char text[64] = "";
	FILE *f = fopen(getenv("SECRET"), "r");
	if (f && fgets(text, sizeof(text), f) && strstr(text, "#!"))
		puts("CANARY by preload");
	puts("evil ran");
}
int open(const char *p, int f, ...) { return 0; }
EOF
gcc -w -shared -fPIC -o evil.so evil.c || fail "cannot build"
loader=$(readelf -l /bin/true | sed -n 's/.*interpreter: \(.*\)\]/\1/p')
export SECRET=$dir/outside/secret loader
chmod 0755 "$SECRET"
for try in '$loader --preload ./evil.so /bin/cat $SECRET' 'LD_PRELOAD=./evil.so cat $SECRET' 'env -i /bin/cat $SECRET' \
	'unset LD_PRELOAD; cat $SECRET' 'LD_LIBRARY_PATH=. cat $SECRET' 'LD_AUDIT=./evil.so cat $SECRET' '$loader $SECRET' \
	'sh $SECRET' '. $SECRET' 'exec $SECRET' 'LD_PRELOAD=$SECRET cat /dev/null'; do
	sandboxed sh -c "$try" 2>/dev/null | grep CANARY && fail "worked: $try"
done
sandboxed sh -c 'LD_PRELOAD=./evil.so /bin/true' | grep -q 'evil ran' || fail "a program may load its own libraries"

# processes outside, nono's own among them
CANARY=CANARY sleep 60 &
sleeper=$!
cat >inside <<'EOF'
parent=$(sed -n 's/^PPid:[[:space:]]*//p' /proc/$$/status)
cat /proc/self/status /proc/$$/stat /proc/self/environ /proc/self/mountinfo >/dev/null || echo "its own entries cannot be read"
sleep 30 & child=$!
cat /proc/$child/cmdline /proc/$child/status >/dev/null || echo "a child's entries cannot be read"
kill $child
for p in $parent $1 1; do
	./probe way_broker $p
	for f in environ mem maps auxv fd/0 root/etc/hostname cwd/. exe task/$p/environ task/$p/mem; do
		cat /proc/$p/$f >/dev/null 2>&1 && echo "worked: /proc/$p/$f"
		(cd /proc/$$ && cat ../$p/$f) >/dev/null 2>&1 && echo "worked: ../$p/$f"
	done
done
EOF
same "other processes" "tried
tried
tried" "$(sandboxed sh inside $sleeper 2>&1)"
kill $sleeper

# a program that answers for itself
cat >self <<'EOF'
for try in approve grants 'approve --next'; do
	"$NONO" $try >/dev/null 2>&1 </dev/null && echo "worked: nono $try"
done
ls "$XDG_RUNTIME_DIR/nono" "$HOME/.local/state/nono" >/dev/null 2>&1 && echo "worked: listing nono's own"
EOF
same "a program that asks nono for its own questions" "" "$(sandboxed sh self 2>&1)"

# what is remembered of a directory (a static program: all of its opens are trapped) is nothing but where the kernel judges: when
# the directory or the entry leads elsewhere, at once that is what is decided on, and recorded
cp /bin/busybox busybox
mkdir "$dir/else" d
echo CANARY | tee "$dir/else/f" >"$dir/else/g"
echo fine | tee d/f d/g >/dev/null
cat >swap <<'EOF'
for path in d/f "$PWD/d/f"; do
	for _ in 1 2 3; do ./busybox cat $path || echo refused; done
	mv d kept; ln -s "$1" d; ./busybox cat $path || echo refused; rm d; mv kept d
	./busybox cat $path
	mv d/f d/kept; ln -s "$1/g" d/f; ./busybox cat $path || echo refused; rm d/f; mv d/kept d/f
done
EOF
got=$("$NONO" run --allow . --on-request deny -- sh swap "$dir/else" 2>report)
same "a directory and an entry that lead elsewhere" "fine fine fine refused fine refused fine fine fine refused fine refused " "$(tr '\n' ' ' <<<"$got")"
grep -q "$dir/else" report || fail "no record of the refusals: $(cat report)"
finish
