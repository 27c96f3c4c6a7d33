/** The manual, "Signals, terminals and a second watchdog". */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { compile } from '../support/compile.ts';
import { isAlive, processesWith, readProcess, signal } from '../support/processes.ts';
import {
  AS_NOBODY,
  logged,
  makeSandbox,
  QUICK,
  runWatchdog,
  type Sandbox,
  WATCHDOG,
  withoutTimes,
} from '../support/sandbox.ts';
import { waitUntil } from '../support/wait-until.ts';

const DIST_CJS = WATCHDOG.replace(/watchdog$/, 'watchdog.cjs');

function args(sandbox: Sandbox): string[] {
  return ['--pattern', `^${sandbox.marker}`, '--recover', sandbox.recover, ...QUICK];
}

test('a second one ends with 4 and names the first; after KILL nothing is in the way', async (t) => {
  const sandbox = makeSandbox(t);
  const first = sandbox.watchdog(args(sandbox));
  await logged(sandbox, 'recovered: ');
  const second = sandbox.watchdog(args(sandbox));
  assert.equal((await second.ended).status, 4);
  assert.equal(
    second.output(),
    `watchdog: another watchdog (pid ${first.pid}) already watches "^${sandbox.marker}"; end it, or give this one another --name\n`,
  );
  const quiet = sandbox.watchdog([...args(sandbox), '--quiet']);
  assert.deepEqual([(await quiet.ended).status, quiet.output()], [4, '']);
  const named = sandbox.watchdog([...args(sandbox), '--name', sandbox.marker]);
  await logged(sandbox, 'watching: up');
  signal(named.pid, 'SIGTERM');
  assert.equal((await named.ended).status, 0);
  signal(first.pid, 'SIGKILL');
  await first.ended;
  const third = sandbox.watchdog(args(sandbox));
  await logged(sandbox, 'watching: up', 2);
  assert.ok(isAlive(third.pid));
  assert.equal(sandbox.recoveries(), 1);
});

test('of many that start in the same moment, one watches', async (t) => {
  const sandbox = makeSandbox(t);
  const all = Array.from({ length: 12 }, () => sandbox.watchdog(args(sandbox)));
  const losers = await waitUntil('all but one have ended', async () => {
    const ended = all.filter((one) => one.child.exitCode !== null);
    return ended.length === all.length - 1 ? ended : null;
  });
  for (const one of losers) assert.equal(one.child.exitCode, 4);
  await logged(sandbox, 'recovered: ');
  assert.equal(sandbox.recoveries(), 1);
});

test('another user’s watchdog is another watchdog', async (t) => {
  const sandbox = makeSandbox(t);
  sandbox.watchdog(args(sandbox));
  await logged(sandbox, 'recovered: ');
  const theirs = sandbox.start('setpriv', [...AS_NOBODY, WATCHDOG, '--once', ...args(sandbox), '--log', '-'], {
    cwd: '/',
  });
  assert.equal((await theirs.ended).status, 0);
});

for (const name of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
  test(`${name} ends it within a second, with a last line`, async (t) => {
    const sandbox = makeSandbox(t);
    const watchdog = sandbox.watchdog(args(sandbox));
    await logged(sandbox, 'recovered: ');
    const startedAtMs = performance.now();
    signal(watchdog.pid, name);
    assert.deepEqual(await watchdog.ended, { status: 0, signal: null });
    assert.ok(performance.now() - startedAtMs < 1_000);
    assert.equal(withoutTimes(sandbox.read('log')).at(-1), `^${sandbox.marker} stopped: ${name}`);
  });
}

