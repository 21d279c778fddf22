/* SPDX-License-Identifier: Apache-2.0 */
/* remote.h - the client's end of the control socket, for `nono approve` and `nono grants`. */
#ifndef NONO_APPROVE_REMOTE_H
#define NONO_APPROVE_REMOTE_H

#include "approve/approve.h"

/**
 * remote_connect() - to a session's control socket.
 * @session: its id, the beginning of it, or its name; NULL: the only or newest session
 * @id: receives the session's id, a new string; may be NULL
 * Return: descriptor or -1.
 */
int remote_connect(const char *session, char **id, struct err **e);
/** remote_other - what comes before the result; may take strings out of @m. */
typedef void remote_other(void *data, struct msg *m);
/**
 * remote_request() - send @request and wait for its MSG_RESULT.
 * @other: called for every other message, may be NULL; @text: receives the result's text, may be NULL
 * Return: 0, or -1 when the broker refused (its sentence is the error).
 */
int remote_request(int fd, const struct msg *request, remote_other *other, void *data, char **text, struct err **e);
/** remote_pending() - move a MSG_PENDING into a struct pending. Return: false when its operation is unknown. */
bool remote_pending(struct msg *m, struct pending *p);
/**
 * remote_screen() - the full-screen list. Takes over @fd.
 * @id: the session, to connect again when the broker dropped a connection that was too slow
 * @popup: leave when nothing is open any more
 */
int remote_screen(int fd, const char *id, bool popup, struct err **e);

#endif
