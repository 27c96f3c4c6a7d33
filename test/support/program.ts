/** Watchdogs with programs of their own. */
import { execFileSync } from 'node:child_process';
import { readProcess } from './processes.ts';
import type { Sandbox } from './sandbox.ts';

/** Milliseconds are enough for a test where a user waits for seconds. */
export const QUICK_PROGRAMS = '[defaults]\nsettle = "200ms"\nbackoff = "200ms..2s"\nstop-timeout = "2s"\n';

/** A program that shows the marker and stays. */
export function idle(sandbox: Sandbox, name: string): string {
  return `exec -a ${sandbox.marker}_${name} sleep 1000`;
}

/** What of a test lives, by what it is called. */
export function living(sandbox: Sandbox, name: string): readonly number[] {
  const line = `${sandbox.marker}_${name}`;
  return execFileSync('ps', ['-eo', 'pid=,stat=,args='], { encoding: 'utf8' })
    .split('\n')
    .flatMap((text) => {
      const [, pid = '', state = '', args = ''] = /^\s*(\d+) (\S+)\s+(.*)$/.exec(text) ?? [];
      return args.startsWith(line) && !state.startsWith('Z') ? [Number(pid)] : [];
    });
}

export function parentOf(pid: number): number | undefined {
  return readProcess(pid)?.ppid;
}
