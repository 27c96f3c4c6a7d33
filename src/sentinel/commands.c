/* Starting what the brain asks for, and the brain itself. */
#include "sentinel.h"

/* What we changed for ourselves, as the user had it: signals and their mask. */
static void restore_habits(void) {
	struct { void *handler; u64 flags; void *restorer; u64 mask; } by_default = { 0, 0, 0, 0 };
	u64 none = 0;
	for (int number = 1; number <= 64; number++) SYS6(sigaction, number, &by_default, 0, 8, 0, 0);
	SYS6(sigprocmask, 2 /* SIG_SETMASK */, &none, 0, 8, 0, 0);
}

/* Our session, streams and terminal; in a group of its own, to which the terminal's keys go from now on. */
static void come_to_the_fore(void) {
	u64 all = ~0ul; /* from behind, giving the terminal away would stop us */
	int group = (int)sys(getpid, 0);
	sys(setpgid, 0, 0);
	SYS6(sigprocmask, 2 /* SIG_SETMASK */, &all, 0, 8, 0, 0);
	sys(ioctl, 0, TIOCSPGRP, &group);
}

/* The pipe's reading end comes with it: then nobody who writes depends on our life. */
static long open_pipe(int end) {
	struct line path = { .length = 0 };
	line_format(&path, "/proc/self/fd/%d", (u64)end);
	path.at[path.length] = 0;
	long both = sys(openat, AT_FDCWD, path.at, O_RDWR | O_CLOEXEC);
	return both < 0 ? end : both;
}

static long open_output(const char *path) {
	int flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC;
	long output = sys(openat, AT_FDCWD, path, flags, 0640);
	if (output >= 0) sys(fcntl, output, F_SETFL, O_APPEND);
	return output;
}

/* Both streams, or each on its own. -errno if a file can't be opened. */
static long send_output(const struct command *command) {
	if (!command->output) return 0;
	long output = command->output_end >= 0 ? open_pipe(command->output_end) : open_output(command->output);
	if (output < 0) return output;
	sys(dup3, output, 1, 0);
	if (command->errors) output = command->error_end >= 0 ? open_pipe(command->error_end) : open_output(command->errors);
	if (output < 0) return output;
	sys(dup3, output, 2, 0);
	return 0;
}

/* Nothing to read: /dev/null, or where there are no devices a pipe without a writer. */
static void close_input(void) {
	int ends[2], null = (int)sys(openat, AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 && sys(pipe2, ends, O_CLOEXEC) == 0) null = ends[0], sys(close, ends[1]);
	if (null >= 0) sys(dup3, null, 0, 0);
}

static int is_named(const char *variable, struct bytes name) {
	return text_begins(variable, name) && variable[name.length] == '=';
}

/* Whether the command leaves this variable of ours out, or has its own of that name. */
static int is_replaced(const struct command *command, const char *variable) {
	struct bytes rest = command->items;
	for (struct item item; frame_next(&rest, &item);) {
		u64 name = 0;
		if (item.verb == ENV) while (name < item.bytes.length && item.bytes.at[name] != '=') name++;
		if (item.verb == UNSET) name = item.bytes.length;
		if (name > 0 && is_named(variable, (struct bytes){ item.bytes.at, name })) return 1;
	}
	return 0;
}

static long execute(const struct command *command, int executable) {
	u32 inherited = 0, args = 0, envs = 0;
	while (environment[inherited]) inherited++;
	char **argv = memory_map((command->args + 1 + inherited + command->envs + 1) * sizeof *argv);
	if (!argv) return -ENOMEM;
	char **envp = argv + command->args + 1;
	for (u32 i = 0; i < inherited; i++)
		if (!is_replaced(command, environment[i])) envp[envs++] = environment[i];
	struct bytes rest = command->items;
	for (struct item item; frame_next(&rest, &item);) {
		if (item.verb == ARG) argv[args++] = item.bytes.at;
		if (item.verb == ENV) envp[envs++] = item.bytes.at;
	}
	if (executable >= 0) return sys(execveat, executable, "", argv, envp, AT_EMPTY_PATH);
	return sys(execve, command->program, argv, envp);
}

/* In the child: becomes the command, or tells which step failed and why. */
static long become(const struct command *command, const int sockets[2], int executable, enum step *step) {
	if (command->is_foreground) come_to_the_fore();
	else sys(setsid, 0), close_input();
	restore_habits();
	*step = STEP_OUTPUT;
	long result = send_output(command);
	if (result < 0) return result;
	/* First out of the way of the numbers that they are to get. */
	for (int i = 0; i < 2; i++) {
		long high = sockets[i] < 0 ? -1 : sys(fcntl, sockets[i], F_DUPFD, 10);
		if (high >= 0) sys(dup3, high, BRAIN_SOCKET + i, 0), sys(close, high);
	}
	*step = STEP_LIMITS;
	/* From here on there may be fewer than we need ourselves. */
	struct rlimit files = { users_files, open_files.hard };
	if (users_files != open_files.soft) sys(prlimit64, 0, RLIMIT_NOFILE, &files, 0);
	result = become_limited(command);
	if (result < 0) return result;
	*step = STEP_USER;
	result = become_user(command);
	if (result < 0) return result;
	/* As that user: what it may not enter, we do not enter for it. */
	*step = STEP_DIRECTORY;
	result = command->directory ? sys(chdir, command->directory) : 0;
	if (result < 0) return result;
	*step = STEP_PROGRAM;
	return execute(command, executable);
}

/* Starts a command; its number, or -errno and the step that failed. `executable`: a descriptor to
 * execute in place of the program's path, or -1. */
int spawn(const struct command *command, const int sockets[2], int executable, enum step *step) {
	struct { enum step step; int trouble; } report = { NO_STEP, 0 };
	int ends[2];
	*step = FORK;
	long result = sys(pipe2, ends, O_CLOEXEC);
	while (raise_limit(result)) result = sys(pipe2, ends, O_CLOEXEC);
	if (result < 0) return (int)result;
	/* Closed by the exec, so that reading ends; unless that failed. It must not be where the sockets go. */
	long report_end = sys(fcntl, ends[1], F_DUPFD_CLOEXEC, 10);
	while (raise_limit(report_end) || (report_end == -EINVAL && raise_limit(-EMFILE))) report_end = sys(fcntl, ends[1], F_DUPFD_CLOEXEC, 10);
	sys(close, ends[1]);
	long pid = report_end < 0 ? report_end : sys(clone, SIGCHLD, 0, 0, 0, 0);
	if (pid == 0) {
		report.trouble = (int)become(command, sockets, executable, &report.step);
		sys(write, report_end, &report, sizeof report);
		sys(exit_group, 127);
	}
	if (report_end >= 0) sys(close, report_end);
	while (pid > 0 && sys(read, ends[0], &report, sizeof report) == -EINTR) {}
	sys(close, ends[0]);
	if (pid < 0 || report.step == NO_STEP) return (int)pid;
	sys(wait4, pid, 0, 0, 0);
	*step = report.step;
	return report.trouble;
}
