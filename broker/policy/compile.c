/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compile.c - a merged profile becomes rules.
 *
 * Order: nono's own places, groups, the profile's lists (flags are among them, with
 * their origin), the working directory, the session's directories, the program.
 * Nothing enters the map before conflict.c has seen all of it.
 */
#include "policy/internal.h"

#include <errno.h>
#include <fcntl.h>

/* ---- rules --------------------------------------------------------------- */

struct origin origin_copy(const struct origin *from)
{
	struct origin o = *from;
	o.label = xstrdup(from->label);
	o.file = xstrdup(from->file);
	return o;
}

struct rule *rule_alloc(const char *path, const char *written, const struct origin *origin)
{
	const char *const text[] = {path, written ? written : path, origin->label, origin->file};
	size_t len[ARRAY_SIZE(text)], all = sizeof(struct rule);
	for (size_t i = 0; i < ARRAY_SIZE(text); i++)
		all += len[i] = text[i] ? strlen(text[i]) + 1 : 0;
	/* in one piece, with its texts: a start makes hundreds */
	struct rule *r = xmalloc(all);
	char *end = (char *)(r + 1), *copy[ARRAY_SIZE(text)];
	for (size_t i = 0; i < ARRAY_SIZE(text); i++) {
		copy[i] = text[i] ? end : NULL;
		end = mempcpy(end, text[i] ? text[i] : "", len[i]);
	}
	*r = (struct rule){.path = copy[0], .written = copy[1], .origin = *origin};
	r->origin.label = copy[2];
	r->origin.file = copy[3];
	return r;
}

struct rule *rule_new(struct policy *p, const char *path, const char *written, const struct origin *origin)
{
	/* grows by doubling: the capacity is the next power of two of the count */
	if ((p->n_rules & (p->n_rules - 1)) == 0)
		p->rules = xreallocarray(p->rules, p->n_rules ? p->n_rules * 2 : 1, sizeof(struct rule *));
	p->rules[p->n_rules] = rule_alloc(path, written, origin);
	return p->rules[p->n_rules++];
}

struct rule *rule_aside(struct policy *p, const char *path, const char *written, const struct origin *origin)
{
	if ((p->n_aside & (p->n_aside - 1)) == 0)
		p->aside = xreallocarray(p->aside, p->n_aside ? p->n_aside * 2 : 1, sizeof(struct rule *));
	p->aside[p->n_aside] = rule_alloc(path, written, origin);
	return p->aside[p->n_aside++];
}

struct wanted *want(struct compile *c, char *path, const char *written, unsigned access, const struct origin *origin)
{
	if ((c->n_wanted & (c->n_wanted - 1)) == 0)
		c->wanted = xreallocarray(c->wanted, c->n_wanted ? c->n_wanted * 2 : 1, sizeof(*c->wanted));
	struct wanted *w = &c->wanted[c->n_wanted++];
	*w = (struct wanted){.path = path, .written = xstrdup(written), .access = access, .origin = origin};
	return w;
}

/* @file: of an existing file, else NULL */
static void deny_add(
	struct compile *c, char *path, const char *written, const struct stat *file, const struct origin *origin)
{
	if ((c->n_denies & (c->n_denies - 1)) == 0)
		c->denies = xreallocarray(c->denies, c->n_denies ? c->n_denies * 2 : 1, sizeof(*c->denies));
	struct deny_entry *d = &c->denies[c->n_denies++];
	*d = (struct deny_entry){.path = path, .written = xstrdup(written), .origin = origin};
	if (file) {
		d->dev = file->st_dev;
		d->ino = file->st_ino;
	}
}

void deny_path(struct compile *c, const char *path, const char *written, const struct origin *origin)
{
	struct stat st;
	bool exists;
	cleanup_free char *place = canon_place(&c->canon, path);
	cleanup_free char *target = canon_path(&c->canon, path, &st, &exists);
	bool file = exists && !S_ISDIR(st.st_mode);
	/* Links of the Nix store are shared by everything; only the link is protected. */
	if (strcmp(place, target) != 0 && !path_beneath(target, "/nix/store"))
		deny_add(c, steal_ptr(&target), written, file ? &st : NULL, origin);
	deny_add(c, steal_ptr(&place), written, file ? &st : NULL, origin);
}

