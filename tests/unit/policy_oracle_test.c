/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_oracle_test.c - the kernel and the decision function say the same.
 *
 * Random trees (links, hard links, "..", missing paths) and random profiles (nested
 * grants, denied islands, bypasses, exact files, write-only directories). A forked
 * child enters the Landlock domain made from the policy and tries operations; the
 * parent asks the decision function about the canonical object and undoes what the
 * child managed to do, keeping inodes. Three statements are checked:
 *   - the kernel allows it exactly when decision.kernel says so;
 *   - what the kernel allows, the decision allows;
 *   - what the decision says is what a plain scan of all rules says.
 * One thing is known to differ: another hard link of a file that a rule grants exactly,
 * which the kernel grants because it judges the inode.
 *
 * NONO_TEST_SEED repeats a run, NONO_TEST_LOOPS sets the number of trees.
 */
#include "policy_fixture.h"
#include "sandbox/landlock.h"

#include <time.h>

#include <limits.h>
#include <linux/fs.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define MAX_PATHS 64
#define OPS_PER_TREE 250
#define PROFILES_PER_TREE 20 /* random ones often contradict themselves */

enum action {
	OPEN_READ,
	OPEN_WRITE,
	OPEN_READ_WRITE,
	OPEN_TRUNCATE,
	TRUNCATE,
	EXECUTE,
	CREATE_WRITE,
	CREATE_READ,
	MAKE_DIR,
	MAKE_FIFO,
	MAKE_LINK,
	UNLINK,
	REMOVE_DIR,
	RENAME,
	HARD_LINK,
	ACTION_COUNT
};
static const char *const action_names[] = {"open read", "open write", "open read-write", "open truncate", "truncate",
	"execute", "create for writing", "create for reading", "mkdir", "mkfifo", "symlink", "unlink", "rmdir",
	"rename", "link"};

static unsigned long long rng;
static unsigned pick(unsigned n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (unsigned)(rng % n);
}

/* ---- trees --------------------------------------------------------------- */

struct tree {
	char *root;
	char *paths[MAX_PATHS]; /* absolute; made or only mentioned */
	size_t n;
};

static char *random_path(const struct tree *t)
{
	static const char *const names[] = {"a", "b", "c", "d", "file", "secret"};
	const char *base = t->root;
	if (t->n && pick(3))
		base = t->paths[pick((unsigned)t->n)];
	if (strlen(base) > strlen(t->root) + 16)
		base = t->root;
	return path_join(base, names[pick(ARRAY_SIZE(names))]);
}

static void tree_make(struct tree *t)
{
	while (t->n < MAX_PATHS / 2) {
		char *path = random_path(t);
		const char *other = t->n ? t->paths[pick((unsigned)t->n)] : t->root;
		int fd;
		switch (t->n < 8 ? 0 : pick(8)) {
		case 0:
		case 1:
		case 2:
			mkdir(path, 0777);
			break;
		case 3:
			if (symlink(other, path) < 0)
				errno = 0;
			break;
		case 4:
			if (link(other, path) < 0)
				errno = 0;
			break;
		case 5:
			break; /* a path that does not exist */
		default:
			fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0777);
			if (fd >= 0)
				close(fd);
		}
		t->paths[t->n++] = path;
	}
}

static char *random_spelling(const struct tree *t)
{
	const char *path = t->paths[pick((unsigned)t->n)];
	switch (pick(8)) {
	case 0:
		return xasprintf("%s/../%s", path, path_base(path));
	case 1:
		return xasprintf("%s/./%s", t->root, path + strlen(t->root) + 1);
	case 2:
		return random_path(t);
	default:
		return xstrdup(path);
	}
}

/* ---- profiles ------------------------------------------------------------ */

static void add_absolute(struct items *l, const char *path, enum source source)
{
	struct origin origin = {.source = source, .label = (char *)"oracle"};
	items_add(l, path, &origin);
}

