#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Inside a session with path rules for paths.test (POST, GET /v1/**): HTTP/2 clients that send without end, or do not read.
usage: lib_proxy_flood.py KIND CONNECTIONS
Writes its parent's number to "broker", begins after a line on standard input, writes "done" when all is sent, stays until
standard input ends, and then prints "served" if the proxy still does that."""
import base64
import http.client
import os
import socket
import ssl
import struct
import sys
import urllib.parse

HOST, PORT = "paths.test", 443
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(name, value):
    def text(s):
        n = len(s)
        if n < 127:
            return bytes([n]) + s
        n, out = n - 127, b"\x7f"
        while n >= 128:
            out += bytes([n % 128 + 128])
            n //= 128
        return out + bytes([n]) + s
    return b"\0" + text(name.encode()) + text(value.encode())


def block(path, method="GET", extra=()):
    fields = [(":method", method), (":scheme", "https"), (":authority", HOST), (":path", path), *extra]
    return b"".join(literal(n, v) for n, v in fields)


def headers(stream, data, end=True):
    """HEADERS and as many CONTINUATION as it takes."""
    parts = [data[i:i + 16000] for i in range(0, len(data), 16000)]
    out = frame(1, (1 if end else 0) | (4 if len(parts) == 1 else 0), stream, parts[0])
    for i, part in enumerate(parts[1:], 2):
        out += frame(9, 4 if i == len(parts) else 0, stream, part)
    return out


def h2_open(settings=b""):
    context = ssl.create_default_context()
    context.set_alpn_protocols(["h2"])
    s = context.wrap_socket(socket.create_connection((HOST, PORT), timeout=60), server_hostname=HOST)
    s.sendall(PREFACE + frame(4, 0, 0, settings))
    return s


def push(s, data):
    """Send what is taken within a moment. Return: whether all of it was."""
    s.settimeout(0.5)
    try:
        s.sendall(data)
        return True
    except OSError:
        return False


def resets(s):
    for i in range(5000):
        if not push(s, headers(2 * i + 1, block(f"/v1/reset{i}")) + frame(3, 0, 2 * i + 1, struct.pack(">I", 8))):
            return


def streams(s):
    big = [(f"x{i}", "y" * 4000) for i in range(14)]
    for i in range(100):
        if not push(s, headers(2 * i + 1, block("/v1/never", extra=big))):
            return


def refused_streams(s):
    for i in range(5000):
        if not push(s, headers(2 * i + 1, block("/v2/refused"))):
            return


def continuation(s):
    push(s, frame(1, 1, 1, block("/v1/a")))
    while push(s, frame(9, 0, 1, b"\0\x01a\x01b" * 2000)):
        pass


def table(s):
    """Fields that stay in the compression's table, each used many times over."""
    one = b"\x40" + literal("x", "y" * 3900)[1:]
    for i in range(200):
        if not push(s, headers(2 * i + 1, block("/v1/never") + (one if i == 0 else b"") + b"\xbe" * 15)):
            return


def settings(s):
    for _ in range(3000):
        if not push(s, frame(4, 0, 0, struct.pack(">HI", 4, 65535)) * 50):
            return


def pings(s):
    for _ in range(3000):
        if not push(s, frame(6, 0, 0, b"12345678") * 50):
            return


def priorities(s):
    for i in range(3000):
        if not push(s, b"".join(frame(2, 0, 2 * (50 * i + k) + 1, struct.pack(">IB", 0, 1)) for k in range(50))):
            return


def uploads(s):
    """Data for a server that does not read it."""
    for i in range(50):
        push(s, headers(2 * i + 1, block("/v1/never", "POST"), False))
    for n in range(400):
        for i in range(50):
            if not push(s, frame(0, 0, 2 * i + 1, b"x" * 16000)):
                return


def downloads(s):
    """Data that this program does not read, all that its windows let come."""
    push(s, frame(8, 0, 0, struct.pack(">I", 0x7fff0000 - 65535)))
    for i in range(50):
        push(s, headers(2 * i + 1, block("/v1/large")))


def tunnels(_):
    """What a server sends without end and nobody reads, through a tunnel."""
    proxy = urllib.parse.urlsplit(os.environ["HTTPS_PROXY"])
    auth = base64.b64encode(f"{proxy.username}:{proxy.password}".encode()).decode()
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect((proxy.hostname, proxy.port))
    s.sendall(f"CONNECT api.test:9000 HTTP/1.1\r\nHost: api.test:9000\r\nProxy-Authorization: Basic {auth}\r\n\r\n".encode())
    s.recv(100)
    kept.append(s)


kind, count = globals()[sys.argv[1]], int(sys.argv[2])
with open("broker", "w", encoding="ascii") as f:
    f.write(str(os.getppid()))
sys.stdin.readline()
kept = []
for _ in range(count):
    try:
        if kind is tunnels:
            tunnels(None)
            continue
        kept.append(h2_open(struct.pack(">HI", 4, 0x7fffffff) if kind is downloads else b""))
        kind(kept[-1])
    except OSError:
        pass
with open("done", "w", encoding="ascii") as f:
    f.write(str(len(kept)))
sys.stdin.read()
for each in kept:
    each.close()
check = http.client.HTTPSConnection(HOST, timeout=60)
check.request("GET", "/v1/a")
print("served" if check.getresponse().read().startswith(b"GET /v1/a 0") else "not served")
