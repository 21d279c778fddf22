/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flags.c - parsing the flags of run, shell, wrap and why by the option table.
 *
 * Flags and their environment variables fill an overlay profile, which is merged
 * last, and struct run_flags. A flag wins over its variable. Usage errors end
 * with status 2, everything else with 1.
 */
#include "cli/options.h"
#include "secrets/secrets.h"

#include <errno.h>

#define USAGE_ERROR 3 /* exit status 2, plus one */
#define FAILURE 2     /* exit status 1, plus one */
#define HELP_GIVEN 1  /* exit status 0, plus one */

struct parsing {
	struct run_flags *f;
	const char *command;
	unsigned mask;
	uint64_t seen;      /* options that were given, by row */
	uint64_t variables; /* those of them that came as a variable */
};

static int usage(const struct parsing *x, const char *fmt, ...) PRINTF_LIKE(2, 3);
static int usage(const struct parsing *x, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	cleanup_free char *text = NULL;
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	say_error("%s", text);
	fprintf(stderr, "Try `nono help %s`.\n", x->command);
	return USAGE_ERROR;
}

static int unknown(const struct parsing *x, const char *arg)
{
	const char *names[64];
	size_t n = 0;
	cleanup_free char *bare = xstrndup(arg + strspn(arg, "-"), strcspn(arg + strspn(arg, "-"), "="));
	for (size_t i = 0; i < n_option_rows; i++)
		if (option_rows[i].commands & x->mask)
			names[n++] = option_rows[i].name;
	cleanup_free char *others = option_commands(bare);
	if (*others)
		return usage(x, "%s is no option of nono %s, but of %s", arg, x->command, others);
	const char *near = strlen(bare) > 1 ? str_nearest(bare, names, n) : NULL;
	if (near)
		return usage(x, "unknown option %s; did you mean --%s?", arg, near);
	return usage(x, "unknown option %s", arg);
}

/* The value of a variable that stands for a flag. Return: 0, 1, or -1 when it is neither yes nor no. */
static int boolean(const char *v)
{
	static const char *const words[] = {"0", "1", "no", "yes", "false", "true", "off", "on"};
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasecmp(v, words[i]) == 0)
			return (int)(i & 1);
	return -1;
}

static int set_domain(struct parsing *x, const struct origin *origin, const char *value)
{
	/* a URL with a path restricts to that path */
	const char *rest = str_starts(value, "https://") ? value + 8 : str_starts(value, "http://") ? value + 7 : NULL;
	const char *path = rest ? strchr(rest, '/') : NULL;
	cleanup_free char *host = rest ? xstrndup(rest, path ? (size_t)(path - rest) : strlen(rest)) : xstrdup(value);
	if (!*host)
		return usage(x, "--allow-domain needs a host: %s", value);
	struct item *it = items_add(&x->f->overlay->network.allow_domain, host, origin);
	if (path && path[1]) {
		it->endpoints = xcalloc(1, sizeof(*it->endpoints));
		it->endpoints[0] = (struct endpoint){xstrdup("*"), xstrdup(path)};
		it->n_endpoints = 1;
	}
	return 0;
}

bool log_to(const char *path)
{
	cleanup_err struct err *e = NULL;
	if (say_log_open(path, &e) < 0)
		say_error("%s", err_msg(e));
	return e == NULL;
}