static void profile_make(const struct tree *t, struct profile *p)
{
	struct items *const lists[] = {
		&p->fs.allow, &p->fs.read, &p->fs.write, &p->fs.allow_file, &p->fs.read_file, &p->fs.write_file};
	unsigned grants = 1 + pick(5);
	for (unsigned i = 0; i < grants; i++) {
		const char *path = pick(4) ? t->paths[pick((unsigned)t->n)] : t->root;
		struct stat st;
		bool is_dir = stat(path, &st) < 0 || S_ISDIR(st.st_mode);
		add_absolute(lists[pick(3) + (is_dir ? 0 : 3)], path, SOURCE_PROFILE);
	}
	for (unsigned i = pick(4); i > 0; i--) {
		const char *path = t->paths[pick((unsigned)t->n)];
		add_absolute(&p->fs.deny, path, SOURCE_PROFILE);
		if (pick(4) == 0)
			add_absolute(&p->fs.bypass_protection, path, SOURCE_PROFILE);
	}
	if (pick(4) == 0)
		p->security.supervision = SUPERVISION_OFF;
}

/* ---- the child ----------------------------------------------------------- */

struct request {
	enum action action;
	char path[PATH_MAX], other[PATH_MAX];
};

static int as_errno(long r)
{
	if (r < 0)
		return errno;
	return 0;
}

static int try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK, 0777);
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int try_execute(const char *path)
{
	pid_t pid = vfork();
	if (pid == 0) {
		char *const argv[] = {(char *)path, NULL};
		execv(path, argv);
		_exit(errno);
	}
	int status = 0;
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static int attempt(const struct request *r)
{
	switch (r->action) {
	case OPEN_READ:
		return try_open(r->path, O_RDONLY);
	case OPEN_WRITE:
		return try_open(r->path, O_WRONLY);
	case OPEN_READ_WRITE:
		return try_open(r->path, O_RDWR);
	case OPEN_TRUNCATE:
		return try_open(r->path, O_WRONLY | O_TRUNC);
	case TRUNCATE:
		return as_errno(truncate(r->path, 3));
	case EXECUTE:
		return try_execute(r->path);
	case CREATE_WRITE:
		return try_open(r->path, O_WRONLY | O_CREAT | O_EXCL);
	case CREATE_READ:
		return try_open(r->path, O_RDONLY | O_CREAT | O_EXCL);
	case MAKE_DIR:
		return as_errno(mkdir(r->path, 0777));
	case MAKE_FIFO:
		return as_errno(mkfifo(r->path, 0777));
	case MAKE_LINK:
		return as_errno(symlink("x", r->path));
	case UNLINK:
		return as_errno(unlink(r->path));
	case REMOVE_DIR:
		return as_errno(rmdir(r->path));
	case RENAME:
		return as_errno(rename(r->path, r->other));
	case HARD_LINK:
		return as_errno(link(r->path, r->other));
	case ACTION_COUNT:
		break;
	}
	return ENOSYS;
}

static void child_main(int ruleset, int in, int out)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (landlock_enter(ruleset, false) < 0)
		_exit(1);
	struct request r;
	while (read(in, &r, sizeof(r)) == sizeof(r)) {
		int err = attempt(&r);
		if (write(out, &err, sizeof(err)) != sizeof(err))
			_exit(2);
	}
	_exit(0);
}

/* ---- the parent ---------------------------------------------------------- */

struct round {
	struct tree tree;
	struct policy *policy;
	char *spare; /* where unlinked files are kept */
	int to, from;
	unsigned long compared, allowed;
};

static int ask_child(struct round *rd, const struct request *r)
{
	int err;
	assert_int_equal(write(rd->to, r, sizeof(*r)), sizeof(*r));
	assert_int_equal(read(rd->from, &err, sizeof(err)), sizeof(err));
	return err;
}

/* The entry @path names without following it: canonical parent and name. NULL when the parent is missing. */
static char *entry_of(const char *path)
{
	cleanup_free char *dir = path_dir(path);
	cleanup_free char *real = realpath(dir, NULL);
	const char *base = path_base(path);
	struct stat st;
	if (!real || stat(real, &st) < 0 || !S_ISDIR(st.st_mode) || !base[0] || strcmp(base, ".") == 0 ||
		strcmp(base, "..") == 0)
		return NULL;
	return path_join(real, base);
}

