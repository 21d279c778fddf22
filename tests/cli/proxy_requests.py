#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The HTTP proxy alone, with real TLS servers and clients: tunnels, plain requests, interception over HTTP/1.1 and h2, attacks."""
import base64
import http.server
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

BUILD = os.environ["NONO_BUILD"]
work = tempfile.mkdtemp(prefix="nono-proxy-")
failures = []


def check(what, ok, detail=""):
    print(("ok: " if ok else "FAILED: ") + what + ("" if ok else f" {detail!r}"), flush=True)
    if not ok:
        failures.append(what)


def run(*command, **kw):
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, **kw)


def make_certificates():
    os.chdir(work)
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    run("openssl", "req", "-x509", *key, "-days", "2", "-subj", "/CN=test CA", "-keyout", "ca.key", "-out", "ca.pem")
    run("openssl", "req", *key, "-subj", "/CN=api.test", "-keyout", "api.key", "-out", "api.csr")
    with open("ext", "w", encoding="utf-8") as f:
        f.write("subjectAltName=DNS:api.test,DNS:*.api.test\n")
    run("openssl", "x509", "-req", "-in", "api.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
        "-extfile", "ext", "-out", "api.pem")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen = []

    def reply(self):
        n = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(n)
        Handler.seen.append((self.command, self.path))
        out = f"{self.command} {self.path} {len(body)}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(out)))
        self.end_headers()
        self.wfile.write(out)

    do_GET = do_POST = do_DELETE = reply

    def log_message(self, *args):
        pass


def serve(tls):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain("api.pem", "api.key")
        context.set_alpn_protocols(["http/1.1"])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


H2_SERVER = """
const http2 = require('http2'), fs = require('fs');
const s = http2.createSecureServer({key: fs.readFileSync('api.key'), cert: fs.readFileSync('api.pem')});
s.on('stream', (st, h) => { let n = 0; st.on('data', d => n += d.length); st.on('end', () => {
  st.respond({':status': 200, 'content-type': 'text/plain'}, {waitForTrailers: true});
  st.on('wantTrailers', () => st.sendTrailers({'grpc-status': '0'}));
  st.end(h[':method'] + ' ' + h[':path'] + ' ' + n); }); });
s.listen(0, '127.0.0.1', () => console.log(s.address().port));
"""

H2_CLIENT = """
const http2 = require('http2'), fs = require('fs'), net = require('net'), tls = require('tls');
const [port, token, path, size] = process.argv.slice(1);
const sock = net.connect(port, '127.0.0.1');
sock.write('CONNECT h2.api.test:443 HTTP/1.1\\r\\nHost: h2.api.test:443\\r\\nProxy-Authorization: Bearer ' + token + '\\r\\n\\r\\n');
sock.once('data', () => {
  const t = tls.connect({socket: sock, servername: 'h2.api.test', ALPNProtocols: ['h2'], ca: fs.readFileSync('bundle.pem')}, () => {
    const c = http2.connect('https://h2.api.test', {createConnection: () => t});
    const r = c.request({':method': 'POST', ':path': path});
    let out = '', status;
    r.on('response', h => status = h[':status']);
    r.on('trailers', h => console.log('trailers', h['grpc-status']));
    r.on('data', d => out += d);
    r.on('end', () => { console.log(status, out.trim()); c.close(); process.exit(0); });
    r.end(Buffer.alloc(Number(size)));
  });
  t.on('error', e => { console.log('tls', e.code); process.exit(1); });
});
"""


