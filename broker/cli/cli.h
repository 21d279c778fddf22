/* SPDX-License-Identifier: Apache-2.0 */
/* cli.h - the command table and the option table: parsing, help, completions, man pages. */
#ifndef NONO_CLI_H
#define NONO_CLI_H

#include "profile/profile.h"

/** struct run_flags - everything `run`, `shell`, `wrap` and `why` take. */
struct run_flags {
	struct profile *overlay; /* rules the flags add, origin SOURCE_USER */
	char *profile;           /* -p */
	struct strv extends;
	char *workdir, *config, *name, *approver, *shell;
	struct pairs env_credentials; /* reference -> variable, from both flags */
	unsigned approver_timeout;
	bool allow_cwd, dry_run, no_diagnostics, diagnostics_json, allow_gpu, allow_launch_services;
	int command_start; /* index in argv of the program, argc if none */
};
/**
 * run_flags_parse() - parse flags and environment variables by the option table.
 * @command: "run", "shell", "wrap" or "why"; selects the options that apply
 * Usage errors are printed with the nearest known flag. Return: 0, or the exit status to use plus one on error.
 */
int run_flags_parse(const char *command, int argc, char **argv, struct run_flags *out);
void run_flags_free(struct run_flags *f);
/** run_flags_profile() - load the profile, merge the overlay, apply flag rules. NULL with *e set on failure. */
struct profile *run_flags_profile(const struct run_flags *f, struct err **e);

/** cli_main() - the program. Return: exit status. */
int cli_main(int argc, char **argv);

#endif
