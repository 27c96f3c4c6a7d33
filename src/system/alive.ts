import { readFileSync } from 'node:fs';
import { errorCode } from './errors.ts';
import { hasEnded, parseStat } from './proc-stat.ts';

/** Whether there is a process of this number that has not ended: a zombie has. */
export function isAlive(pid: number): boolean {
  try {
    const stat = parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
    if (stat !== null) return !hasEnded(stat);
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return false;
  }
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}
