/** The watchdog's own pid-file: for others to find it by. Whether one watches is told by the lock, never by this. */
import { readFileSync, unlinkSync } from 'node:fs';
import { describeCode, errorCode } from './errors.ts';
import { writeWhole } from './write-whole.ts';

/** Writes it whole, under another name first; why that failed, or `null`. */
export function writeOwnPidFile(path: string, pid: number): string | null {
  try {
    writeWhole(path, `${pid}\n`, 0o644);
    return null;
  } catch (error) {
    return `the pid-file ${path} cannot be written: ${describeCode(errorCode(error))}`;
  }
}

/** Takes it away if it is still ours. */
export function removeOwnPidFile(path: string, pid: number): void {
  try {
    if (readFileSync(path, 'latin1') === `${pid}\n`) unlinkSync(path);
  } catch (error) {
    // Somebody was quicker, or took the right away: nothing is lost.
    errorCode(error);
  }
}
