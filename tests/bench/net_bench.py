#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Names, connections and downloads over loopback: unsandboxed, under nono with 150 domain rules, through its proxy, under srt.

usage: net_bench.py [--runs N]

Prints one JSON object in bench.py's shape; seconds throughout. Called by bench.py. Rows of a table are measured one after
the other in each round, so that what disturbs the machine disturbs all of them. What cannot be measured here is named.
"""
import argparse
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
NONO = os.environ.get("NONO", str(ROOT / "build/release/bin/nono"))
TOOLS = pathlib.Path(NONO).resolve().parent.parent / "tests"
AGENTS = pathlib.Path(os.environ.get("NONO_AGENTS", str(ROOT / "build/agents/node_modules/.bin")))
TOOL = str(TOOLS / "connect_bench_dynamic")


def figure(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def rounds(variants, runs, measure):
    """Measure each variant once a round. A variant that fails is named and left out. Return: its figures by name."""
    values, failed = {name: [] for name in variants}, set()
    for _ in range(runs):
        for name, command in variants.items():
            if name in failed:
                continue
            try:
                values[name].append(measure(command))
            except (subprocess.CalledProcessError, ValueError, IndexError) as e:
                failed.add(name)
                detail = (getattr(e, "stderr", "") or str(e)).strip()[-300:]
                print(f"bench: net: {name}: left out: {detail}", file=sys.stderr)
    return {name: v for name, v in values.items() if v and name not in failed}


def output(command):
    return subprocess.run(command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL).stdout


def nono(work, *domains):
    """nono with 150 unrelated rules beside the ones that matter."""
    profile = work / "bench.json"
    rules = [f"host{i}.example.test" for i in range(100)] + [f"*.zone{i}.example.test" for i in range(50)]
    profile.write_text(json.dumps({"meta": {"name": "bench"}, "extends": "default",
                                   "filesystem": {"allow": [str(work)], "read": [str(TOOLS)]},
                                   "network": {"allow_domain": [*rules, *domains]}}), encoding="utf-8")
    return [NONO, "run", "-s", "--no-diagnostics", "--profile", str(profile), "--on-request", "deny", "--"]


def srt(work):
    """srt as a wrapper of one shell command, or None."""
    program = shutil.which("srt") or str(AGENTS / "srt")
    if not os.path.exists(program):
        print("bench: net: srt is not installed (scripts/install-agents), left out", file=sys.stderr)
        return None
    settings = work / "srt.json"
    settings.write_text(json.dumps({"network": {"allowedDomains": ["127.0.0.1", "localhost"], "deniedDomains": []},
                                    "filesystem": {"denyRead": [], "allowWrite": [str(work)], "denyWrite": []}}), encoding="utf-8")
    return [program, "--settings", str(settings), "-c"]


def shell(command):
    """One command line; what keeps loopback from the proxy is taken out of the environment."""
    return "unset NO_PROXY no_proxy; exec " + " ".join(command)


def latencies(work, runs):
    server = subprocess.Popen([TOOL, "serve"], stdout=subprocess.PIPE, text=True)
    port = server.stdout.readline().strip()
    inside, result = nono(work, f"127.0.0.1:{port}"), {}
    try:
        variants = {"bare": [TOOL, "connect", port, "2000"], "nono, 150 rules": [*inside, TOOL, "connect", port, "2000"]}
        pairs = rounds(variants, runs, lambda c: [float(x) / 1e6 for x in output(c).split()])
        result["connect (loopback)"] = {k: figure([p[0] for p in v]) for k, v in pairs.items()}
        result["connect and request"] = {k: figure([p[1] for p in v]) for k, v in pairs.items()}

        variants = {"bare, no proxy": [TOOL, "connect", port, "1000"], "nono's proxy": [*inside, TOOL, "proxy", port, "1000"]}
        if srt(work):
            variants["srt's proxy"] = [*srt(work), shell([TOOL, "proxy", port, "1000"])]
        pairs = rounds(variants, max(3, runs // 2), lambda c: float(output(c).split()[-1]) / 1e6)
        result["connect and request through a proxy"] = {k: figure(v) for k, v in pairs.items()}

        variants = {"bare": [TOOL, "many", port, "10000"], "nono, 150 rules": [*inside, TOOL, "many", port, "10000"]}
        result["10,000 connections held open"] = {
            k: figure(v) for k, v in rounds(variants, 3, lambda c: float(output(c).split()[-1])).items()}
        # a proxy has two descriptors for each, and no more than the hard limit of the machine; srt is left out: it
        # starts two processes for each connection
        n = min(10000, (resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 1000) // 2)
        variants = {"nono's proxy": [*inside, TOOL, "manyproxy", port, str(n)]}
        result[f"{n:,} connections held open through a proxy"] = {
            k: figure(v) for k, v in rounds(variants, 3, lambda c: float(output(c).split()[-1])).items()}
        return result
    finally:
        server.terminate()
        server.wait()


# ---- names: a name server, and a resolv.conf that names it, in namespaces of their own -----------

NAME_SERVER = """
import socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.153", 53))
print("ready", flush=True)
while True:
    q, a = s.recvfrom(1500)
    end = q.index(b"\\0", 12) + 5
    s.sendto(q[:2] + b"\\x81\\x80\\0\\1\\0\\1\\0\\0\\0\\0" + q[12:end] + b"\\xc0\\x0c\\0\\1\\0\\1" + struct.pack(">IH", 600, 4) + bytes([192, 0, 2, 9]), a)
