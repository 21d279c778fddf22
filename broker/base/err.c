/* SPDX-License-Identifier: Apache-2.0 */
/* err.c - the error object: an errno value and a sentence that gains context on the way up. */
#include "base/base.h"

int err_set(struct err **e, int code, const char *fmt, ...)
{
	if (!e)
		return -1;
	struct buf b = {0};
	char *text = NULL;
	va_list ap;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	buf_adds(&b, text);
	free(text);
	if (code)
		buf_addf(&b, ": %s", strerror(code));
	err_free(e);
	struct err *n = xcalloc(1, sizeof *n);
	n->code = code;
	n->msg = buf_steal(&b);
	*e = n;
	return -1;
}

int err_wrap(struct err **e, const char *fmt, ...)
{
	if (!e || !*e)
		return -1;
	char *ctx = NULL;
	va_list ap;
	va_start(ap, fmt);
	if (vasprintf(&ctx, fmt, ap) < 0)
		abort();
	va_end(ap);
	char *msg = xasprintf("%s: %s", ctx, (*e)->msg);
	free(ctx);
	free((*e)->msg);
	(*e)->msg = msg;
	return -1;
}

const char *err_msg(const struct err *e)
{
	return e && e->msg ? e->msg : "unknown error";
}

void err_free(struct err **e)
{
	if (!e || !*e)
		return;
	free((*e)->msg);
	free(*e);
	*e = NULL;
}
