/* SPDX-License-Identifier: Apache-2.0 */
/* helper.c - inside the tree: hand a URL to the broker and report its answer by the exit status. */
#include "open/open.h"

#include "proto/proto.h"

int open_helper_main(int argc, char **argv)
{
	const char *socket = getenv("NONO_SOCKET");
	if (argc != 2 || argv[1][0] == '-') {
		say_error("one page is opened at a time, without options: nono open-url-helper URL");
		return 2;
	}
	if (!socket || !*socket) {
		say_error("this is not a program of a session: NONO_SOCKET is not set");
		return 1;
	}
	if (!strstr(argv[1], "://")) {
		say_error("only pages are opened from inside the sandbox, no files or programs");
		return 2;
	}
	cleanup_err struct err *e = NULL;
	cleanup_fd int fd = msg_connect(socket, &e);
	struct msg m = {.type = MSG_OPEN_URL, .url = argv[1]};
	cleanup_msg struct msg answer = {0};
	if (fd < 0 || msg_send(fd, &m, &e) < 0 || msg_recv(fd, &answer, -1, &e) <= 0) {
		say_error("the page was not opened: %s", e ? err_msg(e) : "the session has ended");
		return 1;
	}
	if (answer.type != MSG_RESULT || answer.status != 0) {
		cleanup_free char *why = str_sanitize(answer.text ? answer.text : "no reason was given");
		say_error("the page was not opened: %s", why);
		return 1;
	}
	return 0;
}
