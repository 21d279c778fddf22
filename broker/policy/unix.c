/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unix.c - sockets with a path.
 *
 * Connecting to some sockets is as good as running anything outside the sandbox:
 * container engines, service managers, message buses, terminal multiplexers,
 * editors, agents that hold keys, display servers. Those are closed by name, however
 * wide the directory around them was granted, until the socket itself is named by
 * unix_socket, by an exact file grant, or by the person when asked.
 *
 * Any other socket may be connected to where the program may write, or where a
 * socket rule says so; a directory that is only readable does not open its sockets.
 */
#include "policy/internal.h"

#include <fnmatch.h>

/* Patterns over canonical paths; '*' matches '/' too. */
static const char *const control_patterns[] = {
	/* container and machine engines */
	"*/docker.sock", "*/docker-*.sock", "*/podman.sock", "*/podman/*", "/run/containerd/*", "/run/crio/*",
	"*/buildkit*/*.sock", "/run/cri-dockerd.sock", "*/libvirt/*", "*/lxd/*", "*/incus/*", "/run/snapd*.socket",
	"/run/k3s/*", "/var/lib/kubelet/*",
	/* service managers and buses */
	"/run/systemd/private", "/run/systemd/io.*", "/run/systemd/machine/*", "/run/systemd/portable/*",
	"/run/user/*/systemd/*", "/run/dbus/*", "/run/user/*/bus", "/run/user/*/dbus-*", "/tmp/dbus-*",
	"/run/user/*/at-spi/*", "/run/udev/control", "/run/acpid.socket", "/run/runit/*", "/run/openrc/*",
	/* terminal multiplexers and terminals */
	"/tmp/tmux-*/*", "/run/user/*/tmux*/*", "/run/screen/*", "/tmp/screens/*", "*/.screen/*", "/tmp/zellij-*",
	"/run/user/*/zellij/*", "/tmp/*kitty*", "/run/user/*/wezterm/*", "/tmp/byobu-*",
	/* agents that hold keys */
	"/tmp/ssh-*/agent.*", "*/.ssh/agent/*", "*/S.gpg-agent*", "*/S.scdaemon", "*/S.keyboxd", "*/S.dirmngr",
	"/run/user/*/gnupg/*", "/run/user/*/keyring/*", "/run/user/*/ssh-agent*", "/run/user/*/openssh_agent",
	"/run/user/*/gcr/*", "*/agent.sock", "*/.1password/*",
	/* editors */
	"*/vscode-*.sock", "*/vscode-ipc-*", "*/vscode-git-*", "*/cursor-*.sock", "/tmp/emacs*/*",
	"/run/user/*/emacs/*", "*/nvim.*", "/tmp/nvim*/*", "*/.vscode-server/*.sock", "*/.jetbrains/*",
	/* name services: they ask for any name, outside */
	"/run/nscd/*", "/run/systemd/resolve/*", "/run/avahi-daemon/*",
	/* display servers: they deliver key strokes */
	"/tmp/.X11-unix/*", "/run/user/*/wayland-*", "/run/user/*/sway-ipc.*", "/run/user/*/i3/*", "/run/user/*/hypr/*",
	"/tmp/.ICE-unix/*"};

/* Variables of the host that name such a socket, with what stands before the path. */
static const struct {
	const char *name, *prefix, *ends; /* the path ends at one of these characters */
} control_variables[] = {
	{"SSH_AUTH_SOCK", "", ""},
	{"DBUS_SESSION_BUS_ADDRESS", "unix:path=", ",;"},
	{"DBUS_SYSTEM_BUS_ADDRESS", "unix:path=", ",;"},
	{"DOCKER_HOST", "unix://", ""},
	{"CONTAINER_HOST", "unix://", ""},
	{"TMUX", "", ","},
	{"NVIM", "", ""},
	{"NVIM_LISTEN_ADDRESS", "", ""},
	{"KITTY_LISTEN_ON", "unix:", ""},
	{"SWAYSOCK", "", ""},
	{"I3SOCK", "", ""},
	{"VSCODE_IPC_HOOK", "", ""},
	{"VSCODE_IPC_HOOK_CLI", "", ""},
	{"VSCODE_GIT_IPC_HANDLE", "", ""},
	{"GPG_AGENT_INFO", "", ":"},
};

