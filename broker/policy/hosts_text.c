/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hosts_text.c - the text form of network rules, and classes of addresses.
 *
 * Two checks need large tables and are made by libraries that are loaded only
 * when a rule needs them: names outside ASCII (libidn2) and wildcards (libpsl).
 */
#include "policy/hosts.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>

/* ---- addresses ----------------------------------------------------------- */

bool host_addr_parse(const char *text, struct host_addr *a)
{
	char copy[INET6_ADDRSTRLEN + 20];
	size_t n = strlen(text);
	*a = (struct host_addr){0};
	if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	}
	n = strcspn(text, "%") < n ? strcspn(text, "%") : n;
	if (n >= sizeof(copy))
		return false;
	memcpy(copy, text, n);
	copy[n] = '\0';
	if (inet_pton(AF_INET, copy, a->b) == 1) {
		a->len = 4;
		return true;
	}
	if (inet_pton(AF_INET6, copy, a->b) != 1)
		return false;
	a->len = 16;
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	if (memcmp(a->b, mapped, sizeof(mapped)) == 0) {
		struct host_addr v4 = {.len = 4};
		memcpy(v4.b, a->b + 12, 4);
		*a = v4;
	}
	return true;
}

void host_addr_text(const struct host_addr *a, char *out)
{
	out[0] = '\0';
	if (a->len)
		inet_ntop(a->len == 4 ? AF_INET : AF_INET6, a->b, out, INET6_ADDRSTRLEN);
}

bool host_addr_unspecified(const struct host_addr *a)
{
	static const uint8_t zero[16];
	return a->len && memcmp(a->b, zero, a->len) == 0;
}

bool host_addr_loopback(const struct host_addr *a)
{
	static const uint8_t one[16] = {[15] = 1};
	if (host_addr_unspecified(a))
		return true;
	return a->len == 4 ? a->b[0] == 127 || a->b[0] == 0 : a->len == 16 && memcmp(a->b, one, 16) == 0;
}

/* Fixed addresses of metadata services outside the link-local range. */
static const uint8_t never_v4[][4] = {
	{100, 100, 100, 200}, /* Alibaba Cloud */
	{192, 0, 0, 192},     /* Oracle Cloud */
	{168, 63, 129, 16},   /* Azure's host agent */
};
static const uint8_t never_v6[16] = {0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54}; /* EC2 */

static bool v4_never(const uint8_t *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(never_v4); i++)
		if (memcmp(b, never_v4[i], 4) == 0)
			return true;
	return b[0] == 169 && b[1] == 254;
}

bool host_addr_never(const struct host_addr *a)
{
	static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b}, compatible[12];
	if (a->len == 4)
		return v4_never(a->b);
	if (a->len != 16)
		return false;
	if (a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80)
		return true;
	if (memcmp(a->b, never_v6, 16) == 0)
		return true;
	if (a->b[0] == 0x20 && a->b[1] == 0x02)
		return v4_never(a->b + 2);
	return (memcmp(a->b, nat64, 12) == 0 || memcmp(a->b, compatible, 12) == 0) && v4_never(a->b + 12);
}

unsigned host_addr_named_by(const struct host_addr *a)
{
	static const struct {
		uint8_t len, prefix, net[4];
	} networks[] = {
		{4, 8, {0}},                        /* "this host": reaches loopback */
		{4, 8, {10}},                       /* RFC 1918 */
		{4, 10, {100, 64}},                 /* RFC 6598, shared */
		{4, 8, {127}},                      /* loopback */
		{4, 12, {172, 16}},                 /* RFC 1918 */
		{4, 16, {192, 168}},                /* RFC 1918 */
		{16, 7, {0xfc}},                    /* RFC 4193, unique local */
		{16, 10, {0xfe, 0xc0}},             /* site-local, as it was */
		{16, 96, {0}},                      /* unspecified, loopback, IPv4-compatible */
		{16, 16, {0x20, 0x02}},             /* RFC 3056: may stand for any IPv4 address, as the next one */
		{16, 32, {0x00, 0x64, 0xff, 0x9b}}, /* RFC 6052, RFC 8215: may stand for any IPv4 address */
	};
	for (size_t i = 0; i < ARRAY_SIZE(networks); i++) {
		unsigned bit = 0;
		uint8_t net[16] = {0};
		memcpy(net, networks[i].net, sizeof(networks[i].net));
		while (bit < networks[i].prefix && !((a->b[bit / 8] ^ net[bit / 8]) & (0x80U >> bit % 8)))
			bit++;
		if (a->len == networks[i].len && bit == networks[i].prefix)
			return bit;
	}
	return 0;
}

