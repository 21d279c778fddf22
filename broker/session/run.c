/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.c - the broker: brings up the rooms a session needs, starts the program,
 * waits for its end and takes everything down again, in the opposite order.
 */
#include "session/internal.h"
#include "sandbox/privileges.h"
#include "sandbox/sandbox.h"

#include <errno.h>
#include <event2/event.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define END_GRACE_MS 1000

/** struct broker - one run. */
struct broker {
	const struct session_options *o;
	const struct guard_link *link;
	struct place place;
	struct start_plan plan;
	struct event_base *base;
	struct watch *watch;
	struct pairs more_env;
	char *cgroup;
	pid_t program;
	int listener;
	bool supervised;
};

/* An error at the start. Return: the exit status, 1 unless the error brought 126 or 127. */
static int start_failed(struct err *e)
{
	say_error("%s", err_msg(e));
	return e && (e->code == 126 || e->code == 127) ? e->code : 1;
}

static struct strv environment_of(struct broker *b)
{
	const struct environment_extra x = {
		.tmpdir = b->place.tmp,
		.more = &b->more_env,
	};
	return environment_build(b->plan.policy, &x);
}

/* Start the program; where somebody else listens already, with the kernel's rules alone. */
static int start_program(struct broker *b, struct err **e)
{
	cleanup_strv struct strv env = environment_of(b);
	const struct policy_settings *set = policy_settings(b->plan.policy);
	struct launch l = {
		.policy = b->plan.policy,
		.argv = b->o->argv,
		.program = b->plan.program,
		.envp = env.v,
		.workdir = set->workdir,
		.supervise = b->supervised,
		.cgroup = b->cgroup,
		.mask = &b->link->mask,
	};
	cleanup_err struct err *first = NULL;
	if (launch_start(&l, &b->program, &b->listener, &first) == 0)
		return 0;
	if (first->code != EBUSY) {
		*e = steal_ptr(&first);
		return -1;
	}
	say("kernel only: %s, so nothing can be asked for and network rules by name do not work", first->msg);
	l.supervise = b->supervised = false;
	return launch_start(&l, &b->program, &b->listener, e);
}

static int start(struct broker *b, struct err **e)
{
	if (place_create(&b->place, e) < 0 || startup_plan(b->o, &b->place, &b->plan, e) < 0)
		return -1;
	const struct policy_settings *set = policy_settings(b->plan.policy);
	b->supervised = false;
	if (cgroup_create(&set->limits, b->place.id, &b->cgroup, e) < 0)
		return -1;
	b->base = event_base_new();
	if (!b->base)
		return err_set(e, ENOMEM, "cannot make an event loop");
	startup_print(b->o, &b->plan, b->supervised);
	if (start_program(b, e) < 0)
		return -1;
	/* from here on nobody of this user may look into the broker */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	int rc = privileges_drop_broker();
	if (rc < 0)
		return err_set(e, -rc, "cannot drop the broker's privileges");
	const struct watch_config watch = {.base = b->base, .program = b->program, .guard = b->link->guard};
	if (watch_start(&b->watch, &watch, e) < 0)
		return -1;
	return registry_write(&b->place, b->o, set->workdir, b->link->guard, b->program, e);
}

/* Say what was left running, or killed for lack of memory. */
static void report_end(unsigned left, unsigned oom_kills, const struct limits *l)
{
	if (left)
		say("%u process%s that the program left running %s ended", left, left == 1 ? "" : "es",
			left == 1 ? "was" : "were");
	if (oom_kills)
		say("the memory limit of %llu MiB was reached: the kernel killed the program (--memory sets it)",
			(unsigned long long)(l->memory_bytes >> 20));
}

static void finish(struct broker *b)
{
	if (b->program > 0) {
		unsigned left = tree_end(getpid(), END_GRACE_MS);
		unsigned kills = cgroup_destroy(b->cgroup);
		report_end(left, kills, &policy_settings(b->plan.policy)->limits);
	} else {
		cgroup_destroy(b->cgroup);
	}
	free(b->cgroup);
	if (b->base)
		event_base_free(b->base);
	pairs_free(&b->more_env);
	start_plan_free(&b->plan);
	place_remove(&b->place);
}

int broker_run(const struct session_options *o, const struct guard_link *link)
{
	struct broker b = {.o = o, .link = link, .place = {.lock = -1}, .listener = -1};
	cleanup_err struct err *e = NULL;
	int status = 0;
	if (start(&b, &e) < 0) {
		int code = start_failed(e);
		if (b.program > 0)
			kill(b.program, SIGKILL);
		watch_stop(b.watch, NULL);
		finish(&b);
		return code;
	}
	watch_run(b.watch);
	watch_stop(b.watch, &status);
	finish(&b);
	if (status == -1)
		return 126; /* the guard is gone, nobody will see it */
	return WIFSIGNALED(status) ? STATUS_BY_SIGNAL(WTERMSIG(status)) : WEXITSTATUS(status);
}
