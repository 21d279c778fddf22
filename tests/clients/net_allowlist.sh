#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A long allowlist as one is really used (data/profiles/allowlist.json): every name on it is reached by HTTPS, by the
# proxy and without it, and neighbours of each (what is above a suffix or a name, below a name, beside it) do not
# exist: nobody outside is asked for them, and nothing connects.
. "$(dirname "$0")/lib_net.sh"

profile=$NONO_SOURCE/tests/data/profiles/allowlist.json
$world ip addr add 192.0.2.30/24 dev link1
# listed: names that the list allows; neighbours: others, which exist as well
$python - "$profile" "$work" <<'PY' || exit 1
import json, sys
rules = [r for r in json.load(open(sys.argv[1]))["network"]["allow_domain"]]

def allowed(name):
    return any(name.endswith(r[1:]) if r.startswith("*.") else name == r for r in rules)

listed, near = [], []
for r in rules:
    bare = r.removeprefix("*.")
    listed += ["name." + bare, "a.deeper.name-1." + bare] if r != bare else [r]
    parent = bare.split(".", 1)[1]
    near += [bare, "sub." + bare, "x" + bare, bare + ".test", bare[1:], bare.replace(".", "-", 1), parent, "www." + parent]
near = {n for n in near if not allowed(n) and "." in n}
assert all(map(allowed, listed)) and len(rules) > 150 and len(near) > len(rules)
for file, names in (("listed", listed), ("near", near), ("names", set(listed) | near)):
    open(f"{sys.argv[2]}/{file}", "w").write("\n".join(sorted(names)) + "\n")
PY
(
	cd "$work" || exit
	ec="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
	openssl req -x509 $ec -days 2 -subj "/CN=test CA" -keyout rootkey.pem -out roots.pem
	openssl req $ec -subj /CN=all.test -keyout all.key -out all.csr
	sed 's/^/DNS:/' names | paste -sd, | sed 's/^/subjectAltName=/' >ext
	openssl x509 -req -in all.csr -CA roots.pem -CAkey rootkey.pem -CAcreateserial -days 2 -extfile ext -out all.crt
) >"$work/openssl.log" 2>&1
cat >"$work/https.py" <<'PY'
import http.server, ssl, sys
class Echo(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        open(sys.argv[1] + "/hosts.log", "a").write(self.headers["Host"] + "\n")
        self.send_response(200)
        self.end_headers()
        self.wfile.write(("this is " + self.headers["Host"]).encode())
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("192.0.2.30", 443), Echo)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1] + "/all.crt", sys.argv[1] + "/all.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
open(sys.argv[1] + "/ready.all", "w").close()
server.serve_forever()
PY
$world $python "$work/https.py" "$work" &
pids="$pids $!"
wait_for test -e "$work/ready.all"
cat >walk.py <<'PY'
"""walk.py ROOTS FILE listed|near: gets https://NAME/ for each name of the file, by itself and by the proxy."""
import os, socket, ssl, sys, urllib.error, urllib.request
context = ssl.create_default_context(cafile=sys.argv[1])
ways = {"direct": urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)),
        "proxy": urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))}
assert os.environ["HTTPS_PROXY"]
wrong = 0
names = open(sys.argv[2]).read().split()
for name in names:
    for way, opener in ways.items():
        try:
            got = opener.open(f"https://{name}/", timeout=20).read().decode()
        except (OSError, urllib.error.URLError) as e:
            got = str(e)
        if sys.argv[3] == "listed":
            ok = got == "this is " + name
        else:
            ok = "403" in got if way == "proxy" else "Name or service not known" in got
        if not ok:
            print(way, name, got)
            wrong += 1
print(len(names), "names walked")
sys.exit(wrong != 0)
PY
cp "$work/listed" "$work/near" .
$python "$here/lib_net_capture.py" "$work/capture" &
pids="$pids $!"
wait_for grep -qs listening "$work/capture"
under="$nono --on-request deny --profile $profile --allow $work/dir --read-file $work/roots.pem --"
: >"$work/dns.log"
check "every listed name is reached" prints 'names walked' $under $python walk.py "$work/roots.pem" listed listed
check "by its name, twice each" sh -c "[ \"\$(sort $work/hosts.log | uniq -c | sed 's/^ *2 //')\" = \"\$(sort listed)\" ]"
check "no neighbour exists" prints 'names walked' $under $python walk.py "$work/roots.pem" near near
refuse "the server's address is no way around" $under curl -sk -m 10 https://192.0.2.30/
check "only listed names were asked for outside" sh -c "[ \"\$(cut -d' ' -f1 $work/dns.log | sort -u)\" = \"\$(sort -u listed)\" ]"
check "no packet went anywhere else" no_file_line -vE '^listening|^(192\.0\.2\.(1|30|53)|127\.0\.0\.1) (192\.0\.2\.(1|30|53)|127\.0\.0\.1) ' "$work/capture"
check "the capture saw them" grep -q '^192.0.2.1 192.0.2.30 6$' "$work/capture"
finish
