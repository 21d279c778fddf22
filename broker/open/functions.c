/* SPDX-License-Identifier: Apache-2.0 */
/* functions.c - the toolkit functions that open pages, as the shim is told of them. */
#include "open/open.h"
#include "proto/functions.h"

#include <assert.h>

/* Those of GLib and GTK, as records (see proto/functions.h). GTK 3 and 4 differ in gtk_show_uri; this fits both. */
static const char *const builtin[] = {
	"g_app_info_launch_default_for_uri:spe:0:i:1;",
	"g_app_info_launch_default_for_uri_async:sppcp:0:v:0;",
	"gtk_show_uri:psup:1:i:1;",
	"gtk_show_uri_on_window:psue:1:i:1;",
};
static_assert(ARRAY_SIZE(builtin) + OPEN_FUNCTIONS_DECLARED <= OPEN_FUNCTIONS_MAX, "the shim has a stub for each");

static char letter_of(const char *type)
{
	static const struct {
		const char *name;
		char letter;
	} types[] = {
#define TYPE(name_, letter_, use) {name_, letter_},
		OPEN_FUNCTION_TYPES(TYPE)
#undef TYPE
	};
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(types[i].name, type) == 0)
			return types[i].letter;
	return 'p';
}

static bool declared(const struct profile *p, const char *record)
{
	size_t n = strcspn(record, ":");
	for (size_t i = 0; i < p->open_urls.n_functions; i++) {
		const char *symbol = p->open_urls.functions[i].symbol;
		if (strlen(symbol) == n && strncmp(symbol, record, n) == 0)
			return true;
	}
	return false;
}

char *open_functions_text(const struct profile *p)
{
	struct buf b = {0};
	for (size_t i = 0; i < ARRAY_SIZE(builtin); i++)
		if (!declared(p, builtin[i]))
			buf_adds(&b, builtin[i]);
	for (size_t i = 0; i < p->open_urls.n_functions; i++) {
		const struct open_function *f = &p->open_urls.functions[i];
		buf_addf(&b, "%s:", f->symbol);
		for (size_t a = 0; a < f->args.n; a++)
			buf_addc(&b, letter_of(f->args.v[a]));
		buf_addf(&b, ":%u:%c:%ld;", f->url_arg, letter_of(f->returns), f->value);
	}
	return buf_steal(&b);
}
