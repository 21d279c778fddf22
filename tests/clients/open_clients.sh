#!/bin/bash
# The libraries by which programs open pages: Go's (cli/browser, which gh uses, and open-golang) in a static program
# without the shim, Rust's open and opener, Node's `open`, Python's webbrowser.
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"
export BROWSER=$dir/recorder
printf '#!/bin/sh\nprintf "%%s\\n" "$*" >>%s\n' "$dir/opened" >"$BROWSER"
chmod +x "$BROWSER"
# a desktop whose own opener knows nothing of BROWSER, as far as the tree can see
export XDG_CURRENT_DESKTOP=GNOME DISPLAY=:99
opens() { # WHAT URL CMD...
	local what=$1 url=$2
	shift 2
	: >"$dir/opened"
	"$NONO" run -s --profile claude-code --allow-cwd --on-request deny --no-diagnostics -- "$@" >"$dir/out" 2>&1 ||
		fail "$what: status $?: $(cat "$dir/out")"
	same "$what" "$url" "$(cat "$dir/opened")"
}

cat >browse.go <<'GO'
package main

import (
	"os"
	"os/exec"

	"github.com/cli/browser"
	"github.com/skratchdot/open-golang/open"
)

func main() {
	var err error
	switch os.Args[1] {
	case "browser":
		err = browser.OpenURL(os.Args[2])
	case "open":
		err = open.Run(os.Args[2])
	default:
		err = exec.Command("/usr/bin/xdg-open", os.Args[2]).Run()
	}
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
}
GO
GOTOOLCHAIN=local GOCACHE=$NONO_BUILD/tests/gocache GOPATH=/usr/share/gocode GO111MODULE=off GOFLAGS= CGO_ENABLED=0 go build -o browse browse.go ||
	fail "cannot build the Go program"
for way in browser open path; do
	opens "Go, $way" https://claude.ai/$way ./browse $way https://claude.ai/$way
	opens "Go, $way, nothing in the environment" https://claude.ai/$way env -i PATH="/usr/bin:/bin" ./browse $way https://claude.ai/$way
done

# crates of the distribution, nothing from the network
mkdir -p rust/src rust/.cargo
cat >rust/.cargo/config.toml <<'TOML'
[source.crates-io]
replace-with = "distribution"
[source.distribution]
directory = "/usr/share/cargo/registry"
TOML
cat >rust/Cargo.toml <<'TOML'
[package]
name = "browse"
version = "1.0.0"
edition = "2018"
[dependencies]
open = "*"
opener = "*"
TOML
cat >rust/src/main.rs <<'RS'
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let failure = match a[1].as_str() {
        "open" => open::that(&a[2]).err().map(|e| e.to_string()),
        _ => opener::open(&a[2]).err().map(|e| e.to_string()),
    };
    if let Some(text) = failure {
        eprintln!("{}", text);
        std::process::exit(1);
    }
}
RS
(cd rust && PATH=/usr/bin:/bin CARGO_HOME=$PWD/home cargo build --quiet --offline) || fail "cannot build the Rust program"
for way in open opener; do
	opens "Rust, $way" https://claude.ai/$way ./rust/target/debug/browse $way https://claude.ai/$way
	opens "Rust, $way, nothing in the environment" https://claude.ai/$way env -i PATH="/usr/bin:/bin" ./rust/target/debug/browse $way https://claude.ai/$way
done

# it starts a copy of xdg-open of its own, detached, and the program may end at once
cat >page.js <<'JS'
const open = require("open");
open(process.argv[2]).then((child) => { if (process.argv[3]) child.on("exit", (code) => process.exit(code)), child.ref(); });
JS
opens "Node, and wait" https://claude.ai/node env NODE_PATH=/usr/share/nodejs node page.js https://claude.ai/node wait
opens "Node" https://claude.ai/node env NODE_PATH=/usr/share/nodejs node page.js https://claude.ai/node
opens "Python" https://claude.ai/python /usr/bin/python3 -m webbrowser -t https://claude.ai/python
opens "Python, a new window" https://claude.ai/new /usr/bin/python3 -c 'import webbrowser, sys
sys.exit(not webbrowser.open_new("https://claude.ai/new"))'
finish
