/**
 * Whether the kernel killed for lack of memory: each cgroup counts how often it had to.
 * A process that is followed is marked with the count of its cgroup; when it is killed
 * and the count has moved, that was why.
 */
import { readFileSync } from 'node:fs';
import type { Identity } from '../core/types.ts';
import { errorCode } from './errors.ts';

export interface OomMark extends Identity {
  /** The file that has the count. */
  readonly path: string;
  readonly kills: number;
}

/** `null` where there is no such count: no cgroups, or not ours to see. */
export function markOom({ pid, startTime }: Identity): OomMark | null {
  const lines = read(`/proc/${pid}/cgroup`)?.split('\n') ?? [];
  for (const line of lines) {
    const path = counterOf(line);
    const kills = path === null ? null : countKills(path);
    if (path !== null && kills !== null) return { pid, startTime, path, kills };
  }
  return null;
}

/** Whether the count has moved since. */
export function hasOomKilled({ path, kills }: OomMark): boolean {
  const now = countKills(path);
  return now !== null && now > kills;
}

/** A line is `ID:CONTROLLERS:PATH` (cgroups(7)); version 2 has no controllers, version 1 its own tree for memory. */
function counterOf(line: string): string | null {
  const match = /^\d+:([^:]*):(\/.*)$/.exec(line);
  if (match === null) return null;
  const [, controllers = '', path = ''] = match;
  if (controllers === '') return `/sys/fs/cgroup${path === '/' ? '' : path}/memory.events`;
  return controllers.split(',').includes('memory') ? `/sys/fs/cgroup/memory${path}/memory.oom_control` : null;
}

/** `oom_kill N` is a line of both `memory.events` (version 2) and `memory.oom_control` (version 1). */
function countKills(path: string): number | null {
  const number = /^oom_kill (\d+)$/m.exec(read(path) ?? '')?.[1];
  return number === undefined ? null : Number(number);
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    errorCode(error);
    return null;
  }
}
