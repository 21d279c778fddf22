/* SPDX-License-Identifier: Apache-2.0 */
/*
 * denials.c - the log of refusals: what was refused to whom, by which rule.
 *
 * One file a session, one JSON object a line. Equal refusals are one record with a count:
 * the first is written at once, so that `nono why` in another terminal finds
 * it, later counts when they double and at the end ({"id": N, "count": M}). A session
 * without refusals leaves no file. The newest KEEP files stay.
 */
#include "explain/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

#define BUCKETS 256U
#define RECORDS_MAX 2000 /* distinct refusals kept for one session */
#define KEEP 50          /* logs */
#define LOG_MAX (16UL * 1024 * 1024)

struct explain {
	char *session;
	const struct policy *policy;
	pthread_mutex_t lock;
	struct record *hash[BUCKETS];
	struct record **records;
	size_t n;
	unsigned dropped; /* refusals beyond RECORDS_MAX */
	int fd;
	bool failed; /* the log cannot be written: said once */
};

void record_free(struct record *r)
{
	if (!r)
		return;
	free(r->asked);
	free(r->resolved);
	free(r->program);
	free(r->parent);
	free(r->rule);
	free(r->source);
	free(r->answer);
	free(r->suggest);
	free(r);
}

char *denials_dir(void)
{
	cleanup_free char *state = state_dir();
	return path_join(state, "denials");
}

int explain_start(struct explain **out, const char *session_id, const struct policy *policy, struct err **e)
{
	if (!session_id || !*session_id || strchr(session_id, '/'))
		return err_set(e, EINVAL, "session id \"%s\"", session_id ? session_id : "");
	struct explain *x = xcalloc(1, sizeof *x);
	x->session = xstrdup(session_id);
	x->policy = policy;
	x->fd = -1;
	pthread_mutex_init(&x->lock, NULL);
	*out = x;
	return 0;
}

