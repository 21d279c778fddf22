/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place.c - what a session occupies in the file system, and cleaning up after dead ones.
 *
 * The record sessions/ID.json is locked (flock) by the broker for as long as
 * the session lives; the lock goes with the process, however it ends. A record
 * that can be locked is a dead session's and is removed with all that belongs
 * to it.
 */
#include "session/internal.h"

#include "open/open.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#define ID_LENGTH 8

/* A directory of ours: made if missing, ours alone, not a link. */
static int own_dir(const char *path, struct err **e)
{
	struct stat st;
	if (mkdir(path, 0700) < 0 && errno != EEXIST && dir_create(path, 0700, e) < 0)
		return -1;
	if (lstat(path, &st) < 0)
		return err_set(e, errno, "cannot use %s", path);
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid())
		return err_set(e, 0, "%s is not a directory of this user", path);
	if ((st.st_mode & 077) && chmod(path, 0700) < 0)
		return err_set(e, errno, "cannot close %s to other users", path);
	return 0;
}

static void set_paths(struct place *p, const char *state)
{
	p->record = xasprintf("%s/%s.json", p->sessions, p->id);
	p->control = xasprintf("%s/%s.sock", p->sessions, p->id);
	p->run = xasprintf("%s/%s", p->sessions, p->id);
	p->tmp = xasprintf("%s/tmp/%s", state, p->id);
}

static void free_paths(struct place *p)
{
	free(steal_ptr(&p->record));
	free(steal_ptr(&p->control));
	free(steal_ptr(&p->run));
	free(steal_ptr(&p->tmp));
}

/* Remove everything of a session; the record last, because it is what the others are found by. */
static void remove_all(const struct place *p)
{
	dir_remove(p->tmp, NULL);
	dir_remove(p->run, NULL);
	unlink(p->control);
	unlink(p->record);
}

/* Open and lock a record. Return: descriptor, or -1 when it belongs to somebody alive or is gone. */
static int lock_record(const char *path, int flags)
{
	cleanup_fd int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat st;
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -1;
	/* a cleaner may have been between open and lock */
	if (fstat(fd, &st) < 0 || st.st_nlink == 0)
		return -1;
	return steal_fd(&fd);
}

static void clean_dead(const char *sessions, const char *state)
{
	cleanup_dir DIR *d = opendir(sessions);
	struct dirent *de;
	while (d && (de = readdir(d))) {
		struct place dead = {.sessions = (char *)sessions};
		if (strspn(de->d_name, "0123456789abcdef") != ID_LENGTH || strcmp(de->d_name + ID_LENGTH, ".json") != 0)
			continue;
		memcpy(dead.id, de->d_name, ID_LENGTH);
		set_paths(&dead, state);
		cleanup_fd int lock = lock_record(dead.record, O_RDWR);
		if (lock >= 0)
			remove_all(&dead);
		free_paths(&dead);
	}
}

/* One try with a new identity. Return: 0, 1 when it is taken, -1 on failure. */
static int try_create(struct place *p, const char *state, struct err **e)
{
	uint32_t r;
	if (getrandom(&r, sizeof(r), 0) != sizeof(r))
		return err_set(e, errno, "cannot choose a session identity");
	snprintf(p->id, sizeof(p->id), "%08x", r);
	set_paths(p, state);
	p->lock = lock_record(p->record, O_RDWR | O_CREAT | O_EXCL);
	if (p->lock < 0) {
		int err = errno;
		const bool taken = err == EEXIST || err == EWOULDBLOCK || access(p->record, F_OK) == 0;
		if (!taken)
			err_set(e, err, "cannot make %s", p->record);
		free_paths(p);
		return taken ? 1 : -1;
	}
	if (mkdir(p->run, 0700) < 0)
		return err_set(e, errno, "cannot make %s", p->run);
	if (mkdir(p->tmp, 0700) < 0)
		return err_set(e, errno, "cannot make %s", p->tmp);
	return 0;
}

int place_create(struct place *p, struct err **e)
{
	*p = (struct place){.lock = -1};
	cleanup_free char *runtime = runtime_dir();
	cleanup_free char *state = state_dir();
	cleanup_free char *tmp = path_join(state, "tmp");
	p->sessions = path_join(runtime, "sessions");
	if (own_dir(p->sessions, e) < 0 || own_dir(tmp, e) < 0)
		return err_wrap(e, "no place for the session (XDG_STATE_HOME and XDG_RUNTIME_DIR name others)");
	clean_dead(p->sessions, state);
	p->openers = open_shared_entries(runtime, e);
	if (!p->openers)
		return -1;
	int rc;
	do {
		rc = try_create(p, state, e);
	} while (rc > 0);
	return rc;
}

void place_remove(struct place *p)
{
	if (p->lock >= 0) {
		remove_all(p);
		close(steal_fd(&p->lock));
	}
	free_paths(p);
	free(steal_ptr(&p->openers));
	free(steal_ptr(&p->sessions));
}
