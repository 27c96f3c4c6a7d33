/** Programs of a configuration: started here, kept, ended in order. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { statusOf, tell, until, watchConfig } from '../support/control.ts';
import { allProcesses, isAlive, readProcess, signal } from '../support/processes.ts';
import { idle, living, QUICK_PROGRAMS } from '../support/program.ts';
import { makeSandbox, type Sandbox, withoutTimes } from '../support/sandbox.ts';
import { waitUntil } from '../support/wait-until.ts';

function bash(text: string): string {
  return `["bash", "-c", ${JSON.stringify(text)}]`;
}

function lines(sandbox: Sandbox, target: string): readonly string[] {
  return withoutTimes(sandbox.read('log')).filter((line) => line.startsWith(`${target} `));
}

/** Exit codes and signals, and whether each is followed by a start, by autorestart. */
const ENDS = ['exit 0', 'exit 1', 'exit 2', 'kill -TERM $$', 'kill -KILL $$'] as const;
const POLICIES: readonly (readonly [policy: string, codes: string, starts: readonly boolean[]])[] = [
  ['true', '[0]', [true, true, true, true, true]],
  ['false', '[0]', [false, false, false, false, false]],
  ['"unexpected"', '[0, 2]', [false, true, false, true, true]],
];
for (const [policy, codes, starts] of POLICIES) {
  test(`what is started again with autorestart = ${policy}`, async (t) => {
    const sandbox = makeSandbox(t);
    const tables = ENDS.map(
      (end, at) => `[target.p${at}]\ncommand = ${bash(`echo x >> ${sandbox.path(`ev${at}`)}; sleep 0.4; ${end}`)}\n`,
    );
    const defaults = `${QUICK_PROGRAMS}autorestart = ${policy}\nexpected-exit-codes = ${codes}\n`;
    watchConfig(sandbox, defaults + tables.join(''));
    const runs = (at: number) => sandbox.read(`ev${at}`).split('\n').length - 1;
    await waitUntil('each has done as it should', () =>
      starts.every((again, at) =>
        again ? runs(at) >= 2 : lines(sandbox, `p${at}`).at(-1)?.includes('not started again'),
      ),
    );
    for (const [at, again] of starts.entries()) {
      if (again) continue;
      assert.equal(runs(at), 1);
      assert.equal(statusOf(sandbox, `p${at}`).state, 'exited');
      const how = ENDS[at]?.startsWith('exit') ? `exit status ${ENDS[at].slice(5)}` : /killed by SIG/;
      assert.match(statusOf(sandbox, `p${at}`).lastExit ?? '', new RegExp(how));
    }
  });
}

test('a program is a child of the watchdog, itself and no shell around it', async (t) => {
  const sandbox = makeSandbox(t);
  const text = `[target.text]\ncommand = "bash -c 'exec -a ${sandbox.marker}_text sleep 1000'"\n[target.list]\ncommand = ${bash(idle(sandbox, 'list'))}\n`;
  const watchdog = watchConfig(sandbox, QUICK_PROGRAMS + text);
  for (const name of ['text', 'list']) {
    await until(sandbox, name, 'up');
    const [pid = 0] = living(sandbox, name);
    assert.equal(readProcess(pid)?.ppid, watchdog.pid);
    assert.deepEqual(
      statusOf(sandbox, name).processes.map((one) => one.pid),
      [pid],
    );
  }
});

test('copies have numbers, in their names and for themselves, and are asked for together', async (t) => {
  const sandbox = makeSandbox(t);
  const command = bash(`exec -a ${sandbox.marker}_w$WATCHDOG_NUMBER sleep 1000`);
  watchConfig(sandbox, `${QUICK_PROGRAMS}[target.w]\ncommand = ${command}\nnumprocs = 3\n`);
  for (const number of [1, 2, 3]) {
    await until(sandbox, `w-${number}`, 'up');
    assert.equal(living(sandbox, `w${number}`).length, 1);
  }
  const said = tell(sandbox, 'stop', 'w');
  assert.equal(said.output, 'w-1: is stopped\nw-2: is stopped\nw-3: is stopped\n');
  assert.equal(living(sandbox, 'w').length, 0);
});

