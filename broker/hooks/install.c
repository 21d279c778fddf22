/* SPDX-License-Identifier: Apache-2.0 */
/*
 * install.c - what nono puts into ~/.claude, and takes away again.
 *
 * Programs in a sandbox may write to ~/.claude while this runs outside, so no
 * link placed there may lead a write elsewhere: see claude_file().
 */
#include "hooks/internal.h"
#include "profile/fields.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <sys/stat.h>

#define SCRIPT "hooks/nono-hook.sh"
#define SECTION_START "<!-- nono-sandbox-start -->"
#define SECTION_END "<!-- nono-sandbox-end -->"
#define TEXT_MAX (4 << 20)

const struct claude_hook claude_hook_default = {"PostToolUseFailure", "Read|Write|Edit|Bash"};

static const struct embedded *data_of(const char *name)
{
	for (size_t i = 0; i < n_embedded_hooks; i++)
		if (strcmp(embedded_hooks[i].name, name) == 0)
			return &embedded_hooks[i];
	return NULL;
}

char *claude_path(const char *name, struct err **e)
{
	const char *home = home_dir();
	if (!home) {
		err_set(e, 0, "there is no home directory to find .claude in");
		return NULL;
	}
	return xasprintf("%s/.claude/%s", home, name);
}

char *claude_file(const char *name, struct err **e)
{
	cleanup_free char *path = claude_path(name, e);
	struct stat st;
	if (!path || lstat(path, &st) < 0)
		return steal_ptr(&path);
	cleanup_free char *real = realpath(path, NULL);
	if (!real || stat(real, &st) < 0 || !S_ISREG(st.st_mode) || strcmp(path_base(real), path_base(path)) != 0) {
		err_set(e, 0, "%s is not a file, or a link to something else than a file of that name: left as it is",
			path);
		return NULL;
	}
	return steal_ptr(&real);
}

/* ---- the script ---------------------------------------------------------------------- */

/* The script's place. Its folder must be a real one and the script, if there, a plain file. */
static char *script_path(struct err **e)
{
	cleanup_free char *dir = claude_path("hooks", e);
	cleanup_free char *path = dir ? claude_path(SCRIPT, e) : NULL;
	struct stat st;
	if (!path)
		return NULL;
	if ((lstat(dir, &st) == 0 && !S_ISDIR(st.st_mode)) || (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))) {
		err_set(e, 0, "%s has to be a folder and nono-hook.sh in it a file, no links: left as they are", dir);
		return NULL;
	}
	return steal_ptr(&path);
}

static int script_state(struct err **e)
{
	cleanup_free char *path = script_path(e);
	cleanup_free char *text = NULL;
	size_t len = 0;
	const struct embedded *want = data_of("nono-hook");
	if (!path)
		return -1;
	struct stat st;
	if (lstat(path, &st) < 0)
		return HOOK_ABSENT;
	if (file_read(path, TEXT_MAX, &text, &len, e) < 0)
		return -1;
	return len == want->len && memcmp(text, want->text, len) == 0 && st.st_mode & S_IXUSR ? HOOK_CURRENT : HOOK_OLD;
}

static int script_write(struct err **e)
{
	const struct embedded *want = data_of("nono-hook");
	cleanup_free char *path = script_path(e);
	cleanup_free char *dir = path ? path_dir(path) : NULL;
	if (!dir || dir_create(dir, 0700, e) < 0)
		return -1;
	return file_write_atomic(path, want->text, want->len, 0755, e);
}

/* ---- the section of CLAUDE.md ---------------------------------------------------------- */

/** struct section - CLAUDE.md, and where the section in it is (from == to when it has none). */
struct section {
	char *path, *text;
	size_t len, from, to;
	bool exists;
};

static void section_free(struct section *s)
{
	free(s->path);
	free(s->text);
}
#define cleanup_section __attribute__((cleanup(section_free)))

static int section_read(struct section *s, struct err **e)
{
	struct stat st;
	s->path = claude_file("CLAUDE.md", e);
	if (!s->path)
		return -1;
	s->exists = lstat(s->path, &st) == 0;
	if (s->exists && file_read(s->path, TEXT_MAX, &s->text, &s->len, e) < 0)
		return -1;
	if (!s->exists)
		s->text = xstrdup("");
	s->from = s->to = s->len;
	const char *start = strstr(s->text, SECTION_START);
	const char *end = start ? strstr(start, SECTION_END) : NULL;
	if (end) {
		s->from = (size_t)(start - s->text);
		s->to = (size_t)(end - s->text) + strlen(SECTION_END);
		s->to += s->text[s->to] == '\n';
	}
	return 0;
}

static int section_state(const struct section *s)
{
	const struct embedded *want = data_of("claude-section");
	if (s->from == s->to)
		return HOOK_ABSENT;
	const bool same = s->to - s->from == want->len && memcmp(s->text + s->from, want->text, want->len) == 0;
	return same ? HOOK_CURRENT : HOOK_OLD;
}

