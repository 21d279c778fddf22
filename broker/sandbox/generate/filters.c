/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filters.c - run when nono is built: makes the filters that sessions start
 * with and prints them as C, so that no start waits for libseccomp.
 */
#include "sandbox/seccomp.h"

#include <seccomp.h>

/* Print one filter as an array, and remember its row. */
static int print_filter(const struct filter_key *key, unsigned number, struct buf *rows)
{
	cleanup_err struct err *e = NULL;
	struct sock_fprog program;
	if (filter_build(key, &program, &e) < 0) {
		say_error("%s", err_msg(e));
		return -1;
	}
	printf("static const struct sock_filter code_%u[] = {\n", number);
	for (unsigned i = 0; i < program.len; i++) {
		const struct sock_filter *f = &program.filter[i];
		printf("\t{0x%x, %u, %u, 0x%x},\n", f->code, f->jt, f->jf, f->k);
	}
	printf("};\n");
	buf_addf(rows, "\t{{%d, %d, %d, %d}, %u, code_%u},\n", (int)key->traps, (int)key->net, key->tcp_judged,
		key->cuts_judged, program.len, number);
	free(program.filter);
	return 0;
}

int main(void)
{
	cleanup_buf struct buf rows = {0};
	unsigned n = 0;
	/* what sessions have, whatever the building machine's kernel (or its emulator) has: 5 is SCMP_ACT_NOTIFY */
	if (seccomp_api_set(5) < 0) {
		say_error("this libseccomp is too old");
		return 1;
	}
	printf("/* Made by generate-filters. */\n#include \"sandbox/seccomp.h\"\n\n");
	for (int traps = 0; traps < FILTER_TRAPS; traps++) {
		for (int net = NET_OPEN; net <= NET_BLOCKED; net++) {
			const struct filter_key key = {(enum filter_traps)traps, (enum net_mode)net, true, true};
			if (print_filter(&key, n++, &rows) < 0)
				return 1;
		}
	}
	printf("\nstatic const struct embedded_filter all[] = {\n%s};\n", rows.data);
	printf("const struct embedded_filters embedded_filters = {all, %u};\n", n);
	return 0;
}