static int set_special(struct parsing *x, const struct option_row *o, const struct origin *origin, const char *value)
{
	struct run_flags *f = x->f;
	cleanup_err struct err *e = NULL;
	switch (o->special) {
	case SPECIAL_EXTENDS:
		strv_add(&f->extends, value);
		return 0;
	case SPECIAL_ENV_CREDENTIAL:
		return env_credential_flag(value, &f->env_credentials, &e) < 0
			       ? usage(x, "--%s: %s", o->name, err_msg(e))
			       : 0;
	case SPECIAL_VERBOSE:
		say_level = say_level < SAY_TRACE ? say_level + 1 : SAY_TRACE;
		return 0;
	case SPECIAL_SILENT:
		say_level = SAY_SILENT;
		return 0;
	case SPECIAL_TIMEOUT: {
		char *end;
		unsigned long n = strtoul(value, &end, 10);
		if (!*value || *end || n == 0 || n > 86400)
			return usage(x, "--%s takes 1 to 86400 seconds, not %s", o->name, value);
		f->approver_timeout = (unsigned)n;
		return 0;
	}
	case SPECIAL_LOG_FILE:
		return log_to(value) ? 0 : FAILURE;
	case SPECIAL_NETWORK_PROFILE:
		f->overlay->network.profile_given = f->overlay->network.profile_flag = true;
		free(f->overlay->network.profile);
		f->overlay->network.profile = xstrdup(value);
		return 0;
	case SPECIAL_ALLOW_NET:
		f->overlay->network.allow_all = true;
		return 0;
	case SPECIAL_ALLOW_DOMAIN:
		return set_domain(x, origin, value);
	case SPECIAL_UNSUPPORTED:
		return usage(x, "--%s: %s; to put a secret into a variable use --env-credential", o->name, o->help);
	case SPECIAL_HELP:
		help_for(x->command, stdout);
		return HELP_GIVEN;
	default:
		return 0;
	}
}

static int set_port(struct parsing *x, const struct option_row *o, const struct origin *origin, const char *value)
{
	char *end;
	unsigned long port = strtoul(value, &end, 10);
	if (!*value || *end || value[0] == '-' || port == 0 || port > 65535)
		return usage(x, "--%s takes a port from 1 to 65535, not %s", o->name, value);
	cleanup_free char *text = xasprintf("%lu", port);
	items_add((struct items *)((char *)x->f->overlay + o->offset), text, origin);
	return 0;
}

