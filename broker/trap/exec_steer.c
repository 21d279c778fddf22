/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec_steer.c - make a caller execute another file than it asked for.
 *
 * Theory of operation
 * -------------------
 * The arguments of a trapped call lie in registers and memory of the caller, and an
 * answer can change neither. So the broker becomes the caller's tracer for a moment
 * (ptrace(2)), which is the right of whoever may read its memory:
 *
 *  1. The caller is seized, then the call is answered. It stops on its way back, before
 *     it has run any instruction of its own.
 *  2. All signals are blocked: a handler that ran now would overwrite what comes next.
 *     The new path, and for a script the new arguments, are written below its stack
 *     pointer, where nothing of the program's is alive (nor of its parent's, after vfork);
 *     long ones in memory that the caller is made to map.
 *  3. Its registers are set to make the call again: execve, with the lane value. It
 *     enters the kernel, where Landlock judges the call like every other.
 *  4. When the call is over the signal mask is put back. Has it failed, so are the
 *     registers, with the error.
 *
 * The caller cannot gain anything by interfering. What it could change (the written
 * memory, from another thread) changes only which file it asks Landlock for, and it
 * can ask for any without us. When the broker dies, the kernel lets the caller go.
 *
 * Stops are not collected with wait(): the program is the broker's child, and the
 * session waits for it elsewhere. Instead the caller is asked for its registers until
 * it has some to tell. A caller that is traced by somebody else (a debugger inside)
 * cannot be steered and is refused.
 */
#include "trap/internal.h"

#include <elf.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>

#define BELOW_STACK 512         /* past the red zone */
#define BELOW_BYTES (16U << 10) /* what is written there at most */
#define MOST_ARGV (8U << 20)    /* bytes of argument pointers; the kernel takes no more */
#define BUSY_TRIES 50

#if defined(__x86_64__)
/* Point the registers at the call instruction again. */
static void prepare(struct user_regs_struct *r, long nr, const uint64_t args[6])
{
	r->rip -= 2;
	r->rax = (unsigned long long)nr;
	r->orig_rax = (unsigned long long)-1; /* no call that could be restarted */
	r->rdi = args[0];
	r->rsi = args[1];
	r->rdx = args[2];
	r->r10 = args[3];
	r->r8 = args[4];
	r->r9 = args[5];
}
static uint64_t stack_of(const struct user_regs_struct *r)
{
	return r->rsp;
}
static void returned(struct user_regs_struct *r, int64_t value)
{
	r->rax = (unsigned long long)value;
	r->orig_rax = (unsigned long long)-1;
}
#elif defined(__aarch64__)
static void prepare(struct user_regs_struct *r, long nr, const uint64_t args[6])
{
	r->pc -= 4;
	r->regs[8] = (unsigned long long)nr;
	for (int i = 0; i < 6; i++)
		r->regs[i] = args[i];
}
static uint64_t stack_of(const struct user_regs_struct *r)
{
	return r->sp;
}
static void returned(struct user_regs_struct *r, int64_t value)
{
	r->regs[0] = (unsigned long long)value;
}
#endif

/** struct steer - a caller that is being steered. */
struct steer {
	pid_t tid, tgid;
	bool own_child; /* the session waits for it */
	struct user_regs_struct saved;
	uint64_t mask;
	const char *path;
	const struct strv *argv;
	uint64_t old_argv, envp;
	uint64_t mapped, mapped_size; /* memory made for long arguments, 0: none */
};

static int get_regs(struct steer *s, struct user_regs_struct *r)
{
	struct iovec io = {r, sizeof(*r)};
	return ptrace(PTRACE_GETREGSET, s->tid, (void *)NT_PRSTATUS, &io) < 0 ? -1 : 0;
}

static int set_regs(struct steer *s, struct user_regs_struct *r)
{
	struct iovec io = {r, sizeof(*r)};
	return ptrace(PTRACE_SETREGSET, s->tid, (void *)NT_PRSTATUS, &io) < 0 ? -1 : 0;
}

/* Dead tracees stay until their tracer has seen that; our own child is the session's to see. */
static bool gone(struct steer *s)
{
	siginfo_t si = {0};
	int rc = waitid(P_PID, (id_t)s->tid, &si, WEXITED | WNOHANG | WNOWAIT | __WALL);
	if (rc < 0)
		return errno == ECHILD;
	if (si.si_pid == 0 || (si.si_code != CLD_EXITED && si.si_code != CLD_KILLED && si.si_code != CLD_DUMPED))
		return false; /* a stop is told as well */
	if (!s->own_child || s->tid != s->tgid)
		waitpid(s->tid, NULL, WNOHANG | __WALL);
	return true;
}

