/** Standard error: for complaints, and for showing the log to whoever started us by hand. */
import { readFileSync, writeSync } from 'node:fs';
import { errorCode } from './errors.ts';
import { openWithoutWaiting } from './log-stream.ts';
import { parseStat } from './proc-stat.ts';

const STDERR = 2;

/** Shows a line on standard error, or doesn't: never waits, never fails. */
export type ShowLine = (line: string) => void;

/** Shows lines wherever standard error leads. */
export function openComplaints(): ShowLine {
  const descriptor = openWithoutWaiting(STDERR);
  return (line) => {
    try {
      writeSync(descriptor, `${line}\n`);
    } catch (error) {
      // Nobody listens there; what is said is in the log too, or can't be said at all.
      errorCode(error);
    }
  };
}

/**
 * Shows lines on a terminal, while the job of this process is its foreground one: a job in the background
 * that writes may be stopped by the kernel (SIGTTOU, termios(3), TOSTOP).
 */
export function openTerminal(jobPid: number): ShowLine {
  const show = openComplaints();
  return (line) => {
    if (isForeground(jobPid)) show(line);
  };
}

/** Whether the process group of this one is the terminal's foreground one. */
function isForeground(pid: number): boolean {
  try {
    const stat = parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
    return stat !== null && stat.processGroup === stat.terminalGroup;
  } catch (error) {
    errorCode(error);
    return false;
  }
}
