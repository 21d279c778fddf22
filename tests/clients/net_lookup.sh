#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# getaddrinfo with the shim, which asks the broker: the same answers as without, nothing more, whatever it is given.
. "$(dirname "$0")/lib_net.sh"

gcc -I"$NONO_SOURCE" -pthread -o glibc "$here/lib_net_lookup.c" && musl-gcc -I"$NONO_SOURCE" -pthread -o musl "$here/lib_net_lookup.c" || exit 1
printf '#!/bin/sh\necho no\n' >"$work/no" && chmod +x "$work/no"
allowed="--allow-domain api.test --allow-domain two.test --allow-domain *.wild.test --allow-domain loop.test --allow-domain meta.test --allow-domain mixed.test --allow-domain six.test --allow-domain alias.test --allow-domain listed.test --allow-domain slow.test --allow-domain loop6.test --allow-domain half.test"
only="$run $allowed --"
asks="$nono --allow $work/dir --approver $work/no $allowed --"

# same PROGRAM SHIM-COMMAND: the lists of many names are those that it gets without the shim
names="api.test two.test API.Test six.test alias.test www.wild.test missing.wild.test mixed.test loop.test loop6.test meta.test listed.test other.test localhost single 192.0.2.10 ::1 0x7f.1 api.test. x.local"
same() {
	program=$1; shift
	all=$names
	[ "$program" = glibc ] && all="$all half.test" # musl asks for seconds again where a server fails
	"$@" sh -c "for n in $all; do echo \$n; ./$program list \$n; done" >"$work/with" 2>&1
	"$@" sh -c "for n in $all; do echo \$n; LD_PRELOAD= ./$program list \$n; done" >"$work/without" 2>&1
	grep -q '198\.18' "$work/with" && diff "$work/with" "$work/without"
}
for program in glibc musl; do
	check "$program: the same lists with the shim as without" same $program $only
	check "$program: and where a person would be asked" same $program $asks
	check "$program: no descriptor is needed" prints '^found' $only ./$program full api.test
	refuse "$program: as without the shim" $only env LD_PRELOAD= ./$program full api.test
	check "$program: lists are freed whole" prints 'nothing is left' $only ./$program leak two.test
	check "$program: a slow name server, and signals meanwhile" prints 'found, signals were handled' $only ./$program handler slow.test
	check "$program: what is asked wrongly" prints 'refused as they should be' $only ./$program wrong
done

check "a name that is not allowed is refused as often as without" \
	sh -c "$as_user $NONO run -s --on-request deny --allow $work/dir -- ./glibc leak other.test >$work/one 2>&1; $as_user $NONO run -s --on-request deny --allow $work/dir -- env LD_PRELOAD= ./glibc leak other.test >$work/two 2>&1; diff $work/one $work/two"
check "an environment that forbids one family" sh -c "! $only env RES_OPTIONS=no-aaaa ./glibc list api.test | grep fd6e"
check "many names by many threads" prints 'all asked' $only ./glibc many
: >"$work/dns.log"
check "nothing is looked up for a name that is not allowed" $only sh -c './glibc list other.test; ./glibc list secret.api.test'
check "nor before a person was asked" $asks ./glibc list other.test
check "no query left" no_file_line . "$work/dns.log"
check "programs killed while they wait leave nothing behind" prints '198\.18' \
	$only sh -c 'for i in 1 2 3 4 5 6 7 8; do timeout -s KILL 0.1 ./glibc list slow.test; done; ./glibc list api.test'
check "a session that filters nothing is not asked" prints 'hello from' $nono --allow "$work/dir" --allow-net -- $direct curl -s http://api.test/

# search domains are the C library's affair
echo a.b.wild.test >"$work/names"
printf 'nameserver 192.0.2.53\nsearch wild.test\noptions ndots:3\n' >"$work/resolv.conf"
names="a.b www www.wild.test api.test"
check "names below a search domain" same glibc $only
check "and where a person would be asked" same glibc $asks
check "which is what it means" prints 'means a.b.wild.test' $asks ./glibc list a.b
finish
