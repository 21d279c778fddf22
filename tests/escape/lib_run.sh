# shellcheck shell=bash
# lib_run.sh - what the tests of a run share: a home of their own, a directory to work in, comparison.
set -u
dir=$(mktemp -d "${TMPDIR:-/tmp}/nono-test-XXXXXX")
trap 'rm -rf "$dir"' EXIT
export HOME=$dir/home NONO_NO_SAVE_PROMPT=1
unset XDG_RUNTIME_DIR XDG_STATE_HOME XDG_CONFIG_HOME
mkdir -p "$HOME" "$dir/work"
cd "$dir/work" || exit 1
failures=0
probe=$NONO_BUILD/tests/probe

fail() {
	echo "FAIL: $*"
	failures=$((failures + 1))
}
# same WHAT EXPECTED GOT
same() {
	[ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"
}
# wait_for CMD...: until it succeeds, for as long as a busy machine may take
wait_for() {
	for _ in $(seq 1200); do
		"$@" 2>/dev/null && return 0
		sleep 0.05
	done
	return 1
}
# sandboxed CMD...: quietly, in this directory, asking nobody
sandboxed() {
	"$NONO" run -s --allow . --on-request deny --no-diagnostics -- "$@"
}
finish() {
	[ "$failures" = 0 ] || exit 1
	exit 0
}
