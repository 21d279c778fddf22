#!/bin/bash
# nono profile: what the subcommands print and their exit status; a dump loads back; bad files name the place.
set -u
home=$(mktemp -d /tmp/nono-profile-XXXXXX)
trap 'rm -rf "$home"' EXIT
unset NONO_CAP_FILE XDG_CONFIG_HOME XDG_STATE_HOME XDG_RUNTIME_DIR
export HOME=$home
profiles=$home/.config/nono/profiles
mkdir -p "$profiles"
cd "$home" || exit 1
failed=0

# expect STATUS REGEX COMMAND...: exit status, and a line of its output
expect() {
	local status=$1 pattern=$2 out rc
	shift 2
	out=$("$@" 2>&1)
	rc=$?
	if [ $rc != "$status" ] || ! grep -qE -- "$pattern" <<<"$out"; then
		printf 'FAILED: %s\n  exit %s, wanted %s; no line matches: %s\n%s\n' "$*" $rc "$status" "$pattern" "${out:0:2000}"
		failed=1
	fi
}

# bad REGEX: standard input is a profile that does not load, and the one error line matches
bad() {
	cat >"$home/bad.json"
	expect 1 "$1" "$NONO" profile validate "$home/bad.json"
	rm -f "$home/started"
	expect 1 "$1" "$NONO" run --on-request deny --profile "$home/bad.json" -- touch "$home/started"
	[ ! -e "$home/started" ] || {
		echo "FAILED: started with a bad profile ($1)"
		failed=1
	}
}

