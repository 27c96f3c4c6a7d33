/* What the parts of the sentinel share. An event is never kept anywhere but in the thing that it
 * happened to: its SEQ is not 0 until the brain has acknowledged it. So telling needs no memory. */
#ifndef SENTINEL_H
#define SENTINEL_H
#include "frame.h"

enum { UNKNOWN_DEATH = -1, BRAIN_SOCKET = 3, CONTROL_SOCKET = 4, SIGNALS_END = 65 };

/* A process whose end is to be told. Its pidfd is in the poll set, at the same place. */
struct watch {
	u64 start, cause_until; /* cause_until: it has ended, and the kernel may yet tell how */
	int pid, death;
	u32 seq;                /* of `gone` or `unwatched` */
	int trouble;            /* errno, if it can't be watched */
};

/* A command that a frame started. */
struct child {
	u64 start, ended_at, mark; /* mark: what all its descendants are known by */
	int pid, status, trouble;
	u32 id, started_seq, ended_seq;
	int orphan, orphan_status; /* the first that had run away from it and failed, soon after it */
	u32 orphan_seq;
	char step;
};

/* Why a command did not come to run, in the order in which things can go wrong. */
enum step { NO_STEP, FORK, STEP_OUTPUT, STEP_LIMITS, STEP_USER, STEP_DIRECTORY, STEP_PROGRAM };

extern struct frame frame;       /* the last one that was applied: all that the sentinel remembers */
extern char **environment;       /* what the user started us with */
extern struct rlimit open_files; /* our own limit */
extern u64 users_files;          /* the soft one that the user gave us */
extern u32 seq;                  /* of the last event */
extern int control_socket;

/* memory.c */
void *memory_map(u64 length);
void memory_unmap(void *at, u64 length);

/* clock.c */
u64 now_ms(void);
int open_alarm(void);
void set_alarm(int alarm, u64 at_ms);
u64 earliest(u64 one_ms, u64 other_ms); /* 0 is never */

/* log.c */
void log_note(const char *form, ...);

/* watches.c: the poll set begins with `FIXED` descriptors of main's */
enum { SIGNALS, ALARM, BRAIN_END, CONTROL_END, OUTPUTS, FIXED };
extern struct pollfd *polled;
extern struct watch *watches;
extern u32 watch_count;
int watches_replace(const struct frame *next, u32 ack);
void watches_look(u64 now);
void watches_reaped(int pid, int status, u64 now);
void watches_signal(const struct frame *next);
u64 watches_deadline(void);
u64 read_start_time(int pid);
int raise_limit(long result);

/* privileges.c: in the child */
long become_limited(const struct command *command);
long become_user(const struct command *command);

/* commands.c */
int spawn(const struct command *command, const int sockets[2], int executable, enum step *step);

/* children.c */
extern struct child *children;
extern u32 child_count;
int children_reserve(u32 more);
void children_acknowledge(u32 ack, u64 now);
void children_start(const struct frame *next);
void children_replace(int pid, int status);
u64 read_mark(int pid);
void children_reaped(int pid, int status, u64 now);
void children_orphaned(int pid, u64 mark, int status, u64 now);
void children_signal(const struct frame *next);

/* outputs.c */
int outputs_fd(void);
int outputs_pipe(const struct command *command, const char *path);
void outputs_tap(const struct frame *next);
void outputs_read(void);
void outputs_drain(void);
void outputs_reopen(void);

/* events.c */
void event_lock(long result);
void event_signal(u32 number);
void events_acknowledge(u32 ack, u64 now);
u32 events_next(u32 after, struct line *line);

/* notify.c */
void notify_begin(u64 now);
void notify_ready(void);
void notify_alive(u64 now);
void notify_end(void);
u64 notify_deadline(void);

/* brain.c */
void brain_mind(u64 now);
void brain_hear(u64 now);
void brain_ended(int status, u64 now);
int brain_pid(void);
int brain_wants_control(void);
int brain_socket(short *events);
u64 brain_deadline(void);
void brain_kill(void);

/* sentinel.c */
void heed_frame(u64 now);
void show_title(struct bytes title);
__attribute__((noreturn)) void leave(int status);

#endif
