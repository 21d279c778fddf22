#!/bin/bash
# The shim: loaded quietly, survives exec, calls on the lane behave, refusals are those of the kernel.
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"

same "the shim is preloaded" libnono-shim.so "$(basename "$(sandboxed sh -c 'echo $LD_PRELOAD')")"
same "an LD_PRELOAD from outside is dropped" libnono-shim.so "$(basename "$(LD_PRELOAD=/none/other.so sandboxed sh -c 'echo $LD_PRELOAD' 2>/dev/null)")"
same "nothing is printed" "" "$(sandboxed sh -c 'sh -c true' 2>&1)"
same "survives exec" yes "$(sandboxed sh -c "sh -c 'grep -q libnono-shim /proc/self/maps' && echo yes")"
readelf -d "$NONO_BUILD/lib/libnono-shim.so" | grep NEEDED && fail "the shim needs a library"

# every call that is taken over by name, and the errno of what fails by itself
cat >calls.py <<'PY'
import errno, os
def fails(number, call, *args):
    try:
        call(*args)
    except OSError as e:
        assert e.errno == number, (call, e)
    else:
        raise AssertionError(call)
os.mkdir("d", 0o750)
fd = os.open("d/f", os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o640)
assert os.fstat(fd).st_mode & 0o777 == 0o640
os.write(fd, b"x" * 100)
os.truncate("d/f", 10)
assert os.stat("d/f").st_size == 10
os.link("d/f", "d/g")
os.symlink("f", "d/s")
os.rename("d/g", "h")
os.mkfifo("d/p")
assert open("d/s").read() == "x" * 10
assert sorted(os.listdir("d")) == ["f", "p", "s"]
fails(errno.ENOENT, os.open, "none", os.O_RDONLY)
fails(errno.EEXIST, os.mkdir, "d")
fails(errno.ENOTEMPTY, os.rmdir, "d")
fails(errno.ENOTDIR, os.open, "h/x", os.O_RDONLY)
fails(errno.ELOOP, os.open, "d/s", os.O_RDONLY | os.O_NOFOLLOW)
for name in ["d/f", "d/s", "d/p", "h"]:
    os.unlink(name)
os.rmdir("d")
PY
sandboxed /usr/bin/python3 calls.py || fail "calls on the lane"

# outside the grants: refused, with the errno of a refusal
echo secret >"$dir/outside"
same "a file outside" "EACCES" "$(sandboxed /usr/bin/python3 -c "
import errno
try: open('$dir/outside')
except OSError as e: print(errno.errorcode[e.errno])")"
sandboxed sh -c "echo x >$dir/made" 2>/dev/null
[ -e "$dir/made" ] && fail "a file was made outside"
for mode in full shim off; do
	same "supervision $mode: inside" here "$(echo here >in && sandboxed cat in)"
	"$NONO" run -s --supervision $mode --allow . --on-request deny --no-diagnostics -- cat "$dir/outside" >got 2>/dev/null
	[ -s got ] && fail "supervision $mode: a file outside was read"
done
same "off: nothing is preloaded" "" "$("$NONO" run -s --supervision off --allow . -- sh -c 'echo $LD_PRELOAD')"
finish
