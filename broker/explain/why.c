/* SPDX-License-Identifier: Apache-2.0 */
/*
 * why.c - `nono why`: a recorded refusal, or what the policy says about a path, a host
 * or a page, straight from policy_check.
 */
#include "explain/internal.h"

#include "cli/options.h"

#include <ctype.h>
#include <errno.h>
#include <sys/stat.h>
#include <time.h>

static const char usage[] =
	"Usage: nono why [NUMBER] [--session ID] [--list] [--json]     a recorded refusal; the last one without "
	"NUMBER\n"
	"       nono why --path PATH [--op read|write|readwrite|...]    would it be allowed, and by which rule\n"
	"       nono why --host HOST [--port N[/udp]] | --url URL\n"
	"       nono why --self [--path PATH | --host HOST]             inside a sandbox\n"
	"With the flags of `nono run` that describe the sandbox: --profile, --allow, --read, ...\n";

struct query {
	const char *path, *op, *host, *url, *session, *number;
	unsigned port;
	bool udp;
	bool json, self, list, help;
};

/* ---- recorded refusals --------------------------------------------------- */

/* One indented line: a label and formatted text. */
#define row(label, fmt, ...) printf("  %-14s " fmt "\n", label, __VA_ARGS__)

static const char *reason_of(const struct record *r)
{
	if (r->granted)
		return "a person allowed it";
	if (r->answer && strcmp(r->answer, "no") == 0)
		return "no rule allows it, it was asked, and the answer was no";
	if (r->answer && strcmp(r->answer, "never") == 0)
		return "the answer was no for the whole session";
	if (r->verdict == VERDICT_NEVER)
		return "nono never lets programs in the sandbox touch this";
	if (r->verdict == VERDICT_ALLOW)
		return r->answer ? r->answer : "it is allowed, but failed";
	return r->verdict == VERDICT_PROTECTED ? "a rule protects it" : "no rule allows it";
}

static void print_fix(const struct record *r)
{
	if (!r->suggest)
		return;
	cleanup_free char *flag = str_sanitize(r->suggest);
	if (str_starts(flag, "--"))
		row("For one run", "nono run %s ...", flag);
	struct stat st;
	bool dir = r->resolved && r->resolved[0] == '/' && lstat(r->resolved, &st) == 0 && S_ISDIR(st.st_mode);
	cleanup_free char *line = profile_line(r, dir);
	cleanup_free char *safe = line ? str_sanitize(line) : NULL;
	if (safe)
		row("In a profile", "%s", safe);
}

int why_record(const struct record *r, const char *session, bool json)
{
	if (json) {
		struct json_object *o = record_to_json(r);
		json_add_text(o, "session", session);
		json_add_text(o, "status", r->granted ? "allowed" : "denied");
		puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
		json_object_put(o);
		return 0;
	}
	cleanup_free char *object = record_object(r);
	cleanup_free char *program = str_sanitize(r->program ? r->program : "?");
	cleanup_free char *parent = str_sanitize(r->parent ? r->parent : "");
	cleanup_free char *asked = str_sanitize(r->asked ? r->asked : "");
	cleanup_free char *rule = str_sanitize(r->rule ? r->rule : "");
	char when[64];
	time_t t = (time_t)r->time;
	struct tm tm;
	strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", localtime_r(&t, &tm));
	printf("%s %s %s\n", r->granted ? "ALLOWED" : "DENIED", operation_name(r->op), object);
	row("Reason", "%s", reason_of(r));
	if (*rule)
		row(r->verdict == VERDICT_NONE ? "Nearest rule" : "Rule", "%s", rule);
	if (r->pid)
		row("Program", "%s (process %d)%s%s", program, (int)r->pid, *parent ? ", started by " : "", parent);
	if (r->asked && r->resolved && strcmp(r->asked, r->resolved) != 0)
		row("Named", "%s", asked);
	if (r->err)
		row("It saw", "%s (%s)", strerrorname_np(r->err), strerror(r->err));
	row("When", "%s%s", when, "");
	if (r->count > 1)
		row("How often", "%u times", r->count);
	print_fix(r);
	row("Record", "%u of session %s", r->id, session);
	return 0;
}