/* ---- the profile's lists ------------------------------------------------- */

enum list_kind { LIST_DIR, LIST_DIR_OR_FILE, LIST_FILE };
struct list_row {
	size_t offset; /* in struct profile */
	enum list_kind kind;
	unsigned access;
	const char *file_flag; /* what to use for a file */
	const char *dir_flag;  /* what to use for a directory */
};
#define LIST(member, k, a, f, d)                                                                                       \
	{                                                                                                              \
		offsetof(struct profile, fs.member), k, a, f, d                                                        \
	}
#define READ_ACCESS (ACCESS_READ | ACCESS_EXEC)
static const struct list_row lists[] = {
	LIST(allow, LIST_DIR, READ_ACCESS | ACCESS_WRITE, "--allow-file", "--allow"),
	LIST(read, LIST_DIR_OR_FILE, READ_ACCESS, "--read-file", "--read"),
	LIST(write, LIST_DIR, ACCESS_WRITE, "--write-file", "--write"),
	LIST(allow_file, LIST_FILE, READ_ACCESS | ACCESS_WRITE, "--allow-file", "--allow"),
	LIST(read_file, LIST_FILE, READ_ACCESS, "--read-file", "--read"),
	LIST(write_file, LIST_FILE, ACCESS_WRITE, "--write-file", "--write"),
};

/*
 * Entries of the process's own /proc are named after the reader: what they mean here
 * is nono's. They are served by the proc rule instead.
 */
bool own_proc(const char *path)
{
	/* asked for every path, and most are neither */
	if (path[1] == 'p' && str_starts(path, "/proc/"))
		return path_beneath(path, "/proc/self") || path_beneath(path, "/proc/thread-self") ||
		       (path[6] >= '0' && path[6] <= '9');
	return path[1] == 'd' && path_beneath(path, "/dev/fd");
}

static int list_entry(
	struct compile *c, const struct list_row *row, const struct item *it, const char *path, struct err **e)
{
	if (own_proc(path))
		return 0;
	struct stat st;
	bool exists, user = it->origin.source == SOURCE_USER;
	cleanup_free char *canonical = canon_path(&c->canon, path, &st, &exists);
	if (own_proc(canonical))
		return 0;
	bool is_dir = exists && S_ISDIR(st.st_mode);
	bool exact = row->kind == LIST_FILE;
	if (!exists) {
		/* What a rule lets the program write it may also make; a missing thing to read is none. */
		if (user && row->kind != LIST_FILE) {
			say("%s %s: no such directory, skipped", it->origin.label ? it->origin.label : "", path);
			return 0;
		}
		if (!(row->access & ACCESS_WRITE))
			return 0;
	} else if (is_dir && exact) {
		return err_set(e, 0, "%s is a directory; use %s for directories", path, row->dir_flag);
	} else if (!is_dir && row->kind == LIST_DIR) {
		if (!it->legacy_dir)
			return err_set(e, 0, "%s is not a directory; use %s for files", path, row->file_flag);
		exact = true;
	} else if (!is_dir && row->kind == LIST_DIR_OR_FILE) {
		if (user)
			return err_set(e, 0, "%s is not a directory; use %s for files", path, row->file_flag);
		exact = true;
	}
	struct wanted *w = want(c, steal_ptr(&canonical), it->value, row->access, &it->origin);
	w->exact = exact;
	w->exists = exists;
	if (exists)
		w->st = st;
	return 0;
}

static int lists_compile(struct compile *c, struct err **e)
{
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const struct items *l = (const void *)((const char *)c->profile + lists[i].offset);
		for (size_t k = 0; k < l->n; k++) {
			cleanup_strv struct strv paths = {0};
			if (profile_expand(c->env->expansion, &l->v[k], &paths, e) < 0)
				return err_wrap(e, "cannot expand %s", l->v[k].value);
			for (size_t j = 0; j < paths.n; j++)
				if (list_entry(c, &lists[i], &l->v[k], paths.v[j], e) < 0)
					return -1;
		}
	}
	return 0;
}

