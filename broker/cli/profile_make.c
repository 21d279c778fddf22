/* SPDX-License-Identifier: Apache-2.0 */
/* profile_make.c - `nono profile init` and `promote`: profiles of one's own. */
#include "cli/profile_commands.h"

#include <dlfcn.h>
#include <errno.h>
#include <sys/stat.h>

#define MAX_PROFILE (1 << 20) /* bytes */
#define SHA256_BYTES 32

static bool is_builtin(const char *name)
{
	const struct embedded *data = embedded_find(builtin_canonical(name));
	return data && embedded_is_profile(data);
}

static int check_name(const char *name, struct err **e)
{
	return profile_name_valid(name)
		       ? 0
		       : err_set(e, 0, "\"%s\" is no profile name: letters, digits and inner dashes", name);
}

int write_json(const char *file, struct json_object *o)
{
	cleanup_err struct err *e = NULL;
	cleanup_free char *text =
		xasprintf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
									    JSON_C_TO_STRING_NOSLASHESCAPE));
	cleanup_free char *dir = path_dir(file);
	if (dir_create(dir, 0700, &e) < 0 || file_write_atomic(file, text, strlen(text), 0600, &e) < 0)
		return fail_with(e);
	return 0;
}

/* ---- init ------------------------------------------------------------------------ */

/* Keys of a new file, in the order in which they are written; `full`: with --full only. */
static const struct {
	const char *key, *value; /* JSON */
	bool full;
} skeleton[] = {
	{"groups.include", "[]", false},
	{"groups.exclude", "[]", true},
	{"workdir.access", "\"readwrite\"", false},
	{"filesystem.allow", "[]", false},
	{"filesystem.read", "[]", false},
	{"filesystem.write", "[]", true},
	{"filesystem.allow_file", "[]", true},
	{"filesystem.read_file", "[]", true},
	{"filesystem.write_file", "[]", true},
	{"filesystem.deny", "[]", true},
	{"filesystem.bypass_protection", "[]", true},
	{"filesystem.suppress_save_prompt", "[]", true},
	{"network.block", "false", true},
	{"network.allow_domain", "[]", true},
	{"network.credentials", "[]", true},
	{"network.open_port", "[]", true},
	{"network.listen_port", "[]", true},
	{"env_credentials", "{}", true},
	{"rollback.exclude_patterns", "[]", true},
	{"rollback.exclude_globs", "[]", true},
};

/* "a,b" as an array of policy groups that exist; NULL with *e set. */
static struct json_object *groups_json(const char *list, struct err **e)
{
	struct json_object *a = json_object_new_array();
	for (const char *p = list; p && *p; p += strcspn(p, ","), p += *p == ',') {
		cleanup_free char *name = xstrndup(p, strcspn(p, ","));
		if (!group_find(name)) {
			err_set(e, 0, "unknown policy group \"%s\"; `nono profile groups` lists them", name);
			json_object_put(a);
			return NULL;
		}
		json_object_array_add(a, json_text(name));
	}
	return a;
}

static struct json_object *new_profile(const struct profile_args *a, struct err **e)
{
	struct json_object *groups = groups_json(a->groups, e);
	if (!groups)
		return NULL;
	struct json_object *o = json_object_new_object();
	if (a->extends)
		json_object_object_add(o, "extends", json_text(a->extends));
	json_put_path(o, "meta.name", json_text(a->name));
	if (a->description)
		json_put_path(o, "meta.description", json_text(a->description));
	for (size_t i = 0; i < ARRAY_SIZE(skeleton); i++)
		if (i == 0)
			json_put_path(o, skeleton[i].key, groups);
		else if (a->full || !skeleton[i].full)
			json_put_path(o, skeleton[i].key, json_tokener_parse(skeleton[i].value));
	return o;
}

/* Whether the profile may be made; what it extends has to load. */
static int check_new(const struct profile_args *a, const char *file, struct err **e)
{
	if (check_name(a->name, e) < 0)
		return -1;
	if (is_builtin(a->name))
		return err_set(e, 0, "%s is a built-in profile; try: nono profile init %s-local --extends %s", a->name,
			a->name, a->name);
	if (!a->force && access(file, F_OK) == 0)
		return err_set(e, 0, "%s exists; --force replaces it", file);
	cleanup_profile struct profile *base = a->extends ? profile_load(a->extends, NULL, e) : NULL;
	return a->extends && !base ? -1 : 0;
}

int profile_init(const struct profile_args *a)
{
	cleanup_err struct err *e = NULL;
	cleanup_free char *file = a->output ? xstrdup(a->output) : profile_file_of("profiles", a->name);
	struct json_object *o = check_new(a, file, &e) < 0 ? NULL : new_profile(a, &e);
	if (!o)
		return fail_with(e);
	int rc = write_json(file, o);
	json_object_put(o);
	if (rc)
		return rc;
	say("made %s", file);
	say("check it with: nono profile validate %s", a->output ? file : a->name);
	say("its keys, for your editor: nono profile schema --output FILE");
	return 0;
}

/* ---- promote --------------------------------------------------------------------- */

struct promotion {
	const char *name;
	char *draft, *target, *base; /* files */
	char *new, *old;             /* texts; old NULL when there is no target */
	size_t new_len, old_len;
};

