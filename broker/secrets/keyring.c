/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyring.c - the Secret Service (GNOME keyring, KWallet, KeePassXC), through libsecret.
 *
 * Theory of operation
 *
 * The library is loaded when a secret is wanted, and only in the short-lived
 * process that fetches it: GLib starts threads, and the broker has none when it
 * starts the program. Only functions with fixed arguments are called, with the
 * attributes in a GHashTable, so plain function pointers suffice.
 *
 * Items are searched without unlocking first: what is not there needs no
 * password. A locked item is then searched again with unlocking, which lets the
 * desktop ask for the password; without one the item stays locked, an error.
 *
 * Documentation: libsecret, secret_service_search_sync().
 */
#include "secrets/internal.h"

#include <dlfcn.h>
#include <errno.h>

/* The few types of GLib and libsecret that are looked into; the rest is opaque. */
struct g_list {
	void *data;
	struct g_list *next, *prev;
};
struct g_error {
	uint32_t domain;
	int code;
	char *message;
};
enum { SEARCH_ALL = 1 << 1, SEARCH_UNLOCK = 1 << 2, SEARCH_LOAD = 1 << 3 };
enum { SERVICE_OPEN_SESSION = 1 << 1 };

struct library {
	void *(*g_hash_table_new)(void *hash, void *equal);
	int (*g_hash_table_insert)(void *table, const void *key, const void *value);
	void *g_str_hash, *g_str_equal;
	void *(*secret_service_get_sync)(int flags, void *cancellable, struct g_error **error);
	struct g_list *(*secret_service_search_sync)(void *service, const void *schema, void *attributes, int flags,
		void *cancellable, struct g_error **error);
	int (*secret_item_get_locked)(void *item);
	void *(*secret_item_get_secret)(void *item);
	const char *(*secret_value_get)(void *value, size_t *length);
};

static int library_load(struct library *l, struct err **e)
{
	void *handle = dlopen("libsecret-1.so.0", RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return err_set(
			e, 0, "the keyring cannot be read without libsecret (package libsecret-1-0): %s", dlerror());
#define LOAD(name)                                                                                                     \
	*(void **)&l->name = dlsym(handle, #name);                                                                     \
	if (!l->name)                                                                                                  \
		return err_set(e, 0, "libsecret has no %s: it is too old", #name);
	LOAD(g_hash_table_new)
	LOAD(g_hash_table_insert)
	LOAD(g_str_hash)
	LOAD(g_str_equal)
	LOAD(secret_service_get_sync)
	LOAD(secret_service_search_sync)
	LOAD(secret_item_get_locked)
	LOAD(secret_item_get_secret)
	LOAD(secret_value_get)
#undef LOAD
	return 0;
}

/* What a search asks for: pairs of attribute and value. */
struct query {
	const char *account_key;
	bool target;
};

static struct g_list *search(const struct library *l, void *service, const struct query *q, const char *const names[2],
	int flags, struct g_error **error)
{
	void *attributes = l->g_hash_table_new(l->g_str_hash, l->g_str_equal);
	l->g_hash_table_insert(attributes, "service", names[0]);
	l->g_hash_table_insert(attributes, q->account_key, names[1]);
	if (q->target)
		l->g_hash_table_insert(attributes, "target", "default");
	return l->secret_service_search_sync(service, NULL, attributes, SEARCH_ALL | flags, NULL, error);
}

static int take(const struct library *l, void *item, char **out, struct err **e)
{
	void *value = l->secret_item_get_secret(item);
	size_t n = 0;
	const char *text = value ? l->secret_value_get(value, &n) : NULL;
	if (!text)
		return err_set(e, 0, "the keyring gave no value (is it locked?)");
	if (memchr(text, 0, n))
		return err_set(e, 0, "its value has a zero byte in it and fits no variable");
	*out = xstrndup(text, n);
	return 0;
}

int keyring_find(const char *service_name, const char *account, char **out, struct err **e)
{
	static const struct query order[] = {{"username", true}, {"username", false}, {"account", false}};
	const char *const names[2] = {service_name, account};
	static struct library l; /* the process fetches one secret */
	if (library_load(&l, e) < 0)
		return -1;
	struct g_error *error = NULL;
	void *service = l.secret_service_get_sync(SERVICE_OPEN_SESSION, NULL, &error);
	if (!service)
		return err_set(
			e, 0, "no keyring can be reached on the session bus: %s", error ? error->message : "no reason");
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		struct g_list *found = search(&l, service, &order[i], names, 0, &error);
		if (error)
			return err_set(e, 0, "the keyring cannot be searched: %s", error->message);
		if (!found)
			continue;
		if (found->next)
			return err_set(e, 0, "the keyring has more than one item with service %s, %s %s", service_name,
				order[i].account_key, account);
		found = search(&l, service, &order[i], names, SEARCH_UNLOCK | SEARCH_LOAD, &error);
		if (error)
			return err_set(e, 0, "the keyring cannot be unlocked: %s", error->message);
		if (!found || l.secret_item_get_locked(found->data))
			return err_set(e, 0, "the keyring is locked and was not unlocked");
		return take(&l, found->data, out, e);
	}
	return err_set(e, 0,
		"the keyring has no such item; store it with: secret-tool store --label=%s service %s username %s",
		account, service_name, account);
}
