/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify.c - asking by desktop notifications (org.freedesktop.Notifications).
 *
 * Theory of operation
 *
 * libdbus is loaded when the first question is to be shown, never before: a
 * start costs nothing, and machines without it lose only this. Where the session
 * has a terminal the person is asked there first, and a notification appears
 * only when nobody answered for a while.
 *
 * The notification server belongs to the person's desktop; the tree cannot reach
 * the session bus. Only signals of the connection that owns the server's name count, and
 * only for notifications that are shown. A dismissed notification is no. One that the server
 * let expire is no when there is nowhere else to answer. "Always" shows the change in a second one.
 *
 * A URL is shown whole: what it leads to may stand anywhere in it. The open room has checked it, and it holds
 * nothing but printable ASCII.
 */
#include "approve/internal.h"

#include "approve/child.h"
#include "approve/screen.h"
#include "base/library.h"

#include <dbus/dbus.h>

#define NAME "org.freedesktop.Notifications"
#define PATH "/org/freedesktop/Notifications"
#define SHOWN_MAX 4        /* at once; the others follow as these are answered */
#define PATIENCE_MS 10000  /* before a notification, where there is a terminal */
#define CALL_MS 2000       /* for a reply of the server */
#define TEXT_MAX 400       /* of an object, in bytes; a URL is never cut */
#define REASON_DISMISSED 2 /* NotificationClosed: by the person */

/* What is used of libdbus, by the names and types of its header. */
#define FUNCTIONS(F)                                                                                                   \
	F(dbus_bus_get_private)                                                                                        \
	F(dbus_connection_set_exit_on_disconnect)                                                                      \
	F(dbus_connection_get_unix_fd)                                                                                 \
	F(dbus_connection_read_write)                                                                                  \
	F(dbus_connection_pop_message)                                                                                 \
	F(dbus_connection_send_with_reply_and_block)                                                                   \
	F(dbus_connection_send)                                                                                        \
	F(dbus_connection_flush)                                                                                       \
	F(dbus_connection_close)                                                                                       \
	F(dbus_connection_unref)                                                                                       \
	F(dbus_connection_get_is_connected)                                                                            \
	F(dbus_bus_add_match)                                                                                          \
	F(dbus_message_new_method_call)                                                                                \
	F(dbus_message_unref)                                                                                          \
	F(dbus_message_append_args)                                                                                    \
	F(dbus_message_get_args)                                                                                       \
	F(dbus_message_is_signal)                                                                                      \
	F(dbus_message_get_sender)                                                                                     \
	F(dbus_message_iter_init_append)                                                                               \
	F(dbus_message_iter_append_basic)                                                                              \
	F(dbus_message_iter_open_container)                                                                            \
	F(dbus_message_iter_close_container)                                                                           \
	F(dbus_error_init)                                                                                             \
	F(dbus_error_free)                                                                                             \
	F(dbus_free)

struct notify {
	struct approve *queue;
	struct {
		FUNCTIONS(LIBRARY_MEMBER)
	} lib;
	DBusConnection *bus;
	int fd;
	char *server;  /* unique name of the server */
	bool links;    /* it knows links in a body */
	int64_t due;   /* monotonic ms; 0: nothing to show */
	uint64_t last; /* questions up to this id have been shown */
	bool failed;
	struct {
		uint64_t question; /* 0: free */
		dbus_uint32_t id;
		bool always;  /* "always" is among its buttons */
		bool writing; /* it shows what "always" writes */
	} shown[SHOWN_MAX];
};

static void *notify_start(struct approve *a)
{
	if (!front_chosen("notify", true) || approve_cfg(a)->approver || !session_bus_exists())
		return NULL;
	struct notify *s = xcalloc(1, sizeof *s);
	s->queue = a;
	s->fd = -1;
	return s;
}

static bool notify_usable(void *state)
{
	const struct notify *s = state;
	return !s->failed;
}

static bool load(struct notify *s)
{
	static const char *const sonames[] = {"libdbus-1.so.3", NULL}, *const names[] = {FUNCTIONS(LIBRARY_NAME) NULL};
	return library_load(sonames, names, &s->lib);
}