test('a stop reaches the whole group, and what does not end is killed', async (t) => {
  const sandbox = makeSandbox(t);
  const m = sandbox.marker;
  const command = bash(
    `(exec -a ${m}_child sleep 1000) & (trap '' TERM; setsid bash -c 'trap "" TERM; exec -a ${m}_far sleep 1000' &) ; ${idle(sandbox, 'main')}`,
  );
  watchConfig(sandbox, `${QUICK_PROGRAMS}[target.p]\ncommand = ${command}\nstop-timeout = "500ms"\n`);
  await until(sandbox, 'p', 'up');
  await waitUntil('all are there', () => living(sandbox, '').length === 3);
  assert.equal(tell(sandbox, 'stop', 'p').status, 0);
  assert.equal(living(sandbox, '').length, 0, 'nothing is left behind');
  assert.ok(lines(sandbox, 'p').some((line) => line.includes('did not end in time; sending KILL')));
  assert.equal(tell(sandbox, 'start', 'p').status, 0);
  assert.equal(living(sandbox, 'main').length, 1);
});

test('what is not started by itself waits for somebody to ask', async (t) => {
  const sandbox = makeSandbox(t);
  watchConfig(sandbox, `${QUICK_PROGRAMS}[target.p]\nautostart = false\ncommand = ${bash(idle(sandbox, 'p'))}\n`);
  await until(sandbox, 'p', 'stopped');
  assert.match(lines(sandbox, 'p').join('\n'), /not started: autostart is off/);
  assert.equal(tell(sandbox, 'start', 'p').status, 0);
  assert.equal(living(sandbox, 'p').length, 1);
});

test('programs end with their watchdog, each after those that need it', async (t) => {
  const sandbox = makeSandbox(t);
  const table = (name: string, more: string): string =>
    `[target.${name}]\ncommand = ${bash(`trap 'sleep 0.2; echo ${name} >> ${sandbox.path('order')}; exit 0' TERM; exec -a ${sandbox.marker}_${name} sleep 1000 & while :; do wait; done`)}\n${more}`;
  const text =
    table('db', 'priority = 10\n') +
    table('app', 'depends-on = ["db"]\npriority = 10\n') +
    table('web', 'priority = 20\n');
  const watchdog = watchConfig(sandbox, `${QUICK_PROGRAMS}kill-mode = "process"\n${text}`);
  for (const name of ['db', 'app', 'web']) await until(sandbox, name, 'up');
  signal(watchdog.pid, 'SIGTERM');
  assert.deepEqual(await watchdog.ended, { status: 0, signal: null });
  assert.deepEqual(sandbox.read('order').trim().split('\n'), ['web', 'app', 'db']);
});

test('those of a lower priority are started first', async (t) => {
  const sandbox = makeSandbox(t);
  const table = (name: string, priority: number): string =>
    `[target.${name}]\npriority = ${priority}\ncommand = ${bash(idle(sandbox, name))}\n`;
  watchConfig(sandbox, QUICK_PROGRAMS + table('c', 30) + table('a', 10) + table('b', 20));
  await until(sandbox, 'c', 'up');
  const started = withoutTimes(sandbox.read('log')).filter((line) => / bash -c /.test(line) && !/started: /.test(line));
  assert.deepEqual(
    started.map((line) => line.split(' ')[0]),
    ['a', 'b', 'c'],
  );
});

test('whoever asks twice does not wait for a stubborn program', async (t) => {
  const sandbox = makeSandbox(t);
  const text = `[target.p]\nstop-timeout = "60s"\ncommand = ${bash(`trap '' TERM; ${idle(sandbox, 'p')}`)}\n`;
  const watchdog = watchConfig(sandbox, QUICK_PROGRAMS + text);
  await until(sandbox, 'p', 'up');
  signal(watchdog.pid, 'SIGTERM');
  await waitUntil('it is asked to end', () => sandbox.read('log').includes('the watchdog ends'));
  assert.ok(isAlive(watchdog.pid));
  signal(watchdog.pid, 'SIGTERM');
  assert.equal((await watchdog.ended).status, 0);
  assert.equal(living(sandbox, 'p').length, 0);
});

test('a watchdog that is killed leaves its programs, and the next one goes on with them', async (t) => {
  const sandbox = makeSandbox(t);
  const text = `${QUICK_PROGRAMS}[target.p]\ncommand = ${bash(idle(sandbox, 'p'))}\n`;
  const first = watchConfig(sandbox, text);
  await until(sandbox, 'p', 'up');
  const [pid = 0] = living(sandbox, 'p');
  signal(first.pid, 'SIGKILL');
  await first.ended;
  watchConfig(sandbox, text);
  await until(sandbox, 'p', 'up');
  assert.deepEqual(living(sandbox, 'p'), [pid], 'no second one was started');
  signal(pid, 'SIGKILL');
  await waitUntil('it is started again', () => living(sandbox, 'p').some((one) => one !== pid));
  assert.equal(tell(sandbox, 'stop', 'p').status, 0);
  assert.equal(living(sandbox, 'p').length, 0);
});

