#!/bin/bash
# The real gh logs in by the device flow at a host of the test's own: one page opens outside the sandbox, whoever opens it
# authorizes the device, the token lands in gh's own file and is good in the next session. With an open and with a
# filtered network.
. "${NONO_SOURCE:?}/tests/clients/lib_net.sh"
command -v gh >/dev/null || { echo "gh is not installed (package gh)"; exit 1; }
$world ip addr add 192.0.2.12/24 dev link1
echo '192.0.2.12 gh.test' >>"$work/hosts"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=gh.test \
	-addext subjectAltName=DNS:gh.test -keyout "$work/gh.key" -out "$work/dir/gh.pem" 2>/dev/null
server=
serve() { # a new one for each login
	[ -n "$server" ] && kill "$server" && wait "$server" 2>/dev/null
	: >"$work/gh.log"
	$world python3 "$here/lib_oauth_gh.py" 192.0.2.12 "$work/dir/gh.pem" "$work/gh.key" "$work/gh.log" &
	server=$!
	pids="$pids $server"
	wait_for grep -q ready "$work/gh.log"
}
export BROWSER=$work/browser SSL_CERT_FILE=$work/dir/gh.pem
cat >"$BROWSER" <<SH
#!/bin/sh
printf '%s\n' "\$*" >>$work/opened
exec curl -fsS --cacert $work/dir/gh.pem "\$1"
SH
chmod +x "$BROWSER"
unset GH_TOKEN GITHUB_TOKEN GH_ENTERPRISE_TOKEN GITHUB_ENTERPRISE_TOKEN GH_HOST GH_BROWSER GH_CONFIG_DIR CI SSH_CONNECTION
hosts=$HOME/.config/gh/hosts.yml
profile() { # name, more
	cat >"$work/$1.json" <<JSON
{ "meta": { "name": "$1" }, "extends": "gh", "open_urls": { "allow_origins": ["https://gh.test"] }$2 }
JSON
}
profile open ''
profile filtered ', "network": { "allow_domain": ["gh.test"] }'
# a server for each login: one that is just ending may still be found by whoever looks for it
logins=0
tm() { tmux -S "$work/tmux-$logins" -f /dev/null "$@"; }
screen() { tm capture-pane -p -t 0; }
shows() { screen | grep -qF -- "$1"; }
screen_or_end() { shows "$1" || shows "gh-status-"; }
# one Enter for each question of gh's, and "n" where git is to be changed: its settings are not the session's
start_login() { # profile
	logins=$((logins + 1))
	serve
	: >"$work/opened"
	rm -rf "$HOME/.config/gh"
	tm new-session -d -x 120 -y 40 "$nono --profile $work/$1.json --allow-cwd --on-request deny -- gh auth login --hostname gh.test --git-protocol https --web; echo gh-status-\$?; sleep 600"
	wait_for screen_or_end "Authenticate Git with your GitHub credentials"
	tm send-keys -t 0 n Enter
	wait_for screen_or_end "Press Enter to open gh.test"
	shows "WDJB-MJHT" && tm send-keys -t 0 Enter
}
login() { # profile
	start_login "$1"
	wait_for shows "gh-status-"
	screen >"$work/screen"
	tm kill-server
	sed 's/^/    /' "$work/screen" | grep -v '^ *$'
	grep -q gh-status-0 "$work/screen" && grep -q "Logged in as ann" "$work/screen"
}
one_page() { [ "$(cat "$work/opened")" = https://gh.test/login/device ]; }
token_kept() { grep -qx authorized "$work/gh.log" && grep -q "oauth_token: gho_" "$hosts" && [ "$(stat -c %a "$hosts")" = 600 ]; }
for network in open filtered; do
	check "login, $network network" login $network
	check "exactly one page, $network network" one_page
	check "the token is in gh's file, $network network" token_kept
	for day in "next day" "day after"; do
		check "status the $day, $network network" prints "Logged in to gh.test as ann" $nono --profile "$work/$network.json" \
			--allow-cwd --on-request deny -- gh auth status --hostname gh.test
	done
	check "no page more, $network network" one_page
done
check "logout" $nono --profile "$work/open.json" --allow-cwd --on-request deny -- gh auth logout --hostname gh.test
# the built-in profile opens pages of github.com: nothing opens here, and gh says what to add
echo '{ "meta": { "name": "builtin" }, "extends": "gh" }' >"$work/builtin.json"
not_listed() {
	start_login builtin
	wait_for screen_or_end "Failed opening a web browser"
	screen | tr -d '\n' >"$work/screen"
	tm kill-server
	cat "$work/screen"
	[ ! -s "$work/opened" ] && grep -q '"allow_origins": \["https://gh.test"\]' "$work/screen" && ! grep -q token "$work/gh.log"
}
check "an origin that is not listed" not_listed
finish
