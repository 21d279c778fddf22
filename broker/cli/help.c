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

/* The flags of commands that parse their own. */
static void flags_of(const char *command, FILE *out)
{
	struct style s = style_for(out);
	bool any = false;
	for (size_t i = 0; i < n_command_flags; i++) {
		const struct command_flag *f = &command_flags[i];
		if (strcmp(f->command, command) != 0)
			continue;
		if (!any)
			fprintf(out, "\n%sOptions%s\n", s.bold, s.off);
		any = true;
		cleanup_free char *name = xasprintf("--%s%s%s", f->name, f->arg ? " " : "", f->arg ? f->arg : "");
		fprintf(out, "      %-31s %s", name, f->help);
		if (f->subcommands)
			fprintf(out, " %s[%s]%s", s.dim, f->subcommands, s.off);
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
		flags_of(command, out);
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
	return unknown_command(argv[1]);
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

/* ".TP" and the name of an option. */
static void man_option(FILE *out, char letter, const char *name, const char *arg)
{
	fputs(".TP\n.B ", out);
	if (letter)
		fprintf(out, "\\-%c, ", letter);
	fputs("\\-\\-", out);
	roff(out, name);
	if (arg)
		fprintf(out, " \\fI%s\\fR", arg);
	fputc('\n', out);
}

static void man_commands(FILE *out)
{
	fputs(".SH COMMANDS\n", out);
	for (size_t i = 0; i < n_command_rows; i++) {
		const struct command *c = &command_rows[i];
		if (c->hidden)
			continue;
		fprintf(out, ".TP\n.BI \"nono %s \" \"", c->name);
		roff(out, c->args);
		fputs("\"\n", out);
		roff(out, c->help);
		fputs(".\n", out);
		fputs(".RS\n", out);
		for (size_t j = 0; j < n_command_flags; j++) {
			const struct command_flag *f = &command_flags[j];
			if (strcmp(f->command, c->name) != 0)
				continue;
			man_option(out, 0, f->name, f->arg);
			roff(out, f->help);
			fprintf(out, "%s%s%s\n", f->subcommands ? " (" : "", f->subcommands ? f->subcommands : "",
				f->subcommands ? ")" : "");
		}
		fputs(".RE\n", out);
	}
}

static void man_options(FILE *out)
{
	const char *section = "";
	fputs(".SH OPTIONS\nOf run, shell and wrap; why takes those about profile, files and network. "
	      "A variable means the same as its option; lists are separated by commas.\n",
		out);
	for (size_t i = 0; i < n_option_rows; i++) {
		const struct option_row *o = &option_rows[i];
		if (strcmp(section, o->section) != 0) {
			section = o->section;
			fprintf(out, ".SS %s\n", section);
		}
		man_option(out, o->letter, o->name, o->arg);
		roff(out, o->help);
		if (o->env)
			fprintf(out, ". Variable: %s", o->env);
		fputs(".\n", out);
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
	      "and the options grant. A supervisor outside the sandbox answers what is missing while the program runs: "
	      "it asks the person, acts on the program's behalf, opens login pages in the host's browser, and explains "
	      "every refusal.\n",
		out);
	man_commands(out);
	man_options(out);
	fputs(".SH EXIT STATUS\n.TP\n.I the program's own\nIt ended by itself.\n"
	      ".TP\n.I 128+N\nSignal N ended it; 137 also when it passed its memory limit.\n"
	      ".TP\n.I 1\nAn error of nono's; nothing was started.\n.TP\n.I 2\nA usage error.\n"
	      ".TP\n.I 126\nThe program could not be restricted, or is no program.\n"
	      ".TP\n.I 127\nThe program was not found or could not be executed.\n"
	      ".SH ENVIRONMENT\n.TP\n.B NO_COLOR\nWhen it is set to anything, nothing is coloured.\n"
	      ".TP\n.BR XDG_CONFIG_HOME \", \" XDG_STATE_HOME \", \" XDG_RUNTIME_DIR\nWhere profiles, records and "
	      "sessions are kept.\n"
	      ".SH FILES\n.TP\n.I ~/.config/nono/profiles\nYour profiles, see nono\\-profile(5).\n.SH SEE ALSO\n.BR "
	      "nono\\-profile (5)\n",
		out);
}
