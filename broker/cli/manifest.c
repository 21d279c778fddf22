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

/*
 * The member @key of @o, which stands at @at; what is there must have the right
 * type, or a rule would be lost silently. NULL when it is absent.
 */
static int member(const struct manifest *m, struct json_object *o, const char *at, const char *key, enum json_type type,
	struct json_object **v)
{
	*v = NULL;
	if (!o || !json_object_object_get_ex(o, key, v) || json_object_is_type(*v, type))
		return 0;
	cleanup_free char *path = *at ? xasprintf("%s.%s", at, key) : xstrdup(key);
	cleanup_free char *what = xasprintf("must be of type %s", json_type_to_name(type));
	return fail(m, path, what);
}

/* The string @key of @o; @fallback when it is absent. NULL with the error set when it is something else. */
static const char *text(
	const struct manifest *m, struct json_object *o, const char *at, const char *key, const char *fallback)
{
	struct json_object *v;
	if (member(m, o, at, key, json_type_string, &v) < 0)
		return NULL;
	return v ? json_object_get_string(v) : fallback;
}

/* Entry @i of @list, an object. */
static struct json_object *entry(const struct manifest *m, struct json_object *list, size_t i, const char *at)
{
	struct json_object *o = json_object_array_get_idx(list, i);
	if (json_object_is_type(o, json_type_object))
		return o;
	fail(m, at, "must be an object");
	return NULL;
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

static int read_grant(struct manifest *m, struct json_object *g, const char *at)
{
	const char *path = text(m, g, at, "path", ""), *type = text(m, g, at, "type", "directory"),
		   *access_ = text(m, g, at, "access", "");
	if (!path || !type || !access_)
		return -1;
	struct items *l = list_for(m->p, type, access_);
	if (!*path || !l)
		return fail(m, at, "a grant needs path, access (read, write, readwrite) and type (file, directory)");
	if (path[0] == '/' && access(path, F_OK) != 0)
		return fail(m, at, "does not exist");
	struct origin o = origin_at(m, at);
	items_add(l, path, &o);
	return 0;
}

static int read_files(struct manifest *m, struct json_object *fs)
{
	struct json_object *grants, *deny;
	if (member(m, fs, "filesystem", "grants", json_type_array, &grants) < 0 ||
		member(m, fs, "filesystem", "deny", json_type_array, &deny) < 0)
		return -1;
	for (size_t i = 0; grants && i < json_object_array_length(grants); i++) {
		cleanup_free char *at = xasprintf("filesystem.grants[%zu]", i);
		struct json_object *g = entry(m, grants, i, at);
		if (!g || read_grant(m, g, at) < 0)
			return -1;
	}
	for (size_t i = 0; deny && i < json_object_array_length(deny); i++) {
		cleanup_free char *at = xasprintf("filesystem.deny[%zu]", i);
		struct json_object *d = entry(m, deny, i, at);
		const char *path = d ? text(m, d, at, "path", "") : NULL;
		if (!path)
			return -1;
		if (!*path)
			return fail(m, at, "a deny entry needs path");
		struct origin o = origin_at(m, at);
		items_add(&m->p->fs.deny, path, &o);
	}
	return 0;
}

static int read_ports(struct manifest *m, struct json_object *ports, const char *key, struct items *out)
{
	struct json_object *list;
	if (member(m, ports, "network.ports", key, json_type_array, &list) < 0)
		return -1;
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		cleanup_free char *at = xasprintf("network.ports.%s[%zu]", key, i);
		struct json_object *v = json_object_array_get_idx(list, i);
		int port = json_object_is_type(v, json_type_int) ? json_object_get_int(v) : 0;
		if (port < 1 || port > 65535)
			return fail(m, at, "a port is a number from 1 to 65535");
		cleanup_free char *value = xasprintf("%d", port);
		struct origin o = origin_at(m, at);
		items_add(out, value, &o);
	}
	return 0;
}

