#!/bin/bash
# A whole login with nobody's help: a tool in the sandbox opens the page of an OAuth server in the host's
# browser, which is Chromium; it logs in, the callback comes back, the tokens are fetched, written, and used in the
# next session. Tools in Python, Node and Go; with an open and with a filtered network.
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"
here=$NONO_SOURCE/tests/clients
python=/usr/bin/python3
running=
cleanup() {
	[ -e "$dir/browsers" ] && running="$running $(cat "$dir/browsers")"
	for p in $running; do kill "$p" 2>/dev/null; done
	# a browser that is just ending still writes to its profile
	for _ in $(seq 50); do rm -rf "$dir" 2>/dev/null && return; sleep 0.2; done
}
trap cleanup EXIT

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=sso.example.test \
	-addext subjectAltName=DNS:sso.example.test -keyout "$dir/key.pem" -out "$dir/ca.pem" 2>/dev/null || fail "no certificate"
# Chromium accepts this key and no other
pin=$(openssl x509 -in "$dir/ca.pem" -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64)
coproc server { exec $python "$here/lib_oauth_server.py" "$dir/ca.pem" "$dir/key.pem" "$dir/log"; }
running=$server_PID
read -r port <&"${server[0]}"
origin=https://sso.example.test:$port

export BROWSER=$dir/browser
cat >"$BROWSER" <<SH
#!/bin/sh
printf '%s\n' "\$*" >>$dir/opened
echo \$\$ >>$dir/browsers
exec chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --disable-background-networking \
	--disable-component-update --disable-sync --user-data-dir=\$(mktemp -d $dir/chromium-XXXXXX) \
	--host-resolver-rules="MAP sso.example.test 127.0.0.1" --ignore-certificate-errors-spki-list=$pin "\$@" >>$dir/chromium.log 2>&1
SH
chmod +x "$BROWSER"
mkdir -p "$HOME/.oauth-tool" "$dir/src"
cp "$dir/ca.pem" "$here"/lib_oauth_client.* .
(cp lib_oauth_client.go "$dir/src/main.go" && cd "$dir/src" && GOCACHE=$dir/go GOTOOLCHAIN=local CGO_ENABLED=0 go build -o "$dir/src/tool" main.go && cp tool "$OLDPWD") ||
	fail "the Go tool is not built"

# profile FILE NETWORK: $origin and localhost open, the tool's directory writable
profile() {
	cat >"$dir/$1" <<JSON
{ "meta": { "name": "tool" }, "extends": "default", "workdir": { "access": "read" },
  "filesystem": { "allow": ["~/.oauth-tool"] },
  "network": $2,
  "open_urls": { "allow_origins": ["$origin"], "allow_localhost": true } }
JSON
}
profile open.json '{}'
profile filtered.json "{ \"allow_domain\": [\"api.example.test\"], \"open_port\": [$port] }"
# a port that is free now, as tools with a fixed one expect
fixed=$($python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

# login NAME PROFILE BIND-PORT COMMAND...
login() {
	local name=$1 profile=$2 bind=$3 out
	shift 3
	: >"$dir/opened"
	: >"$dir/log"
	rm -f "$HOME"/.oauth-tool/*
	out=$(timeout 90 "$NONO" run -s --profile "$dir/$profile" --allow-cwd --on-request deny -- "$@" login "$port" ca.pem "$bind" 2>&1) ||
		fail "$name: $out; $(tail -n 5 "$dir/chromium.log" 2>/dev/null)"
	same "$name" "logged in" "$out"
	same "$name: pages" 1 "$(grep -c "^$origin/authorize?" "$dir/opened")"
	same "$name: the server" "login good
token good" "$(grep -v ^authorize "$dir/log")"
	grep -q "^authorize good Mozilla.*Chrome" "$dir/log" || fail "$name: no real browser came: $(cat "$dir/log")"
	for p in $(cat "$dir/browsers"); do kill "$p" 2>/dev/null; done
	: >"$dir/browsers"
	# the next day, in a new session; twice, as the token changes with each use
	for _ in 1 2; do
		out=$("$NONO" run -s --profile "$dir/$profile" --allow-cwd --on-request deny -- "$@" refresh "$port" ca.pem 0 2>&1)
		same "$name: refresh" refreshed "$out"
	done
	same "$name: pages after the refresh" 1 "$(wc -l <"$dir/opened")"
}
login python open.json 0 $python lib_oauth_client.py
login node open.json 0 node lib_oauth_client.js
login go open.json 0 ./tool
login "python, filtered network, fixed port" filtered.json "$fixed" $python lib_oauth_client.py

# an origin that the profile does not list: nothing opens, and the tool hears why
sed -i "s|$origin\"|https://other.example.test\"|" "$dir/open.json"
: >"$dir/opened"
out=$("$NONO" run -s --profile "$dir/open.json" --allow-cwd --on-request deny -- $python lib_oauth_client.py login "$port" ca.pem 0 2>&1) &&
	fail "a login at an origin that is not listed"
case $out in *allow_origins*"$origin"*) ;; *) fail "the line to add is not named: $out" ;; esac
same "an origin that is not listed" "" "$(cat "$dir/opened")"
finish
