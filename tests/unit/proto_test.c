/* SPDX-License-Identifier: Apache-2.0 */
/* proto_test.c - the wire format: round trips, strictness, sockets. */
#include "proto/proto.h"
#include "proto/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <cmocka.h>

/* Set every field the schema knows to a value that is not its default. */
static void fill(struct msg *m)
{
	for (unsigned i = 0; i < FIELD_COUNT; i++) {
		const struct field *f = &proto_fields[i];
		void *p = (char *)m + f->offset;
		if (f->wire == WIRE_STRING)
			*(char **)p = xasprintf("the %s", f->key);
		else if (f->wire == WIRE_BOOL)
			*(bool *)p = true;
		else if (f->wire == WIRE_U32)
			*(uint32_t *)p = f->limit < 40000 + i ? (uint32_t)f->limit : 40000 + i;
		else
			*(uint64_t *)p = 100 + i;
	}
}

static size_t size_of(const struct field *f)
{
	return f->wire == WIRE_BOOL ? sizeof(bool) : f->wire == WIRE_U32 ? sizeof(uint32_t) : sizeof(uint64_t);
}

static void every_type_keeps_its_fields_and_drops_the_others(void **state)
{
	(void)state;
	for (unsigned t = 0; t < MSG_TYPE_COUNT; t++) {
		cleanup_msg struct msg in = {.type = (enum msg_type)t}, out = {0};
		cleanup_buf struct buf b = {0};
		cleanup_err struct err *e = NULL;
		fill(&in);
		free(in.answer);
		in.answer = xstrdup("session");
		assert_int_equal(msg_encode(&in, &b, &e), 0);
		assert_int_equal(msg_decode(b.data, b.len, &out, &e), 0);
		assert_int_equal(out.type, t);
		const struct message *row = &proto_messages[t];
		for (unsigned i = 0; i < FIELD_COUNT; i++) {
			const struct field *f = &proto_fields[i];
			const void *a = (char *)&in + f->offset, *c = (char *)&out + f->offset;
			bool has = (row->required | row->optional) & FIELD_BIT(i);
			if (f->wire == WIRE_STRING && has)
				assert_string_equal(*(char *const *)a, *(char *const *)c);
			else if (f->wire == WIRE_STRING)
				assert_null(*(char *const *)c);
			else
				assert_true(has ? memcmp(a, c, size_of(f)) == 0
						: memcmp(c, &(uint64_t){0}, size_of(f)) == 0);
		}
		assert_int_equal(out.port, t == MSG_PENDING ? in.port : 0);
	}
}

static void largest_numbers_survive(void **state)
{
	(void)state;
	struct msg in = {.type = MSG_REVOKE, .id = UINT64_MAX};
	cleanup_msg struct msg out = {0};
	cleanup_buf struct buf b = {0};
	assert_int_equal(msg_encode(&in, &b, NULL), 0);
	assert_int_equal(msg_decode(b.data, b.len, &out, NULL), 0);
	assert_true(out.id == UINT64_MAX);
}

