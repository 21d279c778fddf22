/* SPDX-License-Identifier: Apache-2.0 */
/* help.c - help texts, from the command table and the option table. */
#include "cli/options.h"

struct style {
	const char *bold, *dim, *off;
};

static struct style style_for(FILE *out)
{
	return use_color(fileno(out)) ? (struct style){"\033[1m", "\033[2m", "\033[0m"} : (struct style){"", "", ""};
}

static void overview(FILE *out)
{
	struct style s = style_for(out);
	fprintf(out, "%snono%s starts a program so that the kernel lets it touch only what its profile grants.\n\n",
		s.bold, s.off);
	fprintf(out,
		"    nono run --profile claude-code -- claude\n    nono run --allow . -- make test\n\n%sCommands%s\n",
		s.bold, s.off);
	for (size_t i = 0; i < n_command_rows; i++)
		if (!command_rows[i].hidden)
			fprintf(out, "  %s%-11s%s %s\n", s.bold, command_rows[i].name, s.off, command_rows[i].help);
	fprintf(out, "\n`nono help COMMAND` tells more; nono(1) is the manual.\n");
}

static void options_of(unsigned mask, FILE *out)
{
	struct style s = style_for(out);
	const char *section = "";
	for (size_t i = 0; i < n_option_rows; i++) {
		const struct option_row *o = &option_rows[i];
		if (!(o->commands & mask))
			continue;
		if (strcmp(section, o->section) != 0) {
			section = o->section;
			fprintf(out, "\n%s%s%s\n", s.bold, section, s.off);
		}
		char letter[5] = "    ";
		if (o->letter)
			(void)snprintf(letter, sizeof(letter), "-%c, ", o->letter);
		cleanup_free char *name = xasprintf("--%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
		if (strlen(name) > 30)
			fprintf(out, "  %s%s\n%38s", letter, name, "");
		else
			fprintf(out, "  %s%-31s ", letter, name);
		fprintf(out, "%s", o->help);
		if (o->env)
			fprintf(out, " %s[%s]%s", s.dim, o->env, s.off);
		fputc('\n', out);
	}
}

void help_for(const char *command, FILE *out)
{
	struct style s = style_for(out);
	for (size_t i = 0; i < n_command_rows; i++) {
		if (strcmp(command_rows[i].name, command) != 0)
			continue;
		fprintf(out, "%snono %s%s %s\n\n%s\n", s.bold, command, s.off, command_rows[i].args,
			command_rows[i].help);
		if (command_mask(command))
			options_of(command_mask(command), out);
		return;
	}
	overview(out);
}

int help_command(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--man") == 0) {
		man_page(stdout);
		return 0;
	}
	if (argc < 2) {
		overview(stdout);
		return 0;
	}
	for (size_t i = 0; i < n_command_rows; i++)
		if (strcmp(command_rows[i].name, argv[1]) == 0) {
			help_for(argv[1], stdout);
			return 0;
		}
	say_error("no such command: %s", argv[1]);
	return 2;
}

/* ---- the manual ------------------------------------------------------------------ */

void roff(FILE *out, const char *text)
{
	for (const char *p = text; *p; p++) {
		if (*p == '\\')
			fputs("\\e", out);
		else if (*p == '-')
			fputs("\\-", out);
		else
			fputc(*p, out);
	}
}

void man_page(FILE *out)
{
	fprintf(out,
		".TH NONO 1 \"\" \"nono %s\" \"User Commands\"\n.SH NAME\nnono \\- run a program in a kernel sandbox, "
		"with capabilities on demand\n",
		NONO_VERSION);
	fputs(".SH SYNOPSIS\n.B nono run\n[\\fIOPTIONS\\fR] \\-\\- \\fICOMMAND\\fR...\n.SH DESCRIPTION\n"
	      "The kernel (Landlock, seccomp) lets the program and everything it starts touch only what the profile "
	      "and the "
	      "options grant. A supervisor outside the sandbox answers what is missing while the program runs: it asks "
	      "the person, acts "
	      "on the program's behalf, opens login pages in the host's browser, and explains every refusal.\n.SH "
	      "COMMANDS\n",
		out);
	for (size_t i = 0; i < n_command_rows; i++) {
		const struct command *c = &command_rows[i];
		if (c->hidden)
			continue;
		fprintf(out, ".TP\n.B nono %s\n", c->name);
		roff(out, c->args);
		fputs("\n.br\n", out);
		roff(out, c->help);
		fputc('\n', out);
	}
	const char *section = "";
	fputs(".SH OPTIONS\nOf run, shell and wrap; why takes those about profile, files and network.\n", out);
	for (size_t i = 0; i < n_option_rows; i++) {
		const struct option_row *o = &option_rows[i];
		if (strcmp(section, o->section) != 0) {
			section = o->section;
			fprintf(out, ".SS %s\n", section);
		}
		fputs(".TP\n.B ", out);
		if (o->letter)
			fprintf(out, "\\-%c, ", o->letter);
		fputs("\\-\\-", out);
		roff(out, o->name);
		if (o->arg)
			fprintf(out, " \\fI%s\\fR", o->arg);
		fputc('\n', out);
		roff(out, o->help);
		if (o->env)
			fprintf(out, " Variable: %s.", o->env);
		fputc('\n', out);
	}
	fputs(".SH EXIT STATUS\nThe program's own; 128+N when signal N ended it; 126 when it could not be started, 127 "
	      "when it was not "
	      "found; 1 for an error of nono's, 2 for a usage error.\n"
	      ".SH FILES\n.TP\n.I ~/.config/nono/profiles\nYour profiles, see nono\\-profile(5).\n.SH SEE ALSO\n.BR "
	      "nono\\-profile (5)\n",
		out);
}
