/**
 * A place for one test: a directory, a marker that is on the command line of all that
 * the test starts, and the certainty that both are gone afterwards.
 */
import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { allProcesses, processesOf, processesWith, signal } from './processes.ts';
import { waitUntil } from './wait-until.ts';

const root = join(import.meta.dirname, '..', '..');
/** The packaged executable: what users run. */
export const WATCHDOG = join(root, 'dist', 'watchdog');

/** Times that make a test quick; where a test is about one of them, it sets its own. */
export const QUICK = [
  '--confirm',
  '300ms',
  '--settle',
  '300ms',
  '--backoff',
  '200ms..2s',
  '--start-grace',
  '2s',
] as const;

/** Arguments of setpriv(1): what follows runs as nobody. */
export const AS_NOBODY = ['--reuid=65534', '--regid=65534', '--clear-groups'] as const;
/** Arguments of unshare(1): what follows has process numbers, mounts and a `/proc` of its own, and ends with it. */
export const IN_NAMESPACES = [
  '-p',
  '-f',
  '-m',
  '--mount-proc',
  '--propagation',
  'private',
  '--kill-child=KILL',
] as const;

export interface Sandbox {
  readonly directory: string;
  /** On every command line of this test, and on no other. */
  readonly marker: string;
  path(name: string): string;
  write(name: string, content: string, mode?: number): string;
  read(name: string): string;
  /** What is to be undone once all processes are gone, before the directory goes. */
  undo(what: () => unknown): void;
  /** How often a recovery that writes to `ev` was started, by its own count. */
  recoveries(): number;
  /** Starts a watchdog of this test, its log in `log`. */
  watchdog(args: readonly string[], options?: SpawnOptions): Running;
  start(program: string, args: readonly string[], options?: SpawnOptions): Running;
  /** Targets of this test that are alive, without shells and watchdogs. */
  targets(): readonly number[];
  /** Starts a target that is not a child of ours, and waits for it. */
  startTarget(): Promise<number>;
  /** A recovery that counts itself in `ev` and becomes a target. */
  readonly recover: string;
}

export interface Running {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly status: number | null; readonly signal: string | null }>;
  output(): string;
}

export function makeSandbox(t: TestContext): Sandbox {
  const marker = `tgt_${randomBytes(5).toString('hex')}`;
  const directory = mkdtempSync(join(tmpdir(), `watchdog-${marker}-`));
  const running: Running[] = [];
  const undoing: (() => unknown)[] = [];
  const path = (name: string): string => join(directory, name);

  t.after(async () => {
    // Not who has ended: the number may be another's by now.
    for (const { child } of running) child.kill('SIGKILL');
    await waitUntil('all processes of the test are gone', () => {
      const left = processesOf(marker).filter((one) => one.state !== 'Z' && one.pid !== process.pid);
      for (const one of left) signal(one.pid, 'SIGKILL');
      return left.length === 0;
    });
    for (const undo of undoing) await undo();
    rmSync(directory, { recursive: true, force: true });
  });

  const sandbox: Sandbox = {
    directory,
    marker,
    path,
    write(name, content, mode) {
      mkdirSync(join(path(name), '..'), { recursive: true });
      writeFileSync(path(name), content, { mode: mode ?? 0o644 });
      return path(name);
    },
    read: (name) => (existsSync(path(name)) ? readFileSync(path(name), 'utf8') : ''),
    undo: (what) => undoing.push(what),
    recoveries: () => sandbox.read('ev').split('\n').length - 1,
    watchdog: (args, options) => sandbox.start(WATCHDOG, ['--log', path('log'), ...args], options),
    start(program, args, options) {
      const one = startProcess(program, args, { cwd: directory, ...options });
      running.push(one);
      return one;
    },
    targets: () =>
      processesWith(marker)
        .filter((one) => one.line.startsWith(marker) && one.state !== 'Z')
        .map((one) => one.pid),
    async startTarget() {
      const before = sandbox.targets();
      execFileSync('/bin/bash', ['-c', `exec -a ${marker} sleep 1000 & disown`], { cwd: directory, stdio: 'ignore' });
      return waitUntil('the target is up', () => sandbox.targets().find((pid) => !before.includes(pid)));
    },
    recover: `echo start $$ >> ${path('ev')}; exec bash -c "exec -a ${marker} sleep 1000"`,
  };
  return sandbox;
}

function startProcess(program: string, args: readonly string[], options: SpawnOptions): Running {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let text = '';
  child.stdout?.on('data', (chunk) => {
    text += String(chunk);
  });
  child.stderr?.on('data', (chunk) => {
    text += String(chunk);
  });
  const ended = new Promise<{ status: number | null; signal: string | null }>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (status, why) => resolve({ status, signal: why }));
  });
  if (child.pid === undefined) throw new Error(`${program} could not be started`);
  return { pid: child.pid, child, ended, output: () => text };
}

/** The brain of a watchdog, while it is awake. */
export function brainOf(watchdog: Running): Promise<number> {
  return waitUntil(
    'the brain is awake',
    () => allProcesses().find((one) => one.ppid === watchdog.pid && one.line.startsWith('watchdog: brain'))?.pid,
  );
}

/** The lines of a log without their times. */
export function withoutTimes(log: string): readonly string[] {
  return log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/^\[\d{4}-\d\d-\d\d_\d\d:\d\d:\d\d\] /, ''));
}

/** Waits until a log holds a text so many times. */
export function logged(sandbox: Sandbox, text: string | RegExp, times = 1, limitMs?: number): Promise<boolean> {
  const pattern =
    typeof text === 'string' ? new RegExp(text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&'), 'g') : new RegExp(text, 'g');
  return waitUntil(
    `"${text}" is in the log ${times} times:\n${sandbox.read('log')}`,
    () => (sandbox.read('log').match(pattern)?.length ?? 0) >= times,
    limitMs,
  ).catch((error: Error) => {
    throw new Error(`${error.message}\n--- the log:\n${sandbox.read('log')}`);
  });
}

/** Runs the watchdog to its end; for what needs no longer than a moment. */
export function runWatchdog(args: readonly string[], options: SpawnOptions = {}) {
  const started = startProcess(WATCHDOG, args, options);
  return started.ended.then(({ status }) => ({ status, output: started.output() }));
}
