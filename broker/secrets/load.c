/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.c - fetch what references name.
 *
 * Theory of operation
 *
 * What may wait for a person or another program (the keyring, op, bw) is fetched
 * by a child process with a deadline: it writes the secret, or the sentence that
 * says why there is none, into a pipe and ends. The broker keeps no thread, no
 * library and no second copy of it.
 */
#include "secrets/internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#define SECRET_MAX 65536
#define KEYRING_SECONDS 120
#define COMMAND_SECONDS 30

void secret_free(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

static void free_secret(char **secret)
{
	secret_free(*secret);
}
#define cleanup_secret __attribute__((cleanup(free_secret), unused))

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Read @fd to its end into @data. Return: bytes read, -ETIMEDOUT, -EFBIG or another errno. */
static ssize_t read_until(int fd, char *data, size_t size, int64_t deadline)
{
	size_t n = 0;
	for (;;) {
		const int64_t left = deadline < 0 ? -1 : deadline - now_ms();
		if (deadline >= 0 && left <= 0)
			return -ETIMEDOUT;
		struct pollfd p = {.fd = fd, .events = POLLIN};
		const int rc = poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left);
		if (rc <= 0 && (rc == 0 || errno == EINTR))
			continue;
		const ssize_t got = rc < 0 ? -1 : read(fd, data + n, size - n);
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got == 0)
			return (ssize_t)n;
		n += got > 0 ? (size_t)got : 0;
		if (n == size)
			return -EFBIG;
	}
}

static NORETURN void keyring_child(const struct secret_ref *r, int out)
{
	cleanup_err struct err *e = NULL;
	char *secret = NULL;
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	const int rc = keyring_find(r->where, r->what, &secret, &e);
	const char *text = rc == 0 ? secret : err_msg(e);
	const int written = io_write_all(out, text, strlen(text));
	_exit(rc == 0 && written == 0 ? 0 : 1);
}

static NORETURN void command_child(const struct secret_ref *r, int out)
{
	const char *op[] = {"op", "read", "--", r->where, NULL};
	const char *bw[] = {"bw", "get", r->what ? "item" : "password", "--", r->where, NULL};
	const char **argv = r->kind == SECRET_OP ? op : bw;
	const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
		_exit(126);
	execvp(argv[0], (char **)argv);
	_exit(127);
}

/* What an ended child means when it gave no secret. */
static int child_failed(const struct secret_ref *r, int status, const char *text, struct err **e)
{
	if (r->kind == SECRET_NAME || r->kind == SECRET_KEYRING) {
		if (WIFEXITED(status) && *text)
			return err_set(e, 0, "%s", text);
		return err_set(e, 0, "the process that reads the keyring ended with signal %d", WTERMSIG(status));
	}
	const char *program = r->kind == SECRET_OP ? "op" : "bw";
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return err_set(e, 0, "there is no program %s on PATH that can be run", program);
	if (WIFEXITED(status))
		return err_set(e, 0, "%s ended with status %d", program, WEXITSTATUS(status));
	return err_set(e, 0, "%s ended with signal %d", program, WTERMSIG(status));
}

/* Run @child with a pipe and a deadline. Return: 0 and its output in *@out, or -1. */
static int from_child(const struct secret_ref *r, NORETURN void (*child)(const struct secret_ref *, int), long seconds,
	char **out, struct err **e)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(e, errno, "cannot make a pipe");
	cleanup_fd int in = fds[0];
	cleanup_fd int write_end = fds[1];
	const pid_t broker = getpid();
	const pid_t pid = fork();
	if (pid < 0)
		return err_set(e, errno, "cannot make a process");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		if (getppid() != broker)
			_exit(126);
		child(r, write_end);
	}
	close(steal_fd(&write_end));
	cleanup_secret char *data = xcalloc(1, SECRET_MAX + 1);
	const ssize_t n = read_until(in, data, SECRET_MAX, seconds ? now_ms() + seconds * 1000 : -1);
	int status = 0;
	if (n < 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (n == -ETIMEDOUT)
		return err_set(e, 0, "nothing came within %ld seconds%s", seconds,
			child == keyring_child ? " (NONO_KEYRING_TIMEOUT_SECS sets another time, 0 waits)" : "");
	if (n < 0)
		return err_set(e, (int)-n, "cannot be read");
	if (status != 0)
		return child_failed(r, status, data, e);
	if (strlen(data) != (size_t)n)
		return err_set(e, 0, "its value has a zero byte in it and fits no variable");
	*out = steal_ptr(&data);
	return 0;
}

static int keyring_seconds(long *out, struct err **e)
{
	const char *text = getenv("NONO_KEYRING_TIMEOUT_SECS");
	*out = KEYRING_SECONDS;
	if (!text || !*text)
		return 0;
	char *end;
	errno = 0;
	*out = strtol(text, &end, 10);
	if (*end || errno || *out < 0 || *out > 86400)
		return err_set(
			e, 0, "NONO_KEYRING_TIMEOUT_SECS is \"%s\": a number of seconds up to 86400 is needed", text);
	return 0;
}

