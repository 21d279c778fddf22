#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Names inside: what is answered, what is asked outside, what can be connected to.
. "$(dirname "$0")/lib_net.sh"

only="$run --allow-domain api.test --allow-domain two.test --allow-domain *.wild.test --allow-domain loop.test --allow-domain meta.test --allow-domain mixed.test --allow-domain private.test --allow-domain six.test --allow-domain alias.test --allow-domain loop6.test --allow-domain mapped.test -- $direct"

check "an allowed name resolves by UDP, to a synthetic address" prints '^198\.18\.' $only dig +short api.test
check "the name server's address does not matter" prints '^198\.1[89]\.' $only dig +short @203.0.113.7 api.test
check "by UDP over IPv6" prints '^198\.1[89]\.' $only dig +short @2001:db8::66 api.test
check "by TCP as well" prints '^198\.1[89]\.' $only dig +short +tcp @203.0.113.7 api.test
check "by TCP over IPv6" prints "^198\.1[89]\." $only dig +short +tcp @2001:db8::66 api.test
check "IPv6 addresses too" prints '^fd6e:6f6e:6f00::' $only dig +short aaaa api.test
check "one synthetic address for each real one" sh -c "[ \$($only dig +short two.test | sort -u | wc -l) = 2 ]"
check "names below a suffix" prints '^198\.1[89]\.' $only dig +short www.wild.test
check "aliases are followed" prints '^198\.1[89]\.' $only dig +short alias.test
check "a name that is not allowed does not exist" prints NXDOMAIN $only dig other.test
check "nor does a name below an allowed one" prints NXDOMAIN $only dig secret-data.api.test
check "names of loopback do not exist" prints NXDOMAIN $only dig loop.test
check "nor those of IPv6 loopback" prints NXDOMAIN $only dig aaaa loop6.test
check "nor those of loopback as mapped IPv6" prints NXDOMAIN $only dig aaaa mapped.test
check "nor those of metadata" prints NXDOMAIN $only dig meta.test
check "a name with a usable and a loopback address gives the usable one" \
	sh -c "[ \$($only dig +short mixed.test | wc -l) = 1 ]"
check "the reverse of a synthetic address is its name" prints '^api\.test\.' \
	$only sh -c 'dig +short -x "$(dig +short api.test)"'
check "and of a synthetic IPv6 address" prints '^api\.test\.' $only sh -c 'dig +short -x "$(dig +short aaaa api.test)"'
check "the reverse of other addresses does not exist" prints NXDOMAIN $only dig -x 192.0.2.66
check "MX records are passed on" prints 'mail\.api\.test' $only dig +short mx api.test
check "without addresses beside them" sh -c "! $only dig mx api.test | grep 192.0.2.99"
check "SRV records" prints '^1 2 443 api\.test' $only dig +short srv api.test
check "TXT records" prints 'text of the name 000' $only dig +short txt api.test
check "long answers come by TCP" prints 'text of the name 039' $only dig +short +noedns txt two.test
check "HTTPS records" prints 'alpn="h2"\|0002 *6832\|00010003026832' $only dig +short type65 api.test
# "keys", in base64 or as dig shows what it does not know
check "with keys for ECH" prints 'AARrZXlz\|6B657973' $only dig +short type65 api.test
check "but not for a host that is intercepted" prints 'alpn="h2"\|0002 *6832\|00010003026832' \
	$run --allow-domain https://api.test/v1/ -- $direct dig +short type65 api.test
check "(none)" no_file_line 'AARrZXlz\|6B657973' "$work/printed"
check "without address hints" sh -c "! $only dig +short type65 api.test | grep -i 'C000020A\|192.0.2.10'"
check "a question of class CHAOS is refused" prints REFUSED $only dig ch txt version.bind
check "a zone transfer gives nothing" sh -c "! $only dig +tcp @203.0.113.7 axfr api.test | grep -q SOA"

check "glibc connects by name" prints 'hello from 192.0.2.10' $only curl -s http://api.test/
check "and by IPv6" prints 'hello from 2001:db8::10' $only curl -s http://six.test/
check "private addresses are reached by an allowed name" prints 'hello from 10.9.8.7' $only curl -s http://private.test/
refuse "the address of an allowed name is not allowed by itself" $only curl -s -m 3 http://192.0.2.10/
refuse "an address in hexadecimal" $only curl -s -m 3 http://0xc000020a/
refuse "a mapped address" $only curl -s -m 3 'http://[::ffff:192.0.2.66]/'
refuse "an address that was never given out" $only curl -s -m 3 http://198.19.200.200/
refuse "the metadata address" $only curl -s -m 3 http://169.254.169.254/
refuse "loopback" $only curl -s -m 3 http://127.0.0.1/
refuse "the unspecified address is loopback" $only curl -s -m 3 http://0.0.0.0/
check "an address that /etc/hosts gives an allowed name" prints 'hello from 192.0.2.11' \
	$run --allow-domain listed.test -- $direct curl -s http://listed.test/
refuse "but not where the name is not allowed" $run --allow-domain api.test -- $direct curl -s -m 3 http://listed.test/
check "a rule with a port" prints 'hello from' $run --allow-domain api.test:80 -- $direct curl -s http://api.test/
refuse "holds for that port only" $run --allow-domain api.test:80 -- $direct curl -sk -m 3 https://api.test/
refuse "a blocked network reaches nothing" $run --block-net -- $direct curl -s -m 3 http://api.test/
check "and resolves nothing" prints NXDOMAIN $run --block-net -- $direct dig api.test

check "the machine's own name is loopback" prints '^127\.0\.0\.1$' $only dig +short "$(uname -n)"
refuse "which is not reached by it either" $only curl -s -m 3 "http://$(uname -n)/"
check "refused names are in the report" prints '  connect  other\.test$' \
	$as_user $NONO run --on-request deny --allow "$work/dir" --allow-domain api.test -- dig other.test
check "no query left for a name that is not allowed" no_file_line 'other\|secret\|version' "$work/dns.log"

: >"$work/dns.log"
printf '#!/bin/sh\ncat >>%s\necho session\n' "$work/asked" >"$work/yes" && chmod +x "$work/yes"
ask="$nono --allow $work/dir --approver $work/yes --allow-domain api.test -- $direct"
check "with a person to ask, an unlisted name is asked about when it is connected to" \
	prints 'hello from 192.0.2.66' $ask curl -s http://other.test/
check "by its name" grep -q '"host": *"other.test"' "$work/asked"
check "and port" grep -q '"port": *80' "$work/asked"
: >"$work/dns.log"
check "before the answer nothing is looked up" sh -c "$ask dig +short other.test | grep -q ^198 && ! grep -q . $work/dns.log"
check "metadata is refused after the answer as well" sh -c "! $ask curl -s -m 3 http://meta.test/"
check "and loopback" sh -c "! $ask curl -s -m 3 http://loop.test/"
finish
