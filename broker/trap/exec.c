/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec.c - execve and execveat.
 *
 * Theory of operation
 * -------------------
 * An execution cannot be made on behalf: only the caller can become the program,
 * and the rules that the kernel holds for it cannot grow. So what they cover is
 * continued, and Landlock judges it again. What is allowed beyond them (a person
 * said yes) is brought to where they allow execution: the approved program is
 * copied into the session's own directory (exec_copy.c), and the caller is made to
 * execute the copy (exec_steer.c).
 *
 * A script is not copied. The kernel would run its interpreter with the script's
 * name, so that is what the caller is made to do; the interpreter reads the script
 * by its own name, which $0 and modules beside it depend on. Each file on the way
 * is decided for itself: the script, its interpreter, the interpreter of that.
 * A dynamically linked program names a loader, which the kernel opens by itself;
 * one that the kernel's rules do not cover is refused, with a record.
 */
#include "trap/internal.h"

#include "open/open.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#define MOST_SCRIPTS 5  /* as the kernel */
#define SCRIPT_LINE 256 /* the kernel looks at no more of the first line */
#define HEAD_BYTES 4096

/** struct chain - the files on the way to the program that really runs. */
struct chain {
	struct trap_call *c;
	struct object file;  /* the one looked at */
	struct strv argv;    /* what comes before the caller's own arguments; empty: they stay as they are */
	enum judged all;     /* whether the kernel's rules cover every one */
	bool this_by_kernel; /* and the last one */
	unsigned scripts;
};

enum looked { LOOK_PROGRAM, LOOK_SCRIPT, LOOK_NATIVE /* the kernel says what is wrong with it */ };

/* The interpreter and its argument in a "#!" line, as the kernel reads it. */
static enum looked read_line(char *head, size_t n, char **interpreter, char **argument)
{
	size_t most = n < SCRIPT_LINE - 1 ? n : SCRIPT_LINE - 1;
	char *line = head + 2;
	head[most] = '\0';
	char *end = strchr(line, '\n');
	line += strspn(line, " \t");
	size_t name = strcspn(line, " \t\n");
	/* the name must be complete within what the kernel looks at */
	if (name == 0 || (!end && !line[name] && n >= SCRIPT_LINE))
		return LOOK_NATIVE;
	if (end)
		*end = '\0';
	*interpreter = xstrndup(line, name);
	char *arg = line + name;
	arg += strspn(arg, " \t");
	size_t len = strlen(arg);
	while (len && (arg[len - 1] == ' ' || arg[len - 1] == '\t'))
		len--;
	*argument = len ? xstrndup(arg, len) : NULL;
	return LOOK_SCRIPT;
}

/* The loader that a program asks for. New string, NULL when none can be seen. */
static char *loader_of(int fd, const char *head, size_t n)
{
	Elf64_Ehdr e;
	if (n < sizeof(e) || memcmp(head, ELFMAG, SELFMAG) != 0 || head[EI_CLASS] != ELFCLASS64)
		return NULL;
	memcpy(&e, head, sizeof(e));
	if (e.e_phentsize != sizeof(Elf64_Phdr))
		return NULL;
	for (unsigned i = 0; i < e.e_phnum && i < 64; i++) {
		Elf64_Phdr p;
		char name[PATH_MAX];
		if (pread(fd, &p, sizeof(p), (off_t)(e.e_phoff + i * sizeof(p))) != sizeof(p))
			return NULL;
		if (p.p_type != PT_INTERP)
			continue;
		if (p.p_filesz < 2 || p.p_filesz > sizeof(name) ||
			pread(fd, name, p.p_filesz, (off_t)p.p_offset) != (ssize_t)p.p_filesz)
			return NULL;
		name[p.p_filesz - 1] = '\0';
		return xstrdup(name);
	}
	return NULL;
}

