/* SPDX-License-Identifier: Apache-2.0 */
/* probe_signals.c - say which signals arrive, each as often as it does. */
#include "probe.h"

#include <signal.h>

/* Print "ready", then a line for each signal; SIGUSR2 ends it. */
static int signals(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	static const int wanted[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH, SIGCONT};
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		sigaddset(&set, wanted[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("ready\n");
	for (int sig; (sig = sigwaitinfo(&set, NULL)) != SIGUSR2;)
		if (sig > 0)
			printf("%s\n", sigabbrev_np(sig));
	printf("over\n");
	return 7;
}
PROBE(signals, signals, "");
