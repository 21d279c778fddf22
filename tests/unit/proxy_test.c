/* SPDX-License-Identifier: Apache-2.0 */
/* proxy_test.c - request heads, body framing and endpoint rules of the HTTP proxy. */
#include "net/proxy/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define CRLF "\r\n"

static int parse(const char *text, struct http_head *h, struct err **e)
{
	return http_head_parse(text, strlen(text), h, e);
}

static void heads_that_two_parsers_could_read_differently_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"GET / HTTP/1.1" CRLF "Host: a" CRLF "Content-Length: 3" CRLF "Content-Length: 3" CRLF CRLF,
		"GET / HTTP/1.1" CRLF "Host: a" CRLF "Content-Length: 3" CRLF "Transfer-Encoding: chunked" CRLF CRLF,
		"GET / HTTP/1.1" CRLF "Host: a" CRLF "Transfer-Encoding: gzip, chunked" CRLF CRLF,
		"GET / HTTP/1.1" CRLF "Host: a" CRLF "Transfer-Encoding: xchunked" CRLF CRLF,
		"GET / HTTP/1.0" CRLF "Host: a" CRLF "Transfer-Encoding: chunked" CRLF CRLF,
		"GET / HTTP/1.1" CRLF "Host: a" CRLF "Content-Length: +3" CRLF CRLF,
		"GET / HTTP/1.1" CRLF "Host: a" CRLF "Content-Length: 3,3" CRLF CRLF,
		"GET / HTTP/1.1" CRLF "Host: a" CRLF "Content-Length: 99999999999999999999" CRLF CRLF,
		"GET / HTTP/1.1" CRLF "Host : a" CRLF CRLF,
		"GET / HTTP/1.1" CRLF "Host: a" CRLF " folded" CRLF CRLF,
		"GET / HTTP/1.1" CRLF "Host: a\nX: y" CRLF CRLF,
		"GET / HTTP/1.1" CRLF "Host: a\rX: y" CRLF CRLF,
		"GET / HTTP/1.1" CRLF "Host: a" CRLF "Host: b" CRLF CRLF,
		"GET / HTTP/1.1" CRLF "X: no host" CRLF CRLF,
		"GET / HTTP/2.0" CRLF "Host: a" CRLF CRLF,
		"GET /a b HTTP/1.1" CRLF "Host: a" CRLF CRLF,
		"G@T / HTTP/1.1" CRLF "Host: a" CRLF CRLF,
		"GET / HTTP/1.1" CRLF ": empty name" CRLF CRLF,
		CRLF "GET / HTTP/1.1" CRLF "Host: a" CRLF CRLF,
	};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct http_head h;
		cleanup_err struct err *e = NULL;
		if (parse(bad[i], &h, &e) == 0)
			fail_msg("accepted: %s", bad[i]);
		assert_non_null(e);
	}
}

static void a_good_head_is_taken_apart_and_written_anew(void **state)
{
	(void)state;
	struct http_head h;
	assert_int_equal(
		parse("POST http://a/x HTTP/1.1" CRLF "Host: a" CRLF "content-length: 5" CRLF "Connection: X-Drop" CRLF
		      "X-Drop: 1" CRLF "X-Keep:  v  " CRLF "Proxy-Authorization: Basic abc" CRLF CRLF,
			&h, NULL),
		0);
	assert_int_equal(h.framing, BODY_LENGTH);
	assert_int_equal(h.length, 5);
	cleanup_buf struct buf b = {0};
	http_forward_head(&h, "/x", "a", "keep-alive", &b);
	assert_string_equal(b.data, "POST /x HTTP/1.1" CRLF "Host: a" CRLF "content-length: 5" CRLF "X-Keep: v" CRLF
				    "Connection: keep-alive" CRLF CRLF);
	http_head_free(&h);
}

