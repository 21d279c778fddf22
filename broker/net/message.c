/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message.c - DNS messages (RFC 1035, 2782, 6891, 9460).
 * Names are compressed and expanded by the C library (dn_comp, dn_expand).
 */
#include "net/internal.h"

#include <arpa/nameser.h>
#include <ctype.h>
#include <errno.h>
#include <resolv.h>

#define HEADER 12U
#define TYPE_SVCB 64U
#define TYPE_HTTPS 65U
#define CHAIN_MAX 12U

static unsigned get16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static int expand(const uint8_t *msg, size_t n, size_t at, char *name)
{
	char raw[1025]; /* dn_expand writes escapes for odd bytes */
	int used = dn_expand(msg, msg + n, msg + at, raw, sizeof(raw));
	if (used < 0 || strlen(raw) > 253)
		return -EINVAL;
	for (size_t i = 0;; i++) {
		name[i] = (char)tolower((unsigned char)raw[i]);
		if (!raw[i])
			return used;
	}
}

/* Length of the EDNS record's payload size, when there is one behind the question. */
static void parse_edns(const uint8_t *msg, size_t n, struct dns_question *q)
{
	size_t at = q->end;
	if (get16(msg + 6) || get16(msg + 8) || get16(msg + 10) == 0 || at + 11 > n)
		return;
	if (msg[at] != 0 || get16(msg + at + 1) != ns_t_opt)
		return;
	q->edns = true;
	unsigned size = get16(msg + at + 3);
	q->size = size < 512 ? 512 : size > 4096 ? 4096 : size;
}

int dns_parse_question(const uint8_t *msg, size_t n, struct dns_question *q)
{
	*q = (struct dns_question){.size = 512};
	if (n < HEADER || (msg[2] & 0xf8) != 0 || get16(msg + 4) != 1) /* a query, standard, one question */
		return -EINVAL;
	int used = expand(msg, n, HEADER, q->name);
	if (used < 0 || HEADER + (size_t)used + 4 > n)
		return -EINVAL;
	q->end = HEADER + (size_t)used + 4;
	q->type = get16(msg + q->end - 4);
	q->class = get16(msg + q->end - 2);
	parse_edns(msg, n, q);
	return 0;
}

ssize_t dns_make_query(const char *name, unsigned type, unsigned id, uint8_t *out)
{
	memset(out, 0, HEADER);
	put16(out, id);
	out[2] = 1; /* recursion desired */
	out[5] = 1;
	int used = dn_comp(name, out + HEADER, 256, NULL, NULL);
	if (used < 0)
		return -EINVAL;
	put16(out + HEADER + used, type);
	put16(out + HEADER + used + 2, ns_c_in);
	return (ssize_t)HEADER + used + 4;
}

/* ---- responses of the name servers --------------------------------------- */

/** struct record - one resource record. */
struct record {
	char name[254];
	unsigned type, class;
	uint32_t ttl;
	size_t data, len; /* offset and length */
};

/* Read the record at *@at and move behind it. */
static int next_record(const uint8_t *msg, size_t n, size_t *at, struct record *r)
{
	int used = *at < n ? expand(msg, n, *at, r->name) : -EINVAL;
	if (used < 0 || *at + (size_t)used + 10 > n)
		return -EINVAL;
	const uint8_t *p = msg + *at + used;
	r->type = get16(p);
	r->class = get16(p + 2);
	r->ttl = (uint32_t)get16(p + 4) << 16 | get16(p + 6);
	r->len = get16(p + 8);
	r->data = *at + (size_t)used + 10;
	if (r->data + r->len > n)
		return -EINVAL;
	*at = r->data + r->len;
	return 0;
}

/* Offset of the first answer. */
static ssize_t answers(const uint8_t *msg, size_t n)
{
	char name[254];
	if (n < HEADER || !(msg[2] & 0x80) || get16(msg + 4) != 1)
		return -EIO;
	int used = expand(msg, n, HEADER, name);
	return used < 0 || HEADER + (size_t)used + 4 > n ? -EIO : (ssize_t)HEADER + used + 4;
}