/* Whether a rule of the profile grants exactly the same inode under another name. */
static bool other_name_granted(const struct policy *p, const char *path)
{
	struct stat st, rule;
	if (lstat(path, &st) < 0 || S_ISDIR(st.st_mode))
		return false;
	size_t n;
	const struct rule *const *r = policy_rules(p, &n);
	for (size_t i = 0; i < n; i++)
		if (r[i]->exact && strcmp(r[i]->path, path) != 0 && lstat(r[i]->path, &rule) == 0 &&
			rule.st_ino == st.st_ino && rule.st_dev == st.st_dev)
			return true;
	return false;
}

static void mismatch(const struct round *rd, const struct request *r, const char *object, int err, bool want)
{
	size_t n;
	const struct kernel_rule *k = policy_kernel_rules(rd->policy, &n);
	for (size_t i = 0; i < n; i++)
		print_error("  kernel rule %s access %u%s%s\n", k[i].path, k[i].access, k[i].exact ? " exact" : "",
			k[i].write_only ? " write-only" : "");
	const struct rule *const *rules = policy_rules(rd->policy, &n);
	for (size_t i = 0; i < n; i++)
		print_error("  rule %s access %u%s%s\n", rules[i]->path ? rules[i]->path : "-", rules[i]->access,
			rules[i]->deny ? " deny" : "", rules[i]->exact ? " exact" : "");
	fail_msg("%s %s %s (object %s): the kernel says %s, the decision %s", action_names[r->action], r->path,
		r->other, object, strerror(err), want ? "granted by the kernel" : "not granted by the kernel");
}

/* Compare the kernel's answer with what the decisions say together. */
static void compare(
	struct round *rd, const struct request *r, const char *object, int err, struct decision a, struct decision b)
{
	bool kernel = a.kernel && b.kernel;
	bool allow = a.verdict == VERDICT_ALLOW && b.verdict == VERDICT_ALLOW;
	bool refused = err == EACCES || err == EXDEV;
	rd->compared++;
	rd->allowed += !refused;
	bool hard_linked = other_name_granted(rd->policy, object);
	if (refused == kernel && !(hard_linked && !refused))
		mismatch(rd, r, object, err, kernel);
	if (!refused && !allow && !hard_linked)
		mismatch(rd, r, object, err, kernel);
}

/* The same question answered the slow way: the deepest deny hides every grant that is not below it. */
static bool plainly_allowed(const struct policy *p, unsigned need, const char *path)
{
	size_t n, hidden = 0;
	const struct rule *const *r = policy_rules(p, &n);
	for (size_t i = 0; i < n; i++) {
		if (!r[i]->deny || !path_beneath(path, r[i]->path))
			continue;
		if (r[i]->never)
			return false;
		if (strlen(r[i]->path) > hidden)
			hidden = strlen(r[i]->path);
	}
	for (size_t i = 0; i < n; i++)
		if ((r[i]->access & need) && strlen(r[i]->path) > hidden &&
			(r[i]->exact ? strcmp(path, r[i]->path) == 0 : path_beneath(path, r[i]->path)))
			return true;
	return false;
}

static void check_open(struct round *rd, struct request *r)
{
	static const enum operation ops[][2] = {
		[OPEN_READ] = {OP_READ, OP_READ},
		[OPEN_WRITE] = {OP_WRITE, OP_WRITE},
		[OPEN_READ_WRITE] = {OP_READ, OP_WRITE},
		[OPEN_TRUNCATE] = {OP_WRITE, OP_WRITE},
		[TRUNCATE] = {OP_WRITE, OP_WRITE},
		[EXECUTE] = {OP_EXECUTE, OP_EXECUTE},
	};
	cleanup_free char *object = realpath(r->path, NULL);
	struct stat st;
	if (!object || stat(object, &st) < 0 || (S_ISDIR(st.st_mode) && r->action != OPEN_READ))
		return;
	struct decision a = policy_check_path(rd->policy, ops[r->action][0], object);
	struct decision b = policy_check_path(rd->policy, ops[r->action][1], object);
	if (plainly_allowed(rd->policy, access_for_operation(ops[r->action][0]), object) !=
		(a.verdict == VERDICT_ALLOW))
		mismatch(rd, r, object, 0, a.kernel);
	int err = ask_child(rd, r);
	compare(rd, r, object, err, a, b);
}

