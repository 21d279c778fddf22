/* SPDX-License-Identifier: Apache-2.0 */
/* profile_manual.c - nono-profile(5), from the field table. */
#include "cli/options.h"
#include "cli/profile_commands.h"

#include <assert.h>

static const char *const type_words[] = {
	[FIELD_STRING] = "string",
	[FIELD_BOOL] = "true or false",
	[FIELD_TRI] = "true or false",
	[FIELD_ENUM] = "string",
	[FIELD_ITEMS] = "array of strings",
	[FIELD_PORTS] = "array of port numbers",
	[FIELD_DOMAINS] = "array of hosts or {domain, endpoints}",
	[FIELD_SECRETS] = "object, reference to variable",
	[FIELD_PAIRS] = "object of strings",
	[FIELD_STRV] = "string or array of strings",
	[FIELD_RAW] = "object",
	[FIELD_FUNCTIONS] = "array of functions",
	[FIELD_IGNORED] = "string",
};
static_assert(ARRAY_SIZE(type_words) == FIELD_TYPE_COUNT, "every type has its words");
static const char *const merge_words[] = {
	[MERGE_APPEND] = "added to the base's",
	[MERGE_SEQUENCE] = "added to the base's as a whole",
	[MERGE_OVERRIDE] = "replaces the base's when given",
	[MERGE_OR] = "stays true once true",
	[MERGE_MAP] = "merged by member, replacing the base's",
	[MERGE_REPLACE] = "not inherited",
	[MERGE_DOMAINS] = "merged by host, endpoint rules joined",
	[MERGE_SECTION] = "see MERGING",
	[MERGE_SPECIAL] = "see MERGING",
};

static const char head[] =
	"nono\\-profile \\- what a program may touch, as a file\n"
	".SH DESCRIPTION\n"
	"A profile is a JSON object; comments and commas after the last entry are allowed. A key that is not listed "
	"here is an error, and so is a key given twice. Names of profiles are letters, digits and inner dashes. A name "
	"means, in this order, your own file in\n.I ~/.config/nono/profiles\n(NAME.jsonc, then NAME.json) or a "
	"built\\-in "
	"profile; whatever contains a slash or ends in .json or .jsonc is a file.\n"
	".PP\nThe groups of the built\\-in profile\n.I default\nare part of every profile, unless\n.B groups.exclude\n"
	"leaves them out; required groups cannot be left out.\n"
	".SH KEYS\nA dot stands for nesting: filesystem.read is the member read of the object filesystem.\n";
static const char tail[] =
	".SH MERGING\nBases are folded together from left to right, then the profile itself; at most ten levels. A "
	"base "
	"is looked up beside the file that names it first.\n"
	".TP\n.B network.network_profile\nAbsent inherits, null clears.\n"
	".TP\n.B network.credentials\nAbsent or null inherits, an empty array clears, entries are added.\n"
	".TP\n.B environment.allow_vars\nAbsent inherits; an empty array keeps no variable unless a base names some.\n"
	".TP\n.B workdir.access\nnone inherits.\n"
	".TP\n.B open_urls\nThe object replaces the base's as a whole.\n"
	".SH CONDITIONS\nAn entry {\"path\": P, \"when\": C} counts where C holds; C is one predicate or an array of "
	"which one has to hold: linux, macos, linux:debian, linux:debian\\-like, linux:ubuntu:>=24.04, each with ! for "
	"the opposite.\n"
	".SH PATHS\n~, $HOME, $WORKDIR, $TMPDIR, $UID, $XDG_*, $NONO_CONFIG and other variables that are set; "
	"@git:toplevel, @git:toplevel\\-parent, @git:common\\-dir, @git:worktree, @git:hooks\\-path and "
	"@git:config\\-files. What does not exist is left out.\n"
	".SH SEE ALSO\n.BR nono (1)\n";

static void print_entry(const struct field *f)
{
	fputs(".TP\n.B ", stdout);
	roff(stdout, f->key);
	printf("\n%s", type_words[f->type]);
	for (size_t i = 0; f->names && f->names[i]; i++) {
		fputs(i ? ", " : ": ", stdout);
		roff(stdout, f->names[i]);
	}
	printf("%s; %s.\n.br\n", f->nullable ? ", or null" : "",
		f->type == FIELD_IGNORED ? "of no effect" : merge_words[f->merge]);
	roff(stdout, f->help);
	for (const char *a = f->aliases; a && *a; a += strcspn(a, "|"), a += *a == '|')
		printf("%s%.*s", a == f->aliases ? "\nAlso spelled " : ", ", (int)strcspn(a, "|"), a);
	puts(f->aliases ? "." : "");
}

void profile_manual(void)
{
	printf(".TH NONO\\-PROFILE 5 \"\" \"nono %s\" \"File Formats\"\n.SH NAME\n%s", NONO_VERSION, head);
	for (size_t i = 0; i < n_profile_fields; i++)
		if (!profile_fields[i].legacy_of)
			print_entry(&profile_fields[i]);
	puts(".SH LEGACY KEYS\nRead with a warning.");
	for (size_t i = 0; i < n_profile_fields; i++)
		if (profile_fields[i].legacy_of)
			printf(".TP\n.B %s\nnow %s\n", profile_fields[i].key, profile_fields[i].legacy_of);
	fputs(tail, stdout);
}