static int denies_compile(struct compile *c, struct err **e)
{
	const struct items *l = &c->profile->fs.deny;
	for (size_t k = 0; k < l->n; k++) {
		cleanup_strv struct strv paths = {0};
		if (profile_expand(c->env->expansion, &l->v[k], &paths, e) < 0)
			return err_wrap(e, "cannot expand %s", l->v[k].value);
		for (size_t j = 0; j < paths.n; j++)
			deny_path(c, paths.v[j], l->v[k].value, &l->v[k].origin);
	}
	return 0;
}

static int bypasses_compile(struct compile *c, struct err **e)
{
	const struct items *l = &c->profile->fs.bypass_protection;
	for (size_t k = 0; k < l->n; k++) {
		cleanup_strv struct strv paths = {0};
		if (profile_expand(c->env->expansion, &l->v[k], &paths, e) < 0)
			return err_wrap(e, "cannot expand %s", l->v[k].value);
		for (size_t j = 0; j < paths.n; j++) {
			struct stat st;
			bool exists;
			cleanup_free char *path = canon_path(&c->canon, paths.v[j], &st, &exists);
			if (!exists && l->v[k].origin.source != SOURCE_USER) {
				say_info("bypass_protection %s: no such file, skipped", paths.v[j]);
				continue;
			}
			c->bypasses = xreallocarray(c->bypasses, c->n_bypasses + 1, sizeof(*c->bypasses));
			c->bypasses[c->n_bypasses++] =
				(struct bypass_entry){.path = steal_ptr(&path), .item = &l->v[k], .exists = exists};
			if (exists)
				c->bypasses[c->n_bypasses - 1].st = st;
		}
	}
	return 0;
}

/* ---- what the session itself needs --------------------------------------- */

static const struct origin cwd_origin = {.source = SOURCE_USER, .label = (char *)"--allow-cwd"};
static const struct origin session_origin = {.source = SOURCE_SYSTEM, .label = (char *)"the session's directory"};
static const struct origin program_origin = {.source = SOURCE_SYSTEM, .label = (char *)"the program"};
static const struct origin self_origin = {.source = SOURCE_SYSTEM, .label = (char *)"nono's own program"};
static const struct origin gpu_origin = {.source = SOURCE_USER, .label = (char *)"--allow-gpu"};
static const struct origin proc_origin = {.source = SOURCE_SYSTEM, .label = (char *)"processes of the session"};

static const struct origin terminal_origin = {
	.source = SOURCE_SYSTEM, .label = (char *)"terminals that programs outside the session use"};

static struct wanted *want_existing(struct compile *c, const char *path, unsigned access, const struct origin *origin)
{
	struct stat st;
	bool exists;
	cleanup_free char *canonical = canon_path(&c->canon, path, &st, &exists);
	if (!exists)
		return NULL;
	struct wanted *w = want(c, steal_ptr(&canonical), path, access, origin);
	w->exists = true;
	w->exact = !S_ISDIR(st.st_mode);
	w->st = st;
	return w;
}

static int session_compile(struct compile *c, struct err **e)
{
	const struct policy_env *env = c->env;
	if (env->cwd_granted) {
		static const unsigned access[] = {
			[WORKDIR_NONE] = READ_ACCESS,
			[WORKDIR_READ] = READ_ACCESS,
			[WORKDIR_WRITE] = ACCESS_WRITE,
			[WORKDIR_READWRITE] = READ_ACCESS | ACCESS_WRITE,
		};
		want_existing(c, env->expansion->workdir, access[c->profile->workdir], &cwd_origin);
	}
	struct session_dirs dirs = {0};
	if (env->session_dirs && env->session_dirs(env->session_data, &dirs, e) < 0)
		return -1;
	/* at a first start nono's own directories were still missing when rules above named them */
	canon_free(&c->canon);
	if (dirs.tmp)
		want_existing(c, dirs.tmp, READ_ACCESS | ACCESS_WRITE, &session_origin);
	if (dirs.run)
		want_existing(c, dirs.run, READ_ACCESS, &session_origin);
	if (dirs.openers)
		want_existing(c, dirs.openers, READ_ACCESS, &session_origin);
	if (env->program)
		want_existing(c, env->program, READ_ACCESS, &program_origin);
	if (env->self)
		want_existing(c, env->self, READ_ACCESS, &self_origin);
	if (env->shim)
		want_existing(c, env->shim, READ_ACCESS, &self_origin);
	return 0;
}

