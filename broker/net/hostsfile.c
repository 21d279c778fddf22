/* SPDX-License-Identifier: Apache-2.0 */
/* hostsfile.c - the host's /etc/hosts: names before DNS, read again when the file changes. */
#include "net/internal.h"

#include <ctype.h>
#include <sys/stat.h>

struct hosts_line {
	struct host_addr addr;
	char name[254];
};

struct hostsfile {
	pthread_mutex_t lock;
	char *path;
	struct timespec read; /* modification time of what was read */
	struct hosts_line *line;
	size_t n;
};

struct hostsfile *hostsfile_new(const char *path)
{
	struct hostsfile *f = xcalloc(1, sizeof(*f));
	f->path = xstrdup(path);
	pthread_mutex_init(&f->lock, NULL);
	return f;
}

void hostsfile_free(struct hostsfile *f)
{
	if (!f)
		return;
	pthread_mutex_destroy(&f->lock);
	free(f->path);
	free(f->line);
	free(f);
}

static void parse_line(struct hostsfile *f, char *text)
{
	char *save = NULL;
	text[strcspn(text, "#\n")] = '\0';
	const char *first = strtok_r(text, " \t\r", &save);
	struct host_addr a;
	if (!first || !host_addr_parse(first, &a))
		return;
	for (const char *word; (word = strtok_r(NULL, " \t\r", &save));) {
		struct hosts_line l = {.addr = a};
		if (host_name_normal(word, l.name, NULL) < 0)
			continue;
		f->line = xreallocarray(f->line, f->n + 1, sizeof(*f->line));
		f->line[f->n++] = l;
	}
}

/* Under the lock. */
static void refresh(struct hostsfile *f)
{
	struct stat st;
	if (stat(f->path, &st) < 0) {
		f->n = 0;
		return;
	}
	if (st.st_mtim.tv_sec == f->read.tv_sec && st.st_mtim.tv_nsec == f->read.tv_nsec)
		return;
	cleanup_free char *text = NULL;
	size_t len;
	f->n = 0;
	f->read = st.st_mtim;
	if (file_read(f->path, 4U << 20, &text, &len, NULL) < 0)
		return;
	char *save = NULL;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		parse_line(f, line);
}

size_t hostsfile_addrs(struct hostsfile *f, const char *name, uint8_t len, struct host_addr *out, size_t max)
{
	size_t n = 0;
	pthread_mutex_lock(&f->lock);
	refresh(f);
	for (size_t i = 0; i < f->n && n < max; i++)
		if (f->line[i].addr.len == len && strcmp(f->line[i].name, name) == 0)
			out[n++] = f->line[i].addr;
	pthread_mutex_unlock(&f->lock);
	return n;
}

bool hostsfile_has(struct hostsfile *f, const char *name)
{
	struct host_addr a;
	return hostsfile_addrs(f, name, 4, &a, 1) || hostsfile_addrs(f, name, 16, &a, 1);
}

bool hostsfile_name(struct hostsfile *f, const struct host_addr *a, size_t i, char *name)
{
	bool found = false;
	pthread_mutex_lock(&f->lock);
	refresh(f);
	for (size_t k = 0; k < f->n && !found; k++)
		if (f->line[k].addr.len == a->len && memcmp(f->line[k].addr.b, a->b, a->len) == 0 && i-- == 0) {
			memcpy(name, f->line[k].name, sizeof(f->line[k].name));
			found = true;
		}
	pthread_mutex_unlock(&f->lock);
	return found;
}
