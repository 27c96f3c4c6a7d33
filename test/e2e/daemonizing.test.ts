/** Programs that run away: followed all the same, whichever way they go, and ended wherever they are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile } from '../support/compile.ts';
import { statusOf, tell, until, watchConfig } from '../support/control.ts';
import { processesOf, processesWith, readProcess, signal } from '../support/processes.ts';
import { makeSandbox } from '../support/sandbox.ts';
import { waitUntil } from '../support/wait-until.ts';

const KILLS = 100;
const WAYS: readonly (readonly [ways: string, what: string])[] = [
  ['-', 'one fork'],
  ['d', 'two forks in its session'],
  ['ds', 'two forks and a session of its own'],
  ['dsc', 'two forks, a session, all descriptors closed'],
  ['dsn', 'two forks, a session, another name, its variables overwritten'],
  ['dsu', 'two forks, a session, another user, hidden from debuggers'],
  ['sw', 'a session and two workers'],
];

for (const [ways, what] of WAYS) {
  test(`${what}: followed over ${KILLS} kills`, async (t) => {
    const sandbox = makeSandbox(t);
    const program = compile(sandbox, 'daemonize');
    const text = `[target.d]\ncommand = "${program} ${sandbox.marker} ${ways}"\nstart-seconds = 0\nbackoff = "100ms..1s"\nstop-timeout = "2s"\n`;
    const watchdog = watchConfig(sandbox, text);
    await until(sandbox, 'd', 'up');
    const isSleeping = (pid: number) => pid > 0 && readProcess(pid)?.state === 'S';
    const family = () =>
      processesOf(sandbox.marker).filter((one) => one.ppid === watchdog.pid && !/watchdog/.test(one.line));
    // The one that is followed, by the last word on it in the log.
    const mainPid = () => {
      const last =
        sandbox
          .read('log')
          .split('\n')
          .findLast((line) => / goes on|, lasted/.test(line)) ?? '';
      return Number(/.*pid (\d+) "/.exec(last)?.[1] ?? 0);
    };
    for (let kill = 1; kill <= KILLS; kill += 1) {
      // Not the starter, which is about to end.
      const pid = await waitUntil('it is followed', () => (isSleeping(mainPid()) ? mainPid() : 0));
      assert.equal(readProcess(pid)?.ppid, watchdog.pid, 'it has come to the watchdog');
      signal(pid, 'SIGKILL');
      const again = `starting it again, kill ${kill}`;
      await waitUntil(again, () => sandbox.read('log').split('; starting it again').length > kill).catch(
        (error: Error) => {
          throw new Error(`${error.message}, after ${pid}:\n${sandbox.read('log').split('\n').slice(-12).join('\n')}`);
        },
      );
    }
    await until(sandbox, 'd', 'up');
    assert.equal(statusOf(sandbox, 'd').recoveries, KILLS);
    assert.equal(statusOf(sandbox, 'd').lastExit, 'killed by SIGKILL');
    assert.equal(tell(sandbox, 'stop', 'd').status, 0);
    assert.deepEqual(family(), [], 'nothing is left behind');
  });
}

test('two that run away at the same moment are told from each other', async (t) => {
  const sandbox = makeSandbox(t);
  const program = compile(sandbox, 'daemonize');
  const names = ['a', 'b', 'c', 'd'];
  const table = (name: string): string => `[target.${name}]\ncommand = "${program} ${sandbox.marker}_${name} dsc"\n`;
  watchConfig(sandbox, `[defaults]\nstart-seconds = 0\n${names.map(table).join('')}`);
  for (const name of names) await until(sandbox, name, 'up');
  for (const name of names)
    assert.match(statusOf(sandbox, name).processes[0]?.command ?? '', new RegExp(`_${name} dsc$`));
});

test('who fails in the background has failed, however soon after the program that left it there', async (t) => {
  const sandbox = makeSandbox(t);
  const program = compile(sandbox, 'daemonize');
  // Every other one leads a session, and leaves two workers of it behind.
  const names = Array.from({ length: 16 }, (_, at) => `${at % 2 === 0 ? '' : 'sw'}f${at * 4}`);
  const table = (name: string): string => `[target.${name}]\ncommand = "${program} ${sandbox.marker} ${name}"\n`;
  const watchdog = watchConfig(sandbox, `[defaults]\nbackoff = "30s..60s"\n${names.map(table).join('')}`);
  const ends = () =>
    sandbox
      .read('log')
      .split('\n')
      .filter((line) => / exited: /.test(line));
  await waitUntil('all have ended', () => ends().length === names.length);
  for (const line of ends()) assert.match(line, /, killed by SIGSEGV, not expected, before it had lasted$/);
  await waitUntil('nobody is left', () => processesWith(`${program} `).length === 0);
  assert.match(ends().join('\n'), /exited: pid \d+, which pid \d+ had left in the background, killed by SIGSEGV/);
  for (const name of names) await until(sandbox, name, 'backing off');
  assert.equal(watchdog.child.exitCode, null);
});

test('a start whose daemon fails is not waited for', async (t) => {
  const sandbox = makeSandbox(t);
  const program = compile(sandbox, 'daemonize');
  const text = `[target.d]\ncommand = "${program} ${sandbox.marker} sf5"\ndaemonizes = true\nstart-grace = "5m"\nbackoff = "30s..60s"\n`;
  watchConfig(sandbox, text);
  await waitUntil('it has failed', () =>
    / d start failed: pid \d+ was up, but only for \d+ms \(killed by SIGSEGV\); next try in /.test(sandbox.read('log')),
  );
});

test('a program that hands over to another and ends in peace is not started again', async (t) => {
  const sandbox = makeSandbox(t);
  const name = `${sandbox.marker}_next`;
  const command = `trap '(setsid bash -c "exec -a ${name} sleep 1000") & sleep 0.3; exit 0' USR2; echo x >> ${sandbox.path('ev')}; while :; do sleep 0.1; done`;
  watchConfig(sandbox, `[target.p]\nsettle = "200ms"\ncommand = ["bash", "-c", ${JSON.stringify(command)}]\n`);
  await until(sandbox, 'p', 'up');
  const [first] = statusOf(sandbox, 'p').processes;
  signal(first?.pid ?? 0, 'SIGUSR2');
  await waitUntil('the other one is followed', () => statusOf(sandbox, 'p').processes[0]?.command.startsWith(name));
  assert.equal(sandbox.recoveries(), 1);
  assert.equal(statusOf(sandbox, 'p').state, 'up');
  assert.deepEqual(tell(sandbox, 'stop', 'p'), { status: 0, output: 'p: is stopped\n' });
});

test('a pid-file says who it is, and one that runs already is taken as it is', async (t) => {
  const sandbox = makeSandbox(t);
  const name = `${sandbox.marker}_d`;
  const serve = `(exec -a ${name} setsid bash -c 'echo $$ > ${sandbox.path('d.pid')}; sleep 1000 & exec -a ${name} sleep 1000') > /dev/null 2>&1 &`;
  sandbox.write('start.sh', `echo x >> ${sandbox.path('ev')}\n${serve}\nsleep 0.2\n`);
  const text = `[target.d]\ncommand = ["bash", "${sandbox.path('start.sh')}"]\npid-file = "d.pid"\ndaemonizes = true\nstart-seconds = 0\nstart-grace = "5s"\nstop-timeout = "2s"\nenv = { MARKER = "${sandbox.marker}" }\n`;
  const first = watchConfig(sandbox, text);
  await until(sandbox, 'd', 'up');
  const pid = Number(sandbox.read('d.pid'));
  assert.deepEqual(
    statusOf(sandbox, 'd').processes.map((one) => one.pid),
    [pid],
  );
  signal(pid, 'SIGKILL');
  await waitUntil('there is another', () => Number(sandbox.read('d.pid')) !== pid);
  await until(sandbox, 'd', 'up');
  const next = Number(sandbox.read('d.pid'));
  assert.equal(sandbox.recoveries(), 2);
  assert.equal(statusOf(sandbox, 'd').lastExit, 'killed by SIGKILL');
  signal(first.pid, 'SIGKILL');
  await first.ended;
  watchConfig(sandbox, text);
  await until(sandbox, 'd', 'up');
  assert.deepEqual(
    statusOf(sandbox, 'd').processes.map((one) => one.pid),
    [next],
  );
  assert.equal(sandbox.recoveries(), 2, 'nothing is started beside it');
  assert.equal(tell(sandbox, 'stop', 'd').status, 0);
  assert.deepEqual(
    processesOf(sandbox.marker).filter(({ line }) => /sleep 1000/.test(line) || line.startsWith(name)),
    [],
  );
});
