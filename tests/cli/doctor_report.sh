#!/bin/bash
# nono doctor: exit 0 where the sandbox works, names what is lost where something is missing; JSON says the same.
set -u
home=$(mktemp -d /tmp/nono-doctor-XXXXXX)
trap 'rm -rf "$home"' EXIT
export HOME=$home
unset DISPLAY WAYLAND_DISPLAY XDG_STATE_HOME
out=$("$NONO" doctor)
rc=$?
json=$("$NONO" doctor --json)
python3 - "$rc" "$out" "$json" <<'END'
import json, sys
rc, out, report = int(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
checks = {c["name"]: c for c in report["checks"]}
assert rc == (0 if report["works"] else 1), rc
assert report["mode"] in ("supervised", "kernel-only", "none")
assert checks["landlock"]["required"] and checks["landlock"]["ok"] == report["works"]
assert not checks["display"]["ok"] and "lost" in checks["display"]
for c in report["checks"]:
    assert c["ok"] or c["lost"] in out, c
assert "\x1b" not in out  # no colour into a pipe
END
status=$?
"$NONO" doctor extra 2>/dev/null
[ $? = 2 ] || { echo "an argument is not refused"; status=1; }
"$NONO" setup --check-only >/dev/null || { echo "setup --check-only fails"; status=1; }
exit $status
