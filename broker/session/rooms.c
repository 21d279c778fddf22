/* SPDX-License-Identifier: Apache-2.0 */
/* rooms.c - bring up what a session needs; see rooms.h for the order. */
#include "session/rooms.h"

#include "proto/openers.h"
#include "sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>

extern char **environ;

/* Stop or continue the tree while a question has the terminal; stops made so are no stops of the job. */
static bool freeze(void *data, bool stop)
{
	struct watch **w = data;
	if (stop)
		watch_ignore_stops(*w, true);
	bool held = tree_freeze(stop);
	if (!held)
		watch_ignore_stops(*w, false);
	return held;
}

static bool has_terminal(void)
{
	cleanup_fd int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	return fd >= 0;
}

bool rooms_possible(const struct policy *policy)
{
	return policy_settings(policy)->supervision != SUPERVISION_OFF;
}

static int start_asking(struct rooms *r, const struct session_options *o, const struct place *place,
	struct policy *policy, struct watch **watch, struct err **e)
{
	const struct policy_settings *set = policy_settings(policy);
	r->approve_cfg = (struct approve_config){
		.policy = policy,
		.session_id = place->id,
		/* without --profile the default one is used, and extended */
		.profile_ref = o->profile_ref || o->manifest ? o->profile_ref : "default",
		.on_request = set->on_request,
		.approver = o->approver,
		.approver_timeout = o->approver_timeout,
		.terminal = has_terminal(),
		.freeze = freeze,
		.freeze_data = watch,
	};
	return approve_start(&r->approve, &r->approve_cfg, e);
}

int rooms_start(struct rooms *r, const struct session_options *o, const struct place *place, struct policy *policy,
	bool supervised, struct event_base *base, struct watch **watch, struct err **e)
{
	r->session_dir = xstrdup(place->run);
	r->tree_socket = path_join(place->run, TREE_SOCKET_NAME);
	if (explain_start(&r->explain, place->id, policy, e) < 0)
		return -1;
	if (supervised && start_asking(r, o, place, policy, watch, e) < 0)
		return -1;
	const struct net_config net = {
		.policy = policy,
		.approve = r->approve,
		.explain = r->explain,
		.session_dir = place->run,
	};
	if (supervised && net_start(&r->net, &net, e) < 0)
		return -1;
	const struct open_config open = {
		.policy = policy,
		.approve = r->approve,
		.explain = r->explain,
		.net = r->net,
		.session_dir = place->run,
		.shared = place->openers,
		.host_env = environ,
	};
	if (open_start(&r->open, &open, e) < 0)
		return -1;
	const struct control_config control = {
		.base = base,
		.control_path = place->control,
		.tree_path = r->tree_socket,
		.approve = r->approve,
		.open = r->open,
	};
	return control_start(&r->control, &control, e);
}

static bool owns(void *data, pid_t pid)
{
	struct rooms *r = data;
	return r->trap && trap_owns(r->trap, pid);
}

int rooms_serve(struct rooms *r, pid_t program, int listener, struct policy *policy, struct err **e)
{
	r->approve_cfg.tree_root = program;
	if (listener < 0)
		return 0;
	r->trap_cfg = (struct trap_config){
		.policy = policy,
		.approve = r->approve,
		.explain = r->explain,
		.net = r->net,
		.open = r->open,
		.root = program,
		.kernel_floor = landlock_abi() > 0,
		.cuts_judged = landlock_abi() >= 3,
		.tree_socket = r->tree_socket,
		.session_dir = r->session_dir,
	};
	if (trap_start(&r->trap, listener, &r->trap_cfg, e) < 0)
		return -1;
	policy_set_tree(policy, owns, r);
	return 0;
}

void rooms_stop(struct rooms *r)
{
	control_stop(steal_ptr(&r->control));
	if (r->open)
		open_stop(steal_ptr(&r->open));
	/* calls that are still being handled may ask, and take questions back */
	if (r->approve)
		approve_end(r->approve);
	if (r->trap)
		policy_set_tree(r->trap_cfg.policy, NULL, NULL);
	if (r->trap)
		trap_stop(steal_ptr(&r->trap));
	if (r->net)
		net_stop(steal_ptr(&r->net));
	approve_stop(steal_ptr(&r->approve));
	if (r->explain)
		explain_stop(steal_ptr(&r->explain));
	free(steal_ptr(&r->tree_socket));
	free(steal_ptr(&r->session_dir));
}
