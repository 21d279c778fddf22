/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile.h - profile files: what a person writes, before it means anything.
 *
 * A profile is parsed (JSONC with positions), its `extends` are resolved and
 * merged, and the result is a struct profile of raw strings, each with the
 * place it came from. Command-line flags fill a second struct profile of the
 * same shape and are merged last. The policy room compiles the result.
 *
 * One field table (fields.c) drives the parser, the merger, the published JSON
 * Schema, `profile show` and `profile diff`.
 */
#ifndef NONO_PROFILE_H
#define NONO_PROFILE_H

#include "base/base.h"

/** enum source - who asked for a rule; the order is the order of precedence. */
enum source {
	SOURCE_SYSTEM,  /* nono itself, e.g. the session's private TMPDIR */
	SOURCE_GROUP,   /* a policy group */
	SOURCE_PROFILE, /* a profile file */
	SOURCE_USER,    /* a command-line flag or environment variable */
	SOURCE_GRANT,   /* a person's answer during the session */
};
/** source_name() - "system", "group", "profile", "user", "grant". */
const char *source_name(enum source s);

/** struct origin - where a value was written; file NULL for flags. */
struct origin {
	enum source source;
	char *label;           /* flag ("--allow"), profile name or group name; owned */
	char *file;            /* profile file, NULL for flags and embedded data; owned */
	unsigned line, column; /* 1-based, 0 when unknown */
};

/** struct item - one string of a list, with its origin. `endpoints` only for network.allow_domain. */
struct endpoint {
	char *method; /* "*" or upper case */
	char *path;   /* glob */
};
struct item {
	char *value;
	struct origin origin;
	bool legacy_dir; /* from a legacy policy.add_allow_* list: an existing file is granted as a file */
	struct endpoint *endpoints;
	size_t n_endpoints;
};
struct items {
	struct item *v;
	size_t n;
};
/** items_add() - append a copy of @value with @origin copied. */
struct item *items_add(struct items *l, const char *value, const struct origin *origin);
bool items_have(const struct items *l, const char *value);
void items_free(struct items *l);

/** struct pairs - an ordered string map (env_credentials, environment.set_vars). */
struct pair {
	char *key, *value;
	struct origin origin;
};
struct pairs {
	struct pair *v;
	size_t n;
};
void pairs_set(struct pairs *m, const char *key, const char *value, const struct origin *origin);
const char *pairs_get(const struct pairs *m, const char *key);
void pairs_free(struct pairs *m);

enum tri { TRI_UNSET, TRI_FALSE, TRI_TRUE };
enum scope_mode { SCOPE_UNSET, SCOPE_ISOLATED, SCOPE_SAME_SANDBOX, SCOPE_ALL };
enum ipc_mode { IPC_UNSET, IPC_SHARED_MEMORY_ONLY, IPC_FULL };
enum workdir_access { WORKDIR_NONE, WORKDIR_READ, WORKDIR_WRITE, WORKDIR_READWRITE };
enum supervision { SUPERVISION_UNSET, SUPERVISION_FULL, SUPERVISION_SHIM, SUPERVISION_OFF };
enum on_request { ON_REQUEST_UNSET, ON_REQUEST_ASK, ON_REQUEST_DENY, ON_REQUEST_HOLD };

/** struct open_function - open_urls.functions: a toolkit function the shim replaces. */
struct open_function {
	char *symbol;
	struct strv args; /* names of types, see proto/functions.h */
	unsigned url_arg; /* 0-based */
	char *returns;    /* name of a type */
	long value;       /* what to return on success */
};

/** struct profile - one profile, or the merge of several. Lists keep the order in which items were written. */
struct profile {
	struct {
		char *name, *version, *description, *author;
	} meta;
	struct strv extends;       /* raw; empty after resolution in the merged profile, see resolved_from */
	struct strv resolved_from; /* names of all bases that went into this, for display */
	char *file;

	struct items groups_include, groups_exclude;
	struct {
		enum scope_mode signal_mode, process_info_mode;
		enum ipc_mode ipc_mode;
		enum tri capability_elevation;
		char *wsl2_proxy_policy;
		enum supervision supervision; /* our key security.supervision */
		enum on_request on_request;   /* our key security.on_request */
	} security;
	struct items commands_allow, commands_deny;
	struct {
		struct items allow, read, write;                /* directories */
		struct items allow_file, read_file, write_file; /* exact files */
		struct items unix_socket, unix_socket_bind, unix_socket_dir, unix_socket_dir_bind, unix_socket_subtree,
			unix_socket_subtree_bind;
		struct items deny, bypass_protection, create_dir, suppress_save_prompt;
	} fs;
	struct {
		enum tri block, allow_http2;
		/* network_profile: absent = inherit, null = clear, string = set */
		bool profile_given, profile_flag; /* profile_flag: it comes from --network-profile */
		char *profile;
		struct items allow_domain; /* host, *.suffix, host:port, IP, CIDR, group name; with endpoints */
		bool credentials_given;
		struct items credentials;
		struct items open_port, listen_port, connect_port; /* decimal, validated */
		char *custom_credentials;                          /* raw JSON object or NULL */
		char *tls_intercept;                               /* raw JSON object or NULL */
		char *upstream_proxy;
		struct items upstream_bypass;
		bool allow_all; /* --allow-net: clears every restriction; flags only */
	} network;
	struct {
		char *af_unix_mediation, *sandbox_policy;
	} linux_keys;
	struct items suppress_system_services;
	struct pairs env_credentials; /* reference -> variable */
	struct {
		bool given, allow_given;
		struct items allow_vars, deny_vars;
		struct pairs set_vars;
	} environment;
	enum workdir_access workdir;
	char *hooks;              /* raw JSON map app -> {event, matcher, script}, or NULL */
	char *session_hooks;      /* raw JSON */
	char *command_policies;   /* raw JSON */
	char *credential_capture; /* raw JSON */
	struct pairs raw_at;      /* key of raw JSON -> where it was written, "FILE:LINE" */
	struct {
		struct items exclude_patterns, exclude_globs;
	} rollback;
	struct {
		bool given; /* object present: replaces the base's whole object */
		struct items allow_origins, allow_files;
		enum tri allow_localhost;
		struct open_function *functions;
		size_t n_functions;
	} open_urls;
	enum tri allow_launch_services, allow_gpu, allow_parent_of_protected, interactive;
	struct items skipdirs, packs, command_args, unsafe_macos_seatbelt_rules;
	char *binary;
	struct {
		char *memory; /* our keys limits.memory/pids/cpu; "2G", "512", "150%" */
		char *pids, *cpu;
	} limits;
};

