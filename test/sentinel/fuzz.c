/* The sentinel's own code under a hostile brain, with the sanitizers of the C compiler watching: all of
 * it but the entry, in one process, with this file in the kernel's place. `fuzz SECONDS [SEED]`. */
#define HARNESS

/* No header of the library: the sentinel has types of its own under the same names. */
#include "../../src/sentinel/brain.c"
#include "../../src/sentinel/children.c"
#include "../../src/sentinel/clock.c"
#define spawn real_spawn
#include "../../src/sentinel/commands.c"
#undef spawn
#include "../../src/sentinel/events.c"
#include "../../src/sentinel/frame.c"
#include "../../src/sentinel/log.c"
#include "../../src/sentinel/memory.c"
#include "../../src/sentinel/notify.c"
#include "../../src/sentinel/outputs.c"
#include "../../src/sentinel/privileges.c"
#include "../../src/sentinel/sentinel.c"
#include "../../src/sentinel/text.c"
#include "../../src/sentinel/watches.c"

int printf(const char *form, ...), snprintf(char *to, u64 room, const char *form, ...), atoi(const char *text);
void *calloc(u64 count, u64 size), *memmove(void *to, const void *from, u64 length), free(void *at);
u64 strlen(const char *text), strtoul(const char *text, char **end, int base);
long time(long *to);
__attribute__((noreturn)) void exit(int status), abort(void);

static u64 random_state = 1;
static char input[1 << 16];
static u64 input_length, input_at;
static u64 clock_ms = 1000, calls_left;
static int live_pid, next_pid = 100, next_fd = 50;
static char *no_environment[] = { "A=1", "PATH=/bin", 0 };
static u64 frames_applied, commands_started;

static u64 next_random(u64 below) {
	random_state ^= random_state << 13, random_state ^= random_state >> 7, random_state ^= random_state << 17;
	return below ? random_state % below : 0;
}

/* A kernel that says yes, no, or nothing, as chance will have it. */
long answer(long number, long a, long b, long c, long d, long e, long f) {
	(void)d, (void)e, (void)f;
	switch (number) {
	case NR_clock_gettime: ((struct timespec *)b)->sec = (i64)(clock_ms / 1000); return 0;
	case NR_mmap: {
		if (next_random(200) == 0) return -ENOMEM;
		return (long)calloc(1, (u64)b); /* so that every byte beyond is guarded */
	}
	case NR_munmap: free((void *)a); return 0;
	case NR_clone: return next_random(4) ? next_pid++ : -11;
	case NR_read: {
		if (c == 8) return 0; /* the command was executed */
		if (a != 3 && next_random(2)) return -ESRCH;
		if (a != 3) return snprintf((char *)b, (u64)c, "%d (a b) c) S 1%s", next_pid, " 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 77 20");
		u64 some = 1 + next_random((u64)c), left = input_length - input_at;
		if (some > left) some = left;
		memcpy((char *)b, input + input_at, some);
		input_at += some;
		return (long)some;
	}
	case NR_ppoll: return input_at < input_length && calls_left-- > 0;
	case NR_sendto: return next_random(5) ? (long)(1 + next_random((u64)c)) : -11;
	case NR_pidfd_open: case NR_openat: case NR_socket: return next_random(6) ? next_fd++ : -EMFILE;
	case NR_pipe2: if (next_random(2)) return -EMFILE; ((int *)a)[0] = next_fd++, ((int *)a)[1] = next_fd++; return 0;
	case NR_write: return next_random(4) ? (long)(1 + next_random((u64)c)) : -28;
	case NR_epoll_pwait: ((struct event *)b)->which = next_random(20); return (long)next_random(2);
	case NR_readlinkat: memcpy((void *)c, "pipe:[77]", 9); return 9;
	case NR_ioctl: ((struct pidfd_info *)c)->mask = next_random(2) ? PIDFD_INFO_EXIT : 0; return 0;
	case NR_socketpair: ((int *)d)[0] = 3, ((int *)d)[1] = 4; return 0;
	case NR_exit_group: printf("ended on its own\n"); exit(2);
	case NR_wait4: return -1;
	case NR_prlimit64: if (d) ((struct rlimit *)d)->soft = next_random(3); return 0;
	default: return 0;
	}
}

