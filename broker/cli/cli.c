/* SPDX-License-Identifier: Apache-2.0 */
/* cli.c - the command table and the commands that start programs. */
#include "cli/options.h"

#include "approve/approve.h"
#include "explain/explain.h"
#include "hooks/hooks.h"
#include "open/entries.h"
#include "open/open.h"
#include "session/session.h"

#include <signal.h>

/* ---- run, shell, wrap -------------------------------------------------------------- */

static void hint(const struct run_flags *f, const char *program)
{
	static const char *const agents[][2] = {
		{"claude", "claude-code"}, {"codex", "codex"}, {"opencode", "opencode"}, {"gemini", "gemini"}};
	for (size_t i = 0; !f->profile && !f->config && i < ARRAY_SIZE(agents); i++)
		if (strcmp(path_base(program), agents[i][0]) == 0)
			say("hint: there is a profile for this: nono run --profile %s -- %s", agents[i][1], program);
}

/* The profile's arguments, with variables expanded. */
static void add_command_args(struct strv *out, const struct run_flags *f, const struct profile *p)
{
	struct expansion x = {0};
	cleanup_err struct err *e = NULL;
	/* without a directory or home the start fails a moment later, and says why */
	bool known = expansion_init(&x, f->workdir, &e) == 0;
	for (size_t i = 0; known && i < p->command_args.n; i++)
		strv_take(out, profile_expand_text(&x, p->command_args.v[i].value));
	expansion_free(&x);
}

/* argv of the program: what was given, or the profile's binary; and the profile's arguments. */
static struct strv program_argv(const struct run_flags *f, const struct profile *p, int argc, char **argv)
{
	struct strv out = {0};
	for (int i = f->command_start; i < argc; i++)
		strv_add(&out, argv[i]);
	if (p->binary && p->file) {
		if (out.n)
			say("warning: the profile names its program (%s); the one on the command line is not used",
				p->binary);
		strv_free(&out);
		strv_add(&out, p->binary);
	} else if (p->binary) {
		say("warning: \"binary\" is honoured in your own profiles only");
	}
	if (p->packs.n && out.n)
		say("warning: packs are not supported; the profile asks for %s", p->packs.v[0].value);
	cleanup_strv struct strv idle = {0};
	profile_not_acted_on(p, &idle);
	for (size_t i = 0; i < idle.n; i++)
		say("warning: %s", idle.v[i]);
	if (out.n && !p->packs.n && p->command_args.n)
		add_command_args(&out, f, p);
	return out;
}

static int start(const char *command, int argc, char **argv)
{
	struct run_flags f;
	int rc = run_flags_parse(command, argc, argv, &f);
	if (rc)
		return rc - 1;
	cleanup_err struct err *e = NULL;
	cleanup_profile struct profile *p = run_flags_profile(&f, &e);
	if (!p) {
		say_error("%s", err_msg(e));
		run_flags_free(&f);
		return 1;
	}
	cleanup_strv struct strv words = program_argv(&f, p, argc, argv);
	bool shell = strcmp(command, "shell") == 0;
	if (shell && words.n == 0)
		strv_add(&words, f.shell ? f.shell : getenv("SHELL") ? getenv("SHELL") : "/bin/sh");
	if (words.n == 0 && !f.dry_run) {
		say_error("%s needs a program: nono %s [options] -- PROGRAM [arguments]", command, command);
		rc = 2;
	} else {
		if (words.n)
			hint(&f, words.v[0]);
		static char *none[] = {NULL};
		struct session_options o = {.profile = p,
			.profile_ref = f.profile,
			.manifest = f.config,
			.argv = words.n ? words.v : none,
			.name = f.name,
			.approver = f.approver,
			.approver_timeout = f.approver_timeout,
			.allow_cwd = f.allow_cwd,
			.allow_gpu = f.allow_gpu,
			.dry_run = f.dry_run,
			.no_diagnostics = f.no_diagnostics || shell,
			.diagnostics_json = f.diagnostics_json,
			.workdir = f.workdir,
			.shell = shell};
		rc = strcmp(command, "wrap") == 0 ? session_wrap(&o) : session_run(&o);
	}
	run_flags_free(&f);
	return rc;
}

static int start_command(int argc, char **argv)
{
	return start(argv[0], argc, argv);
}

static int setup_command(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--check-only") == 0)
		return doctor_command(1, argv);
	say_error("usage: nono setup --check-only (the same as nono doctor)");
	return 2;
}

static int version_command(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	puts("nono " NONO_VERSION);
	return 0;
}

/* ---- the table --------------------------------------------------------------------- */

static const char *const profile_subcommands[] = {
	"list", "show", "validate", "diff", "groups", "init", "schema", "guide", "promote", NULL};
static const char *const hooks_subcommands[] = {"install", "status", "remove", "context", NULL};
static const char *const shells[] = {"bash", "zsh", "fish", NULL};

