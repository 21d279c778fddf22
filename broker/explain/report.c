/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.c - what is said at the end of a run in which something was refused:
 * short, grouped, and with one command line that would have worked.
 */
#include "explain/internal.h"

#define ROWS_MAX 10

static void print_row(FILE *f, const struct report_row *row, int width)
{
	const struct record *r = row->r;
	cleanup_free char *object = record_object(r);
	cleanup_free char *dir = row->dir ? str_sanitize(row->dir) : NULL;
	cleanup_free char *program = str_sanitize(r->program ? r->program : "");
	cleanup_free char *rule = str_sanitize(r->rule ? r->rule : "");
	fprintf(f, "  %3u  %-*s  ", r->id, width, operation_name(r->op));
	if (row->files > 1)
		fprintf(f, "%zu files in %s", row->files, dir);
	else
		fputs(object, f);
	if (*program && strcmp(program, "?") != 0)
		fprintf(f, "  by %s", program);
	if (r->count > 1 && row->files == 1)
		fprintf(f, ", %u times", r->count);
	if (row->by_person)
		fprintf(f, ", you said %s", r->answer);
	else if (r->verdict == VERDICT_PROTECTED || r->verdict == VERDICT_NEVER)
		fprintf(f, ", protected: %s", *rule ? rule : "always");
	else if (r->verdict == VERDICT_ALLOW && r->answer)
		fprintf(f, ", %s", r->answer);
	fputc('\n', f);
}

static void report_text(
	FILE *f, const struct policy *p, const struct report_row *rows, size_t n, unsigned dropped, char *const argv[])
{
	size_t shown = 0, said = 0;
	int width = 0;
	for (size_t i = 0; i < n && shown < ROWS_MAX; i++) {
		int w = (int)strlen(operation_name(rows[i].r->op));
		width = rows[i].files && w > width ? w : width;
		shown += rows[i].files > 0;
	}
	fprintf(f, "nono: %zu thing%s refused; `nono why NUMBER` explains\n", n + dropped,
		n + dropped == 1 ? " was" : "s were");
	shown = 0;
	for (size_t i = 0; i < n && shown < ROWS_MAX; i++) {
		if (rows[i].files == 0)
			continue;
		print_row(f, &rows[i], width);
		said += rows[i].files;
		shown++;
	}
	if (n + dropped > said)
		fprintf(f, "       and %zu more: nono why --list\n", n + dropped - said);
	struct command_fix fix = fix_command(p, rows, n, argv);
	if (fix.line)
		fprintf(f, "  to allow %s: %s\n",
			fix.part || dropped ? "a part of it"
			: fix.on_purpose    ? "what is not refused on purpose"
					    : "it",
			fix.line);
	command_fix_free(&fix);
}

static void report_json(FILE *f, const struct policy *p, struct record *const *r, size_t n_records,
	const struct report_row *rows, size_t n, unsigned dropped, char *const argv[])
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	for (size_t i = 0; i < n_records; i++)
		if (!r[i]->granted)
			json_object_array_add(list, record_to_json(r[i]));
	json_object_object_add(o, "denials", list);
	json_object_object_add(o, "not_recorded", json_object_new_int64(dropped));
	struct command_fix fix = fix_command(p, rows, n, argv);
	json_add_text(o, "suggested_command", fix.line);
	command_fix_free(&fix);
	fprintf(f, "%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

void explain_report(struct explain *x, char *const argv[], bool json)
{
	size_t n_records, n;
	unsigned dropped;
	const struct policy *policy;
	struct record *const *r = explain_records(x, &n_records, &dropped, &policy);
	struct report_row *rows = report_rows(r, n_records, &n);
	/* into one buffer and one write: other programs may still be writing to the terminal */
	char *text = NULL;
	size_t len = 0;
	bool nothing = n + dropped == 0 && !(json && n_records);
	FILE *f = nothing || (!json && say_level < SAY_NORMAL) ? NULL : open_memstream(&text, &len);
	if (f && json)
		report_json(f, policy, r, n_records, rows, n, dropped, argv);
	else if (f)
		report_text(f, policy, rows, n, dropped, argv);
	if (f)
		fclose(f);
	report_rows_free(rows, n);
	if (text)
		io_write_all(STDERR_FILENO, text, len);
	free(text);
}
