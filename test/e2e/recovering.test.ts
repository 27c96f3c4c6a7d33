/** The manual, "The recovery": what it finds when it runs, and what becomes of it. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { test } from 'node:test';
import { allProcesses, isAlive, processesWith, readProcess, signal } from '../support/processes.ts';
import { logged, makeSandbox, QUICK, type Sandbox, WATCHDOG } from '../support/sandbox.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Lets a watchdog run one recovery that writes something down, and gives what it wrote. */
async function recoverOnce(
  sandbox: Sandbox,
  command: string,
  options: { env?: NodeJS.ProcessEnv; args?: string[]; before?: string[] } = {},
) {
  const { before = [], args = [], env = process.env } = options;
  const all = [
    ...before,
    WATCHDOG,
    '--once',
    '--pattern',
    `^${sandbox.marker}`,
    '--recover',
    command,
    '--log',
    sandbox.path('log'),
    ...QUICK,
    ...args,
  ];
  await sandbox.start(all[0] ?? '', all.slice(1), { env }).ended;
}

test('the system’s node runs, with our environment unchanged', async (t) => {
  const sandbox = makeSandbox(t);
  const script = sandbox.write(
    'x.js',
    `require('fs').appendFileSync(${JSON.stringify(sandbox.path('out'))}, JSON.stringify([process.execPath, process.env]) + '\\n')`,
  );
  const env = {
    PATH: process.env.PATH,
    HOME: '/root',
    ODD: 'a b\n"c"',
    NODE_OPTIONS: '--no-deprecation',
    WATCHDOG_QUIET: '1',
  };
  const forms = [`node ${script}`, `exec node ${script}`, `FOO=1 node ${script} & wait`];
  for (const form of forms) await recoverOnce(sandbox, form, { env });
  const direct = sandbox.start('/bin/sh', ['-c', `node ${script}`], { env: { ...env, WATCHDOG_QUIET: undefined } });
  await direct.ended;
  const runs = sandbox
    .read('out')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as [string, Record<string, string>]);
  const [expectedPath, expected] = runs.at(-1) ?? ['', {}];
  assert.equal(runs.length, 4);
  for (const [index, [path, seen]] of runs.slice(0, 3).entries()) {
    assert.equal(path, expectedPath, 'the node of the PATH');
    const { WATCHDOG_TARGET, WATCHDOG_CAUSE, WATCHDOG_ATTEMPT, WATCHDOG_BY, FOO, ...rest } = seen;
    assert.deepEqual([WATCHDOG_TARGET, WATCHDOG_CAUSE, WATCHDOG_ATTEMPT], [`^${sandbox.marker}`, 'missing', '1']);
    assert.match(WATCHDOG_BY ?? '', /^\d+$/);
    assert.equal(FOO, index === 2 ? '1' : undefined);
    assert.deepEqual({ ...rest, PWD: '', _: '', SHLVL: '' }, { ...expected, PWD: '', _: '', SHLVL: '' });
  }
});

test('--env and --cwd are what the recovery finds', async (t) => {
  const sandbox = makeSandbox(t);
  await recoverOnce(sandbox, `echo "$A|$B|$PWD" > ${sandbox.path('out')}`, {
    args: ['--env', 'A=x y', '--env', 'B==', '--cwd', '/usr'],
  });
  assert.equal(sandbox.read('out'), 'x y|=|/usr\n');
});

test('it has a session of its own, no input, its output in the log, and no other descriptor', async (t) => {
  const sandbox = makeSandbox(t);
  const command = `ls /proc/self/fd > ${sandbox.path('fds')}; cat; ps -o sid= -p $$ > ${sandbox.path('sid')}; echo $$ > ${sandbox.path('pid')}; echo said; echo complained >&2`;
  await recoverOnce(sandbox, command, { before: ['bash', '-c', 'exec 17</dev/null 40>/dev/null; exec "$@"', 'bash'] });
  // 3 is the directory that ls itself reads.
  assert.equal(sandbox.read('fds'), '0\n1\n2\n3\n');
  assert.equal(sandbox.read('sid').trim(), sandbox.read('pid').trim());
  assert.match(sandbox.read('log'), /\nsaid\ncomplained\n/);
});

test('umask, limits, niceness, and signals are the user’s', async (t) => {
  const sandbox = makeSandbox(t);
  const ask = `(umask; ulimit -a; nice; grep -E 'Sig(Blk|Ign|Cgt)' /proc/self/status)`;
  const before = ['bash', '-c', 'umask 027; ulimit -Sn 256; ulimit -Sc 0; "$@"; :', 'bash', 'nice', '-n', '3'];
  await recoverOnce(sandbox, `${ask} > ${sandbox.path('out')}`, { before });
  const expected = sandbox.start(before[0] ?? '', [
    ...before.slice(1),
    '/bin/sh',
    '-c',
    `${ask} > ${sandbox.path('expected')}`,
  ]);
  await expected.ended;
  assert.equal(sandbox.read('out'), sandbox.read('expected'));
  assert.match(sandbox.read('out'), /256/);
});

