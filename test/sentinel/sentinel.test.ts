/** What src/sentinel/PROTOCOL.md promises, each rule by itself, on the real sentinel. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { ASK } from '../../src/host/sentinel-protocol.ts';
import { NO_RESTRAINT } from '../../src/system/child.ts';
import { parseStat } from '../../src/system/proc-stat.ts';
import { allProcesses, isAlive, readProcess, signal } from '../support/processes.ts';
import { logged, makeSandbox, type Sandbox } from '../support/sandbox.ts';
import { compileSentinel, type PlayedBrain, type PlayedSentinel, playSentinel, shell } from '../support/sentinel.ts';
import { waitUntil } from '../support/wait-until.ts';

async function wakeAndRest(sentinel: PlayedSentinel, changes: object = {}): Promise<PlayedBrain> {
  const brain = await sentinel.nextBrain();
  await brain.told('go');
  brain.send({ ...sentinel.frame, end: 'rest', ...changes }, 0);
  brain.end();
  return brain;
}

function startOf(pid: number): number {
  return parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.startTime ?? 0;
}

function startSleep(sandbox: Sandbox): { readonly pid: number; readonly startTime: number } {
  const { pid } = sandbox.start('sleep', ['1000', sandbox.marker].slice(0, 1));
  return { pid, startTime: startOf(pid) };
}

/** Whoever ends before has ended before it could be watched, which is another story. */
async function watches(sentinel: PlayedSentinel, count: number): Promise<void> {
  const directory = `/proc/${sentinel.process.pid}/fd`;
  const isPidfd = (name: string): boolean => {
    try {
      return readlinkSync(`${directory}/${name}`).includes('pidfd');
    } catch {
      // Closed meanwhile.
      return false;
    }
  };
  await waitUntil('they are watched', () => readdirSync(directory).filter(isPidfd).length >= count);
}

/** How often it was woken. */
function switchesOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1]);
}

/** Waits longer for the test, who is the parent, to take notice of an end. */
function patient(sandbox: Sandbox): { readonly sentinel: string } {
  return { sentinel: compileSentinel(sandbox, ['-DCAUSE_MS=10000']) };
}

async function asleep(sentinel: PlayedSentinel): Promise<void> {
  await waitUntil('the sentinel is alone', () => allProcesses().every((one) => one.ppid !== sentinel.process.pid));
}

test('the state goes from one brain to the next, whatever is in it', async (t) => {
  const sandbox = makeSandbox(t);
  const sentinel = await playSentinel(sandbox, { state: 'first\nframe é "quotes"' });
  const first = await wakeAndRest(sentinel, { state: `${'x'.repeat(500_000)}\nstate 3\n` });
  assert.equal(first.state, 'first\nframe é "quotes"');
  await asleep(sentinel);
  signal(sentinel.process.pid, 'SIGUSR2');
  const second = await sentinel.nextBrain();
  assert.equal(second.state, `${'x'.repeat(500_000)}\nstate 3\n`);
  await second.told('signal 12');
});

test('how a process died that is nobody of ours', async (t) => {
  const sandbox = makeSandbox(t);
  const sentinel = await playSentinel(sandbox, {}, patient(sandbox));
  const brain = await sentinel.nextBrain();
  const killed = startSleep(sandbox);
  const { pid } = sandbox.start('sh', ['-c', 'read line; exit 7'], { stdio: ['pipe', 'pipe', 'pipe'] });
  const exits = { pid, startTime: startOf(pid) };
  brain.send({ ...sentinel.frame, watch: [killed, exits] }, 0);
  await watches(sentinel, 2);
  signal(killed.pid, 'SIGSEGV');
  const seq = await brain.told(new RegExp(`gone ${killed.pid} ${killed.startTime} killed 11`));
  brain.send({ ...sentinel.frame, watch: [exits] }, seq);
  signal(exits.pid, 'SIGCONT');
  process.kill(exits.pid, 'SIGHUP');
  await brain.told(new RegExp(`gone ${exits.pid} ${exits.startTime} killed 1$`));
  assert.equal(brain.lines().filter((line) => line.includes('gone')).length, 2);
});

