/* The sentinel: stays while the brain sleeps. It keeps what the user started (the number, the session,
 * the terminal), the brain's state and the watch, and decides nothing. PROTOCOL.md is all it knows. */
#include "sentinel.h"

#ifndef STOP_MS /* the tests have less time */
#define STOP_MS 5000
#endif
enum { AGAIN_MS = 100, FAREWELL_MS = 500 };

struct frame frame;
char **environment;
struct rlimit open_files;
u64 users_files;
u32 seq;
int control_socket = -1;

static struct bytes shown; /* the memory that ps reads the title from */
static struct address control = { .family = AF_UNIX };
static int signals = -1, alarm;
static u64 stop_at;        /* when to end, brain or no brain */

static void fail(const char *what, long trouble) {
	struct line line = { .length = 0 };
	line_format(&line, "watchdog: the sentinel cannot %s (error %d)\n", what, (u64)-trouble);
	sys(write, 2, line.at, line.length);
	sys(exit_group, 70);
}

static long must(const char *what, long result) {
	if (result < 0) fail(what, result);
	return result;
}

/* The first frame is in the environment, and taken out of it. Its pages are given back. */
static struct bytes take_handover(void) {
	static const struct bytes name = { "WATCHDOG_FRAME_", 15 };
	u64 length = 0, have = 0;
	for (char **one = environment; *one; one++)
		if (text_begins(*one, name)) length += text_length(*one);
	char *memory = memory_map(length + 1);
	if (!memory) fail("find memory for its state", -ENOMEM);
	char **kept = environment;
	for (char **one = environment; *one; one++) {
		if (!text_begins(*one, name)) {
			*kept++ = *one;
			continue;
		}
		char *chunk = *one + name.length, *end = *one + text_length(*one);
		while (*chunk && *chunk != '=') chunk++;
		chunk += *chunk == '=';
		memcpy(memory + have, chunk, (u64)(end - chunk));
		have += (u64)(end - chunk);
		u64 first = ((u64)chunk + PAGE - 1) & ~(u64)(PAGE - 1), last = (u64)end & ~(u64)(PAGE - 1);
		if (first < last) sys(madvise, first, last - first, MADV_DONTNEED);
	}
	*kept = 0;
	return (struct bytes){ memory, have };
}

/* All that a program finds in what ps shows is the title: neither pattern nor command. */
void show_title(struct bytes title) {
	u64 length = title.length < shown.length ? title.length : shown.length;
	memset(shown.at, 0, shown.length + (shown.length > 0));
	memcpy(shown.at, title.at, length);
}

static u64 mask_of(const u32 *numbers, u32 count) {
	u64 mask = 0;
	for (u32 i = 0; i < count; i++) mask |= 1ul << (numbers[i] - 1);
	return mask;
}

static void take_masked(u64 mask) {
	SYS6(sigprocmask, 2 /* SIG_SETMASK */, &mask, 0, 8, 0, 0);
	signals = (int)must("take signals", SYS6(signalfd4, signals, &mask, 8, O_NONBLOCK | O_CLOEXEC, 0, 0));
}

static void block_signals(void) {
	static const u32 taken[] = { SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTERM, SIGCHLD };
	struct { u64 handler, flags, restorer, mask; } ignored = { 1, 0, 0, 0 };
	SYS6(sigaction, SIGPIPE, &ignored, 0, 8, 0, 0);
	take_masked(mask_of(taken, sizeof taken / sizeof *taken));
}

/* All that somebody may want to tell a program of ours by: not what tells of a fault of our own, or of the terminal. */
static void block_all_signals(void) {
	static const u32 left[] = { SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGKILL, SIGSEGV, SIGPIPE, SIGSTOP, SIGTTIN, SIGTTOU, SIGSYS };
	take_masked(~mask_of(left, sizeof left / sizeof *left));
}

/* What a frame says of signals. A brain that is patient and goes on speaking is on its way to the end. */
void heed_frame(u64 now) {
	static char takes_all;
	if (frame.forwards && !takes_all) takes_all = 1, block_all_signals();
	if (frame.is_patient && stop_at) stop_at = now + STOP_MS;
}

/* A name in the abstract namespace (unix(7)): taken in one step, gone with us however we end, inherited
 * by nobody; and Node can take it too, where there is no sentinel. */