static void control_compile(struct compile *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(control_variables); i++) {
		const char *v = getenv(control_variables[i].name);
		if (!v || !str_starts(v, control_variables[i].prefix))
			continue;
		v += strlen(control_variables[i].prefix);
		cleanup_free char *path = xstrndup(v, strcspn(v, control_variables[i].ends));
		if (path[0] != '/')
			continue;
		struct stat st;
		bool exists;
		strv_take(&c->p->control_sockets, canon_path(&c->canon, path, &st, &exists));
	}
	static const struct origin origin = {.source = SOURCE_SYSTEM, .label = (char *)"sockets that control the host"};
	c->p->control_rule = rule_aside(c->p, NULL, "until named by --allow-unix-socket", &origin);
	c->p->control_rule->deny = true;
}

static bool is_control_socket(const struct policy *p, const char *path)
{
	if (strv_has(&p->control_sockets, path))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(control_patterns); i++)
		if (fnmatch(control_patterns[i], path, 0) == 0)
			return true;
	return false;
}

/* ---- rules --------------------------------------------------------------- */

static const struct {
	size_t offset;
	enum unix_scope scope;
	bool bind;
} lists[] = {
	{offsetof(struct profile, fs.unix_socket), UNIX_FILE, false},
	{offsetof(struct profile, fs.unix_socket_bind), UNIX_FILE, true},
	{offsetof(struct profile, fs.unix_socket_dir), UNIX_CHILDREN, false},
	{offsetof(struct profile, fs.unix_socket_dir_bind), UNIX_CHILDREN, true},
	{offsetof(struct profile, fs.unix_socket_subtree), UNIX_SUBTREE, false},
	{offsetof(struct profile, fs.unix_socket_subtree_bind), UNIX_SUBTREE, true},
};

static int socket_rule(
	struct compile *c, const struct item *it, const char *path, enum unix_scope scope, bool bind, struct err **e)
{
	struct stat st;
	bool exists;
	cleanup_free char *canonical = canon_path(&c->canon, path, &st, &exists);
	bool is_dir = exists && S_ISDIR(st.st_mode);
	if (!exists && lstat(path, &st) == 0 && S_ISLNK(st.st_mode) && bind)
		return err_set(e, 0, "%s is a symbolic link to nothing; a socket cannot be bound through it", path);
	if (scope == UNIX_FILE && is_dir)
		return err_set(e, 0, "%s is a directory; use --allow-unix-socket-dir for directories", path);
	if (scope != UNIX_FILE && exists && !is_dir)
		return err_set(e, 0, "%s is not a directory; use --allow-unix-socket for one socket", path);
	if (scope != UNIX_FILE && strcmp(canonical, "/") == 0)
		return err_set(e, 0, "a socket rule for every socket below / is not accepted");
	if (!exists && scope != UNIX_FILE)
		return 0;
	struct policy *p = c->p;
	struct rule *r = rule_aside(p, canonical, it->value, &it->origin);
	p->sockets = xreallocarray(p->sockets, p->n_sockets + 1, sizeof(*p->sockets));
	p->sockets[p->n_sockets++] = (struct unix_rule){.rule = r, .scope = scope, .bind = bind};
	/* The file grant that comes with it; a socket to be bound is made, replaced and removed. */
	unsigned access = ACCESS_READ | (bind ? ACCESS_WRITE : 0U);
	if (!exists && !bind)
		return 0;
	struct wanted *w = want(c, steal_ptr(&canonical), it->value, access, &it->origin);
	w->exact = scope == UNIX_FILE;
	w->exists = exists;
	if (exists)
		w->st = st;
	return 0;
}

