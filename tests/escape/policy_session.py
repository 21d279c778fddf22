#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a session does equals what `nono why` says.

Random trees (links, hard links, "..", missing paths) and random profiles (nested grants, denied islands, exact
files). `nono why` is asked about operations on random paths; then one program inside a real session, with the broker
and nobody to ask, tries all of them. Every other session goes without the shim, by plain system calls.

The unit test policy_oracle_test.c compares kernel and decision function; this one also has the broker in between.
NONO_TEST_SEED repeats a run, NONO_TEST_LOOPS sets the number of sessions.
"""
import errno
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

NONO = os.environ.get("NONO", "nono")
OPS_PER_SESSION = 40
ENOUGH = 40  # operations of each answer that a run has to compare
# the operations that `nono why --op` is asked about; each of them has to be allowed for the action to succeed
ACTIONS = {
    "read": ["read"], "write": ["write"], "read+write": ["read", "write"], "truncate": ["write"],
    "create": ["create", "write"], "mkdir": ["create"], "symlink": ["create"], "unlink": ["delete"],
    "execute": ["execute"], "chmod": ["attr"], "rename": ["delete", "create"],
}


def attempt(action, path):
    if action in ("read", "write", "read+write"):
        flags = {"read": os.O_RDONLY, "write": os.O_WRONLY, "read+write": os.O_RDWR}[action]
        os.close(os.open(path, flags | os.O_NONBLOCK))
    elif action == "truncate":
        os.truncate(path, os.stat(path).st_size)
    elif action == "create":
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    elif action == "mkdir":
        os.mkdir(path)
    elif action == "symlink":
        os.symlink("nowhere", path)
    elif action == "unlink":
        os.unlink(path)
    elif action == "execute":
        pid = os.posix_spawn(path, [path], {})
        if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0:
            raise OSError(errno.EIO, "the program failed")
    elif action == "chmod":
        os.chmod(path, 0o755)
    elif action == "rename":
        os.rename(path, path + ".moved")


def inside():
    """The program of the session: actions on standard input, an errno for each on standard output."""
    for action, path in json.load(sys.stdin):
        try:
            attempt(action, path)
            print(0)
        except OSError as e:
            print(e.errno)


class Tree:
    def __init__(self, root, rng):
        self.root, self.rng, self.paths = root, rng, []
        os.mkdir(root)
        for _ in range(28):
            base = rng.choice(self.paths) if self.paths and rng.random() < 0.8 else root
            path = os.path.join(base if os.path.isdir(base) else root, rng.choice("abcd") + str(rng.randrange(4)))
            self.make(path)
            self.paths.append(path)

    def make(self, path):
        kind, other = self.rng.randrange(8), self.rng.choice(self.paths or [self.root])
        try:
            if kind <= 2 or len(self.paths) < 6:
                os.mkdir(path)
            elif kind == 3:
                os.symlink(other, path)
            elif kind == 4 and os.path.isfile(other):
                os.link(other, path)
            elif kind == 5:
                pass  # a path that does not exist
            else:
                shutil.copy("/bin/true", path)
        except OSError:
            pass

    def spelling(self, path):
        kind = self.rng.randrange(6)
        if kind == 0 and os.path.isdir(os.path.dirname(path)):
            return os.path.join(os.path.dirname(path), ".", os.path.basename(path))
        if kind == 1 and os.path.isdir(path):
            around = os.path.join(path, "..", os.path.basename(path))  # leads elsewhere when path is a link
            return around if os.path.exists(around) else path
        return path

    def profile(self):
        fs = {}
        for _ in range(self.rng.randint(1, 4)):
            path = self.rng.choice(self.paths + [self.root])
            key = self.rng.choice(["allow", "read", "write"])
            fs.setdefault(key if os.path.isdir(path) else key + "_file", []).append(path)
        for _ in range(self.rng.randrange(3)):
            fs.setdefault("deny", []).append(self.rng.choice(self.paths))
        return {"meta": {"name": "oracle"}, "filesystem": fs}

    def actions(self):
        """Actions whose outcome does not depend on one another: every name that is made or removed occurs once."""
        out, used = [], set()
        for i in range(OPS_PER_SESSION):
            action, path = self.rng.choice(sorted(ACTIONS)), self.rng.choice(self.paths + [self.root])
            real = os.path.realpath(path)
            if action in ("create", "mkdir", "symlink"):
                path = os.path.join(path if os.path.isdir(path) else self.root, f"new{i}")
            elif action in ("unlink", "rename"):
                # a file made for this
                path = os.path.join(path if os.path.isdir(path) else self.root, f"gone{i}")
                open(path, "w").close()
            elif not os.path.exists(path) or (action != "read" and not os.path.isfile(path)):
                continue
            if action in ("unlink", "rename") or real not in used:
                out.append([action, self.spelling(path)])
        return out


def why(profile, op, path):
    answer = subprocess.run([NONO, "why", "--json", "--profile", profile, "--path", path, "--op", op],
                            capture_output=True, text=True, check=False)
    return json.loads(answer.stdout)["status"] == "allowed"


def expected(profile, action, path):
    if action == "rename":
        return why(profile, "delete", path) and why(profile, "create", path + ".moved")
    return all(why(profile, op, path) for op in ACTIONS[action])


def linked_and_exact(profile, path):
    """One difference is inherent: a rule on an exact file holds for the file's other names too."""
    try:
        inode = os.stat(path).st_ino
    except OSError:
        return False
    files = [p for key, paths in profile["filesystem"].items() if key.endswith("_file") for p in paths]
    return any(os.path.exists(p) and os.stat(p).st_ino == inode for p in files)


