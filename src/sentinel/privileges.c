/* What a command may do: its user and groups, what it may take of the machine. Runs in the child, before it
 * becomes the command; a failure ends the child. */
#include "sentinel.h"

enum { PRIO_PROCESS = 0, NICE_OFFSET = 20 };
static const u64 UNLIMITED = 999999999999999999;

static u64 limit_of(u64 number) {
	return number == UNLIMITED ? ~0ul : number;
}

/* While we still may: only root can raise a limit, or hurry. */
long become_limited(const struct command *command) {
	struct bytes rest = command->items;
	long result = 0;
	for (struct item item; result >= 0 && frame_next(&rest, &item);) {
		struct rlimit limit = { limit_of(item.number[1]), limit_of(item.number[2]) };
		if (item.verb == UMASK) sys(umask, item.number[0]);
		if (item.verb == NICE) result = sys(setpriority, PRIO_PROCESS, 0, (i64)item.number[0] - NICE_OFFSET);
		if (item.verb == LIMIT) result = sys(prlimit64, 0, item.number[0], &limit, 0);
	}
	return result;
}

/* Supplementary groups, group, user, in this order: without the user the others can't be changed any more.
 * Then it is tried to become root again, which must fail. */
long become_user(const struct command *command) {
	u64 user = 0, group = 0, count = 0;
	int is_given = 0;
	struct bytes rest = command->items;
	for (struct item item; frame_next(&rest, &item);) {
		if (item.verb == USER) user = item.number[0], group = item.number[1], is_given = 1;
		count += item.verb == GROUP;
	}
	if (!is_given) return 0;
	u32 *groups = memory_map((count + 1) * sizeof *groups);
	if (!groups) return -ENOMEM;
	count = 0;
	rest = command->items;
	for (struct item item; frame_next(&rest, &item);)
		if (item.verb == GROUP) groups[count++] = (u32)item.number[0];
	long result = sys(setgroups, count, groups);
	if (result == 0) result = sys(setresgid, group, group, group);
	if (result == 0) result = sys(setresuid, user, user, user);
	if (result < 0 || user == 0) return result;
	return sys(setresuid, 0, 0, 0) == 0 || (group != 0 && sys(setresgid, 0, 0, 0) == 0) ? -EPERM : 0;
}
