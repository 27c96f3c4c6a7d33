#include "frame.h"

/* What follows each verb: n numbers, any bytes, or text. */
static const struct { const char *name; char numbers, is_bytes, is_text; } VERB[VERBS] = {
	[STATE] = { "state", 1, 1, 0 }, [BRAIN] = { "brain", 0, 0, 0 }, [TITLE] = { "title", 1, 1, 1 },
	[NOTE] = { "note", 1, 1, 1 }, [LOG] = { "log", 1, 1, 1 }, [OFFSET] = { "offset", 1, 0, 0 },
	[FILES] = { "files", 1, 0, 0 }, [LOCK] = { "lock", 1, 1, 1 }, [CONTROL] = { "control", 1, 1, 1 },
	[WATCH] = { "watch", 2, 0, 0 }, [DEADLINE] = { "deadline", 1, 0, 0 }, [START] = { "start", 1, 0, 0 }, [REPLACE] = { "replace", 3, 0, 0 }, [TAP] = { "tap", 2, 0, 0 },
	[SIGNAL] = { "signal", 2, 0, 0 }, [KILL] = { "kill", 3, 0, 0 }, [PATIENT] = { "patient", 0, 0, 0 }, [FORWARD] = { "forward", 0, 0, 0 },
	[READY] = { "ready", 0, 0, 0 }, [DETACH] = { "detach", 0, 0, 0 },
	[SLEEP] = { "sleep", 0, 0, 0 }, [EXIT] = { "exit", 1, 0, 0 },
	[PROGRAM] = { "program", 1, 1, 1 }, [ARG] = { "arg", 1, 1, 1 }, [ENV] = { "env", 1, 1, 1 },
	[UNSET] = { "unset", 1, 1, 1 }, [USER] = { "user", 2, 0, 0 }, [GROUP] = { "group", 1, 0, 0 },
	[UMASK] = { "umask", 1, 0, 0 }, [NICE] = { "nice", 1, 0, 0 }, [LIMIT] = { "limit", 3, 0, 0 }, [DIRECTORY] = { "directory", 1, 1, 1 }, [OUTPUT] = { "output", 1, 1, 1 }, [ERRORS] = { "errors", 1, 1, 1 },
	[ROTATE] = { "rotate", 2, 0, 0 }, [FOREGROUND] = { "foreground", 0, 0, 0 }, [UNLESS] = { "unless", 1, 0, 0 },
};
enum { MAX_PID = 1 << 22, MAX_SIGNAL = 64, MAX_STATUS = 255, MAX_ID = 1 << 30, TWO_DAYS = 172800, MAX_FILES = 1 << 30,
	MAX_MODE = 0777, MAX_NICE = 39, MAX_LIMIT = 15, MAX_GROUPS = 65536, MAX_KEPT = 1000 };
#define MAX_USER 0xfffffffeul /* the last number means *no change* to the kernel */

int frame_header(struct bytes header, u64 *ack, u64 *length) {
	if (header.length != HEADER_LENGTH || !text_begins(header.at, (struct bytes){ "frame ", 6 })) return 0;
	struct bytes rest = { header.at + 6, 22 };
	return text_number(&rest, ack) && rest.length == 12 && *rest.at == ' ' && (rest.at++, rest.length--, 1)
		&& text_number(&rest, length) && rest.length == 1 && *rest.at == '\n' && *length <= MAX_FRAME;
}

static int take(struct bytes *rest, char byte) {
	if (rest->length == 0 || *rest->at != byte) return 0;
	rest->at++;
	rest->length--;
	return 1;
}

static int take_verb(struct bytes *rest, enum verb *verb) {
	u64 length = 0;
	while (length < rest->length && rest->at[length] >= 'a' && rest->at[length] <= 'z') length++;
	for (*verb = 0; *verb < VERBS; (*verb)++)
		if (text_equals((struct bytes){ rest->at, length }, VERB[*verb].name)) break;
	rest->at += length;
	rest->length -= length;
	return *verb < VERBS;
}

/* The end of bytes is a newline on the wire, and a NUL once checked. */
static int take_bytes(struct bytes *rest, struct item *item, char end) {
	u64 length = item->number[0];
	if (length >= rest->length || rest->at[length] != end) return 0;
	item->bytes = (struct bytes){ rest->at, length };
	rest->at += length + 1;
	rest->length -= length + 1;
	return 1;
}

static int take_item(struct bytes *rest, struct item *item, char end) {
	memset(item, 0, sizeof *item);
	if (!take_verb(rest, &item->verb)) return 0;
	for (int i = 0; i < VERB[item->verb].numbers; i++)
		if (!take(rest, ' ') || !text_number(rest, &item->number[i])) return 0;
	if (!take(rest, '\n')) return 0;
	return !VERB[item->verb].is_bytes || take_bytes(rest, item, end);
}

int frame_next(struct bytes *rest, struct item *item) {
	return rest->length > 0 && take_item(rest, item, 0);
}

static int has_nul(struct bytes bytes) {
	for (u64 i = 0; i < bytes.length; i++)
		if (bytes.at[i] == 0) return 1;
	return 0;
}

