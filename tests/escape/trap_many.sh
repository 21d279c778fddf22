#!/bin/bash
# Many calls at once: waiting questions cost no processor and little memory, a storm of opens is answered to the last.
# NONO_TEST_WAITING sets how many questions wait.
here=$(dirname "$(readlink -f "$0")")
. "$here/lib_run.sh"
waiting=${NONO_TEST_WAITING:-1500}
cp "$probe" probe
# a sanitizer's own memory is not the broker's
limit() { [ "$1" -le "$2" ] || grep -q __asan_init "$NONO"; }

# the broker of a run whose first process is $1
broker_of() { ps -o pid= --ppid "$1" | head -1 | tr -d ' '; }
ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }
memory() { awk "/^$2:/ { print \$2 }" "/proc/$1/status"; }
# until the broker has done nothing for a second
idle() {
	local last=-1 now
	for _ in $(seq "${NONO_TEST_PATIENCE:-60}"); do
		now=$(ticks "$1") || return 1
		[ $((now - last)) -le 1 ] && return 0
		last=$now
		sleep 1
	done
	return 1
}

mkdir "$dir/asked"
(cd "$dir/asked" && seq 0 $((waiting - 1)) | xargs touch)
"$NONO" run -s --allow . --on-request hold --no-diagnostics -- ./probe many_waiting "$dir/asked" "$waiting" >made &
run=$!
wait_for test -s made || fail "the program did not start"
same "threads" "$waiting" "$(cat made)"
broker=$(broker_of $run)
idle "$broker" || fail "$waiting waiting questions keep the broker busy"
most=$((4500 + waiting * 70 / 100))
limit "$(memory "$broker" VmRSS)" $most || fail "$waiting waiting questions: $(memory "$broker" VmRSS) kB are more than $most"
echo "$waiting questions: $(memory "$broker" VmRSS) kB, at most $(memory "$broker" VmHWM) kB, $(ls "/proc/$broker/task" | wc -l) threads"
kill -TERM $run
wait $run
gone() { [ ! -e "/proc/$broker/status" ]; }
wait_for gone || fail "the broker is still there after a session that ended with questions"

# a storm from 16 processes, allowed by the kernel's rules and only by the broker's
echo hidden >hidden
cat >"$dir/profile.json" <<EOP
{"meta": {"name": "split", "version": "1.0.0"}, "filesystem": {"allow": ["$PWD"], "deny": ["$PWD/hidden"]}}
EOP
echo x >early
cat >storm <<'EOS'
echo x >later
for n in 1 4 16; do
	for f in early later; do
		echo "$f, $n processes: $(./probe many_opens $f $(($1 / n)) $n)" || echo failed
	done
done
(for i in $(seq 200); do cat "$2" 2>/dev/null; done) & # refusals meanwhile
./probe many_opens later 500 4 || echo failed
wait
EOS
"$NONO" run -s --profile "$dir/profile.json" --on-request deny --no-diagnostics -- sh storm "${NONO_TEST_LOOPS:-3200}" "$dir/outside" >got &
run=$!
highest=0
while kill -0 $run 2>/dev/null; do
	now=$(memory "$(broker_of $run)" VmHWM 2>/dev/null)
	[ "${now:-0}" -gt $highest ] && highest=$now
	sleep 0.1
done
wait $run || fail "the storm was not answered: $(cat got)"
grep -q failed got && fail "opens failed in a storm: $(cat got)"
[ "$(wc -l <got)" = 7 ] || fail "the storm did not end: $(cat got)"
limit $highest 10240 || fail "the broker took $highest kB in a storm"
cat got
echo "broker: at most $highest kB"

# connects that wait in a full queue of a server: more of them than receivers wait, and nobody makes room for them first
cat >full.py <<'EOS'
import os, socket, threading
server = socket.socket(socket.AF_UNIX)
server.bind("queue")
server.listen(0)
queued = []
while True:
    queued.append(socket.socket(socket.AF_UNIX))
    queued[-1].setblocking(False)
    try:
        queued[-1].connect("queue")
    except BlockingIOError:
        break
blocked, connected = [], []
def connect():
    s = socket.socket(socket.AF_UNIX)
    blocked.append(s)
    s.connect("queue")
    connected.append(s)
threads = [threading.Thread(target=connect) for _ in range(12)]
for t in threads:
    t.start()
while len(blocked) < len(threads):
    pass
for _ in range(500):
    os.close(os.open("/etc/passwd", os.O_RDONLY))
print("opened,", len(connected), "connected")
server.setblocking(False)
while any(t.is_alive() for t in threads):
    try:
        server.accept()
    except BlockingIOError:
        pass
print(len(connected), "connected")
EOS
same "opens while connects are blocked" "opened, 0 connected
12 connected" "$("$NONO" run -s --allow-cwd --profile default --allow . --on-request deny --no-diagnostics -- env -u LD_PRELOAD /usr/bin/python3 full.py)"
finish
