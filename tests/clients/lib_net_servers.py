#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Servers of a test network: a name server that logs what it is asked, HTTP and HTTPS, a metadata address.

usage: lib_net_servers.py DIR world|host   (DIR holds server.pem; logs and "ready.world" are written there)
"""
import http.server
import os
import socket
import socketserver
import ssl
import struct
import sys
import threading
import time

DIR = sys.argv[1]
DNS = "192.0.2.53"
A = {
    "api.test": ["192.0.2.10"], "two.test": ["192.0.2.10", "192.0.2.11"], "www.wild.test": ["192.0.2.11"],
    "paths.test": ["192.0.2.20"], "xn--bcher-kva.test": ["192.0.2.10"], "other.test": ["192.0.2.66"], "loop.test": ["127.0.0.1"], "meta.test": ["169.254.169.254"],
    "mixed.test": ["127.0.0.1", "192.0.2.10"], "private.test": ["10.9.8.7"], "six.test": [],
    "slow.test": ["192.0.2.10"], "half.test": ["192.0.2.10"],
}
AAAA = {"api.test": ["2001:db8::10"], "six.test": ["2001:db8::10"], "loop6.test": ["::1"], "mapped.test": ["::ffff:127.0.0.1"]}
ALIAS = {"alias.test": "api.test"}
# names whose address changes: with each question, or for good after the first
TURNS = {"rebind.test": ["192.0.2.10", "127.0.0.1", "169.254.169.254", "192.0.2.10", "0.0.0.0"], "turn.test": ["192.0.2.10"]}
asked = {}
# more names, one a line, that a test may add: all at one address
MORE, MORE_AT = f"{DIR}/names", "192.0.2.30"


def log(name, line):
    with open(f"{DIR}/{name}", "a", encoding="utf-8") as f:
        f.write(line + "\n")


def encode(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label) + b"\0"


def record(owner, kind, data, ttl=30):
    return encode(owner) + struct.pack(">HHIH", kind, 1, ttl, len(data)) + data


def respond(query, tcp):
    ident, flags = struct.unpack(">HH", query[:4])
    at, labels = 12, []
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += query[at] + 1
    kind = struct.unpack(">H", query[at + 1:at + 3])[0]
    name = ".".join(labels).lower()
    log("dns.log", f"{name} {kind}{' tcp' if tcp else ''}")
    question = query[12:at + 5]
    answers, extra, owner = [], [], name
    if name in ALIAS:
        answers.append(record(name, 5, encode(ALIAS[name])))
        owner = ALIAS[name]
    if os.path.exists(MORE):
        with open(MORE, encoding="ascii") as f:
            A.update((line.strip(), [MORE_AT]) for line in f)
    known = owner in A or owner in AAAA or owner in TURNS
    if kind == 1 and owner in TURNS:
        turn = asked[owner] = asked.get(owner, -1) + 1
        turns = TURNS[owner]
        address = turns[turn % len(turns)] if owner == "rebind.test" or turn == 0 else "192.0.2.66"
        answers.append(record(owner, 1, socket.inet_aton(address), 0))
    elif kind == 1:
        answers += [record(owner, 1, socket.inet_aton(a)) for a in A.get(owner, [])]
    elif kind == 28:
        answers += [record(owner, 28, socket.inet_pton(socket.AF_INET6, a)) for a in AAAA.get(owner, [])]
    elif kind == 15 and known:
        answers.append(record(owner, 15, struct.pack(">H", 10) + encode("mail." + owner)))
        extra.append(record("mail." + owner, 1, socket.inet_aton("192.0.2.99")))
    elif kind == 16 and known:
        count = 40 if name == "two.test" else 1  # two.test: too long for a datagram
        answers += [record(owner, 16, b"\x14" + f"text of the name {i:03}".encode()) for i in range(count)]
    elif kind == 33 and known:
        answers.append(record(owner, 33, struct.pack(">HHH", 1, 2, 443) + encode(owner)))
    elif kind == 65 and known:
        params = struct.pack(">HH", 1, 3) + b"\x02h2" + struct.pack(">HH", 4, 4) + socket.inet_aton("192.0.2.10")
        params += struct.pack(">HH", 5, 6) + b"\0\4keys"
        answers.append(record(owner, 65, struct.pack(">H", 1) + b"\0" + params))
    rcode = 0 if known or answers else 3
    if name == "slow.test":
        time.sleep(0.5)
    if name == "half.test" and kind == 28:
        rcode = 2  # as some name servers do
    if not tcp and sum(map(len, answers)) > 480:
        answers, flags = [], flags | 0x0200
    head = struct.pack(">HHHHHH", ident, 0x8080 | (flags & 0x0300) | rcode, 1, len(answers), 0, len(extra))
    return head + question + b"".join(answers + extra)


class DnsUdp(socketserver.BaseRequestHandler):
    def handle(self):
        data, sock = self.request
        sock.sendto(respond(data, False), self.client_address)


class DnsTcp(socketserver.StreamRequestHandler):
    def handle(self):
        size = self.rfile.read(2)
        if len(size) == 2:
            answer = respond(self.rfile.read(struct.unpack(">H", size)[0]), True)
            self.wfile.write(struct.pack(">H", len(answer)) + answer)


class Http(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        where = self.server.server_address[0]
        log("http.log", f"{where} {self.headers.get('Host')} {self.path}")
        body, status = f"hello from {where}\n".encode(), 200
        if self.path.startswith(("/repo.git/", "/npm/")):  # a git repository by the plain file protocol, a registry
            file = os.path.normpath(f"{DIR}/www{self.path.split('?')[0]}")
            status = 200 if os.path.isfile(file) else 404
            body = open(file, "rb").read() if status == 200 else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def serve(server):
    threading.Thread(target=server.serve_forever, daemon=True).start()


def web(address, port, tls=False):
    class Server(http.server.ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        request_queue_size = 128

        def handle_error(self, request, client_address):
            pass  # clients that go away are part of the tests

    server = Server((address, port), Http)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{DIR}/server.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    serve(server)


socketserver.TCPServer.allow_reuse_address = True
if sys.argv[2] == "host":
    web("127.0.0.1", 80)
else:
    serve(socketserver.ThreadingUDPServer((DNS, 53), DnsUdp))
    serve(socketserver.ThreadingTCPServer((DNS, 53), DnsTcp))
    for host in ("192.0.2.10", "192.0.2.11", "192.0.2.66", "10.9.8.7", "169.254.169.254", "2001:db8::10", "2001:db8::66"):
        web(host, 80)
    for host in ("192.0.2.10", "2001:db8::10", "192.0.2.66"):
        web(host, 443, True)
log(f"ready.{sys.argv[2]}", "yes")
threading.Event().wait()
