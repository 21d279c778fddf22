/* SPDX-License-Identifier: Apache-2.0 */
/* open_seen_test.c - which pages open twice. */
#include "open/seen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void equal_requests_open_one_page_for_a_while(void **state)
{
	(void)state;
	struct seen s = {0};
	assert_true(seen_add(&s, "https://a.test/", false, 100));
	assert_false(seen_add(&s, "https://a.test/", false, 100 + SEEN_SAME - 1));
	assert_true(seen_add(&s, "https://a.test/x", false, 100));
	assert_true(seen_add(&s, "https://a.test/", false, 100 + SEEN_SAME));
	assert_false(seen_add(&s, "https://a.test/", false, 101 + SEEN_SAME));
	seen_free(&s);
}

static void a_login_opens_once_in_a_session(void **state)
{
	(void)state;
	struct seen s = {0};
	assert_true(seen_add(&s, "https://a.test/?state=1", true, 100));
	assert_false(seen_add(&s, "https://a.test/?state=1", true, 100000));
	assert_true(seen_add(&s, "https://a.test/?state=2", true, 100));
	seen_free(&s);
}

static void what_did_not_open_may_be_tried_again(void **state)
{
	(void)state;
	struct seen s = {0};
	assert_true(seen_add(&s, "https://a.test/?state=1", true, 100));
	seen_forget(&s, "https://a.test/?state=1");
	seen_forget(&s, "https://never.test/");
	assert_true(seen_add(&s, "https://a.test/?state=1", true, 100));
	seen_free(&s);
}

static void many_pages_are_remembered(void **state)
{
	(void)state;
	struct seen s = {0};
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < SEEN_MAX; i++) {
			cleanup_free char *url = xasprintf("https://a.test/?state=%u-%u", round, i);
			assert_true(seen_add(&s, url, true, 100));
		}
		for (unsigned i = 0; i < SEEN_MAX; i++) {
			cleanup_free char *url = xasprintf("https://a.test/?state=%u-%u", round, i);
			assert_false(seen_add(&s, url, true, 100));
		}
	}
	seen_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_requests_open_one_page_for_a_while),
		cmocka_unit_test(a_login_opens_once_in_a_session),
		cmocka_unit_test(what_did_not_open_may_be_tried_again),
		cmocka_unit_test(many_pages_are_remembered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