test('SIGTERM during a recovery ends it at once, and leaves the recovery to finish', async (t) => {
  const sandbox = makeSandbox(t);
  const slow = `echo start >> ${sandbox.path('ev')}; sleep 2; echo finished > ${sandbox.path('out')}`;
  const watchdog = sandbox.watchdog(['--pattern', `^${sandbox.marker}`, '--recover', slow, ...QUICK]);
  await waitUntil('the recovery runs', () => sandbox.recoveries() === 1);
  const startedAtMs = performance.now();
  signal(watchdog.pid, 'SIGTERM');
  assert.deepEqual(await watchdog.ended, { status: 0, signal: null });
  assert.ok(performance.now() - startedAtMs < 1_000);
  assert.match(
    withoutTimes(sandbox.read('log')).at(-1) ?? '',
    /stopped: SIGTERM; the recovery, pid \d+, is left to finish$/,
  );
  await waitUntil('it finished', () => sandbox.read('out') === 'finished\n');
  assert.equal(sandbox.recoveries(), 1);
});

test('SIGHUP, SIGUSR1 and SIGUSR2 do not end it; SIGUSR2 looks at once', async (t) => {
  const sandbox = makeSandbox(t);
  const watchdog = sandbox.watchdog(args(sandbox));
  await logged(sandbox, 'recovered: ');
  for (const name of ['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGPIPE'] as const) signal(watchdog.pid, name);
  const [pid = 0] = sandbox.targets();
  signal(pid, 'SIGKILL');
  await logged(sandbox, 'recovered: ', 2);
  assert.ok(isAlive(watchdog.pid));
});

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const client = connect(port, '127.0.0.1');
    client.on('connect', () => {
      client.destroy();
      resolve(true);
    });
    client.on('error', () => resolve(false));
  });
}

for (const [name, program] of [
  ['the executable', [WATCHDOG]],
  ['the bundle', [process.execPath, DIST_CJS]],
] as const) {
  test(`SIGUSR1 opens no debugger in ${name}`, async (t) => {
    const sandbox = makeSandbox(t);
    const watchdog = sandbox.start(program[0] ?? '', [
      ...program.slice(1),
      ...args(sandbox),
      '--log',
      sandbox.path('log'),
    ]);
    await logged(sandbox, 'recovered: ');
    signal(watchdog.pid, 'SIGUSR1');
    signal(sandbox.targets()[0] ?? 0, 'SIGKILL');
    await logged(sandbox, 'recovered: ', 2);
    const threads = readFileSync(`/proc/${watchdog.pid}/status`, 'utf8');
    assert.doesNotMatch(watchdog.output(), /Debugger/);
    assert.equal(await canConnect(9229), false, threads);
  });
}

test('NODE_OPTIONS does not reach us', async () => {
  const env = { ...process.env, NODE_OPTIONS: '--require=/nonexistent --inspect' };
  const { status, output } = await runWatchdog(['--version'], { env });
  assert.equal(status, 0);
  assert.match(output, /^watchdog \d+\.\d+\.\d+ \(Node v24\.\d+\.\d+\)\n$/);
});

test('nobody who reads along can end it: | head -1, a closed output', async (t) => {
  const sandbox = makeSandbox(t);
  const call = [
    WATCHDOG,
    '--log',
    '-',
    '--pattern',
    `^${sandbox.marker}`,
    '--recover',
    `'${sandbox.recover}'`,
    ...QUICK,
  ].join(' ');
  sandbox.start('bash', ['-c', `${call} | head -1 > ${sandbox.path('head')}`]);
  await waitUntil('one line was read', () => sandbox.read('head').includes('started: '));
  await waitUntil('the target is up', () => sandbox.targets().length === 1);
  const [first = 0] = sandbox.targets();
  signal(first, 'SIGKILL');
  const second = await waitUntil('it is recovered', () => sandbox.targets().find((pid) => pid !== first));
  assert.ok(isAlive(second));
});

