/* SPDX-License-Identifier: Apache-2.0 */
/* hooks.h - what is installed into agents: the Claude Code hook and its instruction section. */
#ifndef NONO_HOOKS_H
#define NONO_HOOKS_H

#include "profile/profile.h"

/** hooks_install() - install or update what the profile's `hooks` map names. Problems are warnings. */
void hooks_install(const struct profile *p);
/** hooks_command() - `nono hooks install|status|remove|context`. */
int hooks_command(int argc, char **argv);

#endif
