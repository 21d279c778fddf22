/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command.c - `nono approve` and `nono grants`: a running session's questions and
 * grants, from another terminal or a script, over the session's control socket.
 */
#include "approve/remote.h"

#include "approve/internal.h"

#include "proto/proto.h"
#include "session/session.h"

#include <errno.h>
#include <getopt.h>
#include <json.h>
#include <time.h>

#define REPLY_MS 10000
#define ENDING_TRIES 50 /* for a second */

/* Whether @problem is what one sees of a session that is just ending: its record is about to go. */
static bool is_ending(const struct err *problem)
{
	static const int codes[] = {ECONNRESET, EPIPE, ECONNREFUSED, ENOENT};
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (problem && problem->code == codes[i])
			return true;
	return false;
}

/* Return: a descriptor or -1; *@ending: the session was just ending. */
static int connect_once(const char *session, char **id, bool *ending, struct err **e)
{
	struct session_info info = {0};
	if (session_find(session, &info, e) < 0)
		return -1;
	int fd = msg_connect(info.control, e);
	*ending = fd < 0 && is_ending(*e);
	if (fd >= 0 && id)
		*id = steal_ptr(&info.id);
	free(info.id);
	free(info.name);
	free(info.profile);
	free(info.command);
	free(info.workdir);
	free(info.control);
	return fd;
}

int remote_connect(const char *session, char **id, struct err **e)
{
	const struct timespec moment = {.tv_nsec = 20000000};
	if (getenv("NONO_CAP_FILE"))
		return err_set(e, 0, "questions cannot be answered from inside a sandbox");
	for (unsigned tries = 0;; tries++) {
		cleanup_err struct err *problem = NULL;
		bool ending = false;
		int fd = connect_once(session, id, &ending, &problem);
		if (fd >= 0)
			return fd;
		if (!ending || tries == ENDING_TRIES)
			return err_set(e, problem->code, "%s", err_msg(problem));
		nanosleep(&moment, NULL);
	}
}

/* A session that ends closes its socket at any moment. */
static int request_failed(const struct err *problem, struct err **e)
{
	if (problem->code == ECONNRESET || problem->code == EPIPE)
		return err_set(e, 0, "the session has ended");
	return err_set(e, 0, "%s", err_msg(problem));
}

int remote_request(int fd, const struct msg *request, remote_other *other, void *data, char **text, struct err **e)
{
	cleanup_err struct err *problem = NULL;
	if (msg_send(fd, request, &problem) < 0)
		return request_failed(problem, e);
	for (;;) {
		cleanup_msg struct msg m = {0};
		int r = msg_recv(fd, &m, REPLY_MS, &problem);
		if (r < 0)
			return request_failed(problem, e);
		if (r == 0)
			return err_set(e, 0, "the session has ended");
		if (m.type != MSG_RESULT) {
			if (other)
				other(data, &m);
			continue;
		}
		if (m.status != 0)
			return err_set(e, 0, "%s", m.text ? m.text : "refused");
		if (text)
			*text = steal_ptr(&m.text);
		return 0;
	}
}

bool remote_pending(struct msg *m, struct pending *p)
{
	unsigned op = 0;
	while (op < OP_COUNT && strcmp(operation_name((enum operation)op), m->operation) != 0)
		op++;
	if (op == OP_COUNT)
		return false; /* a newer broker: nothing sensible can be shown */
	*p = (struct pending){.id = m->id, .waiting = (unsigned)m->number};
	const struct question q = {.op = (enum operation)op,
		.kind = (enum question_kind)m->kind,
		.object = m->object,
		.asked = m->asked,
		.rule = m->rule,
		.program = m->program,
		.parent = m->parent,
		.port = m->port,
		.tgid = (pid_t)m->pid,
		.udp = m->udp,
		.protected_object = m->flag,
		.is_dir = m->is_dir};
	question_copy(&p->q, &q);
	return true;
}

struct approve_flags {
	const char *session, *answer, *dir;
	bool next, list, popup;
	uint64_t id;
	unsigned wait;
};