static void promotion_free(struct promotion *p)
{
	free(p->draft);
	free(p->target);
	free(p->base);
	free(p->new);
	free(p->old);
}

/* The draft has to be a file itself: a link could name what the person is not shown. */
static int read_draft(struct promotion *p, struct err **e)
{
	struct stat st;
	if (lstat(p->draft, &st) < 0)
		return err_set(e, errno, "cannot read the draft %s", p->draft);
	if (!S_ISREG(st.st_mode))
		return err_set(e, 0, "the draft %s is not a regular file", p->draft);
	if (file_read(p->draft, MAX_PROFILE, &p->new, &p->new_len, e) < 0)
		return -1;
	cleanup_profile struct profile *loaded = profile_load_text(p->draft, p->new, p->new_len, e);
	if (!loaded)
		return -1;
	if (!loaded->meta.name || strcmp(loaded->meta.name, p->name) != 0)
		return err_set(e, 0, "%s: meta.name must be \"%s\"", p->draft, p->name);
	cleanup_strv struct strv problems = {0};
	profile_problems(loaded, &problems);
	return problems.n ? err_set(e, 0, "%s: %s", p->draft, problems.v[0]) : 0;
}

/* SHA-256 in hexadecimal, from libcrypto, which nothing else here needs. Return: -1 without it. */
static int sha256_hex(const void *data, size_t len, char hex[2 * SHA256_BYTES + 1], struct err **e)
{
	typedef unsigned char *sha256_fn(const unsigned char *, size_t, unsigned char *); /* SHA256(3) */
	void *lib = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
	union {
		void *object;
		sha256_fn *call;
	} sha256 = {.object = lib ? dlsym(lib, "SHA256") : NULL};
	unsigned char sum[SHA256_BYTES];
	bool done = sha256.object && sha256.call(data, len, sum);
	for (unsigned i = 0; done && i < SHA256_BYTES; i++)
		(void)snprintf(hex + (size_t)2 * i, 3, "%02x", sum[i]);
	if (lib)
		dlclose(lib);
	return done ? 0 : err_set(e, 0, "cannot load libcrypto, which compares the profile with the draft's base");
}

/* Whether the profile is still the one the draft was made from: its SHA-256 stands in NAME.base. */
static int check_base(const struct promotion *p, struct err **e)
{
	char hex[2 * SHA256_BYTES + 1] = "";
	cleanup_free char *base = NULL;
	if (file_read(p->base, 4096, &base, NULL, e) < 0)
		return err_wrap(e, "cannot tell which %s the draft was made from", p->target);
	if (sha256_hex(p->old, p->old_len, hex, e) < 0)
		return -1;
	base[strcspn(base, " \t\r\n")] = '\0';
	if (strcmp(base, hex) == 0)
		return 0;
	return err_set(e, 0, "%s has changed since the draft was made; make the draft again", p->target);
}

static int promotion_prepare(struct promotion *p, struct err **e)
{
	if (check_name(p->name, e) < 0)
		return -1;
	p->draft = profile_file_of("profile-drafts", p->name);
	p->target = profile_file_of("profiles", p->name);
	p->base = xasprintf("%.*s.base", (int)(strlen(p->draft) - strlen(".json")), p->draft);
	if (read_draft(p, e) < 0)
		return -1;
	if (access(p->target, F_OK) == 0)
		return file_read(p->target, MAX_PROFILE, &p->old, &p->old_len, e) < 0 ? -1 : check_base(p, e);
	return is_builtin(p->name)
		       ? err_set(e, 0, "%s is a built-in profile; give the draft another name and extend it", p->name)
		       : 0;
}

/* Only "y" or "yes" is yes. */
static bool agreed(void)
{
	char line[16];
	fputs("Promote this draft? [y/N] ", stderr);
	if (!fgets(line, sizeof(line), stdin))
		return false;
	line[strcspn(line, "\r\n")] = '\0';
	return strcasecmp(line, "y") == 0 || strcasecmp(line, "yes") == 0;
}

static int promote(const struct promotion *p, const struct profile_args *a, struct err **e)
{
	cleanup_free char *change = text_diff("profiles", "profile-drafts", p->old ? p->old : "", p->new);
	for (char *line = change, *end; *line; line = end) {
		end = line + strcspn(line, "\n");
		end += *end == '\n';
		cleanup_free char *text = xstrndup(line, strcspn(line, "\n"));
		print_padded(text, 0);
		putchar('\n');
	}
	fflush(stdout);
	if (a->diff)
		return 0;
	if (!a->yes && !agreed())
		return -1;
	cleanup_free char *dir = path_dir(p->target);
	if (dir_create(dir, 0700, e) < 0 || file_write_atomic(p->target, p->new, p->new_len, 0600, e) < 0)
		return -1;
	(void)unlink(p->draft);
	(void)unlink(p->base);
	say("promoted to %s", p->target);
	return 0;
}

int profile_promote(const struct profile_args *a)
{
	cleanup_err struct err *e = NULL;
	struct promotion p = {.name = a->name};
	int rc = -1;
	if (a->diff && a->yes)
		err_set(&e, 0, "--diff and --yes do not go together");
	else
		rc = promotion_prepare(&p, &e) < 0 ? -1 : promote(&p, a, &e);
	promotion_free(&p);
	return rc == 0 ? 0 : e ? fail_with(e) : 1;
}