static void check_create(struct round *rd, struct request *r)
{
	cleanup_free char *object = entry_of(r->path);
	struct stat st;
	if (!object || lstat(object, &st) == 0)
		return;
	struct decision d = policy_check_path(rd->policy, OP_CREATE, object);
	struct decision also = d;
	if (r->action == CREATE_WRITE || r->action == CREATE_READ)
		also = policy_check_path(rd->policy, r->action == CREATE_WRITE ? OP_WRITE : OP_READ, object);
	int err = ask_child(rd, r);
	compare(rd, r, object, err, d, also);
	if (unlink(object) < 0)
		rmdir(object);
}

static void check_unlink(struct round *rd, struct request *r)
{
	cleanup_free char *object = entry_of(r->path);
	struct stat st;
	if (!object || lstat(object, &st) < 0 || S_ISDIR(st.st_mode))
		return;
	assert_int_equal(link(object, rd->spare), 0);
	struct decision d = policy_check_path(rd->policy, OP_DELETE, object);
	int err = ask_child(rd, r);
	compare(rd, r, object, err, d, d);
	if (lstat(object, &st) < 0)
		assert_int_equal(link(rd->spare, object), 0);
	assert_int_equal(unlink(rd->spare), 0);
}

static void check_rmdir(struct round *rd, struct request *r)
{
	cleanup_free char *object = entry_of(r->path);
	struct stat st;
	if (!object || lstat(object, &st) < 0 || !S_ISDIR(st.st_mode))
		return;
	/* never empty, so that an allowed removal fails with ENOTEMPTY after the kernel has judged it */
	cleanup_free char *keep = path_join(object, ".keep");
	close(open(keep, O_WRONLY | O_CREAT | O_CLOEXEC, 0777));
	struct decision d = policy_check_path(rd->policy, OP_DELETE, object);
	int err = ask_child(rd, r);
	compare(rd, r, object, err, d, d);
	unlink(keep);
}

static void check_move(struct round *rd, struct request *r)
{
	cleanup_free char *from = entry_of(r->path), *to = entry_of(r->other);
	struct stat st, old;
	if (!from || !to || lstat(from, &st) < 0 || lstat(to, &old) == 0 || path_beneath(to, from))
		return;
	bool is_dir = S_ISDIR(st.st_mode), is_link = r->action == HARD_LINK;
	if (is_dir && is_link)
		return;
	bool kernel = policy_kernel_move(rd->policy, from, to, is_dir, is_link);
	struct decision src = policy_check_path(rd->policy, OP_DELETE, from);
	struct decision dst = policy_check_path(rd->policy, OP_CREATE, to);
	if (is_link)
		src = dst;
	src.kernel = dst.kernel = kernel;
	bool hard_linked = other_name_granted(rd->policy, from);
	int err = ask_child(rd, r);
	if (!hard_linked)
		compare(rd, r, to, err, src, dst);
	if (lstat(to, &old) == 0)
		assert_int_equal(is_link ? unlink(to) : rename(to, from), 0);
}

static void check_one(struct round *rd)
{
	static void (*const checks[ACTION_COUNT])(struct round *, struct request *) = {
		[OPEN_READ... EXECUTE] = check_open,
		[CREATE_WRITE... MAKE_LINK] = check_create,
		[UNLINK] = check_unlink,
		[REMOVE_DIR] = check_rmdir,
		[RENAME... HARD_LINK] = check_move,
	};
	static struct request r;
	memset(&r, 0, sizeof(r));
	do
		r.action = (enum action)pick(ACTION_COUNT);
	while (r.action == TRUNCATE && landlock_abi() < 3); /* which leaves that to the broker */
	cleanup_free char *path = random_spelling(&rd->tree), *other = random_spelling(&rd->tree);
	snprintf(r.path, sizeof(r.path), "%s", path);
	snprintf(r.other, sizeof(r.other), "%s", other);
	checks[r.action](rd, &r);
}