static int list_records(struct record **all, size_t n, bool json)
{
	for (size_t i = 0; i < n; i++) {
		if (json) {
			struct json_object *o = record_to_json(all[i]);
			puts(json_object_to_json_string_ext(
				o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
			json_object_put(o);
			continue;
		}
		cleanup_free char *object = record_object(all[i]);
		cleanup_free char *program = str_sanitize(all[i]->program ? all[i]->program : "?");
		printf("%4u  %-8s %-8s %s  by %s", all[i]->id, all[i]->granted ? "allowed" : "refused",
			operation_name(all[i]->op), object, program);
		printf(all[i]->count > 1 ? ", %u times\n" : "\n", all[i]->count);
	}
	return 0;
}

static int why_recorded(const struct query *q)
{
	cleanup_err struct err *e = NULL;
	cleanup_free char *name = NULL;
	size_t n, pick;
	struct record **all = denials_load(q->session, &n, &name, &e);
	if (!all) {
		say_error("%s", err_msg(e));
		return 1;
	}
	int status = 0;
	if (q->list) {
		status = list_records(all, n, q->json);
	} else {
		pick = n;
		if (q->number)
			pick = strtoul(q->number, NULL, 10);
		else
			while (pick > 1 && (all[pick - 1]->granted || all[pick - 1]->quiet))
				pick--;
		if (pick < 1 || pick > n) {
			say_error("session %s has no record %s; it has %zu", name, q->number ? q->number : "", n);
			status = 1;
		} else {
			status = why_record(all[pick - 1], name, q->json);
		}
	}
	denials_free(all, n);
	return status;
}

/* ---- questions to the policy --------------------------------------------- */

/* The reason's name; of a host, that the network is blocked comes before all rules. */
static const char *reason_name(const struct policy *p, const struct query *q, struct decision d)
{
	const bool allowed = d.verdict == VERDICT_ALLOW;
	if (q->url)
		return allowed ? "origin_allowed" : "origin_not_allowed";
	if (q->host && allowed)
		return "network_allowed";
	if (q->host && policy_settings(p)->net_mode == NET_BLOCKED)
		return "network_blocked";
	if (q->host)
		return d.verdict == VERDICT_NEVER ? "never_reachable" : "proxy_filtered";
	if (allowed)
		return "granted_path";
	if (d.verdict == VERDICT_PROTECTED || d.verdict == VERDICT_NEVER)
		return "sensitive_path";
	return d.rule && !d.rule->deny ? "insufficient_access" : "path_not_granted";
}

static const char *access_text(unsigned access)
{
	bool r = access & (ACCESS_READ | ACCESS_EXEC), w = access & ACCESS_WRITE;
	return r && w ? "read+write" : w ? "write" : "read";
}

static struct json_object *answer_json(
	const struct policy *p, const struct query *q, struct decision d, enum operation op, const char *object)
{
	struct json_object *o = json_object_new_object();
	cleanup_free char *rule = d.rule ? rule_describe(d.rule) : NULL;
	if (d.verdict == VERDICT_ALLOW) {
		json_add_text(o, "status", "allowed");
		json_add_text(o, "reason", reason_name(p, q, d));
		if (d.rule && q->path) {
			json_add_text(o, "granted_path", d.rule->path);
			json_add_text(o, "access", access_text(d.rule->access));
		}
		if (d.rule)
			json_add_text(o, "source", source_name(d.rule->origin.source));
		json_add_text(o, "details", rule);
		return o;
	}
	json_add_text(o, "status", "denied");
	json_add_text(o, "reason", reason_name(p, q, d));
	json_add_text(o, d.rule && (d.rule->deny || d.rule->never) ? "policy_source" : "closest", rule);
	if (d.rule && !d.rule->deny && q->path) {
		struct json_object *m = json_object_new_object();
		json_add_text(m, "path", d.rule->path);
		json_add_text(m, "access", access_text(d.rule->access));
		json_add_text(m, "source", source_name(d.rule->origin.source));
		json_object_object_add(o, "matching_capability", m);
	}
	const bool asks = d.verdict != VERDICT_NEVER && policy_settings(p)->on_request != ON_REQUEST_DENY;
	json_add_text(o, "details", asks ? "nono asks when a program tries it" : "it is refused without a question");
	if (d.verdict != VERDICT_NEVER) {
		cleanup_free char *flag = policy_suggest_flag(p, op, object, q->port, q->udp);
		json_add_text(o, "suggested_flag", flag);
	}
	return o;
}

/* The reasons of the JSON form in words. */
static const char *reason_words(const char *reason)
{
	static const char *const words[][2] = {
		{"granted_path", "a rule grants it"},
		{"network_allowed", "the network rules allow it"},
		{"proxy_allowed", "the name is in the list of allowed names"},
		{"sensitive_path", "a rule protects it"},
		{"insufficient_access", "a rule grants the path, but not this"},
		{"path_not_granted", "no rule grants it"},
		{"network_blocked", "the network is blocked"},
		{"never_reachable", "programs in the sandbox never reach this address"},
		{"origin_allowed", "the origin is in the list of pages that may be opened"},
		{"origin_not_allowed", "the origin is not in the list of pages that may be opened"},
		{"proxy_filtered", "the name is not in the list of allowed names"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i][0], reason) == 0)
			return words[i][1];
	return reason;
}

void print_why(struct json_object *o)
{
	static const struct {
		const char *key, *label;
	} rows[] = {{"granted_path", "Granted by"}, {"access", "Access"}, {"source", "Source"}, {"details", "Details"},
		{"policy_source", "Policy"}, {"closest", "Closest match"}, {"suggested_flag", "Suggested fix"}};
	puts(strcmp(json_get_text(o, "status"), "allowed") == 0 ? "ALLOWED" : "DENIED");
	row("Reason", "%s", reason_words(json_get_text(o, "reason")));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *v = json_get_text(o, rows[i].key);
		cleanup_free char *safe = v ? str_sanitize(v) : NULL;
		if (safe)
			row(rows[i].label, "%s", safe);
	}
}