/* Wait until it stops. Return: 0, -1 when it is gone. */
static int stopped(struct steer *s, struct user_regs_struct *r)
{
	struct timespec pause = {.tv_nsec = 20000};
	for (;;) {
		if (get_regs(s, r) == 0)
			return 0;
		/* a thread that executes takes the number of the first one */
		pid_t was = s->tid;
		s->tid = s->tgid;
		if (was != s->tgid && get_regs(s, r) == 0)
			return 0;
		s->tid = was;
		if (gone(s) && (was == s->tgid || kill(s->tgid, 0) < 0))
			return -1;
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < 1000000)
			pause.tv_nsec += pause.tv_nsec / 4;
	}
}

/* The path and the arguments as they will lie at @base. Return: where the arguments are, 0 for the old ones. */
static uint64_t lay_out(const struct steer *s, const uint64_t *old, size_t n_old, uint64_t base, struct buf *b)
{
	cleanup_free uint64_t *v = xcalloc(s->argv->n + n_old + 1, sizeof(*v));
	buf_add(b, s->path, strlen(s->path) + 1);
	if (s->argv->n == 0)
		return 0;
	size_t n = 0;
	for (size_t i = 0; i < s->argv->n; i++) {
		v[n++] = base + b->len;
		buf_add(b, s->argv->v[i], strlen(s->argv->v[i]) + 1);
	}
	for (size_t i = 1; i < n_old; i++)
		v[n++] = old[i];
	while (b->len % sizeof(*v))
		buf_addc(b, '\0');
	uint64_t at = base + b->len;
	buf_add(b, v, (n + 1) * sizeof(*v));
	return at;
}

/* The caller's argument pointers. Return: how many, or -errno. */
static ssize_t read_argv(struct trap_call *c, uint64_t at, uint64_t **out)
{
	size_t n = 0, cap = 0;
	*out = NULL;
	while (at) {
		if (n == cap) {
			cap = cap ? cap * 2 : 64;
			if (cap * sizeof(**out) > MOST_ARGV)
				return -E2BIG;
			*out = xreallocarray(*out, cap, sizeof(**out));
		}
		/* as many as the page holds: the next one may not be there */
		uint64_t from = at + n * sizeof(**out);
		size_t take = (4096 - from % 4096) / sizeof(**out);
		take = take == 0 ? 1 : take > cap - n ? cap - n : take;
		int rc = trap_read(c, from, &(*out)[n], take * sizeof(**out));
		if (rc < 0)
			return rc;
		for (size_t end = n + take; n < end; n++)
			if ((*out)[n] == 0)
				return (ssize_t)n;
	}
	return (ssize_t)n;
}

/* Let it run from stop to stop until the call is over. Return: its value, -ESRCH when it is gone. */
static int64_t run_call(struct steer *s)
{
	for (;;) {
		struct user_regs_struct r = {0};
		struct __ptrace_syscall_info info = {0};
		siginfo_t si = {0};
		/* a signal that cannot be blocked is passed on */
		bool signal = ptrace(PTRACE_GETSIGINFO, s->tid, NULL, &si) == 0 && si.si_signo == SIGSTOP &&
			      si.si_code >> 8 != PTRACE_EVENT_STOP;
		if (ptrace(PTRACE_SYSCALL, s->tid, NULL, (void *)(intptr_t)(signal ? SIGSTOP : 0)) < 0 ||
			stopped(s, &r) < 0)
			return -ESRCH;
		if (ptrace(PTRACE_GET_SYSCALL_INFO, s->tid, (void *)sizeof(info), &info) > 0 &&
			info.op == PTRACE_SYSCALL_INFO_EXIT)
			return info.exit.rval;
	}
}

/* Make one call of the caller's. Return: its value, -ESRCH when it is gone. */
static int64_t make_call(struct steer *s, long nr, const uint64_t args[6])
{
	struct user_regs_struct r = s->saved;
	prepare(&r, nr, args);
	return set_regs(s, &r) < 0 ? -ESRCH : run_call(s);
}

