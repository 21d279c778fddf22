/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.c - the decision function for files.
 *
 * One walk from "/" to the object, one lookup for each component, no allocation.
 * Going down, a grant counts from where it is; a deny forgets what was granted
 * above it; an answer of the person counts like the most specific grant. Making
 * and removing an entry is a change of its directory, so the rules of the entry
 * itself do not grant it.
 *
 * Whether the kernel grants it by itself is judged from the rules given to the
 * kernel. Those are bound to inodes: a rule whose path has got another inode since
 * (an atomic replace) grants nothing, which costs one stat to find out.
 */
#include "policy/internal.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/sysmacros.h>
#include <time.h>

#define MAX_KERNEL_NODES 8

struct walk {
	unsigned need; /* one ACCESS_* bit */
	unsigned bit;
	bool of_parent; /* the operation changes the parent directory */
	bool reopened;  /* in the session's own place inside nono's state: its own grants count */
	unsigned kernel_need;
	bool broker; /* the session has one */
	const struct rule *allow, *deny, *never, *refused, *nearest;
	const struct node *self;
	const struct node *kernel[MAX_KERNEL_NODES]; /* nodes whose kernel rule would do */
	unsigned n_kernel;
};

unsigned access_for_operation(enum operation op)
{
	static const unsigned char access[OP_COUNT] = {
		[OP_READ] = ACCESS_READ,
		[OP_WRITE] = ACCESS_WRITE,
		[OP_CREATE] = ACCESS_WRITE,
		[OP_DELETE] = ACCESS_WRITE,
		[OP_EXECUTE] = ACCESS_EXEC,
		[OP_ATTR] = ACCESS_WRITE,
	};
	return op < OP_COUNT ? access[op] : 0;
}

static void visit_kernel(struct walk *w, const struct node *n, bool is_self)
{
	unsigned mask = n->kernel_beneath;
	if (is_self && w->of_parent)
		mask = 0;
	else if (is_self)
		mask |= n->kernel_exact;
	if ((mask & w->kernel_need) && !(n->no_broker && w->broker) && w->n_kernel < MAX_KERNEL_NODES)
		w->kernel[w->n_kernel++] = n;
}

static void visit_answers(struct walk *w, const struct node *n, bool is_self)
{
	if (n->refused_beneath[w->bit])
		w->refused = n->refused_beneath[w->bit];
	if (is_self && n->refused_exact[w->bit])
		w->refused = n->refused_exact[w->bit];
	const struct rule *yes = NULL;
	if (n->granted_beneath[w->bit] && !(is_self && w->of_parent))
		yes = n->granted_beneath[w->bit];
	/* A yes to exactly this object was given to what the program wanted to do with it. */
	if (is_self && n->granted_exact[w->bit])
		yes = n->granted_exact[w->bit];
	if (yes) {
		w->allow = yes;
		w->refused = NULL;
	}
}

static void visit(struct walk *w, const struct node *n, bool is_self)
{
	if (is_self)
		w->self = n;
	if (n->never_mask & w->need)
		w->never = n->never;
	if (n->reopen && w->never) {
		w->reopened = true;
		w->allow = NULL;
	}
	if (n->bypass)
		w->deny = NULL;
	if (n->deny) {
		w->allow = NULL;
		w->deny = n->deny;
	}
	if (!(is_self && w->of_parent)) {
		if (n->beneath[w->bit])
			w->allow = n->beneath[w->bit];
		if (is_self && n->exact[w->bit])
			w->allow = n->exact[w->bit];
	}
	for (unsigned i = 0; i < ACCESS_BITS; i++)
		if (n->beneath[i])
			w->nearest = n->beneath[i];
	visit_kernel(w, n, is_self);
	visit_answers(w, n, is_self);
}

static void walk_path(const struct map *m, const char *path, struct walk *w)
{
	uint32_t hash = HASH_SEED;
	for (size_t i = 0; path[i]; i++) {
		hash = hash_step(hash, path[i]);
		if (i != 0 && path[i + 1] != '/' && path[i + 1] != '\0')
			continue;
		const struct node *n = map_find(m, path, i + 1, hash);
		if (n)
			visit(w, n, path[i + 1] == '\0');
	}
}

/*
 * Whether the inode the kernel's rule is bound to is still at its path. What only
 * programs outside could have replaced is looked at once a second.
 */
static bool kernel_fresh(const struct node *node)
{
	struct node *n = (struct node *)node; /* the time is not part of the policy */
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	uint32_t second = (uint32_t)now.tv_sec + 1;
	if (!n->replaceable && atomic_load_explicit(&n->fresh_at, memory_order_relaxed) == second)
		return true;
	struct statx sx;
	if (statx(AT_FDCWD, n->path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_INO, &sx) < 0 ||
		sx.stx_ino != n->ino || makedev(sx.stx_dev_major, sx.stx_dev_minor) != n->dev)
		return false;
	atomic_store_explicit(&n->fresh_at, second, memory_order_relaxed);
	return true;
}

static bool kernel_grants(const struct walk *w)
{
	for (unsigned i = 0; i < w->n_kernel; i++)
		if (kernel_fresh(w->kernel[i]))
			return true;
	return false;
}

