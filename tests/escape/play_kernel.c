/* SPDX-License-Identifier: Apache-2.0 */
/*
 * play_kernel.c - run a program as on a kernel with another Landlock ABI version.
 *
 * Usage: play_kernel ABI PROGRAM [ARGUMENTS]
 *
 * The calls by which a program learns about Landlock are stopped with a seccomp
 * filter and answered by a tracer as that kernel would: the version, and EINVAL or
 * E2BIG for rights that it does not know. Below ABI 2 (Linux 5.19) the listener's
 * WAIT_KILLABLE_RECV is unknown as well, below ABI 4 (Linux 6.7) SYNC_WAKE_UP is.
 * What the program then does not handle the running kernel does not judge, so older
 * versions are the real thing. A newer version than the running one is played: rights
 * it would add are checked and left out of the real call.
 *
 * Exit status: the program's; 99 when it asked for a right the version lacks, or, with
 * a version at least the newest known, did not ask for all.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <elf.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#define VERSION 1 /* flags of landlock_create_ruleset */
#define ERRATA 2
#define WAIT_KILLABLE 32
#define SET_FLAGS _IOW('!', 4, uint64_t)

/* What each version knows: file rights, network rights, scopes, bytes of the structure. */
static const struct known {
	uint64_t fs, net, scoped;
	unsigned size;
} known[] = {
	[1] = {(1U << 13) - 1, 0, 0, 8},
	[2] = {(1U << 14) - 1, 0, 0, 8},
	[3] = {(1U << 15) - 1, 0, 0, 8},
	[4] = {(1U << 15) - 1, 3, 0, 16},
	[5] = {(1U << 16) - 1, 3, 0, 16},
	[6] = {(1U << 16) - 1, 3, 3, 24},
	[7] = {(1U << 16) - 1, 3, 3, 24},
	[8] = {(1U << 16) - 1, 3, 3, 24},
	[9] = {(1U << 17) - 1, 3, 3, 24},
	[10] = {(1U << 17) - 1, 15, 3, 48},
};
#define NEWEST ((int)(sizeof(known) / sizeof(*known)) - 1)

static int played, real, asked_wrongly;

/* What is put back when a call has returned: the structure as the program had it. */
static struct restore {
	pid_t pid;
	uint64_t addr, value[3];
	unsigned n;
} restores[64];

typedef struct user_regs_struct registers;
#if defined(__x86_64__)
#define NR(r) ((r)->orig_rax)
#define ARG0(r) ((r)->rdi)
#define ARG1(r) ((r)->rsi)
#define ARG2(r) ((r)->rdx)
#define RESULT(r) ((r)->rax)

static void cancel(pid_t pid, registers *r)
{
	(void)pid;
	NR(r) = (unsigned long long)-1;
}
#elif defined(__aarch64__)
#define NR(r) ((r)->regs[8])
#define ARG0(r) ((r)->regs[0])
#define ARG1(r) ((r)->regs[1])
#define ARG2(r) ((r)->regs[2])
#define RESULT(r) ((r)->regs[0])

static void cancel(pid_t pid, registers *r)
{
	int none = -1;
	struct iovec io = {&none, sizeof(none)};
	(void)r;
	ptrace(PTRACE_SETREGSET, pid, (void *)NT_ARM_SYSTEM_CALL, &io);
}
#else
#error "only x86_64 and aarch64 are played"
#endif

/* Let the call that @pid is about to make return @value instead. */
static void answer(pid_t pid, registers *r, long value)
{
	struct iovec io = {r, sizeof(*r)};
	cancel(pid, r);
	RESULT(r) = (unsigned long long)value;
	ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &io);
}

static uint64_t peek(pid_t pid, uint64_t addr)
{
	return (uint64_t)ptrace(PTRACE_PEEKDATA, pid, (void *)addr, NULL);
}

/* Leave out of the real call what the running kernel lacks. Return: whether the call's end must be waited for. */
static int leave_out(pid_t pid, uint64_t addr, const uint64_t *mask, unsigned n)
{
	struct restore *s = NULL;
	for (size_t i = 0; i < sizeof(restores) / sizeof(*restores) && !s; i++)
		if (!restores[i].pid)
			s = &restores[i];
	*s = (struct restore){.pid = pid, .addr = addr, .n = n};
	for (unsigned i = 0; i < n; i++) {
		s->value[i] = peek(pid, addr + i * 8);
		ptrace(PTRACE_POKEDATA, pid, (void *)(addr + i * 8), (void *)(s->value[i] & mask[i]));
	}
	return 1;
}

static void put_back(pid_t pid)
{
	for (size_t i = 0; i < sizeof(restores) / sizeof(*restores); i++) {
		struct restore *s = &restores[i];
		if (s->pid != pid)
			continue;
		for (unsigned j = 0; j < s->n; j++)
			ptrace(PTRACE_POKEDATA, pid, (void *)(s->addr + j * 8), (void *)s->value[j]);
		s->pid = 0;
	}
}

