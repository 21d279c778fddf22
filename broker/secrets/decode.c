/* SPDX-License-Identifier: Apache-2.0 */
/* decode.c - values as the Go keyring library stores them. */
#include "secrets/internal.h"

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c | 0x20) : NULL;
	return at ? (int)(at - digits) : -1;
}

static bool from_hex(const char *in, char *out)
{
	for (; *in; in += 2) {
		const int high = hex_digit(in[0]);
		const int low = high < 0 ? -1 : hex_digit(in[1]);
		if (low < 0)
			return false;
		*out++ = (char)(high << 4 | low);
	}
	return true;
}

static bool from_base64(const char *in, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const size_t n = strcspn(in, "=");
	unsigned bits = 0;
	int have = 0;
	for (size_t i = 0; i < n; i++) {
		const char *at = strchr(digits, in[i]);
		if (!at)
			return false;
		bits = bits << 6 | (unsigned)(at - digits);
		have += 6;
		if (have >= 8) {
			have -= 8;
			*out++ = (char)(bits >> have & 0xff);
		}
	}
	const size_t padding = strlen(in + n);
	return n % 4 != 1 && strspn(in + n, "=") == padding && (padding == 0 || (n + padding) % 4 == 0);
}

int secret_decode_go(const char *stored, char **out, struct err **e)
{
	static const struct {
		const char *prefix;
		bool (*decode)(const char *in, char *out);
	} forms[] = {{"go-keyring-base64:", from_base64}, {"go-keyring-encoded:", from_hex}};
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if (!str_starts(stored, forms[i].prefix))
			continue;
		const char *body = stored + strlen(forms[i].prefix);
		char *value = xcalloc(1, strlen(body) + 1);
		if (forms[i].decode(body, value)) {
			*out = value;
			return 0;
		}
		secret_free(value);
		return err_set(e, 0, "its value begins with %s but is not encoded so", forms[i].prefix);
	}
	*out = xstrdup(stored);
	return 0;
}
