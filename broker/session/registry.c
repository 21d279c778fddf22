/* SPDX-License-Identifier: Apache-2.0 */
/* registry.c - the records of live sessions, for the command line in other terminals. */
#include "session/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <sys/file.h>
#include <time.h>

static void add_string(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, value ? json_object_new_string(value) : NULL);
}

/* The command as one line; arguments that hold a space are quoted. */
static char *command_line(char *const argv[])
{
	struct buf b = {0};
	for (size_t i = 0; argv[i]; i++)
		buf_addf(&b, strpbrk(argv[i], " \t\n'\"") ? "%s\"%s\"" : "%s%s", i ? " " : "", argv[i]);
	return buf_steal(&b);
}

/* Start time of a process in clock ticks since boot: with the pid it names one process for good. */
static int64_t start_ticks(pid_t pid)
{
	char path[64], *text = NULL;
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (file_read(path, 4096, &text, NULL, NULL) < 0)
		return 0;
	cleanup_free char *owned = text;
	const char *p = strrchr(owned, ')');
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	return p ? strtoll(p + 1, NULL, 10) : 0;
}

int registry_write(const struct place *p, const struct session_options *o, const char *workdir, pid_t guard,
	pid_t child, struct err **e)
{
	char started[32];
	time_t now = time(NULL);
	struct tm tm;
	strftime(started, sizeof(started), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	cleanup_free char *command = command_line(o->argv);

	struct json_object *r = json_object_new_object();
	add_string(r, "session_id", p->id);
	add_string(r, "name", o->name);
	json_object_object_add(r, "supervisor_pid", json_object_new_int(guard));
	json_object_object_add(r, "child_pid", json_object_new_int(child));
	add_string(r, "started", started);
	json_object_object_add(r, "started_epoch", json_object_new_int64(start_ticks(guard)));
	json_object_object_add(r, "started_unix", json_object_new_int64(now));
	add_string(r, "status", "running");
	add_string(r, "command", command);
	add_string(r, "profile", o->profile_ref);
	add_string(r, "workdir", workdir);
	add_string(r, "control", p->control);
	const char *text = json_object_to_json_string_ext(r, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	size_t len = strlen(text);
	/* the record itself is locked, so it is written in place; readers skip what does not parse */
	int rc = 0;
	if (ftruncate(p->lock, 0) < 0 || pwrite(p->lock, text, len, 0) != (ssize_t)len)
		rc = err_set(e, errno, "cannot write %s", p->record);
	json_object_put(r);
	return rc;
}

static char *string_of(struct json_object *r, const char *key)
{
	struct json_object *v;
	return json_object_object_get_ex(r, key, &v) && v ? xstrdup(json_object_get_string(v)) : NULL;
}

static int64_t number_of(struct json_object *r, const char *key)
{
	struct json_object *v;
	return json_object_object_get_ex(r, key, &v) ? json_object_get_int64(v) : 0;
}

/* Read one record if its session lives. */
static bool read_record(const char *path, struct session_info *s)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || flock(fd, LOCK_SH | LOCK_NB) == 0)
		return false; /* nobody holds it: left by a session that died */
	cleanup_free char *text = NULL;
	if (file_read(path, 1 << 20, &text, NULL, NULL) < 0)
		return false;
	struct json_object *r = json_tokener_parse(text);
	if (!json_object_is_type(r, json_type_object)) {
		json_object_put(r);
		return false;
	}
	*s = (struct session_info){
		.id = string_of(r, "session_id"),
		.name = string_of(r, "name"),
		.profile = string_of(r, "profile"),
		.command = string_of(r, "command"),
		.workdir = string_of(r, "workdir"),
		.control = string_of(r, "control"),
		.pid = (pid_t)number_of(r, "supervisor_pid"),
		.child = (pid_t)number_of(r, "child_pid"),
		.started = number_of(r, "started_unix"),
	};
	json_object_put(r);
	return s->id && s->control;
}

static int newest_first(const void *a, const void *b)
{
	const struct session_info *x = a, *y = b;
	return x->started == y->started ? strcmp(x->id, y->id) : (x->started < y->started ? 1 : -1);
}

static void clear(struct session_info *s)
{
	free(s->id);
	free(s->name);
	free(s->profile);
	free(s->command);
	free(s->workdir);
	free(s->control);
}

struct session_info *session_list(size_t *n)
{
	struct session_info *list = NULL;
	*n = 0;
	cleanup_free char *runtime = runtime_dir();
	cleanup_free char *dir = path_join(runtime, "sessions");
	cleanup_dir DIR *d = opendir(dir);
	struct dirent *de;
	while (d && (de = readdir(d))) {
		if (!str_ends(de->d_name, ".json"))
			continue;
		cleanup_free char *path = path_join(dir, de->d_name);
		struct session_info s = {0};
		if (!read_record(path, &s)) {
			clear(&s);
			continue;
		}
		list = xreallocarray(list, *n + 1, sizeof(*list));
		list[(*n)++] = s;
	}
	if (list)
		qsort(list, *n, sizeof(*list), newest_first);
	return list;
}

int session_find(const char *ref, struct session_info *out, struct err **e)
{
	size_t n, found = 0, at = 0;
	struct session_info *list = session_list(&n);
	for (size_t i = 0; i < n; i++) {
		bool exact = ref && (strcmp(list[i].id, ref) == 0 || (list[i].name && strcmp(list[i].name, ref) == 0));
		if (exact || !ref || (ref[0] && str_starts(list[i].id, ref))) {
			if (found++ == 0 || exact)
				at = i;
			if (exact || !ref) {
				found = 1;
				break;
			}
		}
	}
	int rc = 0;
	if (found == 0)
		rc = ref ? err_set(e, 0, "no session is called %s", ref) : err_set(e, 0, "no session is running");
	else if (found > 1)
		rc = err_set(e, 0, "%s is the beginning of more than one session's identity", ref);
	if (rc == 0) {
		*out = list[at];
		list[at] = (struct session_info){0};
	}
	session_info_free(list, n);
	return rc;
}

void session_info_free(struct session_info *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		clear(&s[i]);
	free(s);
}
