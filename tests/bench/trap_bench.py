#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a trapped open costs, alone and from many processes, and what ten thousand waiting questions cost.

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
RAW = str(TOOLS / "connect_bench_static")  # has no shim: every open of it is trapped
WAITING = 10000


def figure(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def nono(work, *flags):
    return [NONO, "run", "-s", "--profile", "default", "--allow", str(work / "tree"), "--read", str(TOOLS), *flags, "--"]


def variants(work):
    """Where the kernel's rules hold the file the call goes on; a file made later in a split directory is opened by the broker."""
    tree = work / "tree"
    (tree / "denied").mkdir(parents=True)
    (tree / "plain").mkdir()
    (tree / "plain" / "file").write_text("x\n", encoding="utf-8")
    deny = work / "deny.json"
    deny.write_text(json.dumps({"meta": {"name": "deny"}, "extends": "default", "filesystem": {"deny": [str(tree / "denied")]}}), encoding="utf-8")
    split = [NONO, "run", "-s", "--profile", str(deny), "--allow", str(tree), "--read", str(TOOLS), "--"]
    new = tree / "made-later"
    return {
        "bare": ([], str(tree / "plain" / "file"), None),
        "trapped and continued": (nono(work), str(tree / "plain" / "file"), None),
        "opened by the broker": (split, str(new), str(new)),
    }


def run_tool(wrapper, make, tool, *args):
    """Run the tool behind @wrapper; @make is a file to be made after the sandbox has started."""
    if not make:
        command = [*wrapper, tool, *args]
    else:
        command = [*wrapper, "/bin/sh", "-c", 'echo x >"$0"; exec "$@"', make, tool, *args]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if make:
        os.unlink(make)
    return [float(x) for x in out.split()]


def latency(work, runs):
    rows = {}
    for name, (wrapper, file, make) in variants(work).items():
        rows[name] = figure([run_tool(wrapper, make, RAW, "open", file, "5000")[0] / 1e6 for _ in range(max(3, runs // 10))])
    return {"one open by a static program": rows}


def at_once(work, runs):
    """Seconds that 16,000 opens take in all, spread over so many processes."""
    table = {}
    for processes in (1, 4, 16):
        each = str(16000 // processes)
        file = str(work / "tree" / "plain" / "file")
        script = f'for i in $(seq {processes}); do "$0" opens "$1" {each} >/dev/null & done; wait'
        rows = {}
        for name, wrapper in {"bare": [], "trapped and continued": nono(work)}.items():
            times = []
            for _ in range(max(3, runs // 10)):
                inner = ["/bin/sh", "-c", f'start=$(date +%s%N); {script}; end=$(date +%s%N); echo $((end - start))', RAW, file]
                out = subprocess.run([*wrapper, *inner], capture_output=True, text=True, check=True).stdout
                times.append(int(out) / 1e9)
            rows[name] = figure(times)
        table[f"16,000 opens by {processes} processes"] = rows
    return table


def broker_of(guard):
    for status in pathlib.Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
        except OSError:
            continue
        if f"\nPPid:\t{guard}\n" in text:
            return status.parent
    sys.exit("bench: the session has no broker")


def processor_seconds(process):
    fields = (process / "stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def waiting(work):
    """Processor time of the broker in ten seconds, and its memory, while ten thousand questions wait."""
    outside = work / "outside"
    outside.mkdir()
    for i in range(WAITING):
        (outside / str(i)).touch()
    command = nono(work, "--on-request", "hold")
    session = subprocess.Popen([*command, RAW, "wait", str(outside), str(WAITING)], stdout=subprocess.PIPE, text=True)
    try:
        if session.stdout.readline() != "waiting\n":
            print("bench: ten thousand threads are not to be had here, left out", file=sys.stderr)
            return {}
        broker = broker_of(session.pid)
        before = -1.0
        while before != processor_seconds(broker):  # until all have been received
            before = processor_seconds(broker)
            time.sleep(1)
        time.sleep(10)
        spent = processor_seconds(broker) - before
        memory = next(int(l.split()[1]) for l in (broker / "status").read_text().splitlines() if l.startswith("VmRSS"))
        print(f"bench: {WAITING} questions wait: {spent:.2f} s of processor time in 10 s, broker {memory} kB", file=sys.stderr)
        return {f"{WAITING} questions wait: processor time of the broker in 10 s, of which the clock counts 10 ms": {"broker": figure([spent])}}
    finally:
        session.terminate()
        session.wait()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--runs", type=int, default=40)
    a = p.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix="nono-trap-bench-", dir=os.environ.get("NONO_BENCH_DIR", "/var/tmp")))
    try:
        json.dump({**latency(work, a.runs), **at_once(work, a.runs), **waiting(work)}, sys.stdout)
    finally:
        shutil.rmtree(work, ignore_errors=True)


main()
