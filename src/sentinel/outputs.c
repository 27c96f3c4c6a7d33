/* The output of programs that is kept in files of bounded size: it comes through a pipe, so that a file
 * can be put aside between two lines. Whoever writes holds the reading end as well: it neither gets an
 * error nor a signal when we are killed, and the next one of us goes on where the pipe stands. */
#include "sentinel.h"

enum { CHUNK = 8192, EVENTS = 16, OVERSHOOT = 64 << 10, MAX_PATH = 4096, EPOLLIN = 1, EPOLL_CTL_ADD = 1, EPOLL_CTL_DEL = 2, SEEK_END = 2 };

/* One file, however many write to it. */
struct file {
	u64 size, max, lost;
	u32 keep, readers, path; /* where its path begins in `paths` */
	int fd;
	char is_within_line, is_regular;
};
struct reader { int fd, is_open; u32 file; };
#ifdef __x86_64__
#pragma pack(push, 4) /* as on 32 bits, on this machine alone */
#endif
struct event { u32 events; u64 which; };
#ifdef __x86_64__
#pragma pack(pop)
#endif

static struct file *files;
static struct reader *readers;
static char *paths;
static u32 file_count, file_room, reader_count, reader_room, paths_length, paths_room;
static int ready = -1; /* all readers, as one descriptor to wait for */
static char chunk[CHUNK];

int outputs_fd(void) {
	return ready;
}

/* Room for one more; the list may move. 0 if out of memory. */
static int grow(void **list, u32 *room, u32 count, u32 more, u64 size) {
	if (count + more <= *room) return 1;
	u32 next = (count + more) * 2;
	char *at = memory_map(next * size);
	if (!at) return 0;
	if (count > 0) memcpy(at, *list, count * size);
	memory_unmap(*list, *room * size);
	*list = at, *room = next;
	return 1;
}

static u32 find_file(const char *path) {
	u64 length = text_length(path);
	for (u32 i = 0; i < file_count; i++)
		if (text_equals((struct bytes){ (char *)path, length }, paths + files[i].path)) return i;
	if (length >= MAX_PATH - 16 || !grow((void **)&files, &file_room, file_count, 1, sizeof *files)) return file_count;
	if (!grow((void **)&paths, &paths_room, paths_length, (u32)length + 1, 1)) return file_count;
	memcpy(paths + paths_length, path, length + 1);
	files[file_count] = (struct file){ .path = paths_length, .fd = -1 };
	paths_length += (u32)length + 1;
	return file_count++;
}

/* A device or a FIFO is never full, nor put aside: least of all /dev/null. */
static int is_regular_file(int fd) {
	struct { u32 mask, block; u64 attributes; u32 links, user, group; u16 mode; char rest[226]; } status = { .mode = 0 };
	enum { STATX_TYPE = 1, S_IFMT = 0170000, S_IFREG = 0100000 };
	return sys(statx, fd, "", AT_EMPTY_PATH, STATX_TYPE, &status) == 0 && (status.mode & S_IFMT) == S_IFREG;
}

static void open_file(struct file *file) {
	if (file->fd >= 0) return;
	int flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC;
	file->fd = (int)sys(openat, AT_FDCWD, paths + file->path, flags, 0640);
	i64 size = file->fd < 0 ? 0 : sys(lseek, file->fd, 0, SEEK_END);
	file->size = size > 0 ? (u64)size : 0;
	file->is_regular = file->fd >= 0 && is_regular_file(file->fd);
}

/* From now on what comes out of there goes into this file. 0 if that cannot be: then nothing was changed. */
static int add_reader(int fd, const char *path, u64 max, u32 keep) {
	if (ready < 0) ready = (int)sys(epoll_create1, O_CLOEXEC);
	u32 file = find_file(path), free = 0;
	while (free < reader_count && readers[free].is_open) free++;
	if (ready < 0 || file == file_count || !grow((void **)&readers, &reader_room, reader_count, 1, sizeof *readers)) return 0;
	struct event event = { EPOLLIN, free };
	if (sys(epoll_ctl, ready, EPOLL_CTL_ADD, fd, &event) < 0) return 0;
	files[file].max = max, files[file].keep = keep, files[file].readers++;
	readers[free] = (struct reader){ fd, 1, file };
	reader_count += free == reader_count;
	open_file(&files[file]); /* it is there before there is a byte for it: somebody may wait for it */
	return 1;
}

/* A pipe into a file of the command's; its writing end, or -errno. */
int outputs_pipe(const struct command *command, const char *path) {
	int ends[2];
	long result = sys(pipe2, ends, O_CLOEXEC);
	while (raise_limit(result)) result = sys(pipe2, ends, O_CLOEXEC);
	if (result < 0) return (int)result;
	sys(fcntl, ends[0], F_SETFL, O_NONBLOCK);
	if (add_reader(ends[0], path, command->max_size, command->keep)) return ends[1];
	sys(close, ends[0]);
	sys(close, ends[1]);
	return -ENOMEM;
}

/* One of the streams of a program that another of us has started: its pipe is reached through the program itself. */
static void tap(u64 pid, u64 stream, const char *into, const struct command *command) {
	struct line path = { .length = 0 }, target = { .length = 0 };
	line_format(&path, "/proc/%d/fd/%d", pid, stream);
	path.at[path.length] = 0;
	i64 length = sys(readlinkat, AT_FDCWD, path.at, target.at, sizeof target.at);
	if (length < 5 || !text_begins(target.at, (struct bytes){ "pipe:", 5 })) return;
	int fd = (int)sys(openat, AT_FDCWD, path.at, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 && !add_reader(fd, into, command->max_size, command->keep)) sys(close, fd);
}

