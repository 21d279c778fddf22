/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lookup.h - how the shim asks the broker for the addresses of a name. See docs/network.md.
 *
 * It is a connect() on LOOKUP_FD, which no descriptor ever is, with a struct lookup in
 * place of an address: connect is trapped in every session, and nothing has to be
 * connected or kept open for it. Any program may make the call. Without a broker it is
 * EBADF.
 */
#ifndef NONO_LOOKUP_H
#define NONO_LOOKUP_H

#include <stdint.h>

#define LOOKUP_FD (-0x6e6f)
#define LOOKUP_NAME 254 /* bytes, with the NUL */
#define LOOKUP_ADDRS 32

/**
 * struct lookup - question and answer. The call returns how many addresses there are, or
 * ENOENT: ask as if there were no such call; EAGAIN: no name server answers; ENOSYS:
 * nothing is ever answered in this session.
 */
struct lookup {
	char name[LOOKUP_NAME]; /* as the program gave it */
	uint8_t v4, v6;         /* whether addresses of that family are wanted */
	struct lookup_addr {
		uint8_t len, b[16]; /* 4 or 16 bytes of them */
	} addr[LOOKUP_ADDRS];
};

#endif
