/**
 * A log in a file. Every line is appended by one write, to the file that has the name
 * at that moment; a line that only half fitted on a full disk is written again whole,
 * on a line of its own.
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync, writeSync } from 'node:fs';
import type { Output } from './child.ts';
import { errorCode } from './errors.ts';
import type { LogSink } from './log-sink.ts';

const { O_APPEND, O_CREAT, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_RDWR, O_WRONLY } = constants;
const FLAGS = O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
/** The owner writes, the group reads; the umask may take more away. */
const MODE = 0o640;
/** The kernel's own devices for nothing: `null` and `full` of mem(4), major number 1. */
const MEMORY_DEVICES: ReadonlySet<number> = new Set([0x103, 0x107]);
const NEWLINE = 0x0a;
/** So often is looked whether a line is whole, before it is taken for torn. */
const TORN_LOOKS = 5;

/** The code of our own for what is neither a file nor a place for nothing. */
export const NOT_A_FILE = 'ENOTFILE';

/** Opens the log at once, to find what is wrong with it. `code` is why it can't be written yet; `null` if it can. */
export function openLogFile(path: string): { readonly sink: LogSink; readonly code: string | null } {
  let file: { readonly descriptor: number; readonly stats: Stats; readonly canRead: boolean } | null = null;
  // Others may have left a line without its end: before us, through our descriptor, or a disk that became full.
  let mayBeTorn = true;
  let hasOutput = false;
  const code = reopen();
  return { sink: { name: path, write, reopen, output, close }, code };

  function reopen(): string | null {
    close();
    try {
      file = openRegular(path);
      mayBeTorn = true;
      return null;
    } catch (error) {
      return errorCode(error);
    }
  }

  function write(line: Buffer): string | null {
    const problem = file === null || wasReplaced() ? reopen() : null;
    if (file === null) return problem ?? 'ENOENT';
    try {
      const whole = !mayBeTorn || endsInLine(file) ? line : Buffer.concat([Buffer.from([NEWLINE]), line]);
      for (let at = 0; at < whole.length; ) at += writeSync(file.descriptor, whole, at);
      mayBeTorn = hasOutput;
      return null;
    } catch (error) {
      mayBeTorn = true;
      return errorCode(error);
    }
  }

  /** Whether the name is another file's by now, or nobody's: writes would go to where nobody looks. */
  function wasReplaced(): boolean {
    try {
      const now = statSync(path);
      return now.ino !== file?.stats.ino || now.dev !== file.stats.dev;
    } catch (error) {
      return errorCode(error) === 'ENOENT';
    }
  }

  function output(): Output | null {
    hasOutput = true;
    mayBeTorn = true;
    return file === null ? null : { path, descriptor: file.descriptor };
  }

  function close(): void {
    if (file !== null) closeSync(file.descriptor);
    file = null;
  }
}

function openRegular(path: string): { descriptor: number; stats: Stats; canRead: boolean } {
  const { descriptor, canRead } = openForAppending(path);
  const stats = fstatSync(descriptor);
  if (stats.isFile() || (stats.isCharacterDevice() && MEMORY_DEVICES.has(stats.rdev))) {
    return { descriptor, stats, canRead: canRead && stats.isFile() };
  }
  closeSync(descriptor);
  throw Object.assign(new Error(`${path} is no regular file`), { code: NOT_A_FILE });
}

/** To be read too, where that is allowed: only so can be seen whether the last line is whole. */
function openForAppending(path: string): { readonly descriptor: number; readonly canRead: boolean } {
  try {
    return { descriptor: openSync(path, O_RDWR | FLAGS, MODE), canRead: true };
  } catch (error) {
    if (errorCode(error) !== 'EACCES') throw error;
    return { descriptor: openSync(path, O_WRONLY | FLAGS, MODE), canRead: false };
  }
}

/**
 * Whether what is in the file ends with a line's end: a recovery's output need not, nor
 * what a full disk cut off. Somebody else's line that is being appended has an end soon.
 */
function endsInLine(file: { readonly descriptor: number; readonly canRead: boolean }): boolean {
  if (!file.canRead) return true;
  for (let look = 0; look < TORN_LOOKS; look += 1) {
    const { size } = fstatSync(file.descriptor);
    const last = Buffer.alloc(1);
    if (size === 0 || readSync(file.descriptor, last, 0, 1, size - 1) === 0 || last[0] === NEWLINE) return true;
  }
  return false;
}