test('a zombie that nobody takes notice of: gone all the same, the cause unknown', async (t) => {
  const sandbox = makeSandbox(t);
  const sentinel = await playSentinel(sandbox);
  const brain = await sentinel.nextBrain();
  const parent = sandbox.start('bash', ['-c', 'sleep 1000 & echo $!; exec sleep 1000']);
  const pid = await waitUntil('its child is there', () => Number(parent.output()));
  const watch = [{ pid, startTime: startOf(pid) }];
  brain.send({ ...sentinel.frame, watch }, 0);
  signal(pid, 'SIGKILL');
  await brain.told(`gone ${pid} ${startOf(pid)} unknown`);
});

test("who is gone already, and whose number is another's by now, is gone", async (t) => {
  const sandbox = makeSandbox(t);
  const sentinel = await playSentinel(sandbox, {}, patient(sandbox));
  const brain = await sentinel.nextBrain();
  const alive = startSleep(sandbox);
  const watch = [{ pid: 4_000_000, startTime: 5 }, { pid: alive.pid, startTime: alive.startTime + 1 }, alive];
  brain.send({ ...sentinel.frame, watch }, 0);
  await brain.told('gone 4000000 5 unknown');
  await brain.told(`gone ${alive.pid} ${alive.startTime + 1} unknown`);
  signal(alive.pid, 'SIGKILL');
  await brain.told(`gone ${alive.pid} ${alive.startTime} killed 9`);
});

test('what is not acknowledged is told again to the next brain, in order; what is, never', async (t) => {
  const sandbox = makeSandbox(t);
  const sentinel = await playSentinel(sandbox, {}, patient(sandbox));
  const brain = await sentinel.nextBrain();
  const [one, other] = [startSleep(sandbox), startSleep(sandbox)];
  brain.send({ ...sentinel.frame, watch: [one, other] }, 0);
  await watches(sentinel, 2);
  signal(one.pid, 'SIGKILL');
  const first = await brain.told(`gone ${one.pid}`);
  signal(other.pid, 'SIGKILL');
  await brain.told(`gone ${other.pid}`);
  signal(sentinel.process.pid, 'SIGUSR2');
  await brain.told('signal 12');
  brain.send({ ...sentinel.frame, state: 'knows one', watch: [other] }, first);
  await waitUntil('the frame was taken', () => readProcess(sentinel.process.pid) !== null);
  brain.end();
  const next = await sentinel.nextBrain();
  await next.told('go');
  assert.deepEqual(
    next.lines().map((line) => line.split(' ').slice(2).join(' ')),
    [`gone ${other.pid} ${other.startTime} killed 9`, 'signal 12', 'go'],
  );
  assert.equal(next.state, 'knows one');
  await logged(
    sandbox,
    /\[\d{4}-\d\d-\d\d_\d\d:\d\d:\d\d\] played: the brain ended without a word, exit status 0; it is started again in 100ms, with all that it had stored\n/,
  );
});

test('a frame is taken as a whole or not at all, wherever the brain breaks off', async (t) => {
  const sandbox = makeSandbox(t);
  const sentinel = await playSentinel(sandbox);
  const { formatFrame } = await import('../../src/host/sentinel-protocol.ts');
  const starts = [{ id: 1, command: shell(`echo start >> ${sandbox.path('ev')}`) }];
  const whole = formatFrame({ ...sentinel.frame, state: 'second', starts }, 0);
  for (const length of [1, 27, 28, 29, 60, whole.length - 2, whole.length - 1]) {
    const brain = await sentinel.nextBrain();
    assert.equal(brain.state, 'first');
    brain.sendRaw(whole.subarray(0, length));
    signal(brain.pid, 'SIGKILL');
    if (length > 60) break;
  }
  const last = await sentinel.nextBrain();
  assert.equal(last.state, 'first');
  last.sendRaw(whole);
  await last.told('started 1');
  await last.told('ended');
  assert.equal(sandbox.recoveries(), 1);
});