/* The first operation of the query that is not allowed, or the last one. */
static struct decision decide_path(const struct policy *p, const char *op_word, const char *path, enum operation *op)
{
	if (strcmp(op_word, "readwrite") == 0 || strcmp(op_word, "read+write") == 0) {
		*op = OP_READ;
		struct decision d = policy_check_path(p, OP_READ, path);
		if (d.verdict != VERDICT_ALLOW)
			return d;
		*op = OP_WRITE;
	}
	return *op == OP_UNIX_CONNECT || *op == OP_UNIX_BIND ? policy_check_unix(p, *op, path)
							     : policy_check_path(p, *op, path);
}

/* What the word means for what is asked about; to connect to a path is to connect to a socket. False: nothing. */
static bool operation_of_query(const struct query *q, enum operation *op)
{
	if (q->path && (*op == OP_CONNECT || *op == OP_BIND))
		*op = *op == OP_CONNECT ? OP_UNIX_CONNECT : OP_UNIX_BIND;
	if (q->path)
		return *op <= OP_ATTR || *op == OP_UNIX_CONNECT || *op == OP_UNIX_BIND;
	return q->host ? *op == OP_CONNECT || *op == OP_BIND : *op == OP_OPEN_URL;
}

static int ask_policy(const struct policy *p, const struct query *q, struct err **e)
{
	enum operation op = q->host ? OP_CONNECT : q->url ? OP_OPEN_URL : OP_READ;
	cleanup_free char *object = NULL;
	struct decision d;
	bool both = q->op && (strcmp(q->op, "readwrite") == 0 || strcmp(q->op, "read+write") == 0);
	if (q->op && !both && (!operation_from_name(q->op, &op) || !operation_of_query(q, &op)))
		return err_set(e, 0, "--op %s: %s", q->op,
			q->path   ? "there are read, write, readwrite, create, delete, execute, attr, connect and bind"
			: q->host ? "there are connect and bind"
				  : "a page is opened, nothing else");
	if (q->path) {
		cleanup_free char *absolute = NULL;
		if (q->path[0] != '/') {
			char *cwd = getcwd(NULL, 0);
			absolute = path_join(cwd ? cwd : "/", q->path);
			free(cwd);
		}
		object = path_resolve(absolute ? absolute : q->path, NULL, e);
		if (!object)
			return -1;
		d = decide_path(p, q->op ? q->op : "read", object, &op);
	} else if (q->host) {
		object = xstrdup(q->host);
		for (char *c = object; *c; c++)
			*c = (char)tolower((unsigned char)*c);
		d = policy_check_host(p, op, object, q->port, q->udp);
	} else {
		if (!q->url)
			return err_set(e, 0, "nothing was asked");
		const char *host = q->url[0] == '/' ? NULL : strstr(q->url, "://");
		object = host ? xstrndup(q->url, (size_t)(host + 3 - q->url) + strcspn(host + 3, "/?#"))
			      : xstrdup(q->url);
		d = policy_check_origin(p, object);
	}
	struct json_object *o = answer_json(p, q, d, op, object);
	if (q->json)
		puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	else
		print_why(o);
	json_object_put(o);
	return 0;
}

