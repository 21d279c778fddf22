#!/bin/bash
# What docs/SECURITY.md says of sessions beside each other and of the broker: places of one are closed to the other, nobody
# of the same user looks into the broker, and debuggers work on what is inside only.
here=$(dirname "$(readlink -f "$0")")
. "$here/lib_run.sh"

cat >first.sh <<'SH'
echo secret >"$TMPDIR/secret"
printf '%s\n' "$TMPDIR/secret" "$NONO_CAP_FILE" "$NONO_SOCKET" "$(dirname "$NONO_CAP_FILE")" >places.new
mv places.new places
exec sleep 300
SH
"$NONO" run -s --allow . --on-request deny --no-diagnostics -- sh first.sh 2>/dev/null &
guard=$!
wait_for test -s places
broker=$(ps -o pid= --ppid $guard | head -1)
broker=${broker// /}

# another session, which even has the whole home directory
other() { "$NONO" run -s --allow . --allow "$HOME" --on-request deny --no-diagnostics -- "$@" 2>/dev/null; }
while read -r place; do
	[ -e "$place" ] || fail "$place is not there"
	same "$place: read" "" "$(other cat "$place")"
	[ ! -d "$place" ] || same "$place: listed" "" "$(other ls "$place")"
	other sh -c "echo x >'$place'; rm -rf '$place'; mv '$place' ./stolen"
	[ -e "$place" ] || fail "$place: another session removed it"
done <places
same "the secret" secret "$(cat "$(head -1 places)")"
same "the socket of another session" refused "$(other /usr/bin/python3 -c "
import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
try: s.connect('$(sed -n 3p places)'); print('connected')
except OSError: print('refused')")"
[ -e stolen ] && fail "something of another session was moved"

# the broker: its entries in /proc belong to root, so that nobody of this user reads its memory
same "who may look into the broker" 0 "$(stat -c %u "/proc/$broker/environ")"
if [ "$(id -u)" != 0 ]; then
	for file in environ maps mem; do
		head -c 1 "/proc/$broker/$file" >/dev/null 2>&1 && fail "/proc/BROKER/$file can be read"
	done
	ls "/proc/$broker/fd/" >/dev/null 2>&1 && fail "/proc/BROKER/fd can be listed"
fi
kill $guard
wait $guard

# debuggers
same "strace inside" "ok 1" "$(sandboxed strace -f -e trace=execve -o trace sh -c 'echo ok; exit 0') $(grep -c 'exited with 0' trace)"
same "gdb inside" 1 "$(sandboxed gdb -nx -batch -ex run -ex 'info inferiors' --args /bin/true 2>/dev/null | grep -c 'exited normally')"
sleep 300 &
victim=$!
sandboxed strace -o trace -p $victim 2>err && fail "strace attached to a process outside"
sandboxed gdb -nx -batch -p $victim 2>&1 | grep -q 'Attaching\|libc' && fail "gdb attached to a process outside"
kill -0 $victim || fail "the process outside is gone"
kill $victim
finish
