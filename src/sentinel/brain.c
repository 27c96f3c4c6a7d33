/* The brain: started when there is something to tell it, fed, heard, and started again when it failed. */
#include "sentinel.h"

#ifndef HANG_MS /* the tests have less time */
#define HANG_MS 30000
#endif
enum { FIRST_DELAY_MS = 100, LAST_DELAY_MS = 30000 };
enum verdict { NOTHING_SAID, STAYS, SLEEPS, EXITS };

static int pid, fd = -1, held = -1, candidate = -1; /* held: the executable that served last */
static u32 failures;
static u64 restart_at, heard_at;
static enum verdict verdict;
static const char *fault; /* why we ended it ourselves */

static struct line telling;         /* the line that is being sent, */
static u64 told_bytes, told_state;  /* and how much of it and of the state is out */
static u32 told;                    /* SEQ of the last line */
static char told_due, told_connect, told_go, is_closed;

static char header[HEADER_LENGTH];
static u64 header_have, body_have;
static struct bytes body;
static u32 body_ack;

int brain_wants_control(void) {
	return fd < 0 || !told_connect;
}

int brain_pid(void) {
	return pid;
}

int brain_socket(short *events) {
	int is_full = told_bytes < telling.length || told_state <= frame.state.length;
	*events = POLLIN | (is_full ? POLLOUT : 0);
	return is_closed ? -1 : fd;
}

void brain_kill(void) {
	if (pid > 0) sys(kill, pid, SIGKILL);
}

static void end_for(const char *why) {
	fault = why;
	brain_kill();
}

static int is_due(u64 now) {
	return frame.has_deadline && frame.deadline <= now;
}

static int is_asked(void) {
	return polled[CONTROL_END].revents & POLLIN;
}

static int has_reason(u64 now) {
	return failures > 0 || verdict == NOTHING_SAID || events_next(0, 0) || watches_deadline() || is_due(now) || is_asked();
}

static void hello(u64 now) {
	telling.length = told_bytes = told_state = 0;
	line_format(&telling, "hello %d %d\n", now, frame.state.length);
	told = 0, told_due = told_connect = told_go = is_closed = 0;
}

