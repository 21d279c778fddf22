/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.c - files for the host's opener.
 *
 * Theory of operation
 * -------------------
 * What opens a file outside trusts it more than a page: it may run it. So:
 *
 *  - The path is resolved here, once, without magic links, and pinned by a descriptor;
 *    everything is asked of the descriptor and of the name the kernel gives it.
 *  - A desktop goes by the name to find out what a file is, and by the content where
 *    the name does not tell. The content can change behind our back, the name that is handed over cannot, so
 *    only names count whose type is known and is shown, never run.
 *  - What may be executed is refused whatever it is called.
 *
 * Source: Shared MIME-info Database, "Recommended checking order".
 */
#include "open/file.h"

#include "open/validate.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Types that programs show. No launchers, no archives, no documents whose macros run by themselves. */
static const char *const shown[] = {"avif", "bmp", "css", "csv", "diff", "docx", "epub", "flac", "gif", "htm", "html",
	"ico", "jpeg", "jpg", "json", "log", "m4a", "m4v", "md", "mkv", "mov", "mp3", "mp4", "odp", "ods", "odt", "oga",
	"ogg", "ogv", "opus", "patch", "pdf", "png", "pptx", "ps", "rst", "rtf", "svg", "text", "tif", "tiff", "toml",
	"tsv", "txt", "wav", "webm", "webp", "xhtml", "xlsx", "xml", "yaml", "yml"};

bool file_is_url(const char *text, size_t len)
{
	return len >= 5 && strncasecmp(text, "file:", 5) == 0;
}

char *file_url(const char *path)
{
	struct buf b = {0};
	buf_adds(&b, "file://");
	for (const char *c = path; *c; c++) {
		if (isalnum((unsigned char)*c) || strchr("/-._~!$&()*+,;=:@", *c))
			buf_addc(&b, *c);
		else
			buf_addf(&b, "%%%02X", (unsigned char)*c);
	}
	return buf_steal(&b);
}

static int hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? tolower(c) - 'a' + 10 : -1;
}

/* Replace %XX. New string, NULL when something is not encoded as it should be. */
static char *decode(const char *text)
{
	struct buf b = {0};
	for (const char *c = text; *c; c++) {
		if (*c != '%') {
			buf_addc(&b, *c);
			continue;
		}
		int high = hex(c[1]), low = high < 0 ? -1 : hex(c[2]);
		if (low < 0 || (high == 0 && low == 0)) {
			buf_free(&b);
			return NULL;
		}
		buf_addc(&b, (char)(high * 16 + low));
		c += 2;
	}
	return buf_steal(&b);
}

/* Whether a person can be shown the name as it is. */
static bool shows(const char *path)
{
	cleanup_free char *safe = str_sanitize(path);
	return strcmp(safe, path) == 0;
}

char *file_url_path(const char *text, size_t len, struct err **e)
{
	if (len > URL_LENGTH_MAX) {
		err_set(e, 0, "the URL is longer than %u bytes", URL_LENGTH_MAX);
		return NULL;
	}
	cleanup_free char *url = xstrndup(text, len);
	const char *path = url + 5;
	if (str_starts(path, "//")) {
		path += 2;
		path += strncasecmp(path, "localhost/", 10) == 0 ? 9 : 0;
	}
	cleanup_free char *decoded = decode(path);
	if (strlen(url) != len || path[0] != '/' || str_starts(path, "//") || path[strcspn(path, "?#")] || !decoded)
		err_set(e, 0, "the URL of a file is file:// and an absolute path, without a query");
	else if (strlen(decoded) >= PATH_MAX)
		err_set(e, ENAMETOOLONG, "the name of the file is too long");
	else if (!shows(decoded))
		err_set(e, 0,
			"the name of the file cannot be shown: it is not UTF-8, or holds characters that are not seen");
	else
		return steal_ptr(&decoded);
	return NULL;
}

/* The kernel's name of what @fd is. New string, NULL when it has none any more. */
static char *name_of(int fd, const struct stat *st)
{
	struct stat named;
	cleanup_free char *name = path_of_fd(fd);
	bool there = name && lstat(name, &named) == 0 && named.st_dev == st->st_dev && named.st_ino == st->st_ino;
	return there ? steal_ptr(&name) : NULL;
}

static bool is_shown(const char *path)
{
	const char *dot = strrchr(path_base(path), '.');
	for (size_t i = 0; dot && i < ARRAY_SIZE(shown); i++)
		if (strcasecmp(dot + 1, shown[i]) == 0)
			return true;
	return false;
}

int file_pin(const struct policy *p, const char *path, char **real, struct err **e)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS};
	cleanup_fd int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(e, errno, "cannot open %s", path);
	cleanup_free char *name = name_of(fd, &st);
	if (!name || !shows(name))
		return err_set(e, 0, "%s leads to a file without a name that can be shown", path);
	*real = xstrdup(name);
	if (policy_check_path(p, OP_READ, name).verdict != VERDICT_ALLOW)
		return err_set(e, 0, "%s may not be read in this session", name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, 0, "%s is no regular file", name);
	if (st.st_mode & 0111)
		return err_set(e, 0, "%s is executable, and programs are never opened", name);
	if (!is_shown(name))
		return err_set(e, 0, "%s does not have the name of a document, a picture, sound or film", name);
	return steal_fd(&fd);
}
