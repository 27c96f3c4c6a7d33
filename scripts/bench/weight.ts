/** What stays in memory, and what it costs while nothing happens. */
import { readFileSync } from 'node:fs';
import pidusage from 'pidusage';
import { allProcesses } from '../../test/support/processes.ts';

export interface Usage {
  readonly cpuMs: number;
  readonly wakeUps: number;
}

/** All that stays because of one process: itself and what it has started, but for the target. */
export function tree(pid: number, targetName: string): readonly number[] {
  const all = allProcesses();
  const own = [pid];
  for (const parent of own) {
    for (const one of all) if (one.ppid === parent && !one.line.startsWith(targetName)) own.push(one.pid);
  }
  return own;
}

/**
 * Resident and proportional memory together, in kB. The kernel's quick figure, which
 * pidusage reads, is off by up to 64 pages a processor; where the slow one is larger, that counts.
 */
export async function memoryOf(pids: readonly number[]): Promise<{ readonly rssKb: number; readonly pssKb: number }> {
  const usages = await pidusage([...pids]);
  const slow = (pid: number, field: RegExp): number => readNumber(`/proc/${pid}/smaps_rollup`, field);
  const rssOf = (pid: number): number => Math.max((usages[pid]?.memory ?? 0) / 1_024, slow(pid, /^Rss:\s+(\d+)/m));
  return {
    rssKb: pids.reduce((sum, pid) => sum + rssOf(pid), 0),
    pssKb: pids.reduce((sum, pid) => sum + slow(pid, /^Pss:\s+(\d+)/m), 0),
  };
}

/**
 * Time on a processor so far, and how often it went to sleep. Of the living to the
 * nanosecond (`schedstat`), of children that have ended to the hundredth of a second
 * (fields 16 and 17 of proc(5)'s `stat`).
 */
export function usageOf(pids: readonly number[]): Usage {
  let cpuMs = 0;
  let wakeUps = 0;
  for (const pid of pids) {
    const fields = read(`/proc/${pid}/stat`)
      .replace(/^.*\) /s, '')
      .split(' ');
    cpuMs += readNumber(`/proc/${pid}/schedstat`, /^(\d+)/) / 1e6 + (Number(fields[13]) + Number(fields[14])) * 10;
    wakeUps += readNumber(`/proc/${pid}/status`, /^voluntary_ctxt_switches:\s+(\d+)/m);
  }
  return { cpuMs, wakeUps };
}

function readNumber(path: string, pattern: RegExp): number {
  return Number(pattern.exec(read(path))?.[1] ?? 0);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // It has ended meanwhile.
    return '';
  }
}
