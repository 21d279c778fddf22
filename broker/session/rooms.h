/* SPDX-License-Identifier: Apache-2.0 */
/* rooms.h - the rooms a session needs, brought up and taken down in order. */
#ifndef NONO_SESSION_ROOMS_H
#define NONO_SESSION_ROOMS_H

#include "session/internal.h"

#include "approve/approve.h"
#include "explain/explain.h"
#include "net/net.h"
#include "open/open.h"
#include "session/control.h"
#include "trap/trap.h"

/** struct rooms - all of them; the configurations have to live as long as the rooms. */
struct rooms {
	struct explain *explain;
	struct approve *approve;
	struct net *net;
	struct open_room *open;
	struct control *control;
	struct trap *trap;
	struct approve_config approve_cfg;
	struct trap_config trap_cfg;
	char *session_dir;
	char *tree_socket;
};

/**
 * rooms_start() - everything that has to be there before the program starts.
 * @supervised: whether calls will be trapped: without that nobody can ask or be connected on behalf
 * @watch: where freezing the tree for a question is announced; filled in later, hence a pointer to it
 */
int rooms_start(struct rooms *r, const struct session_options *o, const struct place *place, struct policy *policy,
	bool supervised, struct event_base *base, struct watch **watch, struct err **e);
/** rooms_serve() - the program has started: answer its calls. Takes @listener over. */
int rooms_serve(struct rooms *r, pid_t program, int listener, struct policy *policy, struct err **e);
/** rooms_stop() - in the opposite order; waiting questions are answered "no". */
void rooms_stop(struct rooms *r);
/** rooms_possible() - whether this build and policy can answer trapped calls at all. */
bool rooms_possible(const struct policy *policy);

#endif
