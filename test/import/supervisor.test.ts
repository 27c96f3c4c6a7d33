/**
 * The files of supervisord/, each run by the real supervisord and, once it is imported, by us:
 * the same processes, started again after the same ends, stopped alike. Where it isn't so,
 * DIFFERENT says it, and why.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Process, processesWith, signal } from '../support/processes.ts';
import { makeSandbox, type Running, type Sandbox, WATCHDOG } from '../support/sandbox.ts';
import { waitUntil } from '../support/wait-until.ts';

const files = globSync('supervisord/*.conf', { cwd: import.meta.dirname }).sort();
assert.equal(files.length, 10);

/** So long both are left alone; who ends after 1.3 s, and is started again, has been by then. */
const WATCHED_MS = 5_000;

/** What can be seen of a supervisor from outside. */
interface Facts {
  /** By program: how often it was started, `1` or `more`. */
  readonly starts: Readonly<Record<string, string>>;
  /** Who is alive after a while, of those that were started once. */
  readonly alive: readonly string[];
  /** Who of them is left once the supervisor was told to end. */
  readonly left: readonly string[];
  /** What the programs have written: signals, order, variables, output. */
  readonly files: Readonly<Record<string, string>>;
}

/** By file and fact: what differs, and why. */
const DIFFERENT: Readonly<Record<string, { readonly why: string; readonly change: (theirs: Facts) => Facts }>> = {
  '06-numprocs.conf': {
    why: 'where its number is no part of what a copy does, both show the same program; supervisord calls it same-0, we same-1',
    change: (theirs) => theirs,
  },
};

/** A directory with the file and all that it needs. */
function prepare(sandbox: Sandbox, kind: string, file: string): string {
  const directory = sandbox.path(`${kind}-${basename(file, '.conf')}`);
  mkdirSync(join(directory, 'sub'), { recursive: true });
  cpSync(join(import.meta.dirname, 'supervisord'), directory, { recursive: true });
  copyFileSync(join(import.meta.dirname, '..', 'fixtures', 'work.sh'), join(directory, 'work'));
  chmodSync(join(directory, 'work'), 0o755);
  for (const path of [basename(file), 'included/more.conf']) {
    const text = readFileSync(join(directory, path), 'utf8').replaceAll('DIR', directory);
    const head = text.includes('[supervisord]') || path.includes('/') ? '' : '[supervisord]\n';
    writeFileSync(join(directory, path), head + text);
  }
  return directory;
}

function namesIn(directory: string): readonly string[] {
  const all = processesWith(`${directory}/work`).filter(({ state }) => state !== 'Z');
  // A shell that has forked, and whose child is not yet another program, is there twice.
  const isFork = ({ ppid, line }: Process) => all.some((one) => one.pid === ppid && one.line === line);
  return all.flatMap((one) => (isFork(one) ? [] : (/ --name (\S+)/.exec(one.line)?.[1] ?? []))).sort();
}

async function observe(directory: string, running: Running): Promise<Facts> {
  await waitUntil(`something was started in ${basename(directory)}`, () => existsSync(join(directory, 'starts'))).catch(
    (error: Error) => {
      const log = join(directory, 'log');
      throw new Error(
        `${error.message}\n${running.output()}\n${existsSync(log) ? readFileSync(log, 'utf8') : 'no log'}`,
      );
    },
  );
  // What is compared is a stretch of time: nothing that could be waited for ends it.
  await sleep(WATCHED_MS);
  const all = namesIn(directory);
  const started = readFileSync(join(directory, 'starts'), 'utf8').trim().split('\n');
  signal(running.pid, 'SIGTERM');
  await running.ended;
  const left = namesIn(directory);
  for (const { pid } of processesWith(`${directory}/work`)) signal(pid, 'SIGKILL');
  const counts = Object.fromEntries(
    [...new Set(started)].sort().map((name) => [name, started.filter((one) => one === name).length]),
  );
  // In what order they come to write is chance: a start does not wait for the one before.
  const sorted = (text: string): string => text.split('\n').sort().join('\n');
  const written = ['signals', 'order', 'env', 'writer.log', 'quiet.err', 'both.log', 'both.err'].filter((name) =>
    existsSync(join(directory, name)),
  );
  return {
    alive: all.filter((name) => counts[name] === 1),
    starts: Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, count === 1 ? '1' : 'more'])),
    left,
    files: Object.fromEntries(
      written.map((name) => [name, sorted(readFileSync(join(directory, name), 'utf8').replaceAll(directory, 'DIR'))]),
    ),
  };
}

async function underSupervisord(sandbox: Sandbox, file: string): Promise<Facts> {
  const directory = prepare(sandbox, 'theirs', file);
  const options = [
    '-n',
    '-c',
    join(directory, basename(file)),
    '-l',
    join(directory, 'log'),
    '-j',
    join(directory, 'pid'),
    '-q',
    directory,
  ];
  return observe(directory, sandbox.start('supervisord', options, { cwd: directory }));
}

async function underWatchdog(sandbox: Sandbox, file: string): Promise<Facts> {
  const directory = prepare(sandbox, 'ours', file);
  const imported = spawnSync(WATCHDOG, ['import', basename(file)], { encoding: 'utf8', cwd: directory });
  assert.equal(imported.status, 0, imported.stderr);
  writeFileSync(join(directory, 'watchdog.toml'), imported.stdout);
  const options = [
    '--config',
    'watchdog.toml',
    '--trust-paths',
    '--control',
    join(directory, 'control'),
    '--log',
    join(directory, 'log'),
  ];
  return observe(directory, sandbox.start(WATCHDOG, options, { cwd: directory }));
}

test('ten files: the same under supervisord and under us', { concurrency: 4 }, async (t) => {
  await Promise.all(
    files.map((file) =>
      t.test(basename(file), async (sub) => {
        const sandbox = makeSandbox(sub);
        const [theirs, ours] = await Promise.all([underSupervisord(sandbox, file), underWatchdog(sandbox, file)]);
        assert.deepEqual(ours, DIFFERENT[basename(file)]?.change(theirs) ?? theirs);
        assert.ok(Object.keys(theirs.starts).length > 0);
      }),
    ),
  );
});