test('what an operator has stopped stays so when the watchdog ends, and nothing else does', async (t) => {
  const sandbox = makeSandbox(t);
  const text = `${QUICK_PROGRAMS}[target.a]\ncommand = ${bash(idle(sandbox, 'a'))}\n[target.b]\ncommand = ${bash(idle(sandbox, 'b'))}\n`;
  const first = watchConfig(sandbox, text);
  for (const name of ['a', 'b']) await until(sandbox, name, 'up');
  assert.equal(tell(sandbox, 'stop', 'a').status, 0);
  assert.equal(tell(sandbox, 'shutdown').status, 0);
  await first.ended;
  watchConfig(sandbox, text);
  await until(sandbox, 'b', 'up');
  await until(sandbox, 'a', 'stopped');
  assert.equal(living(sandbox, 'a').length, 0);
});

test('one that fails too often ends the watchdog, with its exit code', async (t) => {
  const sandbox = makeSandbox(t);
  const text = `[target.bad]\nexit-on-failure = 2\ncommand = ${bash(`echo x >> ${sandbox.path('ev')}; exit 7`)}\n[target.good]\ncommand = ${bash(idle(sandbox, 'good'))}\n`;
  const watchdog = watchConfig(sandbox, QUICK_PROGRAMS + text);
  assert.deepEqual(await watchdog.ended, { status: 7, signal: null });
  assert.equal(sandbox.recoveries(), 2);
  assert.equal(living(sandbox, 'good').length, 0, 'the others end with it');
  assert.match(sandbox.read('log'), /stopped: bad failed 2 times in a row \(exit-on-failure\)/);
});

test('a program that is changed is started anew, one that is removed is ended, one that is new is started', async (t) => {
  const sandbox = makeSandbox(t);
  const table = (name: string, as = name): string => `[target.${name}]\ncommand = ${bash(idle(sandbox, as))}\n`;
  watchConfig(sandbox, QUICK_PROGRAMS + table('kept') + table('changed') + table('removed'));
  for (const name of ['kept', 'changed', 'removed']) await until(sandbox, name, 'up');
  const kept = living(sandbox, 'kept');
  sandbox.write('watchdog.toml', QUICK_PROGRAMS + table('kept') + table('changed', 'other') + table('added'));
  assert.equal(tell(sandbox, 'reload').status, 0);
  await waitUntil(
    'all is as it should be',
    () => living(sandbox, 'other').length === 1 && living(sandbox, 'added').length === 1,
  );
  await waitUntil('the removed one is gone', () => living(sandbox, 'removed').length === 0);
  assert.equal(living(sandbox, 'changed').length, 0);
  assert.deepEqual(living(sandbox, 'kept'), kept);
  await waitUntil('nobody speaks of it any more', () => !tell(sandbox, 'status').output.includes('removed '));
});

test('a program that is removed and wanted again before it has ended is started again', async (t) => {
  const sandbox = makeSandbox(t);
  const deaf = `[target.deaf]\nstop-timeout = "1s"\ncommand = ${bash(`trap '' TERM; echo x >> ${sandbox.path('ev')}; ${idle(sandbox, 'deaf')}`)}\n`;
  const other = `[target.other]\ncommand = ${bash(idle(sandbox, 'other'))}\n`;
  watchConfig(sandbox, QUICK_PROGRAMS + other + deaf);
  await until(sandbox, 'deaf', 'up');
  const [pid = 0] = living(sandbox, 'deaf');
  sandbox.write('watchdog.toml', QUICK_PROGRAMS + other);
  assert.equal(tell(sandbox, 'reload').status, 0);
  assert.ok(isAlive(pid), 'it heeds no TERM');
  sandbox.write('watchdog.toml', QUICK_PROGRAMS + other + deaf);
  assert.equal(tell(sandbox, 'reload').status, 0);
  await waitUntil('it is there again', () => sandbox.recoveries() === 2);
  await until(sandbox, 'deaf', 'up');
  assert.ok(!isAlive(pid));
  assert.equal(living(sandbox, 'deaf').length, 1);
});

