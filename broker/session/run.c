/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.c - the broker: brings up the rooms a session needs, starts the program,
 * waits for its end and takes everything down again, in the opposite order.
 */
#include "session/rooms.h"

#include "hooks/hooks.h"
#include "open/open.h"
#include "proto/functions.h"
#include "sandbox/privileges.h"
#include "sandbox/sandbox.h"
#include "secrets/secrets.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define END_GRACE_MS 1000
#define OPENERS_MS 30000 /* a person may be thinking about the page */

/** struct broker - one run. */
struct broker {
	const struct session_options *o;
	const struct guard_link *link;
	struct place place;
	struct start_plan plan;
	struct event_base *base;
	struct watch *watch;
	struct rooms rooms;
	struct worker worker;
	struct pairs secrets, more_env, hook_env;
	char *cgroup, *cap_file, *shim;
	pid_t program, keeper;
	int listener;
	bool supervised;
	struct scripts scripts;
	bool hooked; /* the script before has been started, so the one after will be */
};

/* An error at the start. Return: the exit status, 1 unless the error brought 126 or 127. */
static int start_failed(struct err *e)
{
	say_error("%s", err_msg(e));
	return e && (e->code == 126 || e->code == 127) ? e->code : 1;
}

/* Copy the small file @from to @to, which must not exist. */
static int copy_file(const char *from, const char *to, mode_t mode)
{
	cleanup_free char *data = NULL;
	size_t len;
	if (file_read(from, 1 << 22, &data, &len, NULL) < 0)
		return -1;
	cleanup_fd int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	return fd < 0 ? -1 : io_write_all(fd, data, len);
}

/* Where the shim can be loaded from inside: its own place, or where a deny rule hides that, a copy. NULL without one.
 */
static char *find_shim(const struct broker *b)
{
	const char *real = b->plan.shim;
	if (!real || policy_check_path(b->plan.policy, OP_EXECUTE, real).kernel)
		return xstrdup(real);
	cleanup_free char *copy = path_join(b->place.run, "libnono-shim.so");
	return copy_file(real, copy, 0500) == 0 ? steal_ptr(&copy) : NULL;
}

static struct strv environment_of(struct broker *b)
{
	struct environment_extra x = {
		.secrets = &b->secrets,
		.cap_file = b->cap_file,
		.tmpdir = b->place.tmp,
		.workdir = b->plan.workdir,
		.shim = b->shim,
		.more = &b->more_env,
		.hooks = &b->hook_env,
	};
	if (b->rooms.open) {
		x.browser = open_browser_var(b->rooms.open);
		x.path_prefix = open_path_dir(b->rooms.open);
	}
	return environment_build(b->plan.policy, &x);
}

/* What the program is given besides its rights: secrets, the capability file, network variables, the shim. */
static int provide(struct broker *b, struct err **e)
{
	const struct origin origin = {.source = SOURCE_SYSTEM};
	b->cap_file = xasprintf("%s/.nono-%s.json", b->place.run, b->place.id);
	if (capfile_write(b->plan.policy, b->cap_file, e) < 0)
		return -1;
	if (b->rooms.net)
		net_environment(b->rooms.net, &b->more_env);
	pairs_set(&b->more_env, "NONO_SOCKET", b->rooms.tree_socket, &origin);
	if (b->supervised)
		b->shim = find_shim(b);
	if (b->shim) {
		cleanup_free char *functions = open_functions_text(b->o->profile);
		pairs_set(&b->more_env, OPEN_FUNCTIONS_VARIABLE, functions, &origin);
	}
	return 0;
}

/* ---- what is done beside the rest of the start (worker.c) ------------------------------------------------ */

static int make_place(void *data, struct err **e)
{
	struct broker *b = data;
	return place_create(&b->place, e);
}

/** struct restricting - the ruleset, and what has to be there before its rules are made. */
struct restricting {
	const struct profile *profile;
	struct landlock_build build;
};

static int make_rules(void *data, struct err **e)
{
	struct restricting *r = data;
	hooks_install(r->profile);
	return landlock_build_add(&r->build, e);
}

static void say_kernel_only(void)
{
	say("kernel only, because an outer sandbox or container listens to system calls already: what is missing is "
	    "refused without a question or a record, and hosts are not reached by name (`nono doctor` tells more)");
}

