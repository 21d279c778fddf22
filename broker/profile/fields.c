/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fields.c - the field table.
 *
 * Parser, merger, published schema, `profile show`, `profile diff` and the dump
 * all walk this table, so they cannot disagree about what a profile is.
 */
#include "profile/fields.h"

#include <assert.h>

#define AT(member) offsetof(struct profile, member)

static const char *const mode_names[] = {"isolated", "allow_same_sandbox", "allow_all", NULL};
static const char *const ipc_names[] = {"shared_memory_only", "full", NULL};
static const char *const workdir_names[] = {"none", "read", "write", "readwrite", NULL};
static const char *const supervision_names[] = {"full", "shim", "off", NULL};
static const char *const request_names[] = {"ask", "deny", "hold", NULL};
static const char *const unix_names[] = {"off", "pathname", NULL};
static const char *const sandbox_names[] = {"auto", "landlock", "external", NULL};
static const char *const wsl_names[] = {"error", "insecure_proxy", NULL};

#define PATHS(key_, member, help_)                                                                                     \
	{                                                                                                              \
		.key = key_, .type = FIELD_ITEMS, .merge = MERGE_APPEND, .offset = AT(member), .entry_key = "path",    \
		.help = help_                                                                                          \
	}
#define STRINGS(key_, member, help_)                                                                                   \
	{                                                                                                              \
		.key = key_, .type = FIELD_ITEMS, .merge = MERGE_APPEND, .offset = AT(member), .help = help_           \
	}
#define TRI(key_, member, help_)                                                                                       \
	{                                                                                                              \
		.key = key_, .type = FIELD_TRI, .merge = MERGE_OVERRIDE, .nullable = true, .offset = AT(member),       \
		.help = help_                                                                                          \
	}
#define ENUM(key_, member, names_, first_, help_)                                                                      \
	{                                                                                                              \
		.key = key_, .type = FIELD_ENUM, .merge = MERGE_OVERRIDE, .nullable = true, .offset = AT(member),      \
		.names = names_, .first = first_, .help = help_                                                        \
	}
#define TEXT(key_, member, help_)                                                                                      \
	{                                                                                                              \
		.key = key_, .type = FIELD_STRING, .merge = MERGE_OVERRIDE, .nullable = true, .offset = AT(member),    \
		.help = help_                                                                                          \
	}
#define META(key_, member, help_)                                                                                      \
	{                                                                                                              \
		.key = key_, .type = FIELD_STRING, .merge = MERGE_REPLACE, .nullable = true, .offset = AT(member),     \
		.help = help_                                                                                          \
	}
#define RAW(key_, member, help_)                                                                                       \
	{                                                                                                              \
		.key = key_, .type = FIELD_RAW, .merge = MERGE_MAP, .offset = AT(member), .help = help_                \
	}
#define LEGACY(key_, member, target, entry)                                                                            \
	{                                                                                                              \
		.key = key_, .type = FIELD_ITEMS, .merge = MERGE_APPEND, .offset = AT(member), .entry_key = entry,     \
		.legacy_of = target, .help = "Legacy spelling of " target "."                                          \
	}

