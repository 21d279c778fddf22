/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - the option table. */
#include "cli/options.h"

#include <assert.h>

#define IN_PROFILE(member) offsetof(struct profile, member)
#define IN_FLAGS(member) offsetof(struct run_flags, member)

static const char *const supervision_choices[] = {"full", "shim", "off", NULL};
static const char *const request_choices[] = {"ask", "deny", "hold", NULL};

#define LIST(kind_, commands_, name_, arg_, member, help_)                                                             \
	.name = name_, .arg = arg_, .kind = kind_, .offset = IN_PROFILE(member), .commands = commands_, .help = help_
#define ITEM(...) LIST(OPTION_ITEM, FOR_START, __VA_ARGS__)
#define ITEM_ALL(...) LIST(OPTION_ITEM, FOR_ALL, __VA_ARGS__)
#define PORT(...) LIST(OPTION_PORT, FOR_ALL, __VA_ARGS__)
#define FILES .section = "Files"
#define SOCKETS .section = "Unix sockets"
#define NETWORK .section = "Network"
#define ASKING .section = "Asking and explaining"
#define PROFILES .section = "Profile"
#define MISC .section = "Other"

const struct option_row option_rows[] = {
	{PROFILES, .name = "profile", .letter = 'p', .arg = "PROFILE", .env = "NONO_PROFILE", .kind = OPTION_STRING,
		.offset = IN_FLAGS(profile), .commands = FOR_ALL, .help = "a profile by name, or a file by path"},
	{PROFILES, .name = "extends", .arg = "PROFILE", .kind = OPTION_SPECIAL, .special = SPECIAL_EXTENDS,
		.commands = FOR_ALL, .help = "build the profile on this one too (repeatable; needs --profile)"},
	{PROFILES, .name = "config", .letter = 'c', .arg = "FILE", .kind = OPTION_STRING, .offset = IN_FLAGS(config),
		.commands = FOR_START, .conflicts = "*", .help = "a capability manifest instead of a profile"},
	{FILES, ITEM_ALL("allow", "DIR", fs.allow, "read and write a directory"), .letter = 'a', .env = "NONO_ALLOW"},
	{FILES, ITEM_ALL("read", "DIR", fs.read, "read a directory"), .letter = 'r'},
	{FILES, ITEM_ALL("write", "DIR", fs.write, "write a directory"), .letter = 'w'},
	{FILES, ITEM_ALL("allow-file", "FILE", fs.allow_file, "read and write one file")},
	{FILES, ITEM_ALL("read-file", "FILE", fs.read_file, "read one file")},
	{FILES, ITEM_ALL("write-file", "FILE", fs.write_file, "write one file")},
	{FILES,
		ITEM_ALL(
			"bypass-protection", "PATH", fs.bypass_protection, "let a grant open what a deny group closes"),
		.deprecated = "override-deny"},
	{FILES,
		ITEM("suppress-save-prompt", "PATH", fs.suppress_save_prompt,
			"refuse this path without a question or a line in the report"),
		.aliases = "ignore-denied"},
	{FILES, .name = "allow-cwd", .kind = OPTION_FLAG, .offset = IN_FLAGS(allow_cwd), .commands = FOR_START,
		.help = "share the working directory as the profile says, without asking"},
	{FILES, .name = "workdir", .arg = "DIR", .kind = OPTION_STRING, .offset = IN_FLAGS(workdir),
		.commands = FOR_ALL, .help = "the working directory ($WORKDIR); where the program starts"},
	{SOCKETS, ITEM_ALL("allow-unix-socket", "PATH", fs.unix_socket, "connect to one socket")},
	{SOCKETS, ITEM_ALL("allow-unix-socket-bind", "PATH", fs.unix_socket_bind, "connect to or make one socket")},
	{SOCKETS,
		ITEM_ALL("allow-unix-socket-dir", "DIR", fs.unix_socket_dir, "connect to the sockets of a directory")},
	{SOCKETS,
		ITEM_ALL("allow-unix-socket-dir-bind", "DIR", fs.unix_socket_dir_bind, "make sockets in a directory")},
	{SOCKETS, ITEM_ALL("allow-unix-socket-subtree", "DIR", fs.unix_socket_subtree,
			  "connect to the sockets of a tree")},
	{SOCKETS, ITEM_ALL("allow-unix-socket-subtree-bind", "DIR", fs.unix_socket_subtree_bind,
			  "make sockets in a tree")},
	{NETWORK, .name = "block-net", .deprecated = "net-block", .env = "NONO_BLOCK_NET", .env_old = "NONO_NET_BLOCK",
		.kind = OPTION_TRI, .offset = IN_PROFILE(network.block), .commands = FOR_ALL,
		.conflicts = "allow-net|allow-domain|network-profile|upstream-proxy", .help = "no network"},
	{NETWORK, .name = "allow-net", .deprecated = "net-allow", .env = "NONO_ALLOW_NET", .env_old = "NONO_NET_ALLOW",
		.kind = OPTION_SPECIAL, .special = SPECIAL_ALLOW_NET, .commands = FOR_ALL,
		.conflicts = "allow-domain|network-profile|upstream-proxy|upstream-bypass",
		.help = "lift every network rule of the profile"},
	{NETWORK, .name = "allow-domain", .deprecated = "allow-proxy|proxy-allow", .arg = "HOST",
		.env = "NONO_ALLOW_DOMAIN", .env_old = "NONO_ALLOW_PROXY|NONO_PROXY_ALLOW", .kind = OPTION_SPECIAL,
		.special = SPECIAL_ALLOW_DOMAIN, .commands = FOR_ALL,
		.help = "reach a host: name, *.suffix, host:port, address, CIDR, host group or URL with a path"},
	{NETWORK, .name = "network-profile", .arg = "NAME", .env = "NONO_NETWORK_PROFILE", .kind = OPTION_SPECIAL,
		.special = SPECIAL_NETWORK_PROFILE, .commands = FOR_ALL, .help = "reach the hosts of a named list"},
	{NETWORK, PORT("open-port", "PORT", network.open_port, "connect to and listen on a loopback port"),
		.deprecated = "allow-port"},
	{NETWORK, PORT("listen-port", "PORT", network.listen_port, "listen on a port"), .deprecated = "allow-bind"},
	{NETWORK, PORT("allow-connect-port", "PORT", network.connect_port, "connect to this port")},
	{NETWORK, .name = "upstream-proxy", .deprecated = "external-proxy", .arg = "HOST:PORT",
		.env = "NONO_UPSTREAM_PROXY", .env_old = "NONO_EXTERNAL_PROXY", .kind = OPTION_TEXT,
		.offset = IN_PROFILE(network.upstream_proxy), .commands = FOR_START,
		.help = "go through a parent proxy"},
	{NETWORK, ITEM("upstream-bypass", "HOST", network.upstream_bypass, "hosts that go around the parent proxy"),
		.deprecated = "external-proxy-bypass", .env = "NONO_UPSTREAM_BYPASS",
		.env_old = "NONO_EXTERNAL_PROXY_BYPASS"},
	{.section = "Secrets",
		.name = "env-credential",
		.arg = "NAME,...",
		.env = "NONO_ENV_CREDENTIAL",
		.kind = OPTION_SPECIAL,
		.special = SPECIAL_ENV_CREDENTIAL,
		.commands = FOR_START,
		.help = "put secrets of the keyring into variables (github_token becomes GITHUB_TOKEN; REF=VAR for "
			"others)"},
	{.section = "Secrets",
		.name = "env-credential-map",
		.arg = "REF VAR",
		.kind = OPTION_SPECIAL,
		.special = SPECIAL_ENV_CREDENTIAL_MAP,
		.commands = FOR_START,
		.help = "put one secret into one variable"},
	{ASKING, .name = "supervision", .arg = "MODE", .kind = OPTION_CHOICE, .choices = supervision_choices,
		.first = SUPERVISION_FULL, .offset = IN_PROFILE(security.supervision), .commands = FOR_RUN | FOR_SHELL,
		.help = "full (default), shim (only programs with the shim ask) or off (kernel only)"},
	{ASKING, .name = "on-request", .arg = "MODE", .kind = OPTION_CHOICE, .choices = request_choices,
		.first = ON_REQUEST_ASK, .offset = IN_PROFILE(security.on_request), .commands = FOR_RUN | FOR_SHELL,
		.help = "ask (default), deny, or hold for `nono approve`"},
	{ASKING, .name = "approver", .arg = "CMD", .kind = OPTION_STRING, .offset = IN_FLAGS(approver),
		.commands = FOR_RUN | FOR_SHELL,
		.help = "a program that answers: JSON on its input, one word on its output"},
	{ASKING, .name = "approver-timeout", .arg = "SECONDS", .kind = OPTION_SPECIAL, .special = SPECIAL_TIMEOUT,
		.commands = FOR_RUN | FOR_SHELL, .help = "no answer within this time means no (default 60)"},
	{ASKING, .name = "capability-elevation", .env = "NONO_CAPABILITY_ELEVATION", .kind = OPTION_SPECIAL,
		.special = SPECIAL_ACCEPTED, .commands = FOR_RUN | FOR_SHELL,
		.help = "accepted; asking is on by default"},
	{ASKING, .name = "no-diagnostics", .kind = OPTION_FLAG, .offset = IN_FLAGS(no_diagnostics),
		.commands = FOR_START, .help = "no report of refusals at the end"},
	{ASKING, .name = "diagnostics-json", .kind = OPTION_FLAG, .offset = IN_FLAGS(diagnostics_json),
		.commands = FOR_RUN, .help = "the report as JSON"},
	{.section = "Limits",
		.name = "memory",
		.arg = "SIZE",
		.kind = OPTION_TEXT,
		.offset = IN_PROFILE(limits.memory),
		.commands = FOR_RUN | FOR_SHELL,
		.help = "most memory, like 2G"},
	{.section = "Limits",
		.name = "pids",
		.arg = "N",
		.kind = OPTION_TEXT,
		.offset = IN_PROFILE(limits.pids),
		.commands = FOR_RUN | FOR_SHELL,
		.help = "most processes and threads"},
	{.section = "Limits",
		.name = "cpu",
		.arg = "PERCENT",
		.kind = OPTION_TEXT,
		.offset = IN_PROFILE(limits.cpu),
		.commands = FOR_RUN | FOR_SHELL,
		.help = "most processor time, like 150%"},
	{MISC, .name = "allow-gpu", .kind = OPTION_FLAG, .offset = IN_FLAGS(allow_gpu), .commands = FOR_START,
		.help = "open the graphics devices (the profile must not forbid it)"},
	{NETWORK, ITEM_ALL("allow-url", "ORIGIN", open_urls.allow_origins,
			  "open pages of this origin (https://HOST[:PORT]) in the browser outside")},
	{NETWORK, ITEM_ALL("allow-open-file", "PATH", open_urls.allow_files,
			  "let the opener outside show this file, or what lies in this directory")},
	{MISC, .name = "allow-launch-services", .kind = OPTION_FLAG, .offset = IN_FLAGS(allow_launch_services),
		.commands = FOR_START, .help = "macOS only; on Linux logins work without it"},
	{MISC, ITEM("allow-command", "CMD", commands_allow,
		       "start a program that a group denies by name (deprecated)")},
	{MISC, ITEM("block-command", "CMD", commands_deny, "deny starting a program by name (deprecated)")},
	{MISC, .name = "credential", .deprecated = "proxy-credential", .arg = "NAME", .env = "NONO_CREDENTIAL",
		.kind = OPTION_SPECIAL, .special = SPECIAL_UNSUPPORTED, .commands = FOR_START,
		.help = "credential routes are not supported"},
	{MISC, .name = "name", .arg = "NAME", .kind = OPTION_STRING, .offset = IN_FLAGS(name),
		.commands = FOR_RUN | FOR_SHELL, .help = "name the session"},
	{MISC, .name = "shell", .arg = "PATH", .kind = OPTION_STRING, .offset = IN_FLAGS(shell), .commands = FOR_SHELL,
		.help = "the shell to start (default $SHELL)"},
	{MISC, .name = "dry-run", .kind = OPTION_FLAG, .offset = IN_FLAGS(dry_run), .commands = FOR_START,
		.help = "show what would be allowed; run nothing"},
	{MISC, .name = "verbose", .letter = 'v', .kind = OPTION_SPECIAL, .special = SPECIAL_VERBOSE,
		.commands = FOR_ALL, .help = "say more (-v, -vv, -vvv)"},
	{MISC, .name = "silent", .letter = 's', .kind = OPTION_SPECIAL, .special = SPECIAL_SILENT, .commands = FOR_ALL,
		.conflicts = "verbose", .help = "say nothing but errors"},
	{MISC, .name = "log-file", .arg = "FILE", .env = "NONO_LOG_FILE", .kind = OPTION_SPECIAL,
		.special = SPECIAL_LOG_FILE, .commands = FOR_ALL,
		.help = "what nono says and refuses goes into this file, with times; the terminal gets errors"},
	{MISC, .name = "help", .letter = 'h', .kind = OPTION_SPECIAL, .special = SPECIAL_HELP, .commands = FOR_ALL,
		.help = "this text"},
};
const size_t n_option_rows = ARRAY_SIZE(option_rows);
static_assert(ARRAY_SIZE(option_rows) < 64, "conflict checks use one bit for each option");

