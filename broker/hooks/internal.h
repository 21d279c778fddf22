/* SPDX-License-Identifier: Apache-2.0 */
/* internal.h - what the files of the hooks room share. */
#ifndef NONO_HOOKS_INTERNAL_H
#define NONO_HOOKS_INTERNAL_H

#include "hooks/hooks.h"

/** enum hook_state - what was found or done. */
enum hook_state { HOOK_ABSENT, HOOK_OLD, HOOK_CURRENT };

/** struct claude_hook - when Claude Code calls the script; borrowed strings. */
struct claude_hook {
	const char *event, *matcher;
};
/** claude_hook_default - what the built-in profile claude-code says. */
extern const struct claude_hook claude_hook_default;

/**
 * settings_register() - enter the hook into settings.json unless it is there.
 * @changed: set when the file was written
 * Return: 0, or -1 with the reason; then the file is as it was.
 */
int settings_register(const struct claude_hook *h, bool *changed, struct err **e);
/** settings_unregister() - take every entry of the hook out. Same return. */
int settings_unregister(bool *changed, struct err **e);
/** settings_state() - HOOK_CURRENT when registered, else HOOK_ABSENT; -1 with the reason. */
int settings_state(struct err **e);

/** claude_path() - ~/.claude/@name. New string; NULL with the reason. */
char *claude_path(const char *name, struct err **e);
/**
 * claude_file() - the file that ~/.claude/@name is. Programs in sandboxes may write
 * there, so a link is followed only to a regular file of the same name.
 * Return: a new string, also when nothing is there yet; NULL with the reason.
 */
char *claude_file(const char *name, struct err **e);

/** hooks_context() - `nono hooks context`: the hook's JSON from @in to @out. Return: exit status. */
int hooks_context(FILE *in, FILE *out);

#endif
