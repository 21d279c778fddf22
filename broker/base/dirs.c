/* SPDX-License-Identifier: Apache-2.0 */
/* dirs.c - where the host keeps a person's configuration, state and run-time files (XDG base directories). */
#include "base/base.h"

#include <pwd.h>
#include <sys/stat.h>

const char *home_dir(void)
{
	const char *h = getenv("HOME");
	if (h && h[0] == '/')
		return h;
	const struct passwd *pw = getpwuid(getuid());
	return pw && pw->pw_dir && pw->pw_dir[0] == '/' ? pw->pw_dir : NULL;
}

static char *xdg(const char *var, const char *below_home)
{
	const char *v = getenv(var);
	if (v && v[0] == '/')
		return path_join(v, "nono");
	const char *h = home_dir();
	cleanup_free char *base = path_join(h ? h : "/", below_home);
	return path_join(base, "nono");
}

/*
 * Inside a session the person's state is closed; a nono that is started there keeps its own in the session's
 * private directory for temporary files. NULL outside. New string.
 */
static char *nested_dir(void)
{
	const char *inside = getenv("NONO_CAP_FILE"), *tmp = getenv("TMPDIR");
	return inside && tmp && tmp[0] == '/' ? path_join(tmp, "nono") : NULL;
}

char *config_dir(void)
{
	return xdg("XDG_CONFIG_HOME", ".config");
}

char *state_dir(void)
{
	char *nested = nested_dir();
	if (nested)
		return nested;
	return xdg("XDG_STATE_HOME", ".local/state");
}

char *runtime_dir(void)
{
	const char *v = getenv("XDG_RUNTIME_DIR");
	struct stat st;
	const bool nested = getenv("NONO_CAP_FILE");
	if (!nested && v && v[0] == '/' && stat(v, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
		!(st.st_mode & 022))
		return path_join(v, "nono");
	cleanup_free char *s = state_dir();
	return path_join(s, "run");
}
