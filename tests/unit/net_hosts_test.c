/* SPDX-License-Identifier: Apache-2.0 */
/* net_hosts_test.c - network rules: their text, and what they decide. */
#include "net_bringup.h"
#include "policy/hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <time.h>
#include <cmocka.h>

static struct hosts *compile(struct profile *p)
{
	cleanup_err struct err *e = NULL;
	struct hosts *h = hosts_compile(p, &e);
	if (!h)
		fail_msg("%s", err_msg(e));
	return h;
}

static enum verdict connects(const struct hosts *h, const char *host, unsigned port)
{
	return hosts_check(h, OP_CONNECT, host, port, false).verdict;
}

static void names_suffixes_and_ports(void **state)
{
	(void)state;
	struct profile p = {0};
	domain(&p, "api.test", SOURCE_USER);
	domain(&p, "*.Wild.Test", SOURCE_USER);
	domain(&p, "port.test:8443", SOURCE_PROFILE);
	domain(&p, "time.test:123/udp", SOURCE_PROFILE);
	domain(&p, "https://scheme.test/", SOURCE_USER);
	struct hosts *h = compile(&p);
	assert_int_equal(hosts_mode(h), NET_FILTERED);
	assert_int_equal(connects(h, "api.test", 443), VERDICT_ALLOW);
	assert_int_equal(connects(h, "api.test", 22), VERDICT_ALLOW);
	assert_int_equal(connects(h, "xapi.test", 443), VERDICT_NONE);
	assert_int_equal(connects(h, "www.api.test", 443), VERDICT_NONE);
	assert_int_equal(connects(h, "wild.test", 443), VERDICT_NONE);
	assert_int_equal(connects(h, "a.wild.test", 443), VERDICT_ALLOW);
	assert_int_equal(connects(h, "a.b.wild.test", 443), VERDICT_ALLOW);
	assert_int_equal(connects(h, "notwild.test", 443), VERDICT_NONE);
	assert_int_equal(connects(h, "port.test", 8443), VERDICT_ALLOW);
	assert_int_equal(connects(h, "port.test", 443), VERDICT_NONE);
	assert_int_equal(connects(h, "port.test", 0), VERDICT_ALLOW);
	assert_int_equal(connects(h, "scheme.test", 443), VERDICT_ALLOW);
	assert_int_equal(connects(h, "time.test", 123), VERDICT_NONE);
	assert_int_equal(connects(h, "time.test", 0), VERDICT_ALLOW);
	assert_int_equal(hosts_check(h, OP_CONNECT, "time.test", 123, true).verdict, VERDICT_ALLOW);
	assert_int_equal(hosts_check(h, OP_CONNECT, "time.test", 124, true).verdict, VERDICT_NONE);
	assert_int_equal(hosts_check(h, OP_CONNECT, "api.test", 443, true).verdict, VERDICT_NONE);
	hosts_free(h);
	network_clear(&p);
}

static void groups_and_network_profiles(void **state)
{
	(void)state;
	struct profile p = {.network.profile = (char *)"minimal"};
	domain(&p, "aws_bedrock", SOURCE_PROFILE);
	struct hosts *h = compile(&p);
	assert_int_equal(connects(h, "eu.bedrock.amazonaws.com", 443), VERDICT_ALLOW);
	assert_int_equal(connects(h, "x.bedrock-runtime.amazonaws.com", 443), VERDICT_ALLOW);
	assert_int_equal(connects(h, "api.anthropic.com", 443), VERDICT_ALLOW);
	assert_int_equal(connects(h, "aws_bedrock", 443), VERDICT_NONE);
	assert_string_equal(
		hosts_check(h, OP_CONNECT, "eu.bedrock.amazonaws.com", 443, false).rule->written, "aws_bedrock");
	hosts_free(h);
	network_clear(&p);
}

