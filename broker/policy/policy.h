/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.h - the one place where yes or no is decided.
 *
 * policy_compile() turns a merged profile into absolute, canonical rules;
 * policy_check() answers for one operation on one object. The kernel's ruleset
 * is generated from the same rules (policy_kernel_rules()), and everything that
 * explains asks policy_check(), so none of them can contradict another.
 *
 * The room knows nothing of Landlock or seccomp. Paths given to it are
 * canonical: absolute, no links, no "." or "..".
 */
#ifndef NONO_POLICY_H
#define NONO_POLICY_H

#include "profile/profile.h"

/** enum operation - what a person sees a program do. Names in operation_name(). */
enum operation {
	OP_READ,    /* read a file or list a directory */
	OP_WRITE,   /* change the contents of an existing file, truncate */
	OP_CREATE,  /* make a file, directory, link, node or socket at this path */
	OP_DELETE,  /* remove what is at this path (unlink, rmdir, the source of a rename) */
	OP_EXECUTE, /* run a program */
	OP_ATTR,    /* change mode, owner, times or extended attributes */
	OP_CONNECT, /* TCP or UDP: host and port */
	OP_BIND,    /* TCP or UDP: listen on a port */
	OP_UNIX_CONNECT,
	OP_UNIX_BIND,
	OP_OPEN_URL,
	OP_SECRET,
	OP_COUNT
};
const char *operation_name(enum operation op);

/* Access bits of a file rule. A read grant includes execution, as profiles define it. */
#define ACCESS_READ 1U
#define ACCESS_WRITE 2U
#define ACCESS_EXEC 4U

enum verdict {
	VERDICT_ALLOW,
	VERDICT_NONE,      /* no rule answers: refused by the kernel, the broker may ask */
	VERDICT_PROTECTED, /* a deny rule covers it: the broker may ask, strongly marked */
	VERDICT_NEVER,     /* never reachable, never asked: nono's own state, metadata addresses */
};

/** struct rule - one line of the policy, for decisions and for explanations. Owned by the policy. */
struct rule {
	char *path;      /* canonical path, host pattern, or NULL */
	char *written;   /* as the person or the group wrote it */
	unsigned access; /* ACCESS_*; 0 for a deny rule */
	bool deny, never;
	bool exact; /* this file only, not what lies beneath */
	struct origin origin;
};
/** rule_describe() - one line: "--read /src", "group deny_credentials (~/.ssh)". New string. */
char *rule_describe(const struct rule *r);

struct decision {
	enum verdict verdict;
	const struct rule *rule; /* the rule that decided, or the nearest one; NULL if none */
	bool kernel;             /* verdict is ALLOW and the kernel's ruleset grants it without the broker */
};

enum net_mode {
	NET_OPEN,     /* no rule restricts the network (metadata addresses stay closed) */
	NET_FILTERED, /* only what rules allow */
	NET_BLOCKED,  /* nothing, except ports that rules open */
};

/** struct limits - resource limits; 0 = none. cpu is in hundredths of one processor. */
struct limits {
	uint64_t memory_bytes;
	unsigned pids, cpu_percent;
};

struct policy; /* opaque; internally locked, safe to use from several threads */

/** struct session_dirs - the session's own places; borrowed, each may be NULL. */
struct session_dirs {
	const char *tmp;     /* private TMPDIR: read, write, execute */
	const char *run;     /* helpers and the capability file: read, execute. Best below runtime_dir(), which
				the tree never reaches otherwise */
	const char *openers; /* entries that sessions share: read, execute */
};

/** struct policy_env - facts of this run that profiles refer to. */
struct policy_env {
	const struct expansion *expansion;
	/* Tells the session's directories, which may only now be finished. NULL when nothing will be started. */
	int (*session_dirs)(void *data, struct session_dirs *out, struct err **e);
	void *session_data;
	const char *program; /* resolved program, may be NULL; its own file is readable and executable */
	const char *self;    /* nono's own program, which serves the openers' names inside; may be NULL */
	const char *shim;    /* the library that programs inside load; may be NULL */
	bool cwd_granted;    /* the person (or --allow-cwd) shared the working directory */
	bool allow_gpu;      /* --allow-gpu; the profile must not refuse it */
};

/** policy_network_valid() - whether the profile's network rules can be used, on any machine. Return: 0 or -1. */
int policy_network_valid(const struct profile *p, struct err **e);
/**
 * policy_compile() - expand, canonicalise and check a merged profile.
 * Missing paths are skipped with a warning (user flags) or silently (profiles, groups).
 * Errors: a directory given as a file and the reverse, a grant equal to or inside
 * a denied path without bypass, bypass without a grant, a grant inside nono's
 * own state, an unknown group, an excluded required group.
 */
struct policy *policy_compile(const struct profile *p, const struct policy_env *env, struct err **e);
void policy_free(struct policy *p);

/**
 * policy_check_path() - decide a file operation.
 * @path: canonical; it may not exist. For OP_CREATE and OP_DELETE the last component
 *        is the entry itself, not what a link there points to.
 * Allocates nothing; costs one table lookup for each component.
 */
struct decision policy_check_path(const struct policy *p, enum operation op, const char *path);
/**
 * policy_check_mkdir() - OP_CREATE of a directory. Unlike other entries it may be
 * made where a denied path will lie below it (mkdir ~/.config).
 */
