#!/bin/bash
# Where somebody listens to system calls already (nono inside nono, some containers): kernel only, one line says what is
# lost, everything the kernel can enforce is enforced; doctor explains.
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"
cp "$probe" probe
echo CANARY >"$dir/outside"
mkdir sub

# a listener of somebody else's
for out in "$(./probe listened "$NONO" run --allow . -- sh -c "cat $dir/outside; echo new >f && cat f; exit 5" 2>&1; echo "status $?")"; do
	same "one line says what is lost" 1 "$(grep -c 'kernel only, because' <<<"$out")"
	for want in "Permission denied" "new" "status 5" "kernel only: refuses what is missing" "nono doctor"; do
		case $out in *"$want"*) ;; *) fail "a foreign listener: '$want' is not in: $out" ;; esac
	done
	case $out in *CANARY*) fail "a foreign listener: not restricted" ;; esac
done
same "a silent run says nothing" "" "$(./probe listened "$NONO" run -s --allow . -- true 2>&1)"
./probe listened "$NONO" run -s --allow . --block-net -- ./probe refused_calls blocked || fail "a foreign listener: refused calls"
doctor=$(./probe listened "$NONO" doctor)
same "doctor: status" 0 $?
for want in "taken by an outer sandbox or container" "lost: nothing can be asked" "works here in kernel-only mode"; do
	case $doctor in *"$want"*) ;; *) fail "doctor does not say '$want': $doctor" ;; esac
done

# nono inside nono: with what the outer one grants, and less
inside=(--read "$(dirname "$NONO")/.." --on-request deny --no-diagnostics)
outer() { "$NONO" run -s --allow . "${inside[@]}" -- "$@"; }
out=$(outer "$NONO" run --allow sub -- sh -c 'echo in >sub/f && cat sub/f; echo no >f2; [ -d "$TMPDIR" ] && echo x >"$TMPDIR/t" && echo tmp; exit 6' 2>&1
	echo "status $?")
for want in "kernel only, because" "in" "tmp" "status 6"; do
	case $out in *"$want"*) ;; *) fail "nested: '$want' is not in: $out" ;; esac
done
[ -e f2 ] && fail "nested: the inner sandbox does not restrict"
out=$(outer "$NONO" run -s --allow "$dir" -- cat "$dir/outside" 2>&1) && fail "nested: the inner sandbox widens the outer one: $out"
same "nested, three deep" deep "$(outer "$NONO" run -s --allow . -- "$NONO" run -s --allow . -- echo deep)"
deep=(echo deep)
for _ in $(seq 17); do deep=("$NONO" run -s --allow . "${inside[@]}" -- "${deep[@]}"); done
out=$("${deep[@]}" 2>&1)
same "nested too deeply: status" 126 $?
same "nested too deeply: says so" 1 "$(grep -c 'cannot .*: sandboxes are nested too deeply here: the kernel allows 16 Landlock layers' <<<"$out")"
case $out in *deep$'\n'* | deep) fail "nested too deeply: it ran: $out" ;; esac
same "wrap inside" wrapped "$(outer "$NONO" wrap -s --allow . -- echo wrapped)"
same "the inner doctor" 1 "$(outer "$NONO" doctor | grep -c 'taken by an outer sandbox')"
nothing_left() { [ -z "$(find "$HOME/.local/state/nono/tmp" -mindepth 1)" ]; }
wait_for nothing_left || fail "of the inner sessions is left: $(find "$HOME/.local/state/nono/tmp" -mindepth 1)"
same "the outer state is not the inner one's" "" "$(outer "$NONO" grants 2>&1 | grep -c "$HOME/.local/state/nono/run" | grep -v '^0$')"
finish
