/* SPDX-License-Identifier: Apache-2.0 */
/* profile_schema.c - `nono profile schema`, from the field table, and `guide`. */
#include "cli/profile_commands.h"

/* ---- the schema ------------------------------------------------------------------- */

/* Names the schema refers to: entries with a predicate, and what else is said in more than one place. */
static const char definitions[] =
	"{\"when\": {\"anyOf\": [{\"type\": \"string\"}, {\"type\": \"array\", \"items\": {\"type\": \"string\"}, "
	"\"minItems\": 1}]}, "
	"\"strings\": {\"type\": \"array\", \"items\": {\"type\": \"string\"}}, "
	"\"ports\": {\"type\": \"array\", \"items\": {\"type\": \"integer\", \"minimum\": 1, \"maximum\": 65535}}, "
	"\"domains\": {\"type\": \"array\", \"items\": {\"anyOf\": [{\"type\": \"string\"}, {\"type\": \"object\", "
	"\"required\": [\"domain\"], \"properties\": {\"domain\": {\"type\": \"string\"}, \"endpoints\": {\"type\": "
	"\"array\", \"items\": {\"type\": \"object\", \"required\": [\"path\"], \"properties\": {\"method\": "
	"{\"type\": "
	"\"string\"}, \"path\": {\"type\": \"string\", \"pattern\": \"^[/*]\"}}}}}}]}}, "
	"\"secrets\": {\"type\": \"object\", \"additionalProperties\": {\"anyOf\": [{\"type\": \"string\"}, {\"type\": "
	"\"object\", \"required\": [\"env_var\", \"when\"], \"additionalProperties\": false, \"properties\": "
	"{\"env_var\": {\"type\": \"string\"}, \"when\": {\"$ref\": \"#/$defs/when\"}}}]}}, "
	"\"pairs\": {\"type\": \"object\", \"additionalProperties\": {\"type\": \"string\"}}, "
	"\"string_or_strings\": {\"anyOf\": [{\"type\": \"string\"}, {\"$ref\": \"#/$defs/strings\"}]}, "
	"\"functions\": {\"type\": \"array\", \"maxItems\": 16, \"items\": {\"type\": \"object\", \"required\": "
	"[\"symbol\", \"args\", "
	"\"url_arg\"], \"additionalProperties\": false, \"properties\": {\"symbol\": {\"type\": \"string\"}, \"args\": "
	"{\"type\": \"array\", "
	"\"minItems\": 1, \"maxItems\": 16, \"items\": {\"enum\": [\"pointer\", \"string\", \"int\", \"uint\", "
	"\"long\", \"double\", \"error\", \"callback\"]}}, \"url_arg\": {\"type\": \"integer\", \"minimum\": 0}, "
	"\"returns\": {\"enum\": "
	"[\"pointer\", \"int\", \"uint\", \"long\", \"double\", \"void\"]}, \"value\": {\"type\": "
	"\"integer\"}}}}}";

/* How the values of each type are described: a JSON type, or a definition. */
static const struct {
	const char *type, *def;
} kinds[FIELD_TYPE_COUNT] = {
	[FIELD_STRING] = {"string", NULL},
	[FIELD_BOOL] = {"boolean", NULL},
	[FIELD_TRI] = {"boolean", NULL},
	[FIELD_ENUM] = {"string", NULL},
	[FIELD_ITEMS] = {NULL, "strings"},
	[FIELD_PORTS] = {NULL, "ports"},
	[FIELD_DOMAINS] = {NULL, "domains"},
	[FIELD_SECRETS] = {NULL, "secrets"},
	[FIELD_PAIRS] = {NULL, "pairs"},
	[FIELD_STRV] = {NULL, "string_or_strings"},
	[FIELD_FUNCTIONS] = {NULL, "functions"},
	[FIELD_IGNORED] = {"string", NULL},
};

static struct json_object *ref_json(const char *def)
{
	struct json_object *o = json_object_new_object();
	cleanup_free char *target = xasprintf("#/$defs/%s", def);
	json_object_object_add(o, "$ref", json_text(target));
	return o;
}

