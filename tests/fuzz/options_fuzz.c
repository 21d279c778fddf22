/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options_fuzz.c - any words on the command line are taken, or refused with a message and a usage status.
 * The first byte picks the command, each line is a word.
 */
#include "cli/options.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define MOST_WORDS 64

/* What is said goes here, to be looked at. */
static char *said;
static size_t said_len;
static int said_fd; /* what does not go through stdio */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	said_fd = memfd_create("said", MFD_CLOEXEC);
	if (said_fd < 0)
		abort();
	for (size_t i = 0; i < n_option_rows; i++)
		if (option_rows[i].env)
			unsetenv(option_rows[i].env);
	return 0;
}

static void check(int rc, const struct run_flags *f, int argc)
{
	struct stat st;
	bool spoke = said_len > 0 || (fstat(said_fd, &st) == 0 && st.st_size > 0);
	/* 1 is --help, 2 an error, 3 wrong usage */
	if (rc < 0 || rc > 3 || ((rc == 2 || rc == 3) && !spoke))
		abort();
	if (rc == 0 && (f->command_start < 1 || f->command_start > argc || !f->overlay))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const commands[] = {"run", "shell", "wrap", "why"};
	if (size == 0 || size > 4096)
		return 0;
	const char *command = commands[data[0] % ARRAY_SIZE(commands)];
	cleanup_free char *text = xcalloc(1, size);
	memcpy(text, data + 1, size - 1);
	char *words[MOST_WORDS + 2] = {(char *)command};
	int argc = 1;
	for (char *word = text; word && argc <= MOST_WORDS; argc++) {
		char *end = strchr(word, '\n');
		if (end)
			*end = '\0';
		/* it makes a file wherever the words say */
		if (str_starts(word, "--log-file"))
			return 0;
		words[argc] = word;
		word = end ? end + 1 : NULL;
	}
	FILE *real_err = stderr, *real_out = stdout;
	stderr = open_memstream(&said, &said_len);
	stdout = stderr;
	struct run_flags f = {0};
	cleanup_fd int terminal = dup(STDERR_FILENO);
	if (ftruncate(said_fd, 0) < 0 || dup2(said_fd, STDERR_FILENO) < 0)
		abort();
	int rc = run_flags_parse(command, argc, words, &f);
	dup2(terminal, STDERR_FILENO);
	fclose(stderr);
	stderr = real_err;
	stdout = real_out;
	check(rc, &f, argc);
	run_flags_free(&f);
	say_level = SAY_NORMAL;
	free(said);
	said = NULL;
	return 0;
}
