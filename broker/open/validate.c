/* SPDX-License-Identifier: Apache-2.0 */
/*
 * validate.c - the form of a URL.
 *
 * Theory of operation
 * -------------------
 * A URL is read twice: here, and by the browser. Where two readers disagree about
 * the host, an allowed name can lead somewhere else. Three things prevent that:
 *
 *  - What readers are known to disagree about is refused before parsing:
 *    backslashes, control characters, names and passwords, percent signs in the
 *    host, more or fewer than two slashes, blanks at the ends.
 *  - libcurl takes it apart, and the host goes through IDNA to ASCII.
 *  - The browser gets a URL that is put together again from those parts.
 *
 * The host is only ever shown in its ASCII form, so a name with letters of
 * another script looks like what it is (xn--...). libcurl is loaded with the
 * first URL: a start does not pay for it.
 */
#include "open/validate.h"

#include "base/library.h"
#include "policy/hosts.h"

#include <ctype.h>
#include <curl/urlapi.h>
#include <errno.h>
#include <pthread.h>
#include <strings.h>

#define FUNCTIONS(F)                                                                                                   \
	F(curl_url)                                                                                                    \
	F(curl_url_cleanup)                                                                                            \
	F(curl_url_set)                                                                                                \
	F(curl_url_get)                                                                                                \
	F(curl_free)

static struct {
	FUNCTIONS(LIBRARY_MEMBER)
} lib;
static bool loaded;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
	static const char *const sonames[] = {"libcurl.so.4", "libcurl-gnutls.so.4", NULL}, *const names[] = {FUNCTIONS(
												    LIBRARY_NAME) NULL};
	loaded = library_load(sonames, names, &lib);
}

int url_library(struct err **e)
{
	pthread_once(&once, load);
	return loaded ? 0 : err_set(e, 0, "URLs cannot be checked without libcurl (package libcurl4)");
}

void checked_url_free(struct checked_url *u)
{
	free(u->url);
	free(u->origin);
	*u = (struct checked_url){0};
}

/* Characters that are not seen, or that change the order of what is seen. */
static bool hidden(const unsigned char *c)
{
	if (c[0] == 0xc2 && c[1] < 0xa0)
		return true; /* C1 controls */
	if (c[0] == 0xe2 && c[1] == 0x80)
		return (c[2] >= 0x8b && c[2] <= 0x8f) || (c[2] >= 0xa8 && c[2] <= 0xae);
	return (c[0] == 0xe2 && c[1] == 0x81 && c[2] >= 0xa0 && c[2] <= 0xaf) ||
	       (c[0] == 0xef && c[1] == 0xbb && c[2] == 0xbf);
}

/* The bytes, before anything is parsed. */
static int check_bytes(const char *text, size_t len, struct err **e)
{
	if (len == 0)
		return err_set(e, 0, "the URL is empty");
	if (len > URL_LENGTH_MAX)
		return err_set(e, 0, "the URL is longer than %u bytes", URL_LENGTH_MAX);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return err_set(e, 0, "the URL contains a control character");
	if (!utf8_valid(text, len, NULL))
		return err_set(e, 0, "the URL is not valid UTF-8");
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\\')
			return err_set(e, 0, "the URL contains a backslash");
		else if (hidden((const unsigned char *)text + i))
			return err_set(e, 0, "the URL contains invisible characters");
	if (text[0] == ' ' || text[len - 1] == ' ')
		return err_set(e, 0, "the URL begins or ends with a blank");
	return 0;
}

