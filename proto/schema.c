/* SPDX-License-Identifier: Apache-2.0 */
/* schema.c - which messages there are and which fields each has. A change here is a change of the protocol. */
#include "proto/schema.h"

#include <assert.h>

/* What a member of struct msg must be for each wire type, so that table and struct cannot drift apart. */
#define WIRE_OF(member)                                                                                                \
	_Generic(((struct msg *)NULL)->member, uint64_t                                                                \
		 : WIRE_U64, uint32_t                                                                                  \
		 : WIRE_U32, int64_t                                                                                   \
		 : WIRE_I64, bool                                                                                      \
		 : WIRE_BOOL, char *                                                                                   \
		 : WIRE_STRING)
#define FIELD(member, max)                                                                                             \
	{                                                                                                              \
		.key = #member, .wire = WIRE_OF(member), .offset = offsetof(struct msg, member), .limit = (max)        \
	}

#define PATH_LIMIT 4096
#define OBJECT_LIMIT 8192 /* a URL is the longest object */

const struct field proto_fields[FIELD_COUNT] = {
	[FIELD_ID] = FIELD(id, UINT64_MAX),
	[FIELD_NUMBER] = FIELD(number, UINT64_MAX),
	[FIELD_STATUS] = FIELD(status, 4095),
	[FIELD_PORT] = FIELD(port, 65535),
	[FIELD_KIND] = FIELD(kind, 2),
	[FIELD_PID] = FIELD(pid, INT32_MAX),
	[FIELD_FLAG] = FIELD(flag, 1),
	[FIELD_IS_DIR] = FIELD(is_dir, 1),
	[FIELD_UDP] = FIELD(udp, 1),
	[FIELD_TEXT] = FIELD(text, PROTO_TEXT_MAX),
	[FIELD_URL] = FIELD(url, OBJECT_LIMIT),
	[FIELD_OPERATION] = FIELD(operation, 32),
	[FIELD_OBJECT] = FIELD(object, OBJECT_LIMIT),
	[FIELD_ASKED] = FIELD(asked, OBJECT_LIMIT),
	[FIELD_RULE] = FIELD(rule, PATH_LIMIT),
	[FIELD_PROGRAM] = FIELD(program, 512),
	[FIELD_PARENT] = FIELD(parent, 512),
	[FIELD_ANSWER] = FIELD(answer, 16),
	[FIELD_DIR] = FIELD(dir, PATH_LIMIT),
};
static_assert(FIELD_COUNT <= 32, "field sets are 32-bit words");
static_assert(2 * OBJECT_LIMIT + PATH_LIMIT + 2 * 512 + 32 + 256 <= PROTO_MAX, "the largest message fits a packet");
static_assert(PROTO_TEXT_MAX + 256 <= PROTO_MAX, "the longest text fits a packet");

#define F(name) FIELD_BIT(FIELD_##name)
const struct message proto_messages[MSG_TYPE_COUNT] = {
	[MSG_HELLO] = {"hello", F(TEXT), 0},
	[MSG_RESULT] = {"result", F(STATUS), F(TEXT)},
	[MSG_OPEN_URL] = {"open-url", F(URL), 0},
	[MSG_PENDING_LIST] = {"pending-list", 0, 0},
	[MSG_PENDING] = {"pending", F(ID) | F(OPERATION) | F(OBJECT),
		F(KIND) | F(ASKED) | F(PORT) | F(UDP) | F(FLAG) | F(IS_DIR) | F(RULE) | F(PROGRAM) | F(PARENT) |
			F(NUMBER) | F(PID)},
	[MSG_ANSWER] = {"answer", F(ID) | F(ANSWER), F(DIR)},
	[MSG_PREVIEW] = {"preview", F(ID), F(DIR)},
	[MSG_GRANT_LIST] = {"grant-list", 0, 0},
	[MSG_GRANT] = {"grant", F(ID) | F(TEXT), F(FLAG)},
	[MSG_REVOKE] = {"revoke", F(ID), 0},
	[MSG_WATCH] = {"watch", 0, 0},
	[MSG_GONE] = {"gone", F(ID), 0},
};
static_assert(MSG_TYPE_COUNT == 12, "a new message type needs its row above and a line in docs/protocol.md");
#undef F

const char *msg_type_name(enum msg_type t)
{
	return (unsigned)t < MSG_TYPE_COUNT ? proto_messages[t].name : "unknown";
}
