/** Twenty programs of a supervisor's own, side by side: what stays in memory, and how long one that crashed is gone. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { allProcesses, signal } from '../../test/support/processes.ts';
import { waitUntil } from '../../test/support/wait-until.ts';
import { formatTable, median } from './table.ts';
import { memoryOf, tree, usageOf } from './weight.ts';

const WATCHDOG = join(import.meta.dirname, '..', '..', 'dist', 'watchdog');
const PROGRAMS = 20;
const ROUNDS = 20;
const IDLE_MS = 30_000;

interface Keeper {
  readonly name: string;
  readonly program: string;
  /** What it is started with; `name` begins the command line of each of its programs. */
  prepare(directory: string, stamp: string, name: string): readonly string[];
}

const NUMBERS = Array.from({ length: PROGRAMS }, (_, at) => at);

const KEEPERS: readonly Keeper[] = [
  {
    name: 'watchdog',
    program: WATCHDOG,
    prepare(directory, stamp, name) {
      const table = (at: number): string =>
        `[target.p${at}]\ncommand = ["${stamp}", "${directory}/stamps${at}", "${name}"]\n`;
      writeFileSync(join(directory, 'watchdog.toml'), NUMBERS.map(table).join(''));
      const own = ['--log', join(directory, 'log'), '--control', join(directory, 'control'), '--trust-paths'];
      return ['--config', join(directory, 'watchdog.toml'), ...own];
    },
  },
  {
    name: 'supervisord',
    program: 'supervisord',
    prepare(directory, stamp, name) {
      const program = (at: number): string =>
        `[program:p${at}]\ncommand=${stamp} ${directory}/stamps${at} ${name}\nautorestart=true\n`;
      const own = `[supervisord]\nnodaemon=true\nlogfile=${directory}/log\npidfile=${directory}/pid\nchildlogdir=${directory}\n`;
      writeFileSync(join(directory, 'conf'), own + NUMBERS.map(program).join(''));
      return ['-c', join(directory, 'conf')];
    },
  },
  {
    name: 'runsvdir and runsv',
    program: 'runsvdir',
    prepare(directory, stamp, name) {
      for (const at of NUMBERS) {
        mkdirSync(join(directory, `sv/p${at}`), { recursive: true });
        const script = `#!/bin/sh\nexec ${stamp} ${directory}/stamps${at} ${name}\n`;
        writeFileSync(join(directory, `sv/p${at}/run`), script, { mode: 0o755 });
      }
      return [join(directory, 'sv')];
    },
  },
];

/** All that are installed, in one run. */
export async function measurePrograms(): Promise<void> {
  const base = mkdtempSync(join(tmpdir(), 'watchdog-bench-'));
  const stamp = join(base, 'stamp');
  execFileSync('cc', ['-O1', '-o', stamp, join(import.meta.dirname, 'stamp.c')]);
  const present = KEEPERS.filter(
    ({ program }) => spawnSync(program, ['--help'], { stdio: 'ignore' }).error === undefined,
  );
  const running = present.map((keeper, at) => {
    const directory = join(base, String(at));
    mkdirSync(directory);
    const name = `bench_program_${process.pid}_${at}`;
    const child = spawn(keeper.program, keeper.prepare(directory, stamp, name), { stdio: 'ignore', cwd: directory });
    return { keeper, directory, name, child, pid: child.pid ?? 0, recoveryMs: [] as number[] };
  });
  try {
    for (const { name } of running) await waitUntil('all are up', () => pidsOf(name).length === PROGRAMS, 30_000);
    await sleep(6_000);
    const trees = running.map(({ name, pid }) => tree(pid, name));
    const memory = await Promise.all(trees.map((pids) => memoryOf([...pids])));
    const before = trees.map(usageOf);
    await sleep(IDLE_MS);
    const after = trees.map(usageOf);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const one of running) one.recoveryMs.push(await measureRecovery(one.directory, one.name, round % PROGRAMS));
      await sleep(1_500);
    }
    const rows = running.map(({ keeper, recoveryMs }, at) => [
      keeper.name,
      (memory[at]?.rssKb ?? 0).toFixed(0),
      (((after[at]?.wakeUps ?? 0) - (before[at]?.wakeUps ?? 0)) * (60_000 / IDLE_MS)).toFixed(0),
      median(recoveryMs).toFixed(1),
      Math.max(...recoveryMs).toFixed(1),
    ]);
    console.log(
      formatTable(
        [
          `${PROGRAMS} programs`,
          'resident, kB',
          'wake-ups a minute',
          `recovery, ms (median of ${ROUNDS})`,
          'the longest',
        ],
        rows,
      ),
    );
  } finally {
    for (const { child, name, pid } of running) {
      signal(pid, 'SIGKILL');
      for (const one of allProcesses()) if (one.ppid === pid) signal(one.pid, 'SIGKILL');
      for (const one of pidsOf(name)) signal(one, 'SIGKILL');
      child.unref();
    }
    rmSync(base, { recursive: true, force: true });
  }
}

function pidsOf(name: string): readonly number[] {
  return allProcesses().flatMap((one) => (one.line.startsWith(`${name} `) && one.state !== 'Z' ? [one.pid] : []));
}

/** From SIGKILL of one of them to the first instruction of the next one. */
async function measureRecovery(directory: string, name: string, at: number): Promise<number> {
  const before = pidsOf(name);
  const pid = before[at % before.length] as number;
  const killedAtNs = process.hrtime.bigint();
  process.kill(pid, 'SIGKILL');
  const stamp = await waitUntil('one is replaced', () => findNew(directory, name, before), 30_000);
  return Number(BigInt(stamp) - killedAtNs) / 1e6;
}

/** The latest stamp of all, once there is a process that was not there before. */
function findNew(directory: string, name: string, before: readonly number[]): string | null {
  if (!pidsOf(name).some((pid) => !before.includes(pid))) return null;
  const all = NUMBERS.flatMap((at) =>
    readFileSync(join(directory, `stamps${at}`), 'latin1')
      .trim()
      .split('\n'),
  );
  return all.sort((one, other) => Number(BigInt(other) - BigInt(one)))[0] ?? null;
}
