/** What only we are asked: from the call to the first look, and a thousand processes at a time. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { allProcesses } from '../../test/support/processes.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { formatTable, median } from './table.ts';
import { memoryOf, tree } from './weight.ts';

const WATCHDOG = join(import.meta.dirname, '..', '..', 'dist', 'watchdog');
const ROUNDS = 10;

export async function measureOurs(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'watchdog-bench-'));
  const many = join(directory, 'many');
  execFileSync('cc', ['-O1', '-o', many, join(import.meta.dirname, '..', '..', 'test', 'fixtures', 'many.c')]);
  const name = `bench_many_${process.pid}`;
  const crowd = spawn(many, ['1000', name], { stdio: 'ignore' });
  try {
    const isThere = (): boolean => allProcesses().filter((one) => one.line.startsWith(name)).length >= 1_000;
    await waitUntil('the thousand are there', isThere, 60_000);
    const rows: string[][] = [];
    for (const more of [[], ['--resident']]) {
      const starts = [];
      for (let round = 0; round < ROUNDS; round += 1)
        starts.push((await start(directory, name, ['--min', '1', ...more])).tookMs);
      const { rssKb } = await start(directory, name, ['--min', '1000', ...more]);
      rows.push([`watchdog ${more.join(' ')}`, median(starts).toFixed(0), rssKb.toFixed(0)]);
    }
    console.log(
      formatTable(['', 'start-up to watching, ms (median of 10)', 'with 1,000 processes watched: resident, kB'], rows),
    );
  } finally {
    crowd.kill('SIGTERM');
    rmSync(directory, { recursive: true, force: true });
  }
}

async function start(directory: string, name: string, more: readonly string[]) {
  const log = join(directory, 'log');
  rmSync(log, { force: true });
  const startedAtMs = performance.now();
  const one = spawn(WATCHDOG, ['--pattern', `^${name} `, '--recover', 'true', '--log', log, ...more], {
    stdio: 'ignore',
  });
  while (!existsSync(log) || !readFileSync(log, 'utf8').includes('watching: up')) {
    if (performance.now() - startedAtMs > 20_000) throw new Error('it does not watch');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const tookMs = performance.now() - startedAtMs;
  const pid = one.pid ?? 0;
  if (!more.includes('--resident')) await waitUntil('it sleeps', () => tree(pid, name).length === 1);
  const { rssKb } = await memoryOf([pid]);
  one.kill('SIGTERM');
  await new Promise((resolve) => one.on('exit', resolve));
  return { tookMs, rssKb };
}
