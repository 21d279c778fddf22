/* SPDX-License-Identifier: Apache-2.0 */
/* http.h - strict HTTP/1.1 heads and body framing (RFC 9112), refusing whatever two parsers could read differently. */
#ifndef NONO_PROXY_HTTP_H
#define NONO_PROXY_HTTP_H

#include "base/base.h"

#define HTTP_HEAD_MAX 65536

struct http_header {
	char *name, *value;
};
enum http_framing { BODY_NONE, BODY_LENGTH, BODY_CHUNKED, BODY_CLOSE /* of a response: up to the end */ };
struct http_head {
	char *method, *target; /* of a request */
	unsigned status;       /* of a response */
	char *reason;
	bool http10;
	struct http_header *headers;
	size_t n;
	enum http_framing framing;
	uint64_t length;
};
/** http_head_size() - bytes of a complete head in @data, 0 when more is needed. */
size_t http_head_size(const char *data, size_t len);
/** http_head_parse() - parse a complete head of @len bytes. The error is a sentence for a 400 answer. */
int http_head_parse(const char *data, size_t len, struct http_head *out, struct err **e);
/** http_response_parse() - the same for a response to a request with @method. */
int http_response_parse(const char *data, size_t len, const char *method, struct http_head *out, struct err **e);
void http_head_free(struct http_head *h);
/** http_header() - the value of the first header of that name (case-insensitive), NULL if absent. */
const char *http_header(const struct http_head *h, const char *name);

/** http_lists() - whether the comma-separated header @name holds @word. */
bool http_lists(const struct http_head *h, const char *name, const char *word);

/** struct http_body - progress through one body. */
struct http_body {
	enum http_framing framing;
	uint64_t left;        /* of the length or the chunk */
	unsigned state, line; /* chunk decoder */
	bool response;        /* servers may use chunk extensions; in a request nobody needs them */
};
void http_body_start(struct http_body *b, const struct http_head *h);
/**
 * http_body_feed() - how many of @n bytes belong to the body.
 * Return: 1 when the body ends within them, 0 when it goes on, -1 when the framing is bad. *@used bytes belong to it.
 */
int http_body_feed(struct http_body *b, const char *p, size_t n, size_t *used);

/**
 * http_split_authority() - "host:port", "[v6]:port" or "host" into a lower-case host and a port.
 * @port: default in, result out
 */
int http_split_authority(const char *authority, char **host, unsigned *port);
/**
 * http_forward_head() - the head to send on, written anew without hop-by-hop and proxy headers.
 * @path: the target; @authority: for Host; NULL for both of a response
 * @connection: "keep-alive", "close", or "Upgrade" (then the Upgrade header goes with it)
 */
void http_forward_head(
	const struct http_head *h, const char *path, const char *authority, const char *connection, struct buf *out);

/** path_normalize_request() - decoded, dot segments and empty segments removed, query dropped; NULL when ambiguous. */
char *path_normalize_request(const char *target);
/** endpoint_match() - whether a normalised path matches a glob: "*" within a segment, "**" across. */
bool endpoint_match(const char *glob, const char *path);

#endif