const BROKEN: readonly (readonly [string, string | Buffer])[] = [
  ['no frame at all', 'hello there, this is not a frame header\n'],
  ['an acknowledgement of what was never told', 'frame 0000000999 0000000003\nabc'],
  ['no body, but an acknowledgement of what was never told', 'frame 0000000999 0000000000\n'],
  ['a body of garbage', 'frame 0000000000 0000000005\nabcd\n'],
  ['an item twice', 'frame 0000000000 0000000018\nstate 1\na\nstate 1\nb'],
  ['more than is allowed', 'frame 0000000000 9999999999\n'],
];
for (const [what, bytes] of BROKEN) {
  test(`a brain that sends ${what} is ended, and the next goes on as before`, async (t) => {
    const sandbox = makeSandbox(t);
    const sentinel = await playSentinel(sandbox);
    const brain = await sentinel.nextBrain();
    brain.sendRaw(bytes);
    const next = await sentinel.nextBrain();
    assert.equal(next.state, 'first');
    assert.match(
      sandbox.read('log'),
      /played: the brain broke the rules of the protocol; it is started again in 100ms/,
    );
  });
}

test('a command runs as its user would have it: session, signals, descriptors, directory, variables', async (t) => {
  const sandbox = makeSandbox(t);
  const sentinel = await playSentinel(sandbox, {}, { env: { ...process.env, KEEP: 'kept', DROP: 'x', OVER: 'old' } });
  const brain = await sentinel.nextBrain();
  const text =
    // Neither piped nor redirected: the shell itself would hold what that takes while it is listed.
    'pwd; echo $KEEP-$DROP-$OVER-$NEW; ls -m /proc/$$/fd; grep -E "Sig(Blk|Ign)" /proc/self/status; cut -d" " -f1,5,6 /proc/$$/stat; readlink /proc/$$/fd/0';
  const set = { OVER: 'new', NEW: 'x y' };
  const given = shell(text, { directory: '/', output: sandbox.path('out'), set, unset: ['DROP'] });
  brain.send({ ...sentinel.frame, starts: [{ id: 7, command: given }] }, 0);
  await brain.told(/ started 7 \d+ \d+$/);
  await brain.told(/ ended \d+ exited 0$/);
  const [directory, variables, descriptors, blocked, ignored, ids, input] = sandbox.read('out').split('\n');
  assert.equal(directory, '/');
  assert.equal(variables, 'kept--new-x y');
  assert.equal(descriptors, '0, 1, 2');
  assert.match(blocked ?? '', /SigBlk:\s+0+$/);
  assert.match(ignored ?? '', /SigIgn:\s+0+$/);
  const [pid, group, session] = (ids ?? '').split(' ');
  assert.ok(pid === group && pid === session, ids);
  assert.equal(input, '/dev/null');
});

const NOT_STARTED: readonly (readonly [string, Parameters<typeof shell>[1], RegExp])[] = [
  ['program', { program: '/nowhere/sh' }, /failed 1 program 2$/],
  ['directory', { directory: '/nowhere' }, /failed 1 directory 2$/],
  ['output', { output: '/nowhere/log' }, /failed 1 output 2$/],
];
for (const [step, changes, says] of NOT_STARTED) {
  test(`a command that can't be started for its ${step} is told of`, async (t) => {
    const sandbox = makeSandbox(t);
    const sentinel = await playSentinel(sandbox);
    const brain = await sentinel.nextBrain();
    brain.send({ ...sentinel.frame, starts: [{ id: 1, command: shell('true', changes) }] }, 0);
    await brain.told(says);
    assert.ok(allProcesses().every((one) => one.ppid !== sentinel.process.pid || one.state !== 'Z'));
  });
}

