/* SPDX-License-Identifier: Apache-2.0 */
/*
 * internal.h - what the files of the policy room share.
 *
 * Theory of operation
 * -------------------
 * Every path that a rule names becomes a node of one hash table (map.c). A
 * decision walks the object's path once from "/" to its last component, hashing
 * as it goes, and looks at the nodes it passes (check.c): grants add, a deny
 * forgets the grants above it, a grant below a deny counts again. So the most
 * specific rule wins between grant and deny, grants add up as the kernel's do,
 * and the cost is the depth of the path, whatever the number of rules.
 *
 * compile.c turns a profile into grants and denies (canonical paths from
 * canon.c), conflict.c refuses what contradicts, split.c derives the rules for
 * the kernel, which knows no denies. Nodes hold those as well (kernel_*), so a
 * decision can say whether the kernel grants it without the broker.
 */
#ifndef NONO_POLICY_INTERNAL_H
#define NONO_POLICY_INTERNAL_H

#include "policy/policy.h"

#include <pthread.h>
#include <sys/stat.h>

/* ---- network rules (hosts.c) --------------------------------------------- */

struct hosts;
/** hosts_compile() - network rules of a merged profile. NULL with *e set when one is malformed. */
struct hosts *hosts_compile(const struct profile *p, struct err **e);
/** hosts_free() - NULL-safe. */
void hosts_free(struct hosts *h);
/** hosts_check() - decide OP_CONNECT or OP_BIND; allocation-free, thread-safe. */
struct decision hosts_check(const struct hosts *h, enum operation op, const char *host, unsigned port, bool udp);
enum net_mode hosts_mode(const struct hosts *h);
/** hosts_endpoints() - the entry of allow_domain whose endpoints restrict TCP to @host:@port; NULL for none. */
const struct item *hosts_endpoints(const struct hosts *h, const char *host, unsigned port);

/* ---- nodes (map.c) ------------------------------------------------------- */

#define ACCESS_BITS 3U /* ACCESS_READ, ACCESS_WRITE, ACCESS_EXEC */
/* In masks of what the kernel is told: WRITE without the right to create entries is possible. */
#define KERNEL_CREATE 8U

/** access_index() - the array index of one ACCESS_* bit. */
static inline unsigned access_index(unsigned bit)
{
	return (unsigned)__builtin_ctz(bit);
}

struct node {
	struct node *next; /* hash chain */
	uint32_t hash, len;
	const char *path; /* behind the node */

	/* rules of the profile, by access bit; NULL where there is none */
	const struct rule *beneath[ACCESS_BITS], *exact[ACCESS_BITS];
	const struct rule *deny, *never;
	const struct rule *names;    /* a group lets the directory be listed, by the broker */
	const struct rule *shelters; /* a deny or never rule somewhere below */
	uint8_t beneath_mask, exact_mask, never_mask, shelter_mask;
	bool reopen;  /* the session's own place inside a never rule */
	bool bypass;  /* protection from above ends here */
	bool pending; /* granted, but did not exist when the session started */
	bool split;
	bool replace;     /* a file that may be replaced, see sibling.c */
	bool file_grants; /* some entry may be replaced */

	/* rules of the kernel */
	uint8_t kernel_beneath, kernel_exact;
	bool no_broker;            /* the kernel is told only where there is no broker */
	bool replaceable;          /* the tree can put another inode here */
	_Atomic uint32_t fresh_at; /* second at which the inode was last seen in its place */
	dev_t dev;
	ino_t ino;

	/* what a person answered during the session */
	const struct rule *granted_beneath[ACCESS_BITS], *granted_exact[ACCESS_BITS];
	const struct rule *refused_beneath[ACCESS_BITS], *refused_exact[ACCESS_BITS];
};

struct map {
	struct node **bucket;
	size_t n_buckets, n;
};

uint32_t hash_bytes(uint32_t h, const char *s, size_t n);

/** map_find() - the node of the first @len bytes of @path, whose hash is @hash. */
struct node *map_find(const struct map *m, const char *path, size_t len, uint32_t hash);
/** map_get() - the node of @path; NULL if there is none. */
struct node *map_get(const struct map *m, const char *path);
/** map_add() - the node of @path, made when missing. */
struct node *map_add(struct map *m, const char *path);
void map_free(struct map *m);

/* ---- the policy ---------------------------------------------------------- */

enum unix_scope { UNIX_FILE, UNIX_CHILDREN, UNIX_SUBTREE };
struct unix_rule {
	struct rule *rule;
	enum unix_scope scope;
	bool bind; /* bind as well as connect */
};

enum grant_kind { GRANT_PATH, GRANT_HOST, GRANT_UNIX, GRANT_ORIGIN };
struct grant {
	unsigned id;
	enum grant_kind kind;
	struct rule *rule; /* owned; path is the path, host, socket or origin */
	unsigned port;
	bool udp, never, revoked;
	enum operation op;
};

/** struct denied_file - a denied file that exists: the kernel is given no rule for its other names. */
struct denied_file {
	dev_t dev;
	ino_t ino;
	const struct rule *rule;
};