/* Reads all of what it would execute, so that a string without an end is found. */
int spawn(const struct command *command, const int sockets[2], int executable, enum step *step) {
	struct bytes rest = command->items;
	u64 length = strlen(command->program);
	for (struct item item; frame_next(&rest, &item);) length += item.bytes.at ? strlen(item.bytes.at) : 1;
	if (command->directory) length += strlen(command->directory);
	if (command->output) length += strlen(command->output);
	if (command->errors) length += strlen(command->errors);
	for (char **one = environment; *one; one++) length += (u64)is_replaced(command, *one);
	commands_started += length > 0;
	return next_random(8) ? real_spawn(command, sockets, executable, step) : -ENOENT;
}

static const char *const WORDS[] = { "state ", "brain\n", "title ", "note ", "log ", "offset ", "files ", "lock ", "control ", "watch ",
	"deadline ", "start ", "signal ", "kill ", "ready\n", "detach\n", "tap ", "rotate ", "replace ", "unless ", "patient\n", "forward\n", "foreground\n", "sleep\n", "exit ", "program ", "arg ", "env ", "unset ", "directory ", "output ", "errors ", "user ", "group ", "umask ", "nice ", "limit ", "1\nx\n", "0\n\n",
	"2\na=\n", "\n", " ", "0", "1", "99999999999999999999", "4194304 18446744073709551615", "5 77\n", "101 9\n", "%t%z%m%%%", "\0" };

static u64 put(char *to, u64 at, u64 room, const char *text, u64 length) {
	if (at + length > room) return at;
	memcpy(to + at, text, length);
	return at + length;
}

/* A sound body, with random parts. */
static u64 make_body(char *to, u64 room) {
	char text[256];
	u64 at = 0;
	int length = (int)next_random(60);
#define PUT(...) at = put(to, at, room, text, (u64)snprintf(text, sizeof text, __VA_ARGS__))
	PUT("state %d\n%*s\n", length, length, "");
	PUT("brain\nprogram 2\n/x\narg 1\na\ntitle 3\nabc\nnote 8\n[%%t] %%m!\n");
	for (u64 i = next_random(6); i > 0; i--) PUT("watch %lu %lu\n", 1 + next_random(200), 70 + next_random(9));
	if (next_random(2)) PUT("deadline %lu\n", next_random(5000));
	if (next_random(2)) PUT("log 4\n/log\n");
	for (u64 i = next_random(3); i > 0; i--) PUT("start %lu\nprogram 2\n/s\narg 1\ns\nenv 3\nA=2\nunset 4\nPATH\noutput 2\n/o\n", next_random(9));
	if (next_random(3) == 0)
		PUT("start 8\nprogram 2\n/s\narg 1\ns\nuser 5 %lu\ngroup 6\nlimit %lu 9 999999999999999999\nnice %lu\numask 18\n", next_random(9), next_random(18), next_random(42));
	if (next_random(3) == 0) PUT("kill %lu %lu %lu\n", 1 + next_random(200), 70 + next_random(9), 1 + next_random(64));
	if (next_random(3) == 0) PUT("ready\n");
	if (next_random(9) == 0) PUT("detach\n");
	if (next_random(4) == 0) PUT("start 7\nprogram 2\n/s\narg 1\ns\noutput 2\n/o\nerrors 2\n/e\nrotate %lu %lu\n", next_random(3) * 50, next_random(4));
	if (next_random(3) == 0) PUT("replace %lu 77 %lu\nprogram 2\n/s\narg 1\ns\nunless %lu\n", 100 + next_random(60), next_random(99), next_random(3));
	if (next_random(6) == 0) PUT("tap %lu 77\noutput 2\n/o\nrotate %lu 2\nerrors 2\n/e\n", 100 + next_random(9), next_random(3) * 50);
	if (next_random(3) == 0) PUT("patient\n");
	if (next_random(9) == 0) PUT("forward\n");
	if (next_random(5) == 0) PUT("start 9\nprogram 2\n/s\narg 1\ns\nforeground\n");
	if (next_random(3) == 0) PUT("signal %lu %lu\n", 100 + next_random(100), 1 + next_random(31));
	if (next_random(4) == 0) PUT("sleep\n");
	return at;
}

