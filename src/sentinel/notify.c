/* What the service manager is told (sd_notify(3)): that the watch has begun, that we are alive, that we end. */
#include "sentinel.h"

static struct address manager = { .family = AF_UNIX };
static u64 manager_length; /* 0: there is none */
static u64 every_ms, alive_at;

static char *value_of(const char *name, u64 length) {
	struct bytes wanted = { (char *)name, length };
	for (char **one = environment; *one; one++)
		if (text_begins(*one, wanted) && (*one)[length] == '=') return *one + length + 1;
	return 0;
}

static u64 number_of(const char *text) {
	struct bytes rest = { (char *)text, text ? text_length(text) : 0 };
	u64 number = 0;
	return text && text_number(&rest, &number) && rest.length == 0 ? number : 0;
}

static void say(const char *what) {
	if (manager_length == 0) return;
	long out = sys(socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (out < 0) return;
	SYS6(sendto, out, what, text_length(what), MSG_DONTWAIT | MSG_NOSIGNAL, &manager, manager_length);
	sys(close, out);
}

/* WATCHDOG_USEC is meant for us only if WATCHDOG_PID says so, or nobody (sd_watchdog_enabled(3)). */
void notify_begin(u64 now) {
	char *path = value_of("NOTIFY_SOCKET", 13);
	u64 length = path ? text_length(path) : 0;
	if (length > 1 && length < sizeof manager.path) {
		memcpy(manager.path, path, length);
		if (*path == '@') manager.path[0] = 0;
		manager_length = sizeof manager.family + length;
	}
	char *pid = value_of("WATCHDOG_PID", 12);
	if (manager_length == 0 || (pid && number_of(pid) != (u64)sys(getpid, 0))) return;
	every_ms = number_of(value_of("WATCHDOG_USEC", 13)) / 2000;
	if (every_ms) alive_at = now + every_ms;
}

/* Whoever has started us in the background waits for a NUL, and finds all done by then. */
static void detach(void) {
	long starter = sys(fcntl, 2, F_DUPFD_CLOEXEC, 3);
	long null = sys(openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC);
	for (int i = 0; i <= 2; i++)
		if (null < 0) sys(close, i);
		else sys(dup3, null, i, 0);
	if (null >= 0) sys(close, null);
	sys(write, starter, "", 1);
	sys(close, starter);
}

void notify_ready(void) {
	static char is_told;
	if (is_told) return;
	is_told = 1;
	if (frame.detaches) detach();
	say("READY=1");
}

void notify_alive(u64 now) {
	if (!alive_at || now < alive_at) return;
	say("WATCHDOG=1");
	alive_at = now + every_ms;
}

void notify_end(void) {
	say("STOPPING=1");
}

u64 notify_deadline(void) {
	return alive_at;
}
