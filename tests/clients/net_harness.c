/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_harness.c - the network room alone around a real program: the system call filter
 * for sockets, a small loop of trapped calls, and the room's handlers. No files are
 * judged. For tests of names and sockets with real clients.
 *
 * net_harness [-d RULE] [-p OPEN_PORT] [-l LISTEN_PORT] [-c CONNECT_PORT] [-u SOCKET] [-b] [-a] [-L LOG] -- COMMAND...
 *   -u: a Unix socket that may be connected to and bound; -b: block; -a: every question is answered "session"
 */
#include "net/net.h"
#include "session/session.h"
#include "policy/internal.h"
#include "trap/trap.h"
#include "approve/approve.h"
#include "explain/explain.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

struct trap_call {
	struct seccomp_notif req;
	const struct trap_row *row;
};

static struct {
	struct hosts *hosts;
	struct policy_settings settings;
	struct profile profile;
	struct strv sockets, granted;
	pthread_mutex_t lock;
	bool answer_yes;
	FILE *log;
	int listener;
	struct trap_config trap;
} h = {.lock = PTHREAD_MUTEX_INITIALIZER, .listener = -1};

/* ---- stand-ins for the rooms around --------------------------------------- */

struct origin origin_copy(const struct origin *from)
{
	return (struct origin){.source = from->source, .label = xstrdup(from->label), .file = xstrdup(from->file)};
}

struct decision policy_check_host(const struct policy *p, enum operation op, const char *host, unsigned port, bool udp)
{
	(void)p;
	struct decision d = hosts_check(h.hosts, op, host, port, udp);
	cleanup_free char *key = xasprintf("%d %s", (int)op, host);
	pthread_mutex_lock(&h.lock);
	if (d.verdict == VERDICT_NONE && strv_has(&h.granted, key))
		d.verdict = VERDICT_ALLOW;
	pthread_mutex_unlock(&h.lock);
	return d;
}

struct decision policy_check_unix(const struct policy *p, enum operation op, const char *path)
{
	(void)p;
	(void)op;
	return (struct decision){strv_has(&h.sockets, path) ? VERDICT_ALLOW : VERDICT_NONE, NULL, false};
}

const struct policy_settings *policy_settings(const struct policy *p)
{
	(void)p;
	return &h.settings;
}

const struct profile *policy_profile(const struct policy *p)
{
	(void)p;
	return &h.profile;
}

bool approve_possible(struct approve *a)
{
	(void)a;
	return h.answer_yes;
}

static void note(const char *what, const char *object, unsigned port)
{
	if (!h.log)
		return;
	fprintf(h.log, "%s %s %u\n", what, object, port);
	fflush(h.log);
}

unsigned explain_denial(struct explain *x, const struct denial *d)
{
	(void)x;
	note("refused", d->resolved, d->port);
	return 1;
}

const struct items *network_group_hosts(const char *group)
{
	(void)group;
	return NULL;
}

int session_tree_connect(int fd, pid_t tgid)
{
	(void)fd;
	(void)tgid;
	return -ECONNREFUSED;
}

bool network_profile_hosts(const char *name, struct items *out)
{
	(void)name;
	(void)out;
	return false;
}

void items_free(struct items *l)
{
	(void)l;
}

void pairs_set(struct pairs *m, const char *key, const char *value, const struct origin *origin)
{
	(void)m;
	(void)origin;
	setenv(key, value, 1);
}

/* ---- trapped calls ------------------------------------------------------- */

static const struct trap_row rows[] = {
	{.name = "socket", .nr = __NR_socket, .handle = net_on_socket},
	{.name = "connect", .nr = __NR_connect, .handle = net_on_connect},
	{.name = "bind", .nr = __NR_bind, .handle = net_on_bind},
	{.name = "listen", .nr = __NR_listen, .handle = net_on_listen},
};

const struct trap_config *trap_cfg(const struct trap_call *c)
{
	(void)c;
	return &h.trap;
}

uint64_t trap_arg(const struct trap_call *c, unsigned i)
{
	return c->req.data.args[i];
}

pid_t trap_tgid(struct trap_call *c)
{
	return trap_tid(c);
}