static DBusMessage *call(struct notify *s, DBusMessage *m)
{
	DBusError e;
	s->lib.dbus_error_init(&e);
	DBusMessage *reply = s->lib.dbus_connection_send_with_reply_and_block(s->bus, m, CALL_MS, &e);
	s->lib.dbus_error_free(&e);
	s->lib.dbus_message_unref(m);
	return reply;
}

/* The unique name behind the server's name, and whether it can show buttons. */
static bool find_server(struct notify *s)
{
	DBusMessage *m = s->lib.dbus_message_new_method_call(NAME, PATH, NAME, "GetCapabilities");
	DBusMessage *reply = m ? call(s, m) : NULL;
	char **list = NULL;
	int n = 0;
	bool actions = false;
	if (!reply)
		return false;
	if (s->lib.dbus_message_get_args(
		    reply, NULL, DBUS_TYPE_ARRAY, DBUS_TYPE_STRING, &list, &n, DBUS_TYPE_INVALID)) {
		for (int i = 0; i < n; i++)
			actions |= strcmp(list[i], "actions") == 0;
		for (int i = 0; i < n; i++)
			s->links |= strcmp(list[i], "body-hyperlinks") == 0;
		s->server = xstrdup(s->lib.dbus_message_get_sender(reply));
	}
	for (int i = 0; i < n; i++)
		s->lib.dbus_free(list[i]);
	s->lib.dbus_free(list);
	s->lib.dbus_message_unref(reply);
	return actions && s->server;
}

static bool connect_bus(struct notify *s)
{
	if (s->bus)
		return true;
	if (!load(s))
		return false;
	s->bus = s->lib.dbus_bus_get_private(DBUS_BUS_SESSION, NULL);
	if (!s->bus)
		return false;
	s->lib.dbus_connection_set_exit_on_disconnect(s->bus, FALSE);
	s->lib.dbus_bus_add_match(s->bus, "type='signal',interface='" NAME "'", NULL);
	s->lib.dbus_bus_add_match(
		s->bus, "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" NAME "'", NULL);
	return find_server(s) && s->lib.dbus_connection_get_unix_fd(s->bus, &s->fd);
}

/* Append text to a body that may be read as markup. */
static void add_escaped(struct buf *b, const char *text)
{
	for (const char *c = text; *c; c++) {
		if (*c == '<')
			buf_adds(b, "&lt;");
		else if (*c == '>')
			buf_adds(b, "&gt;");
		else if (*c == '&')
			buf_adds(b, "&amp;");
		else
			buf_addc(b, *c);
	}
}

/* A page to be opened somewhere else. New string. */
static char *page_text(const struct notify *s, const char *program, const char *url)
{
	struct buf b = {0};
	cleanup_buf struct buf escaped = {0};
	add_escaped(&escaped, url);
	add_escaped(&b, program);
	buf_adds(&b, " wants a page to be opened, and no browser is known here. Open it yourself: ");
	buf_addf(&b, s->links ? "<a href=\"%s\">%s</a>" : "%s", escaped.data, escaped.data);
	return buf_steal(&b);
}

/* Text for a body that may be read as markup. New string. */
static char *body_text(const struct notify *s, const struct pending *p)
{
	cleanup_free char *object = question_object(&p->q);
	cleanup_free char *program = str_sanitize(p->q.program ? p->q.program : "a program");
	if (p->q.kind == QUESTION_PAGE)
		return page_text(s, program, object);
	bool cut = !question_is_url(&p->q) && strlen(object) > TEXT_MAX;
	cleanup_free char *plain = xasprintf("%s%s wants to %s %.*s%s", p->q.protected_object ? "PROTECTED. " : "",
		program, question_verb(&p->q), cut ? TEXT_MAX : (int)strlen(object), object, cut ? " (cut)" : "");
	struct buf b = {0};
	add_escaped(&b, plain);
	/* cutting may have split a character, and the bus disconnects senders of bad UTF-8 */
	size_t bad;
	char *text = buf_steal(&b);
	if (!utf8_valid(text, strlen(text), &bad))
		text[bad] = '\0';
	return text;
}