const struct field profile_fields[] = {
	{.key = "$schema", .type = FIELD_IGNORED, .nullable = true, .help = "Ignored; for editors."},
	{.key = "extends",
		.type = FIELD_STRV,
		.merge = MERGE_REPLACE,
		.nullable = true,
		.offset = AT(extends),
		.help = "Profiles this one builds on; later ones win."},
	{.key = "meta.name",
		.type = FIELD_STRING,
		.merge = MERGE_REPLACE,
		.offset = AT(meta.name),
		.help = "Name for display. Required when meta is present."},
	META("meta.version", meta.version, "Informational."),
	META("meta.description", meta.description, "One line for lists."),
	META("meta.author", meta.author, "Informational."),
	{.key = "groups.include",
		.type = FIELD_ITEMS,
		.merge = MERGE_APPEND,
		.offset = AT(groups_include),
		.entry_key = "name",
		.help = "Policy groups to add to the default ones."},
	{.key = "groups.exclude",
		.type = FIELD_ITEMS,
		.merge = MERGE_APPEND,
		.offset = AT(groups_exclude),
		.entry_key = "name",
		.help = "Policy groups to leave out; required groups cannot be."},
	ENUM("security.signal_mode", security.signal_mode, mode_names, SCOPE_ISOLATED, "Whom programs may signal."),
	ENUM("security.process_info_mode", security.process_info_mode, mode_names, SCOPE_ISOLATED,
		"Whose entries in /proc programs may read."),
	ENUM("security.ipc_mode", security.ipc_mode, ipc_names, IPC_SHARED_MEMORY_ONLY,
		"Whether abstract Unix sockets outside the session are reachable."),
	TRI("security.capability_elevation", security.capability_elevation,
		"Accepted for compatibility; asking is on unless supervision or on_request says otherwise."),
	{.key = "security.wsl2_proxy_policy",
		.type = FIELD_STRING,
		.merge = MERGE_OVERRIDE,
		.nullable = true,
		.offset = AT(security.wsl2_proxy_policy),
		.names = wsl_names,
		.help = "What to do on WSL2 when the network cannot be filtered."},
	ENUM("security.supervision", security.supervision, supervision_names, SUPERVISION_FULL,
		"full: the broker answers for every program; shim: for programs that carry the shim; off: kernel "
		"only."),
	ENUM("security.on_request", security.on_request, request_names, ON_REQUEST_ASK,
		"What happens when a program needs something it was not given."),
	LEGACY("security.groups", groups_include, "groups.include", NULL),
	LEGACY("security.allowed_commands", commands_allow, "commands.allow", NULL),
	STRINGS("commands.allow", commands_allow,
		"Programs that may be started although a group denies them (start-up check)."),
	STRINGS("commands.deny", commands_deny, "Programs that may not be started (start-up check of the name)."),
	PATHS("filesystem.allow", fs.allow, "Directories to read and write."),
	PATHS("filesystem.read", fs.read, "Directories (or files) to read."),
	PATHS("filesystem.write", fs.write, "Directories to write."),
	PATHS("filesystem.allow_file", fs.allow_file, "Files to read and write."),
	PATHS("filesystem.read_file", fs.read_file, "Files to read."),
	PATHS("filesystem.write_file", fs.write_file, "Files to write."),
	PATHS("filesystem.unix_socket", fs.unix_socket, "Sockets to connect to."),
	PATHS("filesystem.unix_socket_bind", fs.unix_socket_bind, "Sockets to connect to or make."),
	PATHS("filesystem.unix_socket_dir", fs.unix_socket_dir, "Directories whose sockets may be connected to."),
	PATHS("filesystem.unix_socket_dir_bind", fs.unix_socket_dir_bind, "Directories in which sockets may be made."),
	PATHS("filesystem.unix_socket_subtree", fs.unix_socket_subtree, "Trees whose sockets may be connected to."),
	PATHS("filesystem.unix_socket_subtree_bind", fs.unix_socket_subtree_bind,
		"Trees in which sockets may be made."),
	PATHS("filesystem.deny", fs.deny, "Paths that stay closed even inside what is allowed."),
	PATHS("filesystem.bypass_protection", fs.bypass_protection,
		"Denied paths that a grant of this profile may open."),
	PATHS("filesystem.create_dir", fs.create_dir, "Directories made before the start when they are missing."),
	{.key = "filesystem.suppress_save_prompt",
		.aliases = "filesystem.ignore",
		.type = FIELD_ITEMS,
		.merge = MERGE_APPEND,
		.offset = AT(fs.suppress_save_prompt),
		.entry_key = "path",
		.help = "Paths (\"*\" stands for anything) refused without a question and left out of the report."},
	LEGACY("policy.exclude_groups", groups_exclude, "groups.exclude", NULL),
	LEGACY("policy.add_allow_read", fs.read, "filesystem.read", "path"),
	LEGACY("policy.add_allow_write", fs.write, "filesystem.write", "path"),
	LEGACY("policy.add_allow_readwrite", fs.allow, "filesystem.allow", "path"),
	LEGACY("policy.add_deny_access", fs.deny, "filesystem.deny", "path"),
	LEGACY("policy.add_deny_commands", commands_deny, "commands.deny", NULL),
	LEGACY("policy.override_deny", fs.bypass_protection, "filesystem.bypass_protection", "path"),
	{.key = "network.block",
		.type = FIELD_BOOL,
		.merge = MERGE_OR,
		.offset = AT(network.block),
		.help = "No network."},
	{.key = "network.allow_http2",
		.type = FIELD_BOOL,
		.merge = MERGE_OR,
		.offset = AT(network.allow_http2),
		.help = "Accepted for compatibility; path rules always speak HTTP/2 where both ends do."},
	{.key = "network.network_profile",
		.type = FIELD_STRING,
		.merge = MERGE_SPECIAL,
		.nullable = true,
		.offset = AT(network.profile),
		.help = "Named list of hosts; null clears an inherited one."},
	{.key = "network.allow_domain",
		.aliases = "network.proxy_allow|network.allow_proxy",
		.type = FIELD_DOMAINS,
		.merge = MERGE_DOMAINS,
		.offset = AT(network.allow_domain),
		.help = "Hosts that may be reached: name, *.suffix, host:port, address, CIDR or group name."},
	{.key = "network.credentials",
		.aliases = "network.proxy_credentials",
		.type = FIELD_ITEMS,
		.merge = MERGE_SPECIAL,
		.nullable = true,
		.offset = AT(network.credentials),
		.help = "Credential routes to enable; not acted on."},
	{.key = "network.open_port",
		.aliases = "network.port_allow|network.allow_port",
		.type = FIELD_PORTS,
		.merge = MERGE_APPEND,
		.offset = AT(network.open_port),
		.help = "Loopback ports to connect to and listen on."},
	{.key = "network.listen_port",
		.type = FIELD_PORTS,
		.merge = MERGE_APPEND,
		.offset = AT(network.listen_port),
		.help = "Ports to listen on."},
	{.key = "network.connect_port",
		.type = FIELD_PORTS,
		.merge = MERGE_APPEND,
		.offset = AT(network.connect_port),
		.help = "Ports that may be connected to."},
	RAW("network.custom_credentials", network.custom_credentials, "Credential routes of your own; not acted on."),
	{.key = "network.tls_intercept",
		.type = FIELD_RAW,
		.merge = MERGE_OVERRIDE,
		.nullable = true,
		.offset = AT(network.tls_intercept),
		.help = "Lifetimes of the authority for path rules; not acted on."},
	{.key = "network.upstream_proxy",
		.aliases = "network.external_proxy",
		.type = FIELD_STRING,
		.merge = MERGE_OVERRIDE,
		.nullable = true,
		.offset = AT(network.upstream_proxy),
		.help = "Parent proxy, host:port."},
	{.key = "network.upstream_bypass",
		.aliases = "network.external_proxy_bypass",
		.type = FIELD_ITEMS,
		.merge = MERGE_APPEND,
		.offset = AT(network.upstream_bypass),
		.help = "Hosts that go around the parent proxy."},
	STRINGS("diagnostics.suppress_system_services", suppress_system_services,
		"Refused operations the report leaves out."),
	{.key = "linux.af_unix_mediation",
		.type = FIELD_STRING,
		.merge = MERGE_OVERRIDE,
		.nullable = true,
		.offset = AT(linux_keys.af_unix_mediation),
		.names = unix_names,
		.help = "Accepted for compatibility; sockets with a path are always mediated."},
	{.key = "linux.sandbox_policy",
		.type = FIELD_STRING,
		.merge = MERGE_OVERRIDE,
		.nullable = true,
		.offset = AT(linux_keys.sandbox_policy),
		.names = sandbox_names,
		.help = "Accepted for compatibility."},
	{.key = "env_credentials",
		.aliases = "secrets",
		.type = FIELD_SECRETS,
		.merge = MERGE_MAP,
		.offset = AT(env_credentials),
		.help = "Secrets to put into variables: reference to variable name."},
	{.key = "environment.allow_vars",
		.type = FIELD_ITEMS,
		.merge = MERGE_SPECIAL,
		.nullable = true,
		.offset = AT(environment.allow_vars),
		.help = "Variables to keep; a trailing * matches a prefix. Absent: all."},
	STRINGS("environment.deny_vars", environment.deny_vars, "Variables to drop."),
	{.key = "environment.set_vars",
		.type = FIELD_PAIRS,
		.merge = MERGE_MAP,
		.offset = AT(environment.set_vars),
		.help = "Variables to set; ~, $HOME, $WORKDIR and the like are expanded."},
	RAW("command_policies", command_policies,
		"Per-command sandboxes; not supported, a profile that uses them does not start."),
	RAW("credential_capture", credential_capture, "Host-side credential commands; not acted on."),
	{.key = "workdir.access",
		.type = FIELD_ENUM,
		.merge = MERGE_SPECIAL,
		.offset = AT(workdir),
		.names = workdir_names,
		.first = WORKDIR_NONE,
		.help = "How the working directory is shared, when the person agrees."},
	RAW("hooks", hooks, "Hooks to install into agents: app to {event, matcher, script}."),
	RAW("session_hooks", session_hooks,
		"Scripts that run outside the sandbox: before and after, each {script, timeout_secs}."),
	{.key = "rollback.exclude_patterns",
		.aliases = "undo.exclude_patterns",
		.type = FIELD_ITEMS,
		.merge = MERGE_APPEND,
		.offset = AT(rollback.exclude_patterns),
		.help = "Snapshot exclusions."},
	{.key = "rollback.exclude_globs",
		.aliases = "undo.exclude_globs",
		.type = FIELD_ITEMS,
		.merge = MERGE_APPEND,
		.offset = AT(rollback.exclude_globs),
		.help = "Snapshot exclusions by file name."},
	{.key = "open_urls.allow_origins",
		.type = FIELD_ITEMS,
		.merge = MERGE_SECTION,
		.offset = AT(open_urls.allow_origins),
		.entry_key = "origin",
		.help = "Origins whose pages may be opened in the host's browser."},
	{.key = "open_urls.allow_localhost",
		.type = FIELD_TRI,
		.merge = MERGE_SECTION,
		.offset = AT(open_urls.allow_localhost),
		.help = "Whether pages on localhost may be opened, and login callbacks received."},
	{.key = "open_urls.allow_files",
		.type = FIELD_ITEMS,
		.merge = MERGE_SECTION,
		.offset = AT(open_urls.allow_files),
		.entry_key = "path",
		.help = "Files, or directories with everything beneath, that the host's opener may be given."},
	{.key = "open_urls.functions",
		.type = FIELD_FUNCTIONS,
		.merge = MERGE_SECTION,
		.offset = AT(open_urls.functions),
		.help = "Toolkit functions that open URLs: {symbol, args, url_arg, returns, value}."},
	TRI("allow_launch_services", allow_launch_services,
		"macOS: whether --allow-launch-services may be used. Without effect on Linux."),
	TRI("allow_gpu", allow_gpu, "Whether --allow-gpu may be used."),
	TRI("allow_parent_of_protected", allow_parent_of_protected, "macOS only."),
	{.key = "interactive",
		.type = FIELD_BOOL,
		.merge = MERGE_OR,
		.offset = AT(interactive),
		.help = "Accepted for compatibility; programs always keep the terminal."},
	STRINGS("skipdirs", skipdirs, "Accepted for compatibility."),
	STRINGS("packs", packs, "Packs this profile needs; not supported, named in a warning."),
	TEXT("binary", binary, "Program to run when none is given."),
	{.key = "command_args",
		.aliases = "brokered_commands",
		.type = FIELD_ITEMS,
		.merge = MERGE_SEQUENCE,
		.offset = AT(command_args),
		.help = "Arguments added to the program's; expanded as in set_vars."},
	STRINGS("unsafe_macos_seatbelt_rules", unsafe_macos_seatbelt_rules, "macOS only."),
	TEXT("limits.memory", limits.memory, "Most memory the session may use, like 2G."),
	TEXT("limits.pids", limits.pids, "Most processes and threads at once."),
	TEXT("limits.cpu", limits.cpu, "Most processor time, like 150%."),
};
const size_t n_profile_fields = ARRAY_SIZE(profile_fields);
static_assert(sizeof(enum tri) == sizeof(int) && sizeof(enum scope_mode) == sizeof(int), "enums are stored as int");

static bool alias_of(const struct field *f, const char *key)
{
	size_t n = strlen(key);
	for (const char *a = f->aliases; a && *a; a += a[strcspn(a, "|")] ? strcspn(a, "|") + 1 : strcspn(a, "|"))
		if (strcspn(a, "|") == n && memcmp(a, key, n) == 0)
			return true;
	return false;
}

const struct field *field_find(const char *key)
{
	for (size_t i = 0; i < n_profile_fields; i++)
		if (strcmp(profile_fields[i].key, key) == 0 || alias_of(&profile_fields[i], key))
			return &profile_fields[i];
	return NULL;
}

bool field_is_section(const char *key)
{
	size_t n = strlen(key);
	for (size_t i = 0; i < n_profile_fields; i++) {
		if (strncmp(profile_fields[i].key, key, n) == 0 && profile_fields[i].key[n] == '.')
			return true;
		const char *a = profile_fields[i].aliases;
		if (a && strncmp(a, key, n) == 0 && a[n] == '.')
			return true;
	}
	return false;
}
