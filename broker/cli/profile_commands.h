/* SPDX-License-Identifier: Apache-2.0 */
/* profile_commands.h - what the `nono profile` subcommands share. */
#ifndef NONO_CLI_PROFILE_COMMANDS_H
#define NONO_CLI_PROFILE_COMMANDS_H

#include "profile/fields.h"

/** struct profile_args - the flags and names of one `nono profile` call. Strings are borrowed from argv. */
struct profile_args {
	const char *name, *other; /* positional */
	const char *extends, *groups, *description, *output, *format;
	bool json, raw, full, force, draft, strict, diff, yes, all_platforms, man;
};

/* Each returns the exit status. */
int profile_list(const struct profile_args *a);
int profile_show(const struct profile_args *a);
int profile_validate(const struct profile_args *a);
int profile_diff(const struct profile_args *a);
int profile_groups(const struct profile_args *a);
int profile_init(const struct profile_args *a);
int profile_schema(const struct profile_args *a);
int profile_guide(const struct profile_args *a);
int profile_promote(const struct profile_args *a);

/** print_json() - pretty, on standard output; releases @o. */
void print_json(struct json_object *o);
/** write_json() - pretty, to a file in a folder that is made when it is missing. Return: exit status. */
int write_json(const char *file, struct json_object *o);
/** profile_json_schema() - JSON Schema (2020-12) of profile files. New reference. */
struct json_object *profile_json_schema(void);
/** profile_manual() - print nono-profile(5), roff. */
void profile_manual(void);
/** json_text() - a JSON string, null for NULL. */
struct json_object *json_text(const char *s);
/** json_strings() - an array of strings. */
struct json_object *json_strings(const struct strv *s);
/** fail_with() - print the error. Return: 1. */
int fail_with(const struct err *e);
/** print_padded() - sanitized text, padded to @width columns. */
void print_padded(const char *text, int width);
/** on_this_platform() - whether a group applies to this system. */
bool on_this_platform(const struct group *g);
/** profile_file_of() - where the user's profile (or draft) of that name belongs. New string. */
char *profile_file_of(const char *dir, const char *name);
/** profile_problems() - what `validate` and `promote` check beyond loading: empty paths, groups, variables. */
void profile_problems(const struct profile *p, struct strv *warnings);
/** profile_manifest() - the compiled capability manifest (`run --config`). New reference, NULL with *e set. */
struct json_object *profile_manifest(const struct profile *p, struct err **e);

#endif
