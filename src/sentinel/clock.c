#include "sentinel.h"

/* Milliseconds of CLOCK_BOOTTIME: it goes on during a suspend, and cannot be set. */
u64 now_ms(void) {
	struct timespec time = { 0, 0 };
	sys(clock_gettime, CLOCK_BOOTTIME, &time);
	return (u64)time.sec * 1000 + (u64)time.nsec / 1000000;
}

int open_alarm(void) {
	return (int)sys(timerfd_create, CLOCK_BOOTTIME, O_NONBLOCK | O_CLOEXEC);
}

/* 0 sets none. Only what changed is told to the kernel. */
void set_alarm(int alarm, u64 at_ms) {
	static u64 set_ms;
	if (at_ms == set_ms) return;
	set_ms = at_ms;
	struct timerspec spec = { { 0, 0 }, { (i64)(at_ms / 1000), (i64)(at_ms % 1000) * 1000000 } };
	sys(timerfd_settime, alarm, TFD_TIMER_ABSTIME, &spec, 0);
}

u64 earliest(u64 one_ms, u64 other_ms) {
	if (one_ms == 0 || other_ms == 0) return one_ms + other_ms;
	return one_ms < other_ms ? one_ms : other_ms;
}
