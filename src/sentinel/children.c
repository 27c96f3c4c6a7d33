/* The commands that the brain has asked for: who of them still runs, how they ended, and what follows them. */
#include "sentinel.h"

/* So long after its end a command is known, for the sake of whom it has left behind. */
enum { ORPHAN_MS = 1000 };

struct child *children;
u32 child_count;
static u32 child_room;

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
