/* SPDX-License-Identifier: Apache-2.0 */
/* groups.c - run when nono is built: prints the policy groups as C, so that no start parses them. */
#include "profile/groups.h"

#include <ctype.h>
#include <stddef.h>

static const struct {
	const char *name;
	size_t offset;
} lists[] = {
	{"allow_read", offsetof(struct group, allow_read)},
	{"allow_write", offsetof(struct group, allow_write)},
	{"allow_readwrite", offsetof(struct group, allow_readwrite)},
	{"allow_names", offsetof(struct group, allow_names)},
	{"deny_access", offsetof(struct group, deny_access)},
	{"deny_commands", offsetof(struct group, deny_commands)},
};

static const struct items *list_of(const struct group *g, size_t i)
{
	return (const struct items *)((const char *)g + lists[i].offset);
}

static void print_text(const char *s)
{
	if (!s) {
		printf("0");
		return;
	}
	putchar('"');
	for (; *s; s++)
		if (isalnum((unsigned char)*s) || strchr(" /._-$~@:*+", *s))
			putchar(*s);
		else
			printf("\\%03o", (unsigned char)*s); /* also '?', which could begin a trigraph */
	putchar('"');
}

static void print_items(size_t number, const struct group *g)
{
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const struct items *l = list_of(g, i);
		if (!l->n)
			continue;
		printf("static struct item items_%zu_%zu[] = {\n", number, i);
		for (size_t k = 0; k < l->n; k++) {
			printf("\t{.value = (char *)");
			print_text(l->v[k].value);
			printf(", .origin = {.source = SOURCE_GROUP, .label = (char *)");
			print_text(g->name);
			printf("}},\n");
		}
		printf("};\n");
	}
}

static void print_group(size_t number, const struct group *g)
{
	printf("static const struct group group_%zu = {\n\t.name = ", number);
	print_text(g->name);
	printf(", .description = ");
	print_text(g->description);
	printf(", .platform = ");
	print_text(g->platform);
	printf(", .required = %d, .deny_unlink = %d,\n", g->required, g->deny_unlink);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		if (list_of(g, i)->n)
			printf("\t.%s = {items_%zu_%zu, %zu},\n", lists[i].name, number, i, list_of(g, i)->n);
	printf("};\n");
}

int main(void)
{
	size_t n;
	const struct group *const *all = group_list(&n);
	printf("/* Made by generate-groups. */\n#include \"profile/groups.h\"\n\n");
	for (size_t i = 0; i < n; i++) {
		print_items(i, all[i]);
		print_group(i, all[i]);
	}
	printf("static const struct group *const all[] = {");
	for (size_t i = 0; i < n; i++)
		printf("&group_%zu, ", i);
	printf("};\nconst struct embedded_groups embedded_groups = {all, %zu};\n", n);
	return 0;
}
