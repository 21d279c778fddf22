/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe.h - the static program that tests run inside the sandbox: one
 * subcommand for each thing to try. Files probe_*.c register theirs with PROBE().
 */
#ifndef NONO_PROBE_H
#define NONO_PROBE_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** struct probe_command - one subcommand. fn gets the arguments after its name and returns the exit status. */
struct probe_command {
	const char *name;
	int (*fn)(int argc, char **argv);
	const char *usage;
};

/** PROBE() - register a subcommand: the linker collects them in one section. */
#define PROBE(id, function, usage_text)                                                                                \
	__attribute__((used, section("probe_commands"), aligned(8))) static const struct probe_command probe_##id = {  \
		.name = #id, .fn = (function), .usage = (usage_text)}

/** errno_name() - "EPERM"; "ok" for 0. */
static inline const char *errno_name(int err)
{
	const char *name = err ? strerrorname_np(err) : "ok";
	return name ? name : "?";
}

#endif