test('a command that still runs and was acknowledged wakes nobody, and is told of to no other brain', async (t) => {
  const sandbox = makeSandbox(t);
  const sentinel = await playSentinel(sandbox);
  const brain = await sentinel.nextBrain();
  const text = `echo start >> ${sandbox.path('ev')}; exec sleep 1000`;
  brain.send({ ...sentinel.frame, starts: [{ id: 1, command: shell(text) }] }, 0);
  const seq = await brain.told('started 1');
  await waitUntil('it runs', () => sandbox.recoveries() === 1);
  brain.send({ ...sentinel.frame, end: 'rest' }, seq);
  brain.end();
  const brains = () => allProcesses().filter((one) => one.ppid === sentinel.process.pid && one.line.includes('brain'));
  await waitUntil('the brain has ended', () => brains().length === 0);
  const before = switchesOf(sentinel.process.pid);
  const startedAtMs = performance.now();
  await waitUntil('some time has passed', () => performance.now() - startedAtMs > 500);
  assert.equal(switchesOf(sentinel.process.pid), before);
  signal(sentinel.process.pid, 'SIGUSR2');
  const next = await sentinel.nextBrain();
  await next.told('go');
  assert.deepEqual(
    next.lines().map((line) => line.split(' ')[2]),
    ['signal', 'go'],
  );
});

test('a command is told of once, is signalled with its group, and outlives a brain', async (t) => {
  const sandbox = makeSandbox(t);
  const sentinel = await playSentinel(sandbox);
  const brain = await sentinel.nextBrain();
  const text = `echo start >> ${sandbox.path('ev')}; sleep 1000 & trap "exit 9" TERM; wait`;
  brain.send({ ...sentinel.frame, starts: [{ id: 1, command: shell(text) }] }, 0);
  const seq = await brain.told('started 1');
  const pid = Number(
    brain
      .lines()
      .find((line) => line.includes('started'))
      ?.split(' ')[4],
  );
  await waitUntil('it is at work', () => sandbox.recoveries() === 1);
  signal(brain.pid, 'SIGKILL');
  const next = await sentinel.nextBrain();
  await next.told(`started 1 ${pid}`);
  next.send(
    {
      ...sentinel.frame,
      signals: [
        { pid, number: 15 },
        { pid: process.pid, number: 9 },
      ],
    },
    seq,
  );
  await next.told(`ended ${pid} exited 9`);
  await waitUntil('its child has ended too', () =>
    allProcesses().every((one) => one.ppid !== sentinel.process.pid || one.pid === next.pid),
  );
  assert.equal(sandbox.recoveries(), 1);
});

test("a deadline wakes a brain; the machine's wall clock has no part in it", async (t) => {
  const sandbox = makeSandbox(t);
  const sentinel = await playSentinel(sandbox);
  const brain = await sentinel.nextBrain();
  await brain.told('go');
  const nowMs = Number(brain.lines()[0]?.split(' ')[1]);
  assert.ok(Math.abs(nowMs - Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]) * 1_000) < 5_000);
  brain.send({ ...sentinel.frame, deadlineMs: nowMs + 700, end: 'rest' }, 0);
  brain.end();
  const next = await sentinel.nextBrain();
  await next.told('due');
  const wokeMs = Number(next.lines()[0]?.split(' ')[1]);
  assert.ok(wokeMs >= nowMs + 700, `${wokeMs - nowMs}`);
});

test('one lock, one holder; it is free when the holder is gone', async (t) => {
  const [one, other] = [makeSandbox(t), makeSandbox(t)];
  const lock = `watchdog/${one.marker}`;
  const first = await playSentinel(one, {}, { lock });
  await (await first.nextBrain()).told('lock 0');
  const second = await playSentinel(other, {}, { lock });
  const brain = await second.nextBrain();
  await brain.told('lock 98');
  signal(first.process.pid, 'SIGKILL');
  await first.process.ended;
  const third = makeSandbox(t);
  await (await (await playSentinel(third, {}, { lock })).nextBrain()).told('lock 0');
});

