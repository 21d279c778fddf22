/* SPDX-License-Identifier: Apache-2.0 */
/* profile_command.c - `nono profile`: the subcommand table, and what the subcommands share. */
#include "cli/profile_commands.h"

struct flag {
	const char *name; /* with dashes */
	const char *letter;
	size_t offset;
	bool value; /* takes one; otherwise a bool */
	const char *only;
};
#define ARG(member) offsetof(struct profile_args, member)
/* `only`: the subcommands that know the flag, separated by blanks. */
static const struct flag flags[] = {
	{"--json", NULL, ARG(json), false, "list show validate diff groups"},
	{"--raw", NULL, ARG(raw), false, "show"},
	{"--format", NULL, ARG(format), true, "show"},
	{"--draft", NULL, ARG(draft), false, "validate"},
	{"--strict", NULL, ARG(strict), false, "validate"},
	{"--all-platforms", NULL, ARG(all_platforms), false, "groups"},
	{"--extends", NULL, ARG(extends), true, "init"},
	{"--groups", NULL, ARG(groups), true, "init"},
	{"--description", NULL, ARG(description), true, "init"},
	{"--full", NULL, ARG(full), false, "init"},
	{"--force", NULL, ARG(force), false, "init"},
	{"--output", "-o", ARG(output), true, "init schema"},
	{"--man", NULL, ARG(man), false, "guide"},
	{"--diff", NULL, ARG(diff), false, "promote"},
	{"--yes", "-y", ARG(yes), false, "promote"},
};

struct subcommand {
	const char *name, *usage;
	int min, max; /* names */
	int (*run)(const struct profile_args *a);
	const char *help;
};
static const struct subcommand subcommands[] = {
	{"list", "[--json]", 0, 0, profile_list, "your profiles and the built-in ones"},
	{"show", "PROFILE [--json | --raw | --format profile|dump|manifest]", 1, 1, profile_show,
		"what a profile comes to with everything it extends"},
	{"validate", "FILE|NAME [--draft] [--strict] [--json]", 1, 1, profile_validate,
		"check a profile; status 1 when it would not load"},
	{"diff", "PROFILE PROFILE [--json]", 2, 2, profile_diff, "what two profiles grant differently"},
	{"groups", "[NAME] [--all-platforms] [--json]", 0, 1, profile_groups, "policy groups, or what is in one"},
	{"init", "NAME [--extends NAME] [--groups A,B] [--description TEXT] [--full] [--output FILE] [--force]", 1, 1,
		profile_init, "start a profile of your own"},
	{"schema", "[--output FILE]", 0, 0, profile_schema, "JSON Schema of profiles, for editors"},
	{"guide", "", 0, 0, profile_guide, "how profiles are written"},
	{"promote", "NAME [--diff | --yes]", 1, 1, profile_promote, "make a draft a profile, after showing the change"},
};

static void usage(FILE *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(subcommands); i++)
		fprintf(out, "%s nono profile %s %s\n           %s\n", i ? "      " : "Usage:", subcommands[i].name,
			subcommands[i].usage, subcommands[i].help);
}

static bool has_word(const char *words, const char *w)
{
	size_t n = strlen(w);
	for (const char *p = words; *p; p += strcspn(p, " "), p += strspn(p, " "))
		if (strcspn(p, " ") == n && strncmp(p, w, n) == 0)
			return true;
	return false;
}

/* The flag that @arg is; "--name=value" too, then *@value is behind the '='. */
static const struct flag *find_flag(const char *arg, const char *sub, const char **value)
{
	size_t n = strcspn(arg, "=");
	*value = arg[n] ? arg + n + 1 : NULL;
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		const struct flag *f = &flags[i];
		if (has_word(f->only, sub) && ((strlen(f->name) == n && strncmp(f->name, arg, n) == 0) ||
						      (f->letter && strcmp(f->letter, arg) == 0)))
			return f;
	}
	return NULL;
}