static void make_input(void) {
	static char made[1 << 14];
	input_length = input_at = 0;
	for (u64 frames = 1 + next_random(3); frames > 0; frames--) {
		u64 length = make_body(made, sizeof made);
		for (u64 i = next_random(3) ? next_random(4) : 0; i > 0; i--) {
			const char *word = WORDS[next_random(sizeof WORDS / sizeof *WORDS)];
			u64 word_length = *word ? strlen(word) : 1, at = next_random(length);
			switch (next_random(4)) {
			case 0: made[at] = (char)next_random(256); break;
			case 1: length = at; break;
			case 2: if (length + word_length < sizeof made) memmove(made + at + word_length, made + at, length - at), memcpy(made + at, word, word_length), length += word_length; break;
			default: if (at + word_length < length) memcpy(made + at, word, word_length);
			}
		}
		char header[64];
		u64 said = next_random(20) ? length : next_random(1 << 20);
		int head = snprintf(header, sizeof header, "frame %010lu %010lu\n", next_random(10) ? next_random(3) : next_random(1 << 30), said);
		input_length = put(input, input_length, sizeof input, header, (u64)head);
		input_length = put(input, input_length, sizeof input, made, length);
	}
}

static void begin(void) {
	char *body = calloc(1, 4096);
	static const char first[] = "state 1\nx\nbrain\nprogram 2\n/x\narg 1\na\ntitle 1\nt\nnote 2\n%m\n";
	memcpy(body, first, sizeof first - 1);
	if (!frame_check((struct bytes){ body, sizeof first - 1 }, &frame)) abort();
	static char title[64];
	shown = (struct bytes){ title, sizeof title - 1 };
	environment = no_environment;
	open_files = (struct rlimit){ 64, 1024 };
	while (!watches_replace(&frame, 0)) {}
}

int main(int count, char **arguments) {
	long until = time(0) + (count > 1 ? atoi(arguments[1]) : 5);
	if (count > 2) random_state = strtoul(arguments[2], 0, 10) * 2654435761u + 1;
	u64 inputs = 0;
	begin();
	for (; (inputs & 1023) || time(0) < until; inputs++) {
		make_input();
		calls_left = 400;
		clock_ms += next_random(8) ? next_random(2000) : next_random(60000);
		if (!brain_pid()) clock_ms += 30000;
		for (int i = 0; i < 4; i++) brain_mind(clock_ms);
		struct frame before = frame;
		if (brain_pid()) brain_hear(clock_ms);
		frames_applied += before.body.at != frame.body.at;
		for (u32 i = 0; i < watch_count; i++) polled[FIXED + i].revents = (short)(next_random(3) ? 0 : next_random(2) ? POLLIN : POLLHUP);
		watches_look(clock_ms);
		event_signal((u32)next_random(40));
		if (child_count && next_random(2)) {
			int pid = children[next_random(child_count)].pid, status = (int)next_random(65536);
			children_replace(pid, status), children_orphaned(next_pid, next_random(3), status, clock_ms), children_reaped(pid, status, clock_ms);
		}
		if (watch_count && next_random(4) == 0) watches_reaped(watches[next_random(watch_count)].pid, 9, clock_ms);
		outputs_read();
		if (next_random(9) == 0) outputs_drain();
		if (next_random(50) == 0) outputs_reopen();
		live_pid = brain_pid();
		if (live_pid && next_random(3) == 0 && verdict != EXITS) brain_ended((int)next_random(65536), clock_ms);
	}
	printf("%lu inputs, %lu frames applied, %lu commands read, no finding\n", inputs, frames_applied, commands_started);
	return 0;
}
