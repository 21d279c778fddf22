/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.c - what is said at the end of a run in which something was refused:
 * short, grouped, and with one command line that would have worked.
 */
#include "explain/internal.h"

#include <ctype.h>

#define ROWS_MAX 10
#define FLAGS_MAX 8
#define SAME_DIRECTORY 4 /* so many files of one directory are suggested as that directory */

/* A word that a shell takes as it is, without control characters. */
static char *quote(const char *s)
{
	bool plain = s[0] != '\0';
	for (const char *c = s; *c && plain; c++)
		plain = isalnum((unsigned char)*c) || strchr("/._-+=:,@%~", *c);
	if (plain)
		return xstrdup(s);
	cleanup_free char *safe = str_sanitize(s);
	cleanup_buf struct buf b = {0};
	buf_addc(&b, '\'');
	for (const char *c = safe; *c; c++) {
		if (*c == '\'')
			buf_adds(&b, "'\\''");
		else
			buf_addc(&b, *c);
	}
	buf_addc(&b, '\'');
	return buf_steal(&b);
}

/* Our own command line. Return: false when it is not "nono run|shell|wrap ...". */
static bool own_command(struct strv *out)
{
	cleanup_file FILE *f = fopen("/proc/self/cmdline", "re");
	char *arg = NULL;
	size_t cap = 0;
	while (f && getdelim(&arg, &cap, 0, f) > 0)
		strv_add(out, arg);
	free(arg);
	return out->n >= 3 && (strcmp(out->v[1], "run") == 0 || strcmp(out->v[1], "shell") == 0);
}

char *fix_command(const struct strv *flags, char *const argv[])
{
	cleanup_strv struct strv own = {0};
	cleanup_buf struct buf b = {0};
	bool known = own_command(&own);
	buf_addf(&b, "nono %s", known ? own.v[1] : "run");
	for (size_t i = 0; i < flags->n; i++) {
		cleanup_free char *safe = str_sanitize(flags->v[i]);
		buf_addf(&b, " %s", safe);
	}
	for (size_t i = 2; known && i < own.n; i++) {
		cleanup_free char *q = quote(own.v[i]);
		buf_addf(&b, " %s", q);
	}
	if (!known)
		buf_adds(&b, " --");
	for (size_t i = 0; !known && argv && argv[i]; i++) {
		cleanup_free char *q = quote(argv[i]);
		buf_addf(&b, " %s", q);
	}
	return buf_steal(&b);
}

/* Whether it belongs into the report. */
static bool counts(const struct record *r)
{
	return !r->granted && !r->quiet;
}

static bool refused_by_person(const struct record *r)
{
	return r->answer && (strcmp(r->answer, "no") == 0 || strcmp(r->answer, "never") == 0);
}

/* How many refusals the flag "--read-file X" shares its directory with. */
static size_t same_directory(struct record *const *r, size_t n, const struct record *one, const char *dir)
{
	size_t count = 0;
	for (size_t i = 0; i < n; i++) {
		if (r[i]->op != one->op || !r[i]->resolved || r[i]->resolved[0] != '/')
			continue;
		cleanup_free char *d = path_dir(r[i]->resolved);
		count += strcmp(d, dir) == 0;
	}
	return count;
}

/* Whether a directory is so much that no report proposes it: "/", the home directory, what holds it. */
static bool too_wide(const char *dir)
{
	const char *home = home_dir();
	return strcmp(dir, "/") == 0 || (home && path_beneath(home, dir));
}

/* What the suggested flag would open when it names a directory. New string. */
static char *opened_by(const struct record *r)
{
	return r->op == OP_CREATE || r->op == OP_DELETE ? path_dir(r->resolved) : xstrdup(r->resolved);
}