struct decision policy_check_mkdir(const struct policy *p, const char *path);
/**
 * policy_kernel_move() - whether the kernel's ruleset lets a program rename (or link)
 * @from to @to by itself. Both paths canonical, @from existing.
 * Landlock refuses with EXDEV what policy_check_path() allows at both ends when the
 * move would give the file more access than it had.
 */
bool policy_kernel_move(const struct policy *p, const char *from, const char *to, bool is_dir, bool link);
/**
 * policy_set_tree() - who belongs to the sandboxed tree, for entries of /proc/<pid>.
 * @owns: must be thread-safe; NULL: nobody
 */
void policy_set_tree(struct policy *p, bool (*owns)(void *data, pid_t pid), void *data);
/**
 * policy_check_host() - decide OP_CONNECT or OP_BIND by name or address literal.
 * @host: a lower-case ASCII name, or an address in text form
 * @udp: the rule must allow UDP
 */
struct decision policy_check_host(const struct policy *p, enum operation op, const char *host, unsigned port, bool udp);
/**
 * policy_host_endpoints() - what requests to @host:@port are restricted to.
 * Return: the entry of network.allow_domain whose endpoints hold, NULL when they are not restricted. Borrowed.
 */
const struct item *policy_host_endpoints(const struct policy *p, const char *host, unsigned port);
/** policy_check_unix() - decide connecting to or binding a pathname socket (canonical path). */
struct decision policy_check_unix(const struct policy *p, enum operation op, const char *path);
/**
 * policy_quiet() - whether a refusal of this is neither asked about nor reported at the end: programs try it, and
 * nothing depends on it (filesystem.suppress_save_prompt).
 */
bool policy_quiet(const struct policy *p, enum operation op, const char *object);
/** policy_check_origin() - decide OP_OPEN_URL by parsed origin ("https://host[:port]"), or by canonical path for a file
 */
struct decision policy_check_origin(const struct policy *p, const char *origin);

/* What the kernel is to be told. */
struct kernel_rule {
	const char *path;
	unsigned access; /* ACCESS_* */
	bool exact;      /* a file */
	/*
	 * Nothing in it is readable: with a broker, entries are created by the broker,
	 * which then knows what the session made there and may read back.
	 */
	bool write_only;
	bool no_broker; /* only for sessions without a broker, which decides otherwise: other terminals */
};
/**
 * policy_kernel_rules() - the ruleset that grants as much of the policy as allow-only,
 * inode-bound rules can. A granted directory that holds a denied path is
 * replaced by its entries around the denied one ("split").
 * @n: receives the count. Return: an array owned by the policy.
 */
const struct kernel_rule *policy_kernel_rules(const struct policy *p, size_t *n);
/** policy_is_split() - whether @dir (canonical) was split: entries made in it later are served by the broker. */
bool policy_is_split(const struct policy *p, const char *dir);

/* Iterate the rules about files for display: grants and denies, in the order they were compiled. */
const struct rule *const *policy_rules(const struct policy *p, size_t *n);
/** policy_command_denied() - start-up check of the program's base name against deny.commands; NULL if fine. */
const struct rule *policy_command_denied(const struct policy *p, const char *basename);

/* Scalar results of compilation. */
struct policy_settings {
	enum scope_mode signal_mode, process_info_mode;
	enum ipc_mode ipc_mode;
	enum supervision supervision;
	enum on_request on_request;
	enum net_mode net_mode;
	struct limits limits;
	char *workdir; /* canonical; where the program starts */
	bool allow_localhost_urls;
	bool gpu;
};
const struct policy_settings *policy_settings(const struct policy *p);
/** policy_profile() - the merged profile this was compiled from (for open_urls, environment, hooks). */
const struct profile *policy_profile(const struct policy *p);

/* ---- remembered grants of the session (grants.c) ------------------------- */

enum grant_scope { GRANT_ONCE, GRANT_SESSION, GRANT_NEVER /* "no for this session" */ };
/**
 * policy_grant_path() - remember an answer. Takes effect for every later check at once.
 * @path: canonical; @exact false means the directory and everything beneath
 * @access: ACCESS_* that was granted (for GRANT_NEVER: refused)
 * Return: the grant's id (> 0).
 */
unsigned policy_grant_path(struct policy *p, const char *path, bool exact, unsigned access, bool never);
unsigned policy_grant_host(struct policy *p, const char *host, unsigned port /* 0: any */, bool udp, bool never);
unsigned policy_grant_unix(struct policy *p, const char *path, enum operation op, bool never);
unsigned policy_grant_origin(struct policy *p, const char *origin, bool never);
/** policy_revoke() - forget a grant. Return: false when there is none of that id. */
bool policy_revoke(struct policy *p, unsigned id);
struct grant_info {
	unsigned id;
	char *text; /* "read /etc/foo (session)" */
	bool never;
};
/** policy_grants() - the remembered grants; free with grants_free(). */
struct grant_info *policy_grants(const struct policy *p, size_t *n);
void grants_free(struct grant_info *g, size_t n);

/** access_for_operation() - the ACCESS_* bits a file operation needs. */
unsigned access_for_operation(enum operation op);
/** policy_suggest_flag() - the command-line flag that would allow it, e.g. "--read-file /x". New string. */
char *policy_suggest_flag(const struct policy *p, enum operation op, const char *object, unsigned port, bool udp);

#endif