static void responses_say_how_long_they_are(void **state)
{
	(void)state;
	static const struct {
		const char *text, *method;
		int framing; /* -1: refused */
	} cases[] = {
		{"HTTP/1.1 200 OK" CRLF "Content-Length: 5" CRLF CRLF, "GET", BODY_LENGTH},
		{"HTTP/1.1 200 OK" CRLF "Content-Length: 5" CRLF CRLF, "HEAD", BODY_NONE},
		{"HTTP/1.1 304 Not Modified" CRLF "Content-Length: 5" CRLF CRLF, "GET", BODY_NONE},
		{"HTTP/1.1 204" CRLF CRLF, "DELETE", BODY_NONE},
		{"HTTP/1.1 100 Continue" CRLF CRLF, "POST", BODY_NONE},
		{"HTTP/1.1 200 OK" CRLF "Transfer-Encoding: chunked" CRLF CRLF, "GET", BODY_CHUNKED},
		{"HTTP/1.0 200 OK" CRLF CRLF, "GET", BODY_CLOSE},
		{"HTTP/1.1 200 OK" CRLF "Content-Length: 5" CRLF "Transfer-Encoding: chunked" CRLF CRLF, "GET", -1},
		{"HTTP/1.1 200 OK" CRLF "Content-Length: 5" CRLF "Content-Length: 6" CRLF CRLF, "GET", -1},
		{"HTTP/2 200 OK" CRLF CRLF, "GET", -1},
		{"HTTP/1.1 20" CRLF CRLF, "GET", -1},
		{"HTTP/1.1 2000 OK" CRLF CRLF, "GET", -1},
		{"ICY 200 OK" CRLF CRLF, "GET", -1},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_head h;
		int rc = http_response_parse(cases[i].text, strlen(cases[i].text), cases[i].method, &h, NULL);
		if (rc != (cases[i].framing < 0 ? -1 : 0) || (rc == 0 && (int)h.framing != cases[i].framing))
			fail_msg("%s %s", cases[i].method, cases[i].text);
		if (rc == 0)
			http_head_free(&h);
	}
}

static void only_a_switch_to_websocket_is_passed_on(void **state)
{
	(void)state;
	struct http_head h;
	assert_int_equal(parse("GET / HTTP/1.1" CRLF "Host: a" CRLF "Upgrade: h2c" CRLF "HTTP2-Settings: AAMAAABk" CRLF
			       "Connection: Upgrade, HTTP2-Settings" CRLF CRLF,
				 &h, NULL),
		0);
	cleanup_buf struct buf b = {0};
	http_forward_head(&h, "/", "a", "keep-alive", &b);
	assert_string_equal(b.data, "GET / HTTP/1.1" CRLF "Host: a" CRLF "Connection: keep-alive" CRLF CRLF);
	assert_true(http_lists(&h, "connection", "http2-settings"));
	assert_false(http_lists(&h, "Upgrade", "h2"));
	http_head_free(&h);
}

static void a_framing_header_cannot_be_dropped_by_naming_it_in_connection(void **state)
{
	(void)state;
	struct http_head h;
	assert_int_equal(parse("POST / HTTP/1.1" CRLF "Host: a" CRLF "Content-Length: 5" CRLF
			       "Connection: content-length" CRLF CRLF,
				 &h, NULL),
		0);
	cleanup_buf struct buf b = {0};
	http_forward_head(&h, "/", "a", "close", &b);
	assert_non_null(strstr(b.data, "Content-Length: 5"));
	http_head_free(&h);
}

static int feed(const char *text, bool request, size_t step, size_t *total)
{
	static char method[] = "POST";
	struct http_body b;
	struct http_head h = {.framing = BODY_CHUNKED, .method = request ? method : NULL};
	http_body_start(&b, &h);
	*total = 0;
	size_t n = strlen(text);
	while (*total < n) {
		size_t used, take = n - *total < step ? n - *total : step;
		int rc = http_body_feed(&b, text + *total, take, &used);
		*total += used;
		if (rc != 0)
			return rc;
	}
	return 0;
}

static void chunked_bodies_end_where_they_say_in_any_slicing(void **state)
{
	(void)state;
	static const char good[] = "5" CRLF "hello" CRLF "a" CRLF "0123456789" CRLF "0" CRLF "T: v" CRLF CRLF;
	for (size_t step = 1; step < sizeof good; step++) {
		size_t total;
		assert_int_equal(feed(good, true, step, &total), 1);
		assert_int_equal(total, sizeof good - 1);
	}
	static const char *const bad[] = {"5;x=y" CRLF "hello" CRLF "0" CRLF CRLF, "5\nhello\n0\n\n",
		"-5" CRLF "hello" CRLF, "0x5" CRLF "hello" CRLF, "5" CRLF "helloX" CRLF, CRLF "5" CRLF,
		"ffffffffffffffffff" CRLF "x" CRLF};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		size_t total;
		assert_int_equal(feed(bad[i], true, 1, &total), -1);
	}
	static const char extension[] = "5;x=y" CRLF "hello" CRLF "0 " CRLF CRLF;
	size_t total;
	assert_int_equal(feed(extension, false, 1, &total), 1);
}