/* ---- names --------------------------------------------------------------- */

/* The ASCII form of a name outside ASCII, by libidn2. */
static char *idn_ascii(const char *name, struct err **e)
{
	void *lib = dlopen("libidn2.so.0", RTLD_NOW | RTLD_LOCAL);
	if (!lib) {
		err_set(e, 0, "%s needs libidn2 (package libidn2-0), which is not installed", name);
		return NULL;
	}
	int (*to_ascii)(const char *, char **, int);
	*(void **)&to_ascii = dlsym(lib, "idn2_to_ascii_8z");
	char *ascii = NULL;
	const int nfc_nontransitional = 1 | 8; /* IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL */
	int rc = to_ascii ? to_ascii(name, &ascii, nfc_nontransitional) : -1;
	if (rc != 0 || !ascii) {
		err_set(e, 0, "%s is not a valid internationalised name", name);
		return NULL;
	}
	return ascii;
}

static bool name_valid(const char *name)
{
	size_t label = 0, n = strlen(name);
	if (n == 0 || n > 253)
		return false;
	for (const char *c = name; *c; c++) {
		if (*c == '.') {
			if (label == 0)
				return false;
			label = 0;
			continue;
		}
		if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_')
			return false;
		if (++label > 63)
			return false;
	}
	return label > 0;
}

bool host_name_numeric(const char *name)
{
	const char *last = strrchr(name, '.');
	last = last ? last + 1 : name;
	return strspn(last, "0123456789") == strlen(last) || str_starts(last, "0x");
}

