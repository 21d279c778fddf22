/* SPDX-License-Identifier: Apache-2.0 */
/* policy_bringup.h - stand-ins for the profile and network rooms until they are there. */
#include "policy/internal.h"
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#define W __attribute__((weak))
W struct profile *profile_new(void)
{
	return xcalloc(1, sizeof(struct profile));
}
W void profile_free(struct profile *p)
{
	free(p);
}
W struct item *items_add(struct items *l, const char *v, const struct origin *o)
{
	l->v = xreallocarray(l->v, l->n + 1, sizeof(*l->v));
	struct item *i = &l->v[l->n++];
	*i = (struct item){.value = xstrdup(v), .origin = origin_copy(o)};
	return i;
}
W bool items_have(const struct items *l, const char *v)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->v[i].value, v))
			return true;
	return false;
}
W int profile_expand(const struct expansion *x, const struct item *it, struct strv *out, struct err **e)
{
	(void)x;
	(void)e;
	strv_add(out, it->value);
	return 0;
}
W const struct group *group_find(const char *n)
{
	(void)n;
	return NULL;
}
W const char *source_name(enum source s)
{
	(void)s;
	return "source";
}
W void items_free(struct items *l)
{
	*l = (struct items){0};
}
