import { existsSync } from 'node:fs';
import type { ProcessRecord } from '../core/process.ts';
import { openProcFs } from './proc-fs.ts';
import { openPsList } from './ps-list.ts';

/**
 * Where processes are looked up. Two readers stand behind this: `/proc`, and `ps`.
 * What could not be read is always told: an empty answer without `trouble` means that
 * there is nothing.
 */
export interface ProcessTable {
  readonly kind: 'proc' | 'ps';
  /** All processes whose command line is wanted. */
  scan(wants: (commandLine: string) => boolean, without?: Without): Promise<Scan>;
  /** One process by its number. */
  read(pid: number): Promise<Reading>;
}

/** What need not be read. */
export interface Without {
  /** These were listed before. */
  readonly known?: ReadonlySet<number>;
  /** Threads of the kernel, which are nobody's target. */
  readonly kernelThreads?: boolean;
}

export interface Scan {
  readonly records: readonly ProcessRecord[];
  /** All that were listed, wanted or not. */
  readonly pids: readonly number[];
  /** Those of them that had ended when it was their turn to be read; zombies, and who shows no command line, are among them every time. */
  readonly ended: readonly number[];
  /** Programs that the reader started to look. */
  readonly lookerPids: readonly number[];
  /**
   * Why this may not be all of these users' processes; `null` if it is. Whom else's
   * can't be seen is no trouble then. `uids`: `null` for everybody's.
   */
  troubleFor(uids: readonly number[] | null): string | null;
}

export type Reading =
  | { readonly kind: 'process'; readonly record: ProcessRecord }
  /** The number is that of a thread. */
  | { readonly kind: 'thread'; readonly processPid: number }
  | { readonly kind: 'none' }
  | { readonly kind: 'trouble'; readonly why: string };

/** The reader that was asked for, or the one that serves this machine. */
export function openProcessTable(wanted: 'proc' | 'ps' | null): ProcessTable {
  const kind = wanted ?? (existsSync('/proc/self/stat') ? 'proc' : 'ps');
  return kind === 'proc' ? openProcFs({ root: '/proc', selfPid: process.pid }) : openPsList({ selfPid: process.pid });
}
