/* SPDX-License-Identifier: Apache-2.0 */
/* jsonc.h - JSON with comments and trailing commas: values by json-c, places by a scanner of ours. */
#ifndef NONO_JSONC_H
#define NONO_JSONC_H

#include "base/base.h"

#include <json-c/json.h>

#define JSONC_MAX (1U << 20)
#define JSONC_DEPTH 64
#define JSONC_PATH 4096 /* bytes in the dotted path of a key; every value keeps its path */

/** struct jsonc_place - where one value stands. Path: "network.allow_domain[3].domain". */
struct jsonc_place {
	char *path;
	unsigned line, column; /* of the key, or of the value in an array; 1-based */
	size_t value, end;     /* byte offsets of the value */
	size_t n;              /* members or elements */
};
struct jsonc {
	char *file, *text; /* text as read, for edits */
	size_t len;
	struct json_object *root;
	struct jsonc_place *places;
	size_t n_places;
};
/**
 * jsonc_read() - read and parse a file. Errors name file, line and column.
 * A document must be an object; duplicate keys are refused.
 */
int jsonc_read(const char *file, struct jsonc *out, struct err **e);
/** jsonc_parse() - the same for text in memory; @file is what errors call it. */
int jsonc_parse(const char *file, const char *text, size_t len, struct jsonc *out, struct err **e);
void jsonc_free(struct jsonc *j);
/** jsonc_find() - the place of a path, NULL if there is none. */
const struct jsonc_place *jsonc_find(const struct jsonc *j, const char *path);
/** jsonc_find_from() - the same, looking from *@at on first; *@at becomes its index. For walks in order. */
const struct jsonc_place *jsonc_find_from(const struct jsonc *j, const char *path, size_t *at);
/**
 * json_parse_nested() - parse JSON that nests as deeply as profiles may, which is
 * deeper than json_tokener_parse() allows. Return: a new reference, NULL if malformed.
 */
struct json_object *json_parse_nested(const char *text);

#endif
