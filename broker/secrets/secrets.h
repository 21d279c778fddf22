/* SPDX-License-Identifier: Apache-2.0 */
/* secrets.h - credential sources: keyring, env://, file://, op://, bw://, keyring://. */
#ifndef NONO_SECRETS_H
#define NONO_SECRETS_H

#include "profile/profile.h"

/** secret_ref_check() - whether a reference is well formed. */
int secret_ref_check(const char *ref, struct err **e);
/** secret_variable_check() - whether a secret may be put into (or read from) variable @name. */
int secret_variable_check(const char *name, struct err **e);
/** secret_load() - fetch one secret. The caller wipes it with secret_free(). */
int secret_load(const char *ref, char **out, struct err **e);
void secret_free(char *secret);
/**
 * secrets_load_all() - every reference of @wanted (reference -> variable) into @out (variable -> value).
 * Any failure is an error: nothing starts with a secret missing.
 */
int secrets_load_all(const struct pairs *wanted, struct pairs *out, struct err **e);
void secrets_wipe(struct pairs *values);
/** env_credential_flag() - parse one --env-credential list into reference -> variable pairs. */
int env_credential_flag(const char *list, struct pairs *out, struct err **e);

#endif
