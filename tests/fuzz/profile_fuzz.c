/* SPDX-License-Identifier: Apache-2.0 */
/* profile_fuzz.c - any bytes are refused with a place, or a profile whose dump loads back to the same dump. */
#include "profile/fields.h"
#include "profile/jsonc.h"

#include <stdlib.h>

static struct profile *parse(const char *text, size_t len, struct err **e)
{
	struct jsonc j;
	if (jsonc_parse("f", text, len, &j, e) < 0)
		return NULL;
	struct profile *p = profile_new();
	int rc = profile_from_json(p, j.root, &j, SOURCE_PROFILE, "f", e);
	jsonc_free(&j);
	if (rc == 0)
		return p;
	profile_free(p);
	return NULL;
}

static char *dump(const struct profile *p)
{
	struct json_object *o = profile_dump(p);
	char *text =
		xstrdup(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_err struct err *e = NULL;
	cleanup_profile struct profile *p = parse((const char *)data, size, &e);
	if (!p) {
		if (!e || !str_starts(err_msg(e), "f:"))
			abort();
		return 0;
	}
	cleanup_free char *one = dump(p);
	cleanup_profile struct profile *again = parse(one, strlen(one), &e);
	if (!again)
		abort();
	cleanup_free char *two = dump(again);
	if (strcmp(one, two) != 0)
		abort();
	cleanup_profile struct profile *merged = profile_merge(p, again);
	cleanup_free char *three = dump(merged);
	return 0;
}