/* Device nodes of graphics processors, with the prefix that numbered ones share. */
static const struct {
	const char *dir, *prefix;
	unsigned access;
} gpu_places[] = {
	{"/dev/dri", "renderD", READ_ACCESS | ACCESS_WRITE},
	{"/dev", "nvidia", READ_ACCESS | ACCESS_WRITE},
	{"/dev/nvidia-caps", "", READ_ACCESS | ACCESS_WRITE},
	{"/dev", "kfd", READ_ACCESS | ACCESS_WRITE},
	{"/dev", "dxg", READ_ACCESS | ACCESS_WRITE},
};
static const char *const gpu_data[] = {"/usr/lib/wsl/lib", "/usr/share/vulkan", "/etc/vulkan", "/sys/class/drm",
	"/sys/dev/char", "/proc/driver/nvidia"};

static int gpu_compile(struct compile *c, struct err **e)
{
	if (!c->env->allow_gpu)
		return 0;
	if (c->profile->allow_gpu == TRI_FALSE)
		return err_set(e, 0, "--allow-gpu: the profile says allow_gpu: false");
	size_t found = 0;
	for (size_t i = 0; i < ARRAY_SIZE(gpu_places); i++) {
		cleanup_dir DIR *d = opendir(gpu_places[i].dir);
		for (struct dirent *de; d && (de = readdir(d));) {
			if (de->d_name[0] == '.' || !str_starts(de->d_name, gpu_places[i].prefix))
				continue;
			cleanup_free char *path = path_join(gpu_places[i].dir, de->d_name);
			found += want_existing(c, path, gpu_places[i].access, &gpu_origin) != NULL;
		}
	}
	if (!found)
		return err_set(e, 0, "--allow-gpu: this machine has no graphics device to share");
	for (size_t i = 0; i < ARRAY_SIZE(gpu_data); i++)
		want_existing(c, gpu_data[i], READ_ACCESS, &gpu_origin);
	c->p->settings.gpu = true;
	return 0;
}

/*
 * nono's own places: never reachable, the configuration never writable - but for
 * drafts of profiles, which mean nothing until `nono profile promote`.
 */
static void never_compile(struct compile *c)
{
	static const struct origin own = {.source = SOURCE_SYSTEM, .label = (char *)"nono's own state"};
	cleanup_free char *state = state_dir(), *run = runtime_dir(), *config = config_dir();
	const char *home = c->env->expansion->home;
	cleanup_free char *old = home ? path_join(home, ".nono") : NULL;
	const struct {
		const char *path;
		unsigned mask;
	} places[] = {
		{state, ACCESS_READ | ACCESS_WRITE | ACCESS_EXEC},
		{run, ACCESS_READ | ACCESS_WRITE | ACCESS_EXEC},
		{old, ACCESS_READ | ACCESS_WRITE | ACCESS_EXEC},
		{config, ACCESS_WRITE},
	};
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (!places[i].path)
			continue;
		struct stat st;
		bool exists;
		cleanup_free char *target = canon_path(&c->canon, places[i].path, &st, &exists);
		cleanup_free char *place = canon_place(&c->canon, places[i].path);
		const char *both[] = {target, place};
		for (size_t k = 0; k < (strcmp(target, place) ? 2 : 1); k++) {
			struct node *n = map_add(&c->p->map, both[k]);
			struct rule *r = rule_new(c->p, both[k], places[i].path, &own);
			r->deny = r->never = true;
			n->never = r;
			n->never_mask |= (uint8_t)places[i].mask;
		}
	}
	cleanup_free char *drafts = path_join(config, "profile-drafts");
	cleanup_free char *place = canon_place(&c->canon, drafts);
	map_add(&c->p->map, place)->reopen = true;
}

/* ---- settings ------------------------------------------------------------ */

#define SMALLEST_MEMORY (1ULL << 20) /* less is a forgotten unit */