#define BYTES(s) s, sizeof(s) - 1
static void malformed_packets_are_refused_with_a_reason(void **state)
{
	(void)state;
	static const struct {
		const char *what, *data;
		size_t len;
		int code;
	} cases[] = {
		{"empty", BYTES(""), EBADMSG},
		{"not a map", BYTES("\x93\x01\x02\x03"), EBADMSG},
		{"no version", BYTES("\x81\xa1t\xa5watch"), EBADMSG},
		{"another version", BYTES("\x82\xa1v\x02\xa1t\xa5watch"), EPROTONOSUPPORT},
		{"version as text",
			BYTES("\x82\xa1v\xa1"
			      "1\xa1t\xa5watch"),
			EBADMSG},
		{"unknown type", BYTES("\x82\xa1v\x01\xa1t\xa5wetch"), EBADMSG},
		{"type as number", BYTES("\x82\xa1v\x01\xa1t\x03"), EBADMSG},
		{"missing id", BYTES("\x82\xa1v\x01\xa1t\xa4gone"), EBADMSG},
		{"negative id", BYTES("\x83\xa1v\x01\xa1t\xa4gone\xa2id\xff"), EBADMSG},
		{"id as text",
			BYTES("\x83\xa1v\x01\xa1t\xa4gone\xa2id\xa1"
			      "7"),
			EBADMSG},
		{"id as float", BYTES("\x83\xa1v\x01\xa1t\xa4gone\xa2id\xca\x40\x00\x00\x00"), EBADMSG},
		{"id as nil", BYTES("\x83\xa1v\x01\xa1t\xa4gone\xa2id\xc0"), EBADMSG},
		{"a key twice", BYTES("\x84\xa1v\x01\xa1t\xa4gone\xa2id\x01\xa2id\x02"), EBADMSG},
		{"an array inside", BYTES("\x83\xa1v\x01\xa1t\xa5watch\xa1x\x91\x01"), EBADMSG},
		{"a map inside", BYTES("\x83\xa1v\x01\xa1t\xa5watch\xa1x\x80"), EBADMSG},
		{"a huge array announced", BYTES("\x83\xa1v\x01\xa1t\xa5watch\xa1x\xdd\xff\xff\xff\xff"), EBADMSG},
		{"a huge map announced", BYTES("\xdf\xff\xff\xff\xff"), EBADMSG},
		{"too many entries announced", BYTES("\xde\xff\xff\xa1v\x01"), EBADMSG},
		{"a huge string announced", BYTES("\x83\xa1v\x01\xa1t\xa5watch\xa1x\xdb\xff\xff\xff\xff"), EBADMSG},
		{"an extension", BYTES("\x83\xa1v\x01\xa1t\xa5watch\xa1x\xd4\x01\x01"), EBADMSG},
		{"a number as key", BYTES("\x83\xa1v\x01\xa1t\xa5watch\x07\x07"), EBADMSG},
		{"cut short", BYTES("\x82\xa1v\x01\xa1t\xa5wat"), EBADMSG},
		{"bytes after it", BYTES("\x82\xa1v\x01\xa1t\xa5watch\x00"), EBADMSG},
		{"NUL in a string",
			BYTES("\x83\xa1v\x01\xa1t\xa8open-url\xa3url\xa3"
			      "a\0b"),
			EBADMSG},
		{"bytes as string",
			BYTES("\x83\xa1v\x01\xa1t\xa8open-url\xa3url\xc4\x01"
			      "a"),
			EBADMSG},
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct msg m;
		memset(&m, 0x55, sizeof m);
		cleanup_err struct err *e = NULL;
		if (msg_decode(cases[i].data, cases[i].len, &m, &e) != -1)
			fail_msg("accepted: %s", cases[i].what);
		assert_int_equal(e->code, cases[i].code);
		static const struct msg zero;
		assert_memory_equal(&m, &zero, sizeof m);
	}
}

static void unknown_keys_are_ignored(void **state)
{
	(void)state;
	static const char data[] = "\x85\xa1v\x01\xa3new\xa1x\xa1t\xa4gone\xa3url\x01\xa2id\x2a";
	cleanup_msg struct msg m = {0};
	assert_int_equal(msg_decode(data, sizeof data - 1, &m, NULL), 0);
	assert_int_equal(m.type, MSG_GONE);
	assert_int_equal(m.id, 42);
}

