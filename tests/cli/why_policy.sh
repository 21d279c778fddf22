#!/bin/bash
# nono why answers from the decision function, outside and inside a sandbox; its exit status is 0 either way.
set -u
home=$(mktemp -d /tmp/nono-why-XXXXXX)
trap 'rm -rf "$home"' EXIT
unset NONO_CAP_FILE XDG_CONFIG_HOME XDG_STATE_HOME XDG_RUNTIME_DIR
export HOME=$home
mkdir -p "$home/.ssh" "$home/proj" && echo key >"$home/.ssh/id" && echo text >"$home/proj/file"
cd "$home/proj" || exit 1
failed=0

# expect STATUS REGEX COMMAND...: exit status, and a line of its output
expect() {
	local status=$1 pattern=$2 out rc
	shift 2
	out=$("$@" 2>&1)
	rc=$?
	if [ $rc != "$status" ] || ! grep -qE -- "$pattern" <<<"$out"; then
		printf 'FAILED: %s\n  exit %s, wanted %s; no line matches: %s\n%s\n' "$*" $rc "$status" "$pattern" "$out"
		failed=1
	fi
}

# member KEY VALUE COMMAND...: a member of the JSON answer
member() {
	local key=$1 value=$2 got
	shift 2
	got=$("$@" 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin).get(sys.argv[1]))' "$key")
	[ "$got" = "$value" ] || {
		printf 'FAILED: %s\n  %s is "%s", wanted "%s"\n' "$*" "$key" "$got" "$value"
		failed=1
	}
}

expect 0 '^ALLOWED' "$NONO" why --path "$home/proj/file" --op readwrite --allow .
expect 0 '^DENIED' "$NONO" why --path "$home/proj/file" --op write --read .
expect 0 '^DENIED' "$NONO" why --path "$home/proj/file" --op readwrite --read .
expect 0 'deny_credentials' "$NONO" why --path "$home/.ssh/id"
expect 0 '^ALLOWED' "$NONO" why --path file --read .
expect 0 '^ALLOWED' "$NONO" why --path=file --op=create --allow=.
expect 0 'Suggested fix +--read-file' "$NONO" why --path "$home/nothing"
expect 0 '^DENIED' "$NONO" why --host api.test --block-net
expect 0 '^ALLOWED' "$NONO" why --host API.test --allow-domain api.test
expect 0 '^DENIED' "$NONO" why --host api.test --port 22 --allow-domain api.test:443
expect 0 'Reason +the network is blocked' "$NONO" why --host api.test --port 22 --block-net
expect 0 '^ALLOWED' "$NONO" why --host localhost --port 3000 --block-net --open-port 3000
expect 0 'Reason +programs in the sandbox never reach' "$NONO" why --host 169.254.169.254
expect 0 'Reason +the origin is not in the list' "$NONO" why --url https://x.test
expect 0 '^ALLOWED' "$NONO" why --url https://x.test/a --allow-url https://x.test
expect 0 '^ALLOWED' "$NONO" why --path "$home/sock" --op connect --allow-unix-socket "$home/sock"
expect 0 'Suggested fix +--allow-unix-socket-bind ' "$NONO" why --path "$home/sock" --op bind --allow-unix-socket "$home/sock"
expect 0 'Suggested fix +--listen-port 3000' "$NONO" why --host 0.0.0.0 --port 3000 --op bind --allow-domain api.test
expect 1 'there are connect and bind' "$NONO" why --host api.test --op read
expect 1 'op secret' "$NONO" why --path x --op secret
member reason network_blocked "$NONO" why --host api.test --block-net --json
member suggested_flag None "$NONO" why --host api.test --block-net --json
member reason never_reachable "$NONO" why --host 169.254.169.254 --allow-domain api.test --json
for host in '' 'a b' https://api.test api.test/x; do expect 2 'takes a name or an address' "$NONO" why --host "$host"; done
expect 2 'one question each' "$NONO" why --host api.test --path /
member status denied "$NONO" why --path "$home/.ssh/id" --json
member reason sensitive_path "$NONO" why --path "$home/.ssh/id" --json
member reason path_not_granted "$NONO" why --path "$home/nothing" --json
member reason insufficient_access "$NONO" why --path file --op write --read . --json
member reason proxy_filtered "$NONO" why --host other.test --allow-domain api.test --json
member status not_sandboxed "$NONO" why --self --json
expect 2 'usage|Usage|--prot|unknown' "$NONO" why --prot x
expect 2 'port' "$NONO" why --host x --port 99999
expect 1 'op' "$NONO" why --path x --op fly
expect 1 'no refusals' "$NONO" why
expect 1 'no refusals' "$NONO" why 7

# the same questions from inside get the same answers
inside=("$NONO" run -s --allow . --read-file "$NONO" -- "$NONO" why --self)
expect 0 '^ALLOWED' "${inside[@]}" --path "$home/proj/file" --op write
expect 0 '^DENIED' "${inside[@]}" --path "$home/.ssh/id"
expect 0 "$home/proj/" "${inside[@]}"
member status allowed "${inside[@]}" --path "$home/proj/file" --json
member status denied "${inside[@]}" --path "$home/nothing" --json
member suggested_flag "--read-file '$home/no thing'" "${inside[@]}" --path "$home/no thing" --json
inside=("$NONO" run -s --allow . --read-file "$NONO" --block-net -- "$NONO" why --self)
expect 0 'Reason +the network is blocked' "${inside[@]}" --host api.test
member suggested_flag None "${inside[@]}" --host api.test --json
inside=("$NONO" run -s --allow . --read-file "$NONO" --allow-domain api.test:22 --allow-domain '*.other.test' -- "$NONO" why --self)
expect 0 '^ALLOWED' "${inside[@]}" --host api.test --port 22
expect 0 '^DENIED' "${inside[@]}" --host api.test
expect 0 '^ALLOWED' "${inside[@]}" --host x.other.test
expect 1 'inside a sandbox' "$NONO" run -s --allow . --read-file "$NONO" -- "$NONO" approve --list
expect 1 'inside a sandbox' "$NONO" run -s --allow . --read-file "$NONO" -- "$NONO" grants
exit $failed
