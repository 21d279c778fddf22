/* SPDX-License-Identifier: Apache-2.0 */
/* proto_fuzz.c - any bytes are refused or decode to a message that encodes to itself. */
#include "proto/proto.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_msg struct msg m = {0}, again = {0};
	cleanup_err struct err *e = NULL;
	if (msg_decode(data, size, &m, &e) < 0) {
		if (!e || !*err_msg(e))
			abort();
		return 0;
	}
	cleanup_buf struct buf one = {0}, two = {0};
	if (msg_encode(&m, &one, &e) < 0 || msg_decode(one.data, one.len, &again, &e) < 0 ||
		msg_encode(&again, &two, &e) < 0)
		abort();
	if (one.len != two.len || memcmp(one.data, two.data, one.len) != 0)
		abort();
	return 0;
}
