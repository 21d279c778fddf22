#!/bin/bash
# Kernels with every Landlock version from none to the newest: what they enforce is enforced, what they lack is made up
# for by the broker or named by doctor, and nothing is asked of them that they do not know (play_kernel exits 99).
here=$(dirname "$(readlink -f "$0")")
. "$here/lib_run.sh"
old=$NONO_BUILD/tests/play_kernel
export ASAN_OPTIONS=detect_leaks=0${ASAN_OPTIONS:+:$ASAN_OPTIONS} # which cannot look for leaks below a tracer
cp "$probe" probe
echo CANARY >"$dir/outside"
echo mine >mine
sleep 1000 &
outside=$!
trap 'kill $outside; rm -rf "$dir"' EXIT

# on MODE CMD...: in the sandbox on the played kernel
on() {
	local mode=$1
	shift
	case $mode in
	wrap) "$old" "$abi" "$NONO" wrap -s --allow . -- "$@" ;;
	*) "$old" "$abi" "$NONO" run -s --allow . --supervision "$mode" --on-request deny --no-diagnostics -- "$@" ;;
	esac
}

abi=0
err=$(on full touch started 2>&1)
same "no Landlock: status" 1 $?
case $err in *"no Landlock"*"5.13"*) ;; *) fail "no Landlock: $err" ;; esac
err=$(on wrap touch started 2>&1)
same "no Landlock, wrap: status" 1 $?
[ -e started ] && fail "something ran without Landlock"

for abi in $(seq 10); do
	for mode in full shim off wrap; do
		what="ABI $abi, $mode"
		mkdir -p from to
		same "$what: works" "mine new moved" "$(on $mode sh -c 'cat mine; echo new >new; cat new; rm new
			echo moved >from/f; mv from/f to/f && cat to/f' | paste -sd' ')"
		same "$what: truncates its own" "0" "$(on $mode sh -c 'echo long >own; : >own; wc -c <own')"
		on $mode cat "$dir/outside" >/dev/null 2>&1 && fail "$what: reads outside"
		on $mode sh -c "echo x >>'$dir/outside'" 2>/dev/null && fail "$what: writes outside"
		on $mode sh -c "echo x >'$dir/new'" 2>/dev/null && fail "$what: creates outside"
		on $mode rm -f "$dir/outside" 2>/dev/null
		on $mode mv "$dir/outside" stolen 2>/dev/null
		on $mode ln "$dir/outside" stolen 2>/dev/null
		[ -e "$dir/outside" ] && [ ! -e stolen ] || fail "$what: removes, moves or links what is outside"
		# before ABI 3 truncation is the broker's, whatever the program writes into its registers or memory
		if [ $mode = full ] || [ "$abi" -ge 3 ]; then
			same "$what: cuts a file outside by" "" "$(on $mode ./probe truncate_file "$dir/outside")"
		fi
		if [ "$abi" -ge 6 ]; then
			same "$what: signal to the outside" EPERM "$(on $mode ./probe signal_outside $outside 0)"
		fi
		echo CANARY >"$dir/outside"
	done
	same "ABI $abi: a race for a file outside" stays "$(on full ./probe truncate_race mine "$dir/outside" $([ "$abi" -lt 3 ] && echo 4000 || echo 400))"
	[ -s "$dir/outside" ] || echo CANARY >"$dir/outside"
	echo mine >mine
	for mode in full off; do
		"$old" "$abi" "$NONO" run -s --allow . --block-net --supervision $mode --on-request deny --no-diagnostics -- \
			./probe refused_calls blocked >out 2>&1 || fail "ABI $abi, $mode, no network: $(cat out)"
	done
	doctor=$("$old" "$abi" "$NONO" doctor)
	same "ABI $abi: doctor" 0 $?
	case $doctor in *"ABI $abi,"*) ;; *) fail "doctor on ABI $abi: $doctor" ;; esac
	line=$(grep "not judged by the kernel:" <<<"$doctor")
	for lost in 2:directories 3:truncation 4:TCP 5:device 6:signals "9:sockets with a path" 10:UDP; do
		case $line in
		*"${lost#*:}"*) [ "$abi" -lt "${lost%%:*}" ] || fail "doctor on ABI $abi misses ${lost#*:}" ;;
		*) [ "$abi" -ge "${lost%%:*}" ] || fail "doctor on ABI $abi does not say that ${lost#*:} is not judged" ;;
		esac
	done
done

# a session for which signals of its own must work needs ABI 6, and says so
echo '{"meta": {"name": "s", "version": "1"}, "security": {"signal_mode": "allow_same_sandbox"}}' >s.json
abi=5
err=$("$old" $abi "$NONO" run -s --profile ./s.json --allow-cwd -- true 2>&1)
same "allow_same_sandbox on ABI 5: status" 1 $?
case $err in *"needs Landlock ABI 6 (Linux 6.12)"*) ;; *) fail "allow_same_sandbox on ABI 5: $err" ;; esac
finish
