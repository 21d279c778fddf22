/* SPDX-License-Identifier: Apache-2.0 */
/* References to secrets: their forms, the list of --env-credential, go-keyring values. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "secrets/internal.h"

static void forms(void **state)
{
	(void)state;
	static const struct {
		const char *ref;
		bool good;
		enum secret_kind kind;
		const char *where, *what;
	} table[] = {
		{"github_token", true, SECRET_NAME, "nono", "github_token"},
		{"", false, 0, NULL, NULL},
		{"-x", false, 0, NULL, NULL},
		{"a b", false, 0, NULL, NULL},
		{"a\nb", false, 0, NULL, NULL},
		{"cmd://x", false, 0, NULL, NULL},
		{"ENV://x", false, 0, NULL, NULL},
		{"env://TOKEN_1", true, SECRET_ENV, "TOKEN_1", NULL},
		{"env://", false, 0, NULL, NULL},
		{"env://1A", false, 0, NULL, NULL},
		{"env://PATH", false, 0, NULL, NULL},
		{"env://ld_preload", false, 0, NULL, NULL},
		{"env://NONO_X", false, 0, NULL, NULL},
		{"file:///a/b", true, SECRET_FILE, "/a/b", NULL},
		{"file://a/b", false, 0, NULL, NULL},
		{"file:///a/../b", false, 0, NULL, NULL},
		{"file:///a/..", false, 0, NULL, NULL},
		{"file:///a/..b", true, SECRET_FILE, "/a/..b", NULL},
		{"file:///a\033b", false, 0, NULL, NULL},
		{"op://v/i/f", true, SECRET_OP, "op://v/i/f", NULL},
		{"op://v/i/s/f", true, SECRET_OP, "op://v/i/s/f", NULL},
		{"op://v/i", false, 0, NULL, NULL},
		{"op://v//f", false, 0, NULL, NULL},
		{"op:///i/f", false, 0, NULL, NULL},
		{"op://v/i/f/", false, 0, NULL, NULL},
		{"op://v/i/f?x", false, 0, NULL, NULL},
		{"bw://id", true, SECRET_BW, "id", NULL},
		{"bw://id/username", true, SECRET_BW, "id", "username"},
		{"bw://id/", false, 0, NULL, NULL},
		{"bw://--x", false, 0, NULL, NULL},
		{"bw://a/b/c", false, 0, NULL, NULL},
		{"keyring://gh:github.com/me", true, SECRET_KEYRING, "gh:github.com", "me"},
		{"keyring://s/a?decode=go-keyring", true, SECRET_KEYRING, "s", "a"},
		{"keyring://s/a?decode=other", false, 0, NULL, NULL},
		{"keyring://s", false, 0, NULL, NULL},
		{"keyring:///a", false, 0, NULL, NULL},
		{"keyring://s/", false, 0, NULL, NULL},
		{"keyring://s/?decode=go-keyring", false, 0, NULL, NULL},
	};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		cleanup_err struct err *e = NULL;
		struct secret_ref r;
		const bool good = secret_ref_parse(table[i].ref, &r, &e) == 0;
		if (good != table[i].good)
			fail_msg("%s: %s", table[i].ref, good ? "accepted" : err_msg(e));
		if (!good) {
			assert_non_null(e);
			assert_null(strchr(e->msg, '\n'));
			continue;
		}
		assert_int_equal(r.kind, table[i].kind);
		assert_string_equal(r.where, table[i].where);
		assert_true(!r.what == !table[i].what);
		if (r.what)
			assert_string_equal(r.what, table[i].what);
		assert_int_equal(r.decode, strchr(table[i].ref, '?') != NULL);
		secret_ref_free(&r);
	}
	char *big = xcalloc(1, 1026);
	memset(big, 'a', 1025);
	assert_int_equal(secret_ref_check(big, NULL), -1);
	free(big);
}

static void flags(void **state)
{
	(void)state;
	struct pairs p = {0};
	assert_int_equal(env_credential_flag("openai_api_key,env://TOKEN,op://v/i/f=OP,name=Other", &p, NULL), 0);
	assert_string_equal(pairs_get(&p, "openai_api_key"), "OPENAI_API_KEY");
	assert_string_equal(pairs_get(&p, "env://TOKEN"), "TOKEN");
	assert_string_equal(pairs_get(&p, "op://v/i/f"), "OP");
	assert_string_equal(pairs_get(&p, "name"), "Other");
	static const char *const bad[] = {"", "a,", "op://v/i/f", "file:///x", "bw://x", "keyring://s/a", "a=PATH",
		"a=LD_PRELOAD", "a=", "=A", "a=1", "with-dash", "keyring://s/a=A"};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (env_credential_flag(bad[i], &p, NULL) == 0)
			fail_msg("accepted: %s", bad[i]);
	pairs_free(&p);
}

static void go_values(void **state)
{
	(void)state;
	static const struct {
		const char *stored, *value;
	} table[] = {
		{"plain", "plain"},
		{"go-keyring-base64:Z28tc2VjcmV0", "go-secret"},
		{"go-keyring-base64:YQ==", "a"},
		{"go-keyring-base64:YWI=", "ab"},
		{"go-keyring-base64:Y", NULL},
		{"go-keyring-base64:YQ=", NULL},
		{"go-keyring-base64:Y*==", NULL},
		{"go-keyring-encoded:6162", "ab"},
		{"go-keyring-encoded:616", NULL},
		{"go-keyring-encoded:6g", NULL},
	};
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		char *value = NULL;
		const int rc = secret_decode_go(table[i].stored, &value, NULL);
		assert_int_equal(rc, table[i].value ? 0 : -1);
		if (rc == 0)
			assert_string_equal(value, table[i].value);
		secret_free(value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),
		cmocka_unit_test(flags),
		cmocka_unit_test(go_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
