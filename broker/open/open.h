/* SPDX-License-Identifier: Apache-2.0 */
/* open.h - URL opening: validation, origins, the opener, the callback. */
#ifndef NONO_OPEN_H
#define NONO_OPEN_H

#include "policy/policy.h"

struct approve;
struct explain;
struct net;
struct open_room;

/** struct open_config - borrowed, outliving the room. host_env is the environment nono itself was started with. */
struct open_config {
	struct policy *policy;
	struct approve *approve;
	struct explain *explain;
	struct net *net;         /* NULL: where a login's answer goes is not checked */
	const char *session_dir; /* helpers and PATH entries are laid out below it */
	const char *shared;      /* from open_shared_entries(), or NULL */
	char *const *host_env;
};
/**
 * open_shared_entries() - the directory with the tree's openers, made when it is not there yet. All sessions of a
 * person share it: making its entries takes longer than much else of a start.
 * @runtime: runtime_dir(), which no sandbox changes
 * Return: its path, new string; NULL with an error.
 */
char *open_shared_entries(const char *runtime, struct err **e);
int open_start(struct open_room **o, const struct open_config *cfg, struct err **e);
void open_stop(struct open_room *o);
/** open_url_done - runs once, on any thread: NULL @problem means the page was opened, or had been already. */
typedef void open_url_done(void *data, const char *problem);
/**
 * open_url() - one request from the tree, for a page or a file (file: URL); @tgid from the kernel. Asks when no list
 * of the profile holds it.
 * Return: a number for open_url_gone(), never 0.
 */
uint64_t open_url(struct open_room *o, pid_t tgid, const char *url, size_t len, open_url_done *done, void *data);
/** open_url_gone() - who asked is gone: its question is not shown any more. @done still runs, if it did not yet. */
void open_url_gone(struct open_room *o, uint64_t id);
/** open_browser_var() - value for BROWSER; open_path_dir() - directory to put first in PATH. Borrowed. */
const char *open_browser_var(const struct open_room *o);
const char *open_path_dir(const struct open_room *o);
/** open_entry_at() - what the tree executes instead of the opener at @path. New string; NULL: no opener stands there.
 */
char *open_entry_at(const struct open_room *o, const char *path);

/** open_is_helper() - whether the process @pid is an entry that still asks for its page. */
bool open_is_helper(const struct open_room *o, pid_t pid);
/** open_functions_text() - value of OPEN_FUNCTIONS_VARIABLE: the built-in functions and those of @p. New string. */
char *open_functions_text(const struct profile *p);

/** open_helper_main() - the URL helper inside the tree (`nono open-url-helper URL`, also by argv[0]). */
int open_helper_main(int argc, char **argv);

#endif