static int on_create(pid_t pid, registers *r)
{
	const unsigned flags = (unsigned)ARG2(r);
	if (played == 0) {
		answer(pid, r, -EOPNOTSUPP);
		return 0;
	}
	if (flags == VERSION || flags == ERRATA) {
		answer(pid, r, flags == VERSION ? played : played >= 7 ? 1 : -EINVAL);
		return 0;
	}
	const struct known *k = &known[played];
	uint64_t got[3] = {0};
	for (unsigned i = 0; i < 3 && (i + 1) * 8 <= ARG1(r); i++)
		got[i] = peek(pid, ARG0(r) + i * 8);
	if (ARG1(r) > k->size || (got[0] & ~k->fs) || (got[1] & ~k->net) || (got[2] & ~k->scoped)) {
		fprintf(stderr,
			"play_kernel: ABI %d knows fs %#lx net %#lx scopes %#lx in %u bytes; asked for %#lx %#lx %#lx "
			"in %llu\n",
			played, (unsigned long)k->fs, (unsigned long)k->net, (unsigned long)k->scoped, k->size,
			(unsigned long)got[0], (unsigned long)got[1], (unsigned long)got[2],
			(unsigned long long)ARG1(r));
		asked_wrongly = 1;
		answer(pid, r, -EINVAL);
		return 0;
	}
	/* (the keeper's domain handles one right only) */
	if (__builtin_popcountll(got[0]) > 2 && got[0] != k->fs) {
		fprintf(stderr, "play_kernel: ABI %d has file rights %#lx; only %#lx are handled\n", played,
			(unsigned long)k->fs, (unsigned long)got[0]);
		asked_wrongly = 1;
	}
	if (played <= real)
		return 0;
	const uint64_t mask[3] = {known[real].fs, known[real].net, known[real].scoped};
	return leave_out(pid, ARG0(r), mask, (unsigned)(ARG1(r) / 8 < 3 ? ARG1(r) / 8 : 3));
}

static int on_rule(pid_t pid, registers *r)
{
	const int files = (int)ARG1(r) == 1;
	const uint64_t rights = peek(pid, ARG2(r)), knows = files ? known[played].fs : known[played].net;
	if (rights & ~knows) {
		fprintf(stderr, "play_kernel: ABI %d: a rule with rights %#lx\n", played, (unsigned long)rights);
		asked_wrongly = 1;
		answer(pid, r, -EINVAL);
		return 0;
	}
	if (played <= real)
		return 0;
	const uint64_t mask = files ? known[real].fs : known[real].net;
	return leave_out(pid, ARG2(r), &mask, 1);
}

/* A call that the filter stopped. Return: whether its end must be waited for. */
static int on_call(pid_t pid)
{
	registers r;
	struct iovec io = {&r, sizeof(r)};
	if (ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &io) < 0)
		return 0;
	if (NR(&r) == SYS_landlock_create_ruleset)
		return on_create(pid, &r);
	if (NR(&r) == SYS_landlock_add_rule && played)
		return on_rule(pid, &r);
	if (played == 0)
		answer(pid, &r, -EOPNOTSUPP);
	return 0;
}

static int install_filter(void)
{
	const uint32_t set_flags = played < 4 ? SET_FLAGS : 0, killable = played < 2 ? WAIT_KILLABLE : 0;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, SYS_landlock_create_ruleset, 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, SYS_landlock_restrict_self, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, set_flags, 0, 4),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, killable, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
	};
	const struct sock_fprog prog = {.len = sizeof(code) / sizeof(*code), .filter = code};
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) ? -1 : 0;
}

static void stopped(pid_t pid, int status)
{
	const int sig = WSTOPSIG(status), event = status >> 16;
	if (event == PTRACE_EVENT_SECCOMP) {
		ptrace(on_call(pid) ? PTRACE_SYSCALL : PTRACE_CONT, pid, NULL, NULL);
	} else if (sig == (SIGTRAP | 0x80)) {
		put_back(pid);
		ptrace(PTRACE_CONT, pid, NULL, NULL);
	} else if (event == PTRACE_EVENT_STOP && sig != SIGTRAP) {
		ptrace(PTRACE_LISTEN, pid, NULL, NULL);
	} else {
		ptrace(PTRACE_CONT, pid, NULL, (void *)(uintptr_t)(event ? 0 : sig));
	}
}

static int trace(pid_t program)
{
	int status, result = 1;
	for (pid_t pid; (pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR;) {
		if (pid > 0 && WIFSTOPPED(status))
			stopped(pid, status);
		else if (pid == program)
			result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	return asked_wrongly ? 99 : result;
}

int main(int argc, char **argv)
{
	played = argc > 2 ? atoi(argv[1]) : -1;
	if (played < 0 || played > NEWEST)
		return 2;
	real = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, VERSION);
	real = real < 0 ? 0 : real > NEWEST ? NEWEST : real;
	int go[2];
	if (pipe(go) < 0)
		return 2;
	pid_t pid = fork();
	if (pid == 0) {
		char c;
		close(go[1]);
		if (read(go[0], &c, 1) != 1)
			_exit(2);
		close(go[0]);
		if (install_filter() < 0)
			_exit(2);
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	const long options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
			     PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL;
	if (ptrace(PTRACE_SEIZE, pid, NULL, options) < 0) {
		perror("play_kernel: cannot trace");
		return 2;
	}
	close(go[0]);
	if (write(go[1], "g", 1) != 1)
		return 2;
	close(go[1]);
	return trace(pid);
}
