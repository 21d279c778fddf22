/* SPDX-License-Identifier: Apache-2.0 */
/*
 * portal.c - pages through the desktop's portal (org.freedesktop.portal.OpenURI).
 *
 * It is how a desktop opens pages for programs that may not start its browser
 * themselves: from a container, a Flatpak or a Snap. libdbus is loaded for the first
 * page. The portal answers twice: the call returns the path of a request, and
 * later the request sends Response with 0 (opened), 1 (the person closed the
 * dialog) or 2. One that is still open after a moment counts as opened: somebody is choosing.
 *
 * Source: XDG Desktop Portal, interfaces OpenURI and Request.
 */
#include "base/library.h"
#include "open/opener.h"

#include <dbus/dbus.h>
#include <pthread.h>

#define NAME "org.freedesktop.portal.Desktop"
#define PATH "/org/freedesktop/portal/desktop"
#define CALL_MS 2000
#define WAIT_MS 1500

#define FUNCTIONS(F)                                                                                                   \
	F(dbus_threads_init_default)                                                                                   \
	F(dbus_bus_get_private)                                                                                        \
	F(dbus_connection_set_exit_on_disconnect)                                                                      \
	F(dbus_connection_send_with_reply_and_block)                                                                   \
	F(dbus_connection_read_write)                                                                                  \
	F(dbus_connection_pop_message)                                                                                 \
	F(dbus_connection_close)                                                                                       \
	F(dbus_connection_unref)                                                                                       \
	F(dbus_bus_add_match)                                                                                          \
	F(dbus_message_new_method_call)                                                                                \
	F(dbus_message_unref)                                                                                          \
	F(dbus_message_append_args)                                                                                    \
	F(dbus_message_get_args)                                                                                       \
	F(dbus_message_get_path)                                                                                       \
	F(dbus_message_get_sender)                                                                                     \
	F(dbus_message_is_signal)                                                                                      \
	F(dbus_message_iter_init)                                                                                      \
	F(dbus_message_iter_get_arg_type)                                                                              \
	F(dbus_message_iter_get_basic)                                                                                 \
	F(dbus_message_iter_init_append)                                                                               \
	F(dbus_message_iter_open_container)                                                                            \
	F(dbus_message_iter_close_container)

static struct {
	FUNCTIONS(LIBRARY_MEMBER)
} lib;
static bool loaded;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
	static const char *const sonames[] = {"libdbus-1.so.3", NULL}, *const names[] = {FUNCTIONS(LIBRARY_NAME) NULL};
	loaded = library_load(sonames, names, &lib) && lib.dbus_threads_init_default();
}

/* OpenURI(parent_window, uri, options) or OpenFile(parent_window, fd, options). Return: the reply, or NULL. */
static DBusMessage *call(DBusConnection *bus, const char *url, int file)
{
	const char *no_window = "";
	DBusMessage *m = lib.dbus_message_new_method_call(
		NAME, PATH, "org.freedesktop.portal.OpenURI", file < 0 ? "OpenURI" : "OpenFile");
	DBusMessageIter it, options;
	if (!m)
		return NULL;
	lib.dbus_message_append_args(m, DBUS_TYPE_STRING, &no_window, DBUS_TYPE_INVALID);
	if (file < 0)
		lib.dbus_message_append_args(m, DBUS_TYPE_STRING, &url, DBUS_TYPE_INVALID);
	else
		lib.dbus_message_append_args(m, DBUS_TYPE_UNIX_FD, &file, DBUS_TYPE_INVALID);
	lib.dbus_message_iter_init_append(m, &it);
	lib.dbus_message_iter_open_container(&it, DBUS_TYPE_ARRAY, "{sv}", &options);
	lib.dbus_message_iter_close_container(&it, &options);
	DBusMessage *reply = lib.dbus_connection_send_with_reply_and_block(bus, m, CALL_MS, NULL);
	lib.dbus_message_unref(m);
	return reply;
}

/* Whether @m is the answer of the request @handle of @sender. */
static bool answers(DBusMessage *m, const char *handle, const char *sender, dbus_uint32_t *code)
{
	DBusMessageIter it;
	const char *path = lib.dbus_message_get_path(m), *from = lib.dbus_message_get_sender(m);
	if (!lib.dbus_message_is_signal(m, "org.freedesktop.portal.Request", "Response") || !path || !from ||
		strcmp(path, handle) != 0 || strcmp(from, sender) != 0)
		return false;
	if (!lib.dbus_message_iter_init(m, &it) || lib.dbus_message_iter_get_arg_type(&it) != DBUS_TYPE_UINT32)
		return false;
	lib.dbus_message_iter_get_basic(&it, code);
	return true;
}

/* Return: the request's answer; 0 when there is none within a moment. */
static dbus_uint32_t wait_response(DBusConnection *bus, const char *handle, const char *sender)
{
	dbus_uint32_t code = 0;
	bool found = false;
	for (int64_t end = monotonic_ms() + WAIT_MS; !found && monotonic_ms() < end;) {
		DBusMessage *m = lib.dbus_connection_pop_message(bus);
		if (m) {
			found = answers(m, handle, sender, &code);
			lib.dbus_message_unref(m);
		} else if (!lib.dbus_connection_read_write(bus, (int)(end - monotonic_ms()))) {
			break;
		}
	}
	return code;
}

static int open_on(DBusConnection *bus, const char *url, int file, struct err **e)
{
	const char *handle = NULL;
	lib.dbus_connection_set_exit_on_disconnect(bus, FALSE);
	lib.dbus_bus_add_match(bus, "type='signal',interface='org.freedesktop.portal.Request',member='Response'", NULL);
	DBusMessage *reply = call(bus, url, file);
	int rc = 1;
	if (reply && lib.dbus_message_get_args(reply, NULL, DBUS_TYPE_OBJECT_PATH, &handle, DBUS_TYPE_INVALID)) {
		dbus_uint32_t code = wait_response(bus, handle, lib.dbus_message_get_sender(reply));
		rc = code == 0 ? 0 : err_set(e, 0, "the desktop portal did not open it (response %u)", code);
	}
	if (reply)
		lib.dbus_message_unref(reply);
	return rc;
}

int portal_open(const char *url, int file, struct err **e)
{
	if (!session_bus_exists())
		return 1;
	pthread_once(&once, load);
	DBusConnection *bus = loaded ? lib.dbus_bus_get_private(DBUS_BUS_SESSION, NULL) : NULL;
	if (!bus)
		return 1;
	int rc = open_on(bus, url, file, e);
	lib.dbus_connection_close(bus);
	lib.dbus_connection_unref(bus);
	return rc;
}