/* Pin what @path means for the caller. Return: 0 or -errno. */
static int pin_named(struct trap_call *c, const char *path, struct object *o)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS};
	*o = (struct object){.fd = -1, .parent = -1};
	cleanup_fd int dir = path[0] == '/' ? -1 : caller_dir(c, AT_FDCWD);
	if (path[0] != '/' && dir < 0)
		return dir;
	o->fd = (int)syscall(SYS_openat2, path[0] == '/' ? AT_FDCWD : dir, path, &how, sizeof(how));
	if (o->fd < 0)
		return -errno;
	(void)snprintf(o->asked, sizeof(o->asked), "%s", path);
	o->exists = true;
	return fd_path(o->fd, o->path, sizeof(o->path), &o->st);
}

/* What would fail whatever we say: the kernel tells the program why. */
static bool fails_by_itself(const struct object *o)
{
	struct statvfs v;
	return !S_ISREG(o->st.st_mode) || !(o->st.st_mode & 0111) ||
	       faccessat(o->fd, "", X_OK, AT_EMPTY_PATH | AT_EACCESS) < 0 || fstatvfs(o->fd, &v) < 0 ||
	       (v.f_flag & ST_NOEXEC);
}

/* A file that must be granted to the kernel, because nothing else can help. Return: whether it is, or refused here. */
static bool loader_granted(struct trap_call *c, const char *loader)
{
	cleanup_object struct object o = {.fd = -1, .parent = -1};
	if (pin_named(c, loader, &o) < 0)
		return true; /* fails by itself */
	struct decision d = policy_check_path(c->t->cfg.policy, OP_EXECUTE, o.path);
	if (d.verdict == VERDICT_ALLOW && d.kernel)
		return true;
	struct trap_object what = {.op = OP_EXECUTE, .asked = o.asked, .resolved = o.path};
	d.verdict = VERDICT_NEVER; /* not asked: a yes could not help */
	trap_refuse_or_ask(c, &what, d, EACCES);
	return false;
}

/* Go from a script to its interpreter. Return: whether to go on; otherwise the call is answered. */
static bool enter_script(struct chain *k, const char *name, const char *interpreter, const char *argument)
{
	struct strv argv = {0};
	if (++k->scripts > MOST_SCRIPTS) {
		trap_errno(k->c, ELOOP);
		return false;
	}
	strv_add(&argv, interpreter);
	if (argument)
		strv_add(&argv, argument);
	strv_add(&argv, name);
	for (size_t i = 1; i < k->argv.n; i++) /* its own first argument was its name */
		strv_add(&argv, k->argv.v[i]);
	strv_free(&k->argv);
	k->argv = argv;
	if (!k->this_by_kernel)
		permit_add(k->c, k->file.path);
	object_close(&k->file);
	int rc = pin_named(k->c, interpreter, &k->file);
	if (rc < 0) {
		trap_errno(k->c, -rc);
		return false;
	}
	return true;
}

/*
 * Decide about one file, and find the next one if it is a script.
 * @name: how it is passed to its interpreter
 * Return: what it is; LOOK_NATIVE also when the call is answered.
 */