/* "scheme://authority": exactly two slashes, no user, nothing encoded. Return: 0, or -1. */
static int check_authority(const char *url, struct err **e)
{
	size_t scheme = isalpha((unsigned char)url[0]) ? strcspn(url, ":/?#@ ") : 0;
	if (!scheme || url[scheme] != ':')
		return err_set(e, 0, "this is no URL: it has no scheme such as https://");
	bool web =
		(scheme == 5 && strncasecmp(url, "https", 5) == 0) || (scheme == 4 && strncasecmp(url, "http", 4) == 0);
	if (!web)
		return err_set(e, 0, "only pages at https:// are opened, and http:// on this machine");
	const char *rest = url + scheme + 1;
	if (!str_starts(rest, "//") || rest[2] == '/')
		return err_set(e, 0, "the URL needs two slashes and a valid host after its scheme");
	size_t n = strcspn(rest + 2, "/?#");
	if (memchr(rest + 2, '@', n))
		return err_set(e, 0, "the URL carries a user name in front of its host");
	if (memchr(rest + 2, '%', n))
		return err_set(e, 0, "the host of the URL is percent-encoded");
	if (memchr(rest + 2, ' ', n) || n == 0)
		return err_set(e, 0, "the URL has no valid host");
	return 0;
}

static void cleanup_curl_fn(CURLU **u)
{
	lib.curl_url_cleanup(*u);
}
#define cleanup_curl __attribute__((cleanup(cleanup_curl_fn)))
static void cleanup_part_fn(char **p)
{
	lib.curl_free(*p);
}
#define cleanup_part __attribute__((cleanup(cleanup_part_fn)))

static char *part(CURLU *u, CURLUPart which, unsigned flags)
{
	char *text = NULL;
	return lib.curl_url_get(u, which, &text, flags) == CURLUE_OK ? text : NULL;
}

/** struct place - who serves the page. */
struct place {
	char host[256]; /* ASCII; IPv6 in brackets */
	unsigned port;  /* 0: the scheme's own */
	bool https, localhost;
};

/* A name made of numbers that is no address: readers disagree about those. */
static bool numeric(const char *name)
{
	const char *last = strrchr(name, '.');
	last = last ? last + 1 : name;
	return strspn(last, "0123456789") == strlen(last) || (last[0] == '0' && last[1] == 'x');
}

static int read_host(const char *host, struct place *p, struct err **e)
{
	struct host_addr a;
	if (!host_addr_parse(host, &a)) {
		if (host_name_normal(host, p->host, NULL) < 0 || numeric(p->host))
			return err_set(e, 0, "the URL has no valid host");
		p->localhost = strcmp(p->host, "localhost") == 0;
		return 0;
	}
	if (host_addr_never(&a) || host_addr_unspecified(&a))
		return err_set(e, 0, "the URL leads to an address that is never opened");
	char text[64];
	host_addr_text(&a, text);
	snprintf(p->host, sizeof p->host, a.len == 16 ? "[%s]" : "%s", text);
	p->localhost = host_addr_loopback(&a) && (a.len == 16 || a.b[0] == 127);
	return 0;
}

static int read_place(CURLU *u, struct place *p, struct err **e)
{
	cleanup_part char *scheme = part(u, CURLUPART_SCHEME, 0);
	cleanup_part char *host = part(u, CURLUPART_HOST, 0);
	cleanup_part char *port = part(u, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);
	*p = (struct place){.https = scheme && strcmp(scheme, "https") == 0};
	if (!scheme || !host || !*host)
		return err_set(e, 0, "the URL has no valid host");
	if (read_host(host, p, e) < 0)
		return -1;
	p->port = port ? (unsigned)strtoul(port, NULL, 10) : 0;
	if (port && (p->port == 0 || p->port > 65535))
		return err_set(e, 0, "the URL has no valid port");
	if (!p->https && !p->localhost)
		return err_set(e, 0, "only pages at https:// are opened, and http:// on this machine");
	return 0;
}

/* Append a part; what a URL may not contain as it is becomes %XX. */
static void add_encoded(struct buf *b, const char *lead, const char *text)
{
	if (!text)
		return;
	buf_adds(b, lead);
	for (const char *c = text; *c; c++) {
		if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f || strchr("\"<>^`{|}'", *c))
			buf_addf(b, "%%%02X", (unsigned char)*c);
		else
			buf_addc(b, *c);
	}
}

