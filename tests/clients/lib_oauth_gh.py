# SPDX-License-Identifier: Apache-2.0
"""What GitHub answers to `gh auth login --web` (OAuth device flow) and `gh auth status`, over TLS, for one user.

    lib_oauth_gh.py ADDRESS CERTIFICATE KEY LOG

The device is authorized by whoever gets its page, /login/device. What happens is written to the log.
"""
import http.server
import json
import secrets
import ssl
import sys
import urllib.parse

address, certificate, key, log_name = sys.argv[1:5]
device, user_code, token = secrets.token_hex(20), "WDJB-MJHT", "gho_" + secrets.token_hex(18)
state = {"authorized": False}


def log(text):
    with open(log_name, "a", encoding="utf-8") as f:
        print(text, file=f)


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, value, status=200, scopes=False):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if scopes:
            self.send_header("X-Oauth-Scopes", "gist, read:org, repo")
        self.end_headers()
        self.wfile.write(body)

    def known(self):
        good = self.headers.get("Authorization") == f"token {token}"
        log(f"api {'good' if good else 'bad'}")
        if not good:
            self.answer({"message": "Bad credentials"}, 401)
        return good

    def do_GET(self):
        if self.path == "/login/device":
            state["authorized"] = True
            log("authorized")
            self.answer({})
        elif self.path.rstrip("/") == "/api/v3" and self.known():
            self.answer({}, scopes=True)
        elif self.path.rstrip("/") != "/api/v3":
            self.answer({}, 404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        form = dict(urllib.parse.parse_qsl(body))
        if self.path == "/login/device/code":
            log(f"code for {form.get('scope')}")
            self.answer({"device_code": device, "user_code": user_code, "verification_uri": "https://gh.test/login/device",
                         "expires_in": 900, "interval": 1})
        elif self.path == "/login/oauth/access_token":
            if form.get("device_code") != device:
                self.answer({"error": "incorrect_device_code"})
            elif not state["authorized"]:
                self.answer({"error": "authorization_pending"})
            else:
                log("token")
                self.answer({"access_token": token, "token_type": "bearer", "scope": "gist,read:org,repo"})
        elif self.path == "/api/graphql" and self.known():
            self.answer({"data": {"viewer": {"login": "ann"}}}, scopes=True)
        elif self.path != "/api/graphql":
            self.answer({}, 404)


server = http.server.ThreadingHTTPServer((address, 443), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
log("ready")
server.serve_forever()
