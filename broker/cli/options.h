/* SPDX-License-Identifier: Apache-2.0 */
/* options.h - the option table: it drives parsing, help, completions, the man page and "did you mean". */
#ifndef NONO_CLI_OPTIONS_H
#define NONO_CLI_OPTIONS_H

#include "cli/cli.h"

/* Commands an option belongs to. */
#define FOR_RUN 1U
#define FOR_SHELL 2U
#define FOR_WRAP 4U
#define FOR_WHY 8U
#define FOR_START (FOR_RUN | FOR_SHELL | FOR_WRAP)
#define FOR_ALL (FOR_START | FOR_WHY)

enum option_kind {
	OPTION_ITEM,   /* appends to a list of the overlay profile */
	OPTION_PORT,   /* the same, a port number */
	OPTION_TRI,    /* sets an enum tri of the overlay to true */
	OPTION_CHOICE, /* sets an enum of the overlay by name */
	OPTION_TEXT,   /* sets a string of the overlay */
	OPTION_FLAG,   /* sets a bool of struct run_flags */
	OPTION_STRING, /* sets a string of struct run_flags */
	OPTION_SPECIAL /* see flags.c */
};
enum special {
	SPECIAL_NONE,
	SPECIAL_EXTENDS,
	SPECIAL_ENV_CREDENTIAL,
	SPECIAL_ENV_CREDENTIAL_MAP,
	SPECIAL_VERBOSE,
	SPECIAL_SILENT,
	SPECIAL_TIMEOUT,
	SPECIAL_NETWORK_PROFILE,
	SPECIAL_ALLOW_NET,
	SPECIAL_ALLOW_DOMAIN,
	SPECIAL_ACCEPTED,
	SPECIAL_LOG_FILE,
	SPECIAL_UNSUPPORTED,
	SPECIAL_HELP
};

struct option_row {
	const char *name; /* without dashes */
	char letter;
	const char *aliases;    /* '|' separated, without dashes */
	const char *deprecated; /* aliases that warn */
	const char *arg;        /* NULL for none */
	const char *env;        /* variable with the same meaning; lists are comma separated */
	const char *env_old;    /* former names of the variable, '|' separated */
	const char *conflicts;  /* '|' separated names; "*": everything that adds to or takes from the policy */
	const char *section;    /* heading in the help */
	const char *help;
	const char *const *choices;
	unsigned commands;
	enum option_kind kind;
	enum special special;
	size_t offset;
	int first; /* value of the first choice */
};
extern const struct option_row option_rows[];
extern const size_t n_option_rows;

/** option_find() - by name or alias (n bytes) for a command; *deprecated is set for spellings that warn. */
const struct option_row *option_find(const char *name, size_t n, unsigned command, bool *deprecated);
/** option_letter() - by short letter. */
const struct option_row *option_letter(char c, unsigned command);
/** command_mask() - "run" -> FOR_RUN; 0 for commands without these options. */
unsigned command_mask(const char *command);

/** option_commands() - which commands know the option @name: "run, shell"; empty for none. New string. */
char *option_commands(const char *name);
/** option_conflict() - whether the row @o says that it excludes @other. */
bool option_conflict(const struct option_row *o, const struct option_row *other);
/** option_session_name() - whether @name can name a session. */
bool option_session_name(const char *name);

/** struct command - one row of the command table (cli.c). */
struct command {
	const char *name, *args, *help;
	int (*run)(int argc, char **argv); /* argv[0] is the command */
	const char *const *subcommands;    /* for completion; NULL-terminated */
	bool hidden;
};
extern const struct command command_rows[];
extern const size_t n_command_rows;

/**
 * struct command_flag - a flag of a command that parses its own, for help, completion and the manual.
 * tests/cli/completion.sh tries that each is taken.
 */
struct command_flag {
	const char *command;
	const char *subcommands; /* ' ' separated, NULL: the command has none */
	const char *name;        /* without dashes */
	const char *arg;         /* as in the option table, NULL for none */
	const char *help;
};
extern const struct command_flag command_flags[];
extern const size_t n_command_flags;
/** unknown_command() - say that there is no such command, and which is nearest. Return: 2. */
int unknown_command(const char *name);

/**
 * absent_flag() - a flag that others of this name have (absent.c), at argv[*i].
 * Return: 0 it is none of these; 1 it asks for what is so anyway, *i is its last word; -1 it is not
 * supported, which is said.
 */
int absent_flag(int argc, char **argv, int *i);
/** absent_command() - say what to do instead of a command that others of this name have. Return: whether it is one. */
bool absent_command(const char *name);

/** log_to() - what nono says goes into this file from now on. Return: whether it could be opened; if not it is said. */
bool log_to(const char *path);

/* help.c, completion.c, man.c */
int help_command(int argc, char **argv);
void help_for(const char *command, FILE *out);
int completion_command(int argc, char **argv);
void man_page(FILE *out);
/** roff() - text for a manual page: backslashes and dashes escaped. */
void roff(FILE *out, const char *text);

/** manifest_base() - what a manifest is added to: what may never be granted by accident, and no grants. */
struct profile *manifest_base(void);
/** manifest_load() - a capability manifest (--config) as an overlay profile. */
int manifest_load(const char *file, struct profile *overlay, struct err **e);

#endif
