/* SPDX-License-Identifier: Apache-2.0 */
/* internal.h - what the files of this room share: stored denial records and JSON helpers. */
#ifndef NONO_EXPLAIN_INTERNAL_H
#define NONO_EXPLAIN_INTERNAL_H

#include "explain/explain.h"

#include <json.h>

/** struct record - one refusal, counted; strings owned. */
struct record {
	unsigned id, count;
	bool quiet;   /* kept out of the report: nothing depends on it */
	bool granted; /* a person allowed it: kept for the log, not a refusal */
	enum operation op;
	char *asked, *resolved, *program, *parent, *rule, *source, *answer, *suggest;
	unsigned port;
	bool udp;
	pid_t pid;
	int err;
	enum verdict verdict;
	int64_t time; /* seconds since the epoch, of the first one */
	struct record *hash_next;
};
void record_free(struct record *r);
/** record_to_json() - one line of the log. New object. */
struct json_object *record_to_json(const struct record *r);
/** record_from_json() - the reverse; missing members stay empty. New record. */
struct record *record_from_json(struct json_object *o);

/** denials_dir() - where the logs are. New string. */
char *denials_dir(void);
/**
 * denials_load() - the records of one session.
 * @session: its id or the beginning of it; NULL: the one whose log was written last
 * @name: receives the session's id; may be NULL
 * Return: records in order with @n, or NULL.
 */
struct record **denials_load(const char *session, size_t *n, char **name, struct err **e);
void denials_free(struct record **r, size_t n);

/** operation_from_name() - by operation_name() or by the words of `why --op`. Return: false for neither. */
bool operation_from_name(const char *name, enum operation *op);
/** record_object() - the object as one safe piece of text. New string. */
char *record_object(const struct record *r);
/** json_add_text() - add a string that need not be UTF-8; NULL adds nothing. */
void json_add_text(struct json_object *o, const char *key, const char *value);
/** json_get_text() - a string member or NULL. Borrowed. */
const char *json_get_text(struct json_object *o, const char *key);

/** explain_records() - the records of the running session and its policy. Borrowed. Not while calls are served. */
struct record *const *explain_records(struct explain *x, size_t *n, unsigned *dropped, const struct policy **policy);

/** struct report_row - a refusal in the report at the end. */
struct report_row {
	const struct record *r;
	char *dir;    /* directory of a path, else NULL */
	size_t files; /* how many files of @dir the row stands for; 0: another row stands for this one */
	bool by_person;
};
/** report_rows() - the refusals that belong into the report, grouped. Free with report_rows_free(). */
struct report_row *report_rows(struct record *const *r, size_t n, size_t *count);
void report_rows_free(struct report_row *rows, size_t n);

/** struct command_fix - the command line that was used, with the flags that were missing. */
struct command_fix {
	char *line; /* NULL: no flag helps */
	struct strv flags;
	size_t on_purpose; /* refusals it does not lift, because they are meant */
	bool part;         /* there were more flags than a command line should have */
};
struct command_fix fix_command(const struct policy *p, const struct report_row *rows, size_t n, char *const argv[]);
void command_fix_free(struct command_fix *f);

/** profile_line() - the profile entry that would allow it, e.g. "filesystem": {"read_file": ["/x"]}. NULL: none. */
char *profile_line(const struct record *r, bool is_dir);

/* why.c and its parts */
/** why_record() - print one record. Return: exit status. */
int why_record(const struct record *r, const char *session, bool json);
/** print_why() - an answer of `why` as text; @o has the members of the JSON form. */
void print_why(struct json_object *o);
/** why_self() - what the capability file says, about @path or @host or, with both NULL, everything. */
int why_self(const char *path, const char *op, const char *host, unsigned port, bool json);

#endif