test('the control socket: for its owner alone, a reason to wake, handed on, and gone at the end', async (t) => {
  const sandbox = makeSandbox(t);
  const control = sandbox.path('control');
  sandbox.write('control', 'left behind by one that was killed');
  const sentinel = await playSentinel(sandbox, {}, { control });
  await wakeAndRest(sentinel);
  await asleep(sentinel);
  const { statSync, existsSync, readlinkSync } = await import('node:fs');
  assert.equal(statSync(control).mode & 0o777, 0o600);
  const client = connect(control);
  client.on('error', () => client.destroy());
  t.after(() => client.destroy());
  const brain = await sentinel.nextBrain();
  await brain.told('connect');
  assert.match(readlinkSync(`/proc/${brain.pid}/fd/4`), /^socket:/);
  brain.send({ ...sentinel.frame, end: { status: 42 } }, 0);
  brain.end();
  assert.equal((await sentinel.process.ended).status, 42);
  assert.ok(!existsSync(control));
});

test('TERM: the brain is asked, and has 5 s; a second one ends all at once', async (t) => {
  const sandbox = makeSandbox(t);
  const sentinel = await playSentinel(sandbox);
  await wakeAndRest(sentinel);
  await asleep(sentinel);
  signal(sentinel.process.pid, 'SIGTERM');
  const brain = await sentinel.nextBrain();
  await brain.told('signal 15');
  assert.ok(isAlive(sentinel.process.pid));
  const startedAtMs = performance.now();
  await waitUntil('a second counts', () => {
    signal(sentinel.process.pid, 'SIGTERM');
    return !isAlive(sentinel.process.pid);
  });
  assert.ok(performance.now() - startedAtMs < 3_000);
  assert.equal((await sentinel.process.ended).status, 0);
  await waitUntil('the brain went with it', () => !isAlive(brain.pid));
  assert.match(sandbox.read('log'), /played: stopped: asked to stop for the second time\n/);
});

test('TERM is obeyed in time by itself when the brain is stuck', async (t) => {
  const sandbox = makeSandbox(t);
  const sentinel = await playSentinel(sandbox, {}, { sentinel: compileSentinel(sandbox, ['-DSTOP_MS=600']) });
  const brain = await sentinel.nextBrain();
  signal(brain.pid, 'SIGSTOP');
  signal(sentinel.process.pid, 'SIGTERM');
  assert.equal((await sentinel.process.ended).status, 0);
  assert.match(sandbox.read('log'), /played: stopped: the brain did not answer/);
});

test('a brain that owes an answer and says nothing is killed; one that owes none may stay', async (t) => {
  const sandbox = makeSandbox(t);
  const sentinel = await playSentinel(sandbox, {}, { sentinel: compileSentinel(sandbox, ['-DHANG_MS=1000']) });
  const mute = await sentinel.nextBrain();
  await waitUntil('it was killed', () => !isAlive(mute.pid));
  const quiet = await sentinel.nextBrain();
  quiet.send({ ...sentinel.frame, state: 'all said' }, 0);
  const startedAtMs = performance.now();
  await waitUntil('much more time has passed', () => performance.now() - startedAtMs > 2_500);
  assert.ok(isAlive(quiet.pid));
  signal(sentinel.process.pid, 'SIGUSR2');
  await quiet.told('signal 12');
  await waitUntil('it owed an answer again', () => !isAlive(quiet.pid));
  assert.equal((await sentinel.nextBrain()).state, 'all said');
  assert.match(sandbox.read('log'), /gave no answer for \d+s and was killed; it is started again in 100ms/);
});

test('a brain that fails again and again is started ever more rarely', async (t) => {
  const sandbox = makeSandbox(t);
  const sentinel = await playSentinel(sandbox);
  for (let failure = 0; failure < 4; failure += 1) signal((await sentinel.nextBrain()).pid, 'SIGKILL');
  await wakeAndRest(sentinel);
  await asleep(sentinel);
  const delays = [...sandbox.read('log').matchAll(/was killed by signal 9; it is started again in (\d+)ms/g)];
  assert.deepEqual(
    delays.map((match) => match[1]),
    ['100', '200', '400', '800'],
  );
  signal(sentinel.process.pid, 'SIGUSR2');
  signal((await sentinel.nextBrain()).pid, 'SIGKILL');
  await logged(sandbox, 'started again in 100ms', 2);
});

