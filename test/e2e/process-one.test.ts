/** As process 1 of a container: what tini does, beside tini itself, row by row. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { compile } from '../support/compile.ts';
import { allProcesses, readProcess, signal } from '../support/processes.ts';
import { IN_NAMESPACES, makeSandbox, type Running, type Sandbox, WATCHDOG } from '../support/sandbox.ts';
import { waitUntil } from '../support/wait-until.ts';

const INITS = ['tini', 'watchdog'] as const;
type Init = (typeof INITS)[number];

let runs = 0;

/** Starts a program under an init that is process 1 of a namespace of its own. */
function start(sandbox: Sandbox, init: Init, options: readonly string[], program: readonly string[]): Running {
  runs += 1;
  const own = ['--log', sandbox.path(`log${runs}`), '--control', 'off', '--autorestart', 'false'];
  const words = init === 'tini' ? ['tini', ...options] : [WATCHDOG, ...own, ...options];
  return sandbox.start('unshare', [...IN_NAMESPACES, ...words, '--', ...program]);
}

async function statusOf(running: Running): Promise<number | null> {
  return (await running.ended).status;
}

/** Process 1 of that namespace, by its number here. */
function findInit(running: Running): Promise<number> {
  return waitUntil('process 1 is there', () => allProcesses().find((one) => one.ppid === running.pid)?.pid);
}

async function inParallel<T>(items: readonly T[], count: number, work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: count }, worker));
}

for (const init of INITS) {
  test(`${init}: all 256 exit codes are passed on`, async (t) => {
    const sandbox = makeSandbox(t);
    const codes = Array.from({ length: 256 }, (_, code) => code);
    await inParallel(codes, 4, async (code) => {
      assert.equal(await statusOf(start(sandbox, init, [], ['sh', '-c', `exit ${code}`])), code);
    });
  });

  test(`${init}: the end by a signal is 128 and its number`, async (t) => {
    const sandbox = makeSandbox(t);
    await inParallel([1, 2, 3, 6, 9, 11, 13, 14, 15], 3, async (number) => {
      assert.equal(await statusOf(start(sandbox, init, [], ['sh', '-c', `kill -${number} $$`])), 128 + number);
    });
  });

  test(`${init}: what cannot be run is 127, and 126 if it is there`, async (t) => {
    const sandbox = makeSandbox(t);
    assert.equal(await statusOf(start(sandbox, init, [], ['no-such-program-here'])), 127);
    assert.equal(await statusOf(start(sandbox, init, [], ['/etc/passwd'])), 126);
  });

  for (const name of ['HUP', 'INT', 'QUIT', 'USR1', 'USR2', 'TERM', 'WINCH', 'CONT', 'ALRM', 'URG', 'IO'] as const) {
    test(`${init}: SIG${name} reaches the program`, async (t) => {
      const sandbox = makeSandbox(t);
      const script = `trap 'echo got ${name}; exit 9' ${name}; echo ready; while :; do sleep 0.05; done`;
      const running = start(sandbox, init, [], ['bash', '-c', script]);
      await waitUntil('it is ready', () => running.output().includes('ready'));
      signal(await findInit(running), `SIG${name}`);
      assert.equal(await statusOf(running), 9);
      assert.match(running.output(), new RegExp(`got ${name}`));
    });
  }

  test(`${init}: orphans are reaped, whoever left them`, async (t) => {
    const sandbox = makeSandbox(t);
    const script = `for i in 1 2 3 4 5 6 7 8; do (setsid sh -c 'sleep 0.1 & exit 0' &); done; sleep 0.6; cat /proc/[0-9]*/stat | grep -c ') Z'; exit 4`;
    const running = start(sandbox, init, [], ['bash', '-c', script]);
    assert.equal(await statusOf(running), 4);
    assert.equal(running.output().trim(), '0');
  });

  test(`${init}: the program has the standard input`, async (t) => {
    const sandbox = makeSandbox(t);
    const inner = init === 'tini' ? 'tini' : `${WATCHDOG} --log ${sandbox.path('log')} --control off`;
    const running = sandbox.start('bash', ['-c', `echo hello | unshare ${IN_NAMESPACES.join(' ')} ${inner} -- cat`]);
    assert.equal(await statusOf(running), 0);
    assert.equal(running.output(), 'hello\n');
  });
}

/** To the whole group tini sends with `-g`; we always do. */
for (const init of INITS) {
  test(`${init}: a signal reaches the whole group`, async (t) => {
    const sandbox = makeSandbox(t);
    const script = `(trap 'echo child; exit 0' USR1; while :; do sleep 0.05; done) & trap 'wait; echo parent; exit 5' USR1; echo ready; while :; do sleep 0.05; done`;
    const running = start(sandbox, init, init === 'tini' ? ['-g'] : [], ['bash', '-c', script]);
    await waitUntil('it is ready', () => running.output().includes('ready'));
    signal(await findInit(running), 'SIGUSR1');
    assert.equal(await statusOf(running), 5);
    // Between them bash may tell of its sleep, which belongs to the group as well.
    assert.match(running.output(), /child\n[\s\S]*parent\n/);
  });
}

