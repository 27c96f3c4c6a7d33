/**
 * What a pid-file says, and whether the process it names is the one it was written
 * for. Strict in what it takes for a number: JavaScript reads an empty text as 0,
 * and signalling 0 succeeds, so that an empty file would mean *up* for ever.
 */
import type { ProcessRecord } from './process.ts';

/** The greatest pid that Linux can be set to give (proc(5), `/proc/sys/kernel/pid_max`). */
export const PID_MAX_LIMIT = 4_194_304;

/** As much of a pid-file as is ever read: a number and blanks around it take far less. */
export const PID_FILE_BYTES = 64;

/** How much later than the file's last change its process may have started, as its clock has whole seconds only. */
const START_SLACK_MS = 2_000;

/** What the content of a pid-file is. */
export type PidFileContent =
  | { readonly kind: 'pid'; readonly pid: number }
  /** Perhaps being written this moment: worth a second reading. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'invalid'; readonly why: string };

/** Reads the content: one number with blanks around it, 1 < pid ≤ `pidMax`. `text` is at most `PID_FILE_BYTES` + 1 long. */
export function parsePidFile(text: string, pidMax: number): PidFileContent {
  if (text.length > PID_FILE_BYTES) return invalid('is too long for a pid-file');
  const trimmed = text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '');
  if (trimmed === '') return { kind: 'empty' };
  if (/[\r\n]/.test(trimmed)) return invalid('has more than one line');
  if (!/^[1-9][0-9]*$/.test(trimmed)) return invalid('holds no process number');
  const pid = Number(trimmed);
  if (pid === 1) return invalid('names process 1, which is never a target');
  if (pid > pidMax) return invalid(`names ${cutNumber(trimmed)}, more than the greatest process number ${pidMax}`);
  return { kind: 'pid', pid };
}

/** When things happened, by the wall clock: milliseconds since 1970. */
export interface PidFileTimes {
  readonly writtenAtMs: number;
  readonly bootedAtMs: number;
  readonly startedAtMs: number;
}

/**
 * `null` if the process may be the one that the file was written for, else why it
 * can't be. The times are not asked where a pattern has vouched for the process:
 * wall clocks are set, and a file written before would look older than its process.
 */
export function whyStale(
  record: ProcessRecord,
  selfPid: number,
  times: PidFileTimes,
  isVouchedFor: boolean,
): string | null {
  const { pid } = record;
  if (pid === selfPid) return `names ${pid}, which is this watchdog itself: stale`;
  if (record.state === 'zombie') return `names ${pid}, which is a zombie: it has ended, and its parent has not noticed`;
  if (record.isKernelThread) return `names ${pid}, which is a thread of the kernel: stale`;
  if (isVouchedFor) return null;
  if (times.writtenAtMs < times.bootedAtMs - START_SLACK_MS) {
    return `names ${pid}, but was written before this machine started: stale`;
  }
  if (times.startedAtMs > times.writtenAtMs + START_SLACK_MS) {
    return `names ${pid}, but that process started after the file was written: stale`;
  }
  return null;
}

function invalid(why: string): PidFileContent {
  return { kind: 'invalid', why };
}

function cutNumber(digits: string): string {
  return digits.length > 12 ? `${digits.slice(0, 12)}…` : digits;
}