def raw(port, data):
    """Send bytes, return the first line of the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as s:
        s.sendall(data)
        got = b""
        while b"\r\n" not in got:
            part = s.recv(4096)
            if not part:
                break
            got += part
        return got.split(b"\r\n")[0]


def curl(proxy, *args):
    return run("curl", "-sS", "--max-time", "20", "-o", "-", "-w", " %{http_code}", "--proxy", proxy, *args)


def requests(port, token):
    proxy = f"http://nono:{token}@127.0.0.1:{port}"
    got = curl(proxy, "http://plain.test/hello?x=1").stdout
    check("a plain request is sent on in origin form", got == "GET /hello?x=1 0 200", got)
    got = curl(proxy, "--cacert", "ca.pem", "https://api.test/t").stdout
    check("a tunnel carries TLS end to end", got == "GET /t 0 200", got)
    got = curl(proxy, "-d", "x" * 100000, "--cacert", "ca.pem", "https://api.test/big").stdout
    check("a large body passes the tunnel", got == "POST /big 100000 200", got)
    got = curl(proxy, "--cacert", "bundle.pem", "https://sub.api.test/v1/a/b").stdout
    check("an allowed endpoint passes interception", got == "GET /v1/a/b 0 200", got)
    for path, method in (("/v2/x", "GET"), ("/v1/../v2/x", "GET"), ("/v1/%2e%2e/v2", "GET"), ("/v1/a%2fb", "GET"), ("/v1/x", "DELETE")):
        Handler.seen.clear()
        got = curl(proxy, "--path-as-is", "-X", method, "--cacert", "bundle.pem", f"https://sub.api.test{path}").stdout
        check(f"{method} {path} is refused with a reason and never sent", got.endswith(" 403") and "nono" in got and not Handler.seen, got)
    got = run("curl", "-sS", "--proxy", proxy, "--cacert", "ca.pem", "https://sub.api.test/v1/x")
    check("interception is not a tunnel: the server's own CA does not verify", got.returncode == 60, got.stderr)
    got = curl(proxy, "--cacert", "bundle.pem", "https://wrong.test/x").stdout
    check("a server that cannot prove its name is refused", got.endswith(" 502") and "handshake" in got, got)
    got = curl(proxy, "--cacert", "bundle.pem", "-H", "Host: other.test", "https://sub.api.test/v1/x").stdout
    check("a Host header for another host is refused", got.endswith(" 403"), got)
    got = run("node", "-e", H2_CLIENT, str(port), token, "/v1/call", "400000", cwd=work).stdout
    check("h2 is carried with body and trailers", "trailers 0" in got and "200 POST /v1/call 400000" in got, got)
    got = run("node", "-e", H2_CLIENT, str(port), token, "/v2/call", "10", cwd=work).stdout
    check("h2 requests are judged one by one", got.startswith("403"), got)
    got = curl(proxy, "--http2", "--cacert", "bundle.pem", "https://sub.api.test/v1/old").stdout
    check("a client that wants h2 reaches a server without it", got.startswith("GET /v1/old 0"), got)


def attacks(port, token):
    auth = b"Proxy-Authorization: Basic " + base64.b64encode(b"nono:" + token.encode()) + b"\r\n"
    wrong = b"Proxy-Authorization: Basic " + base64.b64encode(b"nono:" + b"0" * 64) + b"\r\n"
    bearer = b"Proxy-Authorization: Bearer " + token.encode()[:-1] + b"\r\n"
    for name, header in (("no token", b""), ("a wrong token", wrong), ("a token one character short", bearer)):
        line = raw(port, b"CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n" + header + b"\r\n")
        check(f"{name} is answered 407", b" 407 " in line, line)
    post = b"POST http://plain.test/ HTTP/1.1\r\nHost: plain.test\r\n"
    cases = {
        "an unlisted host is refused": (b"CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n", 403),
        "CONNECT whose Host disagrees is refused": (b"CONNECT api.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n", 400),
        "CONNECT without a port is refused": (b"CONNECT api.test HTTP/1.1\r\nHost: api.test\r\n", 400),
        "userinfo in an address is refused": (b"GET http://plain.test@evil.test/ HTTP/1.1\r\nHost: evil.test\r\n", 400),
        "an absolute form that disagrees with Host is refused": (b"GET http://plain.test/ HTTP/1.1\r\nHost: evil.test\r\n", 400),
        "origin form at the proxy is refused": (b"GET / HTTP/1.1\r\nHost: plain.test\r\n", 400),
        "https in absolute form is refused": (b"GET https://api.test/ HTTP/1.1\r\nHost: api.test\r\n", 400),
        "two lengths are refused": (post + b"Content-Length: 1\r\nContent-Length: 2\r\n", 400),
        "length beside chunked is refused": (post + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", 400),
        "a head without end is cut off": (b"GET http://plain.test/ HTTP/1.1\r\nX: " + b"a" * 70000, 431),
    }
    for what, (head, status) in cases.items():
        line = raw(port, head + auth + b"\r\n")
        check(what, f" {status} ".encode() in line, line)
    Handler.seen.clear()
    raw(port, b"POST http://plain.test/one HTTP/1.1\r\nHost: plain.test\r\n" + auth + b"Transfer-Encoding: chunked\r\n\r\n"
        b"3;ext=1\r\nabc\r\n0\r\n\r\nGET http://evil.test/two HTTP/1.1\r\n\r\n")
    check("a body with bad framing brings no second request to the server", ("GET", "/two") not in Handler.seen, Handler.seen)
    with open("bundle.pem", encoding="utf-8") as f:
        check("the bundle holds certificates and no key", "PRIVATE" not in f.read())


def main():
    make_certificates()
    plain, tls = serve(False), serve(True)
    h2 = subprocess.Popen(["node", "-e", H2_SERVER], stdout=subprocess.PIPE, text=True, cwd=work)
    h2_port = h2.stdout.readline().strip()
    maps = [f"plain.test:80={plain}", f"api.test:443={tls}", f"sub.api.test:443={tls}", f"h2.api.test:443={h2_port}", f"wrong.test:443={tls}",
            "route:sub.api.test:GET:/v1/**", "route:h2.api.test:POST:/v1/*", "route:wrong.test:*:/**"]
    harness = subprocess.Popen([f"{BUILD}/tests/proxy_harness", f"{BUILD}/lib/nono/nono-proxy.so", "bundle.pem", *maps],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(os.environ, SSL_CERT_FILE=f"{work}/ca.pem"))
    port, token = harness.stdout.readline().split()
    try:
        requests(int(port), token)
        attacks(int(port), token)
    finally:
        harness.stdin.close()
        status = harness.wait(timeout=20)
        h2.terminate()
        h2.wait()
    check("the proxy ends cleanly", status == 0, status)


try:
    main()
finally:
    shutil.rmtree(work, ignore_errors=True)
sys.exit(1 if failures else 0)
