/* What the brain says, read and checked; PROTOCOL.md has the rules. No call of the kernel in here. */
#ifndef FRAME_H
#define FRAME_H
#include "text.h"

enum verb { STATE, BRAIN, TITLE, NOTE, LOG, OFFSET, FILES, LOCK, CONTROL, WATCH, DEADLINE, START, REPLACE, TAP, SIGNAL, KILL, PATIENT, FORWARD, READY, DETACH, SLEEP, EXIT,
	PROGRAM, ARG, ENV, UNSET, DIRECTORY, OUTPUT, ERRORS, ROTATE, FOREGROUND, UNLESS, USER, GROUP, UMASK, NICE, LIMIT, VERBS };

/* One item of a body: its numbers, or the bytes that follow it. Text has a NUL behind it. */
struct item { enum verb verb; u64 number[3]; struct bytes bytes; };

/* A checked body, with what occurs once at hand; absent text has a null pointer. */
struct frame {
	struct bytes body;
	struct bytes state, title, note, log, lock, control;
	u64 offset, files, deadline, status;
	u32 watches, starts;
	char has_deadline, is_patient, forwards, is_ready, detaches, sleeps, exits;
};

/* A command of a frame. `items` is where its items begin; the ends are descriptors to write to, or -1. */
struct command { char *program, *directory, *output, *errors; struct bytes items; u64 max_size; u32 args, envs, keep; int output_end, error_end; char is_foreground; };

enum { HEADER_LENGTH = 28, MAX_FRAME = 64 << 20 };

/* Whether these are a header, and what it says. */
int frame_header(struct bytes header, u64 *ack, u64 *length);
/* Whether the body keeps all rules. The newline behind each text is made a NUL. */
int frame_check(struct bytes body, struct frame *frame);
/* The next item of a checked body; 0 at its end. */
int frame_next(struct bytes *rest, struct item *item);
/* The command whose `brain` or `start` item was just taken; leaves `rest` behind it. */
struct command frame_command(struct bytes *rest);

#endif