static int set_choice(struct parsing *x, const struct option_row *o, const char *value)
{
	size_t n = 0;
	for (; o->choices[n]; n++)
		if (strcmp(o->choices[n], value) == 0) {
			*(int *)((char *)x->f->overlay + o->offset) = o->first + (int)n;
			return 0;
		}
	const char *near = str_nearest(value, o->choices, n);
	return usage(x, "--%s takes %s, %s or %s, not %s%s%s%s", o->name, o->choices[0], o->choices[1], o->choices[2],
		value, near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static int apply(struct parsing *x, const struct option_row *o, const char *spelled, const char *value)
{
	cleanup_free char *label = xstrdup(spelled);
	struct origin origin = {.source = SOURCE_USER, .label = label};
	char *profile = (char *)x->f->overlay, *flags = (char *)x->f;
	if (o->arg && !*value)
		return usage(x, "%s needs a value: %s", spelled, o->arg);
	switch (o->kind) {
	case OPTION_ITEM:
		items_add((struct items *)(profile + o->offset), value, &origin);
		return 0;
	case OPTION_PORT:
		return set_port(x, o, &origin, value);
	case OPTION_TRI:
		*(int *)(profile + o->offset) = TRI_TRUE;
		return 0;
	case OPTION_CHOICE:
		return set_choice(x, o, value);
	case OPTION_TEXT:
	case OPTION_STRING: {
		char **slot = (char **)((o->kind == OPTION_TEXT ? profile : flags) + o->offset);
		free(*slot);
		*slot = xstrdup(value);
		return 0;
	}
	case OPTION_FLAG:
		*(bool *)(flags + o->offset) = true;
		return 0;
	case OPTION_SPECIAL:
		break;
	}
	return set_special(x, o, &origin, value);
}

/* ---- the environment ------------------------------------------------------------- */

static const char *variable_of(const struct option_row *o, char *name, size_t size)
{
	const char *v = getenv(o->env);
	(void)snprintf(name, size, "%s", o->env);
	for (const char *p = o->env_old; !v && p && *p;) {
		size_t n = strcspn(p, "|");
		(void)snprintf(name, size, "%.*s", (int)n, p);
		v = getenv(name);
		p += n + (p[n] == '|');
	}
	return v;
}

static int apply_variable(struct parsing *x, const struct option_row *o, const char *name, const char *v)
{
	if (!o->arg) {
		int on = boolean(v);
		if (on < 0)
			return usage(x, "%s takes true or false, not %s", name, v);
		if (on == 0)
			return 0;
	}
	const uint64_t bit = UINT64_C(1) << (o - option_rows);
	x->seen |= bit;
	x->variables |= bit;
	if (!o->arg)
		return apply(x, o, name, "");
	bool list = o->kind == OPTION_ITEM || o->special == SPECIAL_ALLOW_DOMAIN;
	cleanup_free char *copy = xstrdup(v);
	char *save = NULL;
	int rc = 0;
	for (char *part = list ? strtok_r(copy, ",", &save) : copy; part && rc == 0;
		part = list ? strtok_r(NULL, ",", &save) : NULL)
		rc = apply(x, o, name, part);
	return rc;
}

static int apply_environment(struct parsing *x)
{
	int rc = 0;
	for (size_t i = 0; i < n_option_rows && rc == 0; i++) {
		const struct option_row *o = &option_rows[i];
		char name[64];
		if (!o->env || !(o->commands & x->mask) || (x->seen & UINT64_C(1) << i))
			continue;
		cleanup_free char *log = o->special == SPECIAL_LOG_FILE ? say_log_path() : NULL;
		if (log)
			continue; /* given before the command */
		const char *v = variable_of(o, name, sizeof(name));
		if (v && *v)
			rc = apply_variable(x, o, name, v);
	}
	return rc;
}

/* ---- the command line -------------------------------------------------------------- */

static int parse_long(struct parsing *x, int argc, char **argv, int *i)
{
	const char *arg = argv[*i] + 2;
	size_t n = strcspn(arg, "=");
	bool deprecated = false;
	const struct option_row *o = option_find(arg, n, x->mask, &deprecated);
	if (!o) {
		const int absent = absent_flag(argc, argv, i);
		return absent > 0 ? 0 : absent < 0 ? USAGE_ERROR : unknown(x, argv[*i]);
	}
	if (deprecated)
		say("warning: --%.*s is deprecated, use --%s", (int)n, arg, o->name);
	x->seen |= UINT64_C(1) << (o - option_rows);
	cleanup_free char *spelled = xasprintf("--%s", o->name);
	const char *value = arg[n] == '=' ? arg + n + 1 : "";
	if (!o->arg && arg[n] == '=')
		return usage(x, "%s takes no value", spelled);
	if (o->special == SPECIAL_ENV_CREDENTIAL_MAP) {
		if (*i + 2 >= argc)
			return usage(x, "%s needs two values: REF VAR", spelled);
		cleanup_err struct err *e = NULL;
		*i += 2;
		if (secret_ref_check(argv[*i - 1], &e) < 0)
			return usage(x, "%s: %s", spelled, err_msg(e));
		struct origin origin = {.source = SOURCE_USER, .label = spelled};
		pairs_set(&x->f->env_credentials, argv[*i - 1], argv[*i], &origin);
		return 0;
	}
	if (o->arg && arg[n] != '=') {
		if (*i + 1 >= argc || strcmp(argv[*i + 1], "--") == 0)
			return usage(x, "%s needs a value: %s", spelled, o->arg);
		value = argv[++*i];
	}
	return apply(x, o, spelled, value);
}

static int parse_letters(struct parsing *x, int argc, char **argv, int *i)
{
	for (const char *c = argv[*i] + 1; *c; c++) {
		const struct option_row *o = option_letter(*c, x->mask);
		char spelled[3] = {'-', *c, '\0'};
		if (!o)
			return unknown(x, spelled);
		x->seen |= UINT64_C(1) << (o - option_rows);
		const char *value = "";
		if (o->arg && c[1]) {
			value = c + 1;
		} else if (o->arg) {
			if (*i + 1 >= argc)
				return usage(x, "%s needs a value: %s", spelled, o->arg);
			value = argv[++*i];
		}
		cleanup_free char *label = xasprintf("--%s", o->name);
		int rc = apply(x, o, label, value);
		if (rc || o->arg)
			return rc;
	}
	return 0;
}

/* How the option was given: "--block-net", or "NONO_BLOCK_NET". New string. */
static char *given_as(const struct parsing *x, const struct option_row *o)
{
	char name[64];
	if (x->variables & UINT64_C(1) << (o - option_rows)) {
		variable_of(o, name, sizeof(name));
		return xstrdup(name);
	}
	return xasprintf("--%s", o->name);
}

static int check_conflicts(const struct parsing *x)
{
	for (size_t i = 0; i < n_option_rows; i++) {
		if (!(x->seen & UINT64_C(1) << i))
			continue;
		for (size_t j = 0; j < n_option_rows; j++) {
			if (!(x->seen & UINT64_C(1) << j) || !option_conflict(&option_rows[i], &option_rows[j]))
				continue;
			cleanup_free char *one = given_as(x, &option_rows[i]);
			cleanup_free char *other = given_as(x, &option_rows[j]);
			return usage(x, "%s and %s exclude each other", one, other);
		}
	}
	if (x->f->extends.n && !x->f->profile)
		return usage(x, "--extends needs --profile");
	if (x->f->name && !option_session_name(x->f->name))
		return usage(
			x, "--name takes up to 64 letters, digits, dots, dashes and underscores, not %s", x->f->name);
	return 0;
}

int run_flags_parse(const char *command, int argc, char **argv, struct run_flags *out)
{
	*out = (struct run_flags){.overlay = profile_new(), .approver_timeout = 60, .command_start = argc};
	struct parsing x = {.f = out, .command = command, .mask = command_mask(command)};
	int i = 1, rc = 0;
	for (; i < argc && rc == 0; i++) {
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		if (argv[i][0] != '-' || !argv[i][1])
			break; /* the program, without "--" before it */
		rc = argv[i][1] == '-' ? parse_long(&x, argc, argv, &i) : parse_letters(&x, argc, argv, &i);
	}
	out->command_start = i;
	if (rc == 0)
		rc = apply_environment(&x);
	if (rc == 0)
		rc = check_conflicts(&x);
	if (rc == 0 && out->allow_launch_services)
		rc = usage(&x, "--allow-launch-services is for macOS; on Linux logins open the browser without it");
	if (rc)
		run_flags_free(out);
	return rc;
}

void run_flags_free(struct run_flags *f)
{
	profile_free(f->overlay);
	free(f->profile);
	free(f->workdir);
	free(f->config);
	free(f->name);
	free(f->approver);
	free(f->shell);
	strv_free(&f->extends);
	pairs_free(&f->env_credentials);
	*f = (struct run_flags){0};
}

/* --allow-net lifts what restricts the network; Unix sockets and metadata addresses stay as they are. */
static void lift_network(struct profile *p)
{
	p->network.block = TRI_FALSE;
	free(p->network.profile);
	p->network.profile = NULL;
	items_free(&p->network.allow_domain);
	items_free(&p->network.credentials);
	items_free(&p->network.connect_port);
	free(p->network.upstream_proxy);
	p->network.upstream_proxy = NULL;
}

struct profile *run_flags_profile(const struct run_flags *f, struct err **e)
{
	if (f->config && manifest_load(f->config, f->overlay, e) < 0)
		return NULL;
	cleanup_profile struct profile *base = f->config    ? manifest_base()
					       : f->profile ? profile_load(f->profile, &f->extends, e)
							    : profile_default(e);
	if (!base)
		return NULL;
	struct profile *p = profile_merge(base, f->overlay);
	/* the flags have no name: the profile keeps its own */
	p->meta.name = steal_ptr(&base->meta.name);
	p->meta.version = steal_ptr(&base->meta.version);
	p->meta.description = steal_ptr(&base->meta.description);
	p->meta.author = steal_ptr(&base->meta.author);
	if (f->overlay->network.allow_all)
		lift_network(p);
	for (size_t i = 0; i < f->env_credentials.n; i++)
		pairs_set(&p->env_credentials, f->env_credentials.v[i].key, f->env_credentials.v[i].value,
			&f->env_credentials.v[i].origin);
	if (p->network.upstream_bypass.n && !p->network.upstream_proxy) {
		err_set(e, 0, "upstream_bypass without upstream_proxy: there is no parent proxy to go around");
		profile_free(p);
		return NULL;
	}
	if (p->command_policies) {
		err_set(e, 0,
			"the profile uses command_policies, which this program does not enforce; remove the key to run "
			"without them");
		profile_free(p);
		return NULL;
	}
	return p;
}
