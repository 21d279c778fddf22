# SPDX-License-Identifier: Apache-2.0
"""What the console of opencode answers to a login by the device flow, on loopback, for one user. Prints its port.

    lib_oauth_console.py LOG

The device is authorized by whoever gets its page. What happens is written to the log.
"""
import http.server
import json
import secrets
import sys

device, access = secrets.token_hex(20), secrets.token_hex(20)
state = {"authorized": False}


def log(text):
    with open(sys.argv[1], "a", encoding="utf-8") as f:
        print(text, file=f)


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, value, status=200):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        known = self.headers.get("Authorization") == f"Bearer {access}"
        if self.path.startswith("/device?"):
            state["authorized"] = True
            log("authorized")
            self.answer({})
        elif self.path == "/api/user" and known:
            log("user")
            self.answer({"id": "u1", "email": "ann@a.test"})
        elif self.path == "/api/orgs" and known:
            log("orgs")
            self.answer([{"id": "o1", "name": "Ann's"}])
        else:
            self.answer({}, 404)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "{}")
        if self.path == "/auth/device/code":
            self.answer({"device_code": device, "user_code": "ABCD-EFGH", "expires_in": 900, "interval": 1,
                         "verification_uri_complete": f"http://127.0.0.1:{server.server_port}/device?user_code=ABCD-EFGH"})
        elif self.path == "/auth/device/token" and body.get("device_code") == device:
            if not state["authorized"]:
                self.answer({"error": "authorization_pending", "error_description": "not yet"}, 400)
            else:
                log("token")
                self.answer({"access_token": access, "refresh_token": "r", "token_type": "Bearer", "expires_in": 86400})
        else:
            self.answer({"error": "invalid_grant", "error_description": "no"}, 400)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