const struct command command_rows[] = {
	{"run", "[OPTIONS] -- PROGRAM [ARGUMENTS]", "run a program in the sandbox", start_command, NULL, false},
	{"shell", "[OPTIONS]", "start a shell in the sandbox", start_command, NULL, false},
	{"wrap", "[OPTIONS] -- PROGRAM [ARGUMENTS]", "become the program: kernel only, nobody answers questions",
		start_command, NULL, false},
	{"why", "[ID | --path P [--op OP] | --host H [--port N] | --self] [--json]",
		"why something was refused, or would be", why_command, NULL, false},
	{"approve", "[--next] [--answer WORD] [SESSION]", "answer questions of a session in this terminal",
		approve_command, NULL, false},
	{"grants", "[--revoke ID] [SESSION]", "what was allowed during a session", grants_command, NULL, false},
	{"profile", "list|show|validate|diff|groups|init|schema|guide|promote", "look at profiles and make your own",
		profile_command, profile_subcommands, false},
	{"hooks", "install|status|remove|context", "what nono puts into agents", hooks_command, hooks_subcommands,
		false},
	{"doctor", "[--json]", "what this machine can enforce, and what is missing", doctor_command, NULL, false},
	{"setup", "--check-only", "the same as doctor", setup_command, NULL, false},
	{"completion", "bash|zsh|fish", "completions for your shell", completion_command, shells, false},
	{"version", "", "print the version", version_command, NULL, true},
	{"help", "[COMMAND]", "this text, or that of a command", help_command, NULL, false},
	{"open-url-helper", "URL", "inside the sandbox: ask the broker to open a page", open_helper_main, NULL, true},
};
const size_t n_command_rows = ARRAY_SIZE(command_rows);

int unknown_command(const char *name)
{
	const char *names[ARRAY_SIZE(command_rows)];
	if (absent_command(name))
		return 2;
	for (size_t i = 0; i < n_command_rows; i++)
		names[i] = command_rows[i].name;
	const char *near = str_nearest(name, names, n_command_rows);
	cleanup_free char *shown = str_sanitize(name);
	if (near)
		say_error("no such command: %s; did you mean %s?", shown, near);
	else
		say_error(
			"no such command: %s; `nono help` lists them (to run a program: nono run -- %s)", shown, shown);
	return 2;
}

/* -s, -v and --log-file may stand before the command as well. Return: how many arguments they take, -STATUS on error.
 */
static int global_flags(int argc, char **argv)
{
	static const char log[] = "--log-file";
	int n = 0;
	for (; n + 1 < argc; n++) {
		const char *arg = argv[n + 1];
		if (strcmp(arg, "-s") == 0 || strcmp(arg, "--silent") == 0) {
			say_level = SAY_SILENT;
		} else if (arg[0] == '-' && arg[1] == 'v' && strspn(arg + 1, "v") == strlen(arg + 1)) {
			say_level = SAY_NORMAL + (int)strlen(arg + 1) < SAY_TRACE ? SAY_NORMAL + (int)strlen(arg + 1)
										  : SAY_TRACE;
		} else if (strcmp(arg, "--verbose") == 0) {
			say_level = SAY_INFO;
		} else if (strcmp(arg, log) == 0 || str_starts(arg, "--log-file=")) {
			const char *path = arg[sizeof(log) - 1] ? arg + sizeof(log) : n + 2 < argc ? argv[++n + 1] : "";
			if (!*path) {
				say_error("%s needs a value: FILE", log);
				return -2;
			}
			if (!log_to(path))
				return -1;
		} else {
			int i = n + 1;
			const int absent = absent_flag(argc, argv, &i);
			if (absent < 0)
				return -2;
			if (absent == 0)
				break;
			n = i - 1;
		}
	}
	return n;
}

/* NONO_LOG_FILE for commands that the option table is not for. Inside a sandbox it is meant for whoever runs outside.
 */
static bool log_by_variable(const char *command)
{
	cleanup_free char *open = say_log_path();
	const char *path = getenv("NONO_LOG_FILE");
	return !path || !*path || command_mask(command) || open || getenv("NONO_CAP_FILE") || log_to(path);
}

int cli_main(int argc, char **argv)
{
	if (argc > 0 && entries_called(argv[0]))
		return open_helper_main(argc, argv);
	const int skip = global_flags(argc, argv);
	if (skip < 0)
		return -skip;
	argc -= skip;
	argv += skip;
	if (argc < 2) {
		help_for("", stderr);
		return 2;
	}
	const char *name = argv[1];
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
		name = "version";
	else if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		name = "help";
	for (size_t i = 0; i < n_command_rows; i++) {
		if (strcmp(command_rows[i].name, name) != 0)
			continue;
		if (!log_by_variable(name))
			return 1;
		if (argc > 2 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0)) {
			help_for(name, stdout);
			return 0;
		}
		return command_rows[i].run(argc - 1, argv + 1);
	}
	return unknown_command(name);
}
