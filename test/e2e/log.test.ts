/** The manual, "The log". */
import assert from 'node:assert/strict';
import {
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { test } from 'node:test';
import { isAlive, readProcess, signal } from '../support/processes.ts';
import {
  AS_NOBODY,
  brainOf,
  logged,
  makeSandbox,
  QUICK,
  type Running,
  runWatchdog,
  type Sandbox,
  WATCHDOG,
  withoutTimes,
} from '../support/sandbox.ts';
import { waitUntil } from '../support/wait-until.ts';

const LINE = /^\[\d{4}-\d\d-\d\d_\d\d:\d\d:\d\d\] \S.*$/;

function watchTarget(sandbox: Sandbox, ...more: string[]): Running {
  return sandbox.watchdog(['--pattern', `^${sandbox.marker}`, '--recover', sandbox.recover, ...QUICK, ...more]);
}

/** Ends the target, so that the watchdog has something to tell; waits until it is up again. */
async function killTarget(sandbox: Sandbox): Promise<void> {
  const pid = await waitUntil('the target is up', () => sandbox.targets()[0]);
  signal(pid, 'SIGKILL');
  await waitUntil('another is up', () => sandbox.targets().find((other) => other !== pid));
}

test('it tells the whole story, a line each, in a file of mode 0640', async (t) => {
  const sandbox = makeSandbox(t);
  const watchdog = sandbox.start('sh', [
    '-c',
    `umask 022; exec ${WATCHDOG} -p ^${sandbox.marker} -r '${sandbox.recover.replace('exec bash', 'echo hello; exec bash')}' -l ${sandbox.path('log')} ${QUICK.join(' ')}`,
  ]);
  await logged(sandbox, 'recovered: ');
  await killTarget(sandbox);
  await logged(sandbox, 'recovered: ', 2);
  signal(watchdog.pid, 'SIGTERM');
  await watchdog.ended;
  assert.equal(statSync(sandbox.path('log')).mode & 0o7777, 0o640);
  const lines = withoutTimes(sandbox.read('log')).map((line) =>
    line.replaceAll(sandbox.marker, 'T').replace(/\d+/g, 'N'),
  );
  const shape = lines.map((line) =>
    line.replace(/^\^T /, '').replace(/(started|gone|recovered|stopped|watching): .*/, '$1'),
  );
  const recovery = shape.find((line) => line.startsWith('echo')) ?? '';
  assert.deepEqual(shape, [
    'started',
    'watching',
    recovery,
    'hello',
    'recovered',
    'gone',
    recovery,
    'hello',
    'recovered',
    'stopped',
  ]);
  for (const line of sandbox
    .read('log')
    .split('\n')
    .filter((one) => one !== 'hello' && one !== ''))
    assert.match(line, LINE);
});

test('JSON lines tell the same', async (t) => {
  const sandbox = makeSandbox(t);
  watchTarget(sandbox, '--log-format', 'json', '--name', 'web');
  await logged(sandbox, '"event":"recovered"');
  const events = sandbox
    .read('log')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    events.map((one) => one.event),
    ['started', 'watching', 'recovering', 'recovered'],
  );
  for (const one of events) {
    assert.equal(one.target, 'web');
    assert.match(String(one.time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d$/);
    assert.equal(typeof one.message, 'string');
  }
});

const ROTATIONS: readonly [name: string, rotate: (path: string) => void][] = [
  ['renamed', (path) => renameSync(path, `${path}.1`)],
  ['removed', (path) => rmSync(path)],
  [
    'replaced',
    (path) => {
      renameSync(path, `${path}.1`);
      writeFileSync(path, '');
    },
  ],
  ['copied and truncated', (path) => truncateSync(path, 0)],
];
for (const [name, rotate] of ROTATIONS) {
  test(`a log that was ${name} is found again`, async (t) => {
    const sandbox = makeSandbox(t);
    watchTarget(sandbox);
    await logged(sandbox, 'recovered: ');
    rotate(sandbox.path('log'));
    await killTarget(sandbox);
    await logged(sandbox, 'recovered: ');
    assert.match(sandbox.read('log'), /^\[.*gone: /);
    assert.doesNotMatch(sandbox.read('log'), /\0/);
  });
}

test('SIGHUP reopens it and ends nothing', async (t) => {
  const sandbox = makeSandbox(t);
  const watchdog = watchTarget(sandbox);
  await logged(sandbox, 'recovered: ');
  for (const round of ['1', '2']) {
    renameSync(sandbox.path('log'), sandbox.path(`log.${round}`));
    signal(watchdog.pid, 'SIGHUP');
    await waitUntil('there is a log again', () => statLog(sandbox));
  }
  assert.ok(isAlive(watchdog.pid));
});

function statLog(sandbox: Sandbox): boolean {
  try {
    return statSync(sandbox.path('log')).isFile();
  } catch {
    // Not there yet.
    return false;
  }
}

test('on a full disk it goes on watching, and writes later what it could not', async (t) => {
  const sandbox = makeSandbox(t);
  mkdirSync(sandbox.path('disk'));
  await sandbox.start('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'none', sandbox.path('disk')]).ended;
  sandbox.undo(() => sandbox.start('umount', ['-l', sandbox.path('disk')], { cwd: '/' }).ended);
  const log = sandbox.path('disk/log');
  const watchdog = sandbox.start(WATCHDOG, [
    '--pattern',
    `^${sandbox.marker}`,
    '--recover',
    sandbox.recover,
    ...QUICK,
    '--log',
    log,
  ]);
  await waitUntil('it is up', () => sandbox.read('disk/log').includes('recovered: '));
  const before = sandbox.read('disk/log').length;
  // All but a few bytes of the last block, so that the next line is torn.
  fill(sandbox.path('disk/filler'));
  truncateTo(log, 4096 - 6);
  await killTarget(sandbox);
  await waitUntil('it has complained', () => watchdog.output().includes('cannot be written: no space left on device'));
  assert.equal(sandbox.recoveries(), 2, 'and recovered all the same');
  rmSync(sandbox.path('disk/filler'));
  await waitUntil('the rest is written', () => sandbox.read('disk/log').match(/recovered: /g)?.length === 2);
  const lines = sandbox
    .read('disk/log')
    .slice(before)
    .split('\n')
    .filter((line) => line !== '' && !/^\.*$/.test(line));
  for (const line of lines.slice(1)) assert.ok(LINE.test(line) || '[2026'.startsWith(line.slice(0, 5)), line);
  for (const what of ['gone: ', 'echo start', 'recovered: ']) {
    assert.equal(lines.filter((line) => LINE.test(line) && line.includes(what)).length, 1, what);
  }
});

function fill(path: string): void {
  const descriptor = openSync(path, 'w');
  try {
    for (;;) writeSync(descriptor, Buffer.alloc(4096));
  } catch {
    // The disk is full: that was wanted.
  } finally {
    closeSync(descriptor);
  }
}

/** Makes a file so long, with lines of dots. */
function truncateTo(path: string, size: number): void {
  const descriptor = openSync(path, 'a');
  const left = size - statSync(path).size;
  writeSync(descriptor, `${'.'.repeat(left - 1)}\n`);
  closeSync(descriptor);
}

test('what could not be kept is counted, and told', async (t) => {
  const sandbox = makeSandbox(t);
  const flapping = ['--confirm', '0', '--start-grace', '0', '--backoff', '1ms..1ms', '--interval', '50ms'];
  const long = `echo start >> ${sandbox.path('ev')}; : ${'x'.repeat(2_000)}; false`;
  mkdirSync(sandbox.path('disk'));
  const log = sandbox.path('disk/log');
  const watchdog = sandbox.start(WATCHDOG, [
    '--pattern',
    `^${sandbox.marker}`,
    '--recover',
    long,
    ...flapping,
    '--log',
    log,
  ]);
  await waitUntil('it writes', () => sandbox.read('disk/log').includes('watching'));
  rmSync(sandbox.path('disk'), { recursive: true });
  await waitUntil('it has complained', () => watchdog.output().includes('cannot be written'));
  const before = sandbox.recoveries();
  // Each is told in a line of 2 kB, of which 256 KiB are kept.
  await waitUntil('more than is kept was said', () => sandbox.recoveries() > before + 140, 40_000);
  mkdirSync(sandbox.path('disk'));
  await waitUntil('it writes again', () =>
    /lost \d+ lines \(\d+ bytes\) that could not be written/.test(sandbox.read('disk/log')),
  );
  for (const line of sandbox.read('disk/log').trim().split('\n')) assert.match(line, LINE);
});

test('a read-only disk and a missing directory hinder nothing either', async (t) => {
  const sandbox = makeSandbox(t);
  const script = `mkdir ro; mount -t tmpfs -o size=1m none ro; mount -o remount,bind,ro ro 2>/dev/null || mount -o remount,ro ro
    exec ${WATCHDOG} --pattern ^${sandbox.marker} --recover '${sandbox.recover}' --log ro/log ${QUICK.join(' ')}`;
  const watchdog = sandbox.start('unshare', ['-m', '--propagation', 'private', 'bash', '-c', script]);
  await waitUntil('it is recovered', () => sandbox.recoveries() === 1);
  await waitUntil('it has complained', () => watchdog.output().includes('read-only file system'));
});

test('a recovery’s output without a newline at its end does not swallow a line', async (t) => {
  const sandbox = makeSandbox(t);
  sandbox.watchdog(['--pattern', `^${sandbox.marker}`, '--recover', 'printf progress; exit 1', ...QUICK]);
  await logged(sandbox, 'recovery failed');
  assert.match(sandbox.read('log'), /\nprogress\n\[.*recovery failed/);
});

test('nobody can forge a line', async (t) => {
  const sandbox = makeSandbox(t);
  const forged = `exec -a $'${sandbox.marker}\\n[2026-11-21_12:00:00] FORGED\\e[2J\\xff' sleep 1000`;
  const forger = sandbox.start('bash', ['-c', forged]);
  await waitUntil('it runs', () => readProcess(forger.pid)?.line.startsWith(sandbox.marker));
  watchTarget(sandbox);
  await logged(sandbox, 'watching: up');
  const log = sandbox.read('log');
  assert.equal(log.trim().split('\n').length, 2);
  assert.match(log, /\\x0a\[2026-11-21_12:00:00\] FORGED\\x1b\[2J\\xff 1000"/);
});

test('a line is cut at 4096 characters, with a mark', async (t) => {
  const sandbox = makeSandbox(t);
  sandbox.watchdog(['--pattern', `^${sandbox.marker}|`.padEnd(4_096, 'x'), '--recover', 'true', '--once', ...QUICK]);
  await logged(sandbox, '[cut]', 3);
  for (const line of sandbox.read('log').trim().split('\n')) assert.ok(line.length <= 4096, String(line.length));
});

const PLACES: readonly [name: string, make: (sandbox: Sandbox) => string, says: RegExp][] = [
  ['a directory', (sandbox) => sandbox.directory, /--log: \S+ is a directory; name a file in it/],
  ['in a missing directory', (sandbox) => sandbox.path('no/log'), /--log: the directory \S+ does not exist; make it/],
  [
    'a symbolic link',
    (sandbox) => {
      symlinkSync(sandbox.path('victim'), sandbox.path('link'));
      return sandbox.path('link');
    },
    /--log: \S+ is a symbolic link, which is not followed/,
  ],
  ['a device', () => '/dev/zero', /--log: \/dev\/zero is no regular file/],
];
for (const [name, make, says] of PLACES) {
  test(`${name} is refused as a log`, async (t) => {
    const sandbox = makeSandbox(t);
    const { status, output } = await runWatchdog([
      '-p',
      sandbox.marker,
      '-r',
      `touch ${sandbox.path('ev')}`,
      '-l',
      make(sandbox),
    ]);
    assert.deepEqual([status, says.test(output), output.split('\n').length], [2, true, 2], output);
    assert.equal(sandbox.read('victim'), '');
  });
}

test('a FIFO is refused as a log, without waiting for a reader', async (t) => {
  const sandbox = makeSandbox(t);
  await sandbox.start('mkfifo', [sandbox.path('fifo')]).ended;
  assert.equal((await runWatchdog(['-p', sandbox.marker, '-r', 'true', '-l', sandbox.path('fifo')])).status, 2);
});

test('a log that this user may not write: exit code 77', async (t) => {
  const sandbox = makeSandbox(t);
  const asNobody = sandbox.start(
    'setpriv',
    [...AS_NOBODY, WATCHDOG, '-p', sandbox.marker, '-r', 'true', '-l', '/var/log/watchdog-test.log'],
    { cwd: '/' },
  );
  assert.equal((await asNobody.ended).status, 77);
  assert.match(asNobody.output(), /may not be written by this user; name a file that may be by --log/);
});

test('the default place of a user who is not root', async (t) => {
  const sandbox = makeSandbox(t);
  mkdirSync(sandbox.path('state'));
  await sandbox.start('chown', ['-R', 'nobody', sandbox.directory]).ended;
  await sandbox.start('chmod', ['755', sandbox.directory]).ended;
  const env = { PATH: process.env.PATH, XDG_STATE_HOME: sandbox.path('state') };
  const once = sandbox.start(
    'setpriv',
    [...AS_NOBODY, WATCHDOG, '--once', '-p', `^${sandbox.marker}`, '-r', 'false', ...QUICK],
    { env, cwd: '/' },
  );
  assert.equal((await once.ended).status, 1, once.output());
  assert.match(sandbox.read('state/watchdog/watchdog.log'), /recovery failed/);
  assert.equal(statSync(sandbox.path('state/watchdog')).mode & 0o777, 0o700);
});

test('--log - writes to standard output, and so does the recovery', async (t) => {
  const sandbox = makeSandbox(t);
  const watchdog = sandbox.start(WATCHDOG, [
    '--log',
    '-',
    '--pattern',
    `^${sandbox.marker}`,
    '--recover',
    `echo hello; ${sandbox.recover}`,
    ...QUICK,
  ]);
  await waitUntil('it is recovered', () => watchdog.output().includes('recovered: '));
  assert.match(watchdog.output(), /\nhello\n/);
});

test('several writers of one log never mix their lines', async (t) => {
  const sandbox = makeSandbox(t);
  const fast = ['--dry-run', '--interval', '50ms', '--backoff', '1ms..1ms', '--recover', `: ${'x'.repeat(3_000)}`];
  for (const name of ['a', 'b', 'c']) {
    sandbox.watchdog(['--pattern', `^${sandbox.marker}`, '--name', `${sandbox.marker}.${name}`, ...fast]);
  }
  await logged(sandbox, 'would recover', 500, 40_000);
  const lines = sandbox.read('log').split('\n').slice(0, -1);
  for (const line of lines) assert.match(line, /^\[[\d_:-]{19}\] \^tgt_\w+ (started|watching|would recover)[^[]*$/);
});

test('a limit of the size of files is a full disk', async (t) => {
  const sandbox = makeSandbox(t);
  const limited = [
    '--fsize=1500:unlimited',
    WATCHDOG,
    '--log',
    sandbox.path('log'),
    '--pattern',
    `^${sandbox.marker}`,
    '--recover',
    'true; false',
    ...QUICK,
  ];
  const watchdog = sandbox.start('prlimit', limited);
  await waitUntil('it has complained', () => watchdog.output().includes('cannot be written: file too large'), 30_000);
  // Both, as a new brain gets what the sentinel has.
  for (const pid of [watchdog.pid, await brainOf(watchdog)])
    await sandbox.start('prlimit', ['--pid', String(pid), '--fsize=unlimited:unlimited']).ended;
  await logged(sandbox, 'next try in', 8, 30_000);
  for (const line of sandbox.read('log').trim().split('\n')) assert.match(line, /^\[/);
});
