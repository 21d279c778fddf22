/* SPDX-License-Identifier: Apache-2.0 */
/* completion.c - completions for bash, zsh and fish, from the tables of commands, options and flags. */
#include "cli/options.h"

/* The names of all profiles, one a line. */
#define PROFILE_NAMES "nono profile list --json 2>/dev/null | sed -n 's/.*\"name\": *\"\\([^\"]*\\)\".*/\\1/p'"

/* What a value is, by the word that stands for it in the help. */
enum value { VALUE_OTHER, VALUE_DIR, VALUE_FILE, VALUE_PROFILE };

static enum value value_of(const char *arg)
{
	static const struct {
		const char *arg;
		enum value value;
	} known[] = {{"DIR", VALUE_DIR}, {"FILE", VALUE_FILE}, {"PATH", VALUE_FILE}, {"PROFILE", VALUE_PROFILE}};
	for (size_t i = 0; arg && i < ARRAY_SIZE(known); i++)
		if (strcmp(known[i].arg, arg) == 0)
			return known[i].value;
	return VALUE_OTHER;
}

/* Whether a row belongs to the command. */
static bool is_command(const char *command, const char *name)
{
	return strcmp(command, name) == 0;
}

/* The commands that are shown, separated by spaces. */
static void command_names(FILE *out)
{
	for (size_t i = 0; i < n_command_rows; i++)
		if (!command_rows[i].hidden)
			fprintf(out, "%s%s", i ? " " : "", command_rows[i].name);
}

/* ---- bash ------------------------------------------------------------------ */

static void bash_values(FILE *out)
{
	static const char *const how[] = {
		[VALUE_DIR] = "compgen -d -- \"$cur\"",
		[VALUE_FILE] = "compgen -f -- \"$cur\"",
		[VALUE_PROFILE] = "compgen -W \"$(" PROFILE_NAMES ")\" -- \"$cur\"; compgen -f -- \"$cur\"",
	};
	for (size_t i = 0; i < n_option_rows; i++) {
		const struct option_row *o = &option_rows[i];
		enum value v = value_of(o->arg);
		if (!o->choices && v == VALUE_OTHER)
			continue;
		fputc('\t', out);
		if (o->letter)
			fprintf(out, "-%c | ", o->letter);
		if (o->choices)
			fprintf(out, "--%s) mapfile -t COMPREPLY < <(compgen -W \"%s %s %s\" -- \"$cur\"); return ;;\n",
				o->name, o->choices[0], o->choices[1], o->choices[2]);
		else
			fprintf(out, "--%s) mapfile -t COMPREPLY < <(%s); return ;;\n", o->name, how[v]);
	}
}

static void bash_words(const struct command *c, FILE *out)
{
	const unsigned mask = command_mask(c->name);
	for (size_t j = 0; c->subcommands && c->subcommands[j]; j++)
		fprintf(out, " %s", c->subcommands[j]);
	for (size_t i = 0; i < n_option_rows; i++)
		if (option_rows[i].commands & mask)
			fprintf(out, " --%s", option_rows[i].name);
	for (size_t i = 0; i < n_command_flags; i++)
		if (is_command(command_flags[i].command, c->name))
			fprintf(out, " --%s", command_flags[i].name);
}

static void bash(FILE *out)
{
	fputs("# bash completion for nono\n"
	      "_nono() {\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} cmd=${COMP_WORDS[1]} words i\n"
	      "\tCOMPREPLY=()\n"
	      "\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
	      "\t\t[[ ${COMP_WORDS[i]} == -- ]] || continue\n"
	      "\t\tif declare -F _command_offset >/dev/null; then\n"
	      "\t\t\t_command_offset $((i + 1))\n"
	      "\t\telif ((i + 1 == COMP_CWORD)); then\n"
	      "\t\t\tmapfile -t COMPREPLY < <(compgen -c -- \"$cur\")\n"
	      "\t\telse\n"
	      "\t\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	      "\t\tfi\n"
	      "\t\treturn\n"
	      "\tdone\n",
		out);
	fputs("\tif ((COMP_CWORD == 1)) || { ((COMP_CWORD == 2)) && [[ $cmd == help ]]; }; then\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -W '",
		out);
	command_names(out);
	fputs("' -- \"$cur\")\n\t\treturn\n\tfi\n", out);
	fputs("\tcase $prev in\n", out);
	bash_values(out);
	fputs("\tesac\n"
	      "\tif [[ $cmd == profile && ${COMP_WORDS[2]} =~ ^(show|validate|diff|promote)$ && $cur != -* ]] && "
	      "((COMP_CWORD > 2)); then\n"
	      "\t\tmapfile -t COMPREPLY < <(compgen -W \"$(" PROFILE_NAMES ")\" -- \"$cur\"; compgen -f -- \"$cur\")\n"
	      "\t\treturn\n"
	      "\tfi\n"
	      "\tcase $cmd in\n",
		out);
	for (size_t i = 0; i < n_command_rows; i++) {
		if (command_rows[i].hidden)
			continue;
		fprintf(out, "\t%s) words=\"", command_rows[i].name);
		bash_words(&command_rows[i], out);
		fputs("\" ;;\n", out);
	}
	fputs("\tesac\n"
	      "\t[[ $cur == -* ]] || ((COMP_CWORD == 2)) && mapfile -t COMPREPLY < <(compgen -W \"$words\" -- "
	      "\"$cur\")\n"
	      "\t((${#COMPREPLY[@]})) || mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	      "}\n"
	      "complete -o filenames -F _nono nono\n",
		out);
}

