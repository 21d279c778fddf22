# SPDX-License-Identifier: Apache-2.0
"""A tool that logs in: `login` opens a page with Python's webbrowser and waits for the callback, `refresh` uses the token."""
import base64
import hashlib
import http.client
import http.server
import json
import os
import secrets
import socket
import ssl
import sys
import time
import urllib.parse
import webbrowser

action, port, ca, bind_port = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
HOST = "sso.example.test"
file = os.path.expanduser("~/.oauth-tool/token.json")


def post(**form):
    context = ssl.create_default_context(cafile=ca)
    c = http.client.HTTPSConnection(HOST, port, context=context)
    raw = socket.create_connection(("127.0.0.1", port))
    c.sock = context.wrap_socket(raw, server_hostname=HOST)
    c.request("POST", "/token", urllib.parse.urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})
    r = c.getresponse()
    if r.status != 200:
        sys.exit(f"no token: {r.status} {r.read()}")
    token = json.loads(r.read())
    with open(file + ".new", "w") as f:  # as careful programs do: a new file takes the old one's place
        json.dump(token, f)
        f.flush()
        os.fsync(f.fileno())
    os.replace(file + ".new", file)


if action == "refresh":
    with open(file) as f:
        post(grant_type="refresh_token", refresh_token=json.load(f)["refresh_token"])
    print("refreshed")
    sys.exit()

answer = {}


class Callback(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/callback":
            answer.update(urllib.parse.parse_qsl(url.query))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"You may close this window.")


listener = http.server.HTTPServer(("127.0.0.1", bind_port), Callback)
redirect = f"http://127.0.0.1:{listener.server_address[1]}/callback"
verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe()
challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
query = urllib.parse.urlencode({
    "response_type": "code", "client_id": "tool", "redirect_uri": redirect, "state": state,
    "code_challenge": challenge, "code_challenge_method": "S256"})
if not webbrowser.open(f"https://{HOST}:{port}/authorize?{query}"):
    sys.exit("the browser was not opened")
listener.timeout = 1
end = time.monotonic() + 60
while "code" not in answer:
    listener.handle_request()
    if time.monotonic() > end:
        sys.exit("no answer")
if answer["state"] != state:
    sys.exit("the state is another one")
post(grant_type="authorization_code", code=answer["code"], code_verifier=verifier, redirect_uri=redirect)
print("logged in")