/* How many bytes a unit stands for: K, KiB and Ki are 1024, KB is 1000, and so on. 0: unknown. */
static uint64_t unit_bytes(const char *unit)
{
	static const char letters[] = "KMGT";
	const char *u = unit[0] ? strchr(letters, unit[0] >= 'a' ? unit[0] - 32 : unit[0]) : NULL;
	if (!u)
		return unit[0] ? 0 : 1;
	const char *rest = unit + 1;
	const bool decimal = strcasecmp(rest, "b") == 0;
	if (!decimal && *rest && strcasecmp(rest, "i") != 0 && strcasecmp(rest, "ib") != 0)
		return 0;
	uint64_t bytes = 1;
	for (const char *p = letters; p <= u; p++)
		bytes *= decimal ? 1000 : 1024;
	return bytes;
}

static int size_parse(const char *text, uint64_t *out, struct err **e)
{
	char *end;
	errno = 0;
	unsigned long long v = strtoull(text, &end, 10);
	const uint64_t unit = end == text ? 0 : unit_bytes(end);
	if (unit == 0 || errno || text[0] == '-' || v == 0 || v > UINT64_MAX / unit)
		return err_set(e, 0, "%s is not a size; write for example 512M or 2G", text);
	*out = (uint64_t)v * unit;
	if (*out < SMALLEST_MEMORY)
		return err_set(
			e, 0, "%s is less than 1M, with which nothing runs; K, M, G or T behind it is the unit", text);
	return 0;
}

/* A plain number; with @per_cent also "150%", and then a plain number counts hundreds of it. */
static int count_parse(const char *text, const char *what, bool per_cent, unsigned *out, struct err **e)
{
	char *end;
	errno = 0;
	unsigned long v = strtoul(text, &end, 10), unit = per_cent ? 100 : 1;
	if (per_cent && end != text && *end == '%') {
		unit = 1;
		end++;
	}
	if (end == text || *end || errno || text[0] == '-' || v == 0 || v > 10000000 / unit)
		return err_set(e, 0, "%s is not a valid %s limit", text, what);
	*out = (unsigned)(v * unit);
	return 0;
}

/* Files to be opened may be made later. */
static int open_files_compile(struct compile *c, struct err **e)
{
	const struct items *l = &c->profile->open_urls.allow_files;
	struct policy *p = c->p;
	for (size_t k = 0; k < l->n; k++) {
		cleanup_strv struct strv paths = {0};
		if (profile_expand(c->env->expansion, &l->v[k], &paths, e) < 0)
			return err_wrap(e, "cannot expand %s", l->v[k].value);
		for (size_t j = 0; j < paths.n; j++) {
			struct stat st;
			bool exists;
			cleanup_free char *path = canon_path(&c->canon, paths.v[j], &st, &exists);
			p->open_files = xreallocarray(p->open_files, p->n_open_files + 1, sizeof(struct rule *));
			p->open_files[p->n_open_files++] = rule_aside(p, path, l->v[k].value, &l->v[k].origin);
		}
	}
	return 0;
}

static int settings_compile(struct compile *c, struct err **e)
{
	struct policy_settings *s = &c->p->settings;
	const struct profile *p = c->profile;
	s->signal_mode = p->security.signal_mode ? p->security.signal_mode : SCOPE_ISOLATED;
	s->process_info_mode = p->security.process_info_mode ? p->security.process_info_mode : SCOPE_ISOLATED;
	s->ipc_mode = p->security.ipc_mode ? p->security.ipc_mode : IPC_SHARED_MEMORY_ONLY;
	s->supervision = p->security.supervision ? p->security.supervision : SUPERVISION_FULL;
	s->on_request = p->security.on_request ? p->security.on_request : ON_REQUEST_ASK;
	s->allow_localhost_urls = p->open_urls.allow_localhost == TRI_TRUE;
	if (p->limits.memory && size_parse(p->limits.memory, &s->limits.memory_bytes, e) < 0)
		return err_wrap(e, "limits.memory");
	if (p->limits.pids && count_parse(p->limits.pids, "process", false, &s->limits.pids, e) < 0)
		return err_wrap(e, "limits.pids");
	if (p->limits.cpu && count_parse(p->limits.cpu, "processor", true, &s->limits.cpu_percent, e) < 0)
		return err_wrap(e, "limits.cpu");
	const struct items *origins = &p->open_urls.allow_origins;
	c->p->origins = xcalloc(origins->n + 1, sizeof(struct rule *));
	for (size_t i = 0; i < origins->n; i++)
		c->p->origins[c->p->n_origins++] =
			rule_aside(c->p, origins->v[i].value, origins->v[i].value, &origins->v[i].origin);
	c->p->hosts = hosts_compile(p, e);
	if (!c->p->hosts)
		return -1;
	s->net_mode = hosts_mode(c->p->hosts);
	return 0;
}

