# SPDX-License-Identifier: Apache-2.0
"""An OAuth 2 server with PKCE over TLS, for one user. Prints its port; writes what happens to a log.

    lib_oauth_server.py CERTIFICATE KEY LOG

Its login page is a page like others, a form that a script fills in and sends after a moment: nobody has to.
"""
import base64
import hashlib
import html
import http.server
import json
import secrets
import ssl
import sys
import urllib.parse

certificate, key, log_name = sys.argv[1:4]
requests, codes, refresh = {}, {}, {}


def log(text):
    with open(log_name, "a") as f:
        print(text, file=f)


PAGE = """<!doctype html><title>Log in</title>
<form method=post action=/login>
<input type=hidden name=request value="%s"><input name=user><input name=password type=password>
<button>Allow</button></form>
<script>
addEventListener("load", () => setTimeout(() => {
  const f = document.forms[0];
  f.user.value = "ann"; f.password.value = "open sesame"; f.submit();
}, 100));
</script>"""


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, status, body, kind="text/html", **headers):
        data = body.encode()
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def json(self, status, **value):
        self.answer(status, json.dumps(value), "application/json")

    def form(self):
        length = int(self.headers.get("Content-Length", 0))
        return dict(urllib.parse.parse_qsl(self.rfile.read(length).decode()))

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        q = dict(urllib.parse.parse_qsl(url.query))
        if url.path != "/authorize":
            self.answer(404, "nothing here")
            return
        good = (q.get("response_type") == "code" and q.get("client_id") == "tool" and q.get("state")
                and q.get("code_challenge_method") == "S256" and q.get("code_challenge")
                and urllib.parse.urlsplit(q.get("redirect_uri", "")).hostname in ("localhost", "127.0.0.1"))
        log(f"authorize {'good' if good else 'bad'} {self.headers.get('User-Agent', '')}")
        if not good:
            self.answer(400, "bad request")
            return
        name = secrets.token_urlsafe()
        requests[name] = q
        self.answer(200, PAGE % html.escape(name))

    def do_POST(self):
        form = self.form()
        if self.path == "/login":
            self.login(form)
        elif self.path == "/token" and form.get("grant_type") == "authorization_code":
            self.token(form)
        elif self.path == "/token" and form.get("grant_type") == "refresh_token":
            self.refresh(form)
        else:
            self.answer(404, "nothing here")

    def login(self, form):
        q = requests.pop(form.get("request"), None)
        if not q or form.get("user") != "ann" or form.get("password") != "open sesame":
            log("login bad")
            self.answer(403, "no")
            return
        code = secrets.token_urlsafe()
        codes[code] = q
        log("login good")
        self.answer(302, "", Location=q["redirect_uri"] + "?" +
                    urllib.parse.urlencode({"code": code, "state": q["state"]}))

    def token(self, form):
        q = codes.pop(form.get("code"), None)  # good for one time
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if not q or challenge != q["code_challenge"] or form.get("redirect_uri") != q["redirect_uri"]:
            log("token bad")
            self.json(400, error="invalid_grant")
            return
        log("token good")
        self.grant()

    def refresh(self, form):
        if not refresh.pop(form.get("refresh_token"), None):
            log("refresh bad")
            self.json(400, error="invalid_grant")
            return
        log("refresh good")
        self.grant()

    def grant(self):
        token = secrets.token_urlsafe()
        refresh[token] = True
        self.json(200, access_token=secrets.token_urlsafe(), refresh_token=token, token_type="bearer", expires_in=1)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
# the handshake belongs to the connection's thread: browsers open connections that say nothing for a while
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(server.server_address[1], flush=True)
server.serve_forever()