static void add_addr(struct resolved *out, const uint8_t *data, uint8_t len)
{
	if (out->n == RESOLVE_ADDRS)
		return;
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct host_addr *a = &out->addr[out->n++];
	/* An IPv4 address in disguise is judged as what it is. */
	unsigned skip = len == 16 && memcmp(data, mapped, sizeof(mapped)) == 0 ? sizeof(mapped) : 0;
	*a = (struct host_addr){.len = (uint8_t)(len - skip)};
	memcpy(a->b, data + skip, a->len);
}

/* One pass over the answers: addresses of @name, and the name it is an alias of. */
static int collect(const uint8_t *msg, size_t n, size_t at, char *name, uint8_t len, struct resolved *out, bool *alias)
{
	char target[254] = "";
	for (unsigned i = get16(msg + 6); i > 0; i--) {
		struct record r;
		if (next_record(msg, n, &at, &r) < 0)
			return -EIO;
		if (r.class != ns_c_in || strcmp(r.name, name) != 0)
			continue;
		if (r.ttl < out->ttl)
			out->ttl = r.ttl;
		if (r.type == ns_t_cname && expand(msg, n, r.data, target) < 0)
			return -EIO;
		if (r.type == (len == 4 ? ns_t_a : ns_t_aaaa) && r.len == len)
			add_addr(out, msg + r.data, len);
	}
	*alias = out->n == 0 && target[0];
	if (*alias)
		memcpy(name, target, sizeof(target));
	return 0;
}

int dns_parse_addrs(const uint8_t *msg, size_t n, const char *name, uint8_t len, struct resolved *out)
{
	*out = (struct resolved){.ttl = 300};
	ssize_t at = answers(msg, n);
	unsigned rcode = n > 3 ? msg[3] & 0xfU : 0;
	if (at < 0 || (rcode != ns_r_noerror && rcode != ns_r_nxdomain))
		return -EIO;
	char current[254];
	snprintf(current, sizeof(current), "%s", name);
	bool alias = true;
	for (unsigned hops = 0; alias && hops < CHAIN_MAX; hops++)
		if (collect(msg, n, (size_t)at, current, len, out, &alias) < 0)
			return -EIO;
	out->exists = out->n || rcode == ns_r_noerror;
	if (!out->n)
		out->ttl = 15; /* absence is not kept long */
	return 0;
}

/* ---- responses to the tree ----------------------------------------------- */

void dns_begin(struct dns_writer *w, uint8_t *out, size_t max, const uint8_t *query, const struct dns_question *q)
{
	*w = (struct dns_writer){.out = out, .max = max, .len = q->end};
	memcpy(out, query, q->end);
	out[2] = (uint8_t)(0x80 | (query[2] & 0x01)); /* response; recursion desired as asked */
	out[3] = 0x80;                                /* recursion available */
	memset(out + 6, 0, 6);
}

/* Name (as a pointer to the question, or @name), type, class, ttl; data is appended by the caller. */
static uint8_t *add_record(struct dns_writer *w, const char *name, unsigned type, unsigned ttl, size_t len)
{
	uint8_t owner[256] = {0xc0, HEADER};
	int used = name ? dn_comp(name, owner, sizeof(owner), NULL, NULL) : 2;
	if (used < 0 || w->full || w->len + (size_t)used + 10 + len > w->max) {
		w->full = true;
		return NULL;
	}
	uint8_t *p = w->out + w->len;
	memcpy(p, owner, (size_t)used);
	p += used;
	put16(p, type);
	put16(p + 2, ns_c_in);
	put16(p + 4, ttl >> 16);
	put16(p + 6, ttl & 0xffff);
	put16(p + 8, (unsigned)len);
	w->len += (size_t)used + 10 + len;
	put16(w->out + 6, get16(w->out + 6) + 1);
	return p + 10;
}

void dns_add_addr(struct dns_writer *w, const struct host_addr *a, unsigned ttl)
{
	uint8_t *p = add_record(w, NULL, a->len == 4 ? ns_t_a : ns_t_aaaa, ttl, a->len);
	if (p)
		memcpy(p, a->b, a->len);
}

