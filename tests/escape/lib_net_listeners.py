#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Listeners that attacks aim at.

usage: lib_net_listeners.py DIR world|host
world: a port that never answers, ports that hang up (192.0.2.66 writes who came to DIR/wrong.log), a UDP port that
writes what arrives to DIR/udp.log, a time server by UDP
host: Unix sockets below DIR/sockets that write who came to DIR/*.log, an abstract one
"""
import os
import resource
import select
import socket
import sys
import threading

DIR = sys.argv[1]


def log(name, text):
    with open(f"{DIR}/{name}", "a", encoding="utf-8") as f:
        f.write(text + "\n")


def background(function, *args):
    threading.Thread(target=function, args=args, daemon=True).start()


def unix(path, kind, name):
    s = socket.socket(socket.AF_UNIX, kind)
    s.bind(path)
    s.listen(64)
    while True:
        c, _ = s.accept()
        log(name, "reached")
        c.close()


def unix_datagrams():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(f"{DIR}/sockets/log.sock")
    while True:
        data, who = s.recvfrom(1000)
        log("datagrams", data.decode())
        if data == b"two" and who:
            s.sendto(b"answer", who)


def udp(address, port, name, answer=False):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((address, port))
    while True:
        data, who = s.recvfrom(1000)
        if answer:
            s.sendto(b"time for " + data, who)
        else:
            log(name, "leak")


def hand_out(path):
    """Sockets of kinds that nobody inside could make; a datagram socket that comes back is used."""
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    s.listen(4)
    mptcp = 262
    kinds = ((socket.SOCK_STREAM, 0), (socket.SOCK_DGRAM, 0), (socket.SOCK_STREAM, mptcp), (socket.SOCK_RAW, 1))
    while True:
        c, _ = s.accept()
        out = []
        for kind in kinds:
            try:
                out.append(socket.socket(socket.AF_INET, *kind))
            except OSError:
                pass
        socket.send_fds(c, [b"x"], [each.fileno() for each in out])
        _, back, _, _ = socket.recv_fds(c, 1, 4)
        for fd in back:
            try:
                socket.socket(fileno=fd).sendto(b"leak", ("192.0.2.66", 9999))
            except OSError:
                pass
        c.close()


def hang_up(address, name=None):
    s = socket.socket()
    s.bind((address, 82))
    s.listen(1024)
    while True:
        c, _ = s.accept()
        c.close()
        if name:
            log(name, "reached")


def answer_all(address):
    """One byte to whoever sends one; connections stay."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    s = socket.socket()
    s.bind((address, 83))
    s.listen(4096)
    wait = select.epoll()
    wait.register(s, select.EPOLLIN)
    connections = {}
    while True:
        for fd, _ in wait.poll():
            if fd == s.fileno():
                c, _ = s.accept()
                connections[c.fileno()] = c
                wait.register(c, select.EPOLLIN)
                continue
            try:
                data = connections[fd].recv(1)
                connections[fd].send(data)
            except OSError:
                data = b""
            if not data:
                connections.pop(fd).close()


def full():
    s = socket.socket()
    s.bind(("192.0.2.10", 81))
    s.listen(0)
    fill = [socket.socket() for _ in range(4)]
    for c in fill:
        c.setblocking(False)
        c.connect_ex(("192.0.2.10", 81))
    return s, fill


if sys.argv[2] == "world":
    KEEP = full()
    background(answer_all, "192.0.2.10")
    background(hang_up, "192.0.2.10")
    background(hang_up, "192.0.2.66", "wrong.log")
    background(udp, "192.0.2.66", 9999, "udp.log")
    background(udp, "192.0.2.10", 123, "time.log", True)
else:
    os.mkdir(f"{DIR}/sockets")
    background(unix, f"{DIR}/sockets/open.sock", socket.SOCK_STREAM, "open.log")
    background(unix, f"{DIR}/sockets/packet.sock", socket.SOCK_SEQPACKET, "packet.log")
    background(unix, f"{DIR}/sockets/docker.sock", socket.SOCK_STREAM, "docker.log")
    background(unix, "\0nono-test-foreign", socket.SOCK_STREAM, "foreign.log")
    background(unix_datagrams)
    background(hand_out, f"{DIR}/sockets/hand.sock")
    while not all(os.path.exists(f"{DIR}/sockets/{s}.sock") for s in ("open", "packet", "docker", "log", "hand")):
        pass
log(f"listening.{sys.argv[2]}", "yes")
threading.Event().wait()
