/* SPDX-License-Identifier: Apache-2.0 */
/* internal.h - what the files of the secrets room share: parsed references and their fetchers. */
#ifndef NONO_SECRETS_INTERNAL_H
#define NONO_SECRETS_INTERNAL_H

#include "secrets/secrets.h"

/** enum secret_kind - where a reference points; indexes the table in refs.c. */
enum secret_kind { SECRET_NAME, SECRET_ENV, SECRET_FILE, SECRET_OP, SECRET_BW, SECRET_KEYRING, N_SECRET_KINDS };

/** struct secret_ref - a reference taken apart. All strings are owned. */
struct secret_ref {
	enum secret_kind kind;
	char *where; /* service, variable, absolute path, op:// reference or item id */
	char *what;  /* account or field; NULL when the kind has none */
	bool decode; /* ?decode=go-keyring */
};

/**
 * secret_ref_parse() - take @ref apart.
 * @out: filled on success; release with secret_ref_free()
 * Return: 0, or -1 with the sentence in *@e.
 */
int secret_ref_parse(const char *ref, struct secret_ref *out, struct err **e);
void secret_ref_free(struct secret_ref *r);

/**
 * keyring_find() - look up (@service, @account) through libsecret; only called in a process of its own.
 * Return: 0 and the secret in *@out, or -1.
 */
int keyring_find(const char *service, const char *account, char **out, struct err **e);

/**
 * secret_decode_go() - what the Go keyring library stored: "go-keyring-base64:" or
 * "go-keyring-encoded:" (hexadecimal) in front, or plain text.
 * Return: 0 and a new string in *@out, or -1.
 */
int secret_decode_go(const char *stored, char **out, struct err **e);

#endif