static enum looked look(struct chain *k, const char *name)
{
	struct trap_call *c = k->c;
	if (fails_by_itself(&k->file))
		return LOOK_NATIVE;
	enum judged j = judge(c, OP_EXECUTE, k->file.asked, k->file.path, NULL);
	if (j == JUDGED_ANSWERED)
		return LOOK_NATIVE;
	k->this_by_kernel = j == JUDGED_KERNEL;
	k->all = j > k->all ? j : k->all;
	char link[40], head[HEAD_BYTES + 1];
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", k->file.fd);
	cleanup_fd int fd = open(link, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : pread(fd, head, HEAD_BYTES, 0);
	if (n < 2) /* empty, or may be executed but not read: no copy of it can be made */
		return j == JUDGED_KERNEL ? LOOK_NATIVE : LOOK_PROGRAM;
	cleanup_free char *interpreter = NULL, *argument = NULL;
	if (head[0] == '#' && head[1] == '!') {
		enum looked l = read_line(head, (size_t)n, &interpreter, &argument);
		if (l == LOOK_NATIVE && j != JUDGED_KERNEL)
			trap_errno(c, ENOEXEC);
		if (l == LOOK_NATIVE || !enter_script(k, name, interpreter, argument))
			return LOOK_NATIVE;
		return l;
	}
	cleanup_free char *loader = loader_of(fd, head, (size_t)n);
	return loader && !loader_granted(c, loader) ? LOOK_NATIVE : LOOK_PROGRAM;
}

/* Every file is allowed, but not all of them by the kernel's rules. */
static void run_elsewhere(struct chain *k, uint64_t argv, uint64_t envp)
{
	cleanup_free char *copy = NULL;
	if (!k->this_by_kernel) {
		copy = exec_copy(k->c->t, k->file.fd, k->file.path);
		if (!copy) {
			trap_errno(k->c, errno == EACCES || errno == EPERM ? EACCES : errno);
			return;
		}
		permit_add(k->c, k->file.path); /* a shell reads what turns out to be no program */
	}
	/* by the name that was asked for: a program may be several, and goes by its name */
	const char *own = k->file.asked[0] == '/' ? k->file.asked : k->file.path;
	exec_steer(k->c, copy ? copy : own, &k->argv, argv, envp);
}

/** struct exec_args - where the call has its arguments. */
struct exec_args {
	int dirfd, flags;
	uint64_t path, argv, envp;
};

/* The name by which an interpreter finds the script. New string. */
static char *script_name(const struct exec_args *a, const struct object *o)
{
	bool plain = o->asked[0] == '/' || (o->asked[0] && a->dirfd == AT_FDCWD);
	return xstrdup(plain ? o->asked : o->path);
}

/*
 * An opener by its path, in a program without the shim: the session's entry is what it executes. Return: whether
 * it was one.
 */
static bool lead_opener(struct trap_call *c, const struct object *file, const struct exec_args *a)
{
	const struct open_room *open = c->t->cfg.open;
	char *entry = open ? open_entry_at(open, file->path) : NULL;
	if (!entry && open)
		entry = open_entry_at(open, file->asked);
	const struct strv unchanged = {0};
	if (entry)
		exec_steer(c, entry, &unchanged, a->argv, a->envp);
	free(entry);
	return entry != NULL;
}

static void execute(struct trap_call *c, const struct exec_args *a)
{
	struct chain k = {.c = c, .all = JUDGED_KERNEL, .file = {.fd = -1, .parent = -1}};
	unsigned how = (a->flags & AT_EMPTY_PATH ? RESOLVE_EMPTY : 0) |
		       (a->flags & AT_SYMLINK_NOFOLLOW ? RESOLVE_NOFOLLOW : 0);
	enum looked l = LOOK_NATIVE;
	/* a failing lookup fails by itself; what has no path (memfd) Landlock judges */
	if (object_resolve(c, a->dirfd, a->path, how, 0, &k.file) == 0 && !k.file.native &&
		!lead_opener(c, &k.file, a)) {
		cleanup_free char *first = script_name(a, &k.file);
		l = look(&k, first);
		while (l == LOOK_SCRIPT) {
			cleanup_free char *next = xstrdup(k.argv.v[0]);
			l = look(&k, next);
		}
	}
	if (c->answered) {
		/* refused, asked, or told what is wrong */
	} else if (l == LOOK_NATIVE || k.all == JUDGED_KERNEL) {
		trap_continue(c); /* Landlock judges the same call again */
	} else {
		run_elsewhere(&k, a->argv, a->envp);
	}
	object_close(&k.file);
	strv_free(&k.argv);
}

void handle_execve(struct trap_call *c)
{
	const struct exec_args a = {
		.dirfd = AT_FDCWD, .path = trap_arg(c, 0), .argv = trap_arg(c, 1), .envp = trap_arg(c, 2)};
	execute(c, &a);
}

void handle_execveat(struct trap_call *c)
{
	const struct exec_args a = {.dirfd = (int)trap_arg(c, 0),
		.flags = (int)trap_arg(c, 4),
		.path = trap_arg(c, 1),
		.argv = trap_arg(c, 2),
		.envp = trap_arg(c, 3)};
	execute(c, &a);
}
