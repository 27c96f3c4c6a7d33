/* The processes whose end is to be told: a pidfd for each, in main's poll set. */
#include "sentinel.h"

/* A brain takes half of this to start, and who ended without a known cause is given a second anyway. */
#ifndef CAUSE_MS /* the tests have more time */
#define CAUSE_MS 50
#endif
enum { SPARE_FILES = 16, STAT_START = 22, STAT_BYTES = 1024 };

struct pollfd *polled;
struct watch *watches;
u32 watch_count;
static u64 mapped;

/* linux/pidfd.h: asked with a mask, answers with one of what it could tell. */
struct pidfd_info { u64 mask, cgroup; u32 ids[11]; int exit_code; };
enum { PIDFD_INFO_EXIT = 1 << 3, PIDFD_GET_INFO = (int)(3u << 30 | sizeof(struct pidfd_info) << 16 | 0xff << 8 | 11) };

/* Orphans that ended before anybody asked for them: how, for whoever asks a moment later. */
enum { LAST_ORPHANS = 32, TICK_MS = 10 };
static struct { u64 at; int pid, status; } orphans[LAST_ORPHANS];
static u32 next_orphan;

/* Its number was its own until it was reaped: who began before that and had the number is the same. */
static int death_of_orphan(int pid, u64 start) {
	for (u32 i = 1; i <= LAST_ORPHANS; i++) {
		u32 at = (next_orphan + LAST_ORPHANS - i) % LAST_ORPHANS;
		if (orphans[at].pid == pid) return start * TICK_MS <= orphans[at].at ? orphans[at].status : UNKNOWN_DEATH;
	}
	return UNKNOWN_DEATH;
}

/* How it ended; known only once its parent has taken notice (Linux 6.15). */
static int ask_death(int pidfd) {
	struct pidfd_info info = { .mask = PIDFD_INFO_EXIT };
	long result = sys(ioctl, pidfd, (u32)PIDFD_GET_INFO, &info);
	return result == 0 && (info.mask & PIDFD_INFO_EXIT) ? info.exit_code : UNKNOWN_DEATH;
}

static void tell_gone(u32 i, int death) {
	watches[i].death = death;
	watches[i].cause_until = 0;
	watches[i].seq = ++seq;
	sys(close, polled[FIXED + i].fd);
	polled[FIXED + i].fd = -1;
}

/* Field 22 of /proc/PID/stat, behind a name that may hold anything; 0 if there is no such process any more. */
u64 read_start_time(int pid) {
	char text[STAT_BYTES];
	struct line path = { .length = 0 };
	line_format(&path, "/proc/%d/stat", (u64)pid);
	path.at[path.length] = 0;
	int file = (int)sys(openat, AT_FDCWD, path.at, O_RDONLY | O_CLOEXEC);
	if (file < 0) return 0;
	i64 length = sys(read, file, text, sizeof text);
	sys(close, file);
	i64 at = length - 1;
	while (at > 0 && text[at] != ')') at--;
	for (int field = 2; at > 0 && at < length && field < STAT_START; at++) field += text[at] == ' ';
	struct bytes rest = { text + at, (u64)(length - at) };
	u64 start = 0;
	return at > 0 && text_number(&rest, &start) ? start : 0;
}

/* Whether a call failed for the user's limit of open files only, and may be tried again: then the
 * limit is raised, for us and not for those that we start. */
int raise_limit(long result) {
	u64 wanted = open_files.soft * 2 + SPARE_FILES;
	struct rlimit raised = { wanted < open_files.hard ? wanted : open_files.hard, open_files.hard };
	if (result != -EMFILE || raised.soft <= open_files.soft || sys(prlimit64, 0, RLIMIT_NOFILE, &raised, 0) < 0) return 0;
	open_files = raised;
	return 1;
}

