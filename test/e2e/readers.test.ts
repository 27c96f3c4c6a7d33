/** The two process tables, `/proc` and ps, give the same answer on the same processes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile } from '../support/compile.ts';
import { isAlive, readProcess, signal } from '../support/processes.ts';
import { AS_NOBODY, logged, makeSandbox, QUICK, runWatchdog } from '../support/sandbox.ts';
import { waitUntil } from '../support/wait-until.ts';

interface Result {
  readonly matches: readonly { pid: number; user: string; command: string; exe: string | null }[];
  readonly leftOut: readonly { pid: number; why: string }[];
  readonly trouble: string | null;
}

async function match(table: string, args: readonly string[]): Promise<Result> {
  const { output } = await runWatchdog(['match', '--json', '--process-table', table, ...args]);
  return JSON.parse(output) as Result;
}

test('the same matches, and the same left out for the same reasons', async (t) => {
  const sandbox = makeSandbox(t);
  const program = compile(sandbox, 'idle');
  const name = sandbox.marker.slice(0, 14);
  const parent = sandbox.start(compile(sandbox, 'zombie'), [name]);
  const started = [
    sandbox.start(program, ['one', 'two'], { argv0: `${sandbox.marker}.js` }),
    sandbox.start(program, ['with  blanks', 'x'.repeat(3_000)], { argv0: sandbox.marker }),
    sandbox.start('setpriv', [...AS_NOBODY, program], { cwd: '/' }),
    sandbox.start('sh', ['-c', `watchdog --pattern x 2>/dev/null; ${program} ${sandbox.marker}; :`]),
  ];
  const zombie = Number(await waitUntil('the zombie’s parent runs', () => parent.output().trim()));
  await waitUntil('the zombie is one', () => readProcess(zombie)?.state === 'Z');
  await waitUntil('all run', () => started.every((one) => readProcess(one.pid)?.line.includes(sandbox.marker)));
  const questions = [
    ['--pattern', sandbox.marker],
    ['--pattern', `^${sandbox.marker}`, '--ignore-case'],
    ['--pattern', `${sandbox.marker}.js one two`, '--exact'],
    ['--pattern', sandbox.marker, '--user', 'nobody'],
    ['--pattern', sandbox.marker, '--exe', program],
    ['--pattern', name],
    ['--pattern', 'kthreadd'],
  ];
  for (const question of questions) {
    const [proc, ps] = await Promise.all([match('proc', question), match('ps', question)]);
    const plain = (result: Result) => ({
      matches: result.matches
        .map(({ pid, user, command }) => ({ pid, user, command: command.trim() }))
        .sort((one, other) => one.pid - other.pid),
      // Each lists itself, and other runs of it come and go.
      leftOut: result.leftOut
        .filter((one) => one.why !== 'self' && one.why !== 'watchdog')
        .sort((one, other) => one.pid - other.pid)
        .map(({ pid, why }) => [pid, why]),
      trouble: result.trouble,
    });
    assert.deepEqual(plain(ps), plain(proc), question.join(' '));
  }
});

test('a target is watched by ps as well: a death is found at the next interval', async (t) => {
  const sandbox = makeSandbox(t);
  sandbox.watchdog([
    '--process-table',
    'ps',
    '--interval',
    '300ms',
    '--pattern',
    `^${sandbox.marker}`,
    '--recover',
    sandbox.recover,
    ...QUICK,
  ]);
  for (let time = 1; time <= 3; time += 1) {
    await logged(sandbox, 'recovered: ', time);
    assert.equal(sandbox.recoveries(), time);
    const [pid = 0] = sandbox.targets();
    signal(pid, 'SIGKILL');
    await waitUntil('it has ended', () => !isAlive(pid));
  }
});
