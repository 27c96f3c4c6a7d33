/* The kernel without a C library: types, numbers and calls for x86-64 and arm64.
 * Numbers and layouts are those of the kernel's own uapi headers, which need not be installed. */
#ifndef SYSTEM_H
#define SYSTEM_H

typedef unsigned long u64;
typedef long i64;
typedef unsigned int u32;
typedef unsigned short u16;

enum { EPERM = 1, ENOENT = 2, ESRCH = 3, EINTR = 4, ENOMEM = 12, EINVAL = 22, EMFILE = 24 };
enum { SIGHUP = 1, SIGINT = 2, SIGQUIT = 3, SIGILL = 4, SIGTRAP = 5, SIGABRT = 6, SIGBUS = 7, SIGFPE = 8, SIGKILL = 9, SIGUSR1 = 10, SIGSEGV = 11, SIGUSR2 = 12, SIGPIPE = 13, SIGTERM = 15, SIGCHLD = 17, SIGSTOP = 19,
	SIGTTIN = 21, SIGTTOU = 22, SIGSYS = 31 };
enum { O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_CREAT = 0100, O_NOCTTY = 0400, O_APPEND = 02000, O_NONBLOCK = 04000, O_CLOEXEC = 02000000, O_PATH = 010000000 };
enum { AT_FDCWD = -100, AT_EMPTY_PATH = 0x1000 };
enum { AF_UNIX = 1, SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_CLOEXEC = 02000000, MSG_DONTWAIT = 0x40, MSG_NOSIGNAL = 0x4000 };
enum { POLLIN = 1, POLLOUT = 4, POLLHUP = 16 };
enum { CLOCK_REALTIME = 0, CLOCK_BOOTTIME = 7, TFD_TIMER_ABSTIME = 1 };
enum { RLIMIT_NOFILE = 7, RLIMIT_RTTIME = 15, PR_SET_NAME = 15, PR_SET_CHILD_SUBREAPER = 36, F_DUPFD = 0, F_SETFL = 4, F_DUPFD_CLOEXEC = 1030, P_ALL = 0, WNOHANG = 1, WEXITED = 4, WNOWAIT = 0x1000000, TIOCSPGRP = 0x5410, MADV_DONTNEED = 4, PAGE = 4096 };

struct pollfd { int fd; short events, revents; };
struct timespec { i64 sec, nsec; };
struct timerspec { struct timespec interval, value; };
struct rlimit { u64 soft, hard; };
struct address { u16 family; char path[108]; };

#if defined(__x86_64__)
enum { O_NOFOLLOW = 0400000,
	NR_read = 0, NR_write = 1, NR_close = 3, NR_lseek = 8, NR_mmap = 9, NR_munmap = 11, NR_sigaction = 13, NR_sigprocmask = 14, NR_ioctl = 16,
	NR_madvise = 28, NR_getpid = 39, NR_socket = 41, NR_connect = 42, NR_sendto = 44, NR_bind = 49, NR_listen = 50,
	NR_socketpair = 53, NR_clone = 56, NR_execve = 59, NR_wait4 = 61, NR_kill = 62, NR_fcntl = 72, NR_ftruncate = 77,
	NR_chdir = 80, NR_umask = 95, NR_setpgid = 109, NR_setsid = 112, NR_setgroups = 116, NR_setresuid = 117, NR_setresgid = 119, NR_setpriority = 141, NR_prctl = 157, NR_clock_gettime = 228,
	NR_exit_group = 231, NR_epoll_ctl = 233, NR_waitid = 247, NR_openat = 257, NR_unlinkat = 263, NR_renameat = 264, NR_readlinkat = 267, NR_ppoll = 271, NR_epoll_pwait = 281, NR_timerfd_create = 283, NR_timerfd_settime = 286,
	NR_signalfd4 = 289, NR_epoll_create1 = 291, NR_dup3 = 292, NR_pipe2 = 293, NR_prlimit64 = 302, NR_statx = 332, NR_execveat = 322, NR_pidfd_send_signal = 424, NR_pidfd_open = 434,
	NR_close_range = 436 };

static inline long kernel(long number, long a, long b, long c, long d, long e, long f) {
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
	long result;
	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
	return result;
}
/* The kernel leaves the number of arguments, then the arguments, at the top of the stack. */
#define ENTRY __asm__(".globl _start\n_start: xor %ebp,%ebp\n mov %rsp,%rdi\n and $-16,%rsp\n call enter\n hlt\n")

#elif defined(__aarch64__)
enum { O_NOFOLLOW = 0100000,
	NR_epoll_create1 = 20, NR_epoll_ctl = 21, NR_epoll_pwait = 22, NR_dup3 = 24, NR_fcntl = 25, NR_ioctl = 29, NR_unlinkat = 35, NR_renameat = 38, NR_ftruncate = 46, NR_chdir = 49, NR_openat = 56, NR_close = 57, NR_pipe2 = 59,
	NR_lseek = 62, NR_read = 63, NR_write = 64, NR_ppoll = 73, NR_signalfd4 = 74, NR_readlinkat = 78, NR_timerfd_create = 85, NR_timerfd_settime = 86,
	NR_exit_group = 94, NR_waitid = 95, NR_clock_gettime = 113, NR_kill = 129, NR_setpriority = 140, NR_setresuid = 147, NR_setresgid = 149, NR_setgroups = 159, NR_sigaction = 134, NR_sigprocmask = 135, NR_setpgid = 154, NR_setsid = 157,
	NR_umask = 166, NR_prctl = 167, NR_getpid = 172, NR_socket = 198, NR_socketpair = 199, NR_bind = 200,
	NR_listen = 201, NR_connect = 203, NR_sendto = 206, NR_munmap = 215, NR_clone = 220, NR_execve = 221,
	NR_mmap = 222, NR_madvise = 233, NR_wait4 = 260, NR_prlimit64 = 261, NR_execveat = 281, NR_statx = 291, NR_pidfd_send_signal = 424,
	NR_pidfd_open = 434,
	NR_close_range = 436 };

static inline long kernel(long number, long a, long b, long c, long d, long e, long f) {
	register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d, x4 __asm__("x4") = e, x5 __asm__("x5") = f;
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}
#define ENTRY __asm__(".globl _start\n_start: mov x29,#0\n mov x30,#0\n mov x0,sp\n and sp,x0,#-16\n bl enter\n brk #1\n")
#else
#error "the sentinel is for x86-64 and arm64"
#endif

#ifdef HARNESS /* the fuzzer answers in the kernel's place */
long answer(long number, long a, long b, long c, long d, long e, long f);
#define kernel answer
#endif

#define SYS6(name, a, b, c, d, e, f, ...) kernel(NR_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
/* sys(read, fd, buffer, size): the kernel's answer, which is -errno when it failed. */
#define sys(...) SYS6(__VA_ARGS__, 0, 0, 0, 0, 0, 0)

#endif
