#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes "SOURCE DESTINATION PROTOCOL" for each packet on any interface to a file; for ARP and neighbour discovery
the destination is the address looked for. Unlike tcpdump it also runs as an ordinary user in a namespace of its own."""
import socket
import sys

SOLICITATION, OTHER_DISCOVERY = 135, (130, 131, 132, 133, 134, 136, 137, 143)


def v4(b):
    return socket.inet_ntoa(b)


def v6(b):
    return socket.inet_ntop(socket.AF_INET6, b)


capture = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
capture.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
with open(sys.argv[1], "w", buffering=1, encoding="ascii") as out:
    print("listening", file=out)
    while True:
        packet, where = capture.recvfrom(65535)
        kind = where[1]
        if kind == 0x0800:
            print(v4(packet[12:16]), v4(packet[16:20]), packet[9], file=out)
        elif kind == 0x0806:
            print(v4(packet[14:18]), v4(packet[24:28]), "arp", file=out)
        elif kind == 0x86DD and packet[6] == 58 and packet[40] == SOLICITATION:
            if packet[48:50] != b"\xfe\x80":  # link-local addresses are the kernel's to look for
                print("2001:db8::1", v6(packet[48:64]), "neighbour", file=out)
        elif kind == 0x86DD and (packet[6] == 0 or packet[6] == 58 and packet[40] in OTHER_DISCOVERY):
            continue  # the kernel's own: routers, groups
        elif kind == 0x86DD:
            print(v6(packet[8:24]), v6(packet[24:40]), packet[6], file=out)
        else:
            print("link", hex(kind), 0, file=out)