static void limits_hold_on_both_ends(void **state)
{
	(void)state;
	cleanup_free char *longest = xmalloc(8193), *longer = xmalloc(8194);
	memset(longest, 'a', 8192);
	memset(longer, 'a', 8193);
	longest[8192] = longer[8193] = '\0';
	struct msg in = {.type = MSG_OPEN_URL, .url = longest};
	cleanup_msg struct msg out = {0};
	cleanup_buf struct buf b = {0};
	assert_int_equal(msg_encode(&in, &b, NULL), 0);
	assert_int_equal(msg_decode(b.data, b.len, &out, NULL), 0);
	msg_free(&out);
	in.url = longer;
	size_t before = b.len;
	assert_int_equal(msg_encode(&in, &b, NULL), -1);
	assert_int_equal(b.len, before);
	msg_free(&out);
	/* the same length forged on the wire */
	b.len = 0;
	buf_add(&b, BYTES("\x83\xa1v\x01\xa1t\xa8open-url\xa3url\xda\x20\x01"));
	buf_add(&b, longer, 8193);
	assert_int_equal(msg_decode(b.data, b.len, &out, NULL), -1);
	struct msg port = {
		.type = MSG_PENDING, .id = 1, .operation = longest + 8190, .object = longest + 8190, .port = 65536};
	assert_int_equal(msg_encode(&port, &b, NULL), -1);
	struct msg missing = {.type = MSG_OPEN_URL};
	assert_int_equal(msg_encode(&missing, &b, NULL), -1);
}

static void packets_cross_a_socket(void **state)
{
	(void)state;
	int s[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
	cleanup_err struct err *e = NULL;
	cleanup_msg struct msg in = {.type = MSG_ANSWER, .id = 7, .answer = xstrdup("once")}, out = {0};
	assert_int_equal(msg_send(s[0], &in, &e), 0);
	assert_int_equal(msg_recv(s[1], &out, 1000, &e), 1);
	assert_string_equal(out.answer, "once");
	msg_free(&out);
	assert_int_equal(msg_recv(s[1], &out, 1, &e), -1);
	assert_int_equal(e->code, ETIMEDOUT);
	static char big[PROTO_MAX + 1];
	assert_int_equal(send(s[0], big, sizeof big, 0), sizeof big);
	assert_int_equal(msg_recv(s[1], &out, 1000, &e), -1);
	assert_int_equal(e->code, EMSGSIZE);
	close(s[0]);
	assert_int_equal(msg_recv(s[1], &out, 1000, &e), 0);
	assert_int_equal(msg_send(s[1], &in, &e), -1);
	assert_int_equal(e->code, EPIPE);
	close(s[1]);
}

static void listener_is_private_and_replaces_only_the_dead(void **state)
{
	(void)state;
	char dir[128] = "/tmp/nono-proto-XXXXXX";
	assert_non_null(mkdtemp(dir));
	/* longer than sun_path */
	cleanup_free char *deep = xasprintf("%s/%0*d", dir, 120, 0);
	cleanup_free char *path = xasprintf("%s/a.sock", deep);
	cleanup_err struct err *e = NULL;
	assert_int_equal(dir_create(deep, 0700, &e), 0);
	mode_t old = umask(0);
	int fd = msg_listen(path, &e);
	umask(old);
	assert_true(fd >= 0);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(msg_listen(path, &e), -1);
	assert_int_equal(e->code, EADDRINUSE);
	close(fd);
	fd = msg_listen(path, &e);
	assert_true(fd >= 0);

	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int c = accept(fd, NULL, NULL);
		struct msg m = {0};
		if (c < 0 || msg_recv(c, &m, 5000, NULL) != 1 || m.type != MSG_HELLO || msg_send(c, &m, NULL) < 0)
			_exit(1);
		_exit(0);
	}
	int c = msg_connect(path, &e);
	assert_true(c >= 0);
	close(c);
	close(fd);
	assert_int_equal(msg_connect(path, &e), -1);
	assert_int_equal(dir_remove(dir, &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_keeps_its_fields_and_drops_the_others),
		cmocka_unit_test(largest_numbers_survive),
		cmocka_unit_test(malformed_packets_are_refused_with_a_reason),
		cmocka_unit_test(unknown_keys_are_ignored),
		cmocka_unit_test(limits_hold_on_both_ends),
		cmocka_unit_test(packets_cross_a_socket),
		cmocka_unit_test(listener_is_private_and_replaces_only_the_dead),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
