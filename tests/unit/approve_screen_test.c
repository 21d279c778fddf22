/* SPDX-License-Identifier: Apache-2.0 */
/* approve_screen_test.c - keys and pictures of the question screen. */
#include "approve/internal.h"
#include "approve/screen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* The answers given, one word each; the picture of "always". */
struct log {
	struct buf b;
	bool refuse_preview, long_preview;
};

static int on_answer(void *data, uint64_t id, enum answer answer, const char *dir, struct err **e)
{
	struct log *l = data;
	(void)e;
	buf_addf(&l->b, "%llu:%s%s%s ", (unsigned long long)id, answer_name(answer), dir ? "@" : "", dir ? dir : "");
	return 0;
}

static char *on_preview(void *data, uint64_t id, const char *dir, struct err **e)
{
	struct log *l = data;
	(void)id;
	if (l->refuse_preview) {
		err_set(e, 0, "no profile here");
		return NULL;
	}
	struct buf b = {0};
	for (unsigned i = 0; l->long_preview && i < 60; i++)
		buf_addf(&b, "+ line %02u\n", i);
	if (l->long_preview)
		return buf_steal(&b);
	return xasprintf("+ \"%s\"\n", dir ? dir : "object");
}

static const struct screen_ops ops = {on_answer, on_preview};

static struct pending *questions(size_t n)
{
	struct pending *p = xcalloc(n + 1, sizeof *p);
	for (size_t i = 0; i < n; i++) {
		p[i].id = i + 1;
		p[i].waiting = 1;
		cleanup_free char *object = xasprintf("/a/b/f%zu", i + 1);
		const struct question q = {.op = OP_READ,
			.object = object,
			.asked = "f",
			.program = "cat",
			.parent = "bash",
			.rule = "--read /x",
			.tgid = 7};
		question_copy(&p[i].q, &q);
	}
	return p;
}

/* The same question about another object, by another program. */
static void replace(struct question *q, const char *object, const char *program)
{
	struct question other = *q, old = *q;
	other.object = object;
	other.program = program;
	question_copy(q, &other);
	question_free(&old);
}

/* What a person's keys lead to, with @n questions open. */
static void keys(const char *bytes, size_t len, size_t n, const char *want)
{
	struct log l = {0};
	struct screen s = {.ops = &ops, .data = &l, .rows = 24, .cols = 80};
	screen_update(&s, questions(n), n);
	screen_input(&s, bytes, len);
	screen_idle(&s);
	buf_adds(&l.b, "");
	if (strcmp(l.b.data, want) != 0)
		fail_msg("keys \"%s\": got \"%s\", want \"%s\"", bytes, l.b.data, want);
	buf_free(&l.b);
	screen_free(&s);
}
#define KEYS(b, n, want) keys(b, sizeof(b) - 1, n, want)

static void every_key_does_what_the_screen_says(void **state)
{
	(void)state;
	KEYS("y", 1, "1:once ");
	KEYS("s", 1, "1:session ");
	KEYS("n", 1, "1:no ");
	KEYS("N", 1, "1:never ");
	KEYS("\r", 1, "1:no ");
	KEYS("\n", 1, "1:no ");
	KEYS("\x1b", 1, "1:no ");
	KEYS("\x03", 1, "1:no ");
	KEYS("jy", 2, "2:once ");
	KEYS("\x1b[By", 2, "2:once ");
	KEYS("\x1bOBy", 2, "2:once ");
	KEYS("jjjjjky", 3, "2:once ");
	KEYS("j\x1b[As", 3, "1:session ");
	KEYS("X", 3, "1:no 2:no 3:no ");
	KEYS("\x1b[27u", 1, "1:no ");
	KEYS("\x1b[13u", 1, "1:no ");
	KEYS("?y", 1, "");
	KEYS("?yy", 1, "1:once ");
}

/* What the screen shows of a page. New string. */
static char *page(enum question_kind kind, const char *url, const char *bytes, unsigned rows, struct log *l)
{
	struct screen s = {.ops = &ops, .data = l, .rows = rows, .cols = 60, .links = true};
	struct pending *p = questions(1);
	replace(&p->q, url, p->q.program);
	p->q.op = OP_OPEN_URL;
	p->q.kind = kind;
	screen_update(&s, p, 1);
	screen_input(&s, bytes, strlen(bytes));
	struct buf b = {0};
	screen_render(&s, &b);
	screen_tell(&s, &b);
	screen_tell(&s, &b); /* once only */
	screen_free(&s);
	buf_adds(&l->b, "");
	return buf_steal(&b);
}

