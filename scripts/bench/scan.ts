/** One look of ours at all processes, against one run of `pgrep -f`, which the shell loop starts for every look. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compilePattern } from '../../src/config/pattern.ts';
import { openProcessTable } from '../../src/system/process-table.ts';
import { formatTable, median } from './table.ts';

const ROUNDS = 15;
const PATTERN = 'my_server\\.js';

export async function measureScan(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'watchdog-bench-'));
  const forker = join(directory, 'forker');
  execFileSync('cc', ['-O1', '-o', forker, join(import.meta.dirname, 'forker.c')]);
  const rows: string[][] = [];
  try {
    for (const count of [0, 3_000]) {
      const parent = spawn(forker, [String(count), '--config=/etc/some/file.conf', '--listen', '0.0.0.0:8080'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(parent.stdout, 'data');
      const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length;
      const [ours, pgreps] = await measureBoth();
      rows.push([String(processes), ours.toFixed(2), pgreps.toFixed(2), (pgreps / ours).toFixed(1)]);
      parent.kill('SIGTERM');
      await once(parent, 'exit');
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  console.log(formatTable(['processes', 'our scan, ms', 'pgrep -f, ms', 'times as fast'], rows));
}

/** By turns, so that whatever else the machine does falls on both. */
async function measureBoth(): Promise<readonly [number, number]> {
  const compiled = await compilePattern({ text: PATTERN, isFixed: false, isExact: false, ignoresCase: false });
  if ('problem' in compiled) throw new Error(compiled.problem);
  const table = openProcessTable('proc');
  const ours: number[] = [];
  const pgreps: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const startedAtMs = performance.now();
    const scan = await table.scan(compiled.matcher);
    ours.push(performance.now() - startedAtMs);
    const trouble = scan.troubleFor(null);
    if (trouble !== null) throw new Error(trouble);
    const pgrepAtMs = performance.now();
    spawnSync('pgrep', ['-f', PATTERN]);
    pgreps.push(performance.now() - pgrepAtMs);
  }
  return [median(ours), median(pgreps)];
}
