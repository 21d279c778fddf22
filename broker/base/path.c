/* SPDX-License-Identifier: Apache-2.0 */
/* path.c - textual and resolving path helpers. */
#include "base/base.h"

#include <errno.h>
#include <limits.h>

char *path_join(const char *a, const char *b)
{
	if (b[0] == '/')
		return xstrdup(b);
	/* by hand: a start joins hundreds of paths */
	size_t n = strlen(a), m = strlen(b);
	char *path = xmalloc(n + m + 2), *end = mempcpy(path, a, n);
	if (!n || a[n - 1] != '/')
		*end++ = '/';
	memcpy(end, b, m + 1);
	return path;
}

char *path_of_link(const char *link)
{
	char buf[PATH_MAX];
	ssize_t n = readlink(link, buf, sizeof(buf) - 1);
	if (n < 0)
		return NULL;
	buf[n] = '\0';
	if (buf[0] == '/' && (size_t)n < sizeof(buf) - 1 && !str_ends(buf, " (deleted)"))
		return xstrdup(buf);
	errno = ENOENT;
	return NULL;
}

char *path_of_fd(int fd)
{
	char link[32];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return path_of_link(link);
}

char *path_clean(const char *path)
{
	struct buf b = {0};
	for (const char *p = path; *p;) {
		while (*p == '/')
			p++;
		const char *end = strchrnul(p, '/');
		size_t n = (size_t)(end - p);
		if (n == 0 || (n == 1 && p[0] == '.')) {
			p = end;
			continue;
		}
		if (n == 2 && p[0] == '.' && p[1] == '.') {
			char *slash = b.len ? memrchr(b.data, '/', b.len) : NULL;
			if (slash) {
				b.len = (size_t)(slash - b.data);
				b.data[b.len] = '\0';
			}
		} else {
			buf_addc(&b, '/');
			buf_add(&b, p, n);
		}
		p = end;
	}
	if (!b.len)
		buf_addc(&b, '/');
	return buf_steal(&b);
}

char *path_dir(const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash || slash == path)
		return xstrdup("/");
	return xstrndup(path, (size_t)(slash - path));
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

bool path_beneath(const char *path, const char *dir)
{
	size_t n = strlen(dir);
	if (n == 1 && dir[0] == '/')
		return path[0] == '/';
	return strncmp(path, dir, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

char *path_resolve(const char *path, bool *exists, struct err **e)
{
	cleanup_free char *abs = NULL;
	if (path[0] == '/') {
		abs = xstrdup(path);
	} else {
		cleanup_free char *cwd = getcwd(NULL, 0);
		if (!cwd) {
			err_set(e, errno, "cannot find the current directory");
			return NULL;
		}
		abs = path_join(cwd, path);
	}
	char *real = realpath(abs, NULL);
	if (exists)
		*exists = real != NULL;
	if (real)
		return real;
	if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) {
		err_set(e, errno, "cannot resolve %s", path);
		return NULL;
	}
	cleanup_free char *clean = path_clean(abs);
	cleanup_free char *head = xstrdup(clean);
	while (strcmp(head, "/") != 0) {
		char *slash = strrchr(head, '/');
		if (slash == head)
			slash[1] = '\0';
		else
			*slash = '\0';
		cleanup_free char *r = realpath(head, NULL);
		if (r)
			return path_join(r, clean + strlen(head) + (strcmp(head, "/") ? 1 : 0));
	}
	return steal_ptr(&clean);
}
