#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# On demand for the network: an unlisted name raises the question, by its name, whether the program uses the proxy or
# connects itself; every answer; what "always" writes; a program that does not wait; the session's own terminal.
. "${NONO_SOURCE:?}/tests/clients/lib_net.sh"

cat >"$work/approver" <<SH
#!/bin/sh
cat >>"$work/asked"
read -r answer <"$work/answer"
echo "\$answer"
SH
chmod +x "$work/approver"
profile() { # NAME ENTRY...: a profile that filters, or with no entry one that does not
	mkdir -p "$HOME/.config/nono/profiles"
	local name=$1 list=
	shift
	[ $# = 0 ] || list=$(printf ', "network": { "allow_domain": ["%s"] }' "$1")
	printf '{ "meta": { "name": "%s" }, "filesystem": { "allow": ["%s"] }%s }\n' "$name" "$work/dir" "$list" >"$HOME/.config/nono/profiles/$name.json"
}
file() { cat "$HOME/.config/nono/profiles/$1.json"; }
# asking NAME ANSWER COMMAND...: with that profile and that answer to every question
asking() {
	local name=$1
	echo "$2" >"$work/answer"
	: >"$work/asked"
	shift 2
	$nono --profile "$name" --approver "$work/approver" -- "$@"
}
questions() { grep -c '"host"' "$work/asked"; }
twice='for i in 1 2; do curl -sS -m 20 -o /dev/null -w "%{http_code}\n" http://other.test/; done'
get='curl -fsS -m 20 http://other.test/'

for way in "" "$direct"; do
	how=${way:+, without the proxy}
	profile mine api.test
	check "once: the call goes on$how" prints 'hello from 192.0.2.66' asking mine once $way $get
	check "the question has the name and the port$how" grep -q '"operation":"connect".*"host":"other.test","port":80' "$work/asked"
	check "and the program$how" grep -q '"program":"curl"' "$work/asked"
	: >"$work/dns.log"
	check "no: it is refused$how" prints '403\|connect' asking mine no $way curl -fsS -m 20 http://other.test/
	check "and the name was not looked up$how" no_file_line other.test "$work/dns.log"
	asking mine once $way sh -c "$twice" >/dev/null 2>&1
	check "once is for once$how" [ "$(questions)" = 2 ]
	asking mine session $way sh -c "$twice" >/dev/null 2>&1
	check "session is for the session$how" [ "$(questions)" = 1 ]
	asking mine never $way sh -c "$twice" >/dev/null 2>&1
	check "so is no for the session$how" [ "$(questions)" = 1 ]
	check "always$how" prints 'hello from' asking mine always $way $get
	check "writes the rule$how" grep -q '"other.test:80"' "$HOME/.config/nono/profiles/mine.json"
	check "which holds the next time$how" prints 'hello from' $nono --profile mine --on-request deny -- $way $get
	profile open
	before=$(file open)
	open="$nono --profile open --allow-domain api.test --approver $work/approver -- $way"
	echo session >"$work/answer"
	check "a profile that does not filter, restricted by a flag$how" prints 'hello from' $open $get
	echo always >"$work/answer"
	refuse "always is refused there, for the rule would close everything else$how" $open $get
	check "the file is as it was$how" [ "$before" = "$(file open)" ]
	: >"$work/asked"
	refuse "--on-request deny$how" $nono --profile mine --on-request deny -- $way curl -fsS -m 20 http://two.test/
	refuse "metadata is refused without a question$how" asking mine always $way curl -fsS -m 20 http://169.254.169.254/
	check "(none was asked)$how" [ ! -s "$work/asked" ]
done
echo once >"$work/answer"
: >"$work/asked"
refuse "a blocked network asks nobody" $nono --allow "$work/dir" --block-net --approver "$work/approver" -- $get
refuse "by address neither" $nono --allow "$work/dir" --block-net --approver "$work/approver" -- curl -fsS -m 20 http://192.0.2.66/
check "(no question)" [ ! -s "$work/asked" ]

# ---- the session's own terminal ------------------------------------------------------------
profile mine api.test
export NONO
tm() { tmux -S "$work/tmux" -f /dev/null "$@"; }
trap 'tm kill-server 2>/dev/null; cleanup' EXIT
tm new-session -d -x 110 -y 30 "exec bash --norc --noprofile"
screen() { tm capture-pane -p -t 0; }
shows() { for _ in $(seq 600); do screen | grep -q -- "$1" && return 0; sleep 0.05; done; screen | grep -v '^$'; return 1; }
for way in "" "$direct"; do
	how=${way:+, without the proxy}
	tm send-keys -t 0 "clear; $as_user \$NONO run -s --no-diagnostics --profile mine -- $way $get" Enter
	check "the terminal shows the question$how" shows 'other.test'
	check "with the port$how" shows '80'
	sleep 1 # keys typed in the first moments are typed ahead, and no answer
	tm send-keys -t 0 y
	check "and yes lets the call go on$how" shows 'hello from 192.0.2.66'
done

# a program that does not wait any longer takes its question with it
printf '#!/bin/sh\necho $$ >%s/waiting\nexec sleep 600\n' "$work" >"$work/approver"
gone() { ! kill -0 "$(cat "$work/waiting")" 2>/dev/null; }
for way in "" "$direct"; do
	rm -f "$work/waiting"
	check "a program that gives up goes on${way:+, without the proxy}" prints gave-up-42 $nono --profile mine --approver "$work/approver" -- $way \
		sh -c 'curl -sS -m 2 http://other.test/; echo gave-up-$((6*7))'
	check "it had asked" test -s "$work/waiting"
	check "its question is withdrawn" wait_for gone
done
finish
