/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto.h - messages between the tree (shim, helpers), the nono command line and the broker.
 *
 * msgpack maps {v: version, t: type, ...} over a SOCK_SEQPACKET Unix socket, one
 * message a packet, at most PROTO_MAX bytes. One schema table (schema.c) says
 * which fields a type has, their wire types, limits and whether they are
 * required; encoder and decoder follow it. Unknown keys are ignored, wrong
 * types are refused. No policy in here. See docs/protocol.md.
 */
#ifndef NONO_PROTO_H
#define NONO_PROTO_H

#include "base/base.h"

#define PROTO_VERSION 1
#define PROTO_MAX 32768
#define PROTO_TEXT_MAX 16384 /* longest `text`; senders cut what is longer */

enum msg_type {
	MSG_HELLO,        /* version handshake, both directions: text = program version */
	MSG_RESULT,       /* answer to a request: status 0 or an errno, text = sentence */
	MSG_OPEN_URL,     /* tree -> broker: url */
	MSG_PENDING_LIST, /* cli -> broker; answered by MSG_PENDING ... and a MSG_RESULT */
	MSG_PENDING,    /* id, operation, object, kind (enum question_kind), asked, port, udp, flag(protected), is_dir,
			   rule, program, parent, pid, number(waiting) */
	MSG_ANSWER,     /* cli -> broker: id, answer, dir (optional) */
	MSG_PREVIEW,    /* cli -> broker: id, dir; answered by MSG_RESULT with the diff as text */
	MSG_GRANT_LIST, /* answered by MSG_GRANT ... and a MSG_RESULT */
	MSG_GRANT,      /* id, text, flag(never) */
	MSG_REVOKE,     /* id */
	MSG_WATCH,      /* cli -> broker: send MSG_PENDING whenever a question opens, MSG_GONE when one closes */
	MSG_GONE,       /* id */
	MSG_TYPE_COUNT
};

/** struct msg - one decoded message; which members are set depends on its type. Strings are owned. */
struct msg {
	enum msg_type type;
	uint64_t id, number;
	int64_t status;
	uint32_t port, kind, pid;
	bool flag, is_dir, udp;
	char *text, *url, *operation, *object, *asked, *rule, *program, *parent, *answer, *dir;
};
static inline void cleanup_msg_fn(struct msg *m);
#define cleanup_msg __attribute__((cleanup(cleanup_msg_fn)))

/** msg_type_name() - the type's name on the wire ("open-url"). Borrowed. */
const char *msg_type_name(enum msg_type t);

/**
 * msg_encode() - append the wire form to @out.
 * Only the members that the type has are sent. Return: 0, or -1 when a required
 * string is NULL or a member exceeds its limit; @out is then unchanged.
 */
int msg_encode(const struct msg *m, struct buf *out, struct err **e);
/**
 * msg_decode() - strict decoding of one packet; *@m is left zeroed on failure.
 * Another protocol version is the error code EPROTONOSUPPORT, anything else EBADMSG.
 */
int msg_decode(const void *data, size_t len, struct msg *m, struct err **e);
/** msg_free() - release the strings and zero the message. */
void msg_free(struct msg *m);
static inline void cleanup_msg_fn(struct msg *m)
{
	msg_free(m);
}

/** msg_send() - send one packet; never raises SIGPIPE; a full non-blocking socket is given a second. Return: 0 or -1.
 */
int msg_send(int fd, const struct msg *m, struct err **e);
/**
 * msg_recv() - receive one packet.
 * @timeout_ms: -1 waits for ever
 * Return: 1 and a message the caller frees, 0 at end of file, -1 (code ETIMEDOUT after @timeout_ms,
 * EAGAIN on a non-blocking descriptor with nothing to read). Descriptors sent along are dropped.
 */
int msg_recv(int fd, struct msg *m, int timeout_ms, struct err **e);
/** msg_connect() - connect to a seqpacket socket and exchange MSG_HELLO. Return: descriptor or -1. */
int msg_connect(const char *path, struct err **e);
/**
 * msg_listen() - bind and listen with mode 0600. The socket that a dead process
 * left at @path is replaced; a live one is an error. Paths longer than sun_path are fine.
 * Return: descriptor or -1.
 */
int msg_listen(const char *path, struct err **e);

#endif
