/* SPDX-License-Identifier: Apache-2.0 */
/* What is opened, in which form; what never is. */
#include "open/validate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct good {
	const char *text, *url, *origin;
	bool localhost;
	unsigned redirect;
} good[] = {
	{"https://claude.ai/oauth?a=b#c", "https://claude.ai/oauth?a=b#c", "https://claude.ai", false, 0},
	{"https://claude.ai", "https://claude.ai/", "https://claude.ai", false, 0},
	{"HTTPS://Claude.AI:443/X", "https://claude.ai/X", "https://claude.ai", false, 0},
	{"https://claude.ai.", "https://claude.ai/", "https://claude.ai", false, 0},
	{"https://claude.ai:8443/", "https://claude.ai:8443/", "https://claude.ai:8443", false, 0},
	{"https://claude.ai/?q=a b|c", "https://claude.ai/?q=a%20b%7Cc", "https://claude.ai", false, 0},
	{"https://claude.ai/--new-window", "https://claude.ai/--new-window", "https://claude.ai", false, 0},
	{"https://claude.ai/a@evil.test", "https://claude.ai/a@evil.test", "https://claude.ai", false, 0},
	{"https://claude.ai.evil.test/", "https://claude.ai.evil.test/", "https://claude.ai.evil.test", false, 0},
	{"https://evil.test#@claude.ai", "https://evil.test/#@claude.ai", "https://evil.test", false, 0},
	{"https://evil.test?claude.ai/", "https://evil.test/?claude.ai/", "https://evil.test", false, 0},
	{"https://b\xc3\xbc"
	 "cher.example/\xc3\xbc",
		"https://xn--bcher-kva.example/%C3%BC", "https://xn--bcher-kva.example", false, 0},
	/* a Cyrillic letter among Latin ones */
	{"https://\xd1\x81laude.ai/", "https://xn--laude-0ye.ai/", "https://xn--laude-0ye.ai", false, 0},
	{"http://localhost:3000/x", "http://localhost:3000/x", "http://localhost:3000", true, 0},
	{"http://127.0.0.1", "http://127.0.0.1/", "http://127.0.0.1", true, 0},
	{"http://127.9.9.9:80/", "http://127.9.9.9/", "http://127.9.9.9", true, 0},
	{"http://0x7f.1/", "http://127.0.0.1/", "http://127.0.0.1", true, 0},
	{"https://[::1]:8443/", "https://[::1]:8443/", "https://[::1]:8443", true, 0},
	{"https://[2001:db8::1]/", "https://[2001:db8::1]/", "https://[2001:db8::1]", false, 0},
	{"https://a.test/?x=1&redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fcb&y=2",
		"https://a.test/?x=1&redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fcb&y=2", "https://a.test", false,
		1455},
	{"https://a.test/?redirect_uri=http://127.0.0.1:8085/", "https://a.test/?redirect_uri=http://127.0.0.1:8085/",
		"https://a.test", false, 8085},
	{"https://a.test/?redirect_uri=http://localhost/cb", "https://a.test/?redirect_uri=http://localhost/cb",
		"https://a.test", false, 80},
	{"https://a.test/?state=1&redirect%5furi=http://localhost:99/&a",
		"https://a.test/?state=1&redirect%5furi=http://localhost:99/&a", "https://a.test", false, 99},
	{"https://a.test/?redirect_uri=http://localhost:99/&redirect_url=http://127.0.0.1:99&redirect_uri",
		"https://a.test/?redirect_uri=http://localhost:99/&redirect_url=http://127.0.0.1:99&redirect_uri",
		"https://a.test", false, 99},
	{"https://a.test/?redirect_uri=https://b.test:99/", "https://a.test/?redirect_uri=https://b.test:99/",
		"https://a.test", false, 0},
	{"https://a.test/?redirect_uri=http://localhost@b.test:99/",
		"https://a.test/?redirect_uri=http://localhost@b.test:99/", "https://a.test", false, 0},
};

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct checked_url u;
		cleanup_err struct err *e = NULL;
		if (url_check(good[i].text, strlen(good[i].text), &u, &e) < 0)
			fail_msg("%s: %s", good[i].text, err_msg(e));
		assert_string_equal(u.url, good[i].url);
		assert_string_equal(u.origin, good[i].origin);
		assert_int_equal(u.localhost, good[i].localhost);
		assert_int_equal(u.redirect_port, good[i].redirect);
		assert_int_equal(u.login, strstr(good[i].text, "state=") != NULL);
		checked_url_free(&u);
	}
}

