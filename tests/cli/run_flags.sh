#!/bin/bash
# The command line: what is taken, what excludes what, variables, streams and exit statuses; manifests (--config).
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"

# says STATUS TEXT ARGUMENTS...: exit status, and what is said on standard error (nothing on standard output)
says() {
	local want=$1 text=$2
	shift 2
	"$NONO" "$@" >out 2>err </dev/null
	same "nono $*: status" "$want" $?
	grep -qF -- "$text" err || fail "nono $*: '$text' is not in: $(cat err)"
	same "nono $*: standard output" "" "$(cat out)"
}
# usage errors: 2, one clear sentence
says 2 "did you mean --allow?" run --alow . -- true
says 2 "did you mean run?" runn
says 2 "did you mean doctor?" help doctr
says 2 "--memory is no option of nono wrap, but of run, shell" wrap --memory 1G -- true
says 2 "--shell is no option of nono run, but of shell" run --shell sh -- true
says 2 "--allow needs a value: DIR" run --allow
says 2 "--allow needs a value: DIR" run --allow= -- true
says 2 "--dry-run takes no value" run --dry-run=1 -- true
says 2 "run needs a program" run --allow .
says 2 "a port from 1 to 65535" run --open-port 0 -- true
says 2 "a port from 1 to 65535" run --listen-port 99999 -- true
says 2 "takes ask, deny or hold, not hod; did you mean hold?" run --on-request hod -- true
says 2 "--extends needs --profile" run --extends default -- true
says 2 "--name takes" run --name ../x -- true
says 2 "nono: doctor does not know --jsonx" doctor --jsonx
# conflicts, by flags and by variables
for pair in "--block-net --allow-net" "--block-net --allow-domain=x.test" "--block-net --network-profile=developer" \
	"--allow-net --allow-domain=x.test" "--silent --verbose" "--config=m --profile=default" "--config=m --allow=." \
	"--config=m --memory=1G" "--config=m --allow-cwd" "--config=m --env-credential=x"; do
	# shellcheck disable=SC2086
	says 2 "exclude each other" run $pair -- true
done
NONO_ALLOW_NET=1 says 2 "--block-net and NONO_ALLOW_NET exclude each other" run --block-net -- true
NONO_NET_BLOCK=1 says 2 "NONO_NET_BLOCK and --allow-net exclude each other" run --allow-net -- true
NONO_PROFILE=default says 2 "--config and NONO_PROFILE exclude each other" run --config m -- true
NONO_BLOCK_NET=maybe says 2 "NONO_BLOCK_NET takes true or false, not maybe" run --allow . -- true
# errors: 1
says 1 "is not a directory; use --allow-file for files" run --allow "$NONO" -- true
says 1 "is a directory; use --read for directories" run --read-file . -- true
says 1 "profile not found" run --profile no-such-profile -- true
says 1 "limits.memory" run --allow . --memory 5X -- true
says 1 "has no matching grant" run --allow . --bypass-protection "$HOME/.ssh" -- true
says 1 "upstream" run --allow . --upstream-bypass x.test -- true

# variables mean the same as flags, flags win, lists are separated by commas
mkdir -p a b
same "NONO_ALLOW" yes "$(NONO_ALLOW=$PWD/a,$PWD/b "$NONO" -s run --allow-cwd --on-request deny -- sh -c 'echo x >a/f && echo x >b/f && echo yes')"
for yes in 1 true yes TRUE; do
	case $(NONO_BLOCK_NET=$yes "$NONO" run --allow . --dry-run -- true) in *"network blocked"*) ;; *) fail "NONO_BLOCK_NET=$yes" ;; esac
done
for no in 0 false no ""; do
	case $(NONO_BLOCK_NET=$no "$NONO" run --allow . --dry-run -- true) in *"network blocked"*) fail "NONO_BLOCK_NET=$no" ;; esac
done
same "a flag wins over its variable" 0 "$(NONO_PROFILE=no-such "$NONO" run -s --profile default --allow . -- true >/dev/null 2>&1; echo $?)"
for old in --net-block; do
	"$NONO" run --allow . $old -- true 2>err || fail "$old is not taken"
	grep -q "deprecated, use --block-net" err || fail "$old: no warning: $(cat err)"
