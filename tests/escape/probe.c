/* SPDX-License-Identifier: Apache-2.0 */
/* probe.c - find the subcommand and run it. */
#include "probe.h"

extern const struct probe_command __start_probe_commands[], __stop_probe_commands[];

int main(int argc, char **argv)
{
	const struct probe_command *c;
	for (c = __start_probe_commands; argc > 1 && c < __stop_probe_commands; c++)
		if (strcmp(c->name, argv[1]) == 0)
			return c->fn(argc - 2, argv + 2);
	for (c = __start_probe_commands; c < __stop_probe_commands; c++)
		fprintf(stderr, "probe %s %s\n", c->name, c->usage);
	return 2;
}
