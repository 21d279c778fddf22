/* SPDX-License-Identifier: Apache-2.0 */
/*
 * screen.h - the list of questions as one full screen, and the keys it knows.
 * Used by the session's own terminal and by `nono approve`; it draws into a
 * buffer and does no input or output itself.
 */
#ifndef NONO_APPROVE_SCREEN_H
#define NONO_APPROVE_SCREEN_H

#include "approve/approve.h"

/** struct screen_ops - where answers go. */
struct screen_ops {
	int (*answer)(void *data, uint64_t id, enum answer answer, const char *dir, struct err **e);
	char *(*preview)(void *data, uint64_t id, const char *dir, struct err **e); /* new string */
};

enum screen_mode { SCREEN_LIST, SCREEN_DIRECTORY, SCREEN_ALWAYS, SCREEN_HELP, SCREEN_URL, SCREEN_QR };

struct screen {
	const struct screen_ops *ops;
	void *data;
	struct pending *p; /* owned */
	size_t n, selected;
	enum screen_mode mode;
	struct strv dirs;   /* SCREEN_DIRECTORY: the directories above the object, nearest first */
	size_t dir;         /* chosen one */
	char *always_dir;   /* SCREEN_ALWAYS: the directory to be written, NULL for the object */
	char *preview;      /* SCREEN_ALWAYS: the change */
	size_t url_row;     /* SCREEN_URL: the first row shown */
	size_t preview_row; /* SCREEN_ALWAYS: the same */
	char *note;         /* one line for the person */
	char *told;         /* for the terminal itself, once; see screen_tell() */
	unsigned rows, cols;
	bool color, remote; /* remote: another terminal than the session's own; q leaves */
	bool links;         /* the terminal may be sent links (OSC 8) and text to copy (OSC 52) */
	bool quit;          /* the person wants to leave the list */
	/* key decoder */
	char seq[16], last;
	size_t seq_len;
	unsigned skip;      /* bytes of a mouse report still to come */
	bool paste, string; /* inside a bracketed paste, inside a string sequence */
};

/** screen_update() - take over a new list; the selected question stays selected while it is open. */
void screen_update(struct screen *s, struct pending *p, size_t n);
/** screen_render() - append the whole picture. */
void screen_render(const struct screen *s, struct buf *out);
/** screen_tell() - append what the terminal is to be told once, behind the picture: text to be copied. */
void screen_tell(struct screen *s, struct buf *out);
/** screen_links() - whether the terminal called @term may be sent links; some show them as text. */
bool screen_links(const char *term);
/**
 * screen_input() - act on bytes from the terminal. Escape sequences other than the arrow
 * keys and everything inside a bracketed paste are ignored.
 * Return: whether an answer was given; the rest of the bytes is then dropped, so that
 * keys typed for one question never answer the next.
 */
bool screen_input(struct screen *s, const char *bytes, size_t n);
/** screen_idle() - no more bytes came for a moment: a lone escape byte was the Escape key. Return: as screen_input().
 */
bool screen_idle(struct screen *s);
void screen_free(struct screen *s);

/** question_verb() - "read", "connect to", ... for sentences. Borrowed. */
const char *question_verb(const struct question *q);
/** question_is_url() - whether it is about a page, and not about a file to be opened outside or anything else. */
bool question_is_url(const struct question *q);
/** question_object() - the object as one safe piece of text ("host:443/udp", a path). New string. */
char *question_object(const struct question *q);

#endif
