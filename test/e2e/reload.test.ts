import assert from 'node:assert/strict';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  pidOf,
  QUICK_DEFAULTS,
  recovered,
  statusOf,
  targetTable,
  tell,
  until,
  watchConfig,
} from '../support/control.ts';
import { readProcess, signal } from '../support/processes.ts';
import { logged, makeSandbox, WATCHDOG } from '../support/sandbox.ts';
import { waitUntil } from '../support/wait-until.ts';

test('a reload adds, changes and removes targets; what is the same keeps its state, its history and its processes', async (t) => {
  const sandbox = makeSandbox(t);
  const [a, b, c] = ['aa', 'bb', 'cc'].map((name) => targetTable(sandbox, name)) as [string, string, string];
  const watchdog = watchConfig(sandbox, QUICK_DEFAULTS + a + b);
  await logged(sandbox, ' recovered: ', 2);
  const before = [pidOf(sandbox, 'aa'), pidOf(sandbox, 'bb')];
  sandbox.write('watchdog.toml', QUICK_DEFAULTS + a + targetTable(sandbox, 'bb', 'stop-timeout = "5s"') + c);
  const said = tell(sandbox, 'reload');
  assert.equal(said.status, 0);
  assert.match(said.output, /was reloaded\nadded: cc\nchanged: bb\nunchanged: aa\n$/);
  await until(sandbox, 'cc', 'up');
  assert.deepEqual([pidOf(sandbox, 'aa'), pidOf(sandbox, 'bb')], before, 'nobody was restarted');
  assert.equal(statusOf(sandbox, 'aa').recoveries, 1);
  assert.match(tell(sandbox, 'why', 'bb').output, /recovered: [\s\S]*changed: it has other settings now/);
  sandbox.write('watchdog.toml', QUICK_DEFAULTS + a + c);
  signal(watchdog.pid, 'SIGHUP');
  await logged(sandbox, /reloaded .*: 0 added, 0 changed, 1 removed, 2 unchanged/);
  signal(before[1] ?? 0, 'SIGKILL');
  signal(before[0] ?? 0, 'SIGKILL');
  await logged(sandbox, 'aa recovered: ', 2);
  assert.deepEqual([...recovered(sandbox)].sort(), ['aa', 'aa', 'bb', 'cc']);
  assert.equal(pidOf(sandbox, 'bb'), undefined, 'bb is nobody’s any more');
  assert.equal(watchdog.child.exitCode, null, 'and its number is the same');
});

test('a broken file changes nothing: all goes on, the log and the caller are told where', async (t) => {
  const sandbox = makeSandbox(t);
  const good = QUICK_DEFAULTS + targetTable(sandbox, 'web');
  const watchdog = watchConfig(sandbox, good);
  await logged(sandbox, ' recovered: ');
  const path = sandbox.path('watchdog.toml');
  const broken: readonly (readonly [string, string | Buffer])[] = [
    ['an empty file', ''],
    ['no TOML', '[target.web'],
    ['an unknown key', `${good}\nfoo = 1\n`],
    ['a bad pattern', '[target.web]\npattern = "("\nrecover = "x"\n'],
    ['a name twice', good + targetTable(sandbox, 'web')],
    ['NUL bytes', Buffer.alloc(4_096)],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00, 0x41])],
    ['a circle', good + targetTable(sandbox, 'x1', 'depends-on = ["x1"]')],
    ['__proto__', '[__proto__]\npattern = "x"\n[target.constructor]\n'],
  ];
  let told = 0;
  for (const [what, text] of broken) {
    writeFileSync(path, text);
    const said = tell(sandbox, 'reload');
    assert.equal(said.status, 1, `${what}: ${said.output}`);
    assert.match(said.output, /watchdog\.toml/, what);
    told += said.output.trim().split('\n').length;
    await logged(sandbox, 'not reloaded, all goes on as before: ', told);
  }
  rmSync(path);
  assert.match(tell(sandbox, 'reload').output, /cannot be read: no such file/);
  signal(pidOf(sandbox, 'web') ?? 0, 'SIGKILL');
  await logged(sandbox, 'web recovered: ', 2);
  assert.equal(watchdog.child.exitCode, null);
});

test('a storm of SIGHUP ends with the last file; a reload hinders no stop', async (t) => {
  const sandbox = makeSandbox(t);
  const watchdog = watchConfig(sandbox, QUICK_DEFAULTS + targetTable(sandbox, 'one'));
  await logged(sandbox, 'one recovered: ');
  for (let round = 0; round < 200; round += 1) {
    const name = round === 199 ? 'last' : `n${round}`;
    sandbox.write(
      'watchdog.new',
      QUICK_DEFAULTS + targetTable(sandbox, 'one') + (round === 199 ? targetTable(sandbox, name) : ''),
    );
    renameSync(sandbox.path('watchdog.new'), sandbox.path('watchdog.toml'));
    signal(watchdog.pid, 'SIGHUP');
  }
  await logged(sandbox, 'last recovered: ');
  const reloads = sandbox.read('log').match(/ reloaded /g)?.length ?? 0;
  assert.ok(reloads >= 1 && reloads < 200, `${reloads} reloads of 200`);
  signal(watchdog.pid, 'SIGHUP');
  signal(watchdog.pid, 'SIGTERM');
  assert.equal((await watchdog.ended).status, 0);
});

