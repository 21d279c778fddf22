/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.c - the broker: brings up the rooms a session needs, starts the program,
 * waits for its end and takes everything down again, in the opposite order.
 */
#include "session/rooms.h"

#include "hooks/hooks.h"
#include "sandbox/privileges.h"
#include "sandbox/sandbox.h"
#include "secrets/secrets.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
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
	struct rooms rooms;
	struct pairs secrets, more_env;
	char *cgroup, *cap_file, *shim;
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

/*
 * Where the shim can be loaded from inside: its own place when the kernel grants
 * that, else a copy in the session's directory. NULL when there is none.
 */
static char *find_shim(const struct broker *b)
{
	static const char *const places[] = {"../lib/libnono-shim.so", "../lib/nono/libnono-shim.so"};
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	exe[n < 0 ? 0 : n] = '\0';
	cleanup_free char *dir = path_dir(exe);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		cleanup_free char *path = path_join(dir, places[i]);
		cleanup_free char *real = realpath(path, NULL);
		if (!real)
			continue;
		if (policy_check_path(b->plan.policy, OP_EXECUTE, real).kernel)
			return steal_ptr(&real);
		cleanup_free char *copy = path_join(b->place.run, "libnono-shim.so");
		if (copy_file(real, copy, 0500) == 0)
			return steal_ptr(&copy);
	}
	return NULL;
}

static struct strv environment_of(struct broker *b)
{
	struct environment_extra x = {
		.secrets = &b->secrets,
		.cap_file = b->cap_file,
		.tmpdir = b->place.tmp,
		.shim = b->shim,
		.more = &b->more_env,
	};
	if (HAVE_OPEN && b->rooms.open) {
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
	if (HAVE_NET && b->rooms.net)
		net_environment(b->rooms.net, &b->more_env);
	pairs_set(&b->more_env, "NONO_SOCKET", b->rooms.tree_socket, &origin);
	if (b->supervised)
		b->shim = find_shim(b);
	return 0;
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

/* Everything before the program: nothing of it may be missing when it starts. */
static int prepare(struct broker *b, struct err **e)
{
	if (place_create(&b->place, e) < 0 || startup_plan(b->o, &b->place, &b->plan, e) < 0)
		return -1;
	const struct policy_settings *set = policy_settings(b->plan.policy);
	b->supervised = rooms_possible(b->plan.policy);
	if (HAVE_SECRETS && secrets_load_all(&b->o->profile->env_credentials, &b->secrets, e) < 0)
		return -1;
	if (HAVE_HOOKS)
		hooks_install(b->o->profile);
	if (cgroup_create(&set->limits, b->place.id, &b->cgroup, e) < 0)
		return -1;
	b->base = event_base_new();
	if (!b->base)
		return err_set(e, ENOMEM, "cannot make an event loop");
	if (rooms_start(&b->rooms, b->o, &b->place, b->plan.policy, b->base, &b->watch, e) < 0)
		return -1;
	return provide(b, e);
}

static int start(struct broker *b, struct err **e)
{
	if (prepare(b, e) < 0)
		return -1;
	startup_print(b->o, &b->plan, b->supervised);
	if (start_program(b, e) < 0)
		return -1;
	if (HAVE_SECRETS)
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

static void finish(struct broker *b)
{
	if (b->program > 0) {
		unsigned left = tree_end(getpid(), END_GRACE_MS);
		unsigned kills = cgroup_destroy(b->cgroup);
		report_end(left, kills, &policy_settings(b->plan.policy)->limits);
		if (b->rooms.explain && !b->o->no_diagnostics && !b->o->shell)
			explain_report(b->rooms.explain, b->o->argv, b->o->diagnostics_json);
	} else {
		cgroup_destroy(b->cgroup);
	}
	rooms_stop(&b->rooms);
	free(b->cgroup);
	free(b->cap_file);
	free(b->shim);
	if (b->base)
		event_base_free(b->base);
	pairs_free(&b->more_env);
	pairs_free(&b->secrets);
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
