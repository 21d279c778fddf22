/* SPDX-License-Identifier: Apache-2.0 */
/* schema.h - the one table of message types and fields that encoder and decoder follow. Private to proto/. */
#ifndef NONO_PROTO_SCHEMA_H
#define NONO_PROTO_SCHEMA_H

#include "proto/proto.h"

enum wire { WIRE_U64, WIRE_U32, WIRE_I64, WIRE_BOOL, WIRE_STRING };

/** struct field - one member of struct msg on the wire. */
struct field {
	const char *key;
	enum wire wire;
	size_t offset;  /* in struct msg */
	uint64_t limit; /* largest number, or longest string in bytes */
};
enum field_id {
	FIELD_ID,
	FIELD_NUMBER,
	FIELD_STATUS,
	FIELD_PORT,
	FIELD_KIND,
	FIELD_PID,
	FIELD_FLAG,
	FIELD_IS_DIR,
	FIELD_UDP,
	FIELD_TEXT,
	FIELD_URL,
	FIELD_OPERATION,
	FIELD_OBJECT,
	FIELD_ASKED,
	FIELD_RULE,
	FIELD_PROGRAM,
	FIELD_PARENT,
	FIELD_ANSWER,
	FIELD_DIR,
	FIELD_COUNT
};
#define FIELD_BIT(f) (1U << (f))

/** struct message - the fields of one type, as sets of FIELD_BIT(). */
struct message {
	const char *name;
	unsigned required, optional;
};

extern const struct field proto_fields[FIELD_COUNT];
extern const struct message proto_messages[MSG_TYPE_COUNT];

#endif
