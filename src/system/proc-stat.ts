/** The texts of `/proc/PID/stat` and `/proc/PID/status`, read. Pure; the fields are those of proc(5). */
import { signalName } from '../core/signals.ts';
import type { Death } from '../core/types.ts';

/** What is used of `/proc/PID/stat`. */
export interface ProcStat {
  readonly pid: number;
  /** The short name, at most 15 bytes; one character per byte. */
  readonly comm: string;
  /** One letter: R, S, D, T, t, Z, X, I. */
  readonly state: string;
  readonly ppid: number;
  readonly processGroup: number;
  /** The foreground process group of its terminal; -1 where it has none. */
  readonly terminalGroup: number;
  readonly flags: number;
  readonly threads: number;
  /** Clock ticks since boot. */
  readonly startTime: number;
  /** The status that wait(2) would give; known of a zombie, to those who may trace it. */
  readonly exitCode: number;
}

/** PF_KTHREAD of the kernel's `sched.h`: a thread of the kernel itself. */
const PF_KTHREAD = 0x00200000;

/**
 * Reads one `stat` line. The name in parentheses is the process's own choice and may
 * hold blanks, newlines and parentheses, so that the fields begin after the last one.
 * `null` if this is no `stat` line.
 */
export function parseStat(text: string): ProcStat | null {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 1 || close < open) return null;
  const fields = text.slice(close + 2).split(' ');
  // Field 3 of proc(5) is the first after the name.
  const field = (number: number): number => Number(fields[number - 3]);
  const state = fields[0] ?? '';
  const stat: ProcStat = {
    pid: Number(text.slice(0, open)),
    comm: text.slice(open + 1, close),
    state,
    ppid: field(4),
    processGroup: field(5),
    terminalGroup: field(8),
    flags: field(9),
    threads: field(20),
    startTime: field(22),
    exitCode: fields.length >= 50 ? field(52) : 0,
  };
  return /^[A-Za-z]$/.test(state) && Number.isInteger(stat.startTime) && Number.isInteger(stat.pid) ? stat : null;
}

export function isKernelThread(stat: ProcStat): boolean {
  return (stat.flags & PF_KTHREAD) !== 0;
}

/** Ended: a zombie, or about to vanish. */
export function hasEnded(stat: ProcStat): boolean {
  return stat.state === 'Z' || stat.state === 'X' || stat.state === 'x';
}

/** How a zombie ended, from its wait status (wait(2)). Those who may not know read 0, as does a clean exit. */
export function deathOfZombie(stat: ProcStat, mayKnow: boolean): Death {
  if (!mayKnow) return { kind: 'unknown' };
  const signal = stat.exitCode & 0x7f;
  return signal === 0
    ? { kind: 'exited', status: (stat.exitCode >> 8) & 0xff }
    : { kind: 'killed', signal: signalName(signal) };
}

/** Soft and hard limit of processor time under real-time scheduling, in microseconds or `unlimited`: of `/proc/PID/limits`. */
export function parseRealTimeLimit(limits: string): { readonly soft: string; readonly hard: string } | null {
  const match = /^Max realtime timeout +(\d+|unlimited) +(\d+|unlimited)/m.exec(limits);
  return match === null ? null : { soft: match[1] as string, hard: match[2] as string };
}

/** The number of a field of `/proc/PID/status`, such as `Tgid`; `at` counts the numbers behind it. */
export function statusNumber(status: string, name: string, at = 0): number | null {
  const line = new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1];
  const number = line?.trim().split(/\s+/)[at];
  return number === undefined || !/^\d+$/.test(number) ? null : Number(number);
}