static int load_keyring(const struct secret_ref *r, char **out, struct err **e)
{
	long seconds;
	cleanup_secret char *stored = NULL;
	if (keyring_seconds(&seconds, e) < 0 || from_child(r, keyring_child, seconds, &stored, e) < 0)
		return -1;
	if (r->decode)
		return secret_decode_go(stored, out, e);
	*out = steal_ptr(&stored);
	return 0;
}

/* Programs and files end their text with one line end that is no part of it. */
static void drop_newline(char *text)
{
	size_t n = strlen(text);
	if (n && text[n - 1] == '\n')
		text[--n] = '\0';
	if (n && text[n - 1] == '\r')
		text[n - 1] = '\0';
}

static int load_env(const struct secret_ref *r, char **out, struct err **e)
{
	const char *value = getenv(r->where);
	if (!value)
		return err_set(e, 0, "variable %s is not set", r->where);
	*out = xstrdup(value);
	return 0;
}

static int load_file(const struct secret_ref *r, char **out, struct err **e)
{
	cleanup_secret char *data = NULL;
	size_t len = 0;
	if (file_read(r->where, SECRET_MAX, &data, &len, e) < 0)
		return -1;
	if (strlen(data) != len)
		return err_set(e, 0, "%s has a zero byte in it and fits no variable", r->where);
	drop_newline(data);
	*out = steal_ptr(&data);
	return 0;
}

static int load_op(const struct secret_ref *r, char **out, struct err **e)
{
	if (from_child(r, command_child, COMMAND_SECONDS, out, e) < 0)
		return -1;
	drop_newline(*out);
	return 0;
}

/* The field of a Bitwarden item: of its login, its notes, or one of its own. Borrowed, NULL when absent. */
static const char *bw_field(struct json_object *item, const char *name)
{
	struct json_object *login = json_object_object_get(item, "login");
	struct json_object *value = json_object_object_get(login, name);
	if (!value && strcmp(name, "notes") == 0)
		value = json_object_object_get(item, "notes");
	struct json_object *fields = json_object_object_get(item, "fields");
	const size_t n = json_object_is_type(fields, json_type_array) ? json_object_array_length(fields) : 0;
	for (size_t i = 0; i < n && !value; i++) {
		struct json_object *field = json_object_array_get_idx(fields, i);
		const char *own = json_object_get_string(json_object_object_get(field, "name"));
		if (own && strcmp(own, name) == 0)
			value = json_object_object_get(field, "value");
	}
	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

static int load_bw(const struct secret_ref *r, char **out, struct err **e)
{
	if (!r->what)
		return load_op(r, out, e);
	cleanup_secret char *text = NULL;
	if (from_child(r, command_child, COMMAND_SECONDS, &text, e) < 0)
		return -1;
	struct json_object *item = json_tokener_parse(text);
	const char *value = bw_field(item, r->what);
	*out = xstrdup(value);
	if (value)
		explicit_bzero((char *)value, strlen(value));
	json_object_put(item);
	return *out ? 0 : err_set(e, 0, "the item has no field %s", r->what);
}

static int (*const loaders[])(const struct secret_ref *r, char **out, struct err **e) = {
	[SECRET_NAME] = load_keyring,
	[SECRET_ENV] = load_env,
	[SECRET_FILE] = load_file,
	[SECRET_OP] = load_op,
	[SECRET_BW] = load_bw,
	[SECRET_KEYRING] = load_keyring,
};
static_assert(ARRAY_SIZE(loaders) == N_SECRET_KINDS, "every kind of reference has a loader");

int secret_load(const char *ref, char **out, struct err **e)
{
	struct secret_ref r;
	cleanup_secret char *value = NULL;
	if (secret_ref_parse(ref, &r, e) < 0)
		return -1;
	int rc = loaders[r.kind](&r, &value, e);
	secret_ref_free(&r);
	if (rc == 0 && !*value)
		rc = err_set(e, 0, "it is empty");
	if (rc < 0)
		return err_wrap(e, "secret \"%s\"", ref);
	*out = steal_ptr(&value);
	return 0;
}

int secrets_load_all(const struct pairs *wanted, struct pairs *out, struct err **e)
{
	for (size_t i = 0; i < wanted->n; i++) {
		const struct pair *p = &wanted->v[i];
		bool replaced = false;
		for (size_t j = i + 1; j < wanted->n && !replaced; j++)
			replaced = strcmp(wanted->v[j].value, p->value) == 0;
		if (replaced)
			continue;
		cleanup_secret char *value = NULL;
		if (secret_variable_check(p->value, e) < 0 || secret_load(p->key, &value, e) < 0) {
			secrets_wipe(out);
			return err_wrap(e, "nothing was started, %s is missing", p->value);
		}
		pairs_set(out, p->value, value, &p->origin);
		say_info("%s holds the secret \"%s\": the program can read it", p->value, p->key);
	}
	return 0;
}

void secrets_wipe(struct pairs *values)
{
	for (size_t i = 0; i < values->n; i++)
		explicit_bzero(values->v[i].value, strlen(values->v[i].value));
	pairs_free(values);
	*values = (struct pairs){0};
}