static bool in_list(const char *list, const char *name, size_t n)
{
	for (const char *p = list; p && *p;) {
		size_t len = strcspn(p, "|");
		if (len == n && memcmp(p, name, n) == 0)
			return true;
		p += len + (p[len] == '|');
	}
	return false;
}

const struct option_row *option_find(const char *name, size_t n, unsigned command, bool *deprecated)
{
	for (size_t i = 0; i < n_option_rows; i++) {
		const struct option_row *o = &option_rows[i];
		if (!(o->commands & command))
			continue;
		*deprecated = in_list(o->deprecated, name, n);
		if (*deprecated || (strlen(o->name) == n && memcmp(o->name, name, n) == 0) ||
			in_list(o->aliases, name, n))
			return o;
	}
	return NULL;
}

const struct option_row *option_letter(char c, unsigned command)
{
	for (size_t i = 0; i < n_option_rows; i++)
		if (option_rows[i].letter == c && (option_rows[i].commands & command))
			return &option_rows[i];
	return NULL;
}

static const struct {
	const char *name;
	unsigned mask;
} masks[] = {{"run", FOR_RUN}, {"shell", FOR_SHELL}, {"wrap", FOR_WRAP}, {"why", FOR_WHY}};

unsigned command_mask(const char *command)
{
	for (size_t i = 0; i < ARRAY_SIZE(masks); i++)
		if (strcmp(masks[i].name, command) == 0)
			return masks[i].mask;
	return 0;
}

