/* What the brain is to be told, in the order in which it happened, as PROTOCOL.md writes it. */
#include "sentinel.h"

static struct { long result; u32 seq; } lock; /* 0, or -errno */
/* By number: the SEQ of the first that is not yet acknowledged, and whether another came since. */
static struct { u32 seq; char again; } signalled[SIGNALS_END];

void event_lock(long result) {
	lock.result = result, lock.seq = ++seq;
}

void event_signal(u32 number) {
	if (number >= SIGNALS_END) return;
	if (signalled[number].seq == 0) signalled[number].seq = ++seq;
	else signalled[number].again = 1;
}

void events_acknowledge(u32 ack, u64 now) {
	if (lock.seq <= ack) lock.seq = 0;
	children_acknowledge(ack, now);
	for (int i = 0; i < SIGNALS_END; i++) {
		if (signalled[i].seq > ack) continue;
		signalled[i].seq = signalled[i].again ? ++seq : 0;
		signalled[i].again = 0;
	}
}

static void line_death(struct line *line, int status) {
	if (status == UNKNOWN_DEATH) line_text(line, " unknown");
	else if (status & 0x7f) line_format(line, " killed %d", (u64)(status & 0x7f));
	else line_format(line, " exited %d", (u64)(status >> 8 & 0xff));
}

static void line_watch(struct line *line, const struct watch *watch) {
	line_format(line, watch->trouble ? "unwatched %d %d" : "gone %d %d", (u64)watch->pid, watch->start);
	if (watch->trouble) line_format(line, " %d", (u64)watch->trouble);
	else line_death(line, watch->death);
}

static void line_started(struct line *line, const struct child *child) {
	static const char *const step[] = { [FORK] = "fork", [STEP_DIRECTORY] = "directory", [STEP_LIMITS] = "limits", [STEP_USER] = "user", [STEP_OUTPUT] = "output", [STEP_PROGRAM] = "program" };
	if (child->step == NO_STEP) line_format(line, "started %d %d %d", (u64)child->id, (u64)child->pid, child->start);
	else line_format(line, "failed %d %s %d", (u64)child->id, step[(int)child->step], (u64)child->trouble);
}

/* The first event after that one, as a line; its SEQ, or 0 if there is none. A null line: only looks. */
u32 events_next(u32 after, struct line *line) {
	u32 first = 0;
	int kind = 0, found = 0;
#define CONSIDER(event, what, index) if ((event) > after && (!first || (event) < first)) first = (event), kind = (what), found = (int)(index)
	CONSIDER(lock.seq, 'l', 0);
	for (u32 i = 0; i < SIGNALS_END; i++) CONSIDER(signalled[i].seq, 's', i);
	for (u32 i = 0; i < watch_count; i++) CONSIDER(watches[i].seq, 'w', i);
	for (u32 i = 0; i < child_count; i++) {
		CONSIDER(children[i].started_seq, 'c', i);
		CONSIDER(children[i].ended_seq, 'e', i);
		CONSIDER(children[i].orphan_seq, 'o', i);
	}
	if (!first || !line) return first;
	line_format(line, "%d %d ", (u64)first, now_ms());
	if (kind == 'l') line_format(line, "lock %d", (u64)-lock.result);
	else if (kind == 's') line_format(line, "signal %d", (u64)found);
	else if (kind == 'w') line_watch(line, &watches[found]);
	else if (kind == 'c') line_started(line, &children[found]);
	else if (kind == 'e') line_format(line, "ended %d", (u64)children[found].pid), line_death(line, children[found].status);
	else line_format(line, "orphan %d %d", (u64)children[found].pid, (u64)children[found].orphan), line_death(line, children[found].orphan_status);
	line_text(line, "\n");
	return first;
}
