/* SPDX-License-Identifier: Apache-2.0 */
/* manifest.c - a capability manifest (--config FILE): a machine contract without inheritance, version 0.1.0. */
#include "cli/options.h"
#include "profile/jsonc.h"

struct manifest {
	struct jsonc j;
	struct profile *p;
	struct err **e;
};

static int fail(const struct manifest *m, const char *path, const char *what)
{
	const struct jsonc_place *at = jsonc_find(&m->j, path);
	return err_set(m->e, 0, "%s:%u:%u: %s: %s", m->j.file, at ? at->line : 1, at ? at->column : 1, path, what);
}

static struct json_object *get(struct json_object *o, const char *key, enum json_type type)
{
	struct json_object *v = NULL;
	return o && json_object_object_get_ex(o, key, &v) && json_object_is_type(v, type) ? v : NULL;
}

static const char *text(struct json_object *o, const char *key, const char *fallback)
{
	struct json_object *v = get(o, key, json_type_string);
	return v ? json_object_get_string(v) : fallback;
}

static struct origin origin_at(const struct manifest *m, const char *path)
{
	const struct jsonc_place *at = jsonc_find(&m->j, path);
	return (struct origin){.source = SOURCE_USER,
		.label = (char *)"--config",
		.file = m->j.file,
		.line = at ? at->line : 0,
		.column = at ? at->column : 0};
}

/* The list a grant goes into: by type and access. */
static struct items *list_for(struct profile *p, const char *type, const char *access)
{
	struct {
		const char *type, *access;
		struct items *list;
	} lists[] = {{"directory", "read", &p->fs.read}, {"directory", "write", &p->fs.write},
		{"directory", "readwrite", &p->fs.allow}, {"file", "read", &p->fs.read_file},
		{"file", "write", &p->fs.write_file}, {"file", "readwrite", &p->fs.allow_file}};
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		if (strcmp(lists[i].type, type) == 0 && strcmp(lists[i].access, access) == 0)
			return lists[i].list;
	return NULL;
}

static int read_grants(struct manifest *m, struct json_object *fs)
{
	struct json_object *grants = get(fs, "grants", json_type_array), *deny = get(fs, "deny", json_type_array);
	for (size_t i = 0; grants && i < json_object_array_length(grants); i++) {
		struct json_object *g = json_object_array_get_idx(grants, i);
		cleanup_free char *at = xasprintf("filesystem.grants[%zu]", i);
		const char *path = text(g, "path", NULL);
		struct items *l = list_for(m->p, text(g, "type", "directory"), text(g, "access", ""));
		if (!path || !l)
			return fail(m, at,
				"a grant needs path, access (read, write, readwrite) and type (file, directory)");
		if (path[0] == '/' && access(path, F_OK) != 0)
			return fail(m, at, "does not exist");
		struct origin o = origin_at(m, at);
		items_add(l, path, &o);
	}
	for (size_t i = 0; deny && i < json_object_array_length(deny); i++) {
		cleanup_free char *at = xasprintf("filesystem.deny[%zu]", i);
		const char *path = text(json_object_array_get_idx(deny, i), "path", NULL);
		if (!path)
			return fail(m, at, "a deny entry needs path");
		struct origin o = origin_at(m, at);
		items_add(&m->p->fs.deny, path, &o);
	}
	return 0;
}

static int read_ports(struct manifest *m, struct json_object *ports, const char *key, struct items *out)
{
	struct json_object *list = get(ports, key, json_type_array);
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		cleanup_free char *at = xasprintf("network.ports.%s[%zu]", key, i);
		int port = json_object_get_int(json_object_array_get_idx(list, i));
		if (port < 1 || port > 65535)
			return fail(m, at, "a port is a number from 1 to 65535");
		cleanup_free char *value = xasprintf("%d", port);
		struct origin o = origin_at(m, at);
		items_add(out, value, &o);
	}
	return 0;
}

static int read_network(struct manifest *m, struct json_object *net)
{
	const char *mode = text(net, "mode", "unrestricted");
	struct json_object *domains = get(net, "allow_domains", json_type_array),
			   *ports = get(net, "ports", json_type_object);
	if (strcmp(mode, "blocked") == 0)
		m->p->network.block = TRI_TRUE;
	else if (strcmp(mode, "proxy") != 0 && strcmp(mode, "unrestricted") != 0)
		return fail(m, "network.mode", "must be blocked, proxy or unrestricted");
	for (size_t i = 0; domains && i < json_object_array_length(domains); i++) {
		cleanup_free char *at = xasprintf("network.allow_domains[%zu]", i);
		struct origin o = origin_at(m, at);
		items_add(
			&m->p->network.allow_domain, json_object_get_string(json_object_array_get_idx(domains, i)), &o);
	}
	if (strcmp(mode, "proxy") == 0 && m->p->network.allow_domain.n == 0)
		m->p->network.block = TRI_TRUE; /* an empty list allows nothing */
	if (read_ports(m, ports, "connect", &m->p->network.connect_port) < 0 ||
		read_ports(m, ports, "bind", &m->p->network.listen_port) < 0 ||
		read_ports(m, ports, "localhost", &m->p->network.open_port) < 0)
		return -1;
	return 0;
}

static int choice(
	struct manifest *m, struct json_object *o, const char *key, const char *const *names, int first, int *out)
{
	const char *v = text(o, key, names[0]);
	for (int i = 0; names[i]; i++)
		if (strcmp(names[i], v) == 0) {
			*out = first + i;
			return 0;
		}
	cleanup_free char *at = xasprintf("process.%s", key);
	return fail(m, at, "unknown value");
}

static int read_process(struct manifest *m, struct json_object *process)
{
	static const char *const scopes[] = {"isolated", "allow_same_sandbox", "allow_all", NULL};
	static const char *const ipc[] = {"shared_memory_only", "full", NULL};
	if (choice(m, process, "signal_mode", scopes, SCOPE_ISOLATED, (int *)&m->p->security.signal_mode) < 0 ||
		choice(m, process, "process_info_mode", scopes, SCOPE_ISOLATED,
			(int *)&m->p->security.process_info_mode) < 0 ||
		choice(m, process, "ipc_mode", ipc, IPC_SHARED_MEMORY_ONLY, (int *)&m->p->security.ipc_mode) < 0)
		return -1;
	return 0;
}

static int read_manifest(struct manifest *m)
{
	const char *version = text(m->j.root, "version", NULL);
	if (!version || strcmp(version, "0.1.0") != 0)
		return fail(m, "version", "a manifest needs \"version\": \"0.1.0\"");
	if (get(m->j.root, "credentials", json_type_array) &&
		json_object_array_length(get(m->j.root, "credentials", json_type_array)))
		return fail(m, "credentials", "credential routes are not supported");
	if (read_grants(m, get(m->j.root, "filesystem", json_type_object)) < 0 ||
		read_network(m, get(m->j.root, "network", json_type_object)) < 0 ||
		read_process(m, get(m->j.root, "process", json_type_object)) < 0)
		return -1;
	struct json_object *memory = get(get(m->j.root, "resources", json_type_object), "memory_bytes", json_type_int);
	if (memory) {
		free(m->p->limits.memory);
		m->p->limits.memory = xstrdup(json_object_get_string(memory));
	}
	return 0;
}

int manifest_load(const char *file, struct profile *overlay, struct err **e)
{
	struct manifest m = {.p = overlay, .e = e};
	if (jsonc_read(file, &m.j, e) < 0)
		return -1;
	int rc = read_manifest(&m);
	jsonc_free(&m.j);
	return rc;
}