/* Remove the oldest logs beyond KEEP - 1, so that there is room for ours. */
static void rotate(const char *dir)
{
	for (;;) {
		cleanup_dir DIR *d = opendir(dir);
		char oldest[256] = "";
		struct timespec when = {0};
		unsigned n = 0;
		for (const struct dirent *de; d && (de = readdir(d));) {
			struct stat st;
			if (!str_ends(de->d_name, ".jsonl") ||
				fstatat(dirfd(d), de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
				continue;
			bool older = st.st_mtim.tv_sec < when.tv_sec ||
				     (st.st_mtim.tv_sec == when.tv_sec && st.st_mtim.tv_nsec < when.tv_nsec);
			if (n++ == 0 || older) {
				snprintf(oldest, sizeof oldest, "%s", de->d_name);
				when = st.st_mtim;
			}
		}
		if (n < KEEP || unlinkat(dirfd(d), oldest, 0) < 0)
			return;
	}
}

static int open_log(struct explain *x, struct err **e)
{
	cleanup_free char *dir = denials_dir();
	if (dir_create(dir, 0700, e) < 0)
		return -1;
	rotate(dir);
	cleanup_free char *path = xasprintf("%s/%s.jsonl", dir, x->session);
	x->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	return x->fd < 0 ? err_set(e, errno, "cannot open %s", path) : 0;
}

static void write_line(struct explain *x, struct json_object *o)
{
	cleanup_err struct err *e = NULL;
	cleanup_buf struct buf b = {0};
	buf_adds(&b, json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	buf_addc(&b, '\n');
	json_object_put(o);
	if (x->failed)
		return;
	if (x->fd < 0 && open_log(x, &e) < 0)
		x->failed = true;
	else if (io_write_all(x->fd, b.data, b.len) < 0)
		x->failed = err_set(&e, errno, "cannot write the log of refusals") < 0;
	if (x->failed)
		say("%s; nono why will not know about this session", err_msg(e));
}

static void write_count(struct explain *x, const struct record *r)
{
	struct json_object *o = json_object_new_object();
	json_object_object_add(o, "id", json_object_new_int64(r->id));
	json_object_object_add(o, "count", json_object_new_int64(r->count));
	write_line(x, o);
}

void explain_stop(struct explain *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < x->n; i++) {
		if (x->records[i]->count & (x->records[i]->count - 1)) /* not written when it doubled */
			write_count(x, x->records[i]);
		record_free(x->records[i]);
	}
	if (x->fd >= 0)
		close(x->fd);
	free(x->records);
	free(x->session);
	pthread_mutex_destroy(&x->lock);
	free(x);
}

static bool equal_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static unsigned hash(const struct denial *d)
{
	return hash_text(HASH_SEED ^ (uint32_t)d->op ^ d->port << 8, d->resolved ? d->resolved : "") % BUCKETS;
}

static struct record *find(struct explain *x, const struct denial *d, bool granted)
{
	struct record *r = x->hash[hash(d)];
	while (r && !(r->op == d->op && r->port == d->port && r->udp == d->udp && r->granted == granted &&
			    equal_text(r->resolved, d->resolved) && equal_text(r->program, d->program) &&
			    equal_text(r->answer, d->answer)))
		r = r->hash_next;
	return r;
}

static struct record *add(struct explain *x, const struct denial *d, bool granted)
{
	struct record *r = xcalloc(1, sizeof *r);
	*r = (struct record){.id = (unsigned)x->n + 1,
		.granted = granted,
		.op = d->op,
		.asked = xstrdup(d->asked),
		.resolved = xstrdup(d->resolved),
		.program = xstrdup(d->program),
		.parent = xstrdup(d->parent),
		.answer = xstrdup(d->answer),
		.port = d->port,
		.udp = d->udp,
		.pid = d->tgid,
		.err = d->err,
		.verdict = d->decision.verdict,
		.time = (int64_t)time(NULL)};
	if (d->decision.rule) {
		r->rule = rule_describe(d->decision.rule);
		r->source = xstrdup(source_name(d->decision.rule->origin.source));
	}
	/* what nothing can open has no suggestion; what the person refused for the session has */
	bool own_answer = d->decision.rule && d->decision.rule->origin.source == SOURCE_GRANT;
	if (!granted && d->resolved && d->decision.verdict != VERDICT_ALLOW &&
		(d->decision.verdict != VERDICT_NEVER || own_answer))
		r->suggest = policy_suggest_flag(x->policy, d->op, d->resolved, d->port, d->udp);
	unsigned h = hash(d);
	r->hash_next = x->hash[h];
	x->hash[h] = r;
	x->records = xreallocarray(x->records, x->n + 1, sizeof(struct record *));
	x->records[x->n++] = r;
	return r;
}

/*
 * Programs that list processes (ps, top) try the entries of every process there is. One record stands for them all.
 * Return: "/proc/N/stat" as "/proc/PID/stat" when it belongs to a process outside, else NULL. New string.
 */
static char *any_process(const struct denial *d)
{
	if (d->decision.verdict != VERDICT_NEVER || !d->resolved || !str_starts(d->resolved, "/proc/"))
		return NULL;
	const char *rest = d->resolved + 6 + strspn(d->resolved + 6, "0123456789");
	return rest == d->resolved + 6 ? NULL : xasprintf("/proc/PID%s", rest);
}

/* What is recorded, as a line of the log file. */
static void log_record(const struct record *r)
{
	cleanup_free char *object = record_object(r);
	say_log("%s %s %s by %s (process %d, number %u)%s%s%s%s", r->granted ? "allowed" : "refused",
		operation_name(r->op), object, r->program ? r->program : "?", (int)r->pid, r->id,
		r->answer ? "; answer: " : "", r->answer ? r->answer : "", r->rule ? "; rule: " : "",
		r->rule ? r->rule : "");
}

static unsigned record(struct explain *x, const struct denial *given, bool granted)
{
	cleanup_free char *process = any_process(given);
	struct denial merged = *given;
	const struct denial *d = &merged;
	if (process)
		merged.resolved = process;
	pthread_mutex_lock(&x->lock);
	struct record *r = find(x, d, granted);
	unsigned id = r ? r->id : 0;
	if (!r && x->n >= RECORDS_MAX) {
		x->dropped++;
	} else if (!r) {
		r = add(x, d, granted);
		r->quiet = !granted && (process || policy_quiet(x->policy, d->op, d->resolved ? d->resolved : ""));
		id = r->id;
		r->count = 1;
		write_line(x, record_to_json(r));
		log_record(r);
	} else {
		r->count++;
		if ((r->count & (r->count - 1)) == 0)
			write_count(x, r);
	}
	pthread_mutex_unlock(&x->lock);
	return id;
}

unsigned explain_denial(struct explain *x, const struct denial *d)
{
	return x ? record(x, d, false) : 0;
}

void explain_grant(struct explain *x, const struct denial *d)
{
	if (x)
		record(x, d, true);
}

/* ---- the logs of earlier sessions ---------------------------------------- */

/* The log that was written last, or the one that begins with @session. New string, NULL if none. */
static char *find_log(const char *dir, const char *session)
{
	cleanup_dir DIR *d = opendir(dir);
	char *best = NULL;
	struct timespec when = {0};
	for (const struct dirent *de; d && (de = readdir(d));) {
		struct stat st;
		if (!str_ends(de->d_name, ".jsonl") || fstatat(dirfd(d), de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		bool newer = st.st_mtim.tv_sec > when.tv_sec ||
			     (st.st_mtim.tv_sec == when.tv_sec && st.st_mtim.tv_nsec > when.tv_nsec);
		if ((session && !str_starts(de->d_name, session)) || (best && !newer))
			continue;
		free(best);
		best = xstrdup(de->d_name);
		when = st.st_mtim;
	}
	return best;
}

static void load_line(const char *line, struct record ***all, size_t *n)
{
	struct json_object *o = json_tokener_parse(line), *count;
	struct record *r = o ? record_from_json(o) : NULL;
	if (r && !r->resolved && r->id > 0 && r->id <= *n && json_object_object_get_ex(o, "count", &count)) {
		(*all)[r->id - 1]->count = r->count;
	} else if (r && r->resolved && r->id == *n + 1) {
		*all = xreallocarray(*all, *n + 1, sizeof(struct record *));
		(*all)[(*n)++] = steal_ptr(&r);
	}
	record_free(r);
	json_object_put(o);
}

struct record **denials_load(const char *session, size_t *n, char **name, struct err **e)
{
	cleanup_free char *dir = denials_dir();
	cleanup_free char *file = find_log(dir, session);
	*n = 0;
	if (!file) {
		err_set(e, 0, session ? "no refusals are recorded for session %s" : "no refusals are recorded%s",
			session ? session : "");
		return NULL;
	}
	cleanup_free char *path = path_join(dir, file);
	cleanup_free char *data = NULL;
	if (file_read(path, LOG_MAX, &data, NULL, e) < 0)
		return NULL;
	struct record **all = xcalloc(1, sizeof(struct record *));
	char *save = NULL;
	for (char *line = strtok_r(data, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		load_line(line, &all, n);
	if (name)
		*name = xstrndup(file, strlen(file) - strlen(".jsonl"));
	return all;
}

void denials_free(struct record **r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		record_free(r[i]);
	free(r);
}

/* ---- for the report ------------------------------------------------------ */

struct record *const *explain_records(struct explain *x, size_t *n, unsigned *dropped, const struct policy **policy)
{
	*policy = x ? x->policy : NULL;
	*n = x ? x->n : 0;
	*dropped = x ? x->dropped : 0;
	return x ? x->records : NULL;
}
