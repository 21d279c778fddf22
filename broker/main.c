/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - the nono program: everything is behind the command table in cli/. */
#include "cli/cli.h"

#include <malloc.h>

int main(int argc, char **argv)
{
	/* one heap for all threads: they allocate little, and a heap of its own costs a thread some fifty system calls
	 */
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_TOP_PAD, 512 << 10);
	return cli_main(argc, argv);
}
