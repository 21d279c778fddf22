/* SPDX-License-Identifier: Apache-2.0 */
/* profile_fields_test.c - every row of the field table: parsed, refused, merged and dumped as it says. */
#include "profile/fields.h"
#include "profile/jsonc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* Two values of each type, and one that is of a wrong type. */
static const struct {
	const char *one, *two, *wrong;
} samples[FIELD_TYPE_COUNT] = {
	[FIELD_STRING] = {"\"one\"", "\"two\"", "[\"one\"]"},
	[FIELD_BOOL] = {"true", "false", "\"true\""},
	[FIELD_TRI] = {"true", "false", "1"},
	[FIELD_ITEMS] = {"[\"/one\", \"/both\"]", "[\"/two\", \"/both\"]", "{\"a\": \"/one\"}"},
	[FIELD_PORTS] = {"[1, 80]", "[2, 80]", "[\"80\"]"},
	[FIELD_DOMAINS] = {"[\"one.test\", {\"domain\": \"both.test\", \"endpoints\": [{\"method\": \"GET\", \"path\": "
			   "\"/one\"}]}]",
		"[\"two.test\", {\"domain\": \"both.test\", \"endpoints\": [{\"method\": \"GET\", \"path\": "
		"\"/two\"}]}]",
		"[5]"},
	[FIELD_SECRETS] = {"{\"one\": \"ONE\", \"both\": \"B1\"}", "{\"two\": \"TWO\", \"both\": \"B2\"}",
		"{\"one\": 5}"},
	[FIELD_PAIRS] = {"{\"ONE\": \"1\", \"BOTH\": \"b1\"}", "{\"TWO\": \"2\", \"BOTH\": \"b2\"}", "{\"ONE\": []}"},
	[FIELD_STRV] = {"[\"one\"]", "\"two\"", "5"},
	[FIELD_RAW] = {"{\"one\": {\"a\": 1}, \"both\": 1}", "{\"two\": {\"a\": 2}, \"both\": 2}", "[]"},
	[FIELD_FUNCTIONS] = {"[{\"symbol\": \"one\", \"args\": [\"string\"], \"url_arg\": 0}]",
		"[{\"symbol\": \"two\", \"args\": [\"int\", \"string\"], \"url_arg\": 1, \"returns\": \"int\", "
		"\"value\": 1}]",
		"[{\"symbol\": \"one\", \"args\": [\"int\"], \"url_arg\": 0}]"},
	[FIELD_IGNORED] = {"\"one\"", "\"two\"", "5"},
};

/* Objects whose members are known: two values, and what they merge to. */
static const struct {
	const char *key, *one, *two, *merged;
} shaped[] = {
	{"hooks", "{\"a\": {\"event\": \"e\", \"matcher\": \"m\", \"script\": \"1\"}}",
		"{\"a\": {\"event\": \"e\", \"matcher\": \"m\", \"script\": \"2\"}}",
		"{\"a\":{\"event\":\"e\",\"matcher\":\"m\",\"script\":\"2\"}}"},
	{"session_hooks", "{\"before\": {\"script\": \"/1\"}, \"after\": {\"script\": \"/1\"}}",
		"{\"after\": {\"script\": \"/2\", \"timeout_secs\": 5}}",
		"{\"before\":{\"script\":\"/1\"},\"after\":{\"script\":\"/2\",\"timeout_secs\":5}}"},
	{"network.custom_credentials", "{\"a\": {\"upstream\": \"https://1\"}}",
		"{\"b\": {\"upstream\": \"https://2\", \"inject_mode\": \"header\"}}",
		"{\"a\":{\"upstream\":\"https://1\"},\"b\":{\"upstream\":\"https://2\",\"inject_mode\":\"header\"}}"},
	{"credential_capture", "{\"a\": {\"command\": [\"one\"]}}", "{\"a\": {\"command\": [\"two\"]}}",
		"{\"a\":{\"command\":[\"two\"]}}"},
	{"network.tls_intercept", "{\"ca_lifecycle\": \"session\"}",
		"{\"ca_lifecycle\": \"trusted\", \"leaf_validity\": \"1h\"}", NULL},
};