/* ---- zsh ------------------------------------------------------------------- */

static void zsh_text(FILE *out, const char *text)
{
	for (const char *p = text; *p; p++)
		fputc(strchr("'[]:\\`$\"", *p) ? ' ' : *p, out);
}

static void zsh_option(
	FILE *out, char letter, const char *name, const char *arg, const char *const *choices, const char *help)
{
	static const char *const how[] = {
		[VALUE_OTHER] = " ",
		[VALUE_DIR] = "_files -/",
		[VALUE_FILE] = "_files",
		[VALUE_PROFILE] = "_nono_profiles",
	};
	fputs("\t\t'*'", out);
	if (letter)
		fprintf(out, "{-%c%s,--%s%s}", letter, arg ? "+" : "", name, arg ? "=" : "");
	else
		fprintf(out, "--%s%s", name, arg ? "=" : "");
	fputs("'[", out);
	zsh_text(out, help);
	fputc(']', out);
	if (arg) {
		fputc(':', out);
		zsh_text(out, arg);
		if (choices)
			fprintf(out, ":(%s %s %s)", choices[0], choices[1], choices[2]);
		else
			fprintf(out, ":%s", how[value_of(arg)]);
	}
	fputs("' \\\n", out);
}

static void zsh_command(FILE *out, const struct command *c)
{
	const unsigned mask = command_mask(c->name);
	fprintf(out, "\t%s) _arguments -s -S%s \\\n", c->name, mask & FOR_START ? " -A '-*'" : "");
	for (size_t i = 0; i < n_option_rows; i++) {
		const struct option_row *o = &option_rows[i];
		if (o->commands & mask)
			zsh_option(out, o->letter, o->name, o->arg, o->choices, o->help);
	}
	for (size_t i = 0; i < n_command_flags; i++) {
		const struct command_flag *f = &command_flags[i];
		if (is_command(f->command, c->name))
			zsh_option(out, 0, f->name, f->arg, NULL, f->help);
	}
	if (c->subcommands) {
		fputs("\t\t'1:subcommand:(", out);
		for (size_t j = 0; c->subcommands[j]; j++)
			fprintf(out, "%s%s", j ? " " : "", c->subcommands[j]);
		fputs(")' \\\n", out);
	}
	if (mask & FOR_START)
		fputs("\t\t'(-)1:program: _command_names -e' '*::arguments: _normal' ;;\n", out);
	else if (is_command(c->name, "profile"))
		fputs("\t\t'*:profile:_nono_profiles' ;;\n", out);
	else
		fputs("\t\t'*:file:_files' ;;\n", out);
}

static void zsh(FILE *out)
{
	fputs("#compdef nono\n"
	      "_nono_profiles() {\n"
	      "\tlocal -a names\n"
	      "\tnames=(${(f)\"$(" PROFILE_NAMES ")\"})\n"
	      "\t_alternative 'profiles:profile:compadd -a names' 'files:file:_files'\n"
	      "}\n"
	      "_nono() {\n\t# (commands is a table of zsh's own)\n\tlocal -a listed\n\tlocal command\n\tlisted=(\n",
		out);
	for (size_t i = 0; i < n_command_rows; i++)
		if (!command_rows[i].hidden) {
			fprintf(out, "\t\t'%s:", command_rows[i].name);
			zsh_text(out, command_rows[i].help);
			fputs("'\n", out);
		}
	fputs("\t)\n"
	      "\tif ((CURRENT == 2)); then\n\t\t_describe command listed\n\t\treturn\n\tfi\n"
	      "\tif [[ $words[2] == help ]]; then\n\t\t((CURRENT == 3)) && _describe command listed\n\t\treturn\n\tfi\n"
	      "\tcommand=$words[2]\n"
	      "\tshift words\n"
	      "\t((CURRENT--))\n"
	      "\tcase $command in\n",
		out);
	for (size_t i = 0; i < n_command_rows; i++)
		if (!command_rows[i].hidden && !is_command(command_rows[i].name, "help"))
			zsh_command(out, &command_rows[i]);
	/* as an autoloaded function this file is the function's body; sourced, it only defines */
	fputs("\tesac\n}\nif [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n\t_nono \"$@\"\nelse\n\tcompdef _nono "
	      "nono\nfi\n",
		out);
}

