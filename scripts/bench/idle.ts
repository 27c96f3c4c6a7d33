/** What the watchdog costs while all is well: the packaged executable at an interval of 200 ms, watched from outside. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pidusage from 'pidusage';
import { formatTable } from './table.ts';

const WATCHDOG = join(import.meta.dirname, '..', '..', 'dist', 'watchdog');
const SAMPLES = 10;

export async function measureIdle(minutes: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'watchdog-bench-'));
  const target = spawn('sleep', ['86400.25'], { stdio: 'ignore' });
  const args = [
    '--pattern',
    '^sleep 86400\\.25$',
    '--recover',
    'true',
    '--interval',
    '200ms',
    '--log',
    join(directory, 'log'),
  ];
  const watchdog = spawn(WATCHDOG, args, { stdio: 'ignore' });
  const pid = watchdog.pid as number;
  const rows: string[][] = [];
  try {
    await sleep(5_000);
    const startCpuMs = readCpuMs(pid);
    const startedAtMs = performance.now();
    for (let sample = 0; sample <= SAMPLES; sample += 1) {
      const { memory } = await pidusage(pid);
      const descriptors = readdirSync(`/proc/${pid}/fd`).length;
      rows.push([
        ((performance.now() - startedAtMs) / 60_000).toFixed(1),
        String(memory / 1_024),
        String(readPssKb(pid)),
        String(descriptors),
        String(countChildren(pid)),
        String(readFields(pid)[8]),
      ]);
      if (sample < SAMPLES) await sleep((minutes * 60_000) / SAMPLES);
    }
    const share = (readCpuMs(pid) - startCpuMs) / (performance.now() - startedAtMs);
    console.log(
      formatTable(
        ['minute', 'resident, kB', 'proportional, kB', 'descriptors', 'children', 'page faults of ended children'],
        rows,
      ),
    );
    console.log(`CPU seconds a day while nothing happens: ${(share * 86_400).toFixed(0)}\n`);
  } finally {
    watchdog.kill('SIGKILL');
    target.kill('SIGKILL');
    pidusage.clear();
    rmSync(directory, { recursive: true });
  }
}

/** User and system time, and that of children that have ended: fields 14 to 17 of proc(5)'s `stat`, in hundredths. */
function readCpuMs(pid: number): number {
  return readFields(pid)
    .slice(11, 15)
    .reduce((sum, field) => sum + Number(field) * 10, 0);
}

/** Those that live; those that ended would have left their page faults (field 11 of proc(5)'s `stat`). */
function countChildren(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
  return children.trim().split(' ').filter(Boolean).length;
}

function readFields(pid: number): readonly string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function readPssKb(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1]);
}