pid_t trap_tid(const struct trap_call *c)
{
	return (pid_t)c->req.pid;
}

bool trap_alive(struct trap_call *c)
{
	return ioctl(h.listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &c->req.id) == 0;
}

int trap_read(struct trap_call *c, uint64_t addr, void *buf, size_t len)
{
	struct iovec to = {buf, len}, from = {(void *)(uintptr_t)addr, len};
	ssize_t n = process_vm_readv(trap_tid(c), &to, 1, &from, 1, 0);
	return n == (ssize_t)len && trap_alive(c) ? 0 : -EFAULT;
}

static pid_t thread_group(pid_t tid)
{
	char path[40], line[256];
	int tgid = 0;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	cleanup_file FILE *f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f) && sscanf(line, "Tgid: %d", &tgid) != 1)
		;
	return tgid;
}

int trap_get_fd(struct trap_call *c, int fd)
{
	cleanup_fd int pidfd = pidfd_open(thread_group(trap_tid(c)), 0);
	int copy = pidfd < 0 ? -1 : pidfd_getfd(pidfd, fd, 0);
	if (copy < 0)
		return -errno;
	if (trap_alive(c))
		return copy;
	close(copy);
	return -ESRCH;
}

static void answer(struct trap_call *c, int64_t value, int err)
{
	struct seccomp_notif_resp r = {.id = c->req.id, .val = value, .error = -err};
	(void)ioctl(h.listener, SECCOMP_IOCTL_NOTIF_SEND, &r);
	free(c);
}

void trap_errno(struct trap_call *c, int err)
{
	answer(c, 0, err);
}

void trap_value(struct trap_call *c, int64_t value)
{
	answer(c, value, 0);
}

void trap_fd(struct trap_call *c, int fd, bool cloexec)
{
	struct seccomp_notif_addfd a = {.id = c->req.id,
		.srcfd = (uint32_t)fd,
		.newfd_flags = cloexec ? O_CLOEXEC : 0,
		.flags = SECCOMP_ADDFD_FLAG_SEND};
	int rc = ioctl(h.listener, SECCOMP_IOCTL_NOTIF_ADDFD, &a) < 0 ? errno : 0;
	close(fd);
	if (rc)
		answer(c, 0, rc);
	else
		free(c);
}

struct deferred {
	struct trap_call *call;
	void (*fn)(struct trap_call *c);
};

static void *worker(void *arg)
{
	struct deferred d = *(struct deferred *)arg;
	free(arg);
	(void)unshare(CLONE_FS);
	d.fn(d.call);
	return NULL;
}

void trap_defer(struct trap_call *c, void (*fn)(struct trap_call *c))
{
	struct deferred *d = xmalloc(sizeof(*d));
	pthread_attr_t a;
	pthread_t t;
	*d = (struct deferred){c, fn};
	pthread_attr_init(&a);
	pthread_attr_setstacksize(&a, 131072);
	pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&t, &a, worker, d) != 0) {
		free(d);
		trap_errno(c, EAGAIN);
	}
	pthread_attr_destroy(&a);
}

bool trap_once(struct trap_call *c, enum operation op, const char *resolved)
{
	(void)c;
	(void)op;
	(void)resolved;
	return false;
}

void trap_refuse_or_ask(struct trap_call *c, const struct trap_object *o, struct decision d, int err)
{
	if (!h.answer_yes || d.verdict == VERDICT_NEVER) {
		note("refused", o->resolved, o->port);
		trap_errno(c, err);
		return;
	}
	note("asked", o->resolved, o->port);
	pthread_mutex_lock(&h.lock);
	strv_addf(&h.granted, "%d %s", (int)o->op, o->resolved);
	pthread_mutex_unlock(&h.lock);
	trap_defer(c, c->row->handle);
}

