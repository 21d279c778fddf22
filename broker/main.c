/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - the nono program: everything is behind the command table in cli/. */
#include "cli/cli.h"

int main(int argc, char **argv)
{
	return cli_main(argc, argv);
}