static void a_page_is_shown_whole_and_copied(void **state)
{
	(void)state;
	static const char url[] = "https://a.test/authorize?client_id=0123456789&state=abcdefghijklmnopqrstuvwxyz";
	struct log l = {0};
	cleanup_free char *plain = page(QUESTION_PAGE, url, "", 24, &l);
	assert_non_null(strstr(plain, url)); /* without a line break inside */
	assert_non_null(strstr(plain, "\x1b]8;id=nono;https://a.test/authorize?client_id=0123456789&state="));
	assert_non_null(strstr(plain, "\x1b]8;;\x1b\\"));
	assert_null(strstr(plain, "\x1b]52;"));
	assert_non_null(strstr(plain, "c copy"));
	cleanup_free char *copied = page(QUESTION_PAGE, "https://a.test/", "c", 24, &l);
	const char *told = strstr(copied, "\x1b]52;c;aHR0cHM6Ly9hLnRlc3Qv\x1b\\");
	assert_non_null(told);
	assert_null(strstr(told + 1, "\x1b]52;"));
	assert_string_equal(l.b.data, "");
	for (const char *k = "\ry"; *k; k++) {
		cleanup_free char *done = page(QUESTION_PAGE, url, (char[]){*k, 0}, 24, &l);
		assert_string_equal(l.b.data, "1:once ");
		l.b.len = 0;
	}
	for (const char *k = "n\x03X"; *k; k++) {
		cleanup_free char *no = page(QUESTION_PAGE, url, (char[]){*k, 0}, 24, &l);
		assert_string_equal(l.b.data, "1:no ");
		l.b.len = 0;
	}
	/* what leaves a rule behind is no answer to it */
	cleanup_free char *others = page(QUESTION_PAGE, url, "sNad", 24, &l);
	assert_string_equal(l.b.data, "");
	buf_free(&l.b);
}

static void a_question_about_a_page_shows_all_of_it(void **state)
{
	(void)state;
	struct log l = {0};
	char url[2501] = "https://a.test/";
	memset(url + 15, 'x', sizeof url - 16);
	memcpy(url + 2480, "&the=end", 8);
	cleanup_free char *tall = page(QUESTION_RULE, url, "", 60, &l);
	assert_non_null(strstr(tall, "&the=end"));
	/* where it does not fit, the rest is a key away */
	cleanup_free char *flat = page(QUESTION_RULE, url, "", 24, &l);
	assert_null(strstr(flat, "&the=end"));
	assert_non_null(strstr(flat, "u shows the rest"));
	cleanup_free char *rest = page(QUESTION_RULE, url, "ujjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjj", 24, &l);
	assert_non_null(strstr(rest, "&the=end"));
	cleanup_free char *back = page(QUESTION_RULE, url, "u\ry", 24, &l);
	assert_string_equal(l.b.data, "1:once ");
	buf_free(&l.b);
}

static void a_code_is_drawn_where_it_fits(void **state)
{
	(void)state;
	struct log l = {0};
	cleanup_free char *code = page(QUESTION_PAGE, "https://a.test/", "q", 40, &l);
	assert_non_null(strstr(code, "█"));
	cleanup_free char *small = page(QUESTION_PAGE, "https://a.test/", "q", 15, &l);
	assert_null(strstr(small, "█"));
	assert_non_null(strstr(small, "needs 25 columns and 17 rows"));
	assert_string_equal(l.b.data, "");
	buf_free(&l.b);
}

static void other_keys_answer_nothing(void **state)
{
	(void)state;
	KEYS("Y", 1, "");
	KEYS("o", 1, "");
	KEYS(" ", 1, "");
	KEYS("\x04", 1, "");
	KEYS("\xc3\xbf", 1, "");
	KEYS("y", 0, "");
	KEYS("\x1b", 0, "");
}