static void append_strings(struct notify *s, DBusMessageIter *it, const char *const *v, size_t n)
{
	DBusMessageIter array;
	s->lib.dbus_message_iter_open_container(it, DBUS_TYPE_ARRAY, "s", &array);
	for (size_t i = 0; i < n; i++)
		s->lib.dbus_message_iter_append_basic(&array, DBUS_TYPE_STRING, &v[i]);
	s->lib.dbus_message_iter_close_container(it, &array);
}

/* {"urgency": <byte 2>}: stays until it is answered. */
static void append_hints(struct notify *s, DBusMessageIter *it)
{
	DBusMessageIter dict, entry, variant;
	const char *key = "urgency";
	unsigned char critical = 2;
	s->lib.dbus_message_iter_open_container(it, DBUS_TYPE_ARRAY, "{sv}", &dict);
	s->lib.dbus_message_iter_open_container(&dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
	s->lib.dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &key);
	s->lib.dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, "y", &variant);
	s->lib.dbus_message_iter_append_basic(&variant, DBUS_TYPE_BYTE, &critical);
	s->lib.dbus_message_iter_close_container(&entry, &variant);
	s->lib.dbus_message_iter_close_container(&dict, &entry);
	s->lib.dbus_message_iter_close_container(it, &dict);
}

/* Return: the id of a notification with @n / 2 buttons, 0 when it could not be shown. */
static dbus_uint32_t show(
	struct notify *s, const char *summary, const char *body, const char *const *actions, size_t n_actions)
{
	DBusMessage *m = s->lib.dbus_message_new_method_call(NAME, PATH, NAME, "Notify");
	DBusMessageIter it;
	const char *app = "nono", *icon = "dialog-question";
	dbus_uint32_t replaces = 0, id = 0;
	dbus_int32_t never_expires = 0;
	if (!m)
		return 0;
	s->lib.dbus_message_append_args(m, DBUS_TYPE_STRING, &app, DBUS_TYPE_UINT32, &replaces, DBUS_TYPE_STRING, &icon,
		DBUS_TYPE_STRING, &summary, DBUS_TYPE_STRING, &body, DBUS_TYPE_INVALID);
	s->lib.dbus_message_iter_init_append(m, &it);
	append_strings(s, &it, actions, n_actions);
	append_hints(s, &it);
	s->lib.dbus_message_iter_append_basic(&it, DBUS_TYPE_INT32, &never_expires);
	DBusMessage *reply = call(s, m);
	if (reply) {
		s->lib.dbus_message_get_args(reply, NULL, DBUS_TYPE_UINT32, &id, DBUS_TYPE_INVALID);
		s->lib.dbus_message_unref(reply);
	}
	return id;
}

/*
 * Show one question.
 * @why_not: why it cannot be answered with "always"; NULL: it can
 * Return: as show().
 */
static dbus_uint32_t show_question(struct notify *s, const struct pending *p, const char *why_not)
{
	static const char *const actions[] = {
		"no", "No", "once", "Once", "session", "This session", "always", "Always…"};
	static const char *const page[] = {"no", "It cannot be opened", "once", "Done"};
	cleanup_free char *text = body_text(s, p);
	if (p->q.kind == QUESTION_PAGE)
		return show(s, "A page to open", text, page, ARRAY_SIZE(page));
	cleanup_buf struct buf body = {0};
	buf_adds(&body, text);
	if (why_not) {
		cleanup_free char *safe = str_sanitize(why_not);
		buf_adds(&body, "\nNot always: ");
		add_escaped(&body, safe);
	}
	/* what a rule protects is allowed once at most by a button */
	size_t n = p->q.protected_object || p->q.kind != QUESTION_RULE ? 4 : why_not ? 6 : ARRAY_SIZE(actions);
	return show(s, "A program in the sandbox asks", body.data, actions, n);
}

