#!/bin/bash
# Toolkit functions that open pages: those of GLib, and what a profile declares.
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"
export BROWSER=$dir/recorder
printf '#!/bin/sh\nprintf "%%s\\n" "$*" >>%s\n' "$dir/opened" >"$BROWSER"
chmod +x "$BROWSER"
profile=claude-code
agent() {
	: >"$dir/opened"
	"$NONO" run -s --profile "$profile" --allow-cwd --on-request deny --no-diagnostics -- "$@" 2>"$dir/err"
}
opened() { # WHAT URL
	same "$1" "$2" "$(cat "$dir/opened")"
}

# GLib, linked and called
gcc -o glib "$NONO_SOURCE/tests/cli/open_glib.c" $(pkg-config --cflags --libs gio-2.0) || fail "cannot build with GLib"
same "GLib" "sync 1 none -" "$(agent ./glib https://claude.ai/sync)"
opened "GLib" https://claude.ai/sync
same "GLib, later" "async 1 none data" "$(agent ./glib https://claude.ai/async x)"
opened "GLib, later" https://claude.ai/async
for url in https://evil.test/ file:///etc/passwd /etc/passwd --new-window ''; do
	same "GLib, '$url'" "sync 0 error -" "$(agent ./glib "$url")"
	grep -q '^nono: ' "$dir/err" || fail "GLib, '$url': nothing is said"
	same "GLib, '$url', later" "async 0 error data" "$(agent ./glib "$url" x)"
	opened "GLib, '$url'" ""
done
# and from within GLib, by a program that no entry leads to
cp "$(command -v gio)" tool
agent ./tool open https://claude.ai/tool || fail "gio: status $?"
opened "gio" https://claude.ai/tool

# A profile's own, in a library that is loaded late, far away, removed and loaded again. Each has another signature.
gcc -shared -fPIC -O2 -o libtoolkit.so "$NONO_SOURCE/tests/cli/open_toolkit.c" || fail "cannot build the library"
profile=$dir/profile.json
cat >"$profile" <<'JSON'
{"extends": "claude-code", "open_urls": {"allow_origins": ["https://claude.ai"], "functions": [
	{"symbol": "show", "args": ["pointer", "string"], "url_arg": 1, "returns": "int", "value": -3},
	{"symbol": "tiny", "args": ["string"], "url_arg": 0, "returns": "long", "value": 4294967296},
	{"symbol": "show_double", "args": ["int", "double", "string", "long"], "url_arg": 2, "returns": "double", "value": 2},
	{"symbol": "show_nothing", "args": ["double", "double", "string"], "url_arg": 2},
	{"symbol": "many", "args": ["int", "int", "int", "int", "int", "int", "int", "string"], "url_arg": 7, "returns": "pointer", "value": 16}
]}}
JSON
cat >late.py <<'PY'
import ctypes, _ctypes, mmap, sys
far = sys.argv[1:] == ["far"]
if far:  # nothing loaded from here on is within reach of a near jump
    gap = mmap.mmap(-1, 3 << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000, prot=mmap.PROT_READ)
for turn in range(2):
    lib = ctypes.CDLL("./libtoolkit.so")
    lib.tiny.restype, lib.show_double.restype, lib.many.restype = ctypes.c_long, ctypes.c_double, ctypes.c_void_p
    url = b"https://claude.ai/%d" % turn
    if turn == 0:
        print(lib.show(None, url), lib.indirect(url))
        if not far:
            print(lib.tiny(url))
        print(lib.show_double(1, ctypes.c_double(1.5), url, 3))
        lib.show_nothing(ctypes.c_double(1), ctypes.c_double(2), url)
        print(lib.many(1, 2, 3, 4, 5, 6, 7, url))
    else:
        print(lib.show(None, url))
    # no string: what a wrong signature leads to
    print(lib.show(None, None), lib.show(None, ctypes.c_void_p(16)))
    _ctypes.dlclose(lib._handle)
PY
for where in near far; do
	lines="-3 -2
4294967296
2.0
16
0 0
-3
0 0"
	[ $where = far ] && lines=${lines/4294967296$'\n'/} # too short a function for a far jump
	same "$where" "$lines" "$(agent /usr/bin/python3 late.py $where)"
	opened "$where" "https://claude.ai/0
https://claude.ai/1"
done

# many threads at once, in a program that wants to hear nothing of its children, and has another one
cat >threads.py <<'PY'
import ctypes, os, signal, threading
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
if os.fork() == 0:
    signal.pause()
lib = ctypes.CDLL("./libtoolkit.so")
gate = threading.Barrier(8)
answers = []
def ask():
    gate.wait()
    answers.append(lib.show(None, b"https://claude.ai/threads"))
threads = [threading.Thread(target=ask) for _ in range(8)]
for t in threads: t.start()
for t in threads: t.join()
print(answers)
PY
same "threads" "[-3, -3, -3, -3, -3, -3, -3, -3]" "$(agent /usr/bin/python3 threads.py)"
opened "threads" https://claude.ai/threads

# a library is searched for in the place of its caller; another preloaded one, behind the shim or before it, is called too
mkdir plugins
echo 'int answer(void) { return 42; }' | gcc -shared -fPIC -x c -o plugins/libplugin.so -
cat >host.c <<'C'
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>
int main(void)
{
	void *lib = dlopen("libplugin.so", RTLD_NOW);
	int (*answer)(void) = lib ? (int (*)(void))dlsym(lib, "answer") : NULL;
	printf("%d\n", answer ? answer() : -1);
	fflush(stdout);
	execlp("echo", "echo", "executed", (char *)NULL);
	return 1;
}
C
cat >wrap.c <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <unistd.h>
int execlp(const char *file, const char *arg, ...)
{
	(void)arg;
	write(1, "wrapped\n", 8);
	return ((int (*)(const char *, const char *, ...))dlsym(RTLD_NEXT, "execlp"))(file, "echo", "again", (char *)NULL);
}
C
gcc -o host host.c -Wl,-rpath,'$ORIGIN/plugins' && gcc -shared -fPIC -o wrap.so wrap.c || fail "cannot build the host"
same "a library beside the program" "42 executed" "$(agent ./host | paste -sd' ')"
same "a wrapper behind the shim" "42 wrapped again" "$(agent sh -c 'LD_PRELOAD="$LD_PRELOAD $PWD/wrap.so" ./host' | paste -sd' ')"
same "a wrapper before the shim" "42 wrapped again" "$(agent sh -c 'LD_PRELOAD="$PWD/wrap.so $LD_PRELOAD" ./host' | paste -sd' ')"

# Programs of another kind see none of it: libffi is not loaded before it is needed, nothing is printed.
same "libffi is not loaded" 0 "$(agent /usr/bin/python3 -c 'print(open("/proc/self/maps").read().count("libffi"))')"
# anybody may set the variable
for text in ';' ':::::;' 'a:s:0:i:1' 'a:s:9:i:1;' 'a:ssssssssssssssssss:0:i:1;' 'a:s:-1:i:1;' 'a:p:0:i:1;' "$(printf 'a:s:0:i:1;%.0s' {1..900})" \
	"$(printf 'x%.0s' {1..20000})"; do
	same "a variable of ${text:0:20}" ok "$(agent env NONO_OPEN_FUNCTIONS="$text" sh -c 'echo ok')"
done
finish
