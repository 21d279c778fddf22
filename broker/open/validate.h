/* SPDX-License-Identifier: Apache-2.0 */
/* validate.h - what a URL from the tree has to be before anything else looks at it. */
#ifndef NONO_OPEN_VALIDATE_H
#define NONO_OPEN_VALIDATE_H

#include "base/base.h"

#define URL_LENGTH_MAX 8192U

/** struct checked_url - a URL in the one form that is compared, shown and opened. */
struct checked_url {
	char *url;    /* rebuilt from its parts: lower-case ASCII host, nothing but ASCII */
	char *origin; /* "https://host[:port]", the port only when it is not the scheme's own */
	bool localhost;
	bool login;             /* the query carries values of one login (state, code_challenge …) */
	unsigned redirect_port; /* of a redirect_uri on this machine in the query; 0: none */
};

/** url_library() - load the URL parser (libcurl), once; any thread. Return: 0, or -1 when there is none. */
int url_library(struct err **e);
/**
 * url_check() - parse and judge the form of one URL; where it leads is the policy's business.
 * @text: @len bytes as they came from the tree
 * Return: 0 and *@out to be released with checked_url_free(), or -1 and a sentence
 * that holds nothing of the URL.
 */
int url_check(const char *text, size_t len, struct checked_url *out, struct err **e);
void checked_url_free(struct checked_url *u);
#define cleanup_url __attribute__((cleanup(checked_url_free)))

#endif
