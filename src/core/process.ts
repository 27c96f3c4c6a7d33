import type { Identity } from './types.ts';

/** What a process table tells of one process. */
export interface ProcessRecord extends Identity {
  readonly ppid: number;
  /** The effective user. */
  readonly uid: number;
  /** `zombie`: has ended, and its parent has not taken notice. `stopped`: by a signal or a debugger, but alive. */
  readonly state: 'alive' | 'stopped' | 'zombie';
  readonly isKernelThread: boolean;
  /** The arguments joined by spaces; the short name in brackets where the process shows none, as ps has it. */
  readonly commandLine: string;
  /** The arguments one by one; empty where the process shows none, `null` where the table shows only the joined text. */
  readonly args: readonly string[] | null;
  /** The executable, even if deleted meanwhile; `null` when it can't be read. */
  readonly exe: string | null;
  /** How long it has been running. */
  readonly ageMs: number;
}

/** The part of a path after the last slash, without the dash that marks a login shell. */
export function programName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/^-/, '');
}

/** The arguments, split at spaces where the table shows only the joined text. */
export function argumentsOf(record: ProcessRecord): readonly string[] {
  return record.args ?? record.commandLine.split(' ').filter((word) => word !== '');
}
