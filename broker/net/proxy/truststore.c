/* SPDX-License-Identifier: Apache-2.0 */
/*
 * truststore.c - certificates in the form Java reads (JKS), for -Djavax.net.ssl.trustStore.
 *
 * A file is: magic, version 2, the number of entries; for each a tag, an alias, a date in
 * milliseconds, the certificate's type and its DER bytes; then a SHA-1 digest over the
 * password in UTF-16, a fixed phrase and everything before it. Numbers are big-endian.
 *
 * Source: OpenJDK, sun.security.provider.JavaKeyStore.
 */
#include "net/proxy/ca.h"

#include <openssl/evp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <time.h>

static void add_number(struct buf *b, uint64_t v, unsigned bytes)
{
	while (bytes--)
		buf_addc(b, (char)(v >> (8 * bytes)));
}

static void add_text(struct buf *b, const char *s)
{
	add_number(b, strlen(s), 2);
	buf_adds(b, s);
}

static int add_digest(struct buf *b, struct err **e)
{
	static const char password[] = "\0c\0h\0a\0n\0g\0e\0i\0t", phrase[] = "Mighty Aphrodite";
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool ok = md && EVP_DigestInit_ex(md, EVP_sha1(), NULL) &&
		  EVP_DigestUpdate(md, password, sizeof(password) - 1) &&
		  EVP_DigestUpdate(md, phrase, sizeof(phrase) - 1) && EVP_DigestUpdate(md, b->data, b->len) &&
		  EVP_DigestFinal_ex(md, digest, &n);
	EVP_MD_CTX_free(md);
	if (!ok)
		return tls_err(e, "cannot make a Java trust store");
	buf_add(b, digest, n);
	return 0;
}

int trust_store_write(const char *path, const char *pem, size_t len, struct err **e)
{
	cleanup_buf struct buf entries = {0}, b = {0};
	BIO *in = BIO_new_mem_buf(pem, (int)len);
	unsigned count = 0;
	char *name, *header;
	unsigned char *der;
	long size;
	while (in && PEM_read_bio(in, &name, &header, &der, &size)) {
		if (strcmp(name, PEM_STRING_X509) == 0) {
			cleanup_free char *alias = xasprintf("root%u", count++);
			add_number(&entries, 2, 4); /* a trusted certificate */
			add_text(&entries, alias);
			add_number(&entries, (uint64_t)time(NULL) * 1000, 8);
			add_text(&entries, "X.509");
			add_number(&entries, (uint64_t)size, 4);
			buf_add(&entries, der, (size_t)size);
		}
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_free(der);
	}
	BIO_free(in);
	ERR_clear_error();
	add_number(&b, 0xfeedfeed, 4);
	add_number(&b, 2, 4);
	add_number(&b, count, 4);
	buf_add(&b, entries.data, entries.len);
	if (add_digest(&b, e) < 0)
		return -1;
	return file_write_atomic(path, b.data, b.len, 0444, e);
}