static CURLU *parse(const char *text)
{
	CURLU *u = lib.curl_url();
	if (u && lib.curl_url_set(u, CURLUPART_URL, text, CURLU_DISALLOW_USER | CURLU_ALLOW_SPACE) == CURLUE_OK)
		return u;
	lib.curl_url_cleanup(u);
	return NULL;
}

/* Decode %XX of one query value in place. */
static void decode(char *s)
{
	char *out = s;
	for (const char *c = s; *c; c++) {
		unsigned v;
		if (*c == '%' && isxdigit((unsigned char)c[1]) && isxdigit((unsigned char)c[2]) &&
			sscanf(c + 1, "%2x", &v) == 1) {
			*out++ = (char)v;
			c += 2;
		} else {
			*out++ = *c;
		}
	}
	*out = '\0';
}

/* The port of this machine that @target, a URL as a query carries it, leads to; 0: elsewhere. */
static unsigned local_port(const char *target)
{
	struct place p;
	CURLU *u = check_authority(target, NULL) == 0 ? parse(target) : NULL;
	bool good = u && read_place(u, &p, NULL) == 0 && p.localhost;
	lib.curl_url_cleanup(u);
	if (!good)
		return 0;
	return p.port ? p.port : p.https ? 443 : 80;
}

/* What a login's page says in its query: that it is one, and where on this machine its answer goes. */
static int read_query(const char *query, struct checked_url *out, struct err **e)
{
	static const char *const targets[] = {"redirect_uri", "redirect_url"};
	static const char *const single[] = {"state", "code_challenge", "nonce", "user_code"};
	for (const char *q = query; q && *q; q += strcspn(q, "&"), q += *q == '&') {
		size_t n = strcspn(q, "&");
		cleanup_free char *name = xstrndup(q, strcspn(q, "=&"));
		decode(name);
		for (size_t i = 0; i < ARRAY_SIZE(single); i++)
			out->login |= strcmp(name, single[i]) == 0;
		const char *value = memchr(q, '=', n);
		if (!value || (strcmp(name, targets[0]) != 0 && strcmp(name, targets[1]) != 0))
			continue;
		cleanup_free char *target = xstrndup(value + 1, n - (size_t)(value + 1 - q));
		decode(target);
		unsigned port = local_port(target);
		if (port && out->redirect_port && port != out->redirect_port)
			return err_set(e, 0, "the URL names two ports of this machine to send its answer to");
		out->redirect_port = port ? port : out->redirect_port;
	}
	return 0;
}

int url_check(const char *text, size_t len, struct checked_url *out, struct err **e)
{
	*out = (struct checked_url){0};
	if (check_bytes(text, len, e) < 0)
		return -1;
	cleanup_free char *url = xstrndup(text, len);
	if (check_authority(url, e) < 0 || url_library(e) < 0)
		return -1;
	cleanup_curl CURLU *u = parse(url);
	struct place p;
	if (!u)
		return err_set(e, 0, "this is no valid URL");
	if (read_place(u, &p, e) < 0)
		return -1;
	cleanup_part char *path = part(u, CURLUPART_PATH, 0);
	cleanup_part char *query = part(u, CURLUPART_QUERY, 0);
	cleanup_part char *fragment = part(u, CURLUPART_FRAGMENT, 0);
	struct buf b = {0};
	buf_addf(&b, "%s://%s", p.https ? "https" : "http", p.host);
	if (p.port && p.port != (p.https ? 443U : 80U))
		buf_addf(&b, ":%u", p.port);
	out->origin = xstrdup(b.data);
	add_encoded(&b, "", path);
	add_encoded(&b, "?", query);
	add_encoded(&b, "#", fragment);
	if (b.len > URL_LENGTH_MAX) {
		buf_free(&b);
		checked_url_free(out);
		return err_set(e, 0, "the URL is longer than %u bytes", URL_LENGTH_MAX);
	}
	out->url = buf_steal(&b);
	out->localhost = p.localhost;
	if (read_query(query, out, e) == 0)
		return 0;
	checked_url_free(out);
	return -1;
}