static void print_json(const struct msg *m)
{
	struct json_object *o = json_object_new_object();
	const struct {
		const char *key, *value;
	} strings[] = {{"operation", m->operation}, {"object", m->object}, {"asked", m->asked}, {"program", m->program},
		{"parent", m->parent}, {"rule", m->rule}};
	json_object_object_add(o, "id", json_object_new_int64((int64_t)m->id));
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
		const char *v = strings[i].value;
		cleanup_free char *safe = v && !utf8_valid(v, strlen(v), NULL) ? str_sanitize(v) : NULL;
		if (v)
			json_object_object_add(o, strings[i].key, json_object_new_string(safe ? safe : v));
	}
	if (m->pid)
		json_object_object_add(o, "pid", json_object_new_int64(m->pid));
	if (m->port)
		json_object_object_add(o, "port", json_object_new_int((int)m->port));
	json_object_object_add(o, "kind", json_object_new_string(question_kind_name((enum question_kind)m->kind)));
	json_object_object_add(o, "protected", json_object_new_boolean(m->flag));
	json_object_object_add(o, "waiting", json_object_new_int64((int64_t)m->number));
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static void on_list(void *data, struct msg *m)
{
	bool *any = data;
	if (m->type != MSG_PENDING)
		return;
	*any = true;
	print_json(m);
}

/* Remember the first question only. */
static void on_first(void *data, struct msg *m)
{
	struct msg *first = data;
	if (m->type != MSG_PENDING || first->type == MSG_PENDING)
		return;
	*first = *m;
	*m = (struct msg){0};
}

/* The first question; waits for one to open, at most @wait seconds. Return: 0, or -1. */
static int first_question(int fd, unsigned wait, struct msg *first, struct err **e)
{
	struct msg list = {.type = MSG_PENDING_LIST}, watch = {.type = MSG_WATCH};
	if (remote_request(fd, &list, on_first, first, NULL, e) < 0)
		return -1;
	if (first->type == MSG_PENDING)
		return 0;
	if (!wait)
		return err_set(e, 0, "no question is open");
	if (msg_send(fd, &watch, e) < 0)
		return -1;
	while (first->type != MSG_PENDING) {
		cleanup_msg struct msg m = {0};
		int r = msg_recv(fd, &m, (int)wait * 1000, e);
		if (r < 0)
			return e && *e && (*e)->code == ETIMEDOUT ? err_set(e, 0, "no question is open") : -1;
		if (r == 0)
			return err_set(e, 0, "the session ended");
		on_first(first, &m);
	}
	return 0;
}

static int answer_one(int fd, const struct approve_flags *f, struct err **e)
{
	struct msg m = {.type = MSG_ANSWER, .id = f->id, .answer = (char *)f->answer, .dir = (char *)f->dir};
	return remote_request(fd, &m, NULL, NULL, NULL, e);
}

static int run_approve(struct approve_flags *f, struct err **e)
{
	cleanup_free char *id = NULL;
	cleanup_fd int fd = remote_connect(f->session, &id, e);
	if (fd < 0)
		return -1;
	if (f->list) {
		bool any = false;
		struct msg list = {.type = MSG_PENDING_LIST};
		return remote_request(fd, &list, on_list, &any, NULL, e);
	}
	if (f->next) {
		cleanup_msg struct msg first = {0};
		if (first_question(fd, f->wait, &first, e) < 0)
			return -1;
		print_json(&first);
		f->id = first.id;
		return f->answer ? answer_one(fd, f, e) : 0;
	}
	if (f->id)
		return answer_one(fd, f, e);
	return remote_screen(steal_fd(&fd), id, f->popup, e);
}

static const char approve_usage[] =
	"Usage: nono approve [--session ID]                    answer questions of a running session on one screen\n"
	"       nono approve --list                            print the open questions, one JSON object a line\n"
	"       nono approve --next [--wait SECONDS] [--answer WORD [--dir DIR]]\n"
	"                                                      print the first question, and answer it\n"
	"       nono approve ID --answer WORD [--dir DIR]      answer one question\n"
	"WORD is once, session, always, no or never. --dir allows that directory with everything beneath.\n";