/* Where @size bytes can lie in the caller. Below its stack; long arguments in memory of their own. */
static uint64_t room_for(struct steer *s, size_t size)
{
	if (size <= BELOW_BYTES)
		return (stack_of(&s->saved) - BELOW_STACK - size) & ~15ULL;
	s->mapped_size = size;
	int64_t at = make_call(s, __NR_mmap,
		(const uint64_t[6]){0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0});
	s->mapped = at > 0 ? (uint64_t)at : 0;
	return s->mapped;
}

/* Execute. Return: 0, or -errno: the caller is as before. */
static int64_t execute(struct steer *s, const uint64_t *old, size_t n_old)
{
	cleanup_buf struct buf b = {0};
	(void)lay_out(s, old, n_old, 0, &b);
	uint64_t base = room_for(s, b.len);
	if (!base)
		return -ENOMEM;
	buf_free(&b);
	uint64_t argv = lay_out(s, old, n_old, base, &b);
	struct iovec local = {b.data, b.len}, remote = {(void *)(uintptr_t)base, b.len};
	int64_t value = -EFAULT;
	if (process_vm_writev(s->tid, &local, 1, &remote, 1, 0) == (ssize_t)b.len)
		value = make_call(
			s, __NR_execve, (const uint64_t[6]){base, argv ? argv : s->old_argv, s->envp, 0, 0, TRAP_LANE});
	if (value < 0 && value != -ESRCH && s->mapped)
		(void)make_call(s, __NR_munmap, (const uint64_t[6]){s->mapped, s->mapped_size});
	s->mapped = 0;
	return value;
}

static void finish(struct steer *s, int64_t value)
{
	if (value < 0) {
		returned(&s->saved, value);
		set_regs(s, &s->saved);
	}
	ptrace(PTRACE_SETSIGMASK, s->tid, (void *)sizeof(s->mask), &s->mask);
	ptrace(PTRACE_DETACH, s->tid, NULL, NULL);
}

/* It has stopped behind the trapped call. */
static void steer(struct steer *s, const uint64_t *old, size_t n_old)
{
	uint64_t every = ~0ULL;
	int64_t value = -EACCES;
	if (ptrace(PTRACE_GETSIGMASK, s->tid, (void *)sizeof(s->mask), &s->mask) < 0)
		s->mask = 0;
	ptrace(PTRACE_SETSIGMASK, s->tid, (void *)sizeof(every), &every);
	for (int i = 0; i < BUSY_TRIES; i++) {
		value = execute(s, old, n_old);
		if (value == -ESRCH)
			return;
		/* a child that the broker is just starting still holds the copy open for writing */
		if (value != -ETXTBSY)
			break;
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
	finish(s, value);
}

/* Whether it is traced by us already: the tree is held while a question is on the screen. */
static bool held_by_us(pid_t tid)
{
	char path[64];
	pid_t tracer = process_number(tid, "\nTracerPid:");
	(void)snprintf(path, sizeof(path), "/proc/self/task/%d", (int)tracer);
	return tracer > 0 && access(path, F_OK) == 0;
}

/* Become its tracer. Return: whether the caller still waits for us; -1 when that cannot be. */
static int seize(struct trap_call *c, pid_t tid)
{
	while (trap_alive(c)) {
		if (ptrace(PTRACE_SEIZE, tid, NULL, (void *)PTRACE_O_TRACESYSGOOD) == 0)
			return trap_alive(c); /* as long as it waits its number cannot have become another's */
		if (errno != EPERM || !held_by_us(tid))
			return -1;
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	}
	return -1;
}

void exec_steer(struct trap_call *c, const char *path, const struct strv *argv, uint64_t old_argv, uint64_t envp)
{
	struct steer s = {.tid = trap_tid(c),
		.tgid = trap_tgid(c),
		.path = path,
		.argv = argv,
		.old_argv = old_argv,
		.envp = envp};
	s.own_child = s.tgid == c->t->cfg.root;
	cleanup_free uint64_t *old = NULL;
	ssize_t n_old = argv->n ? read_argv(c, old_argv, &old) : 0;
	if (n_old < 0) {
		trap_errno(c, (int)-n_old);
		return;
	}
	int same = seize(c, s.tid);
	if (same < 0) {
		trap_errno(c, EACCES);
		return;
	}
	ptrace(PTRACE_INTERRUPT, s.tid, NULL, NULL);
	trap_errno(c, EACCES);
	if (stopped(&s, &s.saved) < 0)
		return;
	if (same)
		steer(&s, old, (size_t)n_old);
	else
		ptrace(PTRACE_DETACH, s.tid, NULL, NULL);
}
