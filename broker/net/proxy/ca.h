/* SPDX-License-Identifier: Apache-2.0 */
/* ca.h - the session's certificate authority: key in memory only, leaves by name, the bundle for the tree. */
#ifndef NONO_PROXY_CA_H
#define NONO_PROXY_CA_H

#include "base/base.h"

#include <openssl/ssl.h>

struct ca;
/**
 * ca_new() - make the CA (ECDSA P-256, 24 hours).
 * @bundle: the CA's certificate and the host's roots are written here, mode 0444
 * @trust_store: the same certificates as a Java key store (JKS)
 */
struct ca *ca_new(const char *bundle, const char *trust_store, struct err **e);
void ca_free(struct ca *ca);
/** ca_leaf() - a server context with a certificate for @host (name or address), made once for each. Borrowed. */
SSL_CTX *ca_leaf(struct ca *ca, const char *host, struct err **e);
/** ca_leaf_http1() - from now on offer programs only HTTP/1.1 for @host: the real server speaks no h2. */
void ca_leaf_http1(struct ca *ca, const char *host);
/** trust_store_write() - the certificates of @pem (the first @len bytes) as a JKS file, mode 0444. */
int trust_store_write(const char *path, const char *pem, size_t len, struct err **e);
/** tls_err() - set an error with OpenSSL's own reason. Return: -1. */
int tls_err(struct err **e, const char *what);

#endif
