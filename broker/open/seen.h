/* SPDX-License-Identifier: Apache-2.0 */
/* seen.h - which pages were opened in this session, so that none opens twice. */
#ifndef NONO_OPEN_SEEN_H
#define NONO_OPEN_SEEN_H

#include "base/base.h"

#include <time.h>

#define SEEN_MAX 64  /* pages remembered */
#define SEEN_SAME 10 /* seconds in which equal requests open one page */

/** struct seen - a ring of pages; zeroed is empty. Not thread-safe. */
struct seen {
	struct {
		char *url;
		time_t at; /* monotonic seconds */
		bool login;
	} page[SEEN_MAX];
	unsigned next;
};
/**
 * seen_add() - note that @url is about to be opened at @now.
 * @login: it carries values of one login; it is good for one time only, however late the next request comes
 * Return: false when it was opened already and must not be again.
 */
bool seen_add(struct seen *s, const char *url, bool login, time_t now);
/** seen_forget() - @url did not open after all. */
void seen_forget(struct seen *s, const char *url);
void seen_free(struct seen *s);

#endif
