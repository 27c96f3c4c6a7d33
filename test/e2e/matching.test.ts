/** The manual, "What counts as the target". */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { compile } from '../support/compile.ts';
import { isAlive, readProcess, signal } from '../support/processes.ts';
import { AS_NOBODY, logged, makeSandbox, QUICK, runWatchdog, type Sandbox, WATCHDOG } from '../support/sandbox.ts';
import { waitUntil } from '../support/wait-until.ts';

interface MatchResult {
  readonly matches: readonly { readonly pid: number; readonly command: string; readonly state: string }[];
  readonly leftOut: readonly { readonly pid: number; readonly why: string; readonly command: string }[];
  readonly warning: string | null;
  readonly narrowerPattern: string | null;
}

async function match(...args: string[]): Promise<MatchResult> {
  const { output } = await runWatchdog(['match', '--json', ...args]);
  return JSON.parse(output) as MatchResult;
}

/** How the watchdog is called, by others that carry its command line in their own. */
const WRAPPERS: readonly (readonly [string, (call: string, sandbox: Sandbox) => readonly [string, ...string[]]])[] = [
  ['sh -c', (call) => ['sh', '-c', `${call}; :`]],
  ['bash -c', (call) => ['bash', '-c', `${call}; :`]],
  ['sh -c with a variable', (call, { marker }) => ['sh', '-c', `P=${marker}; ${call.replace(marker, '$P')}; :`]],
  ['timeout', (call) => ['bash', '-c', `exec timeout 60 ${call}`]],
  ['setsid', (call) => ['setsid', '--wait', 'bash', '-c', `${call}; :`]],
  ['nohup env sh -c', (call) => ['nohup', 'env', 'A=b', 'sh', '-c', `${call}; :`]],
  [
    'a script that is handed the options',
    (call) => ['sh', join(import.meta.dirname, '../fixtures/run-arguments.sh'), ...words(call)],
  ],
];

function words(call: string): string[] {
  return call.match(/'[^']*'|\S+/g)?.map((word) => word.replace(/^'|'$/g, '')) ?? [];
}

for (const [name, wrap] of WRAPPERS) {
  test(`started by ${name}, it takes nothing of its own for the target`, async (t) => {
    const sandbox = makeSandbox(t);
    const call = `${WATCHDOG} --pattern ${sandbox.marker} --recover 'start ${sandbox.marker}' --log ${sandbox.path('log')} --dry-run`;
    const [program, ...args] = wrap(call, sandbox);
    sandbox.start(program, args);
    await logged(sandbox, 'would recover');
    assert.doesNotMatch(sandbox.read('log'), /watching: up/);
  });
}

test('a second watchdog whose recovery names the pattern is not the target, nor is its shell', async (t) => {
  const sandbox = makeSandbox(t);
  const other = `${WATCHDOG} --pattern no_such_thing --name ${sandbox.marker} --recover 'start ${sandbox.marker}' --dry-run --log ${sandbox.path('other')}`;
  sandbox.start('sh', ['-c', `${other}; : ${sandbox.marker}`]);
  await waitUntil('the other one watches', () => sandbox.read('other').includes('would recover'));
  sandbox.watchdog(['--pattern', sandbox.marker, '--recover', 'true', '--dry-run']);
  await logged(sandbox, 'would recover');
  const { matches, leftOut } = await match('--pattern', sandbox.marker);
  assert.deepEqual(matches, []);
  assert.deepEqual(leftOut.map((one) => one.why).sort(), ['self', 'watchdog', 'wrapper-of-watchdog']);
});

test('a second watchdog that has just started is known by its executable, whatever its name', async (t) => {
  const sandbox = makeSandbox(t);
  copyFileSync(WATCHDOG, sandbox.path('keeper'));
  const fifo = sandbox.path('fifo');
  await sandbox.start('mkfifo', [fifo]).ended;
  // It waits for a moment that does not come, before it could give itself a title.
  const other = sandbox.start(sandbox.path('keeper'), [
    '--pattern',
    sandbox.marker,
    '--recover',
    'true',
    '--log',
    sandbox.path('other'),
  ]);
  await waitUntil('it calls itself a watchdog', () => readProcess(other.pid)?.line.startsWith('watchdog: '));
  const { leftOut } = await match('--pattern', 'watchdog: watching');
  assert.ok(leftOut.some((one) => one.pid === other.pid && one.why === 'watchdog'));
});

