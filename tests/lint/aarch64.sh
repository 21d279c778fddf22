#!/bin/bash
# Every source compiles for aarch64 as well, and the shim links: nothing leaks in that only x86_64 has.
# Headers of libraries are the host's (they are the same everywhere), those of the C library are the cross compiler's.
cd "$NONO_SOURCE" || exit 1
cc=aarch64-linux-gnu-gcc
command -v $cc >/dev/null || { echo "$cc is not installed"; exit 1; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
for header in seccomp.h json-c event2 msgpack msgpack.h nghttp2 curl; do
	for include in /usr/include "/usr/include/$(gcc -dumpmachine)"; do
		[ -e "$include/$header" ] && ln -sfn "$include/$header" "$dir/$header"
	done
done
cp "$(echo '#include <ffi.h>' | gcc -M -xc - | grep -o '/[^ ]*/ffi\.h')" tests/data/aarch64/ffitarget.h "$dir"
# (openssl's configuration lies among the architecture's headers)
mkdir "$dir/ssl" && cp -rL /usr/include/openssl "$dir/ssl/" && cp -rL "/usr/include/$(gcc -dumpmachine)/openssl" "$dir/ssl/" 2>/dev/null
read -ra libraries < <(pkg-config --cflags dbus-1 | sed 's/-I/-isystem /g')
flags=(-std=gnu17 -D_GNU_SOURCE -DNONO_VERSION='"0"' -O1 -fPIC -Wall -Wextra -Werror -Wno-missing-field-initializers
	-Ibroker -I. "-I$NONO_BUILD/broker" -isystem "$dir" -isystem "$dir/ssl" -isystem "$dir/json-c" "${libraries[@]}")
status=0
while read -r file; do
	$cc -fsyntax-only "${flags[@]}" "$file" || status=1
done < <(git -c safe.directory='*' ls-files 'broker/*.c' 'proto/*.c' 'shim/*.c' 'tests/escape/probe*.c' 'tests/escape/net_probe.c' 'tests/escape/play_kernel.c')
$cc -shared -nostdlib -ffreestanding -fno-stack-protector -fno-builtin -mno-outline-atomics "${flags[@]}" -Wl,-z,defs -o "$dir/libnono-shim.so" shim/*.c || status=1
exit $status
