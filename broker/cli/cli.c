/* SPDX-License-Identifier: Apache-2.0 */
/* cli.c - the command table. */
#include "cli/cli.h"

int cli_main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("nono " NONO_VERSION);
		return 0;
	}
	fputs("nono: usage: nono COMMAND\n", stderr);
	return 2;
}