static void open_watch(struct watch *watch, struct pollfd *place) {
	long pidfd = sys(pidfd_open, watch->pid, 0);
	while (raise_limit(pidfd)) pidfd = sys(pidfd_open, watch->pid, 0);
	/* The last few are for starting a brain: without one, all watching is for nothing. */
	if (pidfd >= 0 && (u64)pidfd + SPARE_FILES > open_files.hard) sys(close, pidfd), pidfd = -EMFILE;
	*place = (struct pollfd){ (int)pidfd, POLLIN, 0 };
	if (pidfd < 0 && pidfd != -ESRCH && pidfd != -EINVAL) watch->trouble = (int)-pidfd;
	/* The number may be another's by now; the one that the descriptor holds can't change any more. */
	if (pidfd >= 0 && read_start_time(watch->pid) == watch->start) return;
	if (pidfd >= 0) sys(close, pidfd);
	place->fd = -1;
	watch->seq = ++seq;
	watch->death = watch->trouble ? UNKNOWN_DEATH : death_of_orphan(watch->pid, watch->start);
}

static u32 find(int pid, u64 start, u32 guess) {
	if (guess < watch_count && watches[guess].pid == pid && watches[guess].start == start) return guess;
	u32 i = 0;
	while (i < watch_count && (watches[i].pid != pid || watches[i].start != start)) i++;
	return i;
}

/* Watches what the frame lists, and nothing else; what was watched before goes on. 0 if out of memory. */
int watches_replace(const struct frame *next, u32 ack) {
	u64 length = next->watches * sizeof *watches + (FIXED + next->watches) * sizeof *polled;
	char *memory = memory_map(length);
	if (!memory) return 0;
	struct watch *list = (struct watch *)memory;
	struct pollfd *poll_list = (struct pollfd *)(memory + next->watches * sizeof *watches);
	struct bytes rest = next->body;
	struct item item;
	for (u32 i = 0; frame_next(&rest, &item);) {
		if (item.verb != WATCH) continue;
		list[i].pid = (int)item.number[0];
		list[i].start = item.number[1];
		u32 old = find(list[i].pid, list[i].start, i);
		if (old < watch_count && (watches[old].seq == 0 || watches[old].seq > ack)) {
			list[i] = watches[old];
			poll_list[FIXED + i] = polled[FIXED + old];
			polled[FIXED + old].fd = -1;
			watches[old].pid = 0;
		} else open_watch(&list[i], &poll_list[FIXED + i]);
		i++;
	}
	for (u32 i = 0; i < watch_count; i++)
		if (polled[FIXED + i].fd >= 0) sys(close, polled[FIXED + i].fd);
	memory_unmap(watches, mapped);
	mapped = length, watches = list, polled = poll_list, watch_count = next->watches;
	return 1;
}

/* Signals to watched processes: by what holds them, so that no other can have their number by then. */
void watches_signal(const struct frame *next) {
	struct bytes rest = next->body;
	for (struct item item; frame_next(&rest, &item);) {
		if (item.verb != KILL) continue;
		u32 i = find((int)item.number[0], item.number[1], 0);
		if (i == watch_count) continue;
		if (polled[FIXED + i].fd >= 0) sys(pidfd_send_signal, polled[FIXED + i].fd, item.number[2], 0, 0);
		else if (watches[i].trouble && read_start_time(watches[i].pid) == watches[i].start) sys(kill, watches[i].pid, item.number[2]);
	}
}

/* What poll said of them, and for whom the time to learn how it ended is over. */
void watches_look(u64 now) {
	for (u32 i = 0; i < watch_count; i++) {
		struct pollfd *place = &polled[FIXED + i];
		if (place->fd < 0) continue;
		int is_last = (place->revents & POLLHUP) || (watches[i].cause_until && now >= watches[i].cause_until);
		if (!is_last && !(place->revents & POLLIN)) continue;
		int death = ask_death(place->fd);
		if (death != UNKNOWN_DEATH || is_last) tell_gone(i, death);
		else {
			watches[i].cause_until = now + CAUSE_MS;
			place->events = 0; /* the hang-up, once its parent has taken notice, is told all the same */
		}
	}
}

/* One of them was a child of ours: nobody knows better how it ended. */
void watches_reaped(int pid, int status, u64 now) {
	for (u32 i = 0; i < watch_count; i++)
		if (watches[i].pid == pid && polled[FIXED + i].fd >= 0) tell_gone(i, status);
	orphans[next_orphan].at = now, orphans[next_orphan].pid = pid, orphans[next_orphan].status = status;
	next_orphan = (next_orphan + 1) % LAST_ORPHANS;
}

u64 watches_deadline(void) {
	u64 deadline = 0;
	for (u32 i = 0; i < watch_count; i++) deadline = earliest(deadline, watches[i].cause_until);
	return deadline;
}