def session(work, rng, number):
    tree = Tree(os.path.join(work, f"tree{number}"), rng)
    profile = tree.profile()
    file = os.path.join(work, "profile.json")
    with open(file, "w") as f:
        json.dump(profile, f)
    dry = subprocess.run([NONO, "run", "--dry-run", "--profile", file, "--", "true"], capture_output=True, check=False)
    if dry.returncode != 0:
        return 0, 0, []  # it contradicts itself
    actions = tree.actions()
    wanted = [expected(file, a, p) for a, p in actions]
    plain = ["env", "-u", "LD_PRELOAD"] if number % 2 else []
    run = subprocess.run([NONO, "run", "-s", "--on-request", "deny", "--profile", file, "--read-file", __file__, "--",
                          *plain, "/usr/bin/python3", __file__, "inside"],
                         input=json.dumps(actions), capture_output=True, text=True, check=False)
    got = [int(line) for line in run.stdout.split()]
    if len(got) != len(actions):
        return 0, 0, [f"the session ended early: {run.stderr}"]
    wrong = []
    for (action, path), want, err in zip(actions, wanted, got):
        refused = err in (errno.EACCES, errno.EXDEV, errno.EPERM)
        if refused == want and not (not refused and linked_and_exact(profile, path)):
            wrong.append(f"{action} {path}: why says {'allowed' if want else 'denied'}, "
                         f"the session {errno.errorcode.get(err, 'yes')}{' (no shim)' if plain else ''}\n"
                         f"  profile {json.dumps(profile['filesystem'])}")
    return len(actions), sum(wanted), wrong


def main():
    seed = int(os.environ.get("NONO_TEST_SEED", random.randrange(1 << 32)))
    rng = random.Random(seed)
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR", "NONO_CAP_FILE"):
        os.environ.pop(name, None)
    # not below /tmp, where a group grants writing
    work = tempfile.mkdtemp(prefix="nono-session-", dir="/var/tmp")
    os.environ["HOME"] = os.path.join(work, "home")
    os.mkdir(os.environ["HOME"])
    loops = int(os.environ.get("NONO_TEST_LOOPS", "24"))
    compared = allowed = 0
    try:
        number = 0
        # random profiles allow more or less: go on until enough of both answers was seen to mean something
        while number < loops or (min(allowed, compared - allowed) < ENOUGH and number < 10 * loops):
            n, yes, wrong = session(work, rng, number)
            number, compared, allowed = number + 1, compared + n, allowed + yes
            if wrong:
                print(f"seed {seed}, session {number - 1}", *wrong, sep="\n")
                return 1
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"{compared} operations compared, {allowed} of them allowed")
    return 0 if min(allowed, compared - allowed) >= ENOUGH else 1


if __name__ == "__main__":
    if sys.argv[1:] == ["inside"]:
        inside()
    else:
        sys.exit(main())