/* Start the program; where somebody else listens already, with the kernel's rules alone. */
static int start_program(struct broker *b, int ruleset, struct err **e)
{
	cleanup_strv struct strv env = environment_of(b);
	const struct policy_settings *set = policy_settings(b->plan.policy);
	cleanup_free char *entry = b->rooms.open ? open_entry_at(b->rooms.open, b->plan.program) : NULL;
	struct launch l = {
		.policy = b->plan.policy,
		.argv = b->o->argv,
		.program = entry ? entry : b->plan.program,
		.envp = env.v,
		.workdir = set->workdir,
		.supervise = b->supervised,
		.ruleset = ruleset,
		.cgroup = b->cgroup,
		.mask = &b->link->mask,
	};
	cleanup_err struct err *first = NULL;
	if (launch_start(&l, &b->program, &b->keeper, &b->listener, &first) == 0)
		return 0;
	if (first->code != EBUSY) {
		*e = steal_ptr(&first);
		return -1;
	}
	say_kernel_only();
	l.supervise = b->supervised = false;
	l.ruleset = -1;
	return launch_start(&l, &b->program, &b->keeper, &b->listener, e);
}

/* The control group with the session's limits, which no grant may reach. */
static int limit(struct broker *b, const struct limits *l, struct err **e)
{
	if (cgroup_create(l, b->place.id, &b->cgroup, e) < 0)
		return -1;
	if (!b->cgroup)
		return 0;
	cleanup_free char *control = path_join(b->cgroup, "cgroup.procs");
	if (policy_check_path(b->plan.policy, OP_WRITE, control).verdict != VERDICT_ALLOW)
		return 0;
	return err_set(
		e, 0, "a grant lets the program write to its control group %s and so lift its limits", b->cgroup);
}

/* Rooms, capability file and variables, while the ruleset is being made beside it. Return: 0 or -1. */
static int equip(struct broker *b, int *ruleset, struct err **e)
{
	struct restricting r = {.profile = b->o->profile};
	if (launch_ruleset_begin(&r.build, b->plan.policy, b->supervised, e) < 0)
		return -1;
	*ruleset = r.build.ruleset;
	worker_give(&b->worker, make_rules, &r);
	if (rooms_start(&b->rooms, b->o, &b->place, b->plan.policy, b->supervised, b->base, &b->watch, e) < 0 ||
		provide(b, e) < 0 || landlock_build_add(&r.build, e) < 0) {
		worker_await(&b->worker, NULL);
		return -1;
	}
	return worker_await(&b->worker, e);
}

/* Everything before the program: nothing of it may be missing when it starts. */
static int prepare(struct broker *b, int *ruleset, struct err **e)
{
	worker_give(&b->worker, make_place, b);
	if (startup_plan(b->o, &b->place, &b->worker, &b->plan, e) < 0)
		return -1;
	const struct policy_settings *set = policy_settings(b->plan.policy);
	b->supervised = rooms_possible(b->plan.policy);
	if (b->supervised && listener_taken()) {
		say_kernel_only();
		b->supervised = false;
	}
	if (secrets_load_all(&b->o->profile->env_credentials, &b->secrets, e) < 0 || limit(b, &set->limits, e) < 0)
		return -1;
	b->base = event_base_new();
	if (!b->base)
		return err_set(e, ENOMEM, "cannot make an event loop");
	return equip(b, ruleset, e);
}

/* The profile's script, when everything else is there. */
static int run_before(struct broker *b, struct err **e)
{
	if (!scripts_wanted(b->o->profile))
		return 0;
	b->scripts = (struct scripts){.profile = b->o->profile,
		.policy = b->plan.policy,
		.session = b->place.id,
		.workdir = policy_settings(b->plan.policy)->workdir,
		.run_dir = b->place.run,
		.guard = b->link->guard};
	if (scripts_check(&b->scripts, e) < 0)
		return -1;
	b->hooked = true;
	return scripts_before(&b->scripts, &b->hook_env, e);
}

