import { signalName } from './signals.ts';
import type { Death } from './types.ts';

/** Signals by which an operator or a service manager ends a program on purpose. */
const POLITE_SIGNALS: ReadonlySet<string> = new Set(['TERM', 'INT', 'HUP']);

/**
 * Whether a process crashed, so that nobody can be expected to bring it back on
 * purpose. An unknown end is not a crash: it may be half of a planned restart.
 */
export function isCrash(how: Death): boolean {
  switch (how.kind) {
    case 'exited':
      return how.status !== 0;
    case 'killed':
      return !POLITE_SIGNALS.has(how.signal);
    case 'unknown':
      return false;
  }
}

/** Whether a command did what it was asked to, as far as its exit status tells. */
export function isSuccess(how: Death): boolean {
  return how.kind === 'exited' && how.status === 0;
}

/**
 * Whether the shell could not run the command at all: 127 is *not found*, 126 *not
 * executable* (POSIX, Shell Command Language, 2.8.2).
 */
export function isCommandTrouble(how: Death): boolean {
  return how.kind === 'exited' && (how.status === 126 || how.status === 127);
}

/**
 * What a shell's exit status says of the command that it ran last: above 128 it was
 * killed by the signal of that number (POSIX, Shell Command Language, 2.8.2).
 */
export function readShellStatus(how: Death): Death {
  if (how.kind !== 'exited' || how.status <= 128 || how.status > 192) return how;
  return { kind: 'killed', signal: signalName(how.status - 128) };
}