/* What is wrong with the words given; takes over the question's number. New string, or NULL when all is well. */
static char *approve_mistake(struct approve_flags *f, const char *number, const char *more)
{
	enum answer ignored;
	char *end = NULL;
	f->id = number ? strtoull(number, &end, 10) : 0;
	if (number && (f->id == 0 || *end))
		return xasprintf("%s is not the number of a question", number);
	if (more)
		return xasprintf("one question at a time: %s is too many", more);
	if (f->answer && !answer_parse(f->answer, &ignored))
		return xasprintf("--answer %s: there are once, session, always, no and never", f->answer);
	if (f->wait > 86400)
		return xasprintf("--wait takes seconds, at most 86400");
	if (f->id && !f->answer)
		return xasprintf("question %s: say what with --answer", number);
	if (f->answer && !f->id && !f->next)
		return xasprintf("--answer needs the number of a question, or --next");
	return f->dir && !f->answer ? xasprintf("--dir needs --answer") : NULL;
}

static int parse_approve(int argc, char **argv, struct approve_flags *f)
{
	static const struct option options[] = {{"session", required_argument, NULL, 's'},
		{"next", no_argument, NULL, 'n'}, {"list", no_argument, NULL, 'l'}, {"popup", no_argument, NULL, 'p'},
		{"answer", required_argument, NULL, 'a'}, {"dir", required_argument, NULL, 'd'},
		{"wait", required_argument, NULL, 'w'}, {"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	const char *number = NULL;
	optind = 0;
	for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
		if (c == 's')
			f->session = optarg;
		else if (c == 'n')
			f->next = true;
		else if (c == 'l')
			f->list = true;
		else if (c == 'p')
			f->popup = true;
		else if (c == 'a')
			f->answer = optarg;
		else if (c == 'd')
			f->dir = optarg;
		else if (c == 'w')
			f->wait = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'h')
			return fputs(approve_usage, stdout) < 0 ? 2 : -1;
		else if (c != 'j') /* --json is what scripts get anyway */
			return 2;
	}
	if (optind < argc)
		number = argv[optind++];
	cleanup_free char *wrong = approve_mistake(f, number, optind < argc ? argv[optind] : NULL);
	if (!wrong)
		return 0;
	say_error("%s", wrong);
	fputs("Try `nono approve --help`.\n", stderr);
	return 2;
}

int approve_command(int argc, char **argv)
{
	cleanup_err struct err *e = NULL;
	struct approve_flags f = {0};
	int r = parse_approve(argc, argv, &f);
	if (r != 0)
		return r < 0 ? 0 : r;
	if (run_approve(&f, &e) == 0)
		return 0;
	say_error("%s", err_msg(e));
	return 1;
}

static void on_grant(void *data, struct msg *m)
{
	bool *json = data;
	if (m->type != MSG_GRANT)
		return;
	if (!*json) {
		cleanup_free char *safe = str_sanitize(m->text);
		printf("%4llu  %s%s\n", (unsigned long long)m->id, m->flag ? "never: " : "", safe);
		return;
	}
	struct json_object *o = json_object_new_object();
	cleanup_free char *safe = utf8_valid(m->text, strlen(m->text), NULL) ? NULL : str_sanitize(m->text);
	json_object_object_add(o, "id", json_object_new_int64((int64_t)m->id));
	json_object_object_add(o, "grant", json_object_new_string(safe ? safe : m->text));
	json_object_object_add(o, "never", json_object_new_boolean(m->flag));
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

int grants_command(int argc, char **argv)
{
	static const struct option options[] = {{"session", required_argument, NULL, 's'},
		{"revoke", required_argument, NULL, 'r'}, {"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	static const char usage[] =
		"Usage: nono grants [--session ID] [--json]         list what was allowed or refused "
		"for the session\n"
		"       nono grants [--session ID] --revoke ID      take one of them back\n";
	cleanup_err struct err *e = NULL;
	const char *session = NULL;
	bool json = false;
	struct msg m = {.type = MSG_GRANT_LIST};
	optind = 0;
	for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
		if (c == 's')
			session = optarg;
		else if (c == 'j')
			json = true;
		else if (c == 'h')
			return fputs(usage, stdout) < 0;
		else if (c == 'r')
			m = (struct msg){.type = MSG_REVOKE, .id = strtoull(optarg, NULL, 10)};
		else
			return 2;
	}
	if (optind < argc)
		return fputs(usage, stderr) < 0 ? 1 : 2;
	cleanup_fd int fd = remote_connect(session, NULL, &e);
	if (fd >= 0 && remote_request(fd, &m, on_grant, &json, NULL, &e) == 0)
		return 0;
	say_error("%s", err_msg(e));
	return 1;
}