static int start(struct broker *b, struct err **e)
{
	cleanup_fd int ruleset = -1;
	worker_start(&b->worker);
	const bool prepared = prepare(b, &ruleset, e) == 0;
	/* the first error is the one to tell */
	if (worker_end(&b->worker, e) < 0 || !prepared)
		return -1;
	startup_print(b->o, &b->plan, b->supervised);
	if (run_before(b, e) < 0)
		return -1;
	if (start_program(b, ruleset, e) < 0)
		return -1;
	secrets_wipe(&b->secrets);
	/* from here on nobody of this user may look into the broker */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	int rc = privileges_drop_broker();
	if (rc < 0)
		return err_set(e, -rc, "cannot drop the broker's privileges");
	if (rooms_serve(&b->rooms, b->program, b->listener, b->plan.policy, e) < 0)
		return -1;
	const struct watch_config watch = {.base = b->base, .program = b->program, .guard = b->link->guard};
	if (watch_start(&b->watch, &watch, e) < 0)
		return -1;
	return registry_write(&b->place, b->o, policy_settings(b->plan.policy)->workdir, b->link->guard, b->program, e);
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

/* The keeper is no part of the tree; it has to go before anybody waits for the children that are left. */
static void end_keeper(struct broker *b)
{
	if (b->keeper <= 0)
		return;
	kill(b->keeper, SIGKILL);
	waitpid(b->keeper, NULL, 0);
	b->keeper = 0;
}

/*
 * Pages that are just being asked for: many programs start an opener and end. The
 * requests are served meanwhile.
 */
static void let_openers_end(struct broker *b)
{
	const struct timeval moment = {.tv_usec = 10000};
	for (unsigned waited = 0; waited < OPENERS_MS; waited += 10) {
		struct tree t = tree_list(getpid());
		bool any = false;
		for (size_t i = 0; i < t.n && !any; i++)
			any = open_is_helper(b->rooms.open, t.pid[i]);
		tree_free(&t);
		if (!any || event_base_loopexit(b->base, &moment) < 0 || event_base_dispatch(b->base) != 0)
			return;
	}
}

/*
 * The program has ended: end what it left, say what there is to say.
 * @guard_gone: it has not, but nobody is left to see its end: kill all of it at once
 */
static void conclude(struct broker *b, bool guard_gone)
{
	/* killed together with the guard, the broker may not get further than this: then the keeper does it */
	if (guard_gone)
		tree_end(getpid(), 0);
	unsigned left = 0;
	/* mostly nothing is left, and the end of the keeper need not be waited for by whoever waits for the run */
	if (b->keeper <= 0 || !tree_only_child(b->keeper)) {
		end_keeper(b);
		if (!guard_gone && b->rooms.open)
			let_openers_end(b);
		left = tree_end(getpid(), guard_gone ? 0 : END_GRACE_MS);
	}
	unsigned kills = cgroup_destroy(b->cgroup);
	report_end(left, kills, &policy_settings(b->plan.policy)->limits);
	net_settle(b->rooms.net);
	if (b->rooms.explain && !b->o->no_diagnostics && !b->o->shell)
		explain_report(b->rooms.explain, b->o->argv, b->o->diagnostics_json);
}

/* Take everything down. Whoever waits for the run need not wait for this. */
static void clean_up(struct broker *b)
{
	end_keeper(b);
	place_remove(&b->place);
	rooms_stop(&b->rooms);
	watch_free(b->watch); /* who asks a person still looks at it */
	free(b->cgroup);
	free(b->cap_file);
	free(b->shim);
	if (b->base)
		event_base_free(b->base);
	pairs_free(&b->more_env);
	pairs_free(&b->secrets);
	pairs_free(&b->hook_env);
	start_plan_free(&b->plan);
}

/* Whoever reads what the program wrote sees its end now. */
static void release_streams(void)
{
	cleanup_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; null > STDERR_FILENO && fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
}

int broker_run(const struct session_options *o, const struct guard_link *link)
{
	struct broker b = {.o = o, .link = link, .place = {.lock = -1}, .listener = -1};
	cleanup_err struct err *e = NULL;
	int status = 0;
	if (start(&b, &e) < 0) {
		int code = start_failed(e);
		watch_stop(b.watch, NULL);
		if (b.program > 0) {
			kill(b.program, SIGKILL);
			tree_end(getpid(), 0);
		}
		cgroup_destroy(b.cgroup);
		if (b.hooked)
			scripts_after(&b.scripts, code);
		clean_up(&b);
		return code;
	}
	watch_run(b.watch);
	watch_stop(b.watch, &status);
	const bool guard_gone = status == -1;
	conclude(&b, guard_gone);
	int code = guard_gone ? 126 : WIFSIGNALED(status) ? STATUS_BY_SIGNAL(WTERMSIG(status)) : WEXITSTATUS(status);
	if (b.hooked)
		scripts_after(&b.scripts, code);
	say_log("session %s ended with status %d", b.place.id, code);
	release_streams();
	if (!guard_gone)
		sigqueue(link->guard, SIGNAL_DONE, (union sigval){.sival_int = code});
	clean_up(&b);
	return code;
}