static void *loop(void *unused)
{
	for (;;) {
		struct trap_call *c = xcalloc(1, sizeof(*c));
		if (ioctl(h.listener, SECCOMP_IOCTL_NOTIF_RECV, &c->req) < 0) {
			int err = errno;
			free(c);
			struct pollfd p = {.fd = h.listener, .events = POLLIN};
			if (err != EINTR && err != ENOENT)
				return unused;
			if (poll(&p, 1, -1) > 0 && (p.revents & POLLHUP))
				return unused;
			continue;
		}
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
			if (rows[i].nr == c->req.data.nr)
				c->row = &rows[i];
		c->row->handle(c);
	}
}

/* ---- launch -------------------------------------------------------------- */

static int filter(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, SCMP_SYS(connect), 0);
	seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, SCMP_SYS(bind), 0);
	seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, SCMP_SYS(listen), 0);
	for (int i = 0; i < 2 && h.settings.net_mode != NET_OPEN; i++)
		seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, SCMP_SYS(socket), 2,
			SCMP_A0(SCMP_CMP_EQ, i ? AF_INET6 : AF_INET), SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, SOCK_DGRAM));
	seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, SCMP_SYS(socket), 2, SCMP_A0(SCMP_CMP_EQ, AF_UNIX),
		SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, SOCK_DGRAM));
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return seccomp_load(ctx) < 0 ? -1 : seccomp_notify_fd(ctx);
}

static pid_t launch(char **argv)
{
	int pipefd[2], number = -1;
	char go;
	int back[2];
	if (pipe2(pipefd, O_CLOEXEC) < 0 || pipe2(back, O_CLOEXEC) < 0)
		exit(125);
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		int fd = filter();
		if (write(pipefd[1], &fd, sizeof(fd)) != sizeof(fd) || read(back[0], &go, 1) != 1)
			_exit(125);
		close(fd);
		execvp(argv[0], argv);
		_exit(127);
	}
	cleanup_fd int pidfd = pidfd_open(pid, 0);
	if (read(pipefd[0], &number, sizeof(number)) != sizeof(number) || number < 0)
		exit(125);
	h.listener = pidfd_getfd(pidfd, number, 0);
	if (h.listener < 0 || write(back[1], "g", 1) != 1)
		exit(125);
	return pid;
}

static void list_add(struct items *l, const char *value)
{
	l->v = xreallocarray(l->v, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = (struct item){.value = xstrdup(value), .origin = {.source = SOURCE_USER}};
}

static void options(int argc, char **argv)
{
	for (int o; (o = getopt(argc, argv, "+d:p:l:c:u:L:ba")) != -1;) {
		if (o == 'd')
			list_add(&h.profile.network.allow_domain, optarg);
		else if (o == 'p')
			list_add(&h.profile.network.open_port, optarg);
		else if (o == 'l')
			list_add(&h.profile.network.listen_port, optarg);
		else if (o == 'c')
			list_add(&h.profile.network.connect_port, optarg);
		else if (o == 'u')
			strv_add(&h.sockets, optarg);
		else if (o == 'L')
			h.log = fopen(optarg, "ae");
		else if (o == 'b')
			h.profile.network.block = TRI_TRUE;
		else if (o == 'a')
			h.answer_yes = true;
		else
			exit(2);
	}
}

int main(int argc, char **argv)
{
	struct err *e = NULL;
	options(argc, argv);
	h.hosts = hosts_compile(&h.profile, &e);
	if (!h.hosts) {
		fprintf(stderr, "net_harness: %s\n", err_msg(e));
		return 2;
	}
	h.settings.net_mode = hosts_mode(h.hosts);
	h.settings.on_request = h.answer_yes ? ON_REQUEST_ASK : ON_REQUEST_DENY;
	h.settings.ipc_mode = IPC_SHARED_MEMORY_ONLY;
	static char nothing[1];
	struct net_config cfg = {.policy = (struct policy *)nothing,
		.approve = (struct approve *)nothing,
		.explain = (struct explain *)nothing};
	struct net *net;
	if (net_start(&net, &cfg, &e) < 0)
		return 125;
	h.trap = (struct trap_config){.policy = cfg.policy, .net = net};
	struct pairs env = {0};
	net_environment(net, &env);
	pid_t pid = launch(argv + optind);
	pthread_t t;
	pthread_create(&t, NULL, loop, NULL);
	int status;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	net_stop(net);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
