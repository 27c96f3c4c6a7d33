/** Signals to processes that are no children of ours. */
import { readFileSync } from 'node:fs';
import { signalNumber } from '../core/signals.ts';
import type { Identity } from '../core/types.ts';
import { errorCode } from './errors.ts';
import { parseStat } from './proc-stat.ts';

/**
 * Sends a signal (without `SIG`) to this very process. Node has no pidfd_send_signal: the
 * start time is read right before, and in between the number could go to another process.
 * Where there is no `/proc` to read it from, the number alone must do. `false` if nobody
 * was reached.
 */
export function signalProcess({ pid, startTime }: Identity, signal: string): boolean {
  const now = readStartTime(pid);
  if (now !== null && now !== startTime) return false;
  try {
    return process.kill(pid, signalNumber(signal));
  } catch (error) {
    errorCode(error);
    return false;
  }
}

/** `null` where it can't be read. */
function readStartTime(pid: number): number | null {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.startTime ?? null;
  } catch (error) {
    errorCode(error);
    return null;
  }
}
