/** The manual, "When it could not look": what can't be seen is never taken for gone. */
import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { test } from 'node:test';
import { AS_NOBODY, brainOf, logged, makeSandbox, QUICK, type Sandbox, WATCHDOG } from '../support/sandbox.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Runs a script in a mount namespace of its own, so that the machine's `/proc` stays as it is. */
function inMountNamespace(sandbox: Sandbox, script: string) {
  chmodSync(sandbox.directory, 0o777);
  return sandbox.start('unshare', ['-m', '--propagation', 'private', 'bash', '-c', `exec 2>&1; ${script}`]);
}

const BY_NOBODY = `setpriv ${AS_NOBODY.join(' ')}`;

function watch(sandbox: Sandbox, before = '', ...more: string[]): string {
  const args = [
    '--pattern',
    `^${sandbox.marker}`,
    '--recover',
    `'echo start >> ${sandbox.path('ev')}'`,
    '--log',
    sandbox.path('log'),
  ];
  return `timeout 3 ${before} ${WATCHDOG} ${args.join(' ')} --interval 200ms ${more.join(' ')}`;
}

const BLIND: readonly [name: string, mount: string, before: string, says: RegExp][] = [
  [
    'hidepid=2, as another user',
    'mount -t proc -o hidepid=2 proc /proc',
    BY_NOBODY,
    /\/proc hides other users' processes \(hidepid\)/,
  ],
  ['hidepid=1, as another user', 'mount -t proc -o hidepid=1 proc /proc', BY_NOBODY, /process \d+ cannot be read/],
  ['an empty /proc', 'mount -t tmpfs none /proc', '', /ps cannot be had|shows no processes/],
];
for (const [name, mount, before, says] of BLIND) {
  test(`${name}: could not look, and nothing is recovered`, async (t) => {
    const sandbox = makeSandbox(t);
    await sandbox.startTarget();
    const check = `${before} ${WATCHDOG} check --pattern ^${sandbox.marker}; echo "check: $?"`;
    const blind = inMountNamespace(sandbox, `${mount}; ${watch(sandbox, before)}; ${check}`);
    await blind.ended;
    assert.match(sandbox.read('log'), says);
    assert.equal(sandbox.read('log').match(/could not look/g)?.length, 1, `said once:\n${sandbox.read('log')}`);
    assert.match(blind.output(), /check: 3/);
    assert.equal(sandbox.recoveries(), 0);
  });
}

test('no /proc and no ps: could not look, and nothing is recovered', async (t) => {
  const sandbox = makeSandbox(t);
  const script = `mount -t tmpfs none /proc; ${watch(sandbox, 'env PATH=/nonexistent').replace('timeout', '/usr/bin/timeout').replace('env', '/usr/bin/env')}`;
  await inMountNamespace(sandbox, script).ended;
  assert.match(sandbox.read('log'), /could not look: the list of ps cannot be had: there is no ps/);
  assert.equal(sandbox.recoveries(), 0);
});

test('an empty /proc that is asked for by name', async (t) => {
  const sandbox = makeSandbox(t);
  await inMountNamespace(sandbox, `mount -t tmpfs none /proc; ${watch(sandbox, '', '--process-table proc')}`).ended;
  assert.match(sandbox.read('log'), /could not look: \/proc shows no processes; is it mounted\?/);
  assert.equal(sandbox.recoveries(), 0);
});

test('the /proc of another PID namespace', async (t) => {
  const sandbox = makeSandbox(t);
  const child = sandbox.start('unshare', ['-p', '-f', '--kill-child=KILL', 'bash', '-c', `${watch(sandbox)}; :`]);
  await child.ended;
  assert.match(sandbox.read('log'), /could not look: .*(another PID namespace|ps)/);
  assert.equal(sandbox.recoveries(), 0);
});

test('with hidepid, who asks only for his own processes can look', async (t) => {
  const sandbox = makeSandbox(t);
  const script = `mount -t proc -o hidepid=2 proc /proc
    ${BY_NOBODY} bash -c "exec -a ${sandbox.marker} sleep 1000" &
    until grep -q ^${sandbox.marker} /proc/$!/cmdline; do :; done
    ${BY_NOBODY} ${WATCHDOG} check --user nobody --pattern ^${sandbox.marker}; echo "check: $?"; kill $!`;
  const blind = inMountNamespace(sandbox, script);
  await blind.ended;
  assert.match(blind.output(), /up, pid \d+ "tgt.*\ncheck: 0/);
});

test('with hidepid, a pid-file that names a hidden process is no proof of its death', async (t) => {
  const sandbox = makeSandbox(t);
  sandbox.write('pid', `${await sandbox.startTarget()}\n`);
  const script = `mount -t proc -o hidepid=2 proc /proc; ${BY_NOBODY} ${WATCHDOG} check --pid-file ${sandbox.path('pid')}; echo "check: $?"`;
  const blind = inMountNamespace(sandbox, script);
  await blind.ended;
  assert.match(blind.output(), /could not look: .*hidepid.*\ncheck: 3/);
});

test('errors of the kernel while looking', async (t) => {
  for (const [call, error] of [
    ['getdents64', 'EIO'],
    ['getdents64', 'EMFILE'],
  ] as const) {
    const sandbox = makeSandbox(t);
    await sandbox.startTarget();
    const strace = [
      '-f',
      '-qq',
      '-o',
      '/dev/null',
      '-e',
      `trace=${call}`,
      '-e',
      `inject=${call}:error=${error}:when=1+`,
      '-P',
      '/proc',
    ];
    sandbox.start('strace', [
      ...strace,
      WATCHDOG,
      '--pattern',
      `^${sandbox.marker}`,
      '--recover',
      `echo >> ${sandbox.path('ev')}`,
      '--log',
      sandbox.path('log'),
      ...QUICK,
    ]);
    await logged(sandbox, new RegExp(`could not look: /proc cannot be listed: .*${error}`));
    assert.equal(sandbox.recoveries(), 0);
  }
});

test('too many open files while looking; when that is over, it goes on by itself', async (t) => {
  const sandbox = makeSandbox(t);
  const watchdog = sandbox.watchdog([
    '--pattern',
    `^${sandbox.marker}`,
    '--recover',
    sandbox.recover,
    '--interval',
    '200ms',
    '--start-delay',
    '1s',
    ...QUICK,
  ]);
  await logged(sandbox, 'waiting 1s');
  const brain = String(await brainOf(watchdog));
  await sandbox.start('prlimit', ['--pid', brain, '--nofile=3:4096']).ended;
  await logged(sandbox, /could not look: .*EMFILE/);
  assert.equal(sandbox.recoveries(), 0);
  await sandbox.start('prlimit', ['--pid', brain, '--nofile=4096:4096']).ended;
  await logged(sandbox, 'can look again');
  await logged(sandbox, 'recovered: ');
  await waitUntil('it is up', () => sandbox.targets().length === 1);
});