/* Replace the section by @with (NULL: nothing), keeping everything around it. */
static int section_write(const struct section *s, const struct embedded *with, struct err **e)
{
	cleanup_buf struct buf b = {0};
	struct stat st;
	const mode_t mode = stat(s->path, &st) == 0 ? st.st_mode & 0777 : 0600;
	buf_add(&b, s->text, s->from);
	if (with && s->from == s->to && s->len)
		buf_adds(&b, s->text[s->len - 1] == '\n' ? "\n" : "\n\n");
	if (with)
		buf_add(&b, with->text, with->len);
	else if (s->to == s->len && b.len > 1 && b.data[b.len - 1] == '\n' && b.data[b.len - 2] == '\n')
		b.len--; /* the blank line that was put before it */
	buf_add(&b, s->text + s->to, s->len - s->to);
	return file_write_atomic(s->path, b.data ? b.data : "", b.len, mode, e);
}

static int section_install(struct err **e)
{
	cleanup_section struct section s = {0};
	if (section_read(&s, e) < 0)
		return -1;
	return section_state(&s) == HOOK_CURRENT ? 0 : section_write(&s, data_of("claude-section"), e);
}

static int section_remove(bool *changed, struct err **e)
{
	cleanup_section struct section s = {0};
	if (section_read(&s, e) < 0)
		return -1;
	if (section_state(&s) == HOOK_ABSENT)
		return 0;
	*changed = true;
	return section_write(&s, NULL, e);
}

/* ---- all of it --------------------------------------------------------------------------- */

static void tell(const char *line)
{
	if (say_level > SAY_SILENT)
		fprintf(stderr, "  %s\n", line);
}

static int install(const struct claude_hook *h, struct err **e)
{
	const int state = script_state(e);
	bool registered = false;
	if (state < 0 || (state != HOOK_CURRENT && script_write(e) < 0) || settings_register(h, &registered, e) < 0)
		return -1;
	if (state == HOOK_ABSENT || registered)
		tell("Installing claude-code hook to ~/.claude/" SCRIPT);
	else if (state == HOOK_OLD)
		tell("Updating claude-code hook (new version available)");
	return section_install(e);
}

static void install_named(const char *app, struct json_object *o)
{
	cleanup_err struct err *e = NULL;
	const char *script = json_object_get_string(json_object_object_get(o, "script"));
	const char *event = json_object_get_string(json_object_object_get(o, "event"));
	if (strcmp(app, "claude-code") != 0 || !script || strcmp(script, "nono-hook.sh") != 0) {
		say("warning: hooks: there is no hook \"%s\" for \"%s\"; only nono-hook.sh for claude-code",
			script ? script : "", app);
		return;
	}
	const struct claude_hook h = {
		.event = event ? event : claude_hook_default.event,
		.matcher = json_object_get_string(json_object_object_get(o, "matcher")),
	};
	if (install(&h, &e) < 0)
		say("warning: the claude-code hook is not installed: %s", err_msg(e));
}

void hooks_install(const struct profile *p)
{
	if (!p->hooks)
		return;
	struct json_object *map = json_tokener_parse(p->hooks);
	if (json_object_is_type(map, json_type_object)) {
		json_object_object_foreach(map, app, o)
		{
			install_named(app, o);
		}
	}
	json_object_put(map);
}

static int command_install(struct err **e)
{
	return install(&claude_hook_default, e);
}

static int command_remove(struct err **e)
{
	bool changed = false;
	if (settings_unregister(&changed, e) < 0 || section_remove(&changed, e) < 0)
		return -1;
	cleanup_free char *path = script_path(e);
	if (!path)
		return -1;
	if (unlink(path) < 0 && errno != ENOENT)
		return err_set(e, errno, "cannot remove %s", path);
	puts("claude-code hook removed");
	return 0;
}

static int command_status(struct err **e)
{
	static const char *const words[] = {"absent", "of another version", "current"};
	cleanup_section struct section s = {0};
	const int script = script_state(e);
	const int settings = script < 0 ? -1 : settings_state(e);
	if (settings < 0 || section_read(&s, e) < 0)
		return -1;
	printf("~/.claude/" SCRIPT ": %s\n", words[script]);
	printf("~/.claude/settings.json: %s\n", settings == HOOK_CURRENT ? "registered" : "not registered");
	printf("~/.claude/CLAUDE.md: section %s\n", words[section_state(&s)]);
	return 0;
}

int hooks_command(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(struct err **e);
	} commands[] = {{"install", command_install}, {"status", command_status}, {"remove", command_remove}};
	if (argc == 2 && strcmp(argv[1], "context") == 0)
		return hooks_context(stdin, stdout);
	for (size_t i = 0; argc == 2 && i < ARRAY_SIZE(commands); i++) {
		cleanup_err struct err *e = NULL;
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		if (commands[i].run(&e) == 0)
			return 0;
		say_error("hooks: %s", err_msg(e));
		return 1;
	}
	say_error("usage: nono hooks install|status|remove|context");
	return 2;
}
