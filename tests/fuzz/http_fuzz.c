/* SPDX-License-Identifier: Apache-2.0 */
/* http_fuzz.c - the proxy's request parser: no crash, and what it forwards parses again to the same request. */
#include "net/proxy/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* A response: what is passed on parses again to the same response. */
static void fuzz_response(const char *data, size_t head)
{
	struct http_head h, again;
	if (http_response_parse(data, head, "GET", &h, NULL) < 0)
		return;
	cleanup_buf struct buf out = {0};
	http_forward_head(&h, NULL, NULL, "close", &out);
	if (http_response_parse(out.data, out.len, "GET", &again, NULL) < 0 || again.framing != h.framing ||
		again.length != h.length || again.status != h.status)
		abort();
	http_head_free(&again);
	http_head_free(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_head h, again;
	size_t head = http_head_size((const char *)data, size);
	if (head)
		fuzz_response((const char *)data, head);
	if (!head || http_head_parse((const char *)data, head, &h, NULL) < 0)
		return 0;
	cleanup_free char *path = path_normalize_request(h.target);
	if (path && (path[0] != '/' || strstr(path, "/../") || str_ends(path, "/..")))
		abort();
	struct http_body body;
	size_t used;
	http_body_start(&body, &h);
	(void)http_body_feed(&body, (const char *)data + head, size - head, &used);
	if (used > size - head)
		abort();
	cleanup_buf struct buf out = {0};
	http_forward_head(&h, "/", "host.test", "close", &out);
	if (http_head_parse(out.data, out.len, &again, NULL) < 0 || again.framing != h.framing ||
		again.length != h.length)
		abort();
	http_head_free(&again);
	http_head_free(&h);
	return 0;
}