test('a target that is removed while its recovery runs: that finishes, and is not started twice when it is back', async (t) => {
  const sandbox = makeSandbox(t);
  const line = `${sandbox.marker}_slow`;
  const recover = `echo slow >> ${sandbox.path('ev')}; sleep 2; exec bash -c "exec -a ${line} sleep 1000"`;
  const slow = `[target.slow]\npattern = "^${line} 1000"\nrecover = '''${recover}'''\n`;
  const other = targetTable(sandbox, 'other');
  watchConfig(sandbox, QUICK_DEFAULTS + other + slow);
  await logged(sandbox, 'slow echo slow');
  sandbox.write('watchdog.toml', QUICK_DEFAULTS + other);
  assert.equal(tell(sandbox, 'reload').status, 0);
  sandbox.write('watchdog.toml', QUICK_DEFAULTS + other + slow);
  assert.equal(tell(sandbox, 'reload').status, 0);
  await until(sandbox, 'slow', 'up');
  assert.deepEqual(
    recovered(sandbox).filter((one) => one === 'slow'),
    ['slow'],
  );
});

test('a reload does not reset a back-off', async (t) => {
  const sandbox = makeSandbox(t);
  const text = `[defaults]\nconfirm = "100ms"\nbackoff = "30s..1m"\nstart-grace = "100ms"\n[target.no]\npattern = "^${sandbox.marker}_no 1"\nrecover = "echo no >> ${sandbox.path('ev')}; false"\n`;
  watchConfig(sandbox, text);
  await logged(sandbox, 'recovery failed');
  const { nextTryAt } = statusOf(sandbox, 'no');
  assert.match(tell(sandbox, 'reload').output, /unchanged: no/);
  const after = statusOf(sandbox, 'no');
  assert.deepEqual([after.state, after.failures], ['backing off', 1]);
  assert.ok(Math.abs(Date.parse(after.nextTryAt ?? '') - Date.parse(nextTryAt ?? '')) < 1_000);
  assert.deepEqual(recovered(sandbox), ['no']);
  assert.equal(tell(sandbox, 'recover', 'no').status, 1, 'an operator need not wait');
  assert.deepEqual(recovered(sandbox), ['no', 'no']);
});

test('SIGUSR1 opens the log anew, SIGUSR2 looks at everything now', async (t) => {
  const sandbox = makeSandbox(t);
  const watchdog = watchConfig(sandbox, QUICK_DEFAULTS + targetTable(sandbox, 'web', 'max = 1'));
  await logged(sandbox, 'web recovered: ');
  const line = `${sandbox.marker}_web`;
  const second = sandbox.start('bash', ['-c', `exec -a ${line} sleep 1000`]);
  // Until it has become what the pattern means, a look is right not to find it.
  await waitUntil('the second is there', () => readProcess(second.pid)?.line.startsWith(line) === true);
  signal(watchdog.pid, 'SIGUSR2');
  await logged(sandbox, 'web too many: 2 are there, at most 1 may be');
  renameSync(sandbox.path('log'), sandbox.path('log.1'));
  signal(watchdog.pid, 'SIGUSR1');
  tell(sandbox, 'pause', 'web');
  await logged(sandbox, 'web paused until it is resumed');
});

test('the log moves to another file by a reload', async (t) => {
  const sandbox = makeSandbox(t);
  const table = targetTable(sandbox, 'web');
  const config = sandbox.write('watchdog.toml', `log = "log"\n${QUICK_DEFAULTS}${table}`);
  sandbox.start(WATCHDOG, ['--config', config, '--control', sandbox.path('control')]);
  await logged(sandbox, 'web recovered: ');
  sandbox.write('watchdog.toml', `log = "other"\nlog-format = "json"\n${QUICK_DEFAULTS}${table}`);
  assert.equal(tell(sandbox, 'reload').status, 0);
  assert.match(sandbox.read('other'), /"event":"reloaded"/);
});

test('a reload in the middle of a stop: it is stopped all the same, and whoever asked is told', async (t) => {
  const sandbox = makeSandbox(t);
  const line = `${sandbox.marker}_deaf`;
  const recover = `exec bash -c "trap '' TERM; exec -a ${line} sleep 1000"`;
  const table = (more: string) =>
    `${QUICK_DEFAULTS}[target.deaf]\npattern = "^${line} 1000${more}"\nrecover = '''${recover}'''\nstop-timeout = "2s"\n`;
  watchConfig(sandbox, table(''));
  await until(sandbox, 'deaf', 'up');
  const stop = sandbox.start(WATCHDOG, ['stop', '--control', sandbox.path('control'), 'deaf']);
  await logged(sandbox, 'deaf stopping pid');
  sandbox.write('watchdog.toml', table('$'));
  assert.match(tell(sandbox, 'reload').output, /changed: deaf/);
  assert.equal((await stop.ended).status, 0, stop.output());
  assert.equal(stop.output(), 'deaf: is stopped\n');
  assert.equal(pidOf(sandbox, 'deaf'), undefined);
});
