/* SPDX-License-Identifier: Apache-2.0 */
/* net_bringup.h - profiles made by hand for the network tests. */
#ifndef NONO_NET_BRINGUP_H
#define NONO_NET_BRINGUP_H

#include "policy/internal.h"

static inline void domain(struct profile *p, const char *value, enum source source)
{
	struct items *l = &p->network.allow_domain;
	l->v = xreallocarray(l->v, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = (struct item){.value = xstrdup(value), .origin = {.source = source, .label = xstrdup("test")}};
}

static inline void port_item(struct items *l, const char *value)
{
	l->v = xreallocarray(l->v, l->n + 1, sizeof(*l->v));
	l->v[l->n++] =
		(struct item){.value = xstrdup(value), .origin = {.source = SOURCE_USER, .label = xstrdup("test")}};
}

static inline void items_clear(struct items *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].value);
		free(l->v[i].origin.label);
	}
	free(l->v);
	*l = (struct items){0};
}

static inline void network_clear(struct profile *p)
{
	items_clear(&p->network.allow_domain);
	items_clear(&p->network.open_port);
	items_clear(&p->network.listen_port);
	items_clear(&p->network.connect_port);
}

#endif