"""


LOOKUPS = """
import socket, statistics, time
took = []
for i in range(2000):
    start = time.perf_counter()
    socket.getaddrinfo("name.bench.test", 443, socket.AF_INET, socket.SOCK_STREAM)
    took.append(time.perf_counter() - start)
print(statistics.median(took) * 1e6)
"""


def names(work, runs):
    """Called again inside the namespaces: the time of one answer."""
    ready = subprocess.Popen([sys.executable, "-c", NAME_SERVER], stdout=subprocess.PIPE, text=True)
    try:
        ready.stdout.readline()
        variants = {"the name server itself (Python)": [TOOL, "dns", "name.bench.test", "2000"],
                    "nono, 150 rules": [*nono(work, "*.bench.test"), TOOL, "dns", "name.bench.test", "2000"]}
        rows = rounds(variants, runs, lambda c: float(output(c)) / 1e6)
        lookup = ["/usr/bin/python3", "-c", LOOKUPS] # TOOL is static and so without the shim
        inside = nono(work, "*.bench.test")
        variants = {"bare": lookup, "nono without the shim": [*inside, "env", "LD_PRELOAD=", *lookup],
                    "nono, 150 rules": [*inside, *lookup]}
        lookups = rounds(variants, runs, lambda c: float(output(c)) / 1e6)
        return {"DNS answer": {k: figure(v) for k, v in rows.items()},
                "getaddrinfo": {k: figure(v) for k, v in lookups.items()}}
    finally:
        ready.terminate()
        ready.wait()


def names_in_namespaces(work, runs):
    (work / "resolv.conf").write_text("nameserver 127.0.0.153\n", encoding="utf-8")
    script = f'ip link set lo up && mount --bind {work}/resolv.conf "$(readlink -f /etc/resolv.conf)" && exec "$@"'
    flags = ["--net", "--mount"] if os.getuid() == 0 else ["--map-root-user", "--net", "--mount"]
    command = ["unshare", *flags, "--", "sh", "-c", script, "sh", sys.executable, __file__, "--names", str(work), "--runs", str(runs)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"bench: net: names: left out: {done.stderr.strip()[-300:]}", file=sys.stderr)
        return {}
    sys.stderr.write(done.stderr)
    return json.loads(done.stdout)


# ---- downloads ------------------------------------------------------------------------------------

def certificates(work):
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    subprocess.run(["openssl", "req", "-x509", *key, "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
                    "-keyout", str(work / "key.pem"), "-out", str(work / "cert.pem")], check=True, capture_output=True)


def free_port():
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return str(s.getsockname()[1])


def downloads(work, runs):
    certificates(work)
    (work / "www").mkdir()
    with open(work / "www" / "blob", "wb") as f:
        f.truncate(1 << 30)
    port = free_port()
    server = subprocess.Popen(["openssl", "s_server", "-quiet", "-accept", f"127.0.0.1:{port}", "-cert", str(work / "cert.pem"), "-key",
                               str(work / "key.pem"), "-WWW"], cwd=work / "www", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(1)
    url = f"https://127.0.0.1:{port}/blob"
    get = ["curl", "-sS", "--cacert", str(work / "cert.pem"), "-o", "/dev/null", "-w", "%{time_total}", url]
    inside = nono(work, f"127.0.0.1:{port}")
    variants = {"bare": get, "nono, 150 rules": [*inside, "env", "-u", "https_proxy", "-u", "HTTPS_PROXY", *get],
                "nono's proxy": [*inside, "env", "-u", "NO_PROXY", "-u", "no_proxy", *get]}
    if srt(work):
        variants["srt's proxy"] = [*srt(work), shell([*get[:-2], "'%{time_total}'", url])]
    try:
        rows = rounds(variants, max(3, runs // 3), lambda c: float(output(c).split()[-1]))
        return {"download of 1 GiB over TLS (by the client's clock)": {k: figure(v) for k, v in rows.items()}}
    finally:
        server.terminate()
        server.wait()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--runs", type=int, default=40)
    p.add_argument("--names", help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.names:
        json.dump(names(pathlib.Path(a.names), a.runs), sys.stdout)
        return
    work = pathlib.Path(tempfile.mkdtemp(prefix="nono-net-bench-", dir=os.environ.get("NONO_BENCH_DIR", "/var/tmp")))
    runs = max(3, a.runs // 8)
    try:
        json.dump({**names_in_namespaces(work, runs), **latencies(work, runs), **downloads(work, runs)}, sys.stdout)
    finally:
        shutil.rmtree(work, ignore_errors=True)


main()
