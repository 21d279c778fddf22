/* SPDX-License-Identifier: Apache-2.0 */
/* policy_bringup.h - stand-ins for the profile and network rooms until they are there. */
#include "policy/internal.h"
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#define W __attribute__((weak))
struct hosts {
	enum net_mode mode;
};
W struct hosts *hosts_compile(const struct profile *p, struct err **e)
{
	(void)e;
	struct hosts *h = xcalloc(1, sizeof(*h));
	h->mode = p->network.block == TRI_TRUE ? NET_BLOCKED : NET_OPEN;
	return h;
}
W void hosts_free(struct hosts *h)
{
	free(h);
}
W struct decision hosts_check(const struct hosts *h, enum operation op, const char *host, unsigned port, bool udp)
{
	(void)h;
	(void)op;
	(void)host;
	(void)port;
	(void)udp;
	return (struct decision){0};
}
W enum net_mode hosts_mode(const struct hosts *h)
{
	return h->mode;
}
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