static void run_child(struct round *rd)
{
	struct landlock_options o = {.broker_files = policy_settings(rd->policy)->supervision != SUPERVISION_OFF};
	cleanup_err struct err *e = NULL;
	cleanup_fd int ruleset = landlock_prepare(rd->policy, &o, &e);
	if (ruleset < 0)
		fail_msg("landlock_prepare: %s", err_msg(e));
	int to[2], from[2];
	assert_int_equal(pipe2(to, O_CLOEXEC), 0);
	assert_int_equal(pipe2(from, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(to[1]);
		close(from[0]);
		child_main(ruleset, to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	rd->to = to[1];
	rd->from = from[0];
	for (unsigned i = 0; i < OPS_PER_TREE; i++)
		check_one(rd);
	close(rd->to);
	close(rd->from);
	int status;
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

static unsigned long oracle_round(struct fixture *f, unsigned long *allowed)
{
	struct round rd = {.tree.root = path_join(f->home, "tree"), .spare = path_join(f->home, "spare")};
	assert_int_equal(mkdir(rd.tree.root, 0777), 0);
	if (pick(3) == 0) { /* nono's own places among the rest */
		setenv("XDG_STATE_HOME", rd.tree.root, 1);
		cleanup_free char *own = path_join(rd.tree.root, "nono");
		mkdir(own, 0777);
		rd.tree.paths[rd.tree.n++] = steal_ptr(&own);
	} else {
		unsetenv("XDG_STATE_HOME");
	}
	tree_make(&rd.tree);
	for (unsigned i = 0; i < PROFILES_PER_TREE && !rd.compared; i++) {
		struct profile *profile = profile_new();
		profile_make(&rd.tree, profile);
		rd.policy = policy_compile(profile, &f->env, NULL);
		if (rd.policy)
			run_child(&rd);
		policy_free(rd.policy);
		profile_free(profile);
	}
	for (size_t i = 0; i < rd.tree.n; i++)
		free(rd.tree.paths[i]);
	assert_int_equal(dir_remove(rd.tree.root, NULL), 0);
	free(rd.tree.root);
	free(rd.spare);
	*allowed += rd.allowed;
	return rd.compared;
}

static void the_kernel_agrees_with_the_decision(void **state)
{
	const char *seed = getenv("NONO_TEST_SEED"), *loops = getenv("NONO_TEST_LOOPS");
	rng = seed ? strtoull(seed, NULL, 0) : (unsigned long long)time(NULL) * 2654435761ULL + (unsigned)getpid();
	unsigned long n = loops ? strtoul(loops, NULL, 0) : 600, compared = 0, allowed = 0;
	for (unsigned long i = 0; i < n; i++) {
		unsigned long long now = rng;
		print_message("seed %llu\r", now);
		compared += oracle_round(*state, &allowed);
	}
	print_message("%lu operations compared, %lu of them allowed\n", compared, allowed);
	assert_true(compared > n * 10);
	assert_true(allowed > compared / 10);
}

static void the_kernel_agrees_for_an_ordinary_user(void **state)
{
	if (getuid() != 0)
		return; /* then the test above was it */
	struct fixture *f = *state;
	assert_int_equal(chmod(f->home, 0777), 0);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		const uid_t nobody = 65534;
		if (setresgid(nobody, nobody, nobody) < 0 || setresuid(nobody, nobody, nobody) < 0)
			_exit(3);
		const struct CMUnitTest tests[] = {cmocka_unit_test_prestate(the_kernel_agrees_with_the_decision, f)};
		_exit(cmocka_run_group_tests_name("ordinary user", tests, NULL, NULL));
	}
	int status;
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_kernel_agrees_with_the_decision),
		TEST(the_kernel_agrees_for_an_ordinary_user),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
