/* SPDX-License-Identifier: Apache-2.0 */
/* opener.h - the host's program that shows a page. */
#ifndef NONO_OPEN_OPENER_H
#define NONO_OPEN_OPENER_H

#include "base/base.h"

/**
 * opener_start() - start the host's BROWSER (a list of commands, "%s" for the URL), else xdg-open, with
 * the host's environment, detached from the session's terminal.
 * @host_env: what nono itself was started with
 * @url: from url_check()
 * Return: its pid, to be waited for, or -1 and a sentence.
 */
pid_t opener_start(char *const *host_env, const char *url, struct err **e);

#endif
