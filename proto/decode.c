/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode.c - wire form to struct msg, driven by the schema table.
 *
 * Theory of operation
 *
 * The bytes come from anybody who reached the socket, so nothing in them decides
 * how much memory is used. A message is one flat map: its header is read here,
 * at most KEYS_MAX entries; every key and value must be a scalar, which is seen
 * from its first byte before msgpack-c gets it, because msgpack-c allocates what
 * the header of an array or a map announces. Scalars need no allocation: strings
 * stay pointers into the packet until the schema has accepted them.
 *
 * Pass one splits the packet into pairs and finds version and type; pass two
 * fills the struct by the type's row. Refused are: another version, an unknown
 * type, a container or extension anywhere, a key that is not a string, a key
 * twice, a wrong wire type, a number or length over its limit, NUL in a string, a
 * missing required field, and bytes after the map. Unknown keys are ignored.
 */
#include "proto/schema.h"

#include <errno.h>
#include <msgpack.h>

#define KEYS_MAX 32

struct pair_of_objects {
	msgpack_object key, value;
};
struct packet {
	struct pair_of_objects pairs[KEYS_MAX];
	size_t n;
};

/* From the first byte: everything but maps, arrays, extensions and the unused code. */
static bool scalar(unsigned char b)
{
	if (b >= 0x80 && b <= 0x9f) /* fixmap, fixarray */
		return false;
	if (b == 0xc1 || (b >= 0xc7 && b <= 0xc9) || (b >= 0xd4 && b <= 0xd8)) /* never used, ext */
		return false;
	return b < 0xdc || b > 0xdf; /* array 16/32, map 16/32 */
}

static int read_scalar(const unsigned char *data, size_t len, size_t *off, msgpack_object *o)
{
	if (*off >= len || !scalar(data[*off]))
		return -1;
	size_t before = *off;
	/* no zone: scalars never allocate, containers were refused above */
	msgpack_zone none = {0};
	msgpack_unpack_return r = msgpack_unpack((const char *)data, len, off, &none, o);
	return (r == MSGPACK_UNPACK_SUCCESS || r == MSGPACK_UNPACK_EXTRA_BYTES) && *off > before ? 0 : -1;
}

static bool key_is(const msgpack_object *key, const char *name)
{
	size_t n = strlen(name);
	return key->via.str.size == n && memcmp(key->via.str.ptr, name, n) == 0;
}

static const msgpack_object *lookup(const struct packet *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (key_is(&p->pairs[i].key, name))
			return &p->pairs[i].value;
	return NULL;
}

static int split(const unsigned char *data, size_t len, struct packet *p, struct err **e)
{
	size_t off;
	if (len >= 1 && (data[0] & 0xf0) == 0x80) {
		p->n = data[0] & 0x0f;
		off = 1;
	} else if (len >= 3 && data[0] == 0xde) {
		p->n = (size_t)data[1] << 8 | data[2];
		off = 3;
	} else {
		return err_set(e, EBADMSG, "the packet is not a map");
	}
	if (p->n > KEYS_MAX)
		return err_set(e, EBADMSG, "a map of %zu entries", p->n);
	for (size_t i = 0; i < p->n; i++) {
		struct pair_of_objects *kv = &p->pairs[i];
		if (read_scalar(data, len, &off, &kv->key) < 0 || kv->key.type != MSGPACK_OBJECT_STR)
			return err_set(e, EBADMSG, "entry %zu has no string as its key", i);
		if (read_scalar(data, len, &off, &kv->value) < 0)
			return err_set(e, EBADMSG, "entry %zu has no scalar value", i);
		for (size_t j = 0; j < i; j++) {
			const msgpack_object_str *a = &kv->key.via.str, *b = &p->pairs[j].key.via.str;
			if (a->size == b->size && memcmp(a->ptr, b->ptr, a->size) == 0)
				return err_set(e, EBADMSG, "entry %zu repeats a key", i);
		}
	}
	if (off != len)
		return err_set(e, EBADMSG, "%zu bytes after the message", len - off);
	return 0;
}

static int header(const struct packet *p, enum msg_type *type, struct err **e)
{
	const msgpack_object *v = lookup(p, "v"), *t = lookup(p, "t");
	if (!v || v->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
		return err_set(e, EBADMSG, "no protocol version");
	if (v->via.u64 != PROTO_VERSION)
		return err_set(e, EPROTONOSUPPORT, "the peer speaks protocol version %llu, this program version %d",
			(unsigned long long)v->via.u64, PROTO_VERSION);
	if (!t || t->type != MSGPACK_OBJECT_STR)
		return err_set(e, EBADMSG, "no message type");
	for (unsigned i = 0; i < MSG_TYPE_COUNT; i++) {
		if (key_is(t, proto_messages[i].name)) {
			*type = (enum msg_type)i;
			return 0;
		}
	}
	return err_set(e, EBADMSG, "unknown message type");
}

static bool take_string(const struct field *f, const msgpack_object *o, char **out)
{
	const msgpack_object_str *s = &o->via.str;
	if (o->type != MSGPACK_OBJECT_STR || s->size > f->limit || (s->size && memchr(s->ptr, 0, s->size)))
		return false;
	*out = xstrndup(s->size ? s->ptr : "", s->size);
	return true;
}

/* Return: whether the value has the field's wire type and is within its limit. */
static bool take(const struct field *f, const msgpack_object *o, struct msg *m)
{
	void *p = (char *)m + f->offset;
	if (f->wire == WIRE_STRING)
		return take_string(f, o, p);
	if (f->wire == WIRE_BOOL) {
		if (o->type != MSGPACK_OBJECT_BOOLEAN)
			return false;
		*(bool *)p = o->via.boolean;
		return true;
	}
	if (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER || o->via.u64 > f->limit)
		return false;
	if (f->wire == WIRE_U64)
		*(uint64_t *)p = o->via.u64;
	else if (f->wire == WIRE_U32)
		*(uint32_t *)p = (uint32_t)o->via.u64;
	else
		*(int64_t *)p = (int64_t)o->via.u64;
	return true;
}

int msg_decode(const void *data, size_t len, struct msg *m, struct err **e)
{
	*m = (struct msg){0};
	struct packet p = {0};
	enum msg_type type = MSG_HELLO;
	if (len > PROTO_MAX)
		return err_set(e, EMSGSIZE, "a message of %zu bytes", len);
	if (split(data, len, &p, e) < 0 || header(&p, &type, e) < 0)
		return -1;
	const struct message *t = &proto_messages[type];
	cleanup_msg struct msg got = {.type = type};
	for (unsigned i = 0; i < FIELD_COUNT; i++) {
		if (!((t->required | t->optional) & FIELD_BIT(i)))
			continue;
		const msgpack_object *o = lookup(&p, proto_fields[i].key);
		if (!o && (t->required & FIELD_BIT(i)))
			return err_set(e, EBADMSG, "message %s without %s", t->name, proto_fields[i].key);
		if (o && !take(&proto_fields[i], o, &got))
			return err_set(e, EBADMSG, "bad %s in message %s", proto_fields[i].key, t->name);
	}
	*m = got;
	got = (struct msg){0};
	return 0;
}

void msg_free(struct msg *m)
{
	for (unsigned i = 0; i < FIELD_COUNT; i++)
		if (proto_fields[i].wire == WIRE_STRING)
			free(*(char **)((char *)m + proto_fields[i].offset));
	*m = (struct msg){0};
}