void dns_add_ptr(struct dns_writer *w, const char *name, unsigned ttl)
{
	uint8_t packed[256];
	int used = dn_comp(name, packed, sizeof(packed), NULL, NULL);
	uint8_t *p = used > 0 ? add_record(w, NULL, ns_t_ptr, ttl, (size_t)used) : NULL;
	if (p)
		memcpy(p, packed, (size_t)used);
}

/* How many bytes stand before the name in the data of a record that is not opaque; -1: opaque. */
static ssize_t bytes_before_name(unsigned type)
{
	switch (type) {
	case ns_t_cname:
	case ns_t_ns:
	case ns_t_ptr:
	case ns_t_dname:
		return 0;
	case ns_t_mx:
	case TYPE_SVCB:
	case TYPE_HTTPS:
		return 2;
	case ns_t_srv:
		return 6;
	default:
		return -1;
	}
}

/* Service parameters without address hints (4, 6) and keys for ECH (5); "mandatory" (0) may list those and goes as
 * well. */
static size_t copy_params(const uint8_t *p, size_t n, bool ech, uint8_t *out)
{
	size_t len = 0;
	while (n >= 4) {
		unsigned key = get16(p);
		size_t size = 4U + get16(p + 2);
		if (size > n)
			break;
		if (key != 0 && key != 4 && key != 6 && (ech || key != 5)) {
			memcpy(out + len, p, size);
			len += size;
		}
		p += size;
		n -= size;
	}
	return len;
}

/* The data of record @r with its names expanded. Return: length or -EIO. */
static ssize_t record_data(const uint8_t *msg, size_t n, const struct record *r, bool ech, uint8_t *out)
{
	ssize_t skip = bytes_before_name(r->type);
	if (skip < 0) {
		memcpy(out, msg + r->data, r->len);
		return (ssize_t)r->len;
	}
	char name[1025];
	size_t before = (size_t)skip;
	if (r->len <= before)
		return -EIO;
	int used = dn_expand(msg, msg + n, msg + r->data + before, name, sizeof(name));
	if (used < 0 || before + (size_t)used > r->len)
		return -EIO;
	memcpy(out, msg + r->data, before);
	int packed = dn_comp(name, out + before, 256, NULL, NULL);
	if (packed < 0)
		return -EIO;
	size_t len = before + (size_t)packed;
	if (r->type == TYPE_SVCB || r->type == TYPE_HTTPS)
		len += copy_params(msg + r->data + before + used, r->len - before - (size_t)used, ech, out + len);
	return (ssize_t)len;
}

int dns_add_answers(struct dns_writer *w, const uint8_t *msg, size_t n, bool ech)
{
	ssize_t start = answers(msg, n);
	if (start < 0)
		return -EIO;
	size_t at = (size_t)start;
	cleanup_free uint8_t *data = xmalloc(DNS_MAX + 600);
	for (unsigned i = get16(msg + 6); i > 0; i--) {
		struct record r;
		if (next_record(msg, n, &at, &r) < 0)
			return -EIO;
		if (r.class != ns_c_in || r.type == ns_t_a || r.type == ns_t_aaaa)
			continue;
		ssize_t len = record_data(msg, n, &r, ech, data);
		if (len < 0)
			return -EIO;
		uint8_t *p = add_record(w, r.name, r.type, r.ttl, (size_t)len);
		if (p)
			memcpy(p, data, (size_t)len);
	}
	return 0;
}

size_t dns_end(struct dns_writer *w, unsigned rcode, const struct dns_question *q)
{
	static const uint8_t opt[11] = {0, 0, ns_t_opt, 0x10, 0x00};
	w->out[3] = (uint8_t)(w->out[3] | rcode);
	if (w->full)
		w->out[2] |= 0x02; /* truncated: the program comes back by TCP */
	if (q->edns && w->len + sizeof(opt) <= w->max) {
		memcpy(w->out + w->len, opt, sizeof(opt));
		w->len += sizeof(opt);
		put16(w->out + 10, 1);
	}
	return w->len;
}
