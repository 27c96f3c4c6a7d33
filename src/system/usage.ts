/** What processes take of the machine: memory, and processor time since the last time somebody asked. */
import { errorCode } from './errors.ts';

export interface Usage {
  readonly ageMs: number;
  readonly cpuPercent: number;
  readonly memoryBytes: number;
}

interface Sample {
  readonly atMs: number;
  readonly cpuMs: number;
}

/** A reader that remembers what it has read, so that a second answer is about the time since the first. */
export function openUsage(): (pids: readonly number[]) => Promise<ReadonlyMap<number, Usage>> {
  let samples = new Map<number, Sample>();

  return async (pids) => {
    if (pids.length === 0) return new Map();
    const { default: pidusage } = await import('pidusage');
    const usages = new Map<number, Usage>();
    const next = new Map<number, Sample>();
    for (const [pid, stat] of Object.entries(await readAll(pidusage, pids))) {
      // Who has ended meanwhile has none.
      if (stat === null) continue;
      const sample = { atMs: stat.timestamp, cpuMs: stat.ctime };
      next.set(Number(pid), sample);
      const cpuPercent =
        percentSince(samples.get(Number(pid)), sample) ?? (stat.ctime / Math.max(stat.elapsed, 1)) * 100;
      usages.set(Number(pid), { ageMs: stat.elapsed, cpuPercent, memoryBytes: stat.memory });
    }
    samples = next;
    return usages;
  };
}

type Stats = Readonly<Record<string, { ctime: number; elapsed: number; memory: number; timestamp: number } | null>>;

/** It fails as a whole only where none of them is there. */
async function readAll(
  read: { (pids: number[]): Promise<unknown>; clear(): void },
  pids: readonly number[],
): Promise<Stats> {
  try {
    return (await read([...pids])) as Stats;
  } catch (error) {
    errorCode(error);
    return {};
  } finally {
    // It would keep a descriptor of each.
    read.clear();
  }
}

/** `null` where there is nothing to compare with, or it was just now. */
function percentSince(before: Sample | undefined, now: Sample): number | null {
  if (before === undefined || now.atMs - before.atMs < 100 || now.cpuMs < before.cpuMs) return null;
  return ((now.cpuMs - before.cpuMs) / (now.atMs - before.atMs)) * 100;
}
