/* SPDX-License-Identifier: Apache-2.0 */
/* completion.c - completions for bash, zsh and fish, from the two tables. */
#include "cli/options.h"

static void words_of(unsigned mask, FILE *out)
{
	for (size_t i = 0; i < n_option_rows; i++)
		if (option_rows[i].commands & mask)
			fprintf(out, " --%s", option_rows[i].name);
}

static void bash(FILE *out)
{
	fputs("# bash completion for nono\n_nono() {\n\tlocal cur=${COMP_WORDS[COMP_CWORD]} "
	      "prev=${COMP_WORDS[COMP_CWORD-1]} "
	      "cmd=${COMP_WORDS[1]} i\n\tCOMPREPLY=()\n\tfor ((i = 2; i < COMP_CWORD; i++)); do\n\t\t[[ "
	      "${COMP_WORDS[i]} == -- ]] && { "
	      "_command_offset $((i + 1)) 2>/dev/null; return; }\n\tdone\n\tif ((COMP_CWORD == 1)); "
	      "then\n\t\tCOMPREPLY=($(compgen -W \"",
		out);
	for (size_t i = 0; i < n_command_rows; i++)
		if (!command_rows[i].hidden)
			fprintf(out, "%s ", command_rows[i].name);
	fputs("\" -- \"$cur\"))\n\t\treturn\n\tfi\n\tcase $prev in\n\t-p | --profile | --extends) COMPREPLY=($(compgen "
	      "-W \"$(nono profile "
	      "list --json 2>/dev/null | sed -n 's/.*\"name\": *\"\\([^\"]*\\)\".*/\\1/p')\" -- \"$cur\") $(compgen -f "
	      "-- \"$cur\")); return ;;\n",
		out);
	for (size_t i = 0; i < n_option_rows; i++) {
		const struct option_row *o = &option_rows[i];
		if (!o->choices)
			continue;
		fprintf(out, "\t--%s) COMPREPLY=($(compgen -W \"%s %s %s\" -- \"$cur\")); return ;;\n", o->name,
			o->choices[0], o->choices[1], o->choices[2]);
	}
	fputs("\tesac\n\tcase $cmd in\n", out);
	for (size_t i = 0; i < n_command_rows; i++) {
		const struct command *c = &command_rows[i];
		unsigned mask = command_mask(c->name);
		if (!mask && !c->subcommands)
			continue;
		fprintf(out, "\t%s) [[ $cur == %s ]] && COMPREPLY=($(compgen -W \"", c->name, mask ? "-*" : "*");
		for (size_t j = 0; c->subcommands && c->subcommands[j]; j++)
			fprintf(out, "%s ", c->subcommands[j]);
		words_of(mask, out);
		fputs("\" -- \"$cur\")) ;;\n", out);
	}
	fputs("\tesac\n\t((${#COMPREPLY[@]})) || COMPREPLY=($(compgen -f -- \"$cur\"))\n}\ncomplete -o filenames -F "
	      "_nono nono\n",
		out);
}

static void zsh_text(FILE *out, const char *text)
{
	for (const char *p = text; *p; p++) {
		if (strchr("'[]:\\`$\"", *p))
			fputc(' ', out);
		else
			fputc(*p, out);
	}
}

static void zsh(FILE *out)
{
	fputs("#compdef nono\n_nono() {\n\tlocal -a commands\n\tcommands=(\n", out);
	for (size_t i = 0; i < n_command_rows; i++)
		if (!command_rows[i].hidden) {
			fprintf(out, "\t\t'%s:", command_rows[i].name);
			zsh_text(out, command_rows[i].help);
			fputs("'\n", out);
		}
	fputs("\t)\n\tif ((CURRENT == 2)); then\n\t\t_describe command commands\n\t\treturn\n\tfi\n\tcase $words[2] "
	      "in\n",
		out);
	for (size_t i = 0; i < n_command_rows; i++) {
		const struct command *c = &command_rows[i];
		unsigned mask = command_mask(c->name);
		if (!mask && c->subcommands) {
			fprintf(out, "\t%s) ((CURRENT == 3)) && compadd", c->name);
			for (size_t j = 0; c->subcommands[j]; j++)
				fprintf(out, " %s", c->subcommands[j]);
			fputs(" ;;\n", out);
		}
		if (!mask)
			continue;
		fprintf(out, "\t%s) _arguments -s -S \\\n", c->name);
		for (size_t j = 0; j < n_option_rows; j++) {
			const struct option_row *o = &option_rows[j];
			if (!(o->commands & mask))
				continue;
			fprintf(out, "\t\t'*--%s[", o->name);
			zsh_text(out, o->help);
			fprintf(out, "]%s%s%s' \\\n", o->arg ? ":" : "", o->arg ? o->arg : "", o->arg ? ":_files" : "");
		}
		fputs("\t\t'*::command: _normal' ;;\n", out);
	}
	fputs("\tesac\n}\n_nono \"$@\"\n", out);
}

static void fish_text(FILE *out, const char *text)
{
	for (const char *p = text; *p; p++)
		fputs((char[3]){*p == '\'' || *p == '\\' ? '\\' : *p, *p == '\'' || *p == '\\' ? *p : '\0', '\0'}, out);
}

static void fish(FILE *out)
{
	fputs("# fish completion for nono\n", out);
	for (size_t i = 0; i < n_command_rows; i++) {
		const struct command *c = &command_rows[i];
		if (c->hidden)
			continue;
		fprintf(out, "complete -c nono -f -n __fish_use_subcommand -a %s -d '", c->name);
		fish_text(out, c->help);
		fputs("'\n", out);
		for (size_t j = 0; c->subcommands && c->subcommands[j]; j++)
			fprintf(out, "complete -c nono -f -n '__fish_seen_subcommand_from %s' -a %s\n", c->name,
				c->subcommands[j]);
		for (size_t j = 0; j < n_option_rows; j++) {
			const struct option_row *o = &option_rows[j];
			if (!(o->commands & command_mask(c->name)))
				continue;
			fprintf(out, "complete -c nono -n '__fish_seen_subcommand_from %s' -l %s", c->name, o->name);
			if (o->letter)
				fprintf(out, " -s %c", o->letter);
			if (o->arg)
				fputs(" -r", out);
			if (o->choices)
				fprintf(out, " -f -a '%s %s %s'", o->choices[0], o->choices[1], o->choices[2]);
			fputs(" -d '", out);
			fish_text(out, o->help);
			fputs("'\n", out);
		}
	}
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