static int fail_flag(const struct subcommand *s, const char *arg)
{
	const char *names[ARRAY_SIZE(flags)];
	size_t n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (has_word(flags[i].only, s->name))
			names[n++] = flags[i].name;
	const char *near = str_nearest(arg, names, n);
	cleanup_free char *shown = str_sanitize(arg);
	say_error("nono profile %s does not know %s%s%s%s", s->name, shown, near ? "; did you mean " : "",
		near ? near : "", near ? "?" : "");
	return 2;
}

/* Return: 0, or the exit status. */
static int parse(const struct subcommand *s, int argc, char **argv, struct profile_args *a)
{
	int names = 0;
	bool only_names = false;
	for (int i = 1; i < argc; i++) {
		const char *value;
		if (!only_names && strcmp(argv[i], "--") == 0) {
			only_names = true;
			continue;
		}
		if (only_names || argv[i][0] != '-' || !argv[i][1]) {
			if (names == s->max) {
				cleanup_free char *shown = str_sanitize(argv[i]);
				say_error("nono profile %s: one name too many: %s", s->name, shown);
				return 2;
			}
			*(names++ ? &a->other : &a->name) = argv[i];
			continue;
		}
		const struct flag *f = find_flag(argv[i], s->name, &value);
		if (!f)
			return fail_flag(s, argv[i]);
		void *slot = (char *)a + f->offset;
		if (f->value && !value && i + 1 < argc)
			value = argv[++i];
		if (f->value != (value != NULL)) {
			say_error("nono profile %s: %s %s", s->name, f->name,
				f->value ? "needs a value" : "takes no value");
			return 2;
		}
		if (f->value)
			*(const char **)slot = value;
		else
			*(bool *)slot = true;
	}
	if (names < s->min) {
		say_error("usage: nono profile %s %s", s->name, s->usage);
		return 2;
	}
	return 0;
}

int profile_command(int argc, char **argv)
{
	if (argc < 2) {
		usage(stderr);
		return 2;
	}
	const char *names[ARRAY_SIZE(subcommands)];
	for (size_t i = 0; i < ARRAY_SIZE(subcommands); i++) {
		const struct subcommand *s = &subcommands[i];
		names[i] = s->name;
		if (strcmp(s->name, argv[1]) != 0)
			continue;
		if (argc > 2 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0)) {
			printf("Usage: nono profile %s %s\n%s\n", s->name, s->usage, s->help);
			return 0;
		}
		struct profile_args a = {0};
		int rc = parse(s, argc - 1, argv + 1, &a);
		return rc ? rc : s->run(&a);
	}
	const char *near = str_nearest(argv[1], names, ARRAY_SIZE(names));
	cleanup_free char *shown = str_sanitize(argv[1]);
	say_error("nono profile has no %s%s%s%s", shown, near ? "; did you mean " : "", near ? near : "",
		near ? "?" : "");
	return 2;
}

/* ---- shared ------------------------------------------------------------------ */

void print_json(struct json_object *o)
{
	puts(json_object_to_json_string_ext(
		o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

struct json_object *json_text(const char *s)
{
	return s ? json_object_new_string(s) : NULL;
}

struct json_object *json_strings(const struct strv *s)
{
	struct json_object *a = json_object_new_array();
	for (size_t i = 0; i < s->n; i++)
		json_object_array_add(a, json_text(s->v[i]));
	return a;
}

int fail_with(const struct err *e)
{
	cleanup_free char *shown = str_sanitize(err_msg(e));
	say_error("%s", shown);
	return 1;
}

void print_padded(const char *text, int width)
{
	cleanup_free char *shown = str_sanitize(text);
	printf("%-*s", width, shown);
}

bool on_this_platform(const struct group *g)
{
	return !g->platform || strcmp(g->platform, "linux") == 0;
}

char *profile_file_of(const char *dir, const char *name)
{
	cleanup_free char *config = config_dir();
	return xasprintf("%s/%s/%s.json", config, dir, name);
}
