#!/bin/bash
# The report at the end of a run: short, grouped, and the command line that it names works when it is run.
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"
# no wrappers of somebody's home, which would be refused as well
PATH=$(dirname "$NONO"):/usr/local/bin:/usr/bin:/bin
out=$dir/out
mkdir "$out" "$out/many"
for name in plain "with space" "it's" 'quoted "$HOME" $x' 'sch*n?' 'zwölf'; do echo content >"$out/$name"; done
echo content >"$out/"$'two\nlines\t\e[1m\\x'
for i in 1 2 3 4 5; do echo "$i" >"$out/many/$i"; done
# works WHAT COMMAND...: refused at first, and not by the command line of the report. $flags: further flags of the run
flags=()
works() {
	local what=$1 line
	shift
	nono run --allow . --on-request deny "${flags[@]}" -- "$@" >first 2>&1 </dev/null && fail "$what: it is not refused: $(cat first)"
	line=$(sed -n 's/^  to allow it: //p' first)
	[ -n "$line" ] || { fail "$what: no command line: $(cat first)"; return; }
	(eval "$line") >second 2>&1 </dev/null || fail "$what: $line: $(cat second)"
	grep -q 'refused;' second && fail "$what: $line: $(cat second)"
}
works "one file" cat "$out/plain"
same "two lines and the heading" 3 "$(sed -n '/^nono: 1 thing was refused/,$p' first | wc -l)"
works "names that a shell takes apart" cat "$out/with space" "$out/it's" "$out/quoted \"\$HOME\" \$x" "$out/sch*n?" "$out/zwölf"
works "an argument of several lines" bash -c "cat '$out/plain' &&
	echo 'it'\''s'"
works "a name with control characters" cat "$out/"$'two\nlines\t\e[1m\\x'
works "a directory" ls "$out"
works "many files of one directory" cat "$out/many/1" "$out/many/2" "$out/many/3" "$out/many/4" "$out/many/5"
same "they are one row" 1 "$(grep -c "read  5 files in $out/many  by cat" first)"
works "a file and its directory" bash -c "cat '$out/plain'; ls '$out'"
same "the directory speaks for the file" 0 "$(grep -c -e --read-file first)"
works "writing" bash -c "echo new >'$out/plain'"
works "a new file" bash -c "echo new >'$out/new'"
works "a new directory" mkdir "$out/newdir"
works "a rename" python3 -c "import os; os.rename('$out/new', '$out/newer')"
works "removing" python3 -c "import os; os.unlink('$out/newer')"
works "mode of a file" python3 -c "import os; os.chmod('$out/plain', 0o640)"
works "mode of a directory" python3 -c "import os; os.chmod('$out/newdir', 0o750)"

# sockets, ports and names; the server is a file of its own port
python3 -c '
import http.server, socket, threading
s = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
u = socket.socket(socket.AF_UNIX); u.bind("'"$out"'/sock"); u.listen()
print(s.server_port, flush=True)
s.serve_forever()' >port 2>/dev/null &
server=$!
trap 'kill $server; rm -rf "$dir"' EXIT
until [ -s port ]; do sleep 0.05; done
port=$(cat port)
connect="import socket; socket.create_connection(('127.0.0.1', $port))"
flags=(--allow-domain example.org)
works "a loopback port, names filtered" python3 -c "$connect"
flags=()
works "a socket" python3 -c "import socket; socket.socket(socket.AF_UNIX).connect('$out/sock')"
works "making a socket" python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('$out/sock2')"
# the page is opened by what stands in for a browser outside
mkdir browser && printf '#!/bin/sh\necho "$1" >%s/opened\n' "$dir" >browser/xdg-open && chmod +x browser/xdg-open
PATH=$PWD/browser:$PATH BROWSER=xdg-open DISPLAY=:9 works "a page" xdg-open https://example.org/a?b=c
# what is refused on purpose is not in the command
mkdir "$HOME/.ssh" && echo key >"$HOME/.ssh/id"
nono run --allow . --on-request deny -- cat "$HOME/.ssh/id" "$out/with space" >first 2>&1 </dev/null
same "protected: said" 1 "$(grep -c "read  $HOME/.ssh/id  by cat, protected: group deny_credentials" first)"
same "protected: not in the command" 1 "$(grep -c "to allow what is not refused on purpose: nono run --read-file '$out/with space' --allow" first)"

nono run --allow . --on-request deny --block-net -- python3 -c "$connect" >first 2>&1 </dev/null
same "a blocked network: said" 1 "$(grep -c "connect  127.0.0.1:$port  by python3, protected: the network is blocked" first)"
same "a blocked network: no command" 0 "$(grep -c "to allow" first)"
nono run --allow . --on-request deny -- cat "$HOME/.ssh/id" "$out/with space" >first 2>&1 </dev/null

# nono why: by number, the last one, JSON
same "why: the last one" "DENIED read $out/with space" "$(nono why | head -1)"
same "why: by number" "DENIED read $HOME/.ssh/id" "$(nono why 1 | head -1)"
nono why --json >why.json
same "why: JSON" "read $out/with space cat EACCES 1 --read-file '$out/with space' denied" "$(python3 -c '
import json
d = json.load(open("why.json"))
print(d["operation"], d["resolved"], d["program"], d["errno"], d["count"], d["suggested_flag"], d["status"])')"
nono why 7 2>err && fail "a record that is not there"
same "why: no such record" 1 "$(grep -c 'has no record 7; it has 2' err)"
# kernel only: the broker sees nothing and says nothing
for mode in off; do
	nono run --allow . --supervision $mode -- cat "$out/with space" >first 2>&1 </dev/null
	same "supervision $mode: no report" 0 "$(grep -c 'refused;' first)"
done
finish
