/* SPDX-License-Identifier: Apache-2.0 */
/* hosts.h - network rules: their text form, and classes of addresses. Shared by the policy and net rooms. */
#ifndef NONO_HOSTS_H
#define NONO_HOSTS_H

#include "policy/policy.h"

/** struct host_addr - an IPv4 or IPv6 address; IPv4-mapped IPv6 is kept as IPv4. */
struct host_addr {
	uint8_t len; /* 4 or 16; 0: none */
	uint8_t b[16];
};
/** host_addr_parse() - from text; brackets and a scope ("%eth0") are accepted. Return: false for anything else. */
bool host_addr_parse(const char *text, struct host_addr *a);
/** host_addr_text() - the text form. @out: at least 46 bytes (INET6_ADDRSTRLEN) */
void host_addr_text(const struct host_addr *a, char *out);
/** host_addr_loopback() - 127/8, ::1. The unspecified address reaches the same listeners and counts. */
bool host_addr_loopback(const struct host_addr *a);
/** host_addr_unspecified() - 0.0.0.0, ::. */
bool host_addr_unspecified(const struct host_addr *a);
/**
 * host_addr_never() - link-local and cloud metadata addresses, also when embedded
 * in 6to4, NAT64 or IPv4-compatible addresses. Never reachable whatever a rule says.
 */
bool host_addr_never(const struct host_addr *a);

/**
 * host_addr_named_by() - the shortest prefix of a rule that names @a: for private and loopback
 * addresses the length of their network, 0 for all others.
 */
unsigned host_addr_named_by(const struct host_addr *a);

/** struct host_pattern - one parsed rule: what `allow_domain` may say. */
struct host_pattern {
	char name[254]; /* lower-case ASCII; "" for an address rule */
	bool suffix;    /* "*." before the name */
	struct host_addr addr;
	unsigned prefix; /* of addr, in bits */
	unsigned port;   /* 0: any */
	bool udp;
};
/**
 * host_pattern_parse() - read one rule: NAME, *.SUFFIX, ADDRESS, ADDRESS/PREFIX, each with
 * ":PORT" and "/udp"; IPv6 addresses before a port are in brackets.
 * @check_suffix: refuse wildcards over a public suffix ("*.com")
 */
int host_pattern_parse(const char *text, bool check_suffix, struct host_pattern *out, struct err **e);
/** host_name_numeric() - whether some program reads @name as an address ("0x7f.1", "2130706433"), so it is no name. */
bool host_name_numeric(const char *name);
/** host_name_never() - names of metadata services: refused before anything is resolved. */
bool host_name_never(const char *name);
/** host_name_normal() - lower case, ASCII (IDNA2008), without the final dot. @out: 254 bytes */
int host_name_normal(const char *name, char *out, struct err **e);

#endif