char *option_commands(const char *name)
{
	cleanup_buf struct buf b = {0};
	bool deprecated;
	const struct option_row *o = option_find(name, strlen(name), ~0U, &deprecated);
	for (size_t i = 0; o && i < ARRAY_SIZE(masks); i++)
		if (o->commands & masks[i].mask)
			buf_addf(&b, "%s%s", b.len ? ", " : "", masks[i].name);
	return xstrdup(b.len ? b.data : "");
}

/* Options that say how a run looks and who answers, not what it may do. */
static bool is_policy(const struct option_row *o)
{
	return o->kind == OPTION_ITEM || o->kind == OPTION_PORT || o->kind == OPTION_TRI || o->kind == OPTION_TEXT ||
	       in_list("profile|extends|allow-cwd|allow-net|allow-domain|network-profile|env-credential|"
		       "env-credential-map|allow-gpu",
		       o->name, strlen(o->name));
}

bool option_conflict(const struct option_row *o, const struct option_row *other)
{
	if (o->conflicts && strcmp(o->conflicts, "*") == 0)
		return other != o && is_policy(other);
	return in_list(o->conflicts, other->name, strlen(other->name));
}

bool option_session_name(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
	return n > 0 && n <= 64 && name[n] == '\0' && name[0] != '-' && name[0] != '.';
}

