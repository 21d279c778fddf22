#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gRPC with the C core's resolver (c-ares).  usage: lib_net_grpc.py serve DIR | call HOST"""
import concurrent.futures
import sys
import threading

import grpc

METHOD = "/test.Hello/Say"


class Hello(grpc.GenericRpcHandler):
    def __init__(self, address):
        self.address = address

    def service(self, details):
        if details.method != METHOD:
            return None
        return grpc.unary_unary_rpc_method_handler(lambda request, _: b"hello from " + self.address.encode())


if sys.argv[1] == "serve":
    servers = []
    for where in ("192.0.2.10", "192.0.2.66"):
        server = grpc.server(concurrent.futures.ThreadPoolExecutor(2), handlers=[Hello(where)])
        if server.add_insecure_port(f"{where}:50051") != 50051:
            sys.exit(1)
        server.start()
        servers.append(server)
    with open(f"{sys.argv[2]}/ready.grpc", "w", encoding="ascii"):
        pass
    threading.Event().wait()
with grpc.insecure_channel(f"{sys.argv[2]}:50051") as channel:
    print(channel.unary_unary(METHOD)(b"", timeout=float(sys.argv[3])).decode())
