/* The sentinel's own lines in the log, in the form that the brain gave it. They are few, and
 * must not hold it up: on a file that can't be opened or a pipe that is full they are left out. */
#include "sentinel.h"

static void line_time(struct line *line, i64 seconds, char between) {
	/* Days since 0000-03-01, which puts the leap day at the end of a year. */
	i64 days = seconds / 86400 + 719468, era = days / 146097, day = days - era * 146097;
	i64 year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	i64 of_year = day - (365 * year + year / 4 - year / 100), month = (5 * of_year + 2) / 153;
	i64 shown_month = month < 10 ? month + 3 : month - 9;
	line_number(line, (u64)(year + era * 400 + (shown_month <= 2)), 4);
	line_text(line, "-");
	line_number(line, (u64)shown_month, 2);
	line_text(line, "-");
	line_number(line, (u64)(of_year - (153 * month + 2) / 5 + 1), 2);
	line_bytes(line, (struct bytes){ &between, 1 });
	line_number(line, (u64)(seconds % 86400 / 3600), 2);
	line_text(line, ":");
	line_number(line, (u64)(seconds % 3600 / 60), 2);
	line_text(line, ":");
	line_number(line, (u64)(seconds % 60), 2);
}

static void line_note(struct line *line, struct line *message) {
	struct timespec now = { 0, 0 };
	sys(clock_gettime, CLOCK_REALTIME, &now);
	for (u64 i = 0; i < frame.note.length; i++) {
		char kind = frame.note.at[i] == '%' && i + 1 < frame.note.length ? frame.note.at[++i] : 0;
		if (kind == 't') line_time(line, now.sec + (i64)frame.offset - 86400, '_');
		else if (kind == 'z') line_time(line, now.sec, 'T'), line_text(line, "Z");
		else if (kind == 'm') line_bytes(line, (struct bytes){ message->at, message->length });
		else line_bytes(line, (struct bytes){ frame.note.at + i, 1 });
	}
	if (line->length == sizeof line->at) line->length--;
	line_text(line, "\n");
}

void log_note(const char *form, ...) {
	struct line message = { .length = 0 }, line = { .length = 0 };
	__builtin_va_list arguments;
	__builtin_va_start(arguments, form);
	line_format_list(&message, form, arguments);
	__builtin_va_end(arguments);
	line_note(&line, &message);
	int flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC;
	int file = frame.log.at ? (int)sys(openat, AT_FDCWD, frame.log.at, flags, 0640) : 1;
	struct pollfd ready = { file, POLLOUT, 0 };
	struct timespec at_once = { 0, 0 };
	if (file < 0 || sys(ppoll, &ready, 1, &at_once, 0) != 1) return;
	sys(write, file, line.at, line.length);
	if (frame.log.at) sys(close, file);
}