const struct command_flag command_flags[] = {
	{"why", NULL, "path", "PATH", "may this be done to this path?"},
	{"why", NULL, "op", "OP",
		"read (default), write, readwrite, create, delete, execute, attr; connect or bind (sockets, hosts)"},
	{"why", NULL, "host", "HOST", "may this host be connected to?"},
	{"why", NULL, "port", "PORT", "on this port (default 443); with /udp behind it, by UDP"},
	{"why", NULL, "url", "URL", "may this page be opened outside?"},
	{"why", NULL, "self", NULL, "what the sandbox this runs in allows"},
	{"why", NULL, "list", NULL, "the refusals that are recorded"},
	{"why", NULL, "session", "SESSION", "those of this session"},
	{"why", NULL, "json", NULL, "as JSON"},
	{"approve", NULL, "session", "SESSION", "answer questions of this session"},
	{"approve", NULL, "list", NULL, "print the open questions, one JSON object a line"},
	{"approve", NULL, "next", NULL, "print the first question, and answer it"},
	{"approve", NULL, "wait", "SECONDS", "wait so long for a question to come"},
	{"approve", NULL, "answer", "WORD", "once, session, always, no or never"},
	{"approve", NULL, "dir", "DIR", "allow this directory with everything beneath"},
	{"grants", NULL, "session", "SESSION", "those of this session"},
	{"grants", NULL, "revoke", "ID", "take one of them back"},
	{"grants", NULL, "json", NULL, "as JSON"},
	{"profile", "list show validate diff groups", "json", NULL, "as JSON"},
	{"profile", "show", "raw", NULL, "paths as they are written"},
	{"profile", "show", "format", "FORMAT", "profile, dump or manifest"},
	{"profile", "validate", "draft", NULL, "look among the drafts"},
	{"profile", "validate", "strict", NULL, "legacy keys are errors"},
	{"profile", "groups", "all-platforms", NULL, "those of other systems too"},
	{"profile", "init", "extends", "PROFILE", "build on this one"},
	{"profile", "init", "groups", "NAME,...", "include these groups"},
	{"profile", "init", "description", "TEXT", "what it is for"},
	{"profile", "init", "full", NULL, "with every section"},
	{"profile", "init", "force", NULL, "replace one that is there"},
	{"profile", "init schema", "output", "FILE", "write it there"},
	{"profile", "promote", "diff", NULL, "only show what would change"},
	{"profile", "promote", "yes", NULL, "do not ask"},
	{"doctor", NULL, "json", NULL, "as JSON"},
	{"setup", NULL, "check-only", NULL, "look, change nothing"},
};
const size_t n_command_flags = ARRAY_SIZE(command_flags);