done

# flags in any form, and before the command
for form in "-r$PWD" "-r $PWD" "--read $PWD" "--read=$PWD" "-vr $PWD"; do
	# shellcheck disable=SC2086
	"$NONO" run $form --on-request deny -- ls >/dev/null 2>&1 || fail "$form is not taken"
done
same "-s before the command" "" "$("$NONO" -s run --allow . -- true 2>&1)"
case $("$NONO" -v run --allow . -- true 2>&1) in *Capabilities:*) ;; *) fail "-v before the command" ;; esac
same "no -- before the program" "-x" "$("$NONO" run -s --allow . printf %s -x)"
case $("$NONO" --version) in "nono "[0-9]*) ;; *) fail "--version" ;; esac
"$NONO" >out 2>err
same "nono alone: status" 2 $?

# colour only on a terminal, and not with NO_COLOR
coloured() { script -qec "$1" /dev/null </dev/null | grep -c $'\x1b\['; }
[ "$(coloured "$NONO help run")" -gt 0 ] || fail "no colour on a terminal"
same "NO_COLOR" 0 "$(NO_COLOR=1 coloured "$NONO help run")"
same "no colour in a pipe" 0 "$("$NONO" help run | grep -c $'\x1b\[')"

# a manifest is exact: what it does not name is not there, and no group adds anything
cat >m <<J
{"version": "0.1.0", "filesystem": {"grants": [
  {"path": "/usr", "access": "read"}, {"path": "/lib", "access": "read"}, {"path": "/lib64", "access": "read"},
  {"path": "/bin", "access": "read"}, {"path": "$PWD/a", "access": "readwrite"}, {"path": "$PWD/b", "access": "read", "type": "directory"}],
  "deny": [{"path": "$PWD/a/closed"}]}, "network": {"mode": "blocked"}}
J
[ -e /lib64 ] || sed -i 's/{"path": "\/lib64", "access": "read"},//' m
mkdir -p a/closed
manifest() { "$NONO" run -s --config m --on-request deny --no-diagnostics -- "$@"; }
same "a manifest: granted" x "$(manifest sh -c "cat $PWD/b/f && echo y >$PWD/a/g")"
manifest sh -c "echo y >$PWD/b/g" 2>/dev/null && fail "a manifest: writing where reading is granted"
manifest cat /etc/hosts >/dev/null 2>&1 && fail "a manifest: a group's grant is there"
manifest sh -c "echo y >$PWD/a/closed/g" 2>/dev/null && fail "a manifest: a denied directory is open"
case $("$NONO" run --config m --dry-run -- true) in *"network blocked"*) ;; *) fail "a manifest: the network" ;; esac
bad_manifest() {
	printf '%s' "$1" >bad
	says 1 "$2" run --config bad -- true
}
bad_manifest '{' "bad:1:2:"
bad_manifest '[]' "bad:1:1:"
bad_manifest '{"version": "9"}' "version"
bad_manifest '{"version": "0.1.0", "filesystem": {"deny": {}}}' "filesystem.deny: must be of type array"
bad_manifest '{"version": "0.1.0", "filesystem": {"grants": [{"path": "/nonexistent", "access": "read"}]}}' "does not exist"
bad_manifest '{"version": "0.1.0", "filesystem": {"grants": [{"path": "/usr", "access": "rw"}]}}' "a grant needs"
bad_manifest '{"version": "0.1.0", "network": {"mode": "open"}}' "network.mode"
bad_manifest '{"version": "0.1.0", "network": {"ports": {"bind": [0]}}}' "network.ports.bind[0]"
bad_manifest '{"version": "0.1.0", "network": {"endpoints": [{"host": "x.test"}]}}' "network.endpoints"
bad_manifest '{"version": "0.1.0", "process": {"signal_mode": 1}}' "process.signal_mode"
bad_manifest '{"version": "0.1.0", "resources": {"pids": 1}}' "resources"
finish
