/* SPDX-License-Identifier: Apache-2.0 */
/* encode.c - struct msg to its wire form, driven by the schema table. */
#include "proto/schema.h"

#include <errno.h>
#include <msgpack.h>

static int append(void *data, const char *bytes, size_t n)
{
	buf_add(data, bytes, n);
	return 0;
}

static void pack_string(msgpack_packer *pk, const char *s)
{
	size_t n = strlen(s);
	msgpack_pack_str(pk, n);
	msgpack_pack_str_body(pk, s, n);
}

/* Whether an optional field says more than its absence does. */
static bool field_set(const struct field *f, const struct msg *m)
{
	const void *p = (const char *)m + f->offset;
	switch (f->wire) {
	case WIRE_U64:
		return *(const uint64_t *)p != 0;
	case WIRE_U32:
		return *(const uint32_t *)p != 0;
	case WIRE_I64:
		return *(const int64_t *)p != 0;
	case WIRE_BOOL:
		return *(const bool *)p;
	case WIRE_STRING:
		return *(char *const *)p != NULL;
	}
	return false;
}

static int field_check(const struct field *f, const struct msg *m, struct err **e)
{
	const void *p = (const char *)m + f->offset;
	const char *type = proto_messages[m->type].name;
	if (f->wire == WIRE_STRING) {
		const char *s = *(char *const *)p;
		if (!s)
			return err_set(e, EINVAL, "message %s without %s", type, f->key);
		if (strlen(s) > f->limit)
			return err_set(e, EMSGSIZE, "%s of message %s", f->key, type);
	} else if (f->wire == WIRE_U32 && *(const uint32_t *)p > f->limit) {
		return err_set(e, ERANGE, "%s of message %s", f->key, type);
	} else if (f->wire == WIRE_I64) {
		int64_t v = *(const int64_t *)p;
		if (v < 0 || (uint64_t)v > f->limit)
			return err_set(e, ERANGE, "%s of message %s", f->key, type);
	}
	return 0;
}

static void field_pack(msgpack_packer *pk, const struct field *f, const struct msg *m)
{
	const void *p = (const char *)m + f->offset;
	pack_string(pk, f->key);
	switch (f->wire) {
	case WIRE_U64:
		msgpack_pack_uint64(pk, *(const uint64_t *)p);
		break;
	case WIRE_U32:
		msgpack_pack_uint32(pk, *(const uint32_t *)p);
		break;
	case WIRE_I64:
		msgpack_pack_int64(pk, *(const int64_t *)p);
		break;
	case WIRE_BOOL:
		if (*(const bool *)p)
			msgpack_pack_true(pk);
		else
			msgpack_pack_false(pk);
		break;
	case WIRE_STRING:
		pack_string(pk, *(char *const *)p);
		break;
	}
}

int msg_encode(const struct msg *m, struct buf *out, struct err **e)
{
	if ((unsigned)m->type >= MSG_TYPE_COUNT)
		return err_set(e, EINVAL, "message type %u", (unsigned)m->type);
	const struct message *t = &proto_messages[m->type];
	unsigned send = t->required, n = 2;
	for (unsigned i = 0; i < FIELD_COUNT; i++) {
		if ((t->optional & FIELD_BIT(i)) && field_set(&proto_fields[i], m))
			send |= FIELD_BIT(i);
		if (!(send & FIELD_BIT(i)))
			continue;
		if (field_check(&proto_fields[i], m, e) < 0)
			return -1;
		n++;
	}
	msgpack_packer pk;
	msgpack_packer_init(&pk, out, append);
	msgpack_pack_map(&pk, n);
	pack_string(&pk, "v");
	msgpack_pack_uint8(&pk, PROTO_VERSION);
	pack_string(&pk, "t");
	pack_string(&pk, t->name);
	for (unsigned i = 0; i < FIELD_COUNT; i++)
		if (send & FIELD_BIT(i))
			field_pack(&pk, &proto_fields[i], m);
	return 0;
}