static void always_shows_the_change_and_asks_again(void **state)
{
	(void)state;
	KEYS("a", 1, "");
	KEYS("ay", 1, "1:always ");
	KEYS("an", 1, "");
	KEYS("a\r", 1, "");
	KEYS("ans", 1, "1:session ");
	KEYS("day", 1, "1:always@/a/b ");
	KEYS("djay", 1, "1:always@/a ");
}

static void a_directory_only_when_it_was_picked(void **state)
{
	(void)state;
	KEYS("ds", 1, "1:session@/a/b ");
	KEYS("djs", 1, "1:session@/a ");
	KEYS("djjjjs", 1, "1:session@/a ");
	KEYS("dN", 1, "1:never@/a/b ");
	KEYS("dy", 1, "");
	KEYS("d\r", 1, "");
	KEYS("dns", 1, "1:session ");
	KEYS("d\x1b", 1, "");
}

static void what_a_terminal_sends_by_itself_answers_nothing(void **state)
{
	(void)state;
	KEYS("\x1b[I\x1b[O", 1, "");                      /* focus */
	KEYS("\x1b[<0;10;10M\x1b[<0;10;10m", 1, "");      /* mouse, SGR */
	KEYS("\x1b[Myyy", 1, "");                         /* mouse, X10: three bytes that may be letters */
	KEYS("\x1b[200~yes\ry\x1b[201~", 1, "");          /* paste */
	KEYS("\x1b[200~yes\x1b", 1, "");                  /* paste, cut short */
	KEYS("\x1b]11;rgb:y/y/y\x1b\\", 1, "");           /* colour reply */
	KEYS("\x1b]0;yyy\x07", 1, "");                    /* the same, ended by BEL */
	KEYS("\x1bP1$ry\x1b\\", 1, "");                   /* DECRQSS reply */
	KEYS("\x1b[?62;22c\x1b[?1049;2$y", 1, "");        /* device attributes, mode report: ends in y */
	KEYS("\x1b[111111111111111111111111111y", 1, ""); /* longer than any sequence */
	KEYS("\x1by", 1, "");                             /* Alt-y */
	KEYS("\x1b[200~y\x1b[201~s", 1, "1:session ");
}

static void keys_behind_an_answer_are_dropped(void **state)
{
	(void)state;
	KEYS("yyyy", 2, "1:once ");
	KEYS("s\rN", 2, "1:session ");
}

static void a_choice_does_not_move_to_another_question(void **state)
{
	(void)state;
	struct log l = {0};
	struct screen s = {.ops = &ops, .data = &l, .rows = 24, .cols = 80};
	screen_update(&s, questions(2), 2);
	screen_input(&s, "a", 1);
	assert_int_equal(s.mode, SCREEN_ALWAYS);
	/* question 1 closes elsewhere while its change is shown */
	struct pending *left = questions(2), *first = xcalloc(1, sizeof *first);
	*first = left[0];
	pending_free(first, 1);
	left[0] = left[1];
	screen_update(&s, left, 1);
	assert_int_equal(s.mode, SCREEN_LIST);
	screen_input(&s, "j", 1);
	/* a new list keeps the question, not the row */
	screen_update(&s, questions(2), 2);
	assert_int_equal(s.p[s.selected].id, 2);
	assert_null(l.b.data);
	screen_free(&s);
}

static void a_change_that_cannot_be_written_says_why(void **state)
{
	(void)state;
	struct log l = {.refuse_preview = true};
	struct screen s = {.ops = &ops, .data = &l, .rows = 24, .cols = 80};
	cleanup_buf struct buf out = {0};
	screen_update(&s, questions(1), 1);
	screen_input(&s, "ay", 1);
	screen_render(&s, &out);
	assert_non_null(strstr(out.data, "no profile here"));
	screen_free(&s);
}