/* A value of a field as JSON text: its first or second sample. New string. */
static char *sample(const struct field *f, bool second)
{
	for (size_t i = 0; i < ARRAY_SIZE(shaped); i++)
		if (strcmp(shaped[i].key, f->key) == 0)
			return xstrdup(second ? shaped[i].two : shaped[i].one);
	if (!f->names)
		return xstrdup(second ? samples[f->type].two : samples[f->type].one);
	size_t n = 0;
	while (f->names[n])
		n++;
	return xasprintf("\"%s\"", f->names[second ? n - 1 : n - 2]);
}

/* A file that holds this key only (and meta.name, which the rest of meta needs). New string. */
static char *file_with(const char *key, const char *value)
{
	const char *dot = strchr(key, '.');
	if (!dot)
		return xasprintf("{\"%s\": %s}", key, value);
	bool name = str_starts(key, "meta.") && strcmp(key, "meta.name") != 0;
	return xasprintf(
		"{\"%.*s\": {\"%s\": %s%s}}", (int)(dot - key), key, dot + 1, value, name ? ", \"name\": \"n\"" : "");
}

static struct profile *parse(const char *text, struct err **e)
{
	struct jsonc j;
	if (jsonc_parse("t.json", text, strlen(text), &j, e) < 0)
		return NULL;
	struct profile *p = profile_new();
	int rc = profile_from_json(p, j.root, &j, SOURCE_PROFILE, "t", e);
	jsonc_free(&j);
	if (rc == 0)
		return p;
	profile_free(p);
	return NULL;
}

static struct profile *must_parse(const char *text)
{
	cleanup_err struct err *e = NULL;
	struct profile *p = parse(text, &e);
	if (!p)
		fail_msg("%s: in %s", err_msg(e), text);
	return p;
}

static char *dump_text(const struct profile *p)
{
	struct json_object *o = profile_dump(p);
	char *text = xstrdup(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
	return text;
}

/* The field that takes the values of a row: for a legacy key, that of the key in use. */
static const struct field *target(const struct field *f)
{
	return f->legacy_of ? field_find(f->legacy_of) : f;
}

static void test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_profile_fields; i++) {
		const struct field *f = &profile_fields[i];
		cleanup_free char *value = sample(f, false);
		cleanup_free char *text = file_with(f->key, value);
		cleanup_profile struct profile *p = must_parse(text);
		if (f->type != FIELD_IGNORED && !(f->type == FIELD_ENUM && f->first == 0) &&
			!field_is_set(p, target(f)))
			fail_msg("%s: not stored", text);
		for (const char *a = f->aliases; a && *a; a += strcspn(a, "|"), a += *a == '|') {
			cleanup_free char *alias = xstrndup(a, strcspn(a, "|")), *other = file_with(alias, value);
			cleanup_profile struct profile *q = must_parse(other);
			cleanup_free char *x = dump_text(p), *y = dump_text(q);
			assert_string_equal(x, y);
		}
	}
}

static void test_wrong_type(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_profile_fields; i++) {
		const struct field *f = &profile_fields[i];
		const char *wrong = f->names ? "\"no such choice\"" : samples[f->type].wrong;
		cleanup_free char *text = file_with(f->key, wrong);
		cleanup_err struct err *e = NULL;
		if (parse(text, &e))
			fail_msg("accepted: %s", text);
		if (!str_starts(err_msg(e), "t.json:1:") || !strstr(err_msg(e), f->key))
			fail_msg("%s: the error does not name the place: %s", text, err_msg(e));
	}
}

static void test_null(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_profile_fields; i++) {
		const struct field *f = &profile_fields[i];
		cleanup_free char *text = file_with(f->key, "null");
		cleanup_err struct err *e = NULL;
		cleanup_profile struct profile *p = parse(text, &e);
		if ((p != NULL) != f->nullable)
			fail_msg("%s: %s", text, p ? "accepted" : err_msg(e));
		if (p && f->type != FIELD_IGNORED && field_is_set(p, f))
			fail_msg("%s: null sets something", text);
	}
}

