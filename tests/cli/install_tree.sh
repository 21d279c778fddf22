#!/bin/bash
# `cmake --install` and the Debian package give trees that work from where they are: program, shim, modules, manual,
# completions, profiles, hooks.
. "${NONO_SOURCE:?}/tests/escape/lib_run.sh"

# complete PREFIX: everything is there, and works
complete() {
	local prefix=$1 page
	for file in bin/nono lib/nono/libnono-shim.so lib/nono/nono-proxy.so share/man/man1/nono.1 share/man/man5/nono-profile.5 \
		share/nono/profiles/claude-code.json share/nono/profiles/groups.json share/nono/hooks/nono-hook.sh \
		share/bash-completion/completions/nono share/zsh/site-functions/_nono share/zsh/vendor-completions/_nono \
		share/fish/vendor_completions.d/nono.fish share/doc/nono/README.md share/doc/nono/SECURITY.md share/doc/nono/copyright; do
		[ -s "$prefix/$file" ] || fail "$file is not installed"
	done
	bash -n "$prefix/share/bash-completion/completions/nono" || fail "the bash completion does not parse"
	for page in man1/nono.1 man5/nono-profile.5; do
		same "$page: complaints of the formatter" "" "$(man -l --warnings "$prefix/share/man/$page" 2>&1 >/dev/null)"
	done
	NONO=$prefix/bin/nono
	same "a run from $prefix" 42 "$(sandboxed sh -c 'echo $((6*7))')"
	same "the shim from $prefix" 1 "$(sandboxed sh -c 'cat /proc/self/maps' | grep -m1 -c libnono-shim)"
	same "the claude-code profile from $prefix" 42 \
		"$("$NONO" run -s --profile claude-code --allow-cwd --on-request deny -- sh -c 'echo $((6*7))')"
	case $("$NONO" doctor) in *"ok "*"shim "*"$prefix/lib/nono/libnono-shim.so"*) ;; *) fail "doctor does not find the shim of $prefix" ;; esac
}
cmake --install "$NONO_BUILD" --prefix "$dir/prefix" >install.log 2>&1 || fail "cmake --install: $(tail -3 install.log)"
complete "$dir/prefix"

cpack --config "$NONO_BUILD/CPackConfig.cmake" -B "$dir/deb" >cpack.log 2>&1 || fail "cpack: $(tail -3 cpack.log)"
deb=$(echo "$dir"/deb/*.deb)
for want in libidn2-0 libpsl5 libcurl4 "libc6 (>="; do
	case $(dpkg-deb -f "$deb" Depends) in *"$want"*) ;; *) fail "the package does not depend on $want" ;; esac
done
dpkg-deb -x "$deb" "$dir/root" || fail "the package cannot be unpacked"
same "owner of the package's files" root/root "$(dpkg-deb -c "$deb" | awk '{print $2}' | sort -u)"
complete "$dir/root/usr"
finish
