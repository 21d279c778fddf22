#!/bin/bash
# Flags and commands that others of this name have: each one is known, has no effect where it asks for what is so anyway,
# or says what to do instead. None is "unknown".
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"
# every flag there is elsewhere, with a value where it takes one
while read -r commands flag value; do
	for command in ${commands//,/ }; do
		out=$("$NONO" "$command" --dry-run "$flag" $value -- true 2>&1)
		status=$?
		case $out in *unknown* | *"no option of"*) fail "$command $flag: $out" ;; esac
		case $status in
		0 | 1) ;; # what it means is for other tests to try
		2) [[ $out == *"nono: $flag"*[:\ ]*" "* ]] || fail "$command $flag: $out" ;;
		*) fail "$command $flag: status $status" ;;
		esac
	done
done <<'FLAGS'
run,shell,wrap --theme mocha
run,shell,wrap --allow .
run,shell,wrap --allow-endpoint github:GET:/x
run,shell --proxy-port 8080
run,shell --trust-proxy-ca
run,shell --proxy-ca-validity 30
run,shell --credential github
run,shell,wrap --override-deny /x
run,shell,wrap --ignore-denied /x
run,shell,wrap --net-block
run,shell --external-proxy proxy.test:3128
run,shell --external-proxy-bypass a.test
run,shell --sandbox-policy external
run,shell --allow-http2
run,shell,wrap --allow-launch-services
run --detached
run --detach-timeout 5
run --rollback
run --no-rollback
run --no-rollback-prompt
run --rollback-exclude *.o
run --rollback-include target
run --rollback-all
run --rollback-dest /tmp
run --skip-dir target
run,wrap --no-diagnostics
run --diagnostics-json
run,shell --startup-timeout 5
run --no-audit
run --no-audit-integrity
run --audit-integrity
run --audit-sign-key default
run --trust-override
run,shell --name x
run,shell --capability-elevation
FLAGS

text() { # STATUS TEXT COMMAND...
	local status=$1 text=$2 out
	shift 2
	out=$("$@" 2>&1)
	same "$*: status" "$status" $?
	case $out in *"$text"*) ;; *) fail "$*: '$text' is not in: $out" ;; esac
}
text 2 "--detached is not supported: sessions stay" "$NONO" run --detached -- true
text 2 "--detached is not supported: sessions stay" "$NONO" --detached run -- true
text 2 "--startup-timeout is not supported" "$NONO" run --startup-timeout=5 -- true
text 0 "ran" "$NONO" run --allow . --startup-timeout 0 --no-audit --sandbox-policy=landlock --skip-dir x -- echo ran
text 0 "ran" "$NONO" --theme mocha run --allow . -- echo ran
text 0 "--no-rollback has no effect: there are no snapshots" "$NONO" run -v --allow . --no-rollback -- true
text 2 "--command is not supported" "$NONO" why --command ls
for command in learn ps stop detach attach pause resume logs inspect prune session audit rollback undo trust policy pull remove update \
	search list pin unpin outdated; do
	text 2 "there is no nono $command: " "$NONO" "$command" x
done
# what is built some day leaves the table
for flag in $("$NONO" help run | grep -o -- '--[a-z0-9-]*'); do
	grep -q "{\"${flag#--}\"," "$NONO_SOURCE/broker/cli/absent.c" && fail "$flag is in both tables"
done
finish