test('orphans come to it and are reaped, and wake nobody', async (t) => {
  const sandbox = makeSandbox(t);
  const sentinel = await playSentinel(sandbox);
  const brain = await sentinel.nextBrain();
  const orphans = shell(
    `for i in 1 2 3 4 5; do (sleep 0.0$i; exit 3) & done; (exec -a x sleep 0.3 &) 2>/dev/null; exit 0`,
  );
  brain.send({ ...sentinel.frame, starts: [{ id: 1, command: orphans }] }, 0);
  const seq = await brain.told('ended');
  brain.send({ ...sentinel.frame, end: 'rest' }, seq);
  brain.end();
  await asleep(sentinel);
  assert.ok(isAlive(sentinel.process.pid));
});

test('without a sound first frame it says so and does nothing', async (t) => {
  const sandbox = makeSandbox(t);
  const { SENTINEL } = await import('../support/sentinel.ts');
  const one = spawn(SENTINEL, [], { stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  one.stderr.on('data', (data) => {
    text += String(data);
  });
  const status = await new Promise((resolve) => one.on('close', resolve));
  assert.equal(status, 70);
  assert.equal(text, 'watchdog: the sentinel cannot read its first frame; start watchdog instead (error 22)\n');
  assert.ok(sandbox.directory);
});

test('out of memory for a frame: its brain is taken for one that failed, and the next goes on as before', async (t) => {
  const sandbox = makeSandbox(t);
  // Two went into the first frame; the third is for what the first brain says.
  const inject = ['-e', 'trace=mmap', '-e', 'inject=mmap:error=ENOMEM:when=3'];
  const sentinel = await playSentinel(sandbox, {}, { under: ['strace', '-qq', '-o', '/dev/null', ...inject] });
  const brain = await sentinel.nextBrain();
  await brain.told('go');
  brain.send({ ...sentinel.frame, state: 'second', starts: [{ id: 1, command: shell('true') }] }, 0);
  const next = await sentinel.nextBrain();
  assert.equal(next.state, 'first');
  assert.match(
    sandbox.read('log'),
    /played: the brain found no memory left for its state; it is started again in 100ms/,
  );
  next.send({ ...sentinel.frame, state: 'second' }, 0);
  next.end();
  assert.equal((await sentinel.nextBrain()).state, 'second');
});

test('the first that has run away from a command and failed after it is told, to each brain until it is acknowledged', async (t) => {
  const sandbox = makeSandbox(t);
  const sentinel = await playSentinel(sandbox);
  const brain = await sentinel.nextBrain();
  const limits = [{ name: 'rttime', soft: 3_000_000_000_000_000, hard: null }] as const;
  const marked = { restraint: { ...NO_RESTRAINT, limits } };
  const away = (name: string, end: string): string =>
    `sh -c ': ${sandbox.marker}; echo $$ >> ${name}; while [ ! -e ${name}.go ]; do sleep 0.02; done; ${end}' &`;
  const starts = [
    {
      id: 1,
      command: shell(
        `cd ${sandbox.directory}; ${away('peace', 'exit 0')} ${away('first', 'exit 3')} ${away('later', 'exit 4')}`,
        marked,
      ),
    },
    { id: 2, command: shell(`cd ${sandbox.directory}; ${away('unmarked', 'exit 5')}`) },
  ];
  brain.send({ ...sentinel.frame, starts }, 0);
  await waitUntil('all have begun', () => ['peace', 'first', 'later', 'unmarked'].every((name) => sandbox.read(name)));
  await waitUntil('both have ended', () => brain.lines().filter((line) => / ended /.test(line)).length === 2);
  for (const name of ['unmarked', 'peace', 'first', 'later']) {
    sandbox.write(`${name}.go`, '');
    await waitUntil(`${name} is reaped`, () => readProcess(Number(sandbox.read(name))) === null);
  }
  const [, pid] = / started 1 (\d+) /.exec(brain.lines().join('\n')) ?? [];
  const told = `orphan ${pid} ${Number(sandbox.read('first'))} exited 3`;
  await brain.told(told);
  brain.end();
  const next = await sentinel.nextBrain();
  const seq = await next.told(told);
  await next.told('go');
  assert.equal(next.lines().filter((line) => / orphan /.test(line)).length, 1);
  next.send({ ...sentinel.frame, end: 'rest' }, seq);
  next.end();
  signal(sentinel.process.pid, 'SIGUSR2');
  const last = await sentinel.nextBrain();
  await last.told('go');
  assert.deepEqual(
    last.lines().filter((line) => / (orphan|ended) /.test(line)),
    [],
  );
});

test('who asks is told all that has happened until then, and that it is all', async (t) => {
  const sandbox = makeSandbox(t);
  const sentinel = await playSentinel(sandbox);
  const brain = await sentinel.nextBrain();
  await brain.told('go');
  const starts = [{ id: 1, command: shell('exec sleep 1000') }];
  brain.send({ ...sentinel.frame, starts, title: 'watchdog: asked' }, 0);
  await brain.told(/ started 1 \d+ \d+$/);
  const kinds = (): readonly string[] => brain.lines().map((line) => line.split(' ')[2] ?? '');
  for (let times = 0; times < 20; times += 1) {
    const before = kinds().length;
    signal(sentinel.process.pid, times % 2 === 0 ? 'SIGUSR2' : 'SIGHUP');
    brain.sendRaw(ASK);
    await waitUntil('it is answered', () => kinds().at(-1) === 'go' && kinds().length > before);
    const isNew = times < 2;
    assert.deepEqual(
      kinds().slice(before),
      isNew ? ['signal', 'go'] : ['go'],
      'what is told already is not told again',
    );
  }
  assert.match(readProcess(sentinel.process.pid)?.line ?? '', /^watchdog: asked/);
});

/** What is to follow a command, and whether it does after such an end. */
const REPLACED: readonly (readonly [what: string, script: string, unless: readonly number[], follows: boolean])[] = [
  ['a crash', 'kill -9 $$', [0], true],
  ['an exit status that was not expected', 'exit 3', [0, 2], true],
  ['one that was', 'exit 2', [0, 2], false],
  ['a crash that leaves somebody of the group', 'sleep 1000 & kill -9 $$', [0], false],
  ['a crash that leaves an orphan elsewhere', '(setsid sleep 1000 &) ; kill -9 $$', [0], false],
];
for (const [what, script, unless, follows] of REPLACED) {
  test(`${what} is ${follows ? '' : 'not '}followed by what a frame has said, and that is told before the end`, async (t) => {
    const sandbox = makeSandbox(t);
    const sentinel = await playSentinel(sandbox);
    const brain = await sentinel.nextBrain();
    const first = shell(`: ${sandbox.marker}; while [ ! -e ${sandbox.path('go')} ]; do sleep 0.02; done; ${script}`);
    brain.send({ ...sentinel.frame, starts: [{ id: 1, command: first }] }, 0);
    const seq = await brain.told(/ started 1 \d+ \d+$/);
    const [, pid = '', startTime = ''] = / started 1 (\d+) (\d+)$/.exec(brain.lines().join('\n')) ?? [];
    const next = { pid: Number(pid), startTime: Number(startTime), id: 2, unless, command: shell('exec sleep 1000') };
    brain.send({ ...sentinel.frame, replaces: [next], title: 'watchdog: armed' }, seq);
    await waitUntil('the frame is applied', () =>
      readProcess(sentinel.process.pid)?.line.startsWith('watchdog: armed'),
    );
    sandbox.write('go', '');
    await brain.told(new RegExp(` ended ${pid} `));
    const said = brain
      .lines()
      .filter((line) => / (started|ended) /.test(line))
      .map((line) => line.split(' ')[2]);
    assert.deepEqual(said, follows ? ['started', 'started', 'ended'] : ['started', 'ended']);
  });
}
