/* SPDX-License-Identifier: Apache-2.0 */
/*
 * created.c - what the session made in write-only directories, so that it can read it back.
 * A file is known by device, inode and time of birth: a number that was used again has another birth.
 */
#include "trap/internal.h"

#include <fcntl.h>

#define BUCKETS 1024
#define MOST 65536 /* what is made beyond is not remembered, and reading it asks */

struct made {
	struct made *next;
	uint32_t major, minor;
	uint64_t ino;
	struct statx_timestamp born;
};
struct created {
	struct made *bucket[BUCKETS];
	size_t n;
};

/* What a file is known by; false where the file system does not know when it was born. */
static bool identity(int fd, struct made *out)
{
	struct statx sx;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &sx) < 0 || !(sx.stx_mask & STATX_BTIME))
		return false;
	*out = (struct made){
		.major = sx.stx_dev_major, .minor = sx.stx_dev_minor, .ino = sx.stx_ino, .born = sx.stx_btime};
	return true;
}

static bool same(const struct made *a, const struct made *b)
{
	return a->ino == b->ino && a->major == b->major && a->minor == b->minor && a->born.tv_sec == b->born.tv_sec &&
	       a->born.tv_nsec == b->born.tv_nsec;
}

static size_t slot(const struct made *m)
{
	return (size_t)(m->ino * 2654435761U ^ m->minor) % BUCKETS;
}

void created_add(struct trap *t, int fd)
{
	struct made id;
	if (!identity(fd, &id))
		return;
	pthread_mutex_lock(&t->lock);
	if (!t->created)
		t->created = xcalloc(1, sizeof(*t->created));
	if (t->created->n < MOST) {
		struct made *m = xmalloc(sizeof(*m));
		*m = id;
		m->next = t->created->bucket[slot(&id)];
		t->created->bucket[slot(&id)] = m;
		t->created->n++;
	}
	pthread_mutex_unlock(&t->lock);
}

bool created_has(struct trap *t, int fd)
{
	struct made id;
	bool found = false;
	if (!t->created || !identity(fd, &id))
		return false;
	pthread_mutex_lock(&t->lock);
	for (const struct made *m = t->created->bucket[slot(&id)]; m && !found; m = m->next)
		found = same(m, &id);
	pthread_mutex_unlock(&t->lock);
	return found;
}

void created_free(struct trap *t)
{
	for (size_t i = 0; t->created && i < BUCKETS; i++)
		while (t->created->bucket[i]) {
			struct made *m = t->created->bucket[i];
			t->created->bucket[i] = m->next;
			free(m);
		}
	free(t->created);
	t->created = NULL;
}
