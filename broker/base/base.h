/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base.h - what every room stands on: errors, ownership, strings, files, paths.
 *
 * Conventions used in the whole tree:
 *  - A function that can fail takes `struct err **e` as its last argument and
 *    returns a negative value or NULL; the message is a sentence that names the
 *    object, and callers put context in front of it with err_wrap().
 *  - Memory, descriptors and directories are released by cleanup attributes;
 *    steal_ptr()/steal_fd() hand ownership over.
 *  - Allocation failure ends the process: a broker without memory refuses.
 */
#ifndef NONO_BASE_H
#define NONO_BASE_H

#include <dirent.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define NORETURN __attribute__((noreturn))

/* ---- errors (err.c) ------------------------------------------------------ */

/** struct err - one failure: an errno value (0 when none fits) and a sentence. */
struct err {
	int code;
	char *msg;
};

/**
 * err_set() - report a failure.
 * @e: where to put the error; may be NULL, then it is dropped
 * @code: an errno value, 0 when none fits; its text is appended when non-zero
 * Return: always -1, so that callers can `return err_set(...)`.
 */
int err_set(struct err **e, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/** err_wrap() - put "context: " in front of the message. Return: always -1. */
int err_wrap(struct err **e, const char *fmt, ...) PRINTF_LIKE(2, 3);
/** err_msg() - the sentence of @e, or "unknown error" for NULL. Borrowed. */
const char *err_msg(const struct err *e);
/** err_free() - release @e and set it to NULL; NULL-safe. */
void err_free(struct err **e);

/* ---- memory and ownership (mem.c) ---------------------------------------- */

void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
/** xreallocarray() - grow an array, ending the process on overflow. */
void *xreallocarray(void *p, size_t n, size_t size);
char *xstrdup(const char *s); /* NULL stays NULL */
char *xstrndup(const char *s, size_t n);
/** xasprintf() - format into a new string the caller frees. */
char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2);

