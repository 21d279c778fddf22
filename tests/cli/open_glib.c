/* SPDX-License-Identifier: Apache-2.0 */
/* open_glib.c - open_glib URL [async]: as GLib's programs open a page. Prints the answer and the error. */
#include <gio/gio.h>

static GMainLoop *loop;

static void say(const char *how, gboolean opened, GError *e, const char *data)
{
	g_print("%s %d %s %s\n", how, opened, e ? "error" : "none", data);
}

static void done(GObject *source, GAsyncResult *result, gpointer data)
{
	GError *e = NULL;
	(void)source;
	gboolean opened = g_app_info_launch_default_for_uri_finish(result, &e);
	say("async", opened, e, data);
	g_main_loop_quit(loop);
}

int main(int argc, char **argv)
{
	GError *e = NULL;
	char data[] = "data";
	if (argc < 2)
		return 2;
	if (argc == 2) {
		gboolean opened = g_app_info_launch_default_for_uri(argv[1], NULL, &e);
		say("sync", opened, e, "-");
		return 0;
	}
	loop = g_main_loop_new(NULL, FALSE);
	g_app_info_launch_default_for_uri_async(argv[1], NULL, NULL, done, data);
	g_main_loop_run(loop);
	return 0;
}