static void start(u64 now) {
	int ends[2], trouble;
	enum step step = FORK;
	struct bytes rest = frame.body;
	struct item item;
	while (frame_next(&rest, &item) && item.verb != BRAIN) {}
	struct command command = frame_command(&rest);
	candidate = (int)sys(openat, AT_FDCWD, command.program, O_PATH | O_CLOEXEC);
	if (held < 0) held = candidate, candidate = -1;
	/* The name may lead to a newer one by now, or to a broken one, or nowhere: each has its turn. */
	int executable = candidate < 0 || failures % 2 == 1 ? held : -1;
	trouble = (int)sys(socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
	while (raise_limit(trouble)) trouble = (int)sys(socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
	if (trouble == 0) {
		int sockets[2] = { ends[1], control_socket };
		trouble = spawn(&command, sockets, executable, &step);
		if (trouble < 0 && step == STEP_PROGRAM) {
			executable = executable < 0 ? held : -1;
			trouble = spawn(&command, sockets, executable, &step);
		}
		sys(close, ends[1]);
		if (trouble < 0) sys(close, ends[0]);
	}
	if (executable >= 0 && candidate >= 0) sys(close, candidate), candidate = -1;
	verdict = NOTHING_SAID, fault = 0, heard_at = now;
	if (trouble < 0) {
		brain_ended(trouble, now);
		return;
	}
	pid = trouble, fd = ends[0];
	header_have = body_have = 0;
	hello(now);
}

/* The state follows the first line; then one line after the other, for as long as the socket takes them. */
static int send_some(struct bytes from, u64 *sent) {
	while (*sent < from.length) {
		long result = sys(sendto, fd, from.at + *sent, from.length - *sent, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (result <= 0) return 0;
		*sent += (u64)result;
	}
	return 1;
}

static void tell(u64 now) {
	for (;;) {
		if (!send_some((struct bytes){ telling.at, telling.length }, &told_bytes)) return;
		/* With the NUL behind it, which was its newline. */
		if (told_state <= frame.state.length && !send_some((struct bytes){ frame.state.at, frame.state.length + 1 }, &told_state)) return;
		telling.length = told_bytes = 0;
		u32 next = events_next(told, &telling);
		if (next) told = next;
		else if (!told_due && is_due(now)) told_due = 1, line_format(&telling, "0 %d due\n", now);
		else if (!told_connect && is_asked()) told_connect = 1, line_format(&telling, "0 %d connect\n", now);
		/* While somebody's cause of death may yet be learned, there is more to come. */
		else if (!told_go && !watches_deadline()) told_go = 1, line_format(&telling, "0 %d go\n", now);
		else return;
		if (heard_at == 0) heard_at = now;
	}
}

static void apply(u64 now) {
	struct frame next;
	struct bytes old = frame.body;
	if (told_state <= frame.state.length || !frame_check(body, &next)) {
		end_for("broke the rules of the protocol");
		return;
	}
	if (!children_reserve(next.starts) || !watches_replace(&next, body_ack)) {
		end_for("found no memory left for its state");
		return;
	}
	events_acknowledge(body_ack, now);
	frame = next;
	/* What was told of the state before is told; the new one is only for the next brain. */
	told_state = frame.state.length + 1;
	memory_unmap(old.at, old.length + 1);
	body.at = 0;
	show_title(frame.title);
	if (frame.is_ready) notify_ready();
	heed_frame(now);
	children_signal(&frame);
	watches_signal(&frame);
	children_start(&frame);
	outputs_tap(&frame);
	verdict = frame.exits ? EXITS : frame.sleeps ? SLEEPS : STAYS;
	told_due = 0;
	heard_at = verdict == STAYS && !events_next(body_ack, 0) ? 0 : now;
}

/* Reads what has arrived; whole frames are applied. Answers 0 at the end of what there is. */
static int hear_some(u64 now) {
	int is_body = header_have == HEADER_LENGTH;
	char *to = is_body ? body.at + body_have : header + header_have;
	u64 room = is_body ? body.length - body_have : HEADER_LENGTH - header_have;
	long result = sys(read, fd, to, room);
	if (result == 0 && !is_closed) is_closed = 1, heard_at = heard_at ? heard_at : now;
	if (result <= 0) return result == -EINTR;
	*(is_body ? &body_have : &header_have) += (u64)result;
	if (!is_body && header_have == HEADER_LENGTH) {
		u64 ack = 0, length = 0;
		int is_sound = frame_header((struct bytes){ header, HEADER_LENGTH }, &ack, &length) && ack <= told;
		if (is_sound && length == 0) {
			told_go = 0, header_have = 0;
			return 1;
		}
		body = (struct bytes){ is_sound ? memory_map(length + 1) : 0, length };
		body_have = 0, body_ack = (u32)ack;
		if (!body.at) end_for(is_sound ? "found no memory left for its state" : "broke the rules of the protocol");
	} else if (is_body && body_have == body.length) {
		apply(now);
		memory_unmap(body.at, body.length + 1);
		body.at = 0, header_have = 0;
	}
	return !fault;
}

void brain_hear(u64 now) {
	struct pollfd ready = { fd, POLLIN, 0 };
	struct timespec at_once = { 0, 0 };
	while (fd >= 0 && !fault && sys(ppoll, &ready, 1, &at_once, 0) == 1 && hear_some(now)) {}
}

static void close_socket(void) {
	if (fd >= 0) sys(close, fd);
	memory_unmap(body.at, body.length + 1);
	body.at = 0, fd = -1, pid = 0;
	telling.length = told_bytes = 0;
}

/* It served: what it ran from is worth to be kept. */
static void keep_executable(void) {
	if (candidate < 0) return;
	sys(close, held);
	held = candidate, candidate = -1;
}

static void start_again(int status, u64 now) {
	u64 delay = FIRST_DELAY_MS << (failures < 9 ? failures : 9);
	if (delay > LAST_DELAY_MS) delay = LAST_DELAY_MS;
	failures++;
	restart_at = now + delay;
	const char *then = "; it is started again in %dms, with all that it had stored";
	struct line form = { .length = 0 };
	u64 number = (u64)(status < 0 ? -status : status & 0x7f ? status & 0x7f : status >> 8 & 0xff);
	if (fault) line_format(&form, "the brain %s", fault);
	else if (status < 0) line_format(&form, "the brain could not be started (error %d)", number);
	else if (status & 0x7f) line_format(&form, "the brain was killed by signal %d", number);
	else line_format(&form, "the brain ended without a word, exit status %d", number);
	line_text(&form, then);
	form.at[form.length < sizeof form.at ? form.length : sizeof form.at - 1] = 0;
	log_note(form.at, delay);
}

/* It has ended, or could not be started (then `status` is -errno). */
void brain_ended(int status, u64 now) {
	brain_hear(now);
	close_socket();
	if (verdict == EXITS) leave((int)frame.status);
	if (verdict == SLEEPS) failures = 0, restart_at = 0, keep_executable();
	else start_again(status, now);
	if (candidate >= 0) sys(close, candidate), candidate = -1;
	fault = 0;
}

void brain_mind(u64 now) {
	if (fd < 0 && now >= restart_at && has_reason(now)) start(now);
	if (fd < 0 || fault) return;
	tell(now);
	if (heard_at && now >= heard_at + HANG_MS) end_for("gave no answer for 30s and was killed");
}

u64 brain_deadline(void) {
	u64 hang = fd >= 0 && heard_at && !fault ? heard_at + HANG_MS : 0;
	u64 due = frame.has_deadline && !told_due ? frame.deadline : 0;
	if (fd >= 0) return earliest(hang, due);
	return restart_at ? restart_at : due;
}
