import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { processesWith, signal } from '../support/processes.ts';
import { logged, makeSandbox, type Sandbox } from '../support/sandbox.ts';
import { waitUntil } from '../support/wait-until.ts';

const QUICK = 'confirm = "300ms"\nsettle = "300ms"\nbackoff = "200ms..2s"\nstart-grace = "2s"\n';

/** A target of a file: a program of its own, and a recovery that counts itself and becomes it. */
function target(sandbox: Sandbox, name: string, more = ''): string {
  const line = `${sandbox.marker}_${name}`;
  return `
[target.${name}]
pattern = "^${line} 1000"
recover = '''echo ${name} >> ${sandbox.path('ev')}; exec bash -c "exec -a ${line} sleep 1000"'''
${more}
`;
}

function pidOf(sandbox: Sandbox, name: string): number | undefined {
  return processesWith(`${sandbox.marker}_${name}`).find((one) => one.line.startsWith(`${sandbox.marker}_${name} `))
    ?.pid;
}

test('many targets, one watchdog: each is recovered for itself, in the order of what it depends on', async (t) => {
  const sandbox = makeSandbox(t);
  const config = sandbox.write(
    'watchdog.toml',
    `[defaults]\n${QUICK}${target(sandbox, 'app', 'depends-on = ["cache", "db"]')}${target(sandbox, 'db')}${target(sandbox, 'cache', 'depends-on = ["db"]')}`,
  );
  sandbox.watchdog(['--config', config]);
  await logged(sandbox, / app recovered: /);
  const started = () => sandbox.read('ev').trim().split('\n');
  assert.deepEqual(started(), ['db', 'cache', 'app']);
  signal(pidOf(sandbox, 'cache') ?? 0, 'SIGKILL');
  await logged(sandbox, / cache recovered: /, 2);
  assert.deepEqual(started(), ['db', 'cache', 'app', 'cache'], 'nobody else');
  for (const name of ['app', 'cache', 'db']) signal(pidOf(sandbox, name) ?? 0, 'SIGKILL');
  await logged(sandbox, / app recovered: /, 2);
  assert.deepEqual(started().slice(4), ['db', 'cache', 'app']);
});

test('twenty targets sleep in one process, and one scan looks for all of them', async (t) => {
  const sandbox = makeSandbox(t);
  const names = Array.from({ length: 20 }, (_, at) => `t${at}x`);
  const targets = names.map((name) => target(sandbox, name)).join('');
  const watchdog = sandbox.watchdog(['--config', sandbox.write('watchdog.toml', `[defaults]\n${QUICK}${targets}`)]);
  await logged(sandbox, ' recovered: ', 20);
  await waitUntil(
    'it sleeps',
    () => readFileSync(`/proc/${watchdog.pid}/task/${watchdog.pid}/children`, 'latin1').trim().split(' ').length <= 20,
  );
  const title = readFileSync(`/proc/${watchdog.pid}/cmdline`, 'latin1');
  assert.match(title, /^watchdog: watching, 20 targets, all up/);
  assert.ok(readdirSync(`/proc/${watchdog.pid}/fd`).length >= 20, 'a pidfd for each');
  for (const name of names) signal(pidOf(sandbox, name) ?? 0, 'SIGKILL');
  await logged(sandbox, ' recovered: ', 40);
  assert.equal(sandbox.read('ev').trim().split('\n').length, 40, 'each was recovered once more');
});

test('a watchdog that was killed with its brain at work goes on with every target', async (t) => {
  const sandbox = makeSandbox(t);
  const names = ['a1', 'b1', 'c1'];
  const targets = names.map((name) => target(sandbox, name)).join('');
  sandbox.watchdog(['--config', sandbox.write('watchdog.toml', `[defaults]\n${QUICK}${targets}`)]);
  await logged(sandbox, ' recovered: ', 3);
  for (let round = 1; round <= 5; round += 1) {
    for (const name of names) signal(pidOf(sandbox, name) ?? 0, 'SIGKILL');
    await logged(sandbox, ' gone: ', 3 * round);
    const brain = processesWith('watchdog: brain').at(-1);
    if (brain !== undefined && sandbox.read('log').match(/ recovered: /g)?.length !== 3 * round + 3)
      signal(brain.pid, 'SIGKILL');
    await logged(sandbox, ' recovered: ', 3 * round + 3);
  }
  assert.equal(sandbox.read('ev').trim().split('\n').length, 18, 'none twice');
});
