#!/bin/bash
# The shim on aarch64: libc's opens and executions come through it, functions that open pages lead to closures of
# libffi's. Programs for that processor run in an emulator of it, on this machine's kernel and without a session: what the shim
# asks for is seen among their system calls. The emulator starts no child without a signal at its end, by which
# the shim waits for a page, so every page is refused here.
. "$NONO_SOURCE/tests/escape/lib_run.sh"
if [ "$(uname -m)" = aarch64 ]; then
	echo "nothing to emulate here: shim_libc, open_roads and open_functions run the shim itself"
	finish
fi
cc=aarch64-linux-gnu-gcc root=/usr/aarch64-linux-gnu
emulator=$(command -v qemu-aarch64) && command -v $cc >/dev/null || { echo "$cc or qemu-aarch64 is not installed"; exit 1; }
here=$NONO_SOURCE/tests/cli

mkdir include lib session session/open
cp "$(echo '#include <ffi.h>' | gcc -M -xc - | grep -o '/[^ ]*/ffi\.h')" "$NONO_SOURCE/tests/data/aarch64/ffitarget.h" include
$cc -std=gnu17 -D_GNU_SOURCE -O2 -fPIC -Wall -Wextra -Werror -ffreestanding -fvisibility=hidden -fno-stack-protector -fno-builtin \
	-mno-outline-atomics -I"$NONO_SOURCE" -I"$NONO_SOURCE/shim" -isystem include -shared -nostdlib -Wl,-z,defs \
	-Wl,-Bsymbolic-functions -Wl,--hash-style=gnu -o shim.so "$NONO_SOURCE"/shim/*.c || fail "cannot build the shim"
aarch64-linux-gnu-readelf -d shim.so | grep NEEDED && fail "the shim needs a library"
# libffi for that processor is part of the run time of its Go compiler
go=$($cc -print-file-name=libgo.a)
[ -e "$go" ] || { echo "gccgo-aarch64-linux-gnu is not installed"; exit 1; }
$cc -shared -o lib/libffi.so.8 -Wl,-u,ffi_prep_cif,-u,ffi_closure_alloc,-u,ffi_prep_closure_loc,-u,ffi_type_void "$go" ||
	fail "cannot build libffi"
printf '#!/bin/sh\nprintf "%%s %%s\\n" "${0##*/}" "$*" >>%s\n' "$dir/opened" >session/open/nono-browser
chmod 0755 session/open/nono-browser
cp session/open/nono-browser session/open/xdg-open

# emulated PROGRAM ARG...: with the shim; its system calls go to $dir/calls
emulated() {
	: >"$dir/calls"
	"${as[@]}" "$emulator" -L $root -strace -D "$dir/calls" -E LD_LIBRARY_PATH="$PWD/lib" -E LD_PRELOAD="$PWD/shim.so" \
		-E NONO_SOCKET="$PWD/session/nono.sock" -E NONO_OPEN_FUNCTIONS="$functions" "$@"
}
functions=
as=()
# a mode keeps root from nothing
if [ "$(id -u)" = 0 ]; then
	as=(setpriv --reuid=5 --regid=60 --clear-groups --inh-caps=-all)
	chmod 0755 "$dir" "$dir/work"
fi

# what the kernel refuses is asked again, so two calls mean that the shim made them
mkdir outside && echo secret >outside/f && chmod 0 outside/f
touch inside "$dir/calls" "$dir/opened" && chmod 0666 "$dir/calls" "$dir/opened"
$cc -pthread -o opens "$here/shim_opens.c" || fail "cannot build with the cross compiler"
for pair in open:2 fopen:2 opendir:2 thread:4 syscall:1 forgery:1 instruction:1; do
	kind=${pair%:*} want=${pair#*:} target=outside/f
	if [ $kind = opendir ]; then
		mkdir -p closed && chmod 0 closed && target=closed
	fi
	same "$kind, inside" 0 "$(emulated ./opens $kind "$([ $kind = opendir ] && echo . || echo inside)")"
	same "$kind, outside" 13 "$(emulated ./opens $kind $target)"
	same "$kind: calls" "$want" "$(grep -c "openat([^,]*,\"$target\"" "$dir/calls")"
done

# names are asked for, and no more when nobody answers; there are no descriptors left to ask anybody else with
$cc -I"$NONO_SOURCE" -pthread -o lookup "$NONO_SOURCE/tests/clients/lib_net_lookup.c" || fail "cannot build lib_net_lookup"
same "a name without a session" "not found" "$(emulated ./lookup full api.test)"
same "is asked for once" 1 "$(grep -c 'connect(-28271,' "$dir/calls")"

# openers by their path
$cc -D_GNU_SOURCE -Wno-stringop-overread -o roads "$here/open_roads.c" || fail "cannot build open_roads"
for kind in execve execv execvp execvpe execl execlp execle fexecve execveat execveat-fd posix_spawn posix_spawnp system popen; do
	: >"$dir/opened"
	path=/usr/bin/xdg-open
	case $kind in
	fexecve | execveat*) [ -e $path ] || continue ;;
	esac
	emulated ./roads $kind $path https://claude.ai/$kind >/dev/null 2>"$dir/err"
	case $kind in
	# the shell is not emulated, so this is only whether it is led to the session's entry
	system | popen) ;;
	*) same "$kind" "xdg-open https://claude.ai/$kind" "$(cat "$dir/opened")" ;;
	esac
done
same "another program" 42 "$(printf '#!/bin/sh\nexit 42\n' >other && chmod 0755 other && emulated ./roads posix_spawnp "$PWD/other" x; echo $?)"

# functions that open pages, in a library that is loaded late, near or far away, removed and loaded again
$cc -shared -fPIC -O2 -o libtoolkit.so "$here/open_toolkit.c" && $cc -pthread -rdynamic -o toolkit "$here/shim_toolkit.c" -ldl ||
	fail "cannot build the library"
functions='show:ps:1:i:-3;show_double:iedsld:3:d:2;show_nothing:ddscp:2:v:0;many:iiiiiiiies:9:p:16;'
turn='show 0 1
error 5 0 the page
real 0
set 1
task 0 0 callback data
refused data 5 0
done data
error 5 0 the page
many 0 1'
for where in near far; do
	same "functions, $where" "$turn
$turn" "$(emulated ./toolkit $where 2>"$dir/err")"
	grep -q 'libffi cannot' "$dir/err" && fail "functions, $where: no closure"
	grep -q 'clone(0,' "$dir/calls" || fail "functions, $where: nobody asks for the page"
done
same "functions, many threads" "threads 0
threads 0" "$(emulated ./toolkit near threads 2>"$dir/err")"
functions=
same "functions that are not declared" "not taken over: (nil) https://claude.ai/x" "$(emulated ./toolkit near 2>/dev/null | head -1)"
finish
