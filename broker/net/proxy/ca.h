/* SPDX-License-Identifier: Apache-2.0 */
/* ca.h - the session's certificate authority: key in memory only, leaves by name, the bundle for the tree. */
#ifndef NONO_PROXY_CA_H
#define NONO_PROXY_CA_H

#include "base/base.h"

#include <openssl/ssl.h>

struct ca;
/** ca_new() - make the CA (ECDSA P-256, 24 hours) and write @bundle: the host's roots and the CA's certificate, mode
 * 0444. */
struct ca *ca_new(const char *bundle, struct err **e);
void ca_free(struct ca *ca);
/** ca_leaf() - a server context with a certificate for @host (name or address), made once for each. Borrowed. */
SSL_CTX *ca_leaf(struct ca *ca, const char *host, struct err **e);
/** ca_leaf_http1() - from now on offer programs only HTTP/1.1 for @host: the real server speaks no h2. */
void ca_leaf_http1(struct ca *ca, const char *host);
/** tls_err() - set an error with OpenSSL's own reason. Return: -1. */
int tls_err(struct err **e, const char *what);

#endif