test('an application that starts its own watchdog stays the target', async (t) => {
  const sandbox = makeSandbox(t);
  const script = sandbox.write(
    `${sandbox.marker}.js`,
    `require('child_process').spawn('${WATCHDOG}', ['--pattern', '${sandbox.marker}.js', '--recover', 'true', '--log',
       '${sandbox.path('log')}'], { stdio: 'ignore' });
     setInterval(() => {}, 1000);`,
  );
  const application = sandbox.start('node', [script]);
  await logged(sandbox, `watching: up, pid ${application.pid} `);
});

test("the recovery's own shell is not the target while it runs", async (t) => {
  const sandbox = makeSandbox(t);
  const recover = `echo start >> ${sandbox.path('ev')}; sleep 1000; start ${sandbox.marker}`;
  sandbox.watchdog(['--pattern', sandbox.marker, '--recover', recover, '--recover-timeout', '1s', ...QUICK]);
  await logged(sandbox, 'recovery failed: the command still ran after 1s');
  assert.doesNotMatch(sandbox.read('log'), /recovered/);
});

test('bystanders match, as they do with pgrep; match warns of them and offers what is narrower', async (t) => {
  const sandbox = makeSandbox(t);
  const name = `${sandbox.marker}.js`;
  const bystander = sandbox.start('bash', ['-c', `exec -a vim tail -f /dev/null ${name}`]);
  const tail = sandbox.start('tail', ['-f', '/dev/null', sandbox.write(`${name}.log`, '')]);
  await waitUntil('tail runs', () => readProcess(tail.pid)?.line.startsWith('tail'));
  await waitUntil('it is called vim', () => readProcess(bystander.pid)?.line.startsWith('vim'));
  const found = await match('--pattern', name);
  assert.deepEqual(found.matches.map((one) => one.pid).sort(), [bystander.pid, tail.pid].sort());
  assert.match(found.warning ?? '', /only names the target/);
  assert.equal(found.narrowerPattern, `^([^ ]*/)?node (.* )?([^ ]*/)?${sandbox.marker}\\.js( |$)`);
  const narrow = ['--pattern', found.narrowerPattern ?? ''];
  assert.deepEqual((await match(...narrow)).matches, []);
  const target = sandbox.start('node', ['-e', '', sandbox.write(name, 'setInterval(() => {}, 1000)')]);
  const real = sandbox.start('node', [sandbox.path(name)]);
  await target.ended;
  await waitUntil('the real one is up', () => isAlive(real.pid));
  assert.deepEqual(
    (await match(...narrow)).matches.map((one) => one.pid),
    [real.pid],
  );
  assert.equal(
    (await match('--pattern', name)).warning,
    null,
    'with the real one among them there is nothing to warn of',
  );
});

test('--user and --exe leave out who is not meant', async (t) => {
  const sandbox = makeSandbox(t);
  const faked = sandbox.start('setpriv', [...AS_NOBODY, 'bash', '-c', `exec -a ${sandbox.marker} sleep 1000`], {
    cwd: '/',
  });
  await waitUntil('the fake is up', () => sandbox.targets().includes(faked.pid));
  const pattern = ['--pattern', sandbox.marker];
  assert.deepEqual(
    (await match(...pattern)).matches.map((one) => one.pid),
    [faked.pid],
  );
  assert.deepEqual(
    (await match(...pattern, '--user', 'root')).leftOut.find((one) => one.pid === faked.pid)?.why,
    'other-user',
  );
  assert.deepEqual(
    (await match(...pattern, '--user', '0,nobody')).matches.map((one) => one.pid),
    [faked.pid],
  );
  assert.deepEqual(
    (await match(...pattern, '--exe', '/bin/sleep')).matches.map((one) => one.pid),
    [faked.pid],
  );
  assert.equal(
    (await match(...pattern, '--exe', '/bin/bash')).leftOut.find((one) => one.pid === faked.pid)?.why,
    'other-program',
  );
});

