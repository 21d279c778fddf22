#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Connections and downloads over loopback: unsandboxed, under nono with 150 domain rules, through its proxy, under srt.

Prints one JSON object in bench.py's shape; seconds throughout. Called by bench.py.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NONO = os.environ.get("NONO", str(ROOT / "build/release/bin/nono"))
TOOLS = pathlib.Path(NONO).resolve().parent.parent / "tests"
AGENTS = pathlib.Path(os.environ.get("NONO_AGENTS", str(ROOT / "build/agents/node_modules/.bin")))


def figure(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def nono(work, *domains):
    """nono with 150 unrelated rules beside the ones that matter."""
    profile = work / "bench.json"
    rules = [f"host{i}.example.test" for i in range(100)] + [f"*.zone{i}.example.test" for i in range(50)]
    profile.write_text(json.dumps({"meta": {"name": "bench"}, "extends": "default",
                                   "filesystem": {"allow": [str(work)], "read": [str(TOOLS)]},
                                   "network": {"allow_domain": [*rules, *domains]}}), encoding="utf-8")
    return [NONO, "run", "-s", "--profile", str(profile), "--on-request", "deny", "--"]


def connections(work, runs):
    tool = str(TOOLS / "connect_bench_dynamic")
    server = subprocess.Popen([tool, "serve"], stdout=subprocess.PIPE, text=True)
    port = server.stdout.readline().strip()
    try:
        rows, requests = {}, {}
        for name, wrapper in {"bare": [], "nono, 150 rules": nono(work, f"127.0.0.1:{port}")}.items():
            pairs = []
            for _ in range(max(3, runs // 8)):
                out = subprocess.run([*wrapper, tool, "connect", port, "2000"], capture_output=True, text=True, check=True).stdout
                pairs.append([float(x) / 1e6 for x in out.split()])
            rows[name] = figure([p[0] for p in pairs])
            requests[name] = figure([p[1] for p in pairs])
        many = {}
        for name, wrapper in {"bare": [], "nono, 150 rules": nono(work, f"127.0.0.1:{port}")}.items():
            out = subprocess.run([*wrapper, tool, "many", port, "10000"], capture_output=True, text=True, check=False)
            if out.returncode == 0:
                many[name] = figure([float(out.stdout)])
            else:
                print(f"bench: 10,000 connections, {name}: {out.stderr.strip()}", file=sys.stderr)
        result = {"connect (loopback)": rows, "connect and request": requests}
        if many:
            result["10,000 connections held open"] = many
        return result
    finally:
        server.terminate()
        server.wait()


def certificates(work):
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    subprocess.run(["openssl", "req", "-x509", *key, "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
                    "-keyout", str(work / "key.pem"), "-out", str(work / "cert.pem")], check=True, capture_output=True)


def downloads(work, runs):
    certificates(work)
    (work / "www").mkdir()
    with open(work / "www" / "blob", "wb") as f:
        f.truncate(1 << 30)
    port = "18443"
    server = subprocess.Popen(["openssl", "s_server", "-quiet", "-accept", f"127.0.0.1:{port}", "-cert", str(work / "cert.pem"), "-key",
                               str(work / "key.pem"), "-WWW"], cwd=work / "www", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    url = f"https://127.0.0.1:{port}/blob"
    get = ["curl", "-sS", "--cacert", str(work / "cert.pem"), "-o", "/dev/null", "-w", "%{time_total}"]
    variants = {
        "bare": [*get, url],
        "nono, 150 rules": [*nono(work, f"127.0.0.1:{port}"), *get, "--noproxy", "*", url],
        "nono, through its proxy": [*nono(work, f"127.0.0.1:{port}"), "env", "-u", "NO_PROXY", "-u", "no_proxy", *get, url],
    }
    srt = shutil.which("srt") or str(AGENTS / "srt")
    if os.path.exists(srt):
        settings = work / "srt.json"
        settings.write_text(json.dumps({"network": {"allowedDomains": ["127.0.0.1", "localhost"], "deniedDomains": []},
                                        "filesystem": {"denyRead": [], "allowWrite": [str(work)], "denyWrite": []}}), encoding="utf-8")
        variants["srt"] = [srt, "--settings", str(settings), "env", "-u", "NO_PROXY", "-u", "no_proxy", *get, url]
    rows = {}
    try:
        for name, command in variants.items():
            times = []
            for _ in range(max(3, runs // 10)):
                out = subprocess.run(command, capture_output=True, text=True, check=False)
                if out.returncode:
                    print(f"bench: download, {name}: left out: {out.stderr.strip()[-300:]}", file=sys.stderr)
                    break
                times.append(float(out.stdout.strip().split()[-1]))
            if times:
                rows[name] = figure(times)
        return {"download of 1 GiB over TLS (seconds by the client's clock)": rows}
    finally:
        server.terminate()
        server.wait()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--runs", type=int, default=40)
    a = p.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix="nono-net-bench-", dir=os.environ.get("NONO_BENCH_DIR", "/var/tmp")))
    try:
        json.dump({**connections(work, a.runs), **downloads(work, a.runs)}, sys.stdout)
    finally:
        shutil.rmtree(work, ignore_errors=True)


main()