static int take_lock(struct bytes name) {
	struct address address = { .family = AF_UNIX };
	if (name.length == 0 || name.length > sizeof address.path - 1) return 1;
	memcpy(address.path + 1, name.at, name.length);
	long lock = sys(socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	long result = lock < 0 ? lock : sys(bind, lock, &address, sizeof address.family + 1 + name.length);
	event_lock(result);
	return result == 0;
}

/* The directory is the user's own. What has the name there and answers is somebody else's; what does not
 * was left behind by one that is gone. */
static void open_control(struct bytes path) {
	if (path.length == 0 || path.length >= sizeof control.path) return;
	memcpy(control.path, path.at, path.length);
	long listening = sys(socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listening >= 0 && sys(connect, listening, &control, sizeof control.family + path.length + 1) == 0) {
		sys(close, listening);
		log_note("the control socket %s is another watchdog's; the watch goes on without", path.at);
		return;
	}
	long mask = sys(umask, 0177);
	sys(unlinkat, AT_FDCWD, control.path, 0);
	long result = listening < 0 ? listening : sys(bind, listening, &control, sizeof control.family + path.length + 1);
	sys(umask, mask);
	if (result == 0) result = sys(listen, listening, 64);
	if (result == 0) control_socket = (int)listening;
	else log_note("the control socket %s cannot be opened (error %d); the watch goes on without", path.at, (u64)-result);
}

/* The next child that has ended, and is left as it is; 0 if there is none. */
static int next_ended(void) {
	struct { int signal, error, code, padding, pid; char rest[108]; } info = { .pid = 0 };
	return sys(waitid, P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ? 0 : info.pid;
}

static void reap(u64 now) {
	int status = 0;
	for (int pid; (pid = next_ended()) > 0;) {
		u64 mark = read_mark(pid);
		if (sys(wait4, pid, &status, WNOHANG) != pid) return;
		if (pid == brain_pid()) {
			brain_ended(status, now);
			continue;
		}
		children_replace(pid, status);
		children_orphaned(pid, mark, status, now);
		children_reaped(pid, status, now);
		watches_reaped(pid, status, now);
	}
}

/* As process 1 all others die with us: they are asked to end first. */
static void bid_farewell(void) {
	struct pollfd ready = { signals, POLLIN, 0 };
	u64 until = now_ms() + FAREWELL_MS;
	char info[128];
	sys(kill, -1, SIGTERM);
	for (u64 now = now_ms(); now < until; now = now_ms()) {
		long pid = sys(wait4, -1, 0, WNOHANG);
		if (pid < 0) return;
		if (pid > 0) continue;
		struct timespec left = { 0, (i64)(until - now) * 1000000 };
		if (sys(ppoll, &ready, 1, &left, 0) > 0) sys(read, signals, info, sizeof info);
	}
}

void leave(int status) {
	if (control_socket >= 0) sys(unlinkat, AT_FDCWD, control.path, 0);
	notify_end();
	outputs_drain();
	if (sys(getpid, 0) == 1) bid_farewell();
	sys(exit_group, status);
	__builtin_unreachable();
}

static void end_without_brain(const char *why) {
	brain_kill();
	log_note("stopped: %s", why);
	leave(0);
}

static void take_signals(u64 now) {
	struct { u32 number; char rest[124]; } info;
	while (sys(read, signals, &info, sizeof info) == (long)sizeof info) {
		if (info.number == SIGCHLD) {
			reap(now);
			continue;
		}
		int is_stop = info.number == SIGTERM || info.number == SIGINT || info.number == SIGQUIT;
		/* timeout(1) and others send one to the process and one to its group. */
		if (is_stop && stop_at && !frame.is_patient && now + STOP_MS - stop_at >= AGAIN_MS) end_without_brain("asked to stop for the second time");
		if (is_stop && !stop_at) stop_at = now + STOP_MS;
		if (info.number == SIGUSR1 && !frame.forwards) outputs_reopen();
		event_signal(info.number);
	}
}

static void wait_for_anything(void) {
	short events = 0;
	int brain = brain_socket(&events);
	polled[SIGNALS] = (struct pollfd){ signals, POLLIN, 0 };
	polled[ALARM] = (struct pollfd){ alarm, POLLIN, 0 };
	polled[BRAIN_END] = (struct pollfd){ brain, events, 0 };
	polled[CONTROL_END] = (struct pollfd){ brain_wants_control() ? control_socket : -1, POLLIN, 0 };
	polled[OUTPUTS] = (struct pollfd){ outputs_fd(), POLLIN, 0 };
	u64 ours = earliest(notify_deadline(), stop_at);
	set_alarm(alarm, earliest(earliest(brain_deadline(), watches_deadline()), ours));
	sys(ppoll, polled, FIXED + watch_count, 0, 0);
	u64 times;
	if (polled[ALARM].revents) sys(read, alarm, &times, sizeof times);
}

/* Whether this machine has what it takes; 0, or the number of the error. */
static int probe(void) {
	long pidfd = sys(pidfd_open, sys(getpid, 0), 0);
	return pidfd < 0 ? (int)-pidfd : read_start_time((int)sys(getpid, 0)) == 0 ? ENOENT : 0;
}

static void take_over(u64 argument_count, char **arguments) {
	environment = arguments + argument_count + 1;
	if (argument_count == 2 && text_equals((struct bytes){ "probe", 5 }, arguments[1])) sys(exit_group, probe());
	char *end = arguments[argument_count - 1] + text_length(arguments[argument_count - 1]);
	shown = (struct bytes){ arguments[0], (u64)(end - arguments[0]) };
	sys(close_range, 3, ~0u, 0);
	sys(prlimit64, 0, RLIMIT_NOFILE, 0, &open_files);
	if (!frame_check(take_handover(), &frame) || !watches_replace(&frame, 0))
		fail("read its first frame; start watchdog instead", -EINVAL);
	struct rlimit files = { frame.files, open_files.hard };
	if (frame.files && sys(prlimit64, 0, RLIMIT_NOFILE, &files, 0) == 0) open_files = files;
	users_files = open_files.soft;
	sys(prctl, PR_SET_NAME, "watchdog");
	show_title(frame.title);
}

__attribute__((used, noreturn)) void enter(u64 *stack) {
	take_over(stack[0], (char **)(stack + 1));
	block_signals();
	heed_frame(0);
	sys(prctl, PR_SET_CHILD_SUBREAPER, 1);
	alarm = (int)must("set an alarm", open_alarm());
	notify_begin(now_ms());
	if (take_lock(frame.lock)) open_control(frame.control);
	for (;;) {
		u64 now = now_ms();
		brain_mind(now);
		wait_for_anything();
		now = now_ms();
		/* Before the end of the shell that ran it, which knows less of how it died. */
		watches_look(now);
		/* Before what has happened by now is taken: a brain that asks for it is told all of it. */
		brain_hear(now);
		take_signals(now);
		notify_alive(now);
		if (polled[OUTPUTS].revents) outputs_read();
		if (stop_at && now >= stop_at) end_without_brain("the brain did not answer within 5s");
	}
}

#ifndef HARNESS
ENTRY;
#endif