/* Show what "always" would write; where nothing can be written, the question again and why. Return: as show(). */
static dbus_uint32_t show_always(struct notify *s, const struct pending *p, bool *writing)
{
	static const char *const actions[] = {"no", "No", "write", "Write it and allow"};
	cleanup_err struct err *e = NULL;
	cleanup_free char *preview = approve_preview(s->queue, p->id, NULL, &e);
	*writing = preview != NULL;
	if (!preview)
		return show_question(s, p, err_msg(e));
	cleanup_buf struct buf b = {0};
	char *save = NULL;
	for (char *l = strtok_r(preview, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		cleanup_free char *safe = str_sanitize(l);
		add_escaped(&b, safe);
		buf_addc(&b, '\n');
	}
	return show(s, "This is what \"always\" changes", b.data, actions, ARRAY_SIZE(actions));
}

static void fail(struct notify *s)
{
	s->failed = true;
	s->due = 0;
	asker_wake(s->queue); /* when nobody else can answer, the open questions are refused */
}

static void show_due(struct notify *s)
{
	if (!connect_bus(s)) {
		fail(s);
		return;
	}
	s->due = 0;
	for (size_t i = 0; i < SHOWN_MAX; i++) {
		if (s->shown[i].question)
			continue;
		struct pending *p = approve_next(s->queue, s->last);
		if (!p)
			return;
		s->last = p->id;
		dbus_uint32_t id = show_question(s, p, NULL);
		if (id) {
			s->shown[i].question = p->id;
			s->shown[i].id = id;
			s->shown[i].always = !p->q.protected_object && p->q.kind == QUESTION_RULE;
			s->shown[i].writing = false;
		}
		pending_free(p, 1);
		if (!id) {
			fail(s);
			return;
		}
	}
}

static void close_shown(struct notify *s, size_t i)
{
	DBusMessage *m = s->lib.dbus_message_new_method_call(NAME, PATH, NAME, "CloseNotification");
	if (m) {
		s->lib.dbus_message_append_args(m, DBUS_TYPE_UINT32, &s->shown[i].id, DBUS_TYPE_INVALID);
		s->lib.dbus_connection_send(s->bus, m, NULL);
		s->lib.dbus_connection_flush(s->bus);
		s->lib.dbus_message_unref(m);
	}
	s->shown[i].question = 0;
}

static void notify_changed(void *state)
{
	struct notify *s = state;
	bool room = false;
	for (size_t i = 0; i < SHOWN_MAX; i++) {
		if (s->shown[i].question && !approve_open(s->queue, s->shown[i].question))
			close_shown(s, i);
		room |= s->shown[i].question == 0;
	}
	struct pending *p = approve_next(s->queue, s->last);
	bool terminal = approve_cfg(s->queue)->terminal && front_chosen("terminal", true);
	if (!p)
		s->due = 0;
	else if (!s->due && room && !s->failed)
		s->due = monotonic_ms() + (terminal ? PATIENCE_MS : 0);
	if (p)
		pending_free(p, 1);
}

/* The change that "always" makes, in the place of the question. */
static void offer_always(struct notify *s, size_t i)
{
	struct pending *p = approve_next(s->queue, s->shown[i].question - 1);
	bool open = p && p->id == s->shown[i].question;
	close_shown(s, i); /* and another one: the server may close this one by itself, which must not count as a no */
	dbus_uint32_t id = open ? show_always(s, p, &s->shown[i].writing) : 0;
	if (id) {
		s->shown[i].question = p->id;
		s->shown[i].id = id;
		s->shown[i].always = false;
	}
	if (p)
		pending_free(p, 1);
	if (open && !id)
		fail(s);
}

/* A button that was not offered is no. */
static enum answer answer_of(const char *key, bool writing)
{
	enum answer answer;
	if (writing)
		return strcmp(key, "write") == 0 ? ANSWER_ALWAYS : ANSWER_NO;
	bool known = answer_parse(key, &answer) && (answer == ANSWER_ONCE || answer == ANSWER_SESSION);
	return known ? answer : ANSWER_NO;
}

static void answer_shown(struct notify *s, dbus_uint32_t id, const char *key)
{
	cleanup_err struct err *e = NULL;
	for (size_t i = 0; i < SHOWN_MAX; i++) {
		if (!s->shown[i].question || s->shown[i].id != id)
			continue;
		if (!s->shown[i].writing && s->shown[i].always && strcmp(key, "always") == 0) {
			offer_always(s, i);
			return;
		}
		uint64_t question = s->shown[i].question;
		enum answer answer = answer_of(key, s->shown[i].writing);
		close_shown(s, i); /* not every server takes it away after an action */
		if (approve_answer(s->queue, question, answer, NULL, &e) < 0 && answer != ANSWER_NO) {
			say_error("%s", err_msg(e));
			approve_answer(s->queue, question, ANSWER_NO, NULL, NULL);
		}
		return;
	}
}

static void on_signal(struct notify *s, DBusMessage *m)
{
	const char *sender = s->lib.dbus_message_get_sender(m), *key = NULL;
	dbus_uint32_t id = 0, reason = 0;
	const char *name = NULL, *before = NULL, *after = NULL;
	if (sender && strcmp(sender, "org.freedesktop.DBus") == 0 &&
		s->lib.dbus_message_is_signal(m, "org.freedesktop.DBus", "NameOwnerChanged") &&
		s->lib.dbus_message_get_args(m, NULL, DBUS_TYPE_STRING, &name, DBUS_TYPE_STRING, &before,
			DBUS_TYPE_STRING, &after, DBUS_TYPE_INVALID) &&
		strcmp(name, NAME) == 0 && strcmp(before, s->server) == 0)
		fail(s); /* nobody shows the question any more */
	if (!sender || strcmp(sender, s->server) != 0)
		return;
	if (s->lib.dbus_message_is_signal(m, NAME, "ActionInvoked") &&
		s->lib.dbus_message_get_args(
			m, NULL, DBUS_TYPE_UINT32, &id, DBUS_TYPE_STRING, &key, DBUS_TYPE_INVALID)) {
		answer_shown(s, id, key);
	} else if (s->lib.dbus_message_is_signal(m, NAME, "NotificationClosed") &&
		   s->lib.dbus_message_get_args(
			   m, NULL, DBUS_TYPE_UINT32, &id, DBUS_TYPE_UINT32, &reason, DBUS_TYPE_INVALID)) {
		if (reason == REASON_DISMISSED || !approve_cfg(s->queue)->terminal)
			answer_shown(s, id, "no");
	}
}

static unsigned notify_wait(void *state, struct pollfd *p, int *timeout_ms)
{
	const struct notify *s = state;
	if (s->due) {
		int64_t left = s->due - monotonic_ms();
		left = left < 0 ? 0 : left;
		if (*timeout_ms < 0 || left < *timeout_ms)
			*timeout_ms = (int)left;
	}
	if (s->fd < 0 || s->failed)
		return 0;
	p[0] = (struct pollfd){.fd = s->fd, .events = POLLIN};
	return 1;
}

static void notify_ready(void *state, const struct pollfd *p, unsigned n)
{
	struct notify *s = state;
	if (s->due && monotonic_ms() >= s->due)
		show_due(s);
	/* a call that waited for its reply may have read signals: look whenever something is shown */
	if (!s->bus || s->failed)
		return;
	if (n && p[0].revents)
		s->lib.dbus_connection_read_write(s->bus, 0);
	DBusMessage *m;
	while ((m = s->lib.dbus_connection_pop_message(s->bus))) {
		on_signal(s, m);
		s->lib.dbus_message_unref(m);
	}
	if (!s->lib.dbus_connection_get_is_connected(s->bus))
		fail(s);
}

static void notify_stop(void *state)
{
	struct notify *s = state;
	for (size_t i = 0; s->bus && i < SHOWN_MAX; i++)
		if (s->shown[i].question)
			close_shown(s, i);
	if (s->bus) {
		s->lib.dbus_connection_close(s->bus);
		s->lib.dbus_connection_unref(s->bus);
	}
	free(s->server);
	free(s);
}

const struct front_end front_notify = {
	.name = "notify",
	.start = notify_start,
	.stop = notify_stop,
	.usable = notify_usable,
	.changed = notify_changed,
	.wait_for = notify_wait,
	.ready = notify_ready,
};
