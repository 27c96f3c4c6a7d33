import assert from 'node:assert/strict';
import { type SpawnSyncOptions, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { compile } from '../support/compile.ts';
import { pidOf, QUICK_DEFAULTS, statusOf, targetTable, tell } from '../support/control.ts';
import { isAlive, signal } from '../support/processes.ts';
import { logged, makeSandbox, type Sandbox, WATCHDOG } from '../support/sandbox.ts';
import { waitUntil } from '../support/wait-until.ts';

const INIT = join(import.meta.dirname, '..', '..', 'docs', 'examples', 'watchdog.init');

/** A file for a daemon of this sandbox, and its name. */
function configFor(sandbox: Sandbox, more = ''): string {
  const own = `log = "log"\ncontrol = "control"\nown-pid-file = "pid"\n`;
  return sandbox.write('watchdog.toml', `${own}${more}${QUICK_DEFAULTS}${targetTable(sandbox, 'web')}`);
}

function run(sandbox: Sandbox, args: readonly string[], options: SpawnSyncOptions = {}) {
  const { status, stderr, stdout } = spawnSync(WATCHDOG, args, {
    cwd: sandbox.directory,
    encoding: 'utf8',
    ...options,
  });
  return { status, output: String(stdout) + String(stderr) };
}

/** The daemon, which is ended after the test whatever happens. */
function daemonOf(sandbox: Sandbox): number {
  const pid = Number(sandbox.read('pid'));
  assert.ok(pid > 1 && isAlive(pid), `the pid-file says "${sandbox.read('pid')}"`);
  sandbox.undo(() => signal(pid, 'SIGKILL'));
  return pid;
}

test('start returns once the daemon watches: own session, no terminal, / as directory, nothing but /dev/null', async (t) => {
  const sandbox = makeSandbox(t);
  const config = configFor(sandbox);
  const said = run(sandbox, ['start', '--config', config]);
  assert.deepEqual(said, { status: 0, output: 'watchdog: at work in the background\n' });
  const pid = daemonOf(sandbox);
  assert.match(sandbox.read('log'), /web watching: down/, 'before start returned');
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ');
  const [, parent, , session, tty] = stat.map(Number);
  assert.deepEqual([tty, session === pid, parent !== process.pid], [0, false, true], 'no leader of its session');
  assert.equal(readlinkSync(`/proc/${pid}/cwd`), '/');
  for (const descriptor of [0, 1, 2]) assert.equal(readlinkSync(`/proc/${pid}/fd/${descriptor}`), '/dev/null');
  assert.match(
    readFileSync(`/proc/${pid}/status`, 'latin1'),
    new RegExp(`^Umask:\\s+${process.umask().toString(8).padStart(4, '0')}$`, 'm'),
  );
  const again = run(sandbox, ['start', '--config', config]);
  assert.deepEqual(again, { status: 0, output: `watchdog: already at work, pid ${pid}\n` });
  const other = run(sandbox, ['--config', config, '--daemon']);
  assert.equal(other.status, 4);
  assert.match(other.output, new RegExp(`another watchdog \\(pid ${pid}\\) already watches`));
  assert.equal(sandbox.read('pid'), `${pid}\n`, 'a second one leaves the first one’s pid-file alone');
  assert.deepEqual(run(sandbox, ['stop', '--config', config]).status, 0);
  assert.ok(!isAlive(pid) && !existsSync(sandbox.path('pid')) && pidOf(sandbox, 'web') !== undefined);
});

test('what keeps a daemon from watching is told to the one who started it, with its code', async (t) => {
  const sandbox = makeSandbox(t);
  const good = targetTable(sandbox, 'web');
  const rows: readonly (readonly [string, string, number, RegExp])[] = [
    ['a broken file', '[target.web', 2, /watchdog\.toml:1: is no TOML/],
    ['no place for the log', `log = "/nonexistent/log"\n${good}`, 2, /the directory \/nonexistent does not exist/],
    [
      'no place for the pid-file',
      `own-pid-file = "/nonexistent/pid"\n${good}`,
      2,
      /nothing can be written to \/nonexistent/,
    ],
    [
      'no place for a socket of that length',
      `control = "${'x'.repeat(120)}"\n${good}`,
      2,
      /the path of a socket has at most 107/,
    ],
  ];
  for (const [what, text, code, expected] of rows) {
    const config = sandbox.write('watchdog.toml', text);
    for (const args of [['start'], ['--daemon']]) {
      const said = run(sandbox, [...args, '--config', config]);
      assert.equal(said.status, code, `${what}: ${said.output}`);
      assert.match(said.output, expected, what);
    }
  }
  const config = configFor(sandbox);
  assert.equal(run(sandbox, ['start', '--config', config, '--log', '-']).status, 2);
  assert.equal(run(sandbox, ['--daemon', '--once', '--config', config]).status, 2);
});

test('restart is another process with the same options, from the same directory', async (t) => {
  const sandbox = makeSandbox(t);
  configFor(sandbox);
  assert.equal(run(sandbox, ['start', '--config', 'watchdog.toml']).status, 0);
  const first = daemonOf(sandbox);
  await logged(sandbox, 'web recovered: ');
  const said = run(sandbox, ['restart', '--control', sandbox.path('control')], { cwd: '/' });
  assert.equal(said.status, 0, said.output);
  const second = daemonOf(sandbox);
  assert.notEqual(second, first);
  await waitUntil('it is up', () => statusOf(sandbox, 'web').state === 'up');
  assert.equal(run(sandbox, ['restart', '--config', 'watchdog.toml']).status, 0);
  assert.equal(new Set([first, second, daemonOf(sandbox)]).size, 3);
  assert.equal(tell(sandbox, 'shutdown').status, 0);
  assert.equal(run(sandbox, ['stop', '--config', 'watchdog.toml']).status, 0, 'that none is there is what was wanted');
});

test('a daemon can be stopped whatever has become of its configuration; started again it is as another user at once', async (t) => {
  const sandbox = makeSandbox(t);
  const config = configFor(sandbox);
  assert.equal(run(sandbox, ['start', '--config', config]).status, 0);
  const pid = daemonOf(sandbox);
  sandbox.write('watchdog.toml', '[target.web');
  assert.equal(run(sandbox, ['start', '--config', config]).status, 2);
  assert.equal(
    run(sandbox, ['restart', '--config', config]).status,
    2,
    'nothing is ended for what could not be started',
  );
  assert.ok(isAlive(pid));
  assert.equal(run(sandbox, ['stop', '--config', config]).status, 0);
  assert.ok(!isAlive(pid));
  if (process.geteuid?.() !== 0) return;
  spawnSync('chmod', ['755', sandbox.directory]);
  spawnSync('install', ['-d', '-o', 'nobody', sandbox.path('out')]);
  sandbox.write(
    'watchdog.toml',
    `run-as = "nobody"\nlog = "out/log"\nown-pid-file = "out/pid"\n${targetTable(sandbox, 'web')}`,
  );
  const started = run(sandbox, ['start', '--config', config]);
  assert.equal(started.status, 0, started.output);
  const second = Number(sandbox.read('out/pid'));
  sandbox.undo(() => signal(second, 'SIGKILL'));
  assert.match(run(sandbox, ['start', '--config', config]).output, /already at work, pid \d+/);
  assert.match(run(sandbox, ['status', '--config', config]).output, /user nobody/);
  assert.equal(run(sandbox, ['stop', '--config', config]).status, 0);
});

test('a System V script by the LSB: start, stop, restart, reload, status and their codes', async (t) => {
  const sandbox = makeSandbox(t);
  const CONFIG = configFor(sandbox);
  const script = (action: string, changes: Readonly<Record<string, string>> = {}) =>
    spawnSync(INIT, [action], { env: { PATH: process.env.PATH, WATCHDOG, CONFIG, ...changes }, encoding: 'utf8' })
      .status;
  assert.deepEqual(
    ['status', 'stop', 'try-restart', 'reload'].map((action) => script(action)),
    [3, 0, 0, 7],
  );
  assert.deepEqual(
    ['start', 'start', 'status'].map((action) => script(action)),
    [0, 0, 0],
  );
  const first = daemonOf(sandbox);
  assert.deepEqual(
    ['reload', 'restart', 'try-restart', 'force-reload', 'status'].map((action) => script(action)),
    [0, 0, 0, 0, 0],
  );
  assert.notEqual(daemonOf(sandbox), first);
  assert.deepEqual(
    ['stop', 'stop', 'status'].map((action) => script(action)),
    [0, 0, 3],
  );
  assert.equal(script('nonsense'), 2);
  assert.equal(script('start', { WATCHDOG: '/nonexistent' }), 5);
  assert.equal(script('start', { CONFIG: '/nonexistent' }), 6);
});

test('a service manager is told when the watch has begun, that it lives, and when it ends; its variables go no further', async (t) => {
  const sandbox = makeSandbox(t);
  const ear = sandbox.start(compile(sandbox, 'datagrams'), [sandbox.path('notify')]);
  await waitUntil('it listens', () => existsSync(sandbox.path('notify')));
  const env = { ...process.env, NOTIFY_SOCKET: sandbox.path('notify'), WATCHDOG_USEC: '600000' };
  const recover = `env > ${sandbox.path('env')}; exec bash -c "exec -a ${sandbox.marker} sleep 1000"`;
  const args = ['--pattern', `^${sandbox.marker} 1000`, '--recover', recover, '--settle', '300ms', '--control', 'off'];
  const watchdog = sandbox.watchdog(args, { env });
  await logged(sandbox, 'recovered: ');
  const children = () =>
    readFileSync(`/proc/${watchdog.pid}/task/${watchdog.pid}/children`, 'latin1').trim().split(' ');
  const alive = () => ear.output().match(/^WATCHDOG=1$/gm)?.length ?? 0;
  await waitUntil('only what it has started is left', () => children().length === 1);
  const before = alive();
  await waitUntil('it says that it lives', () => alive() >= before + 3);
  // Where it takes its time to begin, it lives before that.
  assert.equal(ear.output().match(/^READY=1$/gm)?.length, 1);
  assert.equal(children().length, 1, 'and no brain is awake for it');
  assert.doesNotMatch(sandbox.read('env'), /NOTIFY_SOCKET|WATCHDOG_USEC/);
  signal(watchdog.pid, 'SIGTERM');
  await watchdog.ended;
  await waitUntil('it says that it ends', () => ear.output().endsWith('STOPPING=1\n'));
});

test('in the background without a sentinel, too', async (t) => {
  const sandbox = makeSandbox(t);
  const config = configFor(sandbox, 'resident = true\n');
  assert.equal(run(sandbox, ['start', '--config', config]).status, 0);
  const pid = daemonOf(sandbox);
  await waitUntil('the streams are given up', () =>
    [0, 1, 2].every((descriptor) => readlinkSync(`/proc/${pid}/fd/${descriptor}`) === '/dev/null'),
  );
  assert.equal(run(sandbox, ['stop', '--config', config]).status, 0);
  assert.ok(!isAlive(pid));
});
