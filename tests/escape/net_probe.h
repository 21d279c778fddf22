/* SPDX-License-Identifier: Apache-2.0 */
/* net_probe.h - commands of net_probe that stand in files of their own. Each gets its arguments, NULL-terminated. */
#ifndef NONO_NET_PROBE_H
#define NONO_NET_PROBE_H

/** cmd_same() - print what calls answer. @v: "blocking", "nonblocking", "states", or a directory for Unix sockets. */
int cmd_same(char **v);
/** cmd_attack() - every way past connect(). @v: allowed address, other address, port, path of a Unix socket that hands
 * out sockets. */
int cmd_attack(char **v);

#endif