test('a program that cannot be started is told of with the reason', async (t) => {
  const sandbox = makeSandbox(t);
  watchConfig(sandbox, `${QUICK_PROGRAMS}[target.p]\ncommand = ["no-such-program-here", "x"]\n`);
  await waitUntil('it is told', () => sandbox.read('log').includes('start failed: '));
  assert.match(sandbox.read('log'), /no-such-program-here: not found/);
  assert.match(
    sandbox.read('log'),
    /start failed: the command ended with exit status 127 \(command not found; PATH is /,
  );
});

test('no variable of the watchdog reaches a program, but what it is told', async (t) => {
  const sandbox = makeSandbox(t);
  watchConfig(sandbox, `${QUICK_PROGRAMS}[target.p]\ncommand = ${bash(idle(sandbox, 'p'))}\nenv = { OWN = "x" }\n`);
  await until(sandbox, 'p', 'up');
  const [pid = 0] = living(sandbox, 'p');
  const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  assert.ok(variables.includes('OWN=x') && variables.includes('WATCHDOG_TARGET=p'));
  assert.ok(!variables.some((one) => one.startsWith('WATCHDOG_FRAME')));
});

/** Until no brain is awake: from here on the sentinel is alone. */
async function asleep(sandbox: Sandbox, watchdog: number): Promise<void> {
  const brains = () => allProcesses().filter((one) => one.ppid === watchdog && one.line.startsWith('watchdog: brain'));
  await waitUntil('it is up', () => sandbox.read('log').includes(', lasted'));
  await waitUntil('the brain sleeps', () => brains().length === 0);
}

test('one that crashes while all sleeps is followed by the next at once, and all of it is told', async (t) => {
  const sandbox = makeSandbox(t);
  const text = `[target.p]\ncommand = ${bash(`echo $WATCHDOG_CAUSE >> ${sandbox.path('ev')}; ${idle(sandbox, 'p')}`)}\n`;
  const watchdog = watchConfig(sandbox, QUICK_PROGRAMS + text, ['--linger', '0']);
  for (let kill = 1; kill <= 3; kill += 1) {
    const lasted = () => sandbox.read('log').split(', lasted').length - 1;
    await waitUntil('it has lasted', () => lasted() === kill);
    await asleep(sandbox, watchdog.pid);
    const [pid = 0] = living(sandbox, 'p');
    signal(pid, 'SIGSEGV');
    await waitUntil('there is another', () => living(sandbox, 'p').some((one) => one !== pid));
  }
  await until(sandbox, 'p', 'up');
  assert.equal(sandbox.read('ev'), 'start\nexited\nexited\nexited\n', 'each was started once');
  assert.equal(statusOf(sandbox, 'p').recoveries, 3);
  assert.equal(statusOf(sandbox, 'p').lastExit, 'killed by SIGSEGV');
  assert.deepEqual(
    statusOf(sandbox, 'p').processes.map(({ pid }) => pid),
    living(sandbox, 'p'),
  );
  assert.equal(lines(sandbox, 'p').filter((line) => /not expected; starting it again/.test(line)).length, 3);
  assert.equal(tell(sandbox, 'stop', 'p').status, 0);
  assert.equal(living(sandbox, 'p').length, 0);
});

test('while all sleeps, an end that was expected is no reason to start, nor is a crash that has left somebody', async (t) => {
  const sandbox = makeSandbox(t);
  const m = sandbox.marker;
  const done = bash(
    `trap 'exit 0' USR1; echo done >> ${sandbox.path('ev')}; : ${m}_done; while :; do sleep 0.05; done`,
  );
  const leaves = bash(
    `echo leaves >> ${sandbox.path('ev')}; (setsid bash -c 'exec -a ${m}_far sleep 1000' &); ${idle(sandbox, 'leaves')}`,
  );
  const text = `[target.done]\ncommand = ${done}\n[target.leaves]\ncommand = ${leaves}\n`;
  const watchdog = watchConfig(sandbox, QUICK_PROGRAMS + text, ['--linger', '0']);
  await waitUntil('both have lasted', () => sandbox.read('log').split(', lasted').length === 3);
  await asleep(sandbox, watchdog.pid);
  const far = living(sandbox, 'far');
  signal(living(sandbox, 'leaves')[0] ?? 0, 'SIGKILL');
  await waitUntil('it is there again', () => sandbox.read('ev').split('leaves').length === 3);
  assert.ok(far.length === 1 && !isAlive(far[0] ?? 0), 'who was left has ended before');
  assert.match(lines(sandbox, 'leaves').join('\n'), /left behind: pid/);
  await waitUntil('both have lasted', () => sandbox.read('log').split(', lasted').length === 4);
  await asleep(sandbox, watchdog.pid);
  signal(
    allProcesses().find((one) => one.ppid === watchdog.pid && one.line.includes(`${m}_done`))?.pid ?? 0,
    'SIGUSR1',
  );
  await until(sandbox, 'done', 'exited');
  assert.equal(sandbox.read('ev').split('done').length, 2);
});

test('resident, programs are kept alike', async (t) => {
  const sandbox = makeSandbox(t);
  const text = `[target.p]\ncommand = ${bash(`echo x >> ${sandbox.path('ev')}; ${idle(sandbox, 'p')}`)}\n[target.done]\noutput = "done.out"\nerror-output = "done.err"\ncommand = ${bash('echo out; echo err >&2; sleep 0.4; exit 0')}\n`;
  const watchdog = watchConfig(sandbox, QUICK_PROGRAMS + text, ['--resident']);
  await until(sandbox, 'p', 'up');
  await until(sandbox, 'done', 'exited');
  assert.deepEqual([sandbox.read('done.out'), sandbox.read('done.err')], ['out\n', 'err\n']);
  const [pid = 0] = living(sandbox, 'p');
  signal(pid, 'SIGKILL');
  await waitUntil('it is there again', () => sandbox.recoveries() === 2);
  await until(sandbox, 'p', 'up');
  assert.equal(statusOf(sandbox, 'p').lastExit, 'killed by SIGKILL');
  assert.equal(tell(sandbox, 'stop', 'p').status, 0);
  assert.equal(living(sandbox, 'p').length, 0);
  assert.equal(tell(sandbox, 'start', 'p').status, 0);
  signal(watchdog.pid, 'SIGTERM');
  assert.equal((await watchdog.ended).status, 0);
  assert.equal(living(sandbox, 'p').length, 0);
});

test('where only the process itself is ended, what a crash has left lives on, and is never taken for it', async (t) => {
  const sandbox = makeSandbox(t);
  const m = sandbox.marker;
  const script = `(exec -a ${m}_left sleep 1000) & ${idle(sandbox, 'main')}`;
  watchConfig(sandbox, `${QUICK_PROGRAMS}kill-mode = "process"\n[target.p]\ncommand = ${bash(script)}\n`);
  for (let kill = 1; kill <= 3; kill += 1) {
    await waitUntil('it has lasted', () => sandbox.read('log').split(', lasted').length - 1 === kill);
    const [pid = 0] = living(sandbox, 'main');
    assert.deepEqual(
      statusOf(sandbox, 'p').processes.map((one) => one.pid),
      [pid],
    );
    if (kill < 3) signal(pid, 'SIGKILL');
  }
  assert.equal(living(sandbox, 'left').length, 3);
  assert.equal(tell(sandbox, 'stop', 'p').status, 0);
  assert.deepEqual([living(sandbox, 'main').length, living(sandbox, 'left').length], [0, 3]);
});

test('twenty programs that are up weigh next to nothing, and wake nobody', async (t) => {
  const sandbox = makeSandbox(t);
  const table = (at: number): string =>
    `[target.p${at}]\ncommand = ${bash(idle(sandbox, `p${at}`))}\noutput = "p.out"\n`;
  const text = Array.from({ length: 20 }, (_, at) => table(at)).join('');
  const watchdog = watchConfig(sandbox, QUICK_PROGRAMS + text, ['--linger', '0']);
  await waitUntil('all have lasted', () => sandbox.read('log').split(', lasted').length === 21);
  await asleep(sandbox, watchdog.pid);
  const read = (file: string, field: RegExp): number =>
    Number(field.exec(readFileSync(`/proc/${watchdog.pid}/${file}`, 'utf8'))?.[1]);
  const switches = (): number => read('status', /^voluntary_ctxt_switches:\s+(\d+)/m);
  assert.ok(read('smaps_rollup', /^Rss:\s+(\d+)/m) <= 300);
  assert.equal(read('status', /^Threads:\s+(\d+)/m), 1);
  const before = switches();
  // It is this stretch of time that is looked at: nothing may happen in it.
  await sleep(5_000);
  assert.equal(switches(), before);
});
