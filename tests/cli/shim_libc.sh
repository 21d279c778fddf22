#!/bin/bash
# Dynamic, static and musl programs: every way to open works inside, and is refused outside.
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"

src=$NONO_SOURCE/tests/cli/shim_opens.c
gcc -pthread -o dynamic "$src" || fail "cannot build"
gcc -pthread -static -o static "$src" || fail "cannot build the static program"
musl-gcc -pthread -o musl "$src" || fail "cannot build with musl"
mkdir inside "$dir/outside"
echo x >inside/f
echo secret >"$dir/outside/f"

# one run a program: errno by way, inside and outside
for program in dynamic static musl; do
	got=$(sandboxed sh -c "
		for kind in open fopen opendir syscall forgery vfork thread; do
			echo \$kind \$(./$program \$kind inside) \$(./$program \$kind '$dir/outside')
		done; ./$program mdwe ./$program fopen inside/f")
	same "$program" "open 0 13
fopen 0 13
opendir 0 13
syscall 0 13
forgery 0 13
vfork 0 13
thread 0 13
0" "$got"
done

# who makes calls by itself is heard, also right behind a call of the shim's
printf '#!/bin/sh\ncat >/dev/null\necho once\n' >"$dir/yes" && chmod 0755 "$dir/yes"
for program in dynamic static musl; do
	same "$program: the lane's value does not stay behind a call" 0 \
		"$("$NONO" run -s --allow . --approver "$dir/yes" --no-diagnostics -- "./$program" instruction "$dir/outside/f")"
done

# a signal can end a trapped call before the broker has it; an open of a file never ends like that, one that waits does
same "refused under signals" 13 "$(sandboxed ./dynamic storm "$dir/outside/f")"
mkfifo "$dir/outside/fifo"
for program in dynamic static musl; do
	same "$program: a FIFO and a signal" 4 \
		"$("$NONO" run -s --allow . --approver "$dir/yes" --no-diagnostics -- "./$program" alarm "$dir/outside/fifo")"
done

# a program with its own runtime that wants to come first
gcc -fsanitize=address -pthread -o asan "$src" || fail "cannot build with AddressSanitizer"
same "a program with AddressSanitizer" 0 "$(ASAN_OPTIONS=detect_leaks=0 "$NONO" run -s --allow . --on-request deny -- ./asan fopen inside/f)"

# Supervision "shim": what a program without the shim is refused, only the kernel knows; with it the
# broker is told. So the report shows which opens of libc's own come through the shim.
reported() {
	"$NONO" run --supervision shim --allow . --on-request deny -- "./$1" "$2" "$dir/outside/f" 2>&1 >/dev/null |
		grep -c "$dir/outside/f"
}
for kind in open fopen; do
	[ "$(reported dynamic $kind)" -gt 0 ] || fail "$kind does not come through the shim"
done
[ "$("$NONO" run --supervision shim --allow . --on-request deny -- ./dynamic opendir "$dir/outside" 2>&1 >/dev/null |
	grep -c "$dir/outside")" -gt 0 ] || fail "opendir does not come through the shim"
for kind in syscall forgery; do
	same "$kind with supervision shim is not told" 0 "$(reported dynamic $kind)"
done
same "static with supervision shim is not told" 0 "$(reported static open)"
finish