/* Within bounds, whatever is done with it later. */
static int is_sound(const struct item *item) {
	u64 one = item->number[0], other = item->number[1];
	switch (item->verb) {
	case WATCH: return one > 0 && one <= MAX_PID;
	case TAP: return one > 1 && one <= MAX_PID;
	case REPLACE: return one > 1 && one <= MAX_PID && item->number[2] <= MAX_ID;
	case UNLESS: return one <= MAX_STATUS;
	case ROTATE: return other <= MAX_KEPT;
	case SIGNAL: return one > 1 && one <= MAX_PID && other > 0 && other <= MAX_SIGNAL;
	case KILL: return one > 1 && one <= MAX_PID && item->number[2] > 0 && item->number[2] <= MAX_SIGNAL;
	case START: return one <= MAX_ID;
	case EXIT: return one <= MAX_STATUS;
	case OFFSET: return one < TWO_DAYS;
	case FILES: return one <= MAX_FILES;
	case USER: return one < MAX_USER && other < MAX_USER;
	case GROUP: return one < MAX_USER;
	case UMASK: return one <= MAX_MODE;
	case NICE: return one <= MAX_NICE;
	case LIMIT: return one <= MAX_LIMIT;
	case ENV: return !has_nul(item->bytes) && item->bytes.length > 0 && item->bytes.at[0] != '=';
	default: return !VERB[item->verb].is_text || !has_nul(item->bytes);
	}
}

/* Notes an item; 0 if it may not be there (again). */
static int note_item(struct frame *frame, const struct item *item, u32 seen[VERBS]) {
	seen[item->verb]++;
	switch (item->verb) {
	case STATE: frame->state = item->bytes; break;
	case TITLE: frame->title = item->bytes; break;
	case NOTE: frame->note = item->bytes; break;
	case LOG: frame->log = item->bytes; break;
	case LOCK: frame->lock = item->bytes; break;
	case CONTROL: frame->control = item->bytes; break;
	case OFFSET: frame->offset = item->number[0]; break;
	case FILES: frame->files = item->number[0]; break;
	case DEADLINE: frame->deadline = item->number[0], frame->has_deadline = 1; break;
	case EXIT: frame->status = item->number[0], frame->exits = 1; break;
	case PATIENT: frame->is_patient = 1; break;
	case FORWARD: frame->forwards = 1; break;
	case READY: frame->is_ready = 1; break;
	case DETACH: frame->detaches = 1; break;
	case SLEEP: frame->sleeps = 1; break;
	case WATCH: return frame->watches++ < MAX_FRAME;
	case START: return frame->starts++ < MAX_FRAME;
	case SIGNAL: case KILL: case TAP: case REPLACE: return 1;
	case BRAIN: break;
	default: return 0; /* part of a command, without one */
	}
	return seen[item->verb] == 1;
}

/* Checks the items of a command, which end where one begins that is none of them. Where a program is
 * tapped, only where its output goes. */
static int check_command(struct bytes *rest, enum verb of) {
	u32 seen[VERBS] = { 0 };
	while (rest->length > 0) {
		struct bytes before = *rest;
		struct item item;
		if (!take_item(rest, &item, '\n') || !is_sound(&item)) return 0;
		if (item.verb < PROGRAM) {
			*rest = before;
			break;
		}
		if (VERB[item.verb].is_bytes) item.bytes.at[item.bytes.length] = 0;
		seen[item.verb]++;
	}
	if (seen[USER] > 1 || seen[GROUP] > (seen[USER] ? MAX_GROUPS : 0) || seen[UMASK] > 1 || seen[NICE] > 1) return 0;
	if (seen[ROTATE] > seen[OUTPUT] || seen[ERRORS] > seen[OUTPUT] || seen[OUTPUT] > 1) return 0;
	if (seen[UNLESS] && of != REPLACE) return 0;
	if (of == TAP) return seen[OUTPUT] == 1 && seen[ROTATE] == 1;
	return seen[PROGRAM] == 1 && seen[ARG] >= 1 && seen[DIRECTORY] <= 1 && seen[FOREGROUND] <= 1;
}

int frame_check(struct bytes body, struct frame *frame) {
	u32 seen[VERBS] = { 0 };
	struct bytes rest = body;
	memset(frame, 0, sizeof *frame);
	frame->body = body;
	frame->offset = TWO_DAYS / 2;
	while (rest.length > 0) {
		struct item item;
		if (!take_item(&rest, &item, '\n') || !is_sound(&item) || !note_item(frame, &item, seen)) return 0;
		if (VERB[item.verb].is_bytes) item.bytes.at[item.bytes.length] = 0;
		int has_command = item.verb == BRAIN || item.verb == START || item.verb == REPLACE || item.verb == TAP;
		if (has_command && !check_command(&rest, item.verb)) return 0;
	}
	return seen[STATE] && seen[BRAIN] && seen[TITLE] && seen[NOTE] && !(seen[SLEEP] && seen[EXIT]);
}

struct command frame_command(struct bytes *rest) {
	struct command command = { .items = *rest, .output_end = -1, .error_end = -1 };
	struct item item;
	for (struct bytes before = *rest; frame_next(rest, &item); before = *rest) {
		if (item.verb < PROGRAM) {
			*rest = before;
			break;
		}
		if (item.verb == PROGRAM) command.program = item.bytes.at;
		if (item.verb == DIRECTORY) command.directory = item.bytes.at;
		if (item.verb == OUTPUT) command.output = item.bytes.at;
		if (item.verb == ERRORS) command.errors = item.bytes.at;
		if (item.verb == ROTATE) command.max_size = item.number[0], command.keep = (u32)item.number[1];
		if (item.verb == FOREGROUND) command.is_foreground = 1;
		command.args += item.verb == ARG;
		command.envs += item.verb == ENV;
	}
	command.items.length -= rest->length;
	return command;
}
