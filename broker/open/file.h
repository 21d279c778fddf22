/* SPDX-License-Identifier: Apache-2.0 */
/* file.h - what a file has to be before the host's opener gets it. */
#ifndef NONO_OPEN_FILE_H
#define NONO_OPEN_FILE_H

#include "policy/policy.h"

/** file_is_url() - whether @text, @len bytes, is a file: URL. */
bool file_is_url(const char *text, size_t len);
/** file_url() - the file: URL of an absolute path; may be longer than a URL can be. New string. */
char *file_url(const char *path);
/**
 * file_url_path() - the path that a file: URL names.
 * Return: a new string, absolute and fit to be shown; NULL and a sentence.
 */
char *file_url_path(const char *text, size_t len, struct err **e);
/**
 * file_pin() - resolve @path and look at what it leads to: a regular file that is shown and not run, and that the
 * policy lets the tree read.
 * @path: from file_url_path(), or the *@real of an earlier call
 * @real: receives the canonical path, a new string; also where the file is refused, when it is known
 * Return: an O_PATH descriptor; -1 and a sentence.
 */
int file_pin(const struct policy *p, const char *path, char **real, struct err **e);

#endif