static void addresses_and_prefixes(void **state)
{
	(void)state;
	struct profile p = {0};
	domain(&p, "10.1.0.0/16", SOURCE_USER);
	domain(&p, "192.0.2.7:5432", SOURCE_USER);
	domain(&p, "2001:db8::/32", SOURCE_USER);
	domain(&p, "[2001:db9::1]:443", SOURCE_USER);
	domain(&p, "198.51.100.128/25:22", SOURCE_USER);
	struct hosts *h = compile(&p);
	assert_int_equal(connects(h, "10.1.255.3", 80), VERDICT_ALLOW);
	assert_int_equal(connects(h, "::ffff:10.1.2.3", 80), VERDICT_ALLOW);
	assert_int_equal(connects(h, "10.2.0.1", 80), VERDICT_NONE);
	assert_int_equal(connects(h, "192.0.2.7", 5432), VERDICT_ALLOW);
	assert_int_equal(connects(h, "192.0.2.7", 5433), VERDICT_NONE);
	assert_int_equal(connects(h, "2001:db8:1::9", 80), VERDICT_ALLOW);
	assert_int_equal(connects(h, "2001:db7::9", 80), VERDICT_NONE);
	assert_int_equal(connects(h, "2001:db9::1", 443), VERDICT_ALLOW);
	assert_int_equal(connects(h, "2001:db9::1", 80), VERDICT_NONE);
	assert_int_equal(connects(h, "198.51.100.200", 22), VERDICT_ALLOW);
	assert_int_equal(connects(h, "198.51.100.100", 22), VERDICT_NONE);
	assert_int_equal(connects(h, "127.0.0.1", 80), VERDICT_NONE);
	hosts_free(h);
	network_clear(&p);
}

static void metadata_is_never_reachable(void **state)
{
	(void)state;
	static const char *const never[] = {"169.254.169.254", "169.254.1.1", "::ffff:169.254.169.254", "fe80::1",
		"fe80::1%eth0", "febf::9", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "2002:a9fe:a9fe::1",
		"64:ff9b::a9fe:a9fe", "::169.254.169.254", "metadata.google.internal"};
	struct profile open = {.network.allow_all = true}, wide = {0};
	domain(&wide, "0.0.0.0/0", SOURCE_USER);
	domain(&wide, "::/0", SOURCE_USER);
	struct hosts *a = compile(&open), *b = compile(&wide);
	for (size_t i = 0; i < ARRAY_SIZE(never); i++) {
		assert_int_equal(connects(a, never[i], 80), VERDICT_NEVER);
		assert_int_equal(connects(b, never[i], 80), VERDICT_NEVER);
	}
	assert_int_equal(connects(a, "fec0::1", 80), VERDICT_ALLOW);
	assert_int_equal(connects(b, "169.253.0.1", 80), VERDICT_ALLOW);
	hosts_free(a);
	hosts_free(b);
	network_clear(&wide);
}