static int read_domains(struct manifest *m, struct json_object *net)
{
	struct json_object *domains, *endpoints;
	if (member(m, net, "network", "allow_domains", json_type_array, &domains) < 0 ||
		member(m, net, "network", "endpoints", json_type_array, &endpoints) < 0)
		return -1;
	if (endpoints && json_object_array_length(endpoints))
		return fail(m, "network.endpoints",
			"rules by path are not read from a manifest; use a profile with network.allow_domain");
	for (size_t i = 0; domains && i < json_object_array_length(domains); i++) {
		cleanup_free char *at = xasprintf("network.allow_domains[%zu]", i);
		struct json_object *v = json_object_array_get_idx(domains, i);
		if (!json_object_is_type(v, json_type_string))
			return fail(m, at, "must be a host");
		struct origin o = origin_at(m, at);
		items_add(&m->p->network.allow_domain, json_object_get_string(v), &o);
	}
	return 0;
}

static int read_network(struct manifest *m, struct json_object *net)
{
	struct json_object *ports;
	const char *mode = text(m, net, "network", "mode", "unrestricted");
	if (!mode || read_domains(m, net) < 0 || member(m, net, "network", "ports", json_type_object, &ports) < 0)
		return -1;
	if (strcmp(mode, "blocked") == 0)
		m->p->network.block = TRI_TRUE;
	else if (strcmp(mode, "proxy") != 0 && strcmp(mode, "unrestricted") != 0)
		return fail(m, "network.mode", "must be blocked, proxy or unrestricted");
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
	const char *v = text(m, o, "process", key, names[0]);
	for (int i = 0; v && names[i]; i++)
		if (strcmp(names[i], v) == 0) {
			*out = first + i;
			return 0;
		}
	cleanup_free char *at = xasprintf("process.%s", key);
	return v ? fail(m, at, "unknown value") : -1;
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

static int read_resources(struct manifest *m, struct json_object *resources)
{
	struct json_object *memory;
	if (member(m, resources, "resources", "memory_bytes", json_type_int, &memory) < 0)
		return -1;
	/* nothing else is known here, and a limit that is not enforced would be a false promise */
	if (resources && json_object_object_length(resources) > (memory ? 1 : 0))
		return fail(m, "resources", "memory_bytes is the only limit of a manifest");
	if (memory) {
		free(m->p->limits.memory);
		m->p->limits.memory = xstrdup(json_object_get_string(memory));
	}
	return 0;
}

static int read_manifest(struct manifest *m)
{
	static const char *const names[] = {"filesystem", "network", "process", "resources"};
	struct json_object *root = m->j.root, *part[ARRAY_SIZE(names)], *credentials;
	const char *version = text(m, root, "", "version", "");
	if (!version)
		return -1;
	if (strcmp(version, "0.1.0") != 0)
		return fail(m, "version", "a manifest needs \"version\": \"0.1.0\"");
	if (member(m, root, "", "credentials", json_type_array, &credentials) < 0)
		return -1;
	if (credentials && json_object_array_length(credentials))
		return fail(m, "credentials", "credential routes are not supported");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (member(m, root, "", names[i], json_type_object, &part[i]) < 0)
			return -1;
	return read_files(m, part[0]) < 0 || read_network(m, part[1]) < 0 || read_process(m, part[2]) < 0 ||
			       read_resources(m, part[3]) < 0
		       ? -1
		       : 0;
}

struct profile *manifest_base(void)
{
	struct profile *p = profile_new();
	size_t n;
	const struct group *const *groups = group_list(&n);
	const struct origin o = {.source = SOURCE_SYSTEM};
	for (size_t i = 0; i < n; i++)
		if (groups[i]->required)
			items_add(&p->groups_include, groups[i]->name, &o);
	return p;
}

int manifest_load(const char *file, struct profile *overlay, struct err **e)
{
	struct manifest m = {.p = overlay, .e = e};
	if (jsonc_read(file, &m.j, e) < 0)
		return -1;
	int rc =
		json_object_is_type(m.j.root, json_type_object) ? read_manifest(&m) : fail(&m, "", "must be an object");
	jsonc_free(&m.j);
	return rc;
}
