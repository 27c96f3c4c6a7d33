/* Starting what the brain asks for, and the brain itself; and who of it still runs. */
#include "sentinel.h"

enum { ORPHAN_MS = 1000 };

struct child *children;
u32 child_count;
static u32 child_room;

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

/* Makes room for so many more. 0 if out of memory. */
int children_reserve(u32 more) {
	if (child_count + more <= child_room) return 1;
	u32 room = (child_count + more) * 2;
	struct child *list = memory_map(room * sizeof *list);
	if (!list) return 0;
	if (child_count > 0) memcpy(list, children, child_count * sizeof *list);
	memory_unmap(children, child_room * sizeof *list);
	children = list, child_room = room;
	return 1;
}

/* Forgets those that the brain knows all of; of the others it need not be told again that they run, or have ended. */
void children_acknowledge(u32 ack, u64 now) {
	u32 kept = 0;
	for (u32 i = 0; i < child_count; i++) {
		struct child *child = &children[i];
		int has_failed = child->step != NO_STEP, is_past = child->ended_at && now >= child->ended_at + ORPHAN_MS;
		if (child->started_seq <= ack) child->started_seq = 0;
		if (child->ended_seq <= ack) child->ended_seq = 0;
		if (child->orphan_seq <= ack) child->orphan_seq = 0;
		int is_told = !child->started_seq && !child->ended_seq && !child->orphan_seq;
		if (!is_told || !(has_failed || is_past)) children[kept++] = *child;
	}
	child_count = kept;
}

/* What a process and all that descend from it are known by, wherever they run to: a limit that the brain
 * has chosen, and that means nothing else. A zombie has it still. 0 if it has none. */
u64 read_mark(int pid) {
	struct rlimit limit = { ~0ul, ~0ul };
	sys(prlimit64, pid, RLIMIT_RTTIME, 0, &limit);
	return limit.soft == ~0ul ? 0 : limit.soft;
}

/* For a command whose output is kept in files of bounded size. -errno if that cannot be. */
static int open_pipes(struct command *command) {
	if (command->max_size == 0) return 0;
	command->output_end = outputs_pipe(command, command->output);
	if (command->output_end < 0 || !command->errors) return command->output_end;
	command->error_end = outputs_pipe(command, command->errors);
	return command->error_end;
}

/* Starts one; there is room. */
static void start_child(struct command command, u32 id) {
	static const int none[2] = { -1, -1 };
	enum step step = STEP_OUTPUT;
	int trouble = open_pipes(&command), pid = trouble < 0 ? trouble : spawn(&command, none, -1, &step);
	if (command.output_end >= 0) sys(close, command.output_end);
	if (command.error_end >= 0) sys(close, command.error_end);
	children[child_count++] = (struct child){
		.pid = pid > 0 ? pid : 0, .start = pid > 0 ? read_start_time(pid) : 0, .mark = pid > 0 ? read_mark(pid) : 0, .id = id,
		.step = (char)(pid > 0 ? NO_STEP : step), .trouble = pid > 0 ? 0 : -pid, .started_seq = ++seq,
	};
}

/* Starts what the frame asks for; there is room. */
void children_start(const struct frame *next) {
	struct bytes rest = next->body;
	for (struct item item; frame_next(&rest, &item);)
		if (item.verb == START) start_child(frame_command(&rest), (u32)item.number[0]);
}

static int is_child(u64 pid) {
	for (u32 i = 0; i < child_count; i++)
		if ((u64)children[i].pid == pid && !children[i].ended_at) return 1;
	return pid == (u64)brain_pid();
}

/* Whether somebody has come to us that no frame has started: an orphan, whoever left it. */
static int has_orphans(void) {
	char text[4096];
	struct line path = { .length = 0 };
	u64 own = (u64)sys(getpid, 0), pid;
	line_format(&path, "/proc/%d/task/%d/children", own, own);
	path.at[path.length] = 0;
	int file = (int)sys(openat, AT_FDCWD, path.at, O_RDONLY | O_CLOEXEC);
	i64 length = file < 0 ? file : sys(read, file, text, sizeof text);
	if (file >= 0) sys(close, file);
	if (length < 0 || length == sizeof text) return 1;
	for (struct bytes rest = { text, (u64)length }; text_number(&rest, &pid); rest.at += rest.length > 0, rest.length -= rest.length > 0)
		if (!is_child(pid)) return 1;
	return 0;
}

/* The brain has said before it went to sleep what is to follow this one. Not, if anybody of its group or
 * an orphan is left: who that is the brain must see first. It is told before the end itself. */
void children_replace(int pid, int status) {
	struct bytes rest = frame.body;
	for (struct item item; frame_next(&rest, &item);) {
		if (item.verb != REPLACE || (int)item.number[0] != pid) continue;
		struct command command = frame_command(&rest);
		int is_meant = 0;
		for (u32 i = 0; i < child_count; i++)
			is_meant |= children[i].pid == pid && children[i].start == item.number[1] && !children[i].ended_at;
		struct bytes items = command.items;
		for (struct item one; frame_next(&items, &one);)
			if (one.verb == UNLESS && !(status & 0x7f) && one.number[0] == (u64)(status >> 8 & 0xff)) is_meant = 0;
		for (u32 i = 0; i < child_count; i++)
			if (children[i].id == (u32)item.number[2]) is_meant = 0; /* once only */
		if (!is_meant || sys(kill, -pid, 0) != -ESRCH || !children_reserve(1)) return;
		if (!has_orphans()) start_child(command, (u32)item.number[2]);
		return;
	}
}

void children_reaped(int pid, int status, u64 now) {
	for (u32 i = 0; i < child_count; i++) {
		if (children[i].pid != pid || children[i].ended_at) continue;
		children[i].status = status;
		children[i].ended_at = now;
		children[i].ended_seq = ++seq;
	}
}

/* Nobody of ours: but it may be all that was left of a command, and gone before the brain could see it. */
void children_orphaned(int pid, u64 mark, int status, u64 now) {
	for (u32 i = 0; i < child_count && mark && status; i++) {
		struct child *child = &children[i];
		if (!child->ended_at || child->mark != mark || child->orphan || now > child->ended_at + ORPHAN_MS) continue;
		child->orphan = pid, child->orphan_status = status, child->orphan_seq = ++seq;
	}
}

/* To the groups of commands that we know not to have ended: their numbers can't be another's. */
void children_signal(const struct frame *next) {
	struct bytes rest = next->body;
	for (struct item item; frame_next(&rest, &item);) {
		if (item.verb != SIGNAL) continue;
		for (u32 i = 0; i < child_count; i++)
			if ((u64)children[i].pid == item.number[0] && !children[i].ended_at) sys(kill, -children[i].pid, item.number[1]);
	}
}
