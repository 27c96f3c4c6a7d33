/** A thousand targets under one watchdog: what it takes to start, to be asked, to be read anew, and to bring one back. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StatusAnswer } from '../../src/control/protocol.ts';
import { allProcesses } from '../../test/support/processes.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { formatTable, median } from './table.ts';
import { memoryOf } from './weight.ts';

const WATCHDOG = join(import.meta.dirname, '..', '..', 'dist', 'watchdog');
const ROUNDS = 5;
/** Longer than a brain stays after it was asked, or has recovered. */
const UNTIL_ASLEEP_MS = 5_000;

export async function measureFleet(): Promise<void> {
  const rows: string[][] = [];
  for (const count of [12, 1_000]) rows.push(await measure(count));
  const head = [
    'targets',
    'resident, kB',
    'start, ms',
    'status, the command, ms',
    'status, the socket, ms',
    'reload, ms',
    'SIGKILL to replacement, ms',
  ];
  console.log('asleep before each; medians of 5, reload: of 3');
  console.log(formatTable(head, rows));
}

async function measure(count: number): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'watchdog-bench-'));
  const marker = `bench_fleet_${process.pid}_${count}`;
  const path = (name: string): string => join(directory, name);
  const names = Array.from({ length: count }, (_, at) => `t${at}`);
  const tables = names.map(
    (name) =>
      `[target.${name}]\npattern = "^${marker}_${name} 1000"\nrecover = '''exec bash -c "date +%s%N >> ${path('ev')}; exec -a ${marker}_${name} sleep 1000"'''\n`,
  );
  const text = (settle: string): string =>
    `log = "log"\ncontrol = "control"\n[defaults]\nsettle = "${settle}"\n${tables.join('')}`;
  writeFileSync(path('w.toml'), text('300ms'));
  const crowd = spawn('bash', ['-c', names.map((name) => `(exec -a ${marker}_${name} sleep 1000) &`).join('\n')], {
    stdio: 'ignore',
  });
  crowd.unref();
  try {
    const find = () => allProcesses().filter((one) => one.line.startsWith(`${marker}_`));
    await waitUntil('they are there', () => find().length >= count, 60_000);
    const startMs = timed(() => run(['start', '--config', path('w.toml')]));
    const [answer] = JSON.parse(run(['status', '--control', path('control'), '--json'])) as StatusAnswer[];
    const commands = await rounds(() => run(['status', '--control', path('control')]));
    const sockets = await rounds(() => curl(path('control')));
    const reloads: number[] = [];
    for (const settle of ['400ms', '500ms', '600ms']) {
      writeFileSync(path('w.toml'), text(settle));
      reloads.push(timed(() => run(['reload', '--control', path('control')])));
    }
    const kills: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      await pause();
      const [victim] = find();
      const startedNs = BigInt(Date.now()) * 1_000_000n;
      process.kill(victim?.pid ?? 0, 'SIGKILL');
      const line = await waitUntil('it is back', () => readLines(path('ev'))[round]);
      kills.push(Number(BigInt(line) - startedNs) / 1e6);
    }
    await pause();
    const { rssKb } = await memoryOf([answer?.watchdog.pid ?? 0]);
    run(['stop', '--config', path('w.toml')]);
    return [count, rssKb, startMs, median(commands), median(sockets), median(reloads), median(kills)].map((one) =>
      Number(one).toFixed(0),
    );
  } finally {
    spawnSync('pkill', ['-KILL', '-f', `^${marker}_`]);
    rmSync(directory, { recursive: true, force: true });
  }
}

async function rounds(what: () => unknown): Promise<number[]> {
  const took: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await pause();
    took.push(timed(what));
  }
  return took;
}

function timed(what: () => unknown): number {
  const startedAtMs = performance.now();
  what();
  return performance.now() - startedAtMs;
}

function run(args: readonly string[]): string {
  const { status, stderr, stdout } = spawnSync(WATCHDOG, args, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (status !== 0 && status !== 1) throw new Error(`watchdog ${args.join(' ')}: ${stderr}`);
  return stdout;
}

function curl(socket: string): void {
  execFileSync('curl', ['-s', '-o', '/dev/null', '--unix-socket', socket, 'http://watchdog/v1/status']);
}

function readLines(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').filter(Boolean);
  } catch {
    // Nothing was recovered yet.
    return [];
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, UNTIL_ASLEEP_MS));
}