/* What may be done to an entry although nothing grants its directory. */
static void allow_entry(struct walk *w, enum operation op)
{
	const struct node *n = w->self;
	if (!n || w->allow || !w->of_parent)
		return;
	unsigned bit = access_index(ACCESS_WRITE);
	/* An exactly granted file may be replaced: the new one is renamed onto it. */
	if (n->replace)
		w->allow = n->exact[bit];
	/* A granted directory that did not exist yet may be made. */
	else if (op == OP_CREATE && n->pending)
		w->allow = n->beneath[bit];
}

static struct decision conclude(const struct policy *p, struct walk *w, enum operation op, const char *path, bool mkdir)
{
	allow_entry(w, op);
	if (w->never && !(w->reopened && w->allow))
		return (struct decision){VERDICT_NEVER, w->never, false};
	/* Moving a directory away would move what is hidden below it out of its deny rule. */
	if (w->of_parent && !mkdir && w->self && w->self->shelters)
		return (struct decision){VERDICT_PROTECTED, w->self->shelters, false};
	if (!w->allow && !w->refused && op != OP_EXECUTE && !(w->self && w->self->deny))
		w->allow = sibling_rule(p, path);
	if (w->allow)
		return (struct decision){VERDICT_ALLOW, w->allow, op != OP_ATTR && kernel_grants(w)};
	if (w->refused)
		return (struct decision){VERDICT_NEVER, w->refused, false};
	if (w->deny)
		return (struct decision){VERDICT_PROTECTED, w->deny, false};
	/* A right of the kernel's to list would hold for everything beneath. */
	if (op == OP_READ && w->self && w->self->names)
		return (struct decision){VERDICT_ALLOW, w->self->names, false};
	return (struct decision){VERDICT_NONE, w->nearest, false};
}

static struct decision check(const struct policy *p, enum operation op, const char *path, bool mkdir)
{
	unsigned need = access_for_operation(op);
	if (!need || path[0] != '/')
		return (struct decision){VERDICT_NONE, NULL, false};
	struct walk w = {.need = need,
		.bit = access_index(need),
		.of_parent = op == OP_CREATE || op == OP_DELETE,
		.kernel_need = op == OP_CREATE ? KERNEL_CREATE : need,
		.broker = p->settings.supervision != SUPERVISION_OFF};
	if (path_beneath(path, "/proc") && path[5] == '/' && path[6] >= '1' && path[6] <= '9')
		return proc_check(p, op, path);
	pthread_rwlock_rdlock((pthread_rwlock_t *)&p->lock);
	walk_path(&p->map, path, &w);
	struct decision d = conclude(p, &w, op, path, mkdir);
	pthread_rwlock_unlock((pthread_rwlock_t *)&p->lock);
	/* A rule for all terminals is for those of the session; one named exactly is what it says. */
	if (d.verdict == VERDICT_ALLOW && w.broker && !d.rule->exact && terminal_hidden(p, path))
		d = (struct decision){VERDICT_NEVER, p->terminal_rule, false};
	/* Which processes exist is no secret (anybody may probe with kill); what they are is. */
	if (d.verdict == VERDICT_NONE && op == OP_READ && strcmp(path, "/proc") == 0)
		d = (struct decision){VERDICT_ALLOW, p->proc_rule, false};
	return d;
}

struct decision policy_check_path(const struct policy *p, enum operation op, const char *path)
{
	return check(p, op, path, false);
}

struct decision policy_check_mkdir(const struct policy *p, const char *path)
{
	return check(p, OP_CREATE, path, true);
}

/* ---- moves --------------------------------------------------------------- */

/* The kernel's mask for @path: beneath rules of what lies above it, and its own. */
static void kernel_masks(const struct map *m, const char *path, unsigned *parent, unsigned *own)
{
	*parent = *own = 0;
	uint32_t hash = HASH_SEED;
	for (size_t i = 0; path[i]; i++) {
		hash = hash_step(hash, path[i]);
		if (i != 0 && path[i + 1] != '/' && path[i + 1] != '\0')
			continue;
		const struct node *n = map_find(m, path, i + 1, hash);
		if (!n || !(n->kernel_beneath | n->kernel_exact) || !kernel_fresh(n))
			continue;
		if (path[i + 1])
			*parent |= n->kernel_beneath;
		else
			*own |= n->kernel_beneath | n->kernel_exact;
	}
}

bool policy_kernel_move(const struct policy *p, const char *from, const char *to, bool is_dir, bool link)
{
	unsigned from_parent, from_own, to_parent, to_own;
	pthread_rwlock_rdlock((pthread_rwlock_t *)&p->lock);
	kernel_masks(&p->map, from, &from_parent, &from_own);
	kernel_masks(&p->map, to, &to_parent, &to_own);
	pthread_rwlock_unlock((pthread_rwlock_t *)&p->lock);
	if (!(to_parent & KERNEL_CREATE) || (!link && !(from_parent & ACCESS_WRITE)))
		return false;
	size_t a = (size_t)(path_base(from) - from), b = (size_t)(path_base(to) - to);
	if (a == b && memcmp(from, to, a) == 0)
		return true;
	/* REFER at both ends comes with WRITE; the moved object must gain nothing. */
	if (!(from_parent & ACCESS_WRITE))
		return false;
	unsigned gain = (to_parent | from_own) & ~(from_parent | from_own);
	return is_dir ? !gain : !(gain & (ACCESS_READ | ACCESS_WRITE | ACCESS_EXEC));
}
