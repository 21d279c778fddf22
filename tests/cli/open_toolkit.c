/* SPDX-License-Identifier: Apache-2.0 */
/* open_toolkit.c - a library with functions that open pages, each of which says that it was not taken over. */
#include <stdio.h>

int show(void *window, const char *url);
long tiny(const char *url);
double show_double(int a, double b, const char *url, long c);
void show_nothing(double a, double b, const char *url);
void *many(int a, int b, int c, int d, int e, int f, int g, const char *url);
int indirect(const char *url);

int show(void *window, const char *url)
{
	printf("not taken over: %p %s\n", window, url);
	return 77;
}

long tiny(const char *url)
{
	(void)url;
	return 78;
}

double show_double(int a, double b, const char *url, long c)
{
	printf("not taken over: %d %f %s %ld\n", a, b, url, c);
	return 0.5;
}

void show_nothing(double a, double b, const char *url)
{
	printf("not taken over: %f %f %s\n", a, b, url);
}

void *many(int a, int b, int c, int d, int e, int f, int g, const char *url)
{
	printf("not taken over: %d %s\n", a + b + c + d + e + f + g, url);
	return NULL;
}

/* a call from within */
int indirect(const char *url)
{
	return show(NULL, url) + 1;
}
