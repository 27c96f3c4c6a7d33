import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { pidOf, QUICK_DEFAULTS, targetTable, tell, watchConfig } from '../support/control.ts';
import { isAlive, processesWith, signal } from '../support/processes.ts';
import { logged, makeSandbox } from '../support/sandbox.ts';
import { waitUntil } from '../support/wait-until.ts';

test('many targets, one watchdog: each is recovered for itself, in the order of what it depends on', async (t) => {
  const sandbox = makeSandbox(t);
  const config = sandbox.write(
    'watchdog.toml',
    `${QUICK_DEFAULTS}${targetTable(sandbox, 'app', 'depends-on = ["cache", "db"]')}${targetTable(sandbox, 'db')}${targetTable(sandbox, 'cache', 'depends-on = ["db"]')}`,
  );
  sandbox.watchdog(['--config', config]);
  await logged(sandbox, / app recovered: /);
  const started = () => sandbox.read('ev').trim().split('\n');
  assert.deepEqual(started(), ['db', 'cache', 'app']);
  signal(pidOf(sandbox, 'cache') ?? 0, 'SIGKILL');
  await logged(sandbox, / cache recovered: /, 2);
  assert.deepEqual(started(), ['db', 'cache', 'app', 'cache'], 'nobody else');
  // At the same moment: to find each of them takes time, in which the one before could be recovered.
  const all = ['app', 'cache', 'db'].map((name) => pidOf(sandbox, name) ?? 0);
  for (const pid of all) signal(pid, 'SIGKILL');
  await logged(sandbox, / app recovered: /, 2);
  assert.deepEqual(started().slice(4), ['db', 'cache', 'app']);
});

test('twenty targets sleep in one process, and one scan looks for all of them', async (t) => {
  const sandbox = makeSandbox(t);
  const names = Array.from({ length: 20 }, (_, at) => `t${at}x`);
  const targets = names.map((name) => targetTable(sandbox, name)).join('');
  const watchdog = sandbox.watchdog(['--config', sandbox.write('watchdog.toml', QUICK_DEFAULTS + targets)]);
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
  const targets = names.map((name) => targetTable(sandbox, name)).join('');
  const watchdog = sandbox.watchdog(['--config', sandbox.write('watchdog.toml', QUICK_DEFAULTS + targets)]);
  await logged(sandbox, ' recovered: ', 3);
  for (let round = 1; round <= 5; round += 1) {
    for (const name of names) signal(pidOf(sandbox, name) ?? 0, 'SIGKILL');
    await logged(sandbox, ' gone: ', 3 * round);
    const brain = processesWith('watchdog: brain').find((one) => one.ppid === watchdog.pid);
    if (brain !== undefined && sandbox.read('log').match(/ recovered: /g)?.length !== 3 * round + 3)
      signal(brain.pid, 'SIGKILL');
    await logged(sandbox, ' recovered: ', 3 * round + 3);
  }
  assert.equal(sandbox.read('ev').trim().split('\n').length, 18, 'none twice');
});

test('an order of dependencies holds under random kills, several in one moment among them', async (t) => {
  const sandbox = makeSandbox(t);
  const names = ['db', 'cache', 'app', 'web', 'log'];
  const dependsOn: Record<string, readonly string[]> = { cache: ['db'], app: ['db', 'cache'], web: ['app'] };
  const tables = names.map((name) => {
    const line = `${sandbox.marker}_${name}`;
    const others = dependsOn[name] ?? [];
    const checks = others.map(
      (one) =>
        `pgrep -f '^${sandbox.marker}_${one} 1000' > /dev/null || echo "${name} before ${one}" >> ${sandbox.path('bad')}`,
    );
    const recover = [...checks, `exec bash -c 'exec -a ${line} sleep 1000'`].join('; ');
    const more = others.length === 0 ? '' : `depends-on = [${others.map((one) => `"${one}"`).join(', ')}]\n`;
    return `[target.${name}]\npattern = "^${line} 1000"\nrecover = '''${recover}'''\n${more}`;
  });
  const watchdog = watchConfig(sandbox, QUICK_DEFAULTS + tables.join('\n'));
  const allUp = (round: number) =>
    waitUntil(`all are up in round ${round}`, () => tell(sandbox, 'status').status === 0, 20_000);
  await allUp(0);
  for (let round = 1; round <= 12; round += 1) {
    const victims = names.filter(() => Math.random() < 0.5);
    const pids = victims.map((name) => pidOf(sandbox, name) ?? 0).sort(() => Math.random() - 0.5);
    // In one moment as far as it can tell: what dies after a decision was made is another story.
    signal(watchdog.pid, 'SIGSTOP');
    for (const pid of pids) signal(pid, 'SIGKILL');
    await waitUntil('they have ended', () => pids.every((pid) => !isAlive(pid)));
    signal(watchdog.pid, 'SIGCONT');
    await waitUntil('they are others', () => victims.every((name) => pidOf(sandbox, name) !== undefined), 20_000);
    await allUp(round);
  }
  assert.equal(sandbox.read('bad'), '');
});