test('a reader that stalls neither stops it nor fills its memory', async (t) => {
  const sandbox = makeSandbox(t);
  await sandbox.start('mkfifo', [sandbox.path('fifo')]).ended;
  const call = [
    WATCHDOG,
    '--log',
    '-',
    '--pattern',
    `^${sandbox.marker}`,
    '--recover',
    `'echo start >> ${sandbox.path('ev')}; : ${'x'.repeat(3_000)}'`,
  ];
  const fast = '--interval 50ms --confirm 0 --start-grace 0 --backoff 1ms..1ms';
  sandbox.start('bash', ['-c', `sleep 1000 < fifo & exec ${call.join(' ')} ${fast} > fifo`]);
  await waitUntil('far more was said than the pipe holds', () => sandbox.recoveries() > 100, 40_000);
  const watchdog = await waitUntil('it lives', () =>
    processesWith('watchdog: watching').find((one) => readCwd(one.pid) === sandbox.directory),
  );
  const peakKb = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${watchdog.pid}/status`, 'utf8'))?.[1]);
  assert.ok(peakKb < 120_000, `${peakKb} kB`);
});

function readCwd(pid: number): string {
  return (
    readFileSync(`/proc/${pid}/environ`, 'latin1')
      .split('\0')
      .find((one) => one.startsWith('PWD='))
      ?.slice(4) ?? ''
  );
}

test('on a terminal it shows its lines, and a terminal that is stopped does not stop it', async (t) => {
  const sandbox = makeSandbox(t);
  const terminal = sandbox.start(compile(sandbox, 'terminal'), [
    WATCHDOG,
    ...args(sandbox),
    '--log',
    sandbox.path('log'),
  ]);
  await waitUntil('it shows what it does', () => terminal.output().includes('watching: '));
  await logged(sandbox, 'recovered: ');
  // The terminal reads no more from here on, as after Ctrl-S.
  signal(terminal.pid, 'SIGUSR1');
  await waitUntil('the terminal is stopped', () => terminal.output().includes('stopped\n'));
  for (let time = 2; time <= 4; time += 1) {
    signal(sandbox.targets()[0] ?? 0, 'SIGKILL');
    await logged(sandbox, 'recovered: ', time);
  }
  assert.equal(terminal.output().match(/gone: /g), null);
  // The terminal goes away: SIGHUP.
  signal(terminal.pid, 'SIGKILL');
  await terminal.ended;
  signal(sandbox.targets()[0] ?? 0, 'SIGKILL');
  await logged(sandbox, 'recovered: ', 5);
});

test('--quiet shows nothing on the terminal', async (t) => {
  const sandbox = makeSandbox(t);
  const terminal = sandbox.start(compile(sandbox, 'terminal'), [
    WATCHDOG,
    ...args(sandbox),
    '--quiet',
    '--log',
    sandbox.path('log'),
  ]);
  await logged(sandbox, 'recovered: ');
  assert.equal(terminal.output(), '');
});

test('Ctrl-C on the terminal ends the watch and spares the target', async (t) => {
  const sandbox = makeSandbox(t);
  const terminal = sandbox.start(compile(sandbox, 'terminal'), [
    WATCHDOG,
    ...args(sandbox),
    '--log',
    sandbox.path('log'),
  ]);
  await logged(sandbox, 'recovered: ');
  signal(terminal.pid, 'SIGUSR2');
  await logged(sandbox, 'stopped: SIGINT');
  assert.equal(sandbox.targets().length, 1);
});

test('a stopped and continued watchdog looks once and starts nothing that is not needed', async (t) => {
  const sandbox = makeSandbox(t);
  const watchdog = sandbox.watchdog(args(sandbox));
  await logged(sandbox, 'recovered: ');
  signal(watchdog.pid, 'SIGSTOP');
  await waitUntil('it is stopped', () => readProcess(watchdog.pid)?.state === 'T');
  const [first = 0] = sandbox.targets();
  signal(first, 'SIGKILL');
  await waitUntil('the target has ended', () => !isAlive(first));
  await sandbox.startTarget();
  const startedAtMs = performance.now();
  await waitUntil('all limits have passed', () => performance.now() - startedAtMs > 2_500);
  signal(watchdog.pid, 'SIGCONT');
  await logged(sandbox, /(back|up all the same|replaced): /);
  assert.equal(sandbox.recoveries(), 1);
});