for name in $("$NONO" profile list --json | python3 -c 'import json, sys
for p in json.load(sys.stdin): print(p["name"])'); do
	"$NONO" profile show "$name" --format dump >"$home/$name.json"
	expect 0 '^Result: valid$' "$NONO" profile validate "$home/$name.json"
	expect 0 'no differences' "$NONO" profile diff "$name" "$home/$name.json"
	"$NONO" profile show "$name" --json | python3 -c 'import json, sys
p = json.load(sys.stdin)
assert list(p)[:3] == ["name", "description", "extends"], list(p)
assert p["name"] == sys.argv[1], p["name"]' "$name" || failed=1
done
expect 0 '^nono profile: [0-9]+ profiles$' "$NONO" profile list

echo '{"meta": {"name": "mine"}, "extends": "claude-code", "filesystem": {"read": ["/srv"]}}' >"$profiles/mine.json"
expect 0 '^    mine .* extends claude-code$' "$NONO" profile list
expect 0 '/srv$' "$NONO" profile show mine
expect 0 '^  \+ filesystem.read /srv$' "$NONO" profile diff claude-code mine
expect 0 '^  - filesystem.read /srv$' "$NONO" profile diff mine claude-code
expect 0 '^Result: valid$' "$NONO" profile validate mine
expect 0 '"valid": true' "$NONO" profile validate mine --json
expect 0 '"grants"' "$NONO" profile show mine --format manifest
# where the standard streams lead now means nothing to who uses it later
: >stream
"$NONO" profile show default --format manifest <stream >streamed 2>&1
expect 1 '^$' grep -E '/stream(ed)?"' streamed
for f in /dev/stdin /dev/stdout; do expect 0 "\"$f\"" cat streamed; done
expect 0 '^read from a file$' sh -c "echo read from a file >stream; '$NONO' run -s --config streamed --on-request deny -- cat /dev/stdin <stream"
expect 1 'unknown format "x"' "$NONO" profile show mine --format x
expect 0 'required$' "$NONO" profile groups
expect 0 'Required: yes' "$NONO" profile groups deny_credentials
expect 0 '"raw"' "$NONO" profile groups deny_credentials --json
expect 1 'unknown policy group "nope"' "$NONO" profile groups nope
expect 1 'profile file not found' "$NONO" profile validate nope
expect 0 '^Result: valid$' "$NONO" profile validate claude
bad 'bad.json:2: network.allow_domain: \*\.com would allow' <<'JSON'
{ "extends": "default",
  "network": { "allow_domain": ["*.com"] } }
JSON
expect 2 'did you mean show' "$NONO" profile shwo
expect 2 'did you mean --json' "$NONO" profile list --jsno
expect 2 'usage: nono profile diff' "$NONO" profile diff mine

# profiles of one's own
expect 0 'made .*/profiles/fresh.json' "$NONO" profile init fresh --extends codex --groups rust_runtime --full
expect 0 '^Result: valid$' "$NONO" profile validate fresh
expect 1 'fresh.json exists; --force replaces it' "$NONO" profile init fresh
expect 1 'unknown policy group "nope"' "$NONO" profile init fresh --force --groups nope
expect 1 'profile init codex-local --extends codex' "$NONO" profile init codex
expect 1 'is no profile name' "$NONO" profile init ../x
expect 1 'nope' "$NONO" profile init other --extends nope
expect 0 '^# Profiles$' "$NONO" profile guide
expect 0 '^\.B filesystem\.read$' "$NONO" profile guide --man
"$NONO" profile schema --output "$home/schema.json" && "$NONO" profile schema | cmp - "$home/schema.json" || failed=1
python3 - "$home/schema.json" "$profiles/fresh.json" <<'END' || failed=1
# every key of a real file is in the schema, where and as what it is written
import json, sys
schema, profile = (json.load(open(f)) for f in sys.argv[1:])
for key, value in profile.items():
    found = schema["properties"][key]
    for inner in value if isinstance(value, dict) and key not in ("env_credentials",) else ():
        assert inner in found["properties"], (key, inner)
assert schema["properties"]["policy"]["properties"]["override_deny"]["deprecated"]
assert schema["properties"]["undo"]["properties"]["exclude_globs"]["deprecated"]
END

# drafts
drafts=$home/.config/nono/profile-drafts
mkdir -p "$drafts"
echo '{"meta": {"name": "d"}, "filesystem": {"read": ["/srv"]}}' >"$drafts/d.json"
expect 0 '^\+.*"/srv"' "$NONO" profile promote d --diff
[ ! -e "$profiles/d.json" ] || failed=1
expect 1 'Promote this draft' "$NONO" profile promote d </dev/null
expect 0 'promoted to' "$NONO" profile promote d --yes
expect 0 '/srv' cat "$profiles/d.json"
sed 's,/srv,/opt,' "$profiles/d.json" >"$drafts/d.json"
expect 1 'd.base: No such file' "$NONO" profile promote d --yes
echo 0000 >"$drafts/d.base"
expect 1 'has changed since the draft was made' "$NONO" profile promote d --yes
sha256sum <"$profiles/d.json" >"$drafts/d.base"
expect 0 'promoted to' "$NONO" profile promote d --yes
expect 0 '/opt' cat "$profiles/d.json"
ln -s "$profiles/d.json" "$drafts/d.json"
expect 1 'not a regular file' "$NONO" profile promote d --yes
rm -f "$drafts/d.json"
echo '{"meta": {"name": "e"}}' >"$drafts/d.json"
expect 1 'meta.name must be "d"' "$NONO" profile promote d --yes

# a profile may extend the built-in one it hides
echo '{"meta": {"name": "codex"}, "extends": "codex", "filesystem": {"read": ["/srv"]}}' >"$profiles/codex.json"
expect 0 '^      codex_linux' "$NONO" profile show codex
expect 0 'user \(overrides built-in\)' "$NONO" profile list --json
rm "$profiles/codex.json"

# deprecated keys: one warning each; --strict counts them
echo '{"policy": {"exclude_groups": ["dangerous_commands"]}}' >"$profiles/old.json"
expect 0 "deprecated key 'policy.exclude_groups', use 'groups.exclude'" "$NONO" profile validate old
expect 2 'found 1 deprecated key;' "$NONO" profile validate old --strict

for key in security.groups security.allowed_commands policy.exclude_groups policy.add_allow_read policy.add_allow_write \
	policy.add_allow_readwrite policy.add_deny_access policy.add_deny_commands policy.override_deny; do
	for list in '[]=0' '["git_config"]=1' '["git_config", "user_tools"]=1'; do
		echo "{\"${key%.*}\": {\"${key#*.}\": ${list%=*}}}" >"$home/legacy.json"
		n=$("$NONO" profile validate "$home/legacy.json" 2>&1 | grep -c "deprecated key '$key'")
		[ "$n" = "${list#*=}" ] || {
			echo "FAILED: $key with ${list%=*}: $n warnings"
			failed=1
		}
	done
done

# what loads and yet would not do what is meant
warned() {
	cat >"$home/odd.json"
	expect 0 "\\[warn\\] $1" "$NONO" profile validate "$home/odd.json"
}
warned 'open_urls.allow_origins: "https://a.test/login" is no origin' <<<'{"open_urls": {"allow_origins": ["https://a.test/login"]}}'
warned 'env_credentials: ' <<<'{"env_credentials": {"op:/x": "A"}}'
bad 'no network profile named nope' <<<'{"network": {"network_profile": "nope"}}'
warned 'would not start here: .*NONO_UNSET is not set' <<<'{"filesystem": {"read": ["$NONO_UNSET/x"]}}'
warned 'groups.exclude: there is no group "nope"' <<<'{"groups": {"exclude": ["nope"]}}'

warned '.*odd.json:1: session_hooks has no effect: scripts are run for profiles in' <<<'{"session_hooks": {"before": {"script": "/x"}}}'
warned '.*odd.json:2: network.credentials has no effect: .* by github;' <<<'{"network": {
	"credentials": ["github", "gitlab"]}}'
