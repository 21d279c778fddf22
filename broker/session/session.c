/* SPDX-License-Identifier: Apache-2.0 */
/* session.c - what the command line calls: run, dry run, wrap. */
#include "secrets/secrets.h"
#include "session/internal.h"
#include "sandbox/sandbox.h"

#include <errno.h>

static int failed(struct err *e)
{
	say_error("%s", err_msg(e));
	return e && (e->code == 126 || e->code == 127) ? e->code : 1;
}

static int dry_run(const struct session_options *o)
{
	cleanup_err struct err *e = NULL;
	struct start_plan plan;
	int status = 0;
	if (startup_plan(o, NULL, NULL, &plan, &e) < 0)
		status = failed(e);
	else
		startup_print(o, &plan, true);
	start_plan_free(&plan);
	return status;
}

int session_run(const struct session_options *o)
{
	if (o->dry_run)
		return dry_run(o);
	struct guard_link link;
	int status = guard_fork(&link);
	if (status < 0)
		status = broker_run(o, &link);
	/* Both end here: the caller would free what the two processes still share, and so copy it. */
	fflush(NULL);
	_exit(status);
}

int session_wrap(const struct session_options *o)
{
	cleanup_err struct err *e = NULL;
	struct start_plan plan;
	if (startup_plan(o, NULL, NULL, &plan, &e) < 0) {
		int status = failed(e);
		start_plan_free(&plan);
		return status;
	}
	const struct policy_settings *set = policy_settings(plan.policy);
	const struct limits *l = &set->limits;
	if (l->memory_bytes || l->pids || l->cpu_percent) {
		say_error("wrap leaves no process behind that could hold resource limits: use run");
		start_plan_free(&plan);
		return 1;
	}
	if (scripts_wanted(o->profile)) {
		say_error("wrap leaves no process behind that could run session_hooks: use run");
		start_plan_free(&plan);
		return 1;
	}
	struct pairs secrets = {0};
	if (secrets_load_all(&o->profile->env_credentials, &secrets, &e) < 0) {
		int status = failed(e);
		start_plan_free(&plan);
		return status;
	}
	const struct environment_extra x = {.secrets = &secrets, .workdir = plan.workdir};
	cleanup_strv struct strv env = environment_build(plan.policy, &x);
	secrets_wipe(&secrets);
	const struct launch in_place = {
		.policy = plan.policy,
		.argv = o->argv,
		.program = plan.program,
		.envp = env.v,
		.workdir = set->workdir,
		.ruleset = -1,
	};
	startup_print(o, &plan, false);
	launch_in_place(&in_place, &e);
	int status = failed(e);
	start_plan_free(&plan);
	return status;
}
