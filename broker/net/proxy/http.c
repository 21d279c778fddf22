/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.c - strict heads and body framing.
 *
 * Theory of operation. A proxy that judges requests is only as good as its
 * agreement with the server behind it about where a request ends. Whatever is
 * legal but read differently by different servers is refused: bare LF or CR,
 * folded headers, blanks around names, repeated or signed lengths, a length
 * beside a transfer coding, codings other than "chunked", chunk sizes that do
 * not fit. What passes is written anew, never copied through (RFC 9112 §11.2).
 */
#include "net/proxy/http.h"

#include <strings.h>

size_t http_head_size(const char *data, size_t len)
{
	const char *end = memmem(data, len, "\r\n\r\n", 4);
	return end ? (size_t)(end - data) + 4 : 0;
}

static bool is_token(const char *s, size_t n)
{
	if (n == 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!alnum && !(c && strchr("!#$%&'*+-.^_`|~", c)))
			return false;
	}
	return true;
}

static bool is_visible(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20 ? s[i] != '\t' : s[i] == 0x7f)
			return false;
	return true;
}

static int parse_request_line(const char *line, size_t n, struct http_head *h, struct err **e)
{
	const char *sp1 = memchr(line, ' ', n);
	const char *sp2 = sp1 ? memchr(sp1 + 1, ' ', n - (size_t)(sp1 + 1 - line)) : NULL;
	if (!sp2 || !is_token(line, (size_t)(sp1 - line)))
		return err_set(e, 0, "malformed request line");
	size_t target = (size_t)(sp2 - sp1 - 1), version = n - (size_t)(sp2 + 1 - line);
	for (size_t i = 0; i < target; i++)
		if ((unsigned char)sp1[1 + i] <= 0x20 || (unsigned char)sp1[1 + i] >= 0x7f)
			return err_set(e, 0, "malformed request target");
	if (target == 0 || version != 8 || (memcmp(sp2 + 1, "HTTP/1.1", 8) != 0 && memcmp(sp2 + 1, "HTTP/1.0", 8) != 0))
		return err_set(e, 0, "not an HTTP/1.1 request");
	h->method = xstrndup(line, (size_t)(sp1 - line));
	h->target = xstrndup(sp1 + 1, target);
	h->http10 = sp2[8] == '0';
	return 0;
}

static int parse_status_line(const char *line, size_t n, struct http_head *h, struct err **e)
{
	bool version = n >= 12 && (memcmp(line, "HTTP/1.1 ", 9) == 0 || memcmp(line, "HTTP/1.0 ", 9) == 0);
	for (size_t i = 9; i < 12 && version; i++)
		version = line[i] >= '0' && line[i] <= '9';
	if (!version || line[9] == '0' || (n > 12 && line[12] != ' ') || !is_visible(line, n))
		return err_set(e, 0, "the answer is not HTTP/1.1");
	h->status = (unsigned)(line[9] - '0') * 100 + (unsigned)(line[10] - '0') * 10 + (unsigned)(line[11] - '0');
	h->reason = n > 13 ? xstrndup(line + 13, n - 13) : xstrdup("");
	h->http10 = line[7] == '0';
	return 0;
}

