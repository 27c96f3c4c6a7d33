/** Limits of a process by the names that `ulimit` and systemd know them by (setrlimit(2)). */
const LIMITS =
  'cpu fsize data stack core rss nproc nofile memlock as locks sigpending msgqueue nice rtprio rttime'.split(' ');

export const LIMIT_NAMES: readonly string[] = LIMITS;

/** The kernel's number; -1 for what is none. */
export function limitNumber(name: string): number {
  return LIMITS.indexOf(name);
}