/* The rest of the list is what libraries and browsers have been made to disagree about. */
static const struct bad {
	const char *text, *word;
} bad[] = {
	{"", "empty"},
	{"file:///etc/passwd", "https"},
	{"file://localhost/etc/passwd", "https"},
	{"javascript:alert(1)", "https"},
	{"data:text/html,x", "https"},
	{"ftp://claude.ai/", "https"},
	{"mailto:a@claude.ai", "https"},
	{"httpsx://claude.ai/", "https"},
	{"http://claude.ai/", "https"},
	{"http://10.0.0.1/", "https"},
	{"claude.ai", "scheme"},
	{"/etc/passwd", "scheme"},
	{"-https://claude.ai", "scheme"},
	{"--new-window", "scheme"},
	{"://claude.ai", "scheme"},
	{" https://claude.ai", "blank"},
	{"https://claude.ai ", "blank"},
	{"https:claude.ai", "slashes"},
	{"https:/claude.ai", "slashes"},
	{"https:///claude.ai", "slashes"},
	{"https://", "valid"},
	{"https:///", "slashes"},
	{"https://?x", "valid"},
	{"https://claude.ai@evil.test/", "user"},
	{"https://claude.ai:x@evil.test/", "user"},
	{"https://@claude.ai/", "user"},
	{"https://a:b@claude.ai/", "user"},
	{"https://evil.test\\@claude.ai/", "backslash"},
	{"https://claude.ai\\.evil.test/", "backslash"},
	{"https:\\\\claude.ai", "backslash"},
	{"https://claude%2eai/", "percent"},
	{"https://claude.ai%00.evil.test/", "percent"},
	{"https://claude .ai/", "valid"},
	{"https://claude.ai\n/", "control"},
	{"https://claude.ai/\r\nX: y", "control"},
	{"https://cla\tude.ai/", "control"},
	{"https://claude.ai/\x1b]0;x\x07", "control"},
	{"https://claude.ai/\x7f", "control"},
	{"https://claude.ai/\xc2\x9b"
	 "31m",
		"invisible"},
	{"https://claude.ai/\xe2\x80\xae"
	 "x",
		"invisible"},
	{"https://cla\xe2\x80\x8bude.ai/", "invisible"},
	{"https://claude.ai/\xff", "UTF-8"},
	{"https://claude.ai:0/", "valid"},
	{"https://claude.ai:99999/", "valid"},
	{"https://claude.ai:x/", "valid"},
	{"https://claude..ai/", "valid"},
	{"https://.claude.ai/", "valid"},
	{"https://cla_ude!.ai/", "valid"},
	{"https://claude.ai\xef\xbc\x8f"
	 "evil.test/", /* a full-width slash */
		"valid"},
	{"https://claude.ai\xe2\x84\x80.evil.test/", "valid"}, /* a letter that maps to a/c */
	{"https://[::1/", "valid"},
	{"https://[::1]x/", "valid"},
	{"https://[fe80::1%25eth0]/", "percent"},
	{"https://1.2.3.4.5/", "valid"},
	{"https://claude.0x1/", "valid"},
	{"https://a.test/?redirect_uri=http://localhost:99/&redirect_uri=http://localhost:98/", "two ports"},
	{"https://169.254.169.254/latest", "never"},
	{"http://0.0.0.0:3000/", "never"},
	{"https://[fe80::1]/", "never"},
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct checked_url u;
		cleanup_err struct err *e = NULL;
		if (url_check(bad[i].text, strlen(bad[i].text), &u, &e) == 0)
			fail_msg("%s is accepted as %s", bad[i].text, u.url);
		if (!strstr(err_msg(e), bad[i].word))
			fail_msg("%s: \"%s\" lacks \"%s\"", bad[i].text, err_msg(e), bad[i].word);
		assert_null(u.url);
	}
}

static void refused(const char *text, size_t len, const char *word)
{
	struct checked_url u;
	cleanup_err struct err *e = NULL;
	assert_int_equal(url_check(text, len, &u, &e), -1);
	assert_non_null(strstr(err_msg(e), word));
}

static void test_length_and_nul(void **state)
{
	(void)state;
	static const char nul[] = "https://claude.ai/\0.evil.test";
	refused(nul, sizeof nul - 1, "control");
	char text[9001];
	memset(text, 'a', sizeof text);
	memcpy(text, "https://claude.ai/", 18);
	refused(text, sizeof text - 1, "longer");
	struct checked_url u;
	assert_int_equal(url_check(text, URL_LENGTH_MAX, &u, NULL), 0);
	checked_url_free(&u);
	refused(text, URL_LENGTH_MAX + 1, "longer");
	memset(text + 18, '|', 8000); /* longer only once encoded */
	refused(text, 8000, "longer");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_length_and_nul),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
