#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measure nono beside the same program unsandboxed and beside other sandboxes, in one run.

usage: bench.py [startup] [files] [trap] [net] [shim] [open] [--runs N] [--json FILE] [--markdown FILE]

Every figure is a whole command timed by hyperfine; what to quote is the ratio
to the row's baseline, since absolute times depend on the machine. Missing
programs (bubblewrap, firejail, codex, srt) are named and left out.
"""
import argparse
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
NONO = os.environ.get("NONO", str(ROOT / "build/release/bin/nono"))
AGENTS = pathlib.Path(os.environ.get("NONO_AGENTS", str(ROOT / "build/agents/node_modules/.bin")))


def which(name):
    found = shutil.which(name)
    if not found and (AGENTS / name).exists():
        found = str(AGENTS / name)
    return found


def hyperfine(commands, runs, warmup=2, prepare=None, cwd=None):
    """Run named commands with hyperfine in @cwd; return {name: {median, min, max}} in seconds."""
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        line = ["hyperfine", "--style", "none", "-N", "--warmup", str(warmup), "--runs", str(runs), "--export-json", out.name]
        if prepare:
            line += ["--prepare", prepare]
        for name, command in commands.items():
            line += ["--command-name", name, shlex.join(command)]
        done = subprocess.run(line, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"bench: hyperfine failed: {done.stderr.strip()}")
        rows = json.load(open(out.name, encoding="utf-8"))["results"]
    return {r["command"]: {"median": r["median"], "min": r["min"], "max": r["max"]} for r in rows}


def works(command, cwd=None):
    return subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0


def nono(*flags):
    return [NONO, "run", "-s", "--profile", "claude-code", "--allow-cwd", *flags, "--"]


BWRAP = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--bind", "/tmp", "/tmp",
         "--unshare-user", "--unshare-pid", "--unshare-ipc", "--die-with-parent", "--"]


def sandboxes():
    """Wrappers that start a program: the baseline first."""
    table = {
        "bare": [],
        "nono (claude-code)": nono(),
        "nono, kernel only": nono("--supervision", "off"),
        "bubblewrap": BWRAP,
        "bubblewrap, own network": [*BWRAP[:-1], "--unshare-net", "--"],
        "firejail": ["firejail", "--quiet", "--noprofile", "--"],
        "codex sandbox": [which("codex") or "codex", "sandbox", "--"],
        "srt": [which("srt") or "srt"],
    }
    usable = {}
    for name, wrapper in table.items():
        if wrapper and not which(wrapper[0]):
            print(f"bench: {name}: {wrapper[0]} is not installed, left out", file=sys.stderr)
        elif works([*wrapper, "true"]):
            usable[name] = wrapper
        else:
            print(f"bench: {name}: does not start here, left out", file=sys.stderr)
    return usable


def bench_startup(runs):
    fast = {k: [*v, "true"] for k, v in sandboxes().items()}
    with tempfile.TemporaryDirectory(prefix="nono-bench-", dir="/var/tmp") as cwd:  # shared with the program, like a project
        return {"true": hyperfine(fast, runs, cwd=cwd)}


def make_sources(work):
    """Trees the file workloads run on: 40,000 small files in a git repository, 200 C files, an archive of 2,000 of the files."""
    tree = work / "tree"
    for d in range(400):
        sub = tree / f"d{d:03}"
        sub.mkdir(parents=True)
        for f in range(100):
            (sub / f"f{f:03}.txt").write_text(f"line one {d} {f}\nneedle {d * f % 97}\n" * 8, encoding="utf-8")
    git = ["git", "-C", str(tree), "-c", "user.name=bench", "-c", "user.email=bench@example.test"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-qm", "tree"], check=True)
    cc = work / "cc"
    cc.mkdir()
    for f in range(200):
        (cc / f"u{f}.c").write_text(f"#include <stdio.h>\n#include <stdlib.h>\nint f{f}(int x){{return printf(\"%d\", x + {f});}}\n", encoding="utf-8")
    (cc / "Makefile").write_text("O := $(patsubst %.c,%.o,$(wildcard *.c))\nall: $(O)\n%.o: %.c\n\t@gcc -c -o $@ $<\n", encoding="utf-8")
    subprocess.run(["tar", "cf", str(work / "tree.tar"), "-C", str(tree), *(f"d{d:03}" for d in range(20))], check=True)
    return tree, cc


def npm_project(work):
    """A project whose packages come from local tarballs, so that `npm ci` needs no network."""
    if not which("npm"):
        return None
    project = work / "npm"
    project.mkdir()
    deps = {}
    for i in range(20):
        pkg = work / f"pkg{i}"
        pkg.mkdir()
        (pkg / "package.json").write_text(json.dumps({"name": f"pkg{i}", "version": "1.0.0"}), encoding="utf-8")
        for f in range(20):
            (pkg / f"m{f}.js").write_text(f"module.exports = {f};\n", encoding="utf-8")
        subprocess.run(["npm", "pack", "--silent", "--pack-destination", str(project)], cwd=pkg, check=True, capture_output=True)
        deps[f"pkg{i}"] = f"file:pkg{i}-1.0.0.tgz"
    (project / "package.json").write_text(json.dumps({"name": "bench", "version": "1.0.0", "dependencies": deps}), encoding="utf-8")
    subprocess.run(["npm", "install", "--offline", "--no-audit", "--no-fund", "--silent"], cwd=project, check=True, capture_output=True)
    return project


def bench_files(runs):
    home = pathlib.Path(tempfile.mkdtemp(prefix="nono-bench-", dir=os.environ.get("NONO_BENCH_DIR", "/var/tmp")))
    # in memory: what a disk does with thousands of files removed and made again differs more than what is measured
    memory = pathlib.Path(tempfile.mkdtemp(prefix="nono-bench-", dir="/dev/shm"))
    try:
        tree, cc = make_sources(home)
        project = npm_project(home)
        loads = {
            "rg (dynamic)": (["rg", "-c", "needle 13$", str(tree)], None),
            "grep -r (static)": (["busybox", "grep", "-rc", "needle 13", str(tree)], None),
            "git status": (["git", "-C", str(tree), "status", "--porcelain"], None),
            "gcc x 200, make -j": (["make", "-s", "-j2", "-C", str(cc)], f"sh -c 'rm -f {cc}/*.o'"),
            "python3 imports": (["python3", "-c", "import json, asyncio, http.client, email, sqlite3, xml.dom.minidom"], None),
            "find": (["find", str(tree), "-name", "*.txt", "-newer", str(cc)], None),
            "tar x": (["tar", "xf", str(home / "tree.tar"), "-C", "out"], "sh -c 'rm -rf out; mkdir out'"),
        }
        if project:
            # by env: the profile's groups refuse to start npm itself
            loads["npm ci"] = (["env", "npm", "ci", "--offline", "--no-audit", "--no-fund", "--silent", "--prefix", str(project)], None)
        wrappers = {k: v for k, v in sandboxes().items() if k in ("bare", "nono (claude-code)", "nono, kernel only", "bubblewrap")}
        if "bubblewrap" in wrappers:
            wrappers["bubblewrap"] = [*BWRAP[:-1], "--bind", str(home), str(home), "--bind", str(memory), str(memory), "--"]
        result = {}
        for load, (command, prepare) in loads.items():
            if not which(command[0]):
                print(f"bench: {load}: {command[0]} is not installed, left out", file=sys.stderr)
                continue
            cwd = memory if load == "tar x" else home
            own = {k: [*v[:-1], "--read", str(home), "--"] if k.startswith("nono") else v for k, v in wrappers.items()}
            # hyperfine refuses commands that fail; grep's status 1 would be a wrong tree
            result[load] = hyperfine({k: [*v, *command] for k, v in own.items()}, max(3, runs // 4), 1, prepare, cwd)
        return result
    finally:
        shutil.rmtree(home, ignore_errors=True)
        shutil.rmtree(memory, ignore_errors=True)


def bench_shim(runs):
    """What the preloaded library costs a program that opens nothing, without any sandbox: with what a session sets, and without."""
    shim = pathlib.Path(NONO).resolve().parent.parent / "lib/libnono-shim.so"
    inside = subprocess.run([*nono(), "env"], capture_output=True, text=True, check=True).stdout.splitlines()
    variables = [v for v in inside if v.startswith(("NONO_SOCKET=", "NONO_OPEN_FUNCTIONS="))]
    wrappers = {"bare": ["env", *variables, "LD_PRELOAD="], "with the shim": ["env", *variables, f"LD_PRELOAD={shim}"]}
    loads = {
        "true": ["true"],
        "1,000 shells": ["sh", "-c", "i=0; while [ $i -lt 1000 ]; do sh -c :; i=$((i+1)); done"],
        "python3 imports": ["/usr/bin/python3", "-c", "import json, asyncio, http.client, sqlite3"],
    }
    # the long one shows small differences with few runs
    return {k: hyperfine({w: [*a, *v] for w, a in wrappers.items()}, runs if k != "1,000 shells" else max(5, runs // 4)) for k, v in loads.items()}


def run_script(name, runs):
    done = subprocess.run([sys.executable, str(HERE / name), "--runs", str(runs)], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"bench: {name} failed")
    return json.loads(done.stdout)


def bench_net(runs):
    return run_script("net_bench.py", runs)


def bench_trap(runs):
    return run_script("trap_bench.py", runs)


def bench_open(runs):
    """From asking for a page to the start of the host's opener; eight a session, which is below the rate limit."""
    helper = str(pathlib.Path(NONO).resolve().parent.parent / "tests/open_bench")
    rows = {}
    with tempfile.TemporaryDirectory(dir="/var/tmp") as work:
        started = pathlib.Path(work, "started")
        env = {**os.environ, "BROWSER": helper, "OPEN_BENCH": str(started)}
        wrappers = {"the opener alone": ([], helper),
                    "nono (claude-code)": ([*nono("--on-request", "deny", "--read", str(pathlib.Path(helper).parent))], "xdg-open")}
        for name, (wrapper, program) in wrappers.items():
            times = []
            for _ in range(max(1, runs // 8)):
                started.unlink(missing_ok=True)
                out = subprocess.run([*wrapper, helper, "ask", "8", program, "https://claude.ai/"], env=env, cwd=work,
                                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True).stdout
                times += [int(b) - int(a) for a, b in zip(out.split(), started.read_text().split(), strict=True)]
            times.sort()
            rows[name] = {"median": times[len(times) // 2] / 1e9, "min": times[0] / 1e9, "max": times[-1] / 1e9}
    return {"page to the opener's start": rows}


def broker_memory():
    """Resident memory of the broker with the complete claude-code profile, in kB."""
    child = subprocess.Popen([*nono(), "sleep", "2"], stdin=subprocess.DEVNULL)
    subprocess.run(["sleep", "1"], check=True)
    sizes = []
    for status in pathlib.Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(l.split(":\t", 1) for l in status.read_text().splitlines() if ":\t" in l)
        except OSError:
            continue
        if fields.get("Name", "").strip() == "nono":
            sizes.append(int(fields.get("VmRSS", "0 kB").split()[0]))
    child.wait()
    return max(sizes, default=0)


def ratio(value, base):
    return f"{value / base:.2f}" if base else "–"


def table(results):
    lines = []
    for group, loads in results.items():
        for load, rows in loads.items():
            if not rows:
                continue  # nothing of it could be measured here; that was said
            base = next(iter(rows.values()))["median"]
            lines += [f"### {group}: {load}", "", "| | median | min | max | ratio |", "|---|---|---|---|---|"]
            for name, r in rows.items():
                ms = [f"{r[k] * 1000:.2f} ms" for k in ("median", "min", "max")]
                lines.append(f"| {name} | {ms[0]} | {ms[1]} | {ms[2]} | {ratio(r['median'], base)} |")
            lines.append("")
    return "\n".join(lines)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", nargs="*", choices=["startup", "files", "trap", "net", "shim", "open", []], default=[])
    p.add_argument("--runs", type=int, default=40)
    p.add_argument("--json")
    p.add_argument("--markdown")
    a = p.parse_args()
    if not which("hyperfine"):
        sys.exit("bench: hyperfine is not installed (scripts/install-packages bench)")
    groups = {"startup": bench_startup, "files": bench_files, "trap": bench_trap, "net": bench_net, "shim": bench_shim, "open": bench_open}
    results = {name: groups[name](a.runs) for name in (a.what or list(groups))}
    if a.json:
        pathlib.Path(a.json).write_text(json.dumps(results, indent=2), encoding="utf-8")
    text = table(results) + f"\nBroker resident memory: {broker_memory()} kB\n"
    print(text)
    if a.markdown:
        pathlib.Path(a.markdown).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