/* ---- fish ------------------------------------------------------------------ */

static void fish_text(FILE *out, const char *text)
{
	for (const char *p = text; *p; p++) {
		if (*p == '\'' || *p == '\\')
			fputc('\\', out);
		fputc(*p, out);
	}
}

/* One option; @when is the condition after the command's name. */
static void fish_option(FILE *out, const char *command, const char *subcommands, char letter, const char *name,
	const char *arg, const char *const *choices, const char *help)
{
	fprintf(out, "complete -c nono -n '__nono_in %s", command);
	if (subcommands)
		fprintf(out, "; and __fish_seen_subcommand_from %s", subcommands);
	fprintf(out, "' -l %s", name);
	if (letter)
		fprintf(out, " -s %c", letter);
	if (choices)
		fprintf(out, " -x -a '%s %s %s'", choices[0], choices[1], choices[2]);
	else if (arg && value_of(arg) == VALUE_PROFILE)
		fputs(" -r -a '(__nono_profiles)'", out);
	else if (arg && value_of(arg) == VALUE_DIR)
		fputs(" -x -a '(__fish_complete_directories)'", out);
	else if (arg)
		fputs(value_of(arg) == VALUE_FILE ? " -r -F" : " -x", out);
	fputs(" -d '", out);
	fish_text(out, help);
	fputs("'\n", out);
}

static void fish_command(FILE *out, const struct command *c)
{
	const unsigned mask = command_mask(c->name);
	fprintf(out, "complete -c nono -f -n '__nono_first' -a %s -d '", c->name);
	fish_text(out, c->help);
	fputs("'\n", out);
	for (size_t j = 0; c->subcommands && c->subcommands[j]; j++)
		fprintf(out, "complete -c nono -f -n '__nono_in %s; and __nono_words 2' -a %s\n", c->name,
			c->subcommands[j]);
	if (!(mask & FOR_START))
		fprintf(out, "complete -c nono -f -n '__nono_in %s'\n", c->name);
	for (size_t i = 0; i < n_option_rows; i++) {
		const struct option_row *o = &option_rows[i];
		if (o->commands & mask)
			fish_option(out, c->name, NULL, o->letter, o->name, o->arg, o->choices, o->help);
	}
	for (size_t i = 0; i < n_command_flags; i++) {
		const struct command_flag *f = &command_flags[i];
		if (is_command(f->command, c->name))
			fish_option(out, c->name, f->subcommands, 0, f->name, f->arg, NULL, f->help);
	}
}

static void fish(FILE *out)
{
	fputs("# fish completion for nono\n"
	      "function __nono_profiles\n\t" PROFILE_NAMES "\nend\n"
	      "function __nono_words\n\ttest (count (commandline -opc)) -eq $argv[1]\nend\n"
	      "function __nono_first\n\t__nono_words 1\nend\n"
	      "function __nono_in\n"
	      "\tset -l words (commandline -opc)\n"
	      "\ttest (count $words) -gt 1; and test $words[2] = $argv[1]; and not contains -- -- $words\n"
	      "end\n"
	      "function __nono_after_dashes\n"
	      "\tset -l words (commandline -opc)\n"
	      "\tcontains -- -- $words[2..]\n"
	      "end\n"
	      "function __nono_program\n"
	      "\tset -l words (commandline -opc)\n"
	      "\tset -l at (contains -i -- -- $words)\n"
	      "\tset -l rest $words[(math $at + 1)..]\n"
	      "\tset -a rest (commandline -ct)\n"
	      "\tcomplete -C \"$rest\"\n"
	      "end\n"
	      "complete -c nono -f -n __nono_after_dashes -a '(__nono_program)'\n"
	      "complete -c nono -f -n '__nono_in help; and __nono_words 2' -a '",
		out);
	command_names(out);
	fputs("'\ncomplete -c nono -n '__nono_in profile; and not __nono_words 2; and __fish_seen_subcommand_from show "
	      "validate diff promote' -a '(__nono_profiles)'\n",
		out);
	for (size_t i = 0; i < n_command_rows; i++)
		if (!command_rows[i].hidden)
			fish_command(out, &command_rows[i]);
}

int completion_command(int argc, char **argv)
{
	static const struct {
		const char *shell;
		void (*write)(FILE *out);
	} shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
	for (size_t i = 0; argc == 2 && i < ARRAY_SIZE(shells); i++)
		if (strcmp(argv[1], shells[i].shell) == 0) {
			shells[i].write(stdout);
			return 0;
		}
	say_error("usage: nono completion bash|zsh|fish");
	return 2;
}