test('the command reaches the shell once and unchanged', async (t) => {
  const sandbox = makeSandbox(t);
  const odd = [`'`, `"`, '$HOME', ';', '%s', '-n', '\\n', '`', '*', 'é', '!', '#', '\t', '{a,b}', '~'];
  const script = sandbox.write('print.sh', 'printf "<%s>" "$@" >> "$OUT"', 0o755);
  const quoted = odd.map((text) => `'${text.replaceAll("'", `'\\''`)}'`).join(' ');
  await recoverOnce(sandbox, `sh ${script} ${quoted}`, { env: { ...process.env, OUT: sandbox.path('out') } });
  assert.equal(sandbox.read('out'), odd.map((text) => `<${text}>`).join(''));
});

test('what hides in the pattern never reaches a shell', async (t) => {
  const sandbox = makeSandbox(t);
  await sandbox.watchdog([
    '--once',
    '--pattern',
    `${sandbox.marker};touch ${sandbox.path('a')}|x $(touch ${sandbox.path('b')})`,
    '--recover',
    'true',
    ...QUICK,
  ]).ended;
  assert.ok(!existsSync(sandbox.path('a')) && !existsSync(sandbox.path('b')));
});

const TROUBLE: readonly [name: string, command: string, says: RegExp][] = [
  [
    'that is not found',
    'no-such-command-here',
    /exit status 127 \(command not found; PATH is \/usr\/bin:\/bin; use an absolute path or --env PATH=…\)/,
  ],
  [
    'that is not executable',
    '/etc/passwd',
    /exit status 126 \(found, but it may not be executed; PATH is \/usr\/bin:\/bin/,
  ],
  ['that fails', 'exit 7', /the command ended with exit status 7, and nothing matches after /],
  [
    'that succeeds without effect',
    'true',
    /the command ended with exit status 0, and nothing matches after 2(\.\d)?s; next try in/,
  ],
];
for (const [name, command, says] of TROUBLE) {
  test(`a recovery ${name}`, async (t) => {
    const sandbox = makeSandbox(t);
    await recoverOnce(sandbox, command, { env: { PATH: '/usr/bin:/bin' } });
    assert.match(sandbox.read('log'), says);
  });
}

test('under cron’s environment, without a terminal and with everything closed', async (t) => {
  const sandbox = makeSandbox(t);
  const call = `exec env -i HOME=/ PATH=/usr/bin:/bin SHELL=/bin/sh ${WATCHDOG} --once -p ^${sandbox.marker} -r no-such-command -l ${sandbox.path('log')} <&- >&- 2>&-`;
  assert.equal((await sandbox.start('sh', ['-c', call], { stdio: 'ignore' }).ended).status, 1);
  assert.match(sandbox.read('log'), /command not found; PATH is \/usr\/bin:\/bin/);
});

test('what it leaves behind may hold its output open: five kills, five recoveries', async (t) => {
  const sandbox = makeSandbox(t);
  const daemon = `echo start >> ${sandbox.path('ev')}; bash -c 'exec -a ${sandbox.marker} sleep 1000' & echo started`;
  sandbox.watchdog(['--pattern', `^${sandbox.marker}`, '--recover', daemon, ...QUICK]);
  for (let time = 1; time <= 6; time += 1) {
    await logged(sandbox, 'recovered: ', time);
    assert.equal(sandbox.recoveries(), time);
    const [pid = 0] = sandbox.targets();
    signal(pid, 'SIGKILL');
    await waitUntil('it has ended', () => !isAlive(pid));
  }
});

test('a flood of output neither stops it nor fills our memory', async (t) => {
  const sandbox = makeSandbox(t);
  await recoverOnce(sandbox, `yes | head -c 3000000; echo end > ${sandbox.path('out')}`);
  assert.equal(sandbox.read('out'), 'end\n');
});

test('a recovery that is the target itself is never stopped', async (t) => {
  const sandbox = makeSandbox(t);
  sandbox.watchdog([
    '--pattern',
    `^${sandbox.marker}`,
    '--recover',
    sandbox.recover,
    '--recover-timeout',
    '500ms',
    ...QUICK,
  ]);
  await logged(sandbox, 'recovered: ');
  const [pid = 0] = sandbox.targets();
  const startedAtMs = performance.now();
  await waitUntil('twice its limit has passed', () => performance.now() - startedAtMs > 1_500);
  assert.ok(isAlive(pid));
  assert.doesNotMatch(sandbox.read('log'), /sending TERM/);
});

test('a recovery that hangs, and ignores TERM, is ended with all its group', async (t) => {
  const sandbox = makeSandbox(t);
  const hanging = `trap '' TERM; echo start >> ${sandbox.path('ev')}; bash -c 'trap "" TERM; sleep 777; : ${sandbox.marker}' & while :; do sleep 1; done`;
  sandbox.watchdog(['--pattern', `^${sandbox.marker}`, '--recover', hanging, '--recover-timeout', '500ms', ...QUICK]);
  await logged(sandbox, 'sending TERM');
  await logged(sandbox, 'sending KILL', 1, 20_000);
  await logged(sandbox, 'recovery failed: the command still ran after 500ms');
  await waitUntil(
    'its children are gone too',
    () => sandbox.recoveries() > 1 || processesWith('sleep 777').length === 0,
  );
});

test('the recovered target outlives the end of the watchdog, however it comes', async (t) => {
  for (const how of ['SIGTERM', 'SIGINT', 'SIGKILL', 'SIGQUIT'] as const) {
    const sandbox = makeSandbox(t);
    const talking = `exec bash -c 'exec -a ${sandbox.marker} bash -c "while :; do echo alive; sleep 0.1; done"'`;
    const watchdog = sandbox.watchdog([
      '--pattern',
      `^${sandbox.marker}`,
      '--recover',
      talking,
      '--exe',
      '/bin/bash',
      ...QUICK,
    ]);
    await logged(sandbox, 'recovered: ');
    const [pid = 0] = sandbox.targets();
    signal(watchdog.pid, how);
    await watchdog.ended;
    const lines = sandbox.read('log').split('\n').length;
    await waitUntil('it goes on talking', () => sandbox.read('log').split('\n').length > lines + 5);
    assert.ok(isAlive(pid), how);
  }
});

test('a signal to the watchdog’s whole group does not reach the target', async (t) => {
  const sandbox = makeSandbox(t);
  const watchdog = sandbox.watchdog(['--pattern', `^${sandbox.marker}`, '--recover', sandbox.recover, ...QUICK], {
    detached: true,
  });
  await logged(sandbox, 'recovered: ');
  const [pid = 0] = sandbox.targets();
  process.kill(-watchdog.pid, 'SIGINT');
  await watchdog.ended;
  assert.ok(isAlive(pid));
});

test('a recovery that kills by the pattern does not kill the watchdog', async (t) => {
  const sandbox = makeSandbox(t);
  sandbox.write('clear.sh', `pkill -f 'watchdog.*${sandbox.marker}|^${sandbox.marker}'; ${sandbox.recover}`);
  const watchdog = sandbox.watchdog(['--pattern', `^${sandbox.marker}`, '--recover', 'sh ./clear.sh', ...QUICK]);
  await logged(sandbox, 'recovered: ');
  assert.ok(isAlive(watchdog.pid));
  assert.match(readProcess(watchdog.pid)?.line ?? '', /^watchdog: watching, (up|settling)$/);
});

test('its own children are never left as zombies', async (t) => {
  const sandbox = makeSandbox(t);
  const watchdog = sandbox.watchdog([
    '--pattern',
    `^${sandbox.marker}`,
    '--recover',
    'sleep 0.1 & exec sleep 0.2',
    '--confirm',
    '0',
    '--start-grace',
    '0',
    '--backoff',
    '100ms..100ms',
  ]);
  await logged(sandbox, 'next try in', 5);
  await waitUntil('none is left', () => allProcesses().every((one) => one.ppid !== watchdog.pid || one.state !== 'Z'));
});

test('a directory that was removed under our feet hinders nothing', async (t) => {
  const sandbox = makeSandbox(t);
  mkdirSync(sandbox.path('gone'));
  const watchdog = sandbox.watchdog(
    ['--pattern', `^${sandbox.marker}`, '--recover', `cd /; ${sandbox.recover}`, '--start-delay', '1s', ...QUICK],
    { cwd: sandbox.path('gone') },
  );
  await logged(sandbox, 'waiting 1s');
  rmdirSync(sandbox.path('gone'));
  await logged(sandbox, 'recovered: ');
  assert.ok(isAlive(watchdog.pid));
});

test('a --cwd that vanishes is told as such', async (t) => {
  const sandbox = makeSandbox(t);
  mkdirSync(sandbox.path('gone'));
  sandbox.watchdog([
    '--pattern',
    `^${sandbox.marker}`,
    '--recover',
    'true',
    '--cwd',
    sandbox.path('gone'),
    '--start-delay',
    '500ms',
    ...QUICK,
  ]);
  await logged(sandbox, 'waiting');
  rmdirSync(sandbox.path('gone'));
  await logged(
    sandbox,
    /recovery failed: the directory \S*gone cannot be entered: no such file or directory \(ENOENT\); next try in/,
  );
});

test('when nothing more can be started, it says so and tries again', async (t) => {
  const sandbox = makeSandbox(t);
  chmodSync(sandbox.directory, 0o777);
  const strace = [
    '-f',
    '-qq',
    '-o',
    '/dev/null',
    '-e',
    'trace=clone,clone3,vfork,fork',
    '-e',
    // The first tries the sentinel, the second starts the brain.
    'inject=clone:error=EAGAIN:when=3..3',
  ];
  sandbox.start('strace', [
    ...strace,
    WATCHDOG,
    '--pattern',
    `^${sandbox.marker}`,
    '--recover',
    sandbox.recover,
    '--log',
    sandbox.path('log'),
    ...QUICK,
  ]);
  await logged(sandbox, /recovery failed: \/bin\/sh could not be started: .*EAGAIN.*; next try in/);
  await logged(sandbox, 'recovered: ');
  assert.equal(sandbox.recoveries(), 1);
});