test('a signal can be rewritten, and TERM ends by another one', async (t) => {
  const sandbox = makeSandbox(t);
  const script = `trap 'echo quit; exit 3' QUIT; trap 'echo usr2' USR2; trap 'echo wrong' TERM HUP; echo ready; while :; do sleep 0.05; done`;
  const options = ['--rewrite-signal', 'TERM=QUIT', '--rewrite-signal', 'HUP=USR2'];
  const running = start(sandbox, 'watchdog', options, ['bash', '-c', script]);
  await waitUntil('it is ready', () => running.output().includes('ready'));
  const one = await findInit(running);
  signal(one, 'SIGHUP');
  await waitUntil('HUP has become USR2', () => running.output().includes('usr2'));
  signal(one, 'SIGTERM');
  assert.equal(await statusOf(running), 3);
  assert.ok(!running.output().includes('wrong'));
});

test('a program that heeds no TERM is killed in time', async (t) => {
  const sandbox = makeSandbox(t);
  const script = `trap '' TERM; echo ready; while :; do sleep 0.05; done`;
  const running = start(sandbox, 'watchdog', ['--stop-timeout', '500ms'], ['bash', '-c', script]);
  await waitUntil('it is ready', () => running.output().includes('ready'));
  signal(await findInit(running), 'SIGTERM');
  assert.equal(await statusOf(running), 137);
});

test('what failed is started again, and after so many failures the container ends', async (t) => {
  const sandbox = makeSandbox(t);
  const options = [
    '--log',
    sandbox.path('log'),
    '--control',
    'off',
    '--exit-on-failure',
    '3',
    '--backoff',
    '50ms..100ms',
  ];
  const running = sandbox.start('unshare', [
    ...IN_NAMESPACES,
    WATCHDOG,
    ...options,
    '--',
    'sh',
    '-c',
    'echo run; exit 6',
  ]);
  assert.equal(await statusOf(running), 6);
  assert.equal(running.output(), 'run\nrun\nrun\n');
});

test('what has failed after a good start is back at once, and its end in peace is the end', async (t) => {
  const sandbox = makeSandbox(t);
  const script = `echo run >> ${sandbox.path('ev')}; [ $(wc -l < ${sandbox.path('ev')}) = 1 ] && { sleep 0.3; exit 1; }; exit 0`;
  const running = sandbox.start('unshare', [
    ...IN_NAMESPACES,
    ...[WATCHDOG, '--log', sandbox.path('log'), '--control', 'off', '--settle', '100ms', '--', 'sh', '-c', script],
  ]);
  assert.equal(await statusOf(running), 0);
  assert.equal(sandbox.recoveries(), 2);
});

test('beside a shell it is what nohup is: it goes on without a terminal, and takes its exit code along', async (t) => {
  const sandbox = makeSandbox(t);
  const own = ['--log', sandbox.path('log'), '--control', 'off', '--autorestart', 'false'];
  const running = sandbox.start(WATCHDOG, [
    ...own,
    '--',
    'sh',
    '-c',
    `exec bash -c 'exec -a ${sandbox.marker} sleep 1000'`,
  ]);
  const [pid = 0] = await waitUntil('it runs', () => (sandbox.targets().length === 1 ? sandbox.targets() : null));
  assert.equal(readProcess(pid)?.ppid, running.pid);
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  assert.match(status, /SigBlk:\s+0+\n/);
  assert.match(status, /SigIgn:\s+0+\n/);
  signal(running.pid, 'SIGTERM');
  assert.equal((await running.ended).status, 143);
});

test('at a terminal the program has it: it reads, and Ctrl-C ends both', async (t) => {
  const sandbox = makeSandbox(t);
  const own = ['--log', sandbox.path('log'), '--control', 'off', '--quiet', '--autorestart', 'true'];
  const script = `echo ready; tty; exec -a ${sandbox.marker} sleep 1000`;
  const terminal = sandbox.start(compile(sandbox, 'terminal'), [WATCHDOG, ...own, '--', 'bash', '-c', script]);
  await waitUntil('it runs', () => terminal.output().includes('/dev/pts/') && sandbox.targets().length === 1);
  await waitUntil('it has lasted', () => sandbox.read('log').includes(', lasted'));
  signal(terminal.pid, 'SIGUSR2');
  await terminal.ended;
  assert.equal(sandbox.targets().length, 0);
  assert.match(
    sandbox.read('log'),
    /killed by SIGINT, not expected; not started again\n.*stopped: the program has ended/,
  );
});

test('resident, signals are handed on and the exit code is passed on alike', async (t) => {
  const sandbox = makeSandbox(t);
  const script = `: ${sandbox.marker}; trap 'echo usr2' USR2; trap 'echo term; exit 7' TERM; echo ready; while :; do sleep 0.05; done`;
  const running = sandbox.watchdog(['--resident', '--control', 'off', '--', 'bash', '-c', script]);
  await waitUntil('it is ready', () => running.output().includes('ready'));
  signal(running.pid, 'SIGUSR2');
  await waitUntil('it came', () => running.output().includes('usr2'));
  signal(running.pid, 'SIGTERM');
  assert.equal(await statusOf(running), 7);
  const other = sandbox.watchdog([
    '--resident',
    '--control',
    'off',
    '--autorestart',
    'false',
    '--',
    'sh',
    '-c',
    'kill -9 $$',
  ]);
  assert.equal(await statusOf(other), 137);
});