int unix_compile(struct compile *c, struct err **e)
{
	control_compile(c);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const struct items *l = (const void *)((const char *)c->profile + lists[i].offset);
		for (size_t k = 0; k < l->n; k++) {
			cleanup_strv struct strv paths = {0};
			if (profile_expand(c->env->expansion, &l->v[k], &paths, e) < 0)
				return err_wrap(e, "cannot expand %s", l->v[k].value);
			for (size_t j = 0; j < paths.n; j++)
				if (socket_rule(c, &l->v[k], paths.v[j], lists[i].scope, lists[i].bind, e) < 0)
					return -1;
		}
	}
	return 0;
}

/* ---- decision ------------------------------------------------------------ */

static bool socket_rule_matches(const struct unix_rule *u, const char *path)
{
	const char *rule = u->rule->path;
	switch (u->scope) {
	case UNIX_FILE:
		return strcmp(rule, path) == 0;
	case UNIX_CHILDREN:
		return path_beneath(path, rule) && path[strlen(rule)] == '/' && !strchr(path + strlen(rule) + 1, '/');
	case UNIX_SUBTREE:
	default:
		return path_beneath(path, rule) && path[strlen(rule)] == '/';
	}
}

static const struct rule *socket_rule_find(const struct policy *p, enum operation op, const char *path, bool by_name)
{
	for (size_t i = 0; i < p->n_sockets; i++) {
		const struct unix_rule *u = &p->sockets[i];
		if ((u->bind || op == OP_UNIX_CONNECT) && (!by_name || u->scope == UNIX_FILE) &&
			socket_rule_matches(u, path))
			return u->rule;
	}
	return NULL;
}

/* The newest answer of the person about this socket. */
static const struct grant *socket_answer(const struct policy *p, enum operation op, const char *path)
{
	for (size_t i = p->n_grants; i-- > 0;) {
		const struct grant *g = &p->grants[i];
		if (g->kind == GRANT_UNIX && !g->revoked && g->op == op && strcmp(g->rule->path, path) == 0)
			return g;
	}
	return NULL;
}

static struct decision socket_decide(const struct policy *p, enum operation op, const char *path)
{
	const struct grant *g = socket_answer(p, op, path);
	if (g)
		return (struct decision){g->never ? VERDICT_NEVER : VERDICT_ALLOW, g->rule, false};
	const struct node *n = map_get(&p->map, path);
	const struct rule *named = socket_rule_find(p, op, path, true);
	if (!named && n && op == OP_UNIX_CONNECT)
		for (unsigned i = 0; i < ACCESS_BITS && !named; i++)
			named = n->exact[i];
	if (named)
		return (struct decision){VERDICT_ALLOW, named, false};
	if (is_control_socket(p, path))
		return (struct decision){VERDICT_PROTECTED, p->control_rule, false};
	return (struct decision){VERDICT_NONE, NULL, false};
}

struct decision policy_check_unix(const struct policy *p, enum operation op, const char *path)
{
	struct decision file = policy_check_path(p, op == OP_UNIX_BIND ? OP_CREATE : OP_WRITE, path);
	file.kernel = false;
	bool answered = file.rule && file.rule->origin.source == SOURCE_GRANT;
	if (file.verdict == VERDICT_NEVER && !answered)
		return file;
	pthread_rwlock_rdlock((pthread_rwlock_t *)&p->lock);
	struct decision d = socket_decide(p, op, path);
	if (d.verdict == VERDICT_NONE && file.verdict != VERDICT_PROTECTED) {
		const struct rule *r = socket_rule_find(p, op, path, false);
		if (r)
			d = (struct decision){VERDICT_ALLOW, r, false};
	}
	pthread_rwlock_unlock((pthread_rwlock_t *)&p->lock);
	return d.verdict == VERDICT_NONE ? file : d;
}