struct policy {
	pthread_rwlock_t lock; /* guards nodes' answers and grants */
	const struct profile *profile;
	struct map map;
	struct rule **rules; /* about files, in the order they were compiled */
	size_t n_rules;
	struct rule **aside; /* about anything else */
	size_t n_aside;
	struct kernel_rule *kernel;
	size_t n_kernel;
	struct unix_rule *sockets;
	size_t n_sockets;
	struct rule **commands; /* denied program names, path holds the name */
	size_t n_commands;
	struct rule **origins; /* open_urls.allow_origins */
	size_t n_origins;
	struct rule **open_files; /* open_urls.allow_files */
	size_t n_open_files;
	struct denied_file *denied_files;
	size_t n_denied_files;
	struct grant *grants;
	size_t n_grants;
	struct strv quiet;           /* canonical paths or patterns, see quiet.c */
	struct strv control_sockets; /* patterns of this host and session, see unix.c */
	struct hosts *hosts;
	struct policy_settings settings;
	struct rule *proc_rule, *control_rule, *terminal_rule;
	bool (*owns)(void *data, pid_t pid);
	void *owns_data;
};

/** rule_alloc() - a rule outside the policy's list. @path and @written are copied; NULL stays NULL. */
struct rule *rule_alloc(const char *path, const char *written, const struct origin *origin);
/** rule_aside() - like rule_new(), for rules that are not about files. */
struct rule *rule_aside(struct policy *p, const char *path, const char *written, const struct origin *origin);
/** rule_new() - append a rule about a file. @path and @written are copied; NULL stays NULL. */
struct rule *rule_new(struct policy *p, const char *path, const char *written, const struct origin *origin);
/** origin_copy() - copy label and file of @from. */
struct origin origin_copy(const struct origin *from);

/* ---- canonical paths (canon.c) ------------------------------------------- */

struct canon {
	struct canon_entry **dirs; /* resolved directories, see canon.c */
	const struct canon_entry *last;
	size_t n, cap;
};
/**
 * canon_path() - canonical form of an absolute path that may not exist.
 * @st: filled when it exists
 * @exists: whether it does and can be looked up
 * Return: a new string.
 */
char *canon_path(struct canon *c, const char *path, struct stat *st, bool *exists);
/** canon_place() - like canon_path(), but the last component is not followed. Return: a new string. */
char *canon_place(struct canon *c, const char *path);
void canon_free(struct canon *c);

/* ---- compilation --------------------------------------------------------- */

/** struct wanted - a grant on its way into the policy. */
struct wanted {
	char *path; /* canonical */
	char *written;
	unsigned access;
	bool exact, exists;
	struct stat st;
	const struct origin *origin;
};
/** struct deny_entry - a deny rule before bypasses are applied. */
struct deny_entry {
	char *path;
	char *written;
	bool lifted;
	dev_t dev; /* of an existing file, else zero */
	ino_t ino;
	const struct origin *origin;
};
struct bypass_entry {
	char *path;
	const struct item *item;
	bool exists;
	struct stat st;
};

struct compile {
	struct policy *p;
	const struct profile *profile;
	const struct policy_env *env;
	struct canon canon;
	struct wanted *wanted;
	size_t n_wanted;
	struct deny_entry *denies;
	size_t n_denies;
	struct bypass_entry *bypasses;
	size_t n_bypasses;
	struct origin **origins; /* of groups, owned while compiling */
	size_t n_origins;
};

/** conflict_resolve() - apply bypasses, refuse contradictions, put denies and grants into the map. */
int conflict_resolve(struct compile *c, struct err **e);
/** own_proc() - whether @path names the reader's own entry in /proc, which the proc rule serves. */
bool own_proc(const char *path);
/** denied_file() - the deny rule for the inode of @st, NULL if there is none. */
const struct rule *denied_file(const struct policy *p, const struct stat *st);
/** groups_compile() - grants, denies and denied commands of the effective groups. */
int groups_compile(struct compile *c, struct err **e);
/** want() - note a grant. @path is canonical, ownership of it moves in. */
struct wanted *want(struct compile *c, char *path, const char *written, unsigned access, const struct origin *origin);
/** deny_path() - note a deny rule for an absolute path, at its place and at its target. */
void deny_path(struct compile *c, const char *path, const char *written, const struct origin *origin);
/** unix_compile() - socket rules and the control sockets of this host. */
int unix_compile(struct compile *c, struct err **e);
/** quiet_compile() - paths that are refused without a question. */
int quiet_compile(struct compile *c, struct err **e);
/** split_compile() - derive the kernel's rules. */
void split_compile(struct policy *p);

/** sibling_rule() - the exact grant to write whose temporary neighbour @path is, or NULL. */
const struct rule *sibling_rule(const struct policy *p, const char *path);
/** terminal_hidden() - whether @path is a terminal (/dev/pts/N) that some process outside the session is using. */
bool terminal_hidden(const struct policy *p, const char *path);
/** shelter() - mark every directory above @path: @mask of what is granted there is hidden below. */
void shelter(struct map *m, const char *path, const struct rule *r, unsigned mask);
/** proc_check() - decide about an entry of /proc/<pid>. */
struct decision proc_check(const struct policy *p, enum operation op, const char *path);

#endif