static void a_wide_rule_does_not_name_private_networks(void **state)
{
	(void)state;
	static const char *const closed[] = {"10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
		"127.0.0.1", "127.255.0.1", "0.0.0.0", "0.1.2.3", "::1", "::", "fc00::1", "fdff::1", "fec0::1",
		"64:ff9b::a00:1", "2002:a00:1::1", "::10.0.0.1", "::ffff:10.1.0.1"};
	static const char *const open[] = {
		"192.0.2.1", "172.15.0.1", "172.32.0.1", "192.169.0.1", "100.63.0.1", "11.0.0.1", "2001:db8::1"};
	struct profile wide = {0}, named = {0};
	domain(&wide, "0.0.0.0/0", SOURCE_USER);
	domain(&wide, "::/0", SOURCE_USER);
	domain(&wide, "8.0.0.0/5", SOURCE_USER);
	static const char *const rules[] = {"10.1.0.0/16", "172.16.0.0/12", "192.168.1.1", "100.64.0.0/10",
		"127.0.0.0/8", "0.0.0.0/8", "::/96", "fc00::/7", "fec0::/10", "64:ff9b::/96", "2002::/16"};
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		domain(&named, rules[i], SOURCE_USER);
	struct hosts *h = compile(&wide), *by_name = compile(&named);
	for (size_t i = 0; i < ARRAY_SIZE(closed); i++) {
		if (connects(h, closed[i], 80) != VERDICT_NONE || connects(by_name, closed[i], 80) != VERDICT_ALLOW)
			fail_msg("%s", closed[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(open); i++)
		if (connects(h, open[i], 80) != VERDICT_ALLOW)
			fail_msg("%s", open[i]);
	hosts_free(h);
	hosts_free(by_name);
	network_clear(&wide);
	network_clear(&named);
}

static void endpoints_hold_where_their_rule_allows(void **state)
{
	(void)state;
	struct profile p = {0};
	static const char *const plain[] = {"free.suffix.test", "port.test:22", "10.1.2.3", "github"};
	static const char *const restricted[] = {
		"*.suffix.test", "port.test:443", "10.0.0.0/8", "github.com", "gitlab", "all.test"};
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		domain(&p, plain[i], SOURCE_PROFILE);
	for (size_t i = 0; i < ARRAY_SIZE(restricted); i++) {
		domain(&p, restricted[i], SOURCE_PROFILE);
		endpoint(&p);
	}
	struct hosts *h = compile(&p);
	static const struct {
		const char *host;
		unsigned port;
		const char *rule; /* NULL: unrestricted */
	} cases[] = {{"free.suffix.test", 443, NULL}, {"x.suffix.test", 443, "*.suffix.test"}, {"port.test", 22, NULL},
		{"port.test", 443, "port.test:443"}, {"10.1.2.3", 80, NULL}, {"10.1.2.4", 80, "10.0.0.0/8"},
		{"github.com", 443, "github.com"}, {"api.github.com", 443, NULL}, {"gitlab.com", 443, "gitlab"},
		{"all.test", 22, "all.test"}, {"unlisted.test", 443, NULL}};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct item *it = hosts_endpoints(h, cases[i].host, cases[i].port);
		if (!it != !cases[i].rule || (it && strcmp(it->value, cases[i].rule) != 0))
			fail_msg("%s:%u is restricted by %s", cases[i].host, cases[i].port, it ? it->value : "nothing");
	}
	hosts_free(h);
	network_clear(&p);
}

/* A name as long as an address can't be leaves no address behind. */
static void long_names_are_names(void **state)
{
	(void)state;
	char name[200];
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	struct host_addr a;
	memset(&a, 0xff, sizeof(a));
	assert_false(host_addr_parse(name, &a));
	assert_int_equal(a.len, 0);
}

static void ports_are_tied_to_loopback(void **state)
{
	(void)state;
	struct profile p = {.network.block = TRI_TRUE};
	port_item(&p.network.open_port, "3000");
	port_item(&p.network.listen_port, "8080");
	port_item(&p.network.connect_port, "22");
	domain(&p, "api.test", SOURCE_PROFILE);
	struct hosts *h = compile(&p);
	assert_int_equal(hosts_mode(h), NET_BLOCKED);
	assert_int_equal(connects(h, "127.0.0.1", 3000), VERDICT_ALLOW);
	assert_int_equal(connects(h, "::1", 3000), VERDICT_ALLOW);
	assert_int_equal(connects(h, "localhost", 3000), VERDICT_ALLOW);
	assert_int_equal(connects(h, "192.0.2.1", 3000), VERDICT_NEVER);
	assert_int_equal(connects(h, "192.0.2.1", 22), VERDICT_ALLOW);
	assert_int_equal(connects(h, "api.test", 443), VERDICT_NEVER);
	assert_int_equal(hosts_check(h, OP_BIND, "127.0.0.1", 3000, false).verdict, VERDICT_ALLOW);
	assert_int_equal(hosts_check(h, OP_BIND, "0.0.0.0", 3000, false).verdict, VERDICT_NEVER);
	assert_int_equal(hosts_check(h, OP_BIND, "0.0.0.0", 8080, false).verdict, VERDICT_ALLOW);
	assert_int_equal(hosts_check(h, OP_BIND, "127.0.0.1", 9999, false).verdict, VERDICT_NEVER);
	assert_int_equal(hosts_check(h, OP_BIND, "127.0.0.1", 0, false).verdict, VERDICT_NEVER);
	hosts_free(h);
	network_clear(&p);
}

static void loopback_needs_a_rule(void **state)
{
	(void)state;
	struct profile p = {0};
	domain(&p, "localhost:5432", SOURCE_USER);
	struct hosts *h = compile(&p);
	assert_int_equal(connects(h, "127.0.0.1", 5432), VERDICT_ALLOW);
	assert_int_equal(connects(h, "::1", 5432), VERDICT_ALLOW);
	assert_int_equal(connects(h, "0.0.0.0", 5433), VERDICT_NONE);
	assert_int_equal(connects(h, "127.9.9.9", 80), VERDICT_NONE);
	assert_int_equal(hosts_check(h, OP_BIND, "127.0.0.1", 0, false).verdict, VERDICT_ALLOW);
	assert_int_equal(hosts_check(h, OP_BIND, "0.0.0.0", 0, false).verdict, VERDICT_NONE);
	hosts_free(h);
	network_clear(&p);
}

/* The callback of a login: any port, on loopback only, where the profile opens localhost. */
static void logins_listen_on_loopback(void **state)
{
	(void)state;
	struct profile p = {.open_urls.allow_localhost = TRI_TRUE};
	domain(&p, "api.test", SOURCE_USER);
	struct hosts *h = compile(&p);
	static const char *const loopback[] = {"127.0.0.1", "127.0.0.2", "::1"};
	for (size_t i = 0; i < ARRAY_SIZE(loopback); i++)
		assert_int_equal(hosts_check(h, OP_BIND, loopback[i], 1455, false).verdict, VERDICT_ALLOW);
	static const char *const reachable[] = {"0.0.0.0", "::", "192.0.2.1", "::ffff:0.0.0.0", "fe80::1"};
	for (size_t i = 0; i < ARRAY_SIZE(reachable); i++)
		assert_int_equal(hosts_check(h, OP_BIND, reachable[i], 1455, false).verdict, VERDICT_NONE);
	assert_int_equal(hosts_check(h, OP_BIND, "127.0.0.1", 1455, true).verdict, VERDICT_NONE);
	assert_int_equal(connects(h, "127.0.0.1", 1455), VERDICT_NONE);
	hosts_free(h);
	network_clear(&p);
	/* where the network is blocked, nobody can log in anyway */
	struct profile blocked = {.open_urls.allow_localhost = TRI_TRUE, .network.block = TRI_TRUE};
	h = compile(&blocked);
	assert_int_equal(hosts_check(h, OP_BIND, "127.0.0.1", 1455, false).verdict, VERDICT_NEVER);
	hosts_free(h);
}

static void bad_rules_are_refused_with_the_reason(void **state)
{
	(void)state;
	static const struct {
		const char *value, *reason;
	} bad[] = {
		{"*.com", "public suffix"},
		{"*.co.uk", "public suffix"},
		{"*", "--allow-net"},
		{"a.*.com", "only at the front"},
		{"api.test:0", "not a port"},
		{"api.test:70000", "not a port"},
		{"10.0.0.1/8", "bits set"},
		{"10.0.0.0/33", "prefix length"},
		{"api.test/24", "prefix length"},
		{"169.254.169.254", "never reachable"},
		{"metadata.google.internal", "never reachable"},
		{"Metadata.Google.Internal.:80", "never reachable"},
		{"api..test", "not a valid host name"},
		{"", "not a valid host name"},
		{"bad name", "not a valid host name"},
		{"0x7f.1", "neither"},
		{"127.1", "neither"},
		{"2130706433", "neither"},
		{"[::1", "bracket"},
		{"dns.test/udp", "names its port"},
		{"[::1]x", "unexpected"},
		{"api.test:443x", "not a port"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct profile p = {0};
		domain(&p, bad[i].value, SOURCE_USER);
		cleanup_err struct err *e = NULL;
		struct hosts *h = hosts_compile(&p, &e);
		if (h || !strstr(err_msg(e), bad[i].reason))
			fail_msg("%s: %s", bad[i].value, h ? "accepted" : err_msg(e));
		network_clear(&p);
	}
}

static void errors_name_the_place(void **state)
{
	(void)state;
	struct profile p = {0};
	struct origin in_file = {
		.source = SOURCE_PROFILE, .label = (char *)"mine", .file = (char *)"/p/mine.json", .line = 7};
	struct origin flag = {.source = SOURCE_USER, .label = (char *)"--allow-domain"};
	const struct {
		struct origin *origin;
		const char *start;
	} cases[] = {{&in_file, "/p/mine.json:7: network.allow_domain: *.com"}, {&flag, "--allow-domain: *.com"}};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_err struct err *e = NULL;
		items_add(&p.network.allow_domain, "*.com", cases[i].origin);
		assert_null(hosts_compile(&p, &e));
		if (!str_starts(err_msg(e), cases[i].start))
			fail_msg("%s", err_msg(e));
		network_clear(&p);
	}
	struct profile unknown = {.network.profile = (char *)"nope"};
	cleanup_err struct err *e = NULL;
	assert_null(hosts_compile(&unknown, &e));
	assert_non_null(strstr(err_msg(e), "named nope; there are minimal"));
}

static void international_names_become_ascii(void **state)
{
	(void)state;
	struct profile p = {0};
	domain(&p, "Bücher.example", SOURCE_USER);
	domain(&p, "*.faß.example", SOURCE_USER);
	struct hosts *h = compile(&p);
	assert_int_equal(connects(h, "xn--bcher-kva.example", 443), VERDICT_ALLOW);
	assert_int_equal(connects(h, "a.xn--fa-hia.example", 443), VERDICT_ALLOW);
	hosts_free(h);
	network_clear(&p);
}

static void block_wins_over_domains(void **state)
{
	(void)state;
	struct profile p = {.network.block = TRI_TRUE};
	domain(&p, "api.test", SOURCE_USER);
	cleanup_err struct err *e = NULL;
	assert_null(hosts_compile(&p, &e));
	assert_non_null(strstr(err_msg(e), "blocked"));
	network_clear(&p);
}

/* Seconds for a number of decisions with @n rules. */
static double cost(unsigned n)
{
	struct profile p = {0};
	char name[64];
	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "host%u.example.test", i);
		domain(&p, name, SOURCE_PROFILE);
	}
	struct hosts *h = compile(&p);
	struct timespec a, b;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
	for (unsigned i = 0; i < 200000; i++)
		assert_int_equal(connects(h, "host7.example.test", 443), VERDICT_ALLOW);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
	hosts_free(h);
	network_clear(&p);
	return (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

static void cost_does_not_grow_with_rules(void **state)
{
	(void)state;
	double few = cost(10), many = cost(20000);
	if (many > few * 5)
		fail_msg("10 rules: %.3f s, 20000 rules: %.3f s", few, many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_suffixes_and_ports),
		cmocka_unit_test(groups_and_network_profiles),
		cmocka_unit_test(addresses_and_prefixes),
		cmocka_unit_test(metadata_is_never_reachable),
		cmocka_unit_test(a_wide_rule_does_not_name_private_networks),
		cmocka_unit_test(endpoints_hold_where_their_rule_allows),
		cmocka_unit_test(long_names_are_names),
		cmocka_unit_test(errors_name_the_place),
		cmocka_unit_test(ports_are_tied_to_loopback),
		cmocka_unit_test(loopback_needs_a_rule),
		cmocka_unit_test(logins_listen_on_loopback),
		cmocka_unit_test(bad_rules_are_refused_with_the_reason),
		cmocka_unit_test(international_names_become_ascii),
		cmocka_unit_test(block_wins_over_domains),
		cmocka_unit_test(cost_does_not_grow_with_rules),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