test('a zombie is not the target', async (t) => {
  const sandbox = makeSandbox(t);
  const parent = sandbox.start(compile(sandbox, 'zombie'), [sandbox.marker.slice(0, 14)], { argv0: 'parent' });
  const zombie = Number(await waitUntil('it has a child', () => parent.output().trim()));
  await waitUntil('the child is a zombie', () => readProcess(zombie)?.state === 'Z');
  const { matches, leftOut } = await match('--pattern', sandbox.marker.slice(0, 14), '--exact');
  assert.deepEqual([matches, leftOut], [[], []]);
  const found = await match('--pattern', `^.${sandbox.marker.slice(0, 14)}.$`);
  assert.deepEqual(
    found.leftOut.map(({ pid, why }) => [pid, why]),
    [[zombie, 'zombie']],
  );
});

test('a process whose first thread has ended is alive', async (t) => {
  const sandbox = makeSandbox(t);
  const target = sandbox.start(compile(sandbox, 'leader-exits'), []);
  await waitUntil('its first thread has ended', () => readProcess(target.pid)?.state === 'Z');
  const found = await match('--pattern', `${sandbox.marker}-leader`);
  assert.deepEqual(
    found.matches.map(({ pid, state }) => [pid, state]),
    [[target.pid, 'alive']],
  );
  sandbox.watchdog(['--pattern', `${sandbox.marker}-leader`, '--recover', 'true', ...QUICK]);
  await logged(sandbox, 'watching: up');
  signal(target.pid, 'SIGKILL');
  await logged(sandbox, `gone: pid ${target.pid}`);
});

test('a process that executes itself in a loop is never missed', async (t) => {
  const sandbox = makeSandbox(t);
  sandbox.start(compile(sandbox, 'reexec'), [sandbox.marker, '1000000000'], { argv0: sandbox.marker });
  await waitUntil('it runs', () => sandbox.targets().length === 1);
  for (let look = 0; look < 40; look += 1) {
    const { status, output } = await runWatchdog(['check', '--pattern', `^${sandbox.marker}`]);
    assert.equal(status, 0, `look ${look}: ${output}`);
  }
});

test('once seen, a process that changes its title is still up', async (t) => {
  const sandbox = makeSandbox(t);
  const script = sandbox.write(
    `${sandbox.marker}.js`,
    `process.on('SIGUSR2', () => { process.title = 'worker'; }); setInterval(() => {}, 1000);`,
  );
  const target = sandbox.start('node', [script]);
  const watchdog = sandbox.watchdog(['--pattern', `${sandbox.marker}.js`, '--recover', 'true', ...QUICK]);
  await logged(sandbox, `watching: up, pid ${target.pid}`);
  signal(target.pid, 'SIGUSR2');
  await waitUntil('it has another title', () => readProcess(target.pid)?.line === 'worker');
  const { status } = await runWatchdog(['check', '--pattern', `${sandbox.marker}.js`]);
  assert.equal(status, 1, 'a new look by text does not find it');
  signal(watchdog.pid, 'SIGUSR2');
  // The look that this asks for is done once a log that is asked for twice after it has been opened.
  for (const old of ['log.1', 'log.2']) {
    renameSync(sandbox.path('log'), sandbox.path(old));
    signal(watchdog.pid, 'SIGHUP');
    await waitUntil('there is a log again', () => existsSync(sandbox.path('log')));
  }
  assert.equal(sandbox.read('log.1').trim().split('\n').length, 2, 'the watch that follows it has nothing to tell');
  assert.equal(sandbox.read('log.2') + sandbox.read('log'), '');
  signal(target.pid, 'SIGKILL');
  await logged(sandbox, `gone: pid ${target.pid}`);
});

