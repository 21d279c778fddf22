/* SPDX-License-Identifier: Apache-2.0 */
/*
 * absent.c - flags and commands that others of the same name have, and this program has not.
 *
 * Who brings a command line along reads what to do instead of "unknown option". A flag
 * that asks for what is so anyway is taken without effect.
 */
#include "cli/options.h"

struct absent {
	const char *name;     /* without dashes */
	bool value;           /* it takes one */
	const char *harmless; /* values ('|' separated) that ask for what is so anyway; "*": all of them */
	const char *text;     /* what to do, or why it needs nothing */
};

#define NO_AUDIT "there is no audit log; refusals are recorded by themselves (nono why --list), --log-file writes a log"
#define NO_ROLLBACK "there are no snapshots; work in a git worktree, or give the directory with --read"
#define NO_DETACH "sessions stay in their terminal; start nono inside tmux to leave one running"
#define OWN_CA "path rules use an authority made for the session, trusted by its programs alone"

static const struct absent flags[] = {
	{"theme", true, "*", "colours are the terminal's; NO_COLOR=1 turns them off"},
	{"detached", false, NULL, NO_DETACH},
	{"detach-timeout", true, NULL, NO_DETACH},
	{"startup-timeout", true, "0",
		"nothing waits for a screen here; to bound a run use timeout(1): timeout 60 nono run ..."},
	{"rollback", false, NULL, NO_ROLLBACK},
	{"no-rollback", false, "*", "there are no snapshots"},
	{"no-rollback-prompt", false, "*", "there are no snapshots"},
	{"rollback-exclude", true, NULL, NO_ROLLBACK},
	{"rollback-include", true, NULL, NO_ROLLBACK},
	{"rollback-all", false, NULL, NO_ROLLBACK},
	{"rollback-dest", true, NULL, NO_ROLLBACK},
	{"skip-dir", true, "*", "no directory is walked through at the start"},
	{"no-audit", false, "*", "there is no audit log"},
	{"no-audit-integrity", false, "*", "there is no audit log"},
	{"audit-integrity", false, NULL, NO_AUDIT},
	{"audit-sign-key", true, NULL, NO_AUDIT},
	{"trust-override", false, "*", "instruction files are not verified"},
	{"allow-endpoint", true, NULL, "name the path in the host's rule: --allow-domain https://HOST/PATH"},
	{"proxy-port", true, NULL, "the proxy needs no port of its own choice: HTTP_PROXY inside names it"},
	{"proxy-ca-validity", true, NULL, OWN_CA},
	{"trust-proxy-ca", false, NULL, OWN_CA},
	{"allow-http2", false, "*", "path rules speak HTTP/2 where both ends do"},
	{"sandbox-policy", true, "auto|landlock", "Landlock always judges; nothing else takes its place"},
	{"command", true, NULL, "ask about the program's file: nono why --path FILE --op execute"},
	{"caller", true, NULL, "ask about the program's file: nono why --path FILE --op execute"},
	{"scope", true, NULL,
		"nono doctor tells which scopes the kernel has; the profile sets security.signal_mode and ipc_mode"},
};

static const struct absent commands[] = {
	{"learn", false, NULL,
		"run the program and answer \"always\"; or nono run --on-request deny, whose report names the flags"},
	{"ps", false, NULL, "nono approve --list shows open questions, nono grants what sessions were given"},
	{"stop", false, NULL, "end nono itself (Ctrl-C, kill): everything it started ends with it"},
	{"attach", false, NULL, NO_DETACH},
	{"resume", false, NULL, NO_DETACH},
	{"detach", false, NULL, NO_DETACH},
	{"pause", false, NULL, NO_DETACH},
	{"logs", false, NULL, "nono run --log-file FILE writes a log; nono why --list shows refusals"},
	{"inspect", false, NULL, "nono why --list and nono grants tell of a session"},
	{"prune", false, NULL, "nothing has to be cleaned up: what ended sessions leave is removed by itself"},
	{"session", false, NULL, "nothing has to be cleaned up: what ended sessions leave is removed by itself"},
	{"audit", false, NULL, NO_AUDIT},
	{"rollback", false, NULL, NO_ROLLBACK},
	{"undo", false, NULL, NO_ROLLBACK},
	{"trust", false, NULL, "instruction files are not signed or verified"},
	{"policy", false, NULL, "it is nono profile now: list, show, diff, groups, validate"},
	{"pull", false, NULL, "there are no packs; profiles are files: nono profile init, nono profile guide"},
	{"remove", false, NULL, "there are no packs; remove the file of the profile"},
	{"update", false, NULL, "nono is updated as it was installed"},
	{"search", false, NULL, "there are no packs; nono profile list shows the profiles"},
	{"list", false, NULL, "nono profile list shows the profiles"},
	{"pin", false, NULL, "there are no packs"},
	{"unpin", false, NULL, "there are no packs"},
	{"outdated", false, NULL, "there are no packs"},
};

static const struct absent *find(const struct absent *rows, size_t n, const char *name, size_t length)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(rows[i].name) == length && memcmp(rows[i].name, name, length) == 0)
			return &rows[i];
	return NULL;
}

static bool harmless(const struct absent *a, const char *value)
{
	const size_t n = strlen(value);
	for (const char *p = a->harmless; p && *p; p += strcspn(p, "|") + (p[strcspn(p, "|")] == '|'))
		if (strcmp(a->harmless, "*") == 0 || (strcspn(p, "|") == n && strncmp(p, value, n) == 0))
			return true;
	return false;
}

int absent_flag(int argc, char **argv, int *i)
{
	const char *arg = argv[*i];
	const size_t n = str_starts(arg, "--") ? strcspn(arg + 2, "=") : 0;
	const struct absent *a = find(flags, ARRAY_SIZE(flags), arg + 2, n);
	if (!n || !a)
		return 0;
	const bool own = arg[2 + n] == '=', next = a->value && !own && *i + 1 < argc;
	const char *value = own ? arg + 3 + n : next ? argv[*i + 1] : "";
	if (!harmless(a, value)) {
		say_error("--%s is not supported: %s", a->name, a->text);
		return -1;
	}
	*i += next;
	say_info("--%s has no effect: %s", a->name, a->text);
	return 1;
}

bool absent_command(const char *name)
{
	const struct absent *a = find(commands, ARRAY_SIZE(commands), name, strlen(name));
	if (a)
		say_error("there is no nono %s: %s", name, a->text);
	return a != NULL;
}