struct profile *profile_new(void);
void profile_free(struct profile *p);
static inline void cleanup_profile_fn(struct profile **p)
{
	profile_free(*p);
}
#define cleanup_profile __attribute__((cleanup(cleanup_profile_fn)))

/**
 * profile_load() - find, parse and resolve a profile with everything it extends.
 * @ref: a name, or a path (contains '/' or ends in .json/.jsonc)
 * @extra_extends: --extends names, prepended to the root's; may be NULL
 * Warnings (legacy keys) go to standard error, one line for each key and file.
 * Return: the merged profile with implicit default groups added, or NULL.
 */
struct profile *profile_load(const char *ref, const struct strv *extra_extends, struct err **e);
/** profile_default() - what runs without --profile: the default profile's groups. */
struct profile *profile_default(struct err **e);
/** profile_merge() - fold @child onto @base by the field table; both stay owned by the caller. */
struct profile *profile_merge(const struct profile *base, const struct profile *child);
/** profile_not_acted_on() - a sentence for each key that is read and has no effect here, with its place, added to @out.
 */
void profile_not_acted_on(const struct profile *p, struct strv *out);
/** profile_is_own() - whether its file lies, links followed, among the user's own: where no sandbox lets write. */
bool profile_is_own(const struct profile *p);
#define PROFILE_OWN_ONLY "scripts are run for profiles in ~/.config/nono/profiles only"
/** profile_place() - where a key of raw JSON was written, "FILE:LINE", else the profile's file or name. */
const char *profile_place(const struct profile *p, const char *key);
/** profile_is_a() - whether @name is the profile's own name or among its bases. */
bool profile_is_a(const struct profile *p, const char *name);

/** struct group - one policy group of profiles/groups.json. Lists hold raw (unexpanded) paths. */
struct group {
	const char *name, *description, *platform; /* platform NULL: any */
	bool required, deny_unlink;
	struct items allow_read, allow_write, allow_readwrite, deny_access, deny_commands;
	struct items allow_names; /* directories that may be listed, without a right to what is in them */
};
/** group_find() - the group of that name, NULL if there is none. Borrowed for the life of the process. */
const struct group *group_find(const char *name);
/** group_list() - all groups, sorted by name. */
const struct group *const *group_list(size_t *n);

/**
 * struct expansion - what variables in paths stand for; filled once per run.
 * workdir is canonical.
 */
struct expansion {
	char *home, *workdir, *tmpdir;
};
int expansion_init(struct expansion *x, const char *workdir_flag, struct err **e);
void expansion_free(struct expansion *x);
/**
 * profile_expand() - expand ~, $HOME, $WORKDIR, $TMPDIR, $UID, $XDG_*, $NONO_CONFIG, $NONO_PACKAGES,
 * other environment variables and tokens (@git:..., @workdir:parents) in one list entry. A dollar
 * that names nothing stays.
 * @out: receives zero or more absolute paths
 */
int profile_expand(const struct expansion *x, const struct item *it, struct strv *out, struct err **e);
/**
 * profile_expand_text() - expand "~/" at the start and the variables that mean something to profiles, as whole
 * names, in a value that need not be a path. Everything else stays as it is. Return: a new string.
 */
char *profile_expand_text(const struct expansion *x, const char *text);
/** profile_literal() - the list entry that stands for exactly this absolute path. New string. */
char *profile_literal(const char *path);
/** profile_path_value() - the same as a person would write it, below "~" where it can be. New string. */
char *profile_path_value(const char *path);

/**
 * profile_append_value() - "always": add a string to an array of a user's profile file.
 * Comments, order and formatting of the rest are kept. The file is created
 * (extending @extends) when it does not exist.
 * @key_path: e.g. "filesystem.read_file"
 * @now: what holds now; a section that replaces its base's as a whole (open_urls) and is not in the file yet is
 * written with all that it holds there, but for what came from flags; NULL: with the value alone
 * @preview: when non-NULL nothing is written; receives a unified diff of the change
 */
int profile_append_value(const char *file, const char *extends, const char *key_path, const char *value,
	const struct profile *now, char **preview, struct err **e);

/** network_group_hosts() - hosts (and "*.suffix" forms) of a group in network-policy.json; NULL if unknown. */
const struct items *network_group_hosts(const char *group);
/** network_profile_hosts() - all hosts of a network profile; false if unknown. */
bool network_profile_hosts(const char *name, struct items *out);
/** network_profile_names() - the names of all network profiles, for messages: "a, b, c". New string. */
char *network_profile_names(void);

/* `nono profile ...`: argv[0] is the subcommand. Return: exit status. */
int profile_command(int argc, char **argv);

#endif
