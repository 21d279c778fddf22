/* SPDX-License-Identifier: Apache-2.0 */
/* refs.c - references to secrets: their forms, and the list of --env-credential. */
#include "secrets/internal.h"

#include "sandbox/sandbox.h"

#include <assert.h>
#include <ctype.h>
#include <strings.h>

#define REF_MAX 1024

static const char alnum[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/* Never read as a secret or set to one, besides what environment_dangerous() names. */
static const char *const reserved[] = {"PATH", "HOME", "SHELL", "USER", "LOGNAME"};

static bool is_reserved(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
		if (strcasecmp(name, reserved[i]) == 0)
			return true;
	return strncasecmp(name, "NONO_", 5) == 0 || environment_dangerous(name);
}

int secret_variable_check(const char *name, struct err **e)
{
	bool good = *name && !isdigit((unsigned char)*name);
	for (const char *c = name; good && *c; c++)
		good = strchr(alnum, *c) || *c == '_';
	if (!good)
		return err_set(e, 0, "\"%s\" is not the name of a variable: letters, digits and _ only", name);
	if (is_reserved(name))
		return err_set(e, 0, "variable %s says how programs run and can carry no secret", name);
	return 0;
}

/* One part of a reference: not empty, nothing but @more and letters and digits, not an option. */
static int part_check(const char *part, const char *more, const char *what, struct err **e)
{
	if (!*part)
		return err_set(e, 0, "the %s is empty", what);
	if (*part == '-')
		return err_set(e, 0, "the %s begins with \"-\"", what);
	for (const char *c = part; *c; c++)
		if (!strchr(alnum, *c) && !strchr(more, *c))
			return err_set(e, 0, "the %s has a character that it cannot have", what);
	return 0;
}

static int parse_name(const char *rest, struct secret_ref *out, struct err **e)
{
	if (part_check(rest, "_.-@+", "name", e) < 0)
		return -1;
	out->where = xstrdup("nono");
	out->what = xstrdup(rest);
	return 0;
}

static int parse_env(const char *rest, struct secret_ref *out, struct err **e)
{
	out->where = xstrdup(rest);
	return secret_variable_check(rest, e);
}

static int parse_file(const char *rest, struct secret_ref *out, struct err **e)
{
	if (*rest != '/')
		return err_set(e, 0, "the path is not absolute: file:///path");
	if (part_check(rest, "/_.-@+ :,=~", "path", e) < 0)
		return -1;
	cleanup_free char *slashed = xasprintf("%s/", rest);
	if (strstr(slashed, "/../"))
		return err_set(e, 0, "the path has \"..\" in it");
	out->where = xstrdup(rest);
	return 0;
}

static int parse_op(const char *rest, struct secret_ref *out, struct err **e)
{
	if (part_check(rest, "/_.-@+ :", "reference", e) < 0)
		return -1;
	size_t slashes = 0;
	for (const char *c = rest; *c; c++) {
		if (*c == '/' && (c[1] == '/' || !c[1]))
			return err_set(e, 0, "a part of it is empty");
		slashes += *c == '/';
	}
	if (*rest == '/' || slashes < 2 || slashes > 3)
		return err_set(e, 0, "it has to be op://vault/item/[section/]field");
	out->where = xasprintf("op://%s", rest);
	return 0;
}

static int parse_bw(const char *rest, struct secret_ref *out, struct err **e)
{
	const char *slash = strchr(rest, '/');
	out->where = slash ? xstrndup(rest, (size_t)(slash - rest)) : xstrdup(rest);
	out->what = slash ? xstrdup(slash + 1) : NULL;
	if (part_check(out->where, "_.-@+ ", "item", e) < 0)
		return -1;
	return out->what ? part_check(out->what, "_.-@+ ", "field", e) : 0;
}

static int parse_keyring(const char *rest, struct secret_ref *out, struct err **e)
{
	const char *slash = strchr(rest, '/');
	if (!slash)
		return err_set(e, 0, "it has to be keyring://service/account");
	const char *end = strchr(slash, '?');
	if (end && strcmp(end, "?decode=go-keyring") != 0)
		return err_set(e, 0, "after the account only ?decode=go-keyring is known");
	out->decode = end;
	out->where = xstrndup(rest, (size_t)(slash - rest));
	out->what = end ? xstrndup(slash + 1, (size_t)(end - slash - 1)) : xstrdup(slash + 1);
	if (part_check(out->where, "_.-@+: ", "service", e) < 0)
		return -1;
	return part_check(out->what, "_.-@+: /", "account", e);
}

static const struct {
	const char *prefix;
	int (*parse)(const char *rest, struct secret_ref *out, struct err **e);
} forms[] = {
	[SECRET_NAME] = {"", parse_name},
	[SECRET_ENV] = {"env://", parse_env},
	[SECRET_FILE] = {"file://", parse_file},
	[SECRET_OP] = {"op://", parse_op},
	[SECRET_BW] = {"bw://", parse_bw},
	[SECRET_KEYRING] = {"keyring://", parse_keyring},
};
static_assert(ARRAY_SIZE(forms) == N_SECRET_KINDS, "every kind of reference has a form");

int secret_ref_parse(const char *ref, struct secret_ref *out, struct err **e)
{
	*out = (struct secret_ref){0};
	if (strlen(ref) > REF_MAX)
		return err_set(e, 0, "a reference to a secret is longer than %d characters", REF_MAX);
	cleanup_free char *shown = str_sanitize(ref);
	for (size_t i = N_SECRET_KINDS; i-- > 0;) {
		if (!str_starts(ref, forms[i].prefix))
			continue;
		if (i == SECRET_NAME && strstr(ref, "://"))
			return err_set(e, 0,
				"secret \"%s\" has an unknown form: a name in the keyring, env://, file://, op://, "
				"bw:// or keyring:// is needed",
				shown);
		out->kind = (enum secret_kind)i;
		if (forms[i].parse(ref + strlen(forms[i].prefix), out, e) == 0)
			return 0;
		secret_ref_free(out);
		return err_wrap(e, "secret \"%s\"", shown);
	}
	return -1;
}

void secret_ref_free(struct secret_ref *r)
{
	free(r->where);
	free(r->what);
	*r = (struct secret_ref){0};
}

int secret_ref_check(const char *ref, struct err **e)
{
	struct secret_ref r;
	if (secret_ref_parse(ref, &r, e) < 0)
		return -1;
	secret_ref_free(&r);
	return 0;
}

/* One entry of the list: NAME, env://VAR, or REF=VAR. */
static int flag_entry(const char *entry, struct pairs *out, struct err **e)
{
	if (str_starts(entry, "keyring://"))
		return err_set(e, 0, "\"%s\" needs a variable: --env-credential-map %s VAR", entry, entry);
	const char *eq = strrchr(entry, '=');
	cleanup_free char *ref = eq ? xstrndup(entry, (size_t)(eq - entry)) : xstrdup(entry);
	cleanup_free char *var = eq ? xstrdup(eq + 1) : NULL;
	struct secret_ref r;
	if (secret_ref_parse(ref, &r, e) < 0)
		return -1;
	if (!var && r.kind == SECRET_ENV)
		var = xstrdup(r.where);
	if (!var && r.kind == SECRET_NAME) {
		var = xstrdup(ref);
		for (char *c = var; *c; c++)
			*c = (char)toupper((unsigned char)*c);
	}
	secret_ref_free(&r);
	if (!var)
		return err_set(e, 0, "\"%s\" needs a variable: %s=VAR", entry, entry);
	if (secret_variable_check(var, e) < 0)
		return -1;
	static const struct origin origin = {.source = SOURCE_USER, .label = (char *)"--env-credential"};
	pairs_set(out, ref, var, &origin);
	return 0;
}

int env_credential_flag(const char *list, struct pairs *out, struct err **e)
{
	cleanup_free char *copy = xstrdup(list);
	char *rest = copy;
	for (char *entry = strsep(&rest, ","); entry; entry = strsep(&rest, ","))
		if (flag_entry(entry, out, e) < 0)
			return -1;
	return 0;
}
