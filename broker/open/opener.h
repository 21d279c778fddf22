/* SPDX-License-Identifier: Apache-2.0 */
/* opener.h - the host's program that shows a page. */
#ifndef NONO_OPEN_OPENER_H
#define NONO_OPEN_OPENER_H

#include "base/base.h"

/**
 * opener_start() - show a page or a file outside the sandbox: with the host's BROWSER (a list of
 * commands, "%s" for the URL) when it is set; else through the desktop's portal; else with
 * xdg-open where there is a display, or wslview in WSL. Programs get the host's environment,
 * are detached from the session's terminal and start in the root directory.
 * @host_env: what nono itself was started with
 * @url: from url_check(), or the absolute path of a file
 * @file: the file's descriptor, for the portal; -1: a page
 * @pid: receives the program's, to be watched and waited for; 0 when there is none (portal)
 * Return: 0; 1 when this machine has nothing to show a page with; -1 and a sentence.
 */
int opener_start(char *const *host_env, const char *url, int file, pid_t *pid, struct err **e);
/**
 * opener_watch() - wait a moment for a failure of the opener.
 * @stop: a descriptor that becomes readable when nobody wants to know any more
 * @ended: set when it has been waited for
 * Return: 0: nothing is wrong so far; -1 and a sentence.
 */
int opener_watch(pid_t pid, int stop, bool *ended, struct err **e);
/** opener_wait() - wait until the opener has ended, or for @stop. */
void opener_wait(pid_t pid, int stop);

/**
 * portal_open() - ask org.freedesktop.portal.OpenURI on the session bus.
 * @file: a descriptor that stands for the file to open instead of @url; -1: none
 * Return: 0 when it took it; 1 when there is none; -1 and a sentence when it refused.
 */
int portal_open(const char *url, int file, struct err **e);

#endif
