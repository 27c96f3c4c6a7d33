/**
 * A log on standard output. Whoever reads it may stall, stop the terminal or go away;
 * none of that may hold the watch up, so that pipes and terminals are opened anew in
 * a mode that never waits, without changing the mode for others who share them.
 */
import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import { errorCode } from './errors.ts';
import type { LogSink } from './log-sink.ts';

const STDOUT = 1;

export function openLogStream(): LogSink {
  const descriptor = openWithoutWaiting(STDOUT);
  let rest: Buffer | null = null;
  let isBroken = false;

  return {
    name: 'standard output',
    write(line) {
      try {
        if (rest !== null) rest = writeSome(rest);
        if (rest !== null) return 'EAGAIN';
        rest = writeSome(line);
        return null;
      } catch (error) {
        const code = errorCode(error);
        isBroken = code !== 'EAGAIN';
        return code;
      }
    },
    reopen() {
      isBroken = false;
    },
    output: () => (isBroken ? null : { path: null, descriptor: STDOUT }),
    close() {
      if (descriptor !== STDOUT) closeSync(descriptor);
    },
  };

  /** What is left of it, once some of it was taken: the line then counts as written, and this comes first next time. */
  function writeSome(bytes: Buffer): Buffer | null {
    let at = 0;
    try {
      while (at < bytes.length) at += writeSync(descriptor, bytes, at);
      return null;
    } catch (error) {
      if (at === 0 || errorCode(error) !== 'EAGAIN') throw error;
      return bytes.subarray(at);
    }
  }
}

/**
 * A descriptor of the same pipe or terminal that never waits. A file needs none, and
 * would lose its place; a socket can't be opened so.
 */
export function openWithoutWaiting(descriptor: number): number {
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFIFO() && !stats.isCharacterDevice()) return descriptor;
    return openSync(`/proc/self/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    errorCode(error);
    return descriptor;
  }
}