/* The flags that were missing, without those a person or a deny rule refused on purpose. */
static void missing_flags(struct record *const *r, size_t n, struct strv *flags, size_t *on_purpose)
{
	*on_purpose = 0;
	for (size_t i = 0; i < n; i++) {
		if (!counts(r[i]) || !r[i]->suggest)
			continue;
		if (r[i]->verdict == VERDICT_PROTECTED || refused_by_person(r[i])) {
			(*on_purpose)++;
			continue;
		}
		/* a sentence about the profile is no flag */
		cleanup_free char *opened = opened_by(r[i]);
		if (!str_starts(r[i]->suggest, "--") || (opened[0] == '/' && too_wide(opened)))
			continue;
		cleanup_free char *flag = xstrdup(r[i]->suggest);
		if (r[i]->op == OP_READ && r[i]->resolved[0] == '/' && str_starts(flag, "--read-file")) {
			cleanup_free char *dir = path_dir(r[i]->resolved);
			cleanup_free char *quoted = quote(dir);
			if (!too_wide(dir) && same_directory(r, n, r[i], dir) >= SAME_DIRECTORY) {
				free(flag);
				flag = xasprintf("--read %s", quoted);
			}
		}
		if (!strv_has(flags, flag) && flags->n < FLAGS_MAX)
			strv_take(flags, steal_ptr(&flag));
	}
}

static void print_row(FILE *f, const struct record *r)
{
	cleanup_free char *object = record_object(r);
	cleanup_free char *program = str_sanitize(r->program ? r->program : "");
	cleanup_free char *rule = str_sanitize(r->rule ? r->rule : "");
	fprintf(f, "  %3u  %-8s %s%s%s", r->id, operation_name(r->op), object, *program ? "  by " : "", program);
	if (r->count > 1)
		fprintf(f, ", %u times", r->count);
	if (refused_by_person(r))
		fprintf(f, ", you said %s", r->answer);
	else if (r->verdict == VERDICT_PROTECTED || r->verdict == VERDICT_NEVER)
		fprintf(f, ", protected: %s", *rule ? rule : "always");
	fputc('\n', f);
}

static void report_text(FILE *f, struct record *const *r, size_t n, unsigned dropped, char *const argv[])
{
	size_t refusals = 0, shown = 0, on_purpose;
	for (size_t i = 0; i < n; i++)
		refusals += counts(r[i]);
	fprintf(f, "nono: %zu thing%s refused; `nono why NUMBER` explains\n", refusals + dropped,
		refusals + dropped == 1 ? " was" : "s were");
	for (size_t i = 0; i < n && shown < ROWS_MAX; i++) {
		if (!counts(r[i]))
			continue;
		print_row(f, r[i]);
		shown++;
	}
	if (refusals + dropped > shown)
		fprintf(f, "       and %zu more: nono why --list\n", refusals + dropped - shown);
	cleanup_strv struct strv flags = {0};
	missing_flags(r, n, &flags, &on_purpose);
	if (flags.n) {
		cleanup_free char *command = fix_command(&flags, argv);
		fprintf(f, "  to allow%s: %s\n", on_purpose ? " what is not refused on purpose" : " it", command);
	}
}

static void report_json(FILE *f, struct record *const *r, size_t n, unsigned dropped, char *const argv[])
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	cleanup_strv struct strv flags = {0};
	size_t on_purpose;
	for (size_t i = 0; i < n; i++)
		if (!r[i]->granted)
			json_object_array_add(list, record_to_json(r[i]));
	json_object_object_add(o, "denials", list);
	json_object_object_add(o, "not_recorded", json_object_new_int64(dropped));
	missing_flags(r, n, &flags, &on_purpose);
	if (flags.n) {
		cleanup_free char *command = fix_command(&flags, argv);
		json_add_text(o, "suggested_command", command);
	}
	fprintf(f, "%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

void explain_report(struct explain *x, char *const argv[], bool json)
{
	size_t n, refusals = 0;
	unsigned dropped;
	struct record *const *r = explain_records(x, &n, &dropped);
	for (size_t i = 0; i < n; i++)
		refusals += counts(r[i]);
	if (refusals + dropped == 0 || (!json && say_level < SAY_NORMAL))
		return;
	/* into one buffer and one write: other programs may still be writing to the terminal */
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return;
	if (json)
		report_json(f, r, n, dropped, argv);
	else
		report_text(f, r, n, dropped, argv);
	fclose(f);
	io_write_all(STDERR_FILENO, text, len);
	free(text);
}