/* What "always" writes can be read to its end before it is written, at any size of the terminal. */
static void a_long_change_is_read_by_moving(void **state)
{
	(void)state;
	for (unsigned rows = 10; rows < 80; rows += 7) {
		struct log l = {.long_preview = true};
		struct screen s = {.ops = &ops, .data = &l, .rows = rows, .cols = 80};
		struct pending *p = questions(1);
		replace(&p->q, "https://a.test/?b", "xdg-open");
		p->q.op = OP_OPEN_URL;
		screen_update(&s, p, 1);
		screen_input(&s, "a", 1);
		bool seen[60] = {0};
		for (int i = 0; i < 60; i++) {
			cleanup_buf struct buf out = {0};
			screen_render(&s, &out);
			for (unsigned n = 0; n < 60; n++) {
				char line[16];
				snprintf(line, sizeof line, "line %02u", n);
				seen[n] |= strstr(out.data, line) != NULL;
			}
			unsigned lines = 0;
			for (const char *c = out.data; *c; c++)
				lines += *c == '\n';
			assert_true(rows < 24 || lines <= rows);
			screen_input(&s, "j", 1);
		}
		for (unsigned n = 0; n < 60; n++)
			if (!seen[n])
				fail_msg("%u rows: line %u is never shown", rows, n);
		assert_null(l.b.data);
		screen_input(&s, "y", 1);
		assert_string_equal(l.b.data, "1:always ");
		buf_free(&l.b);
		screen_free(&s);
	}
}

static void a_file_to_open_is_no_page(void **state)
{
	(void)state;
	struct log l = {0};
	struct screen s = {.ops = &ops, .data = &l, .rows = 24, .cols = 80};
	struct pending *p = questions(1);
	replace(&p->q, "/home/me/out/r\xc3\xa9port.html", "xdg-open");
	p->q.op = OP_OPEN_URL;
	screen_update(&s, p, 1);
	cleanup_buf struct buf out = {0};
	screen_input(&s, "u", 1); /* a key of pages */
	screen_render(&s, &out);
	assert_non_null(strstr(out.data, "/home/me/out/r\xc3\xa9port.html"));
	assert_non_null(strstr(out.data, "open the file"));
	assert_null(strstr(out.data, "open the page"));
	screen_input(&s, "y", 1);
	assert_string_equal(l.b.data, "1:once ");
	buf_free(&l.b);
	screen_free(&s);
}

/* Nothing a program chose reaches the terminal as a control sequence, and no line exceeds the width. */
static void untrusted_text_cannot_draw(void **state)
{
	(void)state;
	static const char evil[] = "/a/\x1b[2J\x1b]0;x\x07/\xe2\x80\xaetxt.exe\r\n y once\x9b"
				   "31m/\xff";
	for (unsigned cols = 24; cols < 200; cols += 13) {
		struct log l = {0};
		struct screen s = {.ops = &ops, .data = &l, .rows = 24, .cols = cols};
		struct pending *p = questions(1);
		replace(&p->q, evil, "\x1b[1mnono");
		screen_update(&s, p, 1);
		cleanup_buf struct buf out = {0};
		screen_render(&s, &out);
		/* without colour the screen itself uses these three sequences only */
		size_t width = 0;
		for (const char *c = out.data; *c; c++) {
			if (*c == '\x1b') {
				assert_true(strncmp(c, "\x1b[K", 3) == 0 || strncmp(c, "\x1b[H", 3) == 0 ||
					    strncmp(c, "\x1b[J", 3) == 0);
				c += 2;
			} else if (*c == '\r') {
				assert_int_equal(c[1], '\n');
				c++;
				assert_true(width <= cols);
				width = 0;
			} else {
				assert_true((unsigned char)*c >= 0x20);
				width += ((unsigned char)*c & 0xc0) != 0x80;
			}
		}
		assert_null(strstr(out.data, "\xe2\x80\xae"));
		screen_free(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_does_what_the_screen_says),
		cmocka_unit_test(other_keys_answer_nothing),
		cmocka_unit_test(a_page_is_shown_whole_and_copied),
		cmocka_unit_test(a_question_about_a_page_shows_all_of_it),
		cmocka_unit_test(a_code_is_drawn_where_it_fits),
		cmocka_unit_test(a_long_change_is_read_by_moving),
		cmocka_unit_test(a_file_to_open_is_no_page),
		cmocka_unit_test(always_shows_the_change_and_asks_again),
		cmocka_unit_test(a_directory_only_when_it_was_picked),
		cmocka_unit_test(what_a_terminal_sends_by_itself_answers_nothing),
		cmocka_unit_test(keys_behind_an_answer_are_dropped),
		cmocka_unit_test(a_choice_does_not_move_to_another_question),
		cmocka_unit_test(a_change_that_cannot_be_written_says_why),
		cmocka_unit_test(untrusted_text_cannot_draw),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
