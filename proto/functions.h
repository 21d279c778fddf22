/* SPDX-License-Identifier: Apache-2.0 */
/*
 * functions.h - how the broker tells the shim which functions open pages.
 *
 * NONO_OPEN_FUNCTIONS holds one record for each function, each ended by ';':
 *	symbol ':' one letter for each argument ':' index of the URL ':' letter of the result ':' value on success
 * as in "gtk_show_uri_on_window:psue:1:i:1;". Uses no libc.
 */
#ifndef NONO_FUNCTIONS_H
#define NONO_FUNCTIONS_H

#define OPEN_FUNCTIONS_VARIABLE "NONO_OPEN_FUNCTIONS"
#define OPEN_FUNCTIONS_MAX 24      /* functions */
#define OPEN_FUNCTIONS_DECLARED 16 /* of them in a profile */
#define OPEN_FUNCTION_ARGS 16      /* arguments of one */
#define OPEN_FUNCTION_NAME 200     /* bytes of a symbol */
#define OPEN_FUNCTIONS_TEXT 6144   /* bytes of the whole */

/* name in profiles, letter, is it a type of results too */
#define OPEN_FUNCTION_TYPES(T)                                                                                         \
	T("void", 'v', RESULT_ONLY)                                                                                    \
	T("pointer", 'p', BOTH)                                                                                        \
	T("string", 's', ARGUMENT_ONLY)                                                                                \
	T("int", 'i', BOTH)                                                                                            \
	T("uint", 'u', BOTH)                                                                                           \
	T("long", 'l', BOTH)                                                                                           \
	T("double", 'd', BOTH)                                                                                         \
	T("error", 'e', ARGUMENT_ONLY)    /* GError **, set when the page is refused */                                \
	T("callback", 'c', ARGUMENT_ONLY) /* GAsyncReadyCallback; what follows is its data */

#endif