static inline void cleanup_free_fn(void *p)
{
	free(*(void **)p);
}
static inline void cleanup_fd_fn(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
static inline void cleanup_dir_fn(DIR **d)
{
	if (*d)
		closedir(*d);
}
static inline void cleanup_file_fn(FILE **f)
{
	if (*f)
		fclose(*f);
}
#define cleanup_free __attribute__((cleanup(cleanup_free_fn), unused))
#define cleanup_fd __attribute__((cleanup(cleanup_fd_fn), unused))
#define cleanup_dir __attribute__((cleanup(cleanup_dir_fn), unused))
#define cleanup_file __attribute__((cleanup(cleanup_file_fn), unused))
#define cleanup_err __attribute__((cleanup(err_free), unused))
#define cleanup_strv __attribute__((cleanup(strv_free), unused))
#define cleanup_buf __attribute__((cleanup(buf_free), unused))

/** steal_fd() - take the descriptor out of *fd, leaving -1. */
static inline int steal_fd(int *fd)
{
	int v = *fd;
	*fd = -1;
	return v;
}
static inline void *steal_ptr_fn(void *pp)
{
	void **p = pp;
	void *v = *p;
	*p = NULL;
	return v;
}
/** steal_ptr() - take the pointer out of *pp, leaving NULL. */
#define steal_ptr(pp) ((__typeof__(*(pp)))steal_ptr_fn(pp))

/* ---- growing buffers and string vectors (str.c) -------------------------- */

/** struct buf - a growing byte string; data is always NUL-terminated once used. */
struct buf {
	char *data;
	size_t len, cap;
};
void buf_add(struct buf *b, const void *p, size_t n);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/** buf_steal() - hand over the bytes as a string (never NULL). */
char *buf_steal(struct buf *b);
void buf_free(struct buf *b);

/** struct strv - a growing NULL-terminated vector of owned strings. */
struct strv {
	char **v;
	size_t n;
};
void strv_add(struct strv *s, const char *str);
void strv_addf(struct strv *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
void strv_take(struct strv *s, char *owned);
bool strv_has(const struct strv *s, const char *str);
void strv_free(struct strv *s);

bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
/** str_nearest() - the entry of @names closest to @s by edit distance, or NULL if none is near. */
const char *str_nearest(const char *s, const char *const *names, size_t n);
/**
 * str_sanitize() - make untrusted text safe to show on a terminal.
 * Control characters, C1, bidi controls and invalid UTF-8 become \xNN or
 * \u{NNNN}. Return: a new string.
 */
char *str_sanitize(const char *s);
/**
 * str_quote() - @s as one word for a shell, safe to show on a terminal as well: what cannot be shown is escaped
 * ($'...', which bash, zsh, ksh and newer shells of other kinds read). The caller frees.
 */
char *str_quote(const char *s);
/** utf8_valid() - whether @n bytes are well-formed UTF-8; *@bad gets the first bad offset. */
bool utf8_valid(const char *s, size_t n, size_t *bad);

/* ---- files (file.c) ------------------------------------------------------ */

/**
 * file_read() - read a whole regular file.
 * @max: refuse files larger than this many bytes
 * Return: 0 and the bytes (NUL-terminated) in *@out/ *@len, or -1.
 */
int file_read(const char *path, size_t max, char **out, size_t *len, struct err **e);
/** file_write_atomic() - temporary file beside @path, fsync, rename. Symlinks at @path are followed first. */
int file_write_atomic(const char *path, const void *data, size_t len, mode_t mode, struct err **e);
/** dir_create() - mkdir -p with @mode for what is missing. */
int dir_create(const char *path, mode_t mode, struct err **e);
/** dir_remove() - remove a directory tree without following links or crossing mounts. */
int dir_remove(const char *path, struct err **e);
int io_write_all(int fd, const void *p, size_t n);
/** fd_cloexec() - set or clear close-on-exec. */
int fd_cloexec(int fd, bool on);

/* ---- hashing ------------------------------------------------------------- */

/* FNV-1a, 32 bits: for tables, not against anybody who wants collisions. */
#define HASH_SEED 2166136261U
static inline uint32_t hash_step(uint32_t h, char c)
{
	return (h ^ (unsigned char)c) * 16777619U;
}
/** hash_text() - go on from @h over a string. */
static inline uint32_t hash_text(uint32_t h, const char *s)
{
	while (*s)
		h = hash_step(h, *s++);
	return h;
}

/* ---- paths (path.c) ------------------------------------------------------ */

/** path_join() - @a/@b with one slash; an absolute @b wins. */
char *path_join(const char *a, const char *b);
/** path_of_link() - where a link of /proc leads. New string; NULL with errno set, ENOENT for what has no path (any
 * more). */
char *path_of_link(const char *link);
/** path_of_fd() - the kernel's name of an open file, as path_of_link(). */
char *path_of_fd(int fd);
/** path_clean() - remove "//", "." and ".." textually from an absolute path. */
char *path_clean(const char *path);
/** path_dir() - the parent of a clean absolute path ("/" for "/"). */
char *path_dir(const char *path);
const char *path_base(const char *path);
/** path_beneath() - whether clean @path equals @dir or lies below it. */
bool path_beneath(const char *path, const char *dir);
/**
 * path_resolve() - canonical form of @path where it may not exist yet: the
 * nearest existing ancestor is resolved and the rest appended.
 * @exists: set to whether the whole path exists; may be NULL
 */
char *path_resolve(const char *path, bool *exists, struct err **e);

/* ---- the host's directories (dirs.c) ------------------------------------- */

/** home_dir() - $HOME when absolute, else the password database's. Borrowed. NULL when neither. */
const char *home_dir(void);
/** config_dir() - $XDG_CONFIG_HOME/nono or ~/.config/nono. New string. */
char *config_dir(void);
/** state_dir() - $XDG_STATE_HOME/nono or ~/.local/state/nono. New string. */
char *state_dir(void);
/** runtime_dir() - $XDG_RUNTIME_DIR/nono when that is ours, else state_dir()/run. New string. */
char *runtime_dir(void);

/* ---- the machine (host.c) ------------------------------------------------ */

/** monotonic_ms() - milliseconds that only go forward. */
int64_t monotonic_ms(void);
/** session_bus_exists() - whether this user has a D-Bus session bus, without starting one. */
bool session_bus_exists(void);

/* ---- messages to the person (say.c) -------------------------------------- */

enum say_level { SAY_SILENT = -1, SAY_NORMAL = 0, SAY_INFO = 1, SAY_DEBUG = 2, SAY_TRACE = 3 };
extern enum say_level say_level;
/** say() - one "nono: ..." line on standard error, unless silent. */
void say(const char *fmt, ...) PRINTF_LIKE(1, 2);
void say_info(const char *fmt, ...) PRINTF_LIKE(1, 2);  /* with -v */
void say_debug(const char *fmt, ...) PRINTF_LIKE(1, 2); /* with -vv */
/** say_error() - an error line; shown even when silent. */
void say_error(const char *fmt, ...) PRINTF_LIKE(1, 2);
/**
 * say_log_open() - from now on these lines go into the file at @path (added to, made with mode 0600), each with its
 * time. Standard error gets errors only. Return: 0 or -1: it cannot be opened, or is no regular file.
 */
int say_log_open(const char *path, struct err **e);
/** say_log_path() - where the log file lies, NULL without one. The caller frees. */
char *say_log_path(void);
/** say_log() - a line for the log file alone. Without one it goes nowhere. */
void say_log(const char *fmt, ...) PRINTF_LIKE(1, 2);
/** use_color() - whether @fd is a terminal and NO_COLOR is unset or empty. */
bool use_color(int fd);

#endif
