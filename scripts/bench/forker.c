/* Forks so many processes of its own command line, says so, and ends with all of them when it is told to. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void end(int number) {
	signal(number, SIG_IGN);
	kill(0, number);
	while (wait(0) > 0) {}
	_exit(0);
}

int main(int count, char **arguments) {
	setpgid(0, 0);
	for (int left = count > 1 ? atoi(arguments[1]) : 0; left > 0; left--) {
		if (fork() == 0) for (;;) pause();
	}
	signal(SIGTERM, end);
	printf("ready\n");
	fflush(stdout);
	for (;;) pause();
}