void outputs_tap(const struct frame *next) {
	struct bytes rest = next->body;
	for (struct item item; frame_next(&rest, &item);) {
		if (item.verb != TAP) continue;
		struct command command = frame_command(&rest);
		if (read_start_time((int)item.number[0]) != item.number[1]) continue;
		tap(item.number[0], 1, command.output, &command);
		if (command.errors) tap(item.number[0], 2, command.errors, &command);
	}
}

static void close_file(struct file *file) {
	if (file->fd >= 0) sys(close, file->fd);
	file->fd = -1;
}

/* PATH.NUMBER, or PATH for 0. */
static void name_of(const struct file *file, u32 number, char *name) {
	struct line suffix = { .length = 0 };
	u64 length = text_length(paths + file->path);
	memcpy(name, paths + file->path, length);
	if (number > 0) line_format(&suffix, ".%d", (u64)number);
	memcpy(name + length, suffix.at, suffix.length);
	name[length + suffix.length] = 0;
}

/* What is full becomes PATH.1, that PATH.2 and so on; the last one goes. */
static void put_aside(struct file *file) {
	static char from[MAX_PATH], to[MAX_PATH];
	if (file->keep == 0) {
		sys(ftruncate, file->fd, 0);
		file->size = 0;
		return;
	}
	close_file(file);
	for (u32 number = file->keep; number > 0; number--) {
		name_of(file, number - 1, from);
		name_of(file, number, to);
		sys(renameat, AT_FDCWD, from, AT_FDCWD, to);
	}
	open_file(file);
}

static void write_some(struct file *file, struct bytes bytes) {
	open_file(file);
	while (bytes.length > 0) {
		long result = file->fd < 0 ? file->fd : sys(write, file->fd, bytes.at, bytes.length);
		if (result == -EINTR) continue;
		if (result <= 0) {
			if (!file->lost) log_note("the output file %s cannot be written (error %d); what comes is lost until it can", paths + file->path, (u64)-result);
			file->lost += bytes.length;
			close_file(file); /* it may be another one by the next time */
			return;
		}
		if (file->lost) log_note("%d bytes of output were lost before %s could be written again", file->lost, paths + file->path);
		file->lost = 0;
		file->size += (u64)result, bytes.at += result, bytes.length -= (u64)result;
	}
}

/* How much of it goes into the file as it is: all, or up to the end of a line. */
static u64 fitting(const struct file *file, struct bytes bytes) {
	u64 room = file->max > file->size ? file->max - file->size : 0;
	if (file->max == 0 || !file->is_regular || bytes.length <= room) return bytes.length;
	for (u64 i = room; i > 0; i--)
		if (bytes.at[i - 1] == '\n') return i;
	if (!file->is_within_line && file->size > 0) return 0;
	/* A line that is longer than there is room is not torn, unless it has no end. */
	for (u64 i = room; i < bytes.length; i++)
		if (bytes.at[i] == '\n') return i + 1;
	return file->size > file->max + OVERSHOOT ? 0 : bytes.length;
}

static void take_output(struct file *file, struct bytes bytes) {
	open_file(file);
	while (bytes.length > 0) {
		u64 length = fitting(file, bytes);
		if (length > 0) {
			write_some(file, (struct bytes){ bytes.at, length });
			file->is_within_line = bytes.at[length - 1] != '\n';
			bytes.at += length, bytes.length -= length;
		}
		if (bytes.length > 0) {
			if (file->fd < 0) file->lost += bytes.length, bytes.length = 0;
			else put_aside(file), file->is_within_line = 0;
		}
	}
}

/* Answers 0 when there was nothing to read. */
static int read_some(struct reader *reader) {
	long length = sys(read, reader->fd, chunk, sizeof chunk);
	if (length > 0) {
		take_output(&files[reader->file], (struct bytes){ chunk, (u64)length });
		return 1;
	}
	if (length == 0) {
		/* Nobody writes there any more. */
		sys(epoll_ctl, ready, EPOLL_CTL_DEL, reader->fd, 0);
		sys(close, reader->fd);
		reader->is_open = 0;
		if (--files[reader->file].readers == 0) close_file(&files[reader->file]);
	}
	return 0;
}

/* A bounded part of what has come: whoever writes without end must not keep us from all else. */
void outputs_read(void) {
	struct event events[EVENTS];
	long count = ready < 0 ? 0 : sys(epoll_pwait, ready, events, EVENTS, 0, 0);
	for (long i = 0; i < count; i++)
		if (events[i].which < reader_count && readers[events[i].which].is_open) read_some(&readers[events[i].which]);
}

/* All that has come until now: the last thing that we do. */
void outputs_drain(void) {
	for (u32 i = 0; i < reader_count; i++)
		for (int rounds = 0; rounds < 256 && readers[i].is_open && read_some(&readers[i]); rounds++) {}
}

/* Somebody has put them aside: the next byte goes into what has the name then. */
void outputs_reopen(void) {
	for (u32 i = 0; i < file_count; i++) close_file(&files[i]);
}
