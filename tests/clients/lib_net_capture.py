#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes "SOURCE DESTINATION PROTOCOL" for each packet on the loopback interface to a file.
Unlike tcpdump it also runs as an ordinary user in a namespace of its own."""
import socket
import sys

capture = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
capture.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
capture.bind(("lo", 3))
with open(sys.argv[1], "w", buffering=1, encoding="ascii") as out:
    print("listening", file=out)
    while True:
        packet, where = capture.recvfrom(65535)
        kind = where[1]
        if kind == 0x0800:
            print(socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20]), packet[9], file=out)
        elif kind == 0x86DD:
            source, to = (socket.inet_ntop(socket.AF_INET6, packet[i:i + 16]) for i in (8, 24))
            print(source, to, packet[6], file=out)
        else:
            print("link", hex(kind), 0, file=out)