bool host_name_never(const char *name)
{
	static const char *const names[] = {
		"metadata.google.internal", "metadata.azure.internal", "metadata.goog", "instance-data.ec2.internal"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

int host_name_normal(const char *name, char *out, struct err **e)
{
	cleanup_free char *ascii = NULL;
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c >= 0x80) {
			if (!utf8_valid(name, strlen(name), NULL))
				return err_set(e, 0, "a host name is not valid UTF-8");
			ascii = idn_ascii(name, e);
			if (!ascii)
				return -1;
			break;
		}
	const char *from = ascii ? ascii : name;
	size_t n = strlen(from);
	if (n > 1 && from[n - 1] == '.')
		n--;
	if (n > 253)
		return err_set(e, 0, "%s is not a valid host name: longer than 253 characters", name);
	for (size_t i = 0; i < n; i++)
		out[i] = (char)tolower((unsigned char)from[i]);
	out[n] = '\0';
	if (!name_valid(out))
		return err_set(e, 0, "%s is not a valid host name", name);
	return 0;
}

/* Whether everything below @name may be registered by anybody, by libpsl's list. */
static int refuse_public_suffix(const char *name, struct err **e)
{
	void *lib = dlopen("libpsl.so.5", RTLD_NOW | RTLD_LOCAL);
	const void *(*builtin)(void) = NULL;
	int (*is_public_suffix)(const void *, const char *, int) = NULL;
	if (lib) {
		*(void **)&builtin = dlsym(lib, "psl_builtin");
		*(void **)&is_public_suffix = dlsym(lib, "psl_is_public_suffix2");
	}
	if (!builtin || !is_public_suffix || !builtin())
		return err_set(e, 0, "*.%s cannot be checked: wildcards need libpsl (package libpsl5)", name);
	const int registries_only = 1 | 4; /* PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE */
	if (is_public_suffix(builtin(), name, registries_only))
		return err_set(e, 0,
			"*.%s would allow names that anybody can register: %s is a public suffix; name the domain, as "
			"in *.example.%s",
			name, name, name);
	return 0;
}

/* ---- one rule ------------------------------------------------------------ */

static int parse_port(const char *text, const char *digits, unsigned *port, struct err **e)
{
	char *end;
	errno = 0;
	unsigned long v = strtoul(digits, &end, 10);
	if (!isdigit((unsigned char)digits[0]) || *end || errno || v == 0 || v > 65535)
		return err_set(e, 0, "%s: %s is not a port", text, digits);
	*port = (unsigned)v;
	return 0;
}

static int parse_prefix(const char *text, const char *digits, struct host_pattern *out, struct err **e)
{
	char *end;
	unsigned long v = strtoul(digits, &end, 10);
	if (!out->addr.len)
		return err_set(e, 0, "%s: only addresses take a prefix length; a path needs endpoint rules", text);
	if (!isdigit((unsigned char)digits[0]) || *end || v > out->addr.len * 8U)
		return err_set(e, 0, "%s: %s is not a prefix length", text, digits);
	out->prefix = (unsigned)v;
	for (unsigned bit = out->prefix; bit < out->addr.len * 8U; bit++)
		if (out->addr.b[bit / 8] & (0x80U >> bit % 8))
			return err_set(e, 0, "%s has bits set beyond its prefix", text);
	return 0;
}

/* Take scheme and protocol off both ends of @copy. Return: what is left. */
static char *strip_ends(char *copy, struct host_pattern *out)
{
	char *scheme = strstr(copy, "://");
	if (scheme)
		copy = scheme + 3;
	size_t n = strlen(copy);
	if (scheme && n && copy[n - 1] == '/')
		copy[--n] = '\0';
	if (n > 4 && (strcmp(copy + n - 4, "/udp") == 0 || strcmp(copy + n - 4, "/tcp") == 0)) {
		out->udp = copy[n - 3] == 'u';
		copy[n - 4] = '\0';
	}
	return copy;
}

static int parse_host(const char *text, const char *host, bool check_suffix, struct host_pattern *out, struct err **e)
{
	if (host_addr_parse(host, &out->addr)) {
		out->prefix = out->addr.len * 8U;
		return 0;
	}
	if (str_starts(host, "*.")) {
		out->suffix = true;
		host += 2;
	}
	if (strcmp(text, "*") == 0)
		return err_set(e, 0, "* would allow every host; use --allow-net for that");
	if (strchr(host, '*'))
		return err_set(e, 0, "%s: a wildcard stands only at the front, as in *.example.com", text);
	if (host_name_normal(host, out->name, e) < 0)
		return -1;
	if (host_name_numeric(out->name))
		return err_set(e, 0, "%s is neither a host name nor an address", text);
	return out->suffix && check_suffix ? refuse_public_suffix(out->name, e) : 0;
}

int host_pattern_parse(const char *text, bool check_suffix, struct host_pattern *out, struct err **e)
{
	*out = (struct host_pattern){0};
	cleanup_free char *copy = xstrdup(text);
	char *host = strip_ends(copy, out), *prefix = NULL, *port = NULL;
	char *rest;
	if (host[0] == '[') {
		rest = strchr(host, ']');
		if (!rest)
			return err_set(e, 0, "%s: a bracket is not closed", text);
		rest++;
	} else if (strchr(host, ':') != strrchr(host, ':')) {
		rest = host + strcspn(host, "/"); /* an IPv6 address without brackets has no port */
	} else {
		rest = host + strcspn(host, "/:");
	}
	char *slash = *rest == '/' ? rest : NULL;
	char *colon = strchr(rest, ':');
	if (*rest && !slash && colon != rest)
		return err_set(e, 0, "%s: unexpected text after the address", text);
	if (colon) {
		*colon = '\0';
		port = colon + 1;
	}
	if (slash) {
		*slash = '\0';
		prefix = slash + 1;
	}
	if (parse_host(text, host, check_suffix, out, e) < 0 || (prefix && parse_prefix(text, prefix, out, e) < 0) ||
		(port && parse_port(text, port, &out->port, e) < 0))
		return -1;
	if (out->udp && !out->port)
		return err_set(e, 0, "%s: a UDP rule names its port, as in dns.example.com:53/udp", text);
	if ((out->addr.len && out->prefix == out->addr.len * 8U && host_addr_never(&out->addr)) ||
		(!out->addr.len && host_name_never(out->name)))
		return err_set(e, 0, "%s is a link-local or metadata address; those are never reachable", text);
	return 0;
}
