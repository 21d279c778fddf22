/* SPDX-License-Identifier: Apache-2.0 */
/* fields.h - the field table: one row for each key a profile may hold. */
#ifndef NONO_PROFILE_FIELDS_H
#define NONO_PROFILE_FIELDS_H

#include "profile/profile.h"

#include <json-c/json.h>

/** enum field_type - how a value is written and stored. */
enum field_type {
	FIELD_STRING,    /* char * */
	FIELD_BOOL,      /* enum tri, plain false when absent */
	FIELD_TRI,       /* enum tri, null allowed */
	FIELD_ENUM,      /* int, by names */
	FIELD_ITEMS,     /* struct items of strings, entries may be {KEY, when} */
	FIELD_PORTS,     /* struct items of numbers 1-65535 (0 where it means any) */
	FIELD_DOMAINS,   /* struct items, entries may be {domain, endpoints} */
	FIELD_SECRETS,   /* struct pairs, values may be {env_var, when} */
	FIELD_PAIRS,     /* struct pairs of strings */
	FIELD_STRV,      /* struct strv: string or array */
	FIELD_RAW,       /* char *: an object kept as JSON text */
	FIELD_FUNCTIONS, /* open_urls.functions */
	FIELD_IGNORED,   /* accepted and dropped */
	FIELD_TYPE_COUNT
};
/** enum merge_rule - how a child's value is folded onto its base's. */
enum merge_rule {
	MERGE_APPEND,   /* base items, then the child's; equal values once */
	MERGE_SEQUENCE, /* the same, but in whole lists: words of a command line may repeat */
	MERGE_OVERRIDE, /* the child's value when it has one */
	MERGE_OR,       /* true sticks */
	MERGE_MAP,      /* key by key, the child wins */
	MERGE_REPLACE,  /* the child's value always (meta) */
	MERGE_DOMAINS,  /* by domain, endpoint rules joined */
	MERGE_SECTION,  /* the child's whole section when it has one; see merge.c */
	MERGE_SPECIAL,  /* see merge.c */
};

/** struct field - one row. `key` is dotted; sections are the prefixes of keys. */
struct field {
	const char *key;
	const char *aliases; /* dotted keys separated by '|', accepted without a word; NULL for none */
	enum field_type type;
	enum merge_rule merge;
	bool nullable;
	size_t offset;            /* into struct profile */
	const char *const *names; /* FIELD_ENUM: NULL-terminated, index 0 is value `first` */
	int first;
	const char *entry_key; /* FIELD_ITEMS: key of the string in {KEY, when} entries, NULL where none are allowed */
	const char *legacy_of; /* this key is legacy: the key that takes its values */
	const char *help;
};
extern const struct field profile_fields[];
extern const size_t n_profile_fields;

/** field_find() - by key or alias, NULL if there is none. */
const struct field *field_find(const char *key);
/** field_is_section() - whether keys start with "@key.". */
bool field_is_section(const char *key);
static inline void *field_value(const struct profile *p, const struct field *f)
{
	return (char *)p + f->offset;
}
/** field_is_set() - whether a profile says anything for this field. */
bool field_is_set(const struct profile *p, const struct field *f);
/** field_json() - the field's value as JSON, as it would be written; NULL for null. */
struct json_object *field_json(const struct profile *p, const struct field *f);
/** json_put_path() - put a value at a dotted key, making the objects on the way. Takes @value. */
void json_put_path(struct json_object *root, const char *key, struct json_object *value);
/** profile_dump() - the whole profile with every key, as a file that loads back. New reference. */
struct json_object *profile_dump(const struct profile *p);
/** items_append() - copy an item with its origin and endpoints to the end of @l. */
void items_append(struct items *l, const struct item *it);

/** profile_deprecated_keys() - how many legacy keys with values have been read so far, bases included. */
unsigned profile_deprecated_keys(void);
/**
 * profile_load_text() - parse and resolve a profile as though @text stood in @file,
 * which need not exist. Return: as profile_load().
 */
struct profile *profile_load_text(const char *file, const char *text, size_t len, struct err **e);
/** profile_from_json() - fill a profile from a parsed object. @places may be NULL (embedded data). */
struct jsonc;
int profile_from_json(struct profile *p, struct json_object *root, const struct jsonc *places, enum source source,
	const char *label, struct err **e);

/**
 * shape_problem() - what is wrong inside an object that is kept as JSON text.
 * @key: its dotted key
 * @where: receives the dotted key of the place, a new string; NULL before
 * Return: a sentence, a new string; NULL when nothing is wrong.
 */
char *shape_problem(const char *key, struct json_object *o, char **where);
/** shape_schema() - the same as a JSON Schema. New object. */
struct json_object *shape_schema(const char *key);

/** when_matches() - evaluate a predicate or an array of them; -1 with *e set when malformed. */
int when_matches(struct json_object *when, struct err **e);

/* Embedded data (profiles/ at build time), see builtin.c. */
struct embedded {
	const char *name; /* file name without ".json" */
	const char *text;
	size_t len;
};
extern const struct embedded embedded_files[];
extern const size_t n_embedded_files;
extern const struct embedded embedded_hooks[]; /* hooks/ */
extern const size_t n_embedded_hooks;
const struct embedded *embedded_find(const char *name);
/** embedded_is_profile() - whether it is a built-in profile and not other data. */
bool embedded_is_profile(const struct embedded *data);
/** text_diff() - a unified diff of one hunk, from the first to the last line that differ; "" if none do. New string. */
char *text_diff(const char *old_name, const char *new_name, const char *old, const char *new);
/** builtin_canonical() - the name an alias stands for ("claude" -> "claude-code"), else @name. */
const char *builtin_canonical(const char *name);
/** profile_name_valid() - letters, digits and inner dashes. */
bool profile_name_valid(const char *name);
/** user_profile_path() - the file of a user profile of that name, NULL if there is none. New string. */
char *user_profile_path(const char *name);

#endif
