/* SPDX-License-Identifier: Apache-2.0 */
/* file.c - whole files, atomically replaced files, directory trees. */
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

int file_read(const char *path, size_t max, char **out, size_t *len, struct err **e)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_set(e, errno, "cannot open %s", path);
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_set(e, errno, "cannot stat %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, 0, "%s is not a regular file", path);
	cleanup_buf struct buf b = {0};
	char chunk[16384];
	for (;;) {
		ssize_t n = read(fd, chunk, sizeof chunk);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, errno, "cannot read %s", path);
		if (n == 0)
			break;
		buf_add(&b, chunk, (size_t)n);
		if (b.len > max)
			return err_set(e, 0, "%s is larger than %zu bytes", path, max);
	}
	if (len)
		*len = b.len;
	*out = buf_steal(&b);
	return 0;
}

int io_write_all(int fd, const void *p, size_t n)
{
	const char *c = p;
	while (n) {
		ssize_t w = write(fd, c, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -1;
		c += w;
		n -= (size_t)w;
	}
	return 0;
}

int file_write_atomic(const char *path, const void *data, size_t len, mode_t mode, struct err **e)
{
	cleanup_free char *real = realpath(path, NULL);
	const char *target = real ? real : path;
	cleanup_free char *tmp = xasprintf("%s.XXXXXX", target);
	cleanup_fd int fd = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0)
		return err_set(e, errno, "cannot create a temporary file beside %s", target);
	if (fchmod(fd, mode) < 0 || io_write_all(fd, data, len) < 0 || fsync(fd) < 0 || rename(tmp, target) < 0) {
		int code = errno;
		unlink(tmp);
		return err_set(e, code, "cannot write %s", target);
	}
	return 0;
}

int dir_create(const char *path, mode_t mode, struct err **e)
{
	cleanup_free char *p = xstrdup(path);
	for (char *s = p + 1; *s; s++) {
		if (*s != '/')
			continue;
		*s = '\0';
		if (mkdir(p, mode) < 0 && errno != EEXIST)
			return err_set(e, errno, "cannot create directory %s", p);
		*s = '/';
	}
	if (mkdir(p, mode) < 0 && errno != EEXIST)
		return err_set(e, errno, "cannot create directory %s", p);
	struct stat st;
	if (stat(p, &st) < 0 || !S_ISDIR(st.st_mode))
		return err_set(e, ENOTDIR, "cannot use %s", p);
	return 0;
}

static int remove_at(int parent, const char *name, dev_t dev, int depth)
{
	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -1;
	cleanup_fd int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0 || depth > 1000)
		return -1;
	if (dev && st.st_dev != dev) {
		errno = EXDEV;
		return -1;
	}
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	cleanup_dir DIR *d = copy < 0 ? NULL : fdopendir(copy);
	if (!d)
		return -1;
	int rc = 0;
	for (struct dirent *de; (de = readdir(d));) {
		if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0)
			continue;
		if (remove_at(fd, de->d_name, st.st_dev, depth + 1) < 0) {
			/* a directory the program made unreadable or unwritable is still ours to remove */
			if (errno == EACCES && fchmod(fd, 0700) == 0 &&
				remove_at(fd, de->d_name, st.st_dev, depth + 1) == 0)
				continue;
			rc = -1;
		}
	}
	if (rc < 0)
		return -1;
	return unlinkat(parent, name, AT_REMOVEDIR);
}

int dir_remove(const char *path, struct err **e)
{
	if (remove_at(AT_FDCWD, path, 0, 0) < 0)
		return err_set(e, errno, "cannot remove %s", path);
	return 0;
}

int fd_cloexec(int fd, bool on)
{
	int f = fcntl(fd, F_GETFD);
	if (f < 0)
		return -1;
	return fcntl(fd, F_SETFD, on ? f | FD_CLOEXEC : f & ~FD_CLOEXEC);
}