/* The program starts in the working directory when some grant covers it, else in "/". */
static void workdir_compile(struct compile *c)
{
	const char *dir = c->env->expansion->workdir;
	bool covered = false;
	for (size_t i = 0; i < c->n_wanted && !covered; i++)
		covered = !c->wanted[i].exact && path_beneath(dir, c->wanted[i].path);
	c->p->settings.workdir = xstrdup(covered ? dir : "/");
}

/* ---- the whole ----------------------------------------------------------- */

static void compile_free(struct compile *c)
{
	for (size_t i = 0; i < c->n_wanted; i++) {
		free(c->wanted[i].path);
		free(c->wanted[i].written);
	}
	for (size_t i = 0; i < c->n_denies; i++) {
		free(c->denies[i].path);
		free(c->denies[i].written);
	}
	for (size_t i = 0; i < c->n_bypasses; i++)
		free(c->bypasses[i].path);
	for (size_t i = 0; i < c->n_origins; i++)
		free(c->origins[i]);
	free(c->origins);
	free(c->wanted);
	free(c->denies);
	free(c->bypasses);
	canon_free(&c->canon);
}

static int compile_all(struct compile *c, struct err **e)
{
	never_compile(c);
	if (groups_compile(c, e) < 0 || lists_compile(c, e) < 0 || denies_compile(c, e) < 0 ||
		bypasses_compile(c, e) < 0 || gpu_compile(c, e) < 0 || unix_compile(c, e) < 0 ||
		quiet_compile(c, e) < 0 || open_files_compile(c, e) < 0)
		return -1;
	if (session_compile(c, e) < 0 || conflict_resolve(c, e) < 0)
		return -1;
	workdir_compile(c);
	return settings_compile(c, e);
}

struct policy *policy_compile(const struct profile *profile, const struct policy_env *env, struct err **e)
{
	struct policy *p = xcalloc(1, sizeof(*p));
	/* Decisions never stop coming; an answer must not wait for a gap between them. */
	pthread_rwlockattr_t attr;
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&p->lock, &attr);
	pthread_rwlockattr_destroy(&attr);
	p->profile = profile;
	p->proc_rule = rule_aside(p, NULL, "/proc/PID", &proc_origin);
	p->proc_rule->access = ACCESS_READ;
	p->terminal_rule = rule_aside(p, NULL, "/dev/pts/N", &terminal_origin);
	p->terminal_rule->deny = true;
	struct compile c = {.p = p, .profile = profile, .env = env};
	int r = compile_all(&c, e);
	if (r == 0)
		split_compile(p);
	compile_free(&c);
	if (r < 0) {
		policy_free(p);
		return NULL;
	}
	return p;
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n_rules; i++)
		free(p->rules[i]);
	for (size_t i = 0; i < p->n_aside; i++)
		free(p->aside[i]);
	free(p->aside);
	for (size_t i = 0; i < p->n_grants; i++)
		free(p->grants[i].rule);
	free(p->rules);
	free(p->kernel);
	free(p->sockets);
	free(p->origins);
	free(p->open_files);
	free(p->commands);
	free(p->denied_files);
	free(p->grants);
	strv_free(&p->quiet);
	strv_free(&p->control_sockets);
	hosts_free(p->hosts);
	free(p->settings.workdir);
	map_free(&p->map);
	pthread_rwlock_destroy(&p->lock);
	free(p);
}

const struct policy_settings *policy_settings(const struct policy *p)
{
	return &p->settings;
}

const struct profile *policy_profile(const struct policy *p)
{
	return p->profile;
}

const struct rule *const *policy_rules(const struct policy *p, size_t *n)
{
	*n = p->n_rules;
	return (const struct rule *const *)p->rules;
}

void policy_set_tree(struct policy *p, bool (*owns)(void *data, pid_t pid), void *data)
{
	pthread_rwlock_wrlock(&p->lock);
	p->owns = owns;
	p->owns_data = data;
	pthread_rwlock_unlock(&p->lock);
}
