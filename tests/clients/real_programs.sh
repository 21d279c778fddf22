#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Ordinary tools do their ordinary work inside, each under the profile made for it, without a network, without a
# question and without one refusal. Nothing here talks to the network.
set -u
# not below /tmp, which is no place for a home: what groups grant there would open all of it
work=$(mktemp -d /var/tmp/nono-programs-XXXXXX)
trap 'chmod -R u+w "$work" 2>/dev/null; rm -rf "$work"' EXIT
export HOME=$work/home PATH=/usr/local/bin:/usr/bin:/bin
unset XDG_CONFIG_HOME XDG_STATE_HOME XDG_RUNTIME_DIR XDG_CACHE_HOME XDG_DATA_HOME NONO_CAP_FILE CARGO_HOME GOPATH GOFLAGS
unset GOCACHE GOMODCACHE VIRTUAL_ENV
mkdir -p "$HOME" "$work/project"
cd "$work/project" || exit 1
printf '[user]\n\tname = Test\n\temail = test@example.org\n' >"$HOME/.gitconfig"
failed=0

# inside PROFILE WHAT WANTED COMMAND...: it ends with 0, prints WANTED last, and nothing but the network was refused to it
inside() {
	local profile=$1 what=$2 wanted=$3 status refused
	shift 3
	export XDG_STATE_HOME=$work/state
	rm -rf "$XDG_STATE_HOME"
	"$NONO" run --profile "$profile" --allow-cwd --block-net --on-request deny -- "$@" >out 2>err </dev/null
	status=$?
	refused=$("$NONO" why --list --json 2>/dev/null | grep -v -e '"quiet":true' -e '"operation":"connect"')
	if [ $status = 0 ] && [ "$(tail -n 1 out)" = "$wanted" ] && [ -z "$refused" ]; then
		echo "ok: $what"
		return
	fi
	echo "FAILED: $what: status $status, wanted \"$wanted\""
	tail -n 15 out err
	echo "$refused"
	failed=1
}
# script PROFILE WHAT WANTED: the same with a script on standard input
script() { inside "$1" "$2" "$3" bash -ec "$(cat)"; }

# ---- git and a compiler, as an agent uses them
git init -q origin
echo 'int main(void) { return 0; }' >origin/main.c
git -C origin add main.c
git -C origin commit -qm first
script claude-code "git clone, commit, branch, gc" second <<'S'
git clone -q "$PWD/origin" copy
cd copy
echo '// more' >>main.c
git commit -qam second
git checkout -qb topic
git gc -q
git fsck --no-progress
git log -1 --format=%s
S
git -C origin worktree add -q "$work/project/tree"
inside claude-code "git status in a linked work tree" "nothing to commit, working tree clean" git -C tree status
script claude-code "gcc with make" "hello, 42" <<'S'
mkdir c
cd c
printf '#include <stdio.h>\nint value(void);\nint main(void) { printf("hello, %%d\\n", value()); return 0; }\n' >main.c
echo 'int value(void) { return 42; }' >value.c
printf 'prog: main.o value.o\n\tgcc -o $@ $^\n%%.o: %%.c\n\tgcc -O2 -g -Wall -c $<\n' >Makefile
make -s -j2
./prog
S
script default "dash pipelines, a thousand" 1000 <<'S'
exec dash -c 'i=0; while [ $i -lt 1000 ]; do x=$(echo $i | cat | cat); [ "$x" = $i ] || exit 1; i=$((i + 1)); done; echo $i'
S

# ---- languages, each with its own profile
script python-dev "python3 -m venv, and pip in it" "2 local" <<'S'
python3 -m venv env
mkdir -p pkg/local_package
echo 'word = "local"' >pkg/local_package/__init__.py
# without a build backend, which would come from the network: a wheel is a zip file
python3 - <<'P'
import zipfile
info = "local_package-1.0.dist-info"
with zipfile.ZipFile("local_package-1.0-py3-none-any.whl", "w") as z:
    z.writestr("local_package/__init__.py", 'word = "local"\n')
    z.writestr(info + "/METADATA", "Metadata-Version: 2.1\nName: local-package\nVersion: 1.0\n")
    z.writestr(info + "/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    z.writestr(info + "/RECORD", "")
P
env/bin/pip install -q --no-index --disable-pip-version-check ./local_package-1.0-py3-none-any.whl
env/bin/python -c 'import local_package, multiprocessing; print(len(multiprocessing.Pool(2).map(abs, [1, 2])), local_package.word)'
S
script node-dev "npm install of a package, and its script" "packed and found" <<'S'
mkdir -p package app
echo '{"name": "local-package", "version": "1.0.0", "main": "index.js", "scripts": {"postinstall": "node -e 0"}}' >package/package.json
echo 'module.exports = "found";' >package/index.js
echo '{"name": "app", "version": "1.0.0", "scripts": {"start": "node start.js"}}' >app/package.json
echo 'console.log("packed and " + require("local-package"));' >app/start.js
npm pack --silent ./package >/dev/null
cd app
npm install --silent --offline --no-audit --no-fund ../local-package-1.0.0.tgz
npm start --silent
S
script go-dev "go build, go test" "ok" <<'S'
export GOFLAGS=-mod=mod GOPROXY=off GOTOOLCHAIN=local
mkdir -p gomod/words
cd gomod
printf 'module example.org/app\n\ngo 1.18\n' >go.mod
printf 'package words\n\nfunc Word() string { return "ok" }\n' >words/words.go
printf 'package words\n\nimport "testing"\n\nfunc TestWord(t *testing.T) {\n\tif Word() != "ok" {\n\t\tt.Fail()\n\t}\n}\n' >words/words_test.go
printf 'package main\n\nimport (\n\t"fmt"\n\n\t"example.org/app/words"\n)\n\nfunc main() { fmt.Println(words.Word()) }\n' >main.go
go test ./... >/dev/null
go build -o app .
./app
S
script rust-dev "cargo build, cargo test" "dependency works" <<'S'
export CARGO_NET_OFFLINE=true
mkdir -p crate/src dependency/src
printf '[package]\nname = "dependency"\nversion = "0.1.0"\nedition = "2021"\n' >dependency/Cargo.toml
echo 'pub fn word() -> &'\''static str { "dependency works" }' >dependency/src/lib.rs
printf '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\nbuild = "build.rs"\n[dependencies]\ndependency = { path = "../dependency" }\n' >crate/Cargo.toml
echo 'fn main() { println!("cargo:rerun-if-changed=build.rs"); }' >crate/build.rs
printf 'fn main() { println!("{}", dependency::word()); }\n#[test]\nfn word() { assert_eq!(dependency::word().len(), 16); }\n' >crate/src/main.rs
cd crate
cargo test -q >/dev/null
cargo run -q
S
script java-dev "javac and java" "from a jar" <<'S'
mkdir java
cd java
printf 'public class Main { public static void main(String[] a) { System.out.println("from a jar"); } }\n' >Main.java
javac Main.java
jar cfe app.jar Main Main.class
java -jar app.jar
S

# the same under the profile of an agent: what it builds is the person's project
for tool in "go:cd gomod && GOPROXY=off GOTOOLCHAIN=local go build -o again . && ./again:ok" \
	"cargo:cd crate && touch src/main.rs && cargo run -q --offline:dependency works" \
	"npm:cd app && npm start --silent:packed and found" "python:env/bin/python -c 'print(1)':1"; do
	IFS=: read -r name command wanted <<<"$tool"
	inside claude-code "$name in the profile of claude-code" "$wanted" bash -c "$command"
done
exit $failed
