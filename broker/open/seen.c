/* SPDX-License-Identifier: Apache-2.0 */
/* seen.c - which pages were opened in this session. */
#include "open/seen.h"

bool seen_add(struct seen *s, const char *url, bool login, time_t now)
{
	for (unsigned i = 0; i < SEEN_MAX; i++)
		if (s->page[i].url && strcmp(s->page[i].url, url) == 0 &&
			(s->page[i].login || now - s->page[i].at < SEEN_SAME))
			return false;
	free(s->page[s->next].url);
	s->page[s->next].url = xstrdup(url);
	s->page[s->next].at = now;
	s->page[s->next].login = login;
	s->next = (s->next + 1) % SEEN_MAX;
	return true;
}

void seen_forget(struct seen *s, const char *url)
{
	for (unsigned i = 0; i < SEEN_MAX; i++) {
		if (!s->page[i].url || strcmp(s->page[i].url, url) != 0)
			continue;
		free(s->page[i].url);
		s->page[i].url = NULL;
	}
}

void seen_free(struct seen *s)
{
	for (unsigned i = 0; i < SEEN_MAX; i++)
		free(s->page[i].url);
	*s = (struct seen){0};
}
