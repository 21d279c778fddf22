#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gRPC with the C core's resolver (c-ares).
usage: lib_net_grpc.py serve DIR | call HOST SECONDS
       lib_net_grpc.py tls DIR ADDRESS | tls-call HOST SECONDS METHOD   (DIR: server.key, server.crt, requests.log)"""
import concurrent.futures
import sys
import threading

import grpc

METHOD = "/test.Hello/Say"


class Hello(grpc.GenericRpcHandler):
    def __init__(self, address, log=None):
        self.address = address
        self.log = log

    def service(self, details):
        if self.log:
            with open(self.log, "a", encoding="ascii") as f:
                f.write(details.method + "\n")
        if details.method != METHOD:
            return None
        return grpc.unary_unary_rpc_method_handler(lambda request, _: b"hello from " + self.address.encode())


def ready(directory):
    with open(f"{directory}/ready.grpc", "w", encoding="ascii"):
        pass
    threading.Event().wait()


def read(path):
    with open(path, "rb") as f:
        return f.read()


def call(channel, method, seconds):
    with channel:
        print(channel.unary_unary(method)(b"", timeout=float(seconds)).decode())


if sys.argv[1] == "serve":
    servers = []
    for where in ("192.0.2.10", "192.0.2.66"):
        server = grpc.server(concurrent.futures.ThreadPoolExecutor(2), handlers=[Hello(where)])
        if server.add_insecure_port(f"{where}:50051") != 50051:
            sys.exit(1)
        server.start()
        servers.append(server)
    ready(sys.argv[2])
elif sys.argv[1] == "tls":
    where, directory = sys.argv[3], sys.argv[2]
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2), handlers=[Hello(where, f"{directory}/requests.log")])
    credentials = grpc.ssl_server_credentials([(read(f"{directory}/server.key"), read(f"{directory}/server.crt"))])
    if server.add_secure_port(f"{where}:50051", credentials) != 50051:
        sys.exit(1)
    server.start()
    ready(directory)
elif sys.argv[1] == "tls-call":
    call(grpc.secure_channel(f"{sys.argv[2]}:50051", grpc.ssl_channel_credentials()), f"/test.Hello/{sys.argv[4]}", sys.argv[3])
else:
    call(grpc.insecure_channel(f"{sys.argv[2]}:50051"), METHOD, sys.argv[3])