/* What a merge of both samples comes to, as JSON; NULL where the rule is not one for the type alone. */
static const char *merged(const struct field *f)
{
	if (f->merge == MERGE_APPEND)
		return f->type == FIELD_PORTS ? "[1,80,2]" : "[\"/one\",\"/both\",\"/two\"]";
	if (f->merge == MERGE_SEQUENCE)
		return "[\"/one\",\"/both\",\"/two\",\"/both\"]";
	if (f->merge == MERGE_OR)
		return "true";
	if (f->merge == MERGE_DOMAINS)
		return "[\"one.test\",{\"domain\":\"both.test\",\"endpoints\":[{\"method\":\"GET\",\"path\":\"/one\"},"
		       "{\"method\":\"GET\",\"path\":\"/two\"}]},\"two.test\"]";
	for (size_t i = 0; i < ARRAY_SIZE(shaped); i++)
		if (strcmp(shaped[i].key, f->key) == 0)
			return shaped[i].merged;
	if (f->merge == MERGE_MAP)
		return f->type == FIELD_RAW     ? "{\"one\":{\"a\":1},\"both\":2,\"two\":{\"a\":2}}"
		       : f->type == FIELD_PAIRS ? "{\"ONE\":\"1\",\"BOTH\":\"b2\",\"TWO\":\"2\"}"
						: "{\"one\":\"ONE\",\"both\":\"B2\",\"two\":\"TWO\"}";
	return NULL;
}

static char *field_text(const struct profile *p, const struct field *f)
{
	struct json_object *o = field_json(p, f);
	char *text =
		xstrdup(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	return text;
}

static void expect_field(const struct profile *p, const struct field *f, const char *want)
{
	cleanup_free char *got = field_text(p, f);
	if (strcmp(got, want) != 0)
		fail_msg("%s: %s, wanted %s", f->key, got, want);
}

static void test_merge(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_profile_fields; i++) {
		const struct field *f = &profile_fields[i];
		if (f->legacy_of || f->type == FIELD_IGNORED || f->type == FIELD_STRV || f->merge == MERGE_SECTION ||
			f->merge == MERGE_SPECIAL)
			continue;
		cleanup_free char *one = sample(f, false), *two = sample(f, true);
		cleanup_free char *a = file_with(f->key, one), *b = file_with(f->key, two);
		cleanup_profile struct profile *base = must_parse(a), *child = must_parse(b), *none = must_parse("{}");
		cleanup_profile struct profile *both = profile_merge(base, child), *kept = profile_merge(base, none);
		cleanup_free char *own = field_text(base, f), *last = field_text(child, f);
		expect_field(both, f, merged(f) ? merged(f) : last);
		expect_field(kept, f, f->merge == MERGE_REPLACE ? "null" : own);
	}
}

