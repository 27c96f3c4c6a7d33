/**
 * The contenders side by side, all at the same time on the same machine, each with a
 * target of its own: memory, cost while nothing happens, and the time from SIGKILL of
 * the target to the first instruction of its replacement.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { allProcesses, signal } from '../../test/support/processes.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { type Contender, contenders, type Running, sizeOf, type Work } from './contenders.ts';
import { formatTable, median } from './table.ts';
import { memoryOf, tree, usageOf } from './weight.ts';

const ROUNDS = 20;

interface Row {
  readonly name: string;
  rssKb: number;
  pssKb: number;
  readonly cpuPerDay: number[];
  wakeUpsPerMinute: number;
  recoveryMs: number[];
  readonly sizeMb: number;
}

interface Entry {
  readonly contender: Contender;
  readonly work: Work;
  readonly running: Running;
  readonly row: Row;
}

/** `idleSeconds`: how long nothing happens, at each number of processes. */
export async function measurePeers(idleSeconds: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'watchdog-bench-'));
  const stamp = compile(directory, 'stamp');
  const forker = compile(directory, 'forker');
  const all = contenders();
  for (const { missing, name } of all) if (missing !== null) console.log(`${name} is not installed: ${missing}`);
  const present = all.filter((one) => one.missing === null);
  const entries = present.map((contender, at) => begin(contender, directory, stamp, at));
  try {
    await sleep(8_000);
    for (const entry of entries) Object.assign(entry.row, await memoryOf(treeOf(entry)));
    const counts = [await measureIdle(entries, idleSeconds)];
    const crowd = spawn(forker, ['1900', '--config=/etc/some/file.conf', '--listen', '0.0.0.0:8080'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await waitUntil('the crowd is there', () => allProcesses().length > 1_900, 60_000);
    counts.push(await measureIdle(entries, idleSeconds));
    crowd.kill('SIGTERM');
    await waitUntil('the crowd is gone', () => allProcesses().length < 1_000, 60_000);
    await Promise.all(entries.map(measureRecoveries));
    report(entries, counts);
  } finally {
    for (const { running, work } of entries) {
      running.stop();
      for (const one of targets(work)) signal(one, 'SIGKILL');
    }
    rmSync(directory, { recursive: true, force: true });
  }
}

function begin(contender: Contender, base: string, stamp: string, at: number): Entry {
  const directory = join(base, String(at));
  mkdirSync(directory);
  const work = { directory, name: `bench_target_${process.pid}_${at}`, stamp, stamps: join(directory, 'stamps') };
  writeFileSync(work.stamps, '');
  if (!contender.isParent) startTarget(work);
  const row = { name: contender.name, rssKb: 0, pssKb: 0, cpuPerDay: [], wakeUpsPerMinute: 0, recoveryMs: [] };
  return { contender, work, running: contender.start(work), row: { ...row, sizeMb: sizeOf(contender) } };
}

/** Ours, and reaped by us: to an onlooker it is anybody's. */
function startTarget(work: Work): void {
  spawn(work.stamp, ['/dev/null', work.name], { stdio: 'ignore' });
}

function treeOf({ running, work }: Entry): readonly number[] {
  return tree(running.pid(), work.name);
}

function targets(work: Work): readonly number[] {
  const isTarget = (line: string): boolean => line.startsWith(`${work.name} `);
  return allProcesses().flatMap((one) => (isTarget(one.line) && one.state !== 'Z' ? [one.pid] : []));
}

/** Of all at once; the number of processes meanwhile. */
async function measureIdle(entries: readonly Entry[], seconds: number): Promise<number> {
  await sleep(3_000);
  // The processes that stay; what they start and wait for is counted with them.
  const pids = entries.map((entry) => [entry.running.pid()]);
  const before = pids.map(usageOf);
  await sleep(seconds * 1_000);
  const after = pids.map(usageOf);
  for (const [at, { row }] of entries.entries()) {
    row.cpuPerDay.push((((after[at]?.cpuMs ?? 0) - (before[at]?.cpuMs ?? 0)) / seconds / 1_000) * 86_400);
    if (row.cpuPerDay.length === 1)
      row.wakeUpsPerMinute = (((after[at]?.wakeUps ?? 0) - (before[at]?.wakeUps ?? 0)) / seconds) * 60;
  }
  return allProcesses().length;
}

/** Only one death at a time among those that answer at once, so that none is measured in another's way. */
let turn: Promise<unknown> = Promise.resolve();

async function measureRecoveries(entry: Entry): Promise<void> {
  const isPolling = entry.contender.name === 'the shell loop' || entry.contender.name === 'Monit';
  for (let round = 0; round < ROUNDS; round += 1) {
    const one = (): Promise<number> => measureRecovery(entry);
    if (isPolling) entry.row.recoveryMs.push(await one());
    else {
      const mine = turn.then(one);
      turn = mine;
      entry.row.recoveryMs.push(await mine);
    }
    // At a random moment of its rhythm: who looks every 5 s is met anywhere between two looks.
    await sleep(entry.contender.restMs + Math.random() * (isPolling ? 5_000 : 1_000));
  }
}

async function measureRecovery({ contender, work }: Entry): Promise<number> {
  const pid = await waitUntil(`the target of ${contender.name} is up`, () => targets(work)[0], 30_000);
  const stamps = (): readonly string[] => readFileSync(work.stamps, 'latin1').split('\n').slice(0, -1);
  const before = stamps().length;
  const killedAtNs = process.hrtime.bigint();
  process.kill(pid, 'SIGKILL');
  const line = await waitUntil(`${contender.name} has replaced it`, () => stamps()[before], 60_000);
  if (!contender.isParent) startTarget(work);
  return Number(BigInt(line) - killedAtNs) / 1e6;
}

function report(entries: readonly Entry[], counts: readonly number[]): void {
  const rows = entries.map(({ row }) => row);
  const loop = rows.find((row) => row.name === 'the shell loop');
  const against = (value: number, of: (row: Row) => number): string =>
    loop === undefined || of(loop) === 0 ? '' : ` (${(value / of(loop)).toPrecision(2)})`;
  const head = [
    'one run; in brackets: times the shell loop',
    'resident, kB',
    'proportional, kB',
    ...counts.map((count) => `CPU s a day, ${count} processes`),
    'wake-ups a minute',
    `SIGKILL to replacement, ms: min, median, max of ${ROUNDS}`,
    'executable, MB',
  ];
  const cells = rows.map((row) => [
    row.name,
    `${row.rssKb.toFixed(0)}${against(row.rssKb, (one) => one.rssKb)}`,
    `${row.pssKb.toFixed(0)}${against(row.pssKb, (one) => one.pssKb)}`,
    ...row.cpuPerDay.map((cpu, at) => `${cpu.toFixed(1)}${against(cpu, (one) => one.cpuPerDay[at] ?? 0)}`),
    row.wakeUpsPerMinute.toFixed(0),
    `${Math.min(...row.recoveryMs).toFixed(1)}, ${median(row.recoveryMs).toFixed(1)}, ${Math.max(...row.recoveryMs).toFixed(1)}` +
      against(median(row.recoveryMs), (one) => median(one.recoveryMs)),
    row.sizeMb.toFixed(1),
  ]);
  console.log(formatTable(head, cells));
  const machine = { cpus: cpus().length, model: cpus()[0]?.model, node: process.version };
  writeFileSync(
    join(import.meta.dirname, '..', '..', 'dist', 'bench.json'),
    JSON.stringify({ machine, counts, rows }, null, 2),
  );
}

function compile(directory: string, name: string): string {
  const output = join(directory, name);
  execFileSync('cc', ['-O1', '-o', output, join(import.meta.dirname, `${name}.c`)]);
  return output;
}