static int why_policy(const struct query *q, int argc, char **argv)
{
	cleanup_err struct err *e = NULL;
	struct run_flags f = {0};
	int r = run_flags_parse("why", argc, argv, &f);
	if (r != 0)
		return r - 1;
	struct expansion x = {0};
	struct profile *profile = run_flags_profile(&f, &e);
	struct policy *policy = NULL;
	if (profile && expansion_init(&x, f.workdir, &e) == 0) {
		struct policy_env env = {.expansion = &x, .cwd_granted = true};
		policy = policy_compile(profile, &env, &e);
	}
	int status = policy && ask_policy(policy, q, &e) == 0 ? 0 : 1;
	if (status)
		say_error("%s", err_msg(e));
	policy_free(policy);
	profile_free(profile);
	expansion_free(&x);
	run_flags_free(&f);
	return status;
}

/* ---- arguments ----------------------------------------------------------- */

/* "--name VALUE" or "--name=VALUE" at argv[*i]. Return: whether it is one; the value is then in *@to. */
static bool value_of(const char *name, int argc, char **argv, int *i, const char **to)
{
	size_t n = strlen(name);
	if (strncmp(argv[*i], name, n) != 0)
		return false;
	if (argv[*i][n] == '=')
		*to = argv[*i] + n + 1;
	else if (argv[*i][n] == '\0' && *i + 1 < argc)
		*to = argv[++*i];
	else
		return false;
	return true;
}

static bool flag_word(const char *arg, struct query *q)
{
	const struct {
		const char *name;
		bool *set;
	} flags[] = {{"--json", &q->json}, {"--self", &q->self}, {"--list", &q->list}, {"--help", &q->help},
		{"-h", &q->help}};
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (strcmp(arg, flags[i].name) == 0) {
			*flags[i].set = true;
			return true;
		}
	}
	return false;
}

/*
 * Take the words of the query out of argv; the rest describes the sandbox and is
 * parsed by the option table. Return: how many words are left.
 */
static int take_query(int argc, char **argv, struct query *q)
{
	int left = 1;
	const char *port = NULL;
	for (int i = 1; i < argc; i++) {
		const struct {
			const char *name, **to;
		} values[] = {{"--path", &q->path}, {"--op", &q->op}, {"--host", &q->host}, {"--port", &port},
			{"--url", &q->url}, {"--session", &q->session}};
		bool taken = flag_word(argv[i], q);
		for (size_t j = 0; !taken && j < ARRAY_SIZE(values); j++)
			taken = value_of(values[j].name, argc, argv, &i, values[j].to);
		if (!taken && !q->number && isdigit((unsigned char)argv[i][0]) &&
			argv[i][strspn(argv[i], "0123456789")] == 0 && left == 1) {
			q->number = argv[i];
			taken = true;
		}
		if (!taken)
			argv[left++] = argv[i];
	}
	argv[left] = NULL;
	char *end = NULL;
	unsigned long n = port ? strtoul(port, &end, 10) : 443;
	q->udp = end && strcmp(end, "/udp") == 0;
	q->port = n <= 65535 && (!end || !*end || q->udp) ? (unsigned)n : 0;
	return left;
}

int why_command(int argc, char **argv)
{
	struct query q = {0};
	argc = take_query(argc, argv, &q);
	if (q.help)
		return fputs(usage, stdout) < 0;
	if (q.port == 0)
		return fputs("nono: --port takes a number from 1 to 65535, or that and /udp\n", stderr) < 0 ? 1 : 2;
	const int asked = !!q.path + !!q.host + !!q.url;
	if (asked > 1 || (q.host && (!*q.host || q.host[strcspn(q.host, " \t\n/")])))
		return fputs(asked > 1 ? "nono: --path, --host and --url are one question each\n"
				       : "nono: --host takes a name or an address, without scheme and path\n",
			       stderr) < 0
			       ? 1
			       : 2;
	const bool policy_query = asked > 0;
	/* inside a sandbox there is no log to read and no profile to trust */
	if (q.self || getenv("NONO_CAP_FILE"))
		return why_self(q.path, q.op ? q.op : "read", q.host, q.port, q.json);
	if (policy_query)
		return why_policy(&q, argc, argv);
	if (argc > 1) {
		int at = 1;
		if (absent_flag(argc, argv, &at) == 0)
			fputs(usage, stderr);
		return 2;
	}
	return why_recorded(&q);
}