warned '.*odd.json:2: credential_capture has no effect: its commands are not run' <<<'{
	"credential_capture": {"mine": {"command": ["x"]}}}'
warned '.*odd.json:1: network.tls_intercept has no effect' <<<'{"network": {"tls_intercept": {"ca_validity": "12h"}}}'
same_lines() { # how many lines a run says about what has no effect
	expect 0 "^$1$" sh -c "'$NONO' run --profile '$home/odd.json' --on-request deny -- true 2>&1 | grep -c 'warning: .*odd.json:[0-9]*: .* has no effect'"
}
echo '{"network": {"credentials": ["a", "b"], "custom_credentials": {"a": {"upstream": "https://a.test", "credential_key": "k"}},
	"tls_intercept": {"leaf_validity": "1h"}}, "credential_capture": {"c": {}}}' >"$home/odd.json"
same_lines 3
bad 'network.custom_credentials.a.inject_mod: unknown key; did you mean "inject_mode"' <<<'{"network": {"custom_credentials": {"a": {"upstream": "x", "inject_mod": "header"}}}}'
bad 'network.custom_credentials.a.inject_mode: must be "header", "url_path", "query_param" or "basic_auth"; did you mean "header"' <<<'{"network": {"custom_credentials": {"a": {"upstream": "x", "inject_mode": "heder"}}}}'
bad 'network.custom_credentials.a: needs "upstream"' <<<'{"network": {"custom_credentials": {"a": {"credential_key": "x"}}}}'
bad 'network.custom_credentials.a.endpoint_rules: must be an array, not object' <<<'{"network": {"custom_credentials": {"a": {"upstream": "x", "endpoint_rules": {}}}}}'
bad 'network.custom_credentials.a: must be an object' <<<'{"network": {"custom_credentials": {"a": "x"}}}'
bad 'credential_capture.a: must be an object' <<<'{"credential_capture": {"a": "x"}}'
for d in 0h 12 h 1w 1hh ''; do
	bad 'network.tls_intercept.ca_validity: must be a number with s, m, h or d' <<<"{\"network\": {\"tls_intercept\": {\"ca_validity\": \"$d\"}}}"