/* Keys whose merge rule is their own: base, child, key, result. */
static const struct {
	const char *base, *child, *key, *want;
} special[] = {
	{"{\"network\": {\"network_profile\": \"a\"}}", "{}", "network.network_profile", "\"a\""},
	{"{\"network\": {\"network_profile\": \"a\"}}", "{\"network\": {\"network_profile\": null}}",
		"network.network_profile", "null"},
	{"{\"network\": {\"network_profile\": \"a\"}}", "{\"network\": {\"network_profile\": \"b\"}}",
		"network.network_profile", "\"b\""},
	{"{\"network\": {\"credentials\": [\"a\"]}}", "{\"network\": {\"credentials\": [\"b\"]}}",
		"network.credentials", "[\"a\",\"b\"]"},
	{"{\"network\": {\"credentials\": [\"a\"]}}", "{\"network\": {\"credentials\": null}}", "network.credentials",
		"[\"a\"]"},
	{"{\"network\": {\"credentials\": [\"a\"]}}", "{\"network\": {\"credentials\": []}}", "network.credentials",
		"[]"},
	{"{\"environment\": {\"allow_vars\": [\"A\"]}}", "{\"environment\": null}", "environment.allow_vars",
		"[\"A\"]"},
	{"{\"environment\": {\"allow_vars\": [\"A\"]}}", "{\"environment\": {\"allow_vars\": [\"B\"]}}",
		"environment.allow_vars", "[\"A\",\"B\"]"},
	{"{}", "{\"environment\": {\"allow_vars\": []}}", "environment.allow_vars", "[]"},
	{"{\"workdir\": {\"access\": \"readwrite\"}}", "{\"workdir\": {\"access\": \"none\"}}", "workdir.access",
		"\"readwrite\""},
	{"{\"workdir\": {\"access\": \"readwrite\"}}", "{\"workdir\": {\"access\": \"read\"}}", "workdir.access",
		"\"read\""},
	{"{\"open_urls\": {\"allow_origins\": [\"https://a.test\"], \"allow_localhost\": true}}",
		"{\"open_urls\": {\"allow_origins\": [\"https://b.test\"]}}", "open_urls.allow_origins",
		"[\"https://b.test\"]"},
	{"{\"open_urls\": {\"allow_origins\": [\"https://a.test\"]}}", "{\"open_urls\": null}",
		"open_urls.allow_origins", "[\"https://a.test\"]"},
	{"{\"open_urls\": {\"allow_files\": [\"~/a\"]}}", "{\"open_urls\": {\"allow_files\": [\"$WORKDIR/b\"]}}",
		"open_urls.allow_files", "[\"$WORKDIR/b\"]"},
	{"{\"open_urls\": {\"allow_files\": [\"~/a\"]}}", "{\"open_urls\": {}}", "open_urls.allow_files", "[]"},
	{"{\"open_urls\": {\"allow_files\": [{\"path\": \"~/a\", \"when\": \"linux\"}]}}", "{}",
		"open_urls.allow_files", "[\"~/a\"]"},
	{"{}", "{\"command_args\": [\"-e\", \"a\", \"-e\", \"b\"]}", "command_args", "[\"-e\",\"a\",\"-e\",\"b\"]"},
	{"{\"command_args\": [\"-e\", \"a\", \"-x\"]}", "{\"command_args\": [\"-e\", \"a\"]}", "command_args",
		"[\"-e\",\"a\",\"-x\"]"},
	{"{\"network\": {\"block\": true}}", "{\"network\": {\"block\": false}}", "network.block", "true"},
	{"{\"network\": {\"allow_domain\": [\"a.test\"]}}",
		"{\"network\": {\"allow_domain\": [{\"domain\": \"a.test\", \"endpoints\": [{\"path\": \"/x\"}]}]}}",
		"network.allow_domain", "[{\"domain\":\"a.test\",\"endpoints\":[{\"method\":\"*\",\"path\":\"/x\"}]}]"},
};

static void test_special(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(special); i++) {
		cleanup_profile struct profile *base = must_parse(special[i].base),
					       *child = must_parse(special[i].child);
		cleanup_profile struct profile *both = profile_merge(base, child);
		const struct field *f = field_find(special[i].key);
		assert_non_null(f);
		expect_field(both, f, special[i].want);
	}
}

static void test_dump(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_profile_fields; i++) {
		const struct field *f = &profile_fields[i];
		cleanup_free char *value = sample(f, true), *text = file_with(f->key, value);
		cleanup_profile struct profile *p = must_parse(text);
		cleanup_free char *once = dump_text(p);
		cleanup_profile struct profile *q = must_parse(once);
		cleanup_free char *twice = dump_text(q);
		assert_string_equal(once, twice);
	}
	for (size_t i = 0; i < ARRAY_SIZE(special); i++) {
		cleanup_profile struct profile *base = must_parse(special[i].base), *p = must_parse(special[i].child);
		cleanup_free char *text = dump_text(p);
		cleanup_profile struct profile *q = must_parse(text), *both = profile_merge(base, q);
		expect_field(both, field_find(special[i].key), special[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_wrong_type),
		cmocka_unit_test(test_null),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_special),
		cmocka_unit_test(test_dump),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