/* An array of strings, some of them {ENTRY_KEY, when}. */
static struct json_object *entries_json(const char *entry_key)
{
	cleanup_free char *text = xasprintf(
		"{\"type\": \"array\", \"items\": {\"anyOf\": [{\"type\": \"string\"}, {\"type\": \"object\", "
		"\"required\": [\"%s\", \"when\"], \"additionalProperties\": false, \"properties\": {\"%s\": "
		"{\"type\": "
		"\"string\"}, \"when\": {\"$ref\": \"#/$defs/when\"}}}]}}",
		entry_key, entry_key);
	return json_tokener_parse(text);
}

static struct json_object *value_json(const struct field *f)
{
	if (f->entry_key)
		return entries_json(f->entry_key);
	if (kinds[f->type].def)
		return ref_json(kinds[f->type].def);
	if (f->type == FIELD_RAW)
		return shape_schema(f->key);
	struct json_object *o = json_object_new_object();
	json_object_object_add(o, "type", json_text(kinds[f->type].type));
	if (f->names) {
		struct json_object *names = json_object_new_array();
		for (size_t i = 0; f->names[i]; i++)
			json_object_array_add(names, json_text(f->names[i]));
		json_object_object_add(o, "enum", names);
	}
	return o;
}

static struct json_object *field_schema(const struct field *f, bool old)
{
	struct json_object *o = value_json(f);
	if (f->nullable) {
		struct json_object *any = json_object_new_array(), *null = json_object_new_object();
		json_object_object_add(null, "type", json_text("null"));
		json_object_array_add(any, o);
		json_object_array_add(any, null);
		o = json_object_new_object();
		json_object_object_add(o, "anyOf", any);
	}
	json_object_object_add(o, "description", json_text(f->help));
	if (old || f->legacy_of)
		json_object_object_add(o, "deprecated", json_object_new_boolean(true));
	return o;
}

/* The schema of a section, made when it is first met. */
static struct json_object *section_of(struct json_object *root, const char *key, size_t n)
{
	cleanup_free char *name = xstrndup(key, n);
	struct json_object *properties = json_object_object_get(root, "properties");
	struct json_object *section = json_object_object_get(properties, name);
	if (section)
		return section;
	static const char *const null_ok[] = {"environment", "open_urls"}; /* null means absent */
	bool nullable = strcmp(name, null_ok[0]) == 0 || strcmp(name, null_ok[1]) == 0;
	section = json_tokener_parse(nullable ? "{\"type\": [\"object\", \"null\"]}" : "{\"type\": \"object\"}");
	json_object_object_add(section, "additionalProperties", json_object_new_boolean(false));
	json_object_object_add(section, "properties", json_object_new_object());
	if (strcmp(name, "meta") == 0)
		json_object_object_add(section, "required", json_tokener_parse("[\"name\"]"));
	json_object_object_add(properties, name, section);
	return section;
}

static void add_property(struct json_object *root, const char *key, const struct field *f)
{
	const char *dot = strchr(key, '.');
	struct json_object *in = dot ? section_of(root, key, (size_t)(dot - key)) : root;
	json_object_object_add(json_object_object_get(in, "properties"), dot ? dot + 1 : key,
		field_schema(f, strcmp(key, f->key) != 0));
}

struct json_object *profile_json_schema(void)
{
	struct json_object *root = json_object_new_object();
	json_object_object_add(root, "$schema", json_text("https://json-schema.org/draft/2020-12/schema"));
	json_object_object_add(root, "title", json_text("nono profile"));
	json_object_object_add(root, "type", json_text("object"));
	json_object_object_add(root, "additionalProperties", json_object_new_boolean(false));
	json_object_object_add(root, "properties", json_object_new_object());
	for (size_t i = 0; i < n_profile_fields; i++) {
		const struct field *f = &profile_fields[i];
		add_property(root, f->key, f);
		for (const char *a = f->aliases; a && *a; a += strcspn(a, "|"), a += *a == '|') {
			cleanup_free char *alias = xstrndup(a, strcspn(a, "|"));
			add_property(root, alias, f);
		}
	}
	json_object_object_add(root, "$defs", json_tokener_parse(definitions));
	return root;
}

int profile_schema(const struct profile_args *a)
{
	if (!a->output) {
		print_json(profile_json_schema());
		return 0;
	}
	struct json_object *o = profile_json_schema();
	int rc = write_json(a->output, o);
	json_object_put(o);
	return rc;
}

int profile_guide(const struct profile_args *a)
{
	if (a->man) {
		profile_manual();
		return 0;
	}
	const struct embedded *guide = embedded_find("profiles");
	fwrite(guide->text, 1, guide->len, stdout);
	return 0;
}
