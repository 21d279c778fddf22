/* SPDX-License-Identifier: Apache-2.0 */
/* control.h - the session's two sockets: one for the person's commands, one for the tree. */
#ifndef NONO_SESSION_CONTROL_H
#define NONO_SESSION_CONTROL_H

#include "base/base.h"

struct approve;
struct control;
struct event_base;
struct open_room;

/** struct control_config - borrowed, outliving the sockets. */
struct control_config {
	struct event_base *base;
	const char *control_path; /* for `nono approve`, `nono grants` */
	const char *tree_path;    /* for the URL helper inside the tree */
	struct approve *approve;  /* NULL: nothing to answer */
	struct open_room *open;   /* NULL: no URL is opened */
};
/** control_start() - listen on both sockets, in the event loop of @base. */
int control_start(struct control **c, const struct control_config *cfg, struct err **e);
/** control_stop() - close everything; NULL-safe. */
void control_stop(struct control *c);

#endif