test('a command line that is not UTF-8 is matched, and shown escaped', async (t) => {
  const sandbox = makeSandbox(t);
  const odd = spawn('bash', ['-c', `exec -a $'${sandbox.marker}\\xff\\xfe\\n\\e[2J' sleep 1000`], { stdio: 'ignore' });
  t.after(() => odd.kill('SIGKILL'));
  await waitUntil('it runs', () => sandbox.targets().length === 1);
  const table = await runWatchdog(['match', '--pattern', `^${sandbox.marker}`]);
  assert.match(table.output, new RegExp(`${sandbox.marker}\\\\xff\\\\xfe\\\\x0a\\\\x1b\\[2J 1000\n`));
  const byBytes = sandbox.start('bash', ['-c', `exec ${WATCHDOG} check --pattern $'${sandbox.marker}\\xff\\xfe'`]);
  assert.deepEqual([(await byBytes.ended).status, byBytes.output().includes('up, pid')], [0, true]);
  const otherBytes = sandbox.start('bash', ['-c', `exec ${WATCHDOG} check --pattern $'${sandbox.marker}\\xfe\\xfe'`]);
  assert.equal((await otherBytes.ended).status, 1);
});

test('a stopped process is up', async (t) => {
  const sandbox = makeSandbox(t);
  const pid = await sandbox.startTarget();
  signal(pid, 'SIGSTOP');
  await waitUntil('it is stopped', () => readProcess(pid)?.state === 'T');
  const { matches } = await match('--pattern', `^${sandbox.marker}`);
  assert.deepEqual(
    matches.map((one) => [one.pid, one.state]),
    [[pid, 'stopped']],
  );
});

test('an odd short name does not confuse', async (t) => {
  const sandbox = makeSandbox(t);
  const odd = sandbox.start(compile(sandbox, 'odd-name'), []);
  await waitUntil('it is ready', () => odd.output().includes('ready'));
  const { matches } = await match('--pattern', `${sandbox.marker}-odd`);
  assert.deepEqual(
    matches.map((one) => [one.pid, one.state]),
    [[odd.pid, 'alive']],
  );
});

test('threads of the kernel are not the target', async () => {
  const found = await match('--pattern', 'kworker');
  assert.deepEqual(found.matches, []);
  assert.ok(found.leftOut.some((one) => one.why === 'kernel-thread'));
});

test('a table for people, and exit codes', async (t) => {
  const sandbox = makeSandbox(t);
  const none = await runWatchdog(['match', '--pattern', `^${sandbox.marker}`]);
  assert.deepEqual([none.status, none.output], [1, 'nothing matches\n']);
  const pid = await sandbox.startTarget();
  const table = await runWatchdog(['match', '--pattern', `${sandbox.marker}`, '--recover', 'x']);
  assert.equal(table.status, 0);
  const lines = table.output.split('\n');
  assert.match(lines[0] ?? '', /^PID +USER +AGE +COMMAND$/);
  assert.match(lines[1] ?? '', new RegExp(`^${pid} +root +\\S+ +${sandbox.marker} 1000$`));
  assert.match(table.output, /left out:\nPID +USER +AGE +WHY +COMMAND\n\d+ +root +\S+ +this watchdog itself /);
  assert.equal((await runWatchdog(['check', '--pattern', `^${sandbox.marker}`, '--min', '2'])).status, 1);
});

test('it works without ps and pgrep', async (t) => {
  const sandbox = makeSandbox(t);
  sandbox.watchdog(
    [
      '--pattern',
      `^${sandbox.marker}`,
      '--recover',
      sandbox.recover.replace(/bash/g, '/bin/bash').replace('sleep', '/bin/sleep'),
      ...QUICK,
    ],
    {
      env: { PATH: '/nonexistent' },
    },
  );
  await logged(sandbox, 'recovered: ');
});

test('a program that an upgrade has replaced is still the one that --exe names', async (t) => {
  const sandbox = makeSandbox(t);
  const program = compile(sandbox, 'idle');
  const target = sandbox.start(program, []);
  await waitUntil('it runs', () => readProcess(target.pid)?.line.startsWith(program));
  rmSync(program);
  const found = await match('--pattern', `${sandbox.marker}-idle`, '--exe', program);
  assert.deepEqual(
    found.matches.map((one) => one.pid),
    [target.pid],
  );
});
