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

/* Restrict the rule added last to GET below /v1. */
static inline void endpoint(struct profile *p)
{
	struct item *it = &p->network.allow_domain.v[p->network.allow_domain.n - 1];
	it->endpoints = xcalloc(1, sizeof(*it->endpoints));
	it->endpoints[0] = (struct endpoint){xstrdup("GET"), xstrdup("/v1/**")};
	it->n_endpoints = 1;
}

static inline void network_clear(struct profile *p)
{
	items_free(&p->network.allow_domain);
	items_free(&p->network.open_port);
	items_free(&p->network.listen_port);
	items_free(&p->network.connect_port);
}

#endif