static int parse_header_line(const char *line, size_t n, struct http_head *h, struct err **e)
{
	const char *colon = memchr(line, ':', n);
	if (!colon || !is_token(line, (size_t)(colon - line)))
		return err_set(e, 0, "malformed header name");
	const char *v = colon + 1, *end = line + n;
	while (v < end && (*v == ' ' || *v == '\t'))
		v++;
	while (end > v && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if (!is_visible(v, (size_t)(end - v)))
		return err_set(e, 0, "control character in a header");
	h->headers = xreallocarray(h->headers, h->n + 1, sizeof *h->headers);
	h->headers[h->n].name = xstrndup(line, (size_t)(colon - line));
	h->headers[h->n++].value = xstrndup(v, (size_t)(end - v));
	return 0;
}

static size_t count_header(const struct http_head *h, const char *name)
{
	size_t n = 0;
	for (size_t i = 0; i < h->n; i++)
		n += strcasecmp(h->headers[i].name, name) == 0;
	return n;
}

const char *http_header(const struct http_head *h, const char *name)
{
	for (size_t i = 0; i < h->n; i++)
		if (strcasecmp(h->headers[i].name, name) == 0)
			return h->headers[i].value;
	return NULL;
}

static int find_framing(struct http_head *h, struct err **e)
{
	const char *te = http_header(h, "Transfer-Encoding"), *cl = http_header(h, "Content-Length");
	if (count_header(h, "Transfer-Encoding") > 1 || count_header(h, "Content-Length") > 1 || (te && cl))
		return err_set(e, 0, "ambiguous body length");
	if (te) {
		if (h->http10 || strcasecmp(te, "chunked") != 0)
			return err_set(e, 0, "unsupported transfer coding");
		h->framing = BODY_CHUNKED;
	} else if (cl) {
		size_t digits = strspn(cl, "0123456789");
		if (digits == 0 || digits > 18 || cl[digits])
			return err_set(e, 0, "malformed Content-Length");
		h->length = strtoull(cl, NULL, 10);
		h->framing = h->length ? BODY_LENGTH : BODY_NONE;
	}
	return 0;
}

/* How long the body of a response is (RFC 9112 §6.3). */
static int find_response_framing(struct http_head *h, const char *method, struct err **e)
{
	const char *te = http_header(h, "Transfer-Encoding"), *cl = http_header(h, "Content-Length");
	if (h->status < 200 || h->status == 204 || h->status == 304 || strcmp(method, "HEAD") == 0) {
		h->framing = BODY_NONE;
		return 0;
	}
	if (!te && !cl) {
		h->framing = BODY_CLOSE;
		return 0;
	}
	return find_framing(h, e);
}

static int parse_lines(const char *data, size_t len, bool response, struct http_head *out, struct err **e)
{
	*out = (struct http_head){0};
	if (len < 4 || len > HTTP_HEAD_MAX || memchr(data, '\0', len))
		return err_set(e, 0, "head too large or with a NUL byte");
	bool first = true;
	for (const char *p = data, *end = data + len - 2; p < end;) {
		const char *nl = memmem(p, (size_t)(data + len - p), "\r\n", 2);
		size_t n = (size_t)(nl - p);
		if (memchr(p, '\n', n) || memchr(p, '\r', n))
			return err_set(e, 0, "stray CR or LF in the head");
		int rc = !first     ? parse_header_line(p, n, out, e)
			 : response ? parse_status_line(p, n, out, e)
				    : parse_request_line(p, n, out, e);
		if (rc < 0)
			return rc;
		first = false;
		p = nl + 2;
	}
	return 0;
}

int http_head_parse(const char *data, size_t len, struct http_head *out, struct err **e)
{
	int rc = parse_lines(data, len, false, out, e);
	size_t hosts = rc == 0 ? count_header(out, "Host") : 0;
	if (rc == 0 && (hosts > 1 || (hosts == 0 && !out->http10)))
		rc = err_set(e, 0, "a request needs exactly one Host header");
	if (rc == 0)
		rc = find_framing(out, e);
	if (rc < 0)
		http_head_free(out);
	return rc;
}

int http_response_parse(const char *data, size_t len, const char *method, struct http_head *out, struct err **e)
{
	int rc = parse_lines(data, len, true, out, e);
	if (rc == 0)
		rc = find_response_framing(out, method, e);
	if (rc < 0)
		http_head_free(out);
	return rc;
}

void http_head_free(struct http_head *h)
{
	for (size_t i = 0; i < h->n; i++) {
		free(h->headers[i].name);
		free(h->headers[i].value);
	}
	free(h->headers);
	free(h->method);
	free(h->target);
	free(h->reason);
	*h = (struct http_head){0};
}

/* ---- bodies ---------------------------------------------------------------- */

enum chunk_state {
	CHUNK_SIZE,
	CHUNK_EXTENSION,
	CHUNK_SIZE_LF,
	CHUNK_DATA,
	CHUNK_DATA_CR,
	CHUNK_DATA_LF,
	TRAILER,
	TRAILER_LF,
	CHUNK_DONE
};

void http_body_start(struct http_body *b, const struct http_head *h)
{
	*b = (struct http_body){
		.framing = h->framing, .left = h->framing == BODY_LENGTH ? h->length : 0, .response = !h->method};
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One byte of chunk framing outside chunk data. `line` counts bytes of the current line. */
static int chunk_byte(struct http_body *b, char c)
{
	switch ((enum chunk_state)b->state) {
	case CHUNK_SIZE:
		if (c == '\r' && b->line)
			b->state = CHUNK_SIZE_LF;
		else if (b->response && b->line && (c == ';' || c == ' ' || c == '\t'))
			b->state = CHUNK_EXTENSION;
		else if (hex_digit(c) < 0 || ++b->line > 15)
			return -1;
		else
			b->left = b->left << 4 | (unsigned)hex_digit(c);
		return 0;
	case CHUNK_EXTENSION:
		if (c == '\r')
			b->state = CHUNK_SIZE_LF;
		return c == '\n' || c == '\0' || ++b->line > 8192 ? -1 : 0;
	case CHUNK_SIZE_LF:
		b->line = 0;
		b->state = b->left ? CHUNK_DATA : TRAILER;
		return c == '\n' ? 0 : -1;
	case CHUNK_DATA_CR:
		b->state = CHUNK_DATA_LF;
		return c == '\r' ? 0 : -1;
	case CHUNK_DATA_LF:
		b->state = CHUNK_SIZE;
		b->line = 0;
		return c == '\n' ? 0 : -1;
	case TRAILER:
		if (c == '\r')
			b->state = TRAILER_LF;
		else if (c == '\n' || c == '\0' || ++b->line > 8192)
			return -1;
		return 0;
	case TRAILER_LF:
		if (c != '\n')
			return -1;
		b->state = b->line ? TRAILER : CHUNK_DONE;
		b->line = 0;
		return 0;
	case CHUNK_DATA:
	case CHUNK_DONE:
		break;
	}
	return -1;
}

int http_body_feed(struct http_body *b, const char *p, size_t n, size_t *used)
{
	*used = 0;
	if (b->framing == BODY_NONE)
		return 1;
	if (b->framing == BODY_CLOSE) {
		*used = n;
		return 0;
	}
	if (b->framing == BODY_LENGTH) {
		*used = n < b->left ? n : (size_t)b->left;
		b->left -= *used;
		return b->left == 0;
	}
	while (*used < n && b->state != CHUNK_DONE) {
		if (b->state == CHUNK_DATA) {
			size_t take = n - *used < b->left ? n - *used : (size_t)b->left;
			*used += take;
			b->left -= take;
			if (b->left == 0)
				b->state = CHUNK_DATA_CR;
		} else if (chunk_byte(b, p[(*used)++]) < 0) {
			return -1;
		}
	}
	return b->state == CHUNK_DONE;
}

/* ---- addresses, forwarding ------------------------------------------------- */

int http_split_authority(const char *authority, char **host, unsigned *port)
{
	const char *start = authority, *end;
	if (*start == '[') {
		end = strchr(++start, ']');
		if (!end || (end[1] && end[1] != ':'))
			return -1;
	} else {
		end = start + strcspn(start, ":");
	}
	const char *rest = *authority == '[' ? end + 1 : end;
	if (*rest == ':') {
		size_t digits = strspn(rest + 1, "0123456789");
		unsigned long v = strtoul(rest + 1, NULL, 10);
		if (digits == 0 || digits > 5 || rest[1 + digits] || v == 0 || v > 65535)
			return -1;
		*port = (unsigned)v;
	}
	size_t n = (size_t)(end - start);
	if (n == 0 || n > 253)
		return -1;
	char *h = xstrndup(start, n);
	for (char *c = h; *c; c++) {
		if (*c >= 'A' && *c <= 'Z')
			*c |= 0x20;
		bool ok = (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '-' || *c == '.' || *c == '_' ||
			  (*authority == '[' && *c == ':');
		if (!ok) {
			free(h);
			return -1;
		}
	}
	if (n > 1 && h[n - 1] == '.')
		h[n - 1] = '\0';
	*host = h;
	return 0;
}

bool http_lists(const struct http_head *h, const char *name, const char *word)
{
	size_t n = strlen(word);
	for (size_t i = 0; i < h->n; i++) {
		if (strcasecmp(h->headers[i].name, name) != 0)
			continue;
		for (const char *p = h->headers[i].value; *p;) {
			p += strspn(p, ", \t");
			size_t len = strcspn(p, ", \t");
			if (len == n && strncasecmp(p, word, n) == 0)
				return true;
			p += len;
		}
	}
	return false;
}

/* Headers that end at this hop (RFC 9110 §7.6.1), and those that belong to the proxy. */
static bool hop_by_hop(const struct http_head *h, const char *name)
{
	static const char *const fixed[] = {"Connection", "Proxy-Connection", "Keep-Alive", "TE", "Upgrade",
		"Proxy-Authorization", "Proxy-Authenticate", "Host", "HTTP2-Settings"};
	static const char *const framing[] = {"Content-Length", "Transfer-Encoding", "Expect"};
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		if (strcasecmp(name, fixed[i]) == 0)
			return h->method || strcasecmp(name, "Host") != 0;
	/* a framing header may not be dropped by being named in Connection */
	for (size_t i = 0; i < ARRAY_SIZE(framing); i++)
		if (strcasecmp(name, framing[i]) == 0)
			return false;
	return http_lists(h, "Connection", name);
}

void http_forward_head(
	const struct http_head *h, const char *path, const char *authority, const char *connection, struct buf *out)
{
	const char *version = h->http10 ? "HTTP/1.0" : "HTTP/1.1";
	if (h->method)
		buf_addf(out, "%s %s %s\r\nHost: %s\r\n", h->method, path, version, authority);
	else
		buf_addf(out, "HTTP/1.1 %u %s\r\n", h->status, h->reason);
	for (size_t i = 0; i < h->n; i++)
		if (!hop_by_hop(h, h->headers[i].name))
			buf_addf(out, "%s: %s\r\n", h->headers[i].name, h->headers[i].value);
	if (strcmp(connection, "Upgrade") == 0)
		buf_adds(out, "Upgrade: websocket\r\n");
	buf_addf(out, "Connection: %s\r\n\r\n", connection);
}

/* ---- endpoint rules -------------------------------------------------------- */

/*
 * Dot segments that servers resolve differently: with parameters ("..;x", which some take for
 * ".."), or behind an empty segment, which some remove first and others count.
 */
static bool ambiguous_segments(const char *path)
{
	bool empty = false;
	for (const char *p = path; *p;) {
		const char *start = ++p;
		size_t n = strcspn(start, "/"), name = strcspn(start, "/;");
		bool dots = (name == 1 && start[0] == '.') || (name == 2 && start[0] == '.' && start[1] == '.');
		if (dots && (name != n || empty))
			return true;
		empty = empty || n == 0;
		p += n;
	}
	return false;
}

char *path_normalize_request(const char *target)
{
	struct buf b = {0};
	if (target[0] != '/')
		return NULL;
	for (const char *p = target; *p && *p != '?' && *p != '#'; p++) {
		int c = (unsigned char)*p;
		if (c == '%') {
			int hi = hex_digit(p[1]), lo = hi < 0 ? -1 : hex_digit(p[2]);
			c = lo < 0 ? -1 : hi << 4 | lo;
			p += 2;
		}
		/* what servers decode differently is not decided, but refused */
		if (c < 0x20 || c == 0x7f || c == '\\' || (c == '/' && *p != '/') || c == '%') {
			buf_free(&b);
			return NULL;
		}
		buf_addc(&b, (char)c);
	}
	if (ambiguous_segments(b.data)) {
		buf_free(&b);
		return NULL;
	}
	char *clean = path_clean(b.data);
	bool slash = b.len > 1 && b.data[b.len - 1] == '/' && clean[1];
	buf_free(&b);
	if (!slash)
		return clean;
	char *with = xasprintf("%s/", clean);
	free(clean);
	return with;
}

/*
 * Each star takes as little as it can. When the rest does not match, the last single
 * star takes one more, up to the end of its segment, then the last double star: what
 * came before them need not be tried again, so the time is bounded by the lengths.
 */
bool endpoint_match(const char *glob, const char *path)
{
	const char *single = NULL, *single_at = NULL, *across = NULL, *across_at = NULL;
	for (;;) {
		if (glob[0] == '*' && glob[1] == '*') {
			across = glob += 2;
			across_at = path;
			single = NULL;
		} else if (*glob == '*') {
			single = ++glob;
			single_at = path;
		} else if (*glob && *glob == *path) {
			glob++;
			path++;
		} else if (!*glob && !*path) {
			return true;
		} else if (single && *single_at && *single_at != '/') {
			glob = single;
			path = ++single_at;
		} else if (across && *across_at) {
			glob = across;
			path = ++across_at;
			single = NULL;
		} else {
			return false;
		}
	}
}
