/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fix.c - what a run was refused, as rows of a report, and the one command line that would have worked.
 */
#include "explain/internal.h"

#define FLAGS_MAX 12
#define SAME_DIRECTORY 4 /* so many files of one directory are one row, and are allowed as that directory */

/* ---- rows ---------------------------------------------------------------- */

/* Whether a directory is so much that no report proposes it: "/", the home directory, what holds it. */
static bool too_wide(const char *dir)
{
	const char *home = home_dir();
	return strcmp(dir, "/") == 0 || (home && path_beneath(home, dir));
}

/* Whether @a and @b are said in one row when they are many: the same done to files of one directory. */
static bool alike(const struct report_row *a, const struct report_row *b)
{
	return a->dir && b->dir && !too_wide(a->dir) && strcmp(a->dir, b->dir) == 0 && a->r->op == b->r->op &&
	       a->r->verdict == b->r->verdict && a->by_person == b->by_person &&
	       strcmp(a->r->program ? a->r->program : "", b->r->program ? b->r->program : "") == 0;
}

static void group(struct report_row *rows, size_t n, size_t at)
{
	size_t members = 0;
	for (size_t i = at; i < n; i++)
		members += alike(&rows[at], &rows[i]);
	rows[at].files = members >= SAME_DIRECTORY ? members : 1;
	for (size_t i = at + 1; i < n && members >= SAME_DIRECTORY; i++)
		if (alike(&rows[at], &rows[i]))
			rows[i].files = 0;
}

struct report_row *report_rows(struct record *const *r, size_t n, size_t *count)
{
	struct report_row *rows = xcalloc(n + 1, sizeof *rows);
	*count = 0;
	for (size_t i = 0; i < n; i++) {
		if (r[i]->granted || r[i]->quiet)
			continue;
		struct report_row *row = &rows[(*count)++];
		*row = (struct report_row){.r = r[i], .files = SIZE_MAX};
		row->by_person = r[i]->answer && (!strcmp(r[i]->answer, "no") || !strcmp(r[i]->answer, "never"));
		if (r[i]->op <= OP_ATTR && r[i]->resolved && r[i]->resolved[0] == '/')
			row->dir = path_dir(r[i]->resolved);
	}
	for (size_t i = 0; i < *count; i++)
		if (rows[i].files == SIZE_MAX)
			group(rows, *count, i);
	return rows;
}

void report_rows_free(struct report_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(rows[i].dir);
	free(rows);
}

/* ---- the command --------------------------------------------------------- */

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

/* One flag of the command line, and the directory that it opens whole. */
struct fix {
	char *flag, *dir;
	bool writes;
};

static void fix_free(struct fix *f)
{
	free(f->flag);
	free(f->dir);
	*f = (struct fix){0};
}

static bool covers(const struct fix *wide, const struct fix *f, const char *object)
{
	return wide != f && wide->dir && (wide->writes || !f->writes) && strcmp(wide->flag, f->flag) != 0 &&
	       path_beneath(object, wide->dir);
}

static struct fix fix_for(const struct policy *p, const struct report_row *row)
{
	const struct record *r = row->r;
	bool reads = r->op == OP_READ || r->op == OP_EXECUTE, entry = r->op == OP_CREATE || r->op == OP_DELETE;
	struct fix f = {.writes = !reads};
	if (row->files > 1)
		f.flag = policy_suggest_flag(p, reads ? OP_READ : OP_WRITE, row->dir, 0, false);
	else
		f.flag = xstrdup(r->suggest);
	if (row->dir && (str_starts(f.flag, "--read ") || str_starts(f.flag, "--allow ")))
		f.dir = xstrdup(row->files > 1 || entry ? row->dir : r->resolved);
	return f;
}

/* The flags that were missing, without those a person or a rule refused on purpose. */
static void missing_flags(const struct policy *p, const struct report_row *rows, size_t n, struct command_fix *out)
{
	struct fix *all = xcalloc(n + 1, sizeof *all);
	for (size_t i = 0; i < n; i++) {
		const struct record *r = rows[i].r;
		bool on_purpose = r->verdict == VERDICT_PROTECTED || r->verdict == VERDICT_NEVER || rows[i].by_person;
		out->on_purpose += on_purpose;
		if (!on_purpose && r->suggest && rows[i].files)
			all[i] = fix_for(p, &rows[i]);
		if (all[i].dir && too_wide(all[i].dir)) {
			fix_free(&all[i]);
			out->part = true;
		}
	}
	for (size_t i = 0; i < n; i++) {
		bool needed = all[i].flag && !strv_has(&out->flags, all[i].flag);
		for (size_t k = 0; k < n && needed; k++)
			needed = !all[k].flag ||
				 !covers(&all[k], &all[i], all[i].dir ? all[i].dir : rows[i].r->resolved);
		if (needed && out->flags.n < FLAGS_MAX)
			strv_add(&out->flags, all[i].flag);
		else if (needed)
			out->part = true;
	}
	for (size_t i = 0; i < n; i++) {
		fix_free(&all[i]);
	}
	free(all);
}

static char *command_line(const struct strv *flags, const struct strv *own, bool known, char *const argv[])
{
	cleanup_buf struct buf b = {0};
	buf_addf(&b, "nono %s", known ? own->v[1] : "run");
	for (size_t i = 0; i < flags->n; i++)
		buf_addf(&b, " %s", flags->v[i]);
	for (size_t i = 2; known && i < own->n; i++) {
		cleanup_free char *q = str_quote(own->v[i]);
		buf_addf(&b, " %s", q);
	}
	if (!known)
		buf_adds(&b, " --");
	for (size_t i = 0; !known && argv && argv[i]; i++) {
		cleanup_free char *q = str_quote(argv[i]);
		buf_addf(&b, " %s", q);
	}
	return buf_steal(&b);
}

struct command_fix fix_command(const struct policy *p, const struct report_row *rows, size_t n, char *const argv[])
{
	cleanup_strv struct strv own = {0};
	struct command_fix out = {0};
	bool known = own_command(&own);
	missing_flags(p, rows, n, &out);
	if (out.flags.n)
		out.line = command_line(&out.flags, &own, known, argv);
	return out;
}

void command_fix_free(struct command_fix *f)
{
	strv_free(&f->flags);
	free(f->line);
}