done
bad 'session_hooks.after.timeout_secs: must be at least 1' <<<'{"session_hooks": {"after": {"script": "/x", "timeout_secs": 0}}}'
"$NONO" profile schema | python3 -c '
import json, sys
p = json.load(sys.stdin)["properties"]
hooks = p["session_hooks"]
assert set(hooks["properties"]) == {"before", "after"} and hooks["additionalProperties"] is False, hooks
assert hooks["properties"]["after"]["required"] == ["script"], hooks
route = p["network"]["properties"]["custom_credentials"]["additionalProperties"]
assert route["required"] == ["upstream"] and "basic_auth" in route["properties"]["inject_mode"]["enum"], route
' || failed=1
warned 'env_credentials: variable LD_PRELOAD' <<<'{"env_credentials": {"a": "LD_PRELOAD"}}'
bad 'bad.json:1:.*hooks.claude-code.evnt: unknown key; did you mean "event"' <<<'{"hooks": {"claude-code": {"evnt": "x", "matcher": "x", "script": "x"}}}'
bad 'bad.json:1:.*hooks.claude-code: needs "matcher"' <<<'{"hooks": {"claude-code": {"event": "x", "script": "x"}}}'
bad 'session_hooks.before.script: must be a string, not int' <<<'{"session_hooks": {"before": {"script": 5}}}'
bad 'network.tls_intercept.ca_lifecycle: must be "session" or "trusted"' <<<'{"network": {"tls_intercept": {"ca_lifecycle": "x"}}}'
bad 'security.wsl2_proxy_policy: must be one of "error", "insecure_proxy"; did you mean "error"' <<<'{"security": {"wsl2_proxy_policy": "eror"}}'
bad 'open_urls.functions\[0\]: a function is' <<<'{"open_urls": {"functions": [{"symbol": "f", "args": ["string"], "url_arg": 0, "vaule": 1}]}}'
declared() { # MESSAGE FUNCTION...
	bad "bad.json:1:[0-9]+: open_urls.functions\\[$1" <<<"{\"open_urls\": {\"functions\": [$2]}}"
}
declared '0\]: a function is' '"show"'
declared '0\].symbol: must be the name' '{"symbol": "", "args": ["string"], "url_arg": 0}'
declared '0\].symbol: must be the name' '{"symbol": "a b", "args": ["string"], "url_arg": 0}'
declared '0\].symbol: must be the name' '{"symbol": "a:s;b", "args": ["string"], "url_arg": 0}'
declared '0\].args: must be an array' '{"symbol": "f", "args": [], "url_arg": 0}'
declared '0\].args\[1\]: must be one of pointer, string, int' '{"symbol": "f", "args": ["string", "char"], "url_arg": 0}'
declared '0\].args\[0\]: must be one of' '{"symbol": "f", "args": ["void"], "url_arg": 0}'
declared '0\].url_arg: must be the index of the URL in args, 0 to 0' '{"symbol": "f", "args": ["string"], "url_arg": 1}'
declared '0\].url_arg: must be the index' '{"symbol": "f", "args": ["string"], "url_arg": -1}'
declared '0\].url_arg: argument 0 is of type int' '{"symbol": "f", "args": ["int"], "url_arg": 0}'
declared '0\].returns: must be one of void' '{"symbol": "f", "args": ["string"], "url_arg": 0, "returns": "string"}'
declared '0\].value: must be a whole number' '{"symbol": "f", "args": ["string"], "url_arg": 0, "returns": "int", "value": "1"}'
declared '0\].value: does not fit' '{"symbol": "f", "args": ["string"], "url_arg": 0, "returns": "int", "value": 4294967296}'
declared '0\].value: a function that returns void' '{"symbol": "f", "args": ["string"], "url_arg": 0, "value": 1}'
declared '1\].symbol: this function is declared twice' '{"symbol": "f", "args": ["string"], "url_arg": 0}, {"symbol": "f", "args": ["string"], "url_arg": 0}'
declared '16\]: no more than 16' "$(for i in {1..17}; do echo "{\"symbol\": \"f$i\", \"args\": [\"string\"], \"url_arg\": 0},"; done | sed '$s/,$//' | tr -d '\n')"
bad 'bad.json:1:16: filesystem.raed: unknown key; did you mean "read"\?' <<<'{"filesystem":{"raed":[]}}'
bad 'bad.json:1:.*unknown policy group "deny_credential"; did you mean' <<<'{"groups": {"include": ["deny_credential"]}}'
bad 'group "deny_credentials" is required' <<<'{"groups": {"exclude": ["deny_credentials"]}}'
bad 'bad.json' <<<'{"extends": "./bad.json"}'
bad 'bad.json:1:' <<<'{"filesystem": {"read": ["/a"], "re\u0061d": ["/b"]}}'
bad 'bad.json:1:' < <(printf '{"meta": {"name": "\xff"}}')
bad 'bad.json:1:' < <(printf '[%.0s' {1..100000})
bad 'bad.json' < <(head -c 1000000 /dev/zero | tr '\0' 'x')
bad 'bad.json:1:' < <(printf '{"'; head -c 900000 /dev/zero | tr '\0' 'k'; printf '": {"a": 1}}')
expect 1 'not a regular file' "$NONO" profile validate "$home"
[ "$(id -u)" = 0 ] || {
	echo '{}' >"$home/closed.json" && chmod 0 "$home/closed.json"
	expect 1 'closed.json: Permission denied|closed.json.*ermission' "$NONO" profile validate "$home/closed.json"
}
exit $failed
