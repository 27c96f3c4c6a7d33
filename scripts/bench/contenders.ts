/** Those that are measured side by side, each set to the same work: one process that must be there. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { allProcesses } from '../../test/support/processes.ts';

const WATCHDOG = join(import.meta.dirname, '..', '..', 'dist', 'watchdog');

/** What a contender is given. */
export interface Work {
  readonly directory: string;
  /** The command line of the target begins with it. */
  readonly name: string;
  /** Writes the moment of its first instruction; with a name it becomes the target. */
  readonly stamp: string;
  readonly stamps: string;
}

export interface Contender {
  readonly name: string;
  /** Whether the target is its own child; else it watches what the bench has started. */
  readonly isParent: boolean;
  /** What it takes to have it; `null` if it is there. */
  readonly missing: string | null;
  /** Its executable, for the size. */
  readonly executable: string;
  /** How long after a replacement it is ready for the next death. */
  readonly restMs: number;
  start(work: Work): Running;
}

export interface Running {
  /** The process that stays, whose children that are not the target stay with it. */
  pid(): number;
  stop(): void;
}

export function contenders(): readonly Contender[] {
  return [
    ours('watchdog', []),
    ours('watchdog --resident', ['--resident']),
    onlooker('the shell loop', 'sh', 'sh', 500, (work) => {
      const script = join(work.directory, 'loop.sh');
      writeFileSync(
        script,
        `while true; do
  PROC=$(pgrep -o -f '^${work.name} ')
  if [ -z "$PROC" ]; then ${work.stamp} ${work.stamps}; echo "recovered" >> ${work.directory}/loop.log; fi
  sleep 5
done
`,
      );
      return ['sh', script];
    }),
    onlooker('Monit', 'monit', 'apt install monit', 500, (work) => {
      const file = join(work.directory, 'monitrc');
      const own = ['idfile', 'statefile', 'pidfile']
        .map((one) => `set ${one} ${work.directory}/monit.${one}\n`)
        .join('');
      const check = `check process target matching "^${work.name} "\n  start program = "${work.stamp} ${work.stamps}"\n`;
      writeFileSync(file, `set daemon 5\n${own}${check}`, { mode: 0o600 });
      return ['monit', '-I', '-c', file];
    }),
    parent('supervisord', 'supervisord', 'apt install supervisor', 1_300, (work) => {
      const file = join(work.directory, 'supervisord.conf');
      const program = `[program:target]\ncommand=${work.stamp} ${work.stamps} ${work.name}\nautorestart=true\n`;
      const logs = `logfile=${work.directory}/supervisord.log\npidfile=${work.directory}/supervisord.pid\n`;
      writeFileSync(file, `[supervisord]\nnodaemon=true\n${logs}${program}`);
      return ['supervisord', '-c', file];
    }),
    parent('runsv', 'runsv', 'apt install runit', 1_300, (work) => ['runsv', service(work)]),
    parent('s6-supervise', 's6-supervise', 'apt install s6', 1_300, (work) => ['s6-supervise', service(work)]),
    pm2(),
  ];
}

function ours(name: string, more: readonly string[]): Contender {
  return onlooker(name, WATCHDOG, 'npm run build', 3_500, (work) => [
    WATCHDOG,
    ...['--pattern', `^${work.name} `, '--recover', `${work.stamp} ${work.stamps}`],
    ...['--log', join(work.directory, 'watchdog.log'), ...more],
  ]);
}

type Command = (work: Work) => readonly string[];

function onlooker(name: string, program: string, install: string, restMs: number, command: Command): Contender {
  return { ...foreground(name, program, install, command), isParent: false, restMs };
}

function parent(name: string, program: string, install: string, restMs: number, command: Command): Contender {
  return { ...foreground(name, program, install, command), isParent: true, restMs };
}

function foreground(name: string, program: string, install: string, command: Command) {
  return {
    name,
    missing: which(program) === null ? install : null,
    executable: which(program) ?? '',
    start: (work: Work): Running => {
      const [file = '', ...args] = command(work);
      const child = spawn(file, args, { stdio: 'ignore', detached: true });
      return { pid: () => child.pid ?? 0, stop: () => stopTree(child) };
    },
  };
}

/** It starts a daemon of its own, which is what stays. */
function pm2(): Contender {
  const program = process.env.PM2 ?? which('pm2');
  const call = (work: Work, args: readonly string[]) =>
    spawnSync(program ?? '', args, { stdio: 'ignore', env: { ...process.env, PM2_HOME: join(work.directory, 'pm2') } });
  return {
    name: 'pm2',
    isParent: true,
    missing: program === null ? 'npm install -g pm2, or PM2=/path/to/pm2' : null,
    executable: program ?? '',
    restMs: 1_300,
    start(work) {
      call(work, ['start', work.stamp, '--interpreter', 'none', '--name', 'target', '--', work.stamps, work.name]);
      return {
        pid: () => Number(readFileSync(join(work.directory, 'pm2', 'pm2.pid'), 'latin1')),
        stop: () => call(work, ['kill']),
      };
    },
  };
}

function service(work: Work): string {
  const directory = join(work.directory, 'service');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'run'), `#!/bin/sh\nexec ${work.stamp} ${work.stamps} ${work.name}\n`, { mode: 0o755 });
  return directory;
}

function stopTree(child: ChildProcess): void {
  const pid = child.pid ?? 0;
  for (const one of [
    pid,
    ...allProcesses()
      .filter((other) => other.ppid === pid)
      .map((other) => other.pid),
  ]) {
    try {
      process.kill(one, 'SIGKILL');
    } catch {
      // It has ended already.
    }
  }
}

function which(program: string): string | null {
  const { status, stdout } = spawnSync('sh', ['-c', 'command -v "$1"', 'sh', program], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : null;
}

/** In megabytes. */
export function sizeOf({ executable }: Contender): number {
  return executable === '' ? 0 : statSync(executable).size / 1e6;
}