static void endpoint_globs_match_one_segment_or_many(void **state)
{
	(void)state;
	assert_true(endpoint_match("/v1/*/x", "/v1/a/x"));
	assert_false(endpoint_match("/v1/*/x", "/v1/a/b/x"));
	assert_true(endpoint_match("/v1/**", "/v1/a/b/x"));
	assert_true(endpoint_match("/**/x", "/v1/a/x"));
	assert_false(endpoint_match("/v1", "/v1/"));
	assert_true(endpoint_match("/v1/*", "/v1/"));
	assert_false(endpoint_match("/v1/a", "/v1/ab"));
	assert_true(endpoint_match("/**/a/*/c", "/a/b/a/x/c"));
	assert_true(endpoint_match("/*a*b/**z", "/xaybab/c/zz"));
	assert_false(endpoint_match("/*a*b/**z", "/xay/bab/c/zz"));
	assert_true(endpoint_match("**", ""));
	/* as long as a head may be, and with more stars than anybody writes: no matter of time */
	cleanup_free char *path = xmalloc(60001);
	memset(path, 'a', 60000);
	path[60000] = '\0';
	assert_false(endpoint_match("**a**a**a**a**a**a**a**b", path));
}

static void request_paths_that_servers_decode_differently_are_refused(void **state)
{
	(void)state;
	static const char *const cases[][2] = {{"/a/../b?x=%2f", "/b"}, {"/a//b/", "/a/b/"}, {"/%61/./b", "/a/b"},
		{"/a%2fb", NULL}, {"/a%5cb", NULL}, {"/a\\b", NULL}, {"/%00", NULL}, {"/%2", NULL}, {"/%zz", NULL},
		{"/%252e", NULL}, {"/v1/..;/v2", NULL}, {"/v1/.;x/v2", NULL}, {"/v1/%2e%2e;a=b/v2", NULL},
		{"/v1;x/v2", "/v1;x/v2"}, {"/admin//../x", NULL}, {"/a//%2e%2e/x", NULL}, {"x", NULL},
		{"/../../etc", "/etc"}, {"/", "/"}};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *got = path_normalize_request(cases[i][0]);
		if (cases[i][1])
			assert_string_equal(got, cases[i][1]);
		else
			assert_null(got);
	}
}

static void authorities_are_split_strictly(void **state)
{
	(void)state;
	static const struct {
		const char *text, *host;
		unsigned port;
	} cases[] = {{"A.Test:8443", "a.test", 8443}, {"a.test.", "a.test", 80}, {"[::1]:443", "::1", 443},
		{"a@b:1", NULL, 0}, {"a:0", NULL, 0}, {"a:65536", NULL, 0}, {"a:1x", NULL, 0}, {"", NULL, 0},
		{"a b", NULL, 0}, {"[::1", NULL, 0}, {"a:", NULL, 0}};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *host = NULL;
		unsigned port = 80;
		int rc = http_split_authority(cases[i].text, &host, &port);
		assert_int_equal(rc, cases[i].host ? 0 : -1);
		if (cases[i].host) {
			assert_string_equal(host, cases[i].host);
			assert_int_equal(port, cases[i].port);
		}
		free(host);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_that_two_parsers_could_read_differently_are_refused),
		cmocka_unit_test(a_good_head_is_taken_apart_and_written_anew),
		cmocka_unit_test(responses_say_how_long_they_are),
		cmocka_unit_test(only_a_switch_to_websocket_is_passed_on),
		cmocka_unit_test(a_framing_header_cannot_be_dropped_by_naming_it_in_connection),
		cmocka_unit_test(chunked_bodies_end_where_they_say_in_any_slicing),
		cmocka_unit_test(endpoint_globs_match_one_segment_or_many),
		cmocka_unit_test(request_paths_that_servers_decode_differently_are_refused),
		cmocka_unit_test(authorities_are_split_strictly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
