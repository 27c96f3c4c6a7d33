/** The manual, "What it does": no clock that can be set has a say in it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { isAlive, signal } from '../support/processes.ts';
import { logged, makeSandbox, QUICK, WATCHDOG } from '../support/sandbox.ts';
import { waitUntil } from '../support/wait-until.ts';

/** libfaketime lets one program see a wall clock of its own, which a file sets while it runs. */
function findFaketime(): string {
  const files = execFileSync('dpkg', ['-L', 'libfaketime'], { encoding: 'utf8' }).split('\n');
  return files.find((file) => file.endsWith('/libfaketime.so.1')) ?? assert.fail('there is no libfaketime.so.1');
}

test('a wall clock that is set while it runs changes the dates in the log, and nothing else', async (t) => {
  const sandbox = makeSandbox(t);
  sandbox.write('clock', '+0');
  const env = {
    ...process.env,
    LD_PRELOAD: findFaketime(),
    FAKETIME_TIMESTAMP_FILE: sandbox.path('clock'),
    FAKETIME_NO_CACHE: '1',
    DONT_FAKE_MONOTONIC: '1',
  };
  const recover = `unset LD_PRELOAD; ${sandbox.recover}`;
  sandbox.watchdog(['--pattern', `^${sandbox.marker}`, '--recover', recover, ...QUICK], { env });
  const clocks = ['-2d', '+400d', '-10000d', '+0'];
  for (const [index, clock] of clocks.entries()) {
    await logged(sandbox, 'recovered: ', index + 1);
    sandbox.write('clock', clock);
    const [pid = 0] = sandbox.targets();
    signal(pid, 'SIGKILL');
    await waitUntil('it has ended', () => !isAlive(pid));
  }
  await logged(sandbox, 'recovered: ', clocks.length + 1);
  assert.equal(sandbox.recoveries(), clocks.length + 1);
  const years = new Set(
    [...sandbox.read('log').matchAll(/^\[(\d{4})-\d\d-\d\d_\d\d:\d\d:\d\d\] /gm)].map((match) => match[1]),
  );
  assert.ok(years.size >= 3, `the clock was really set: ${[...years]}`);
});

test('in the first second of a machine’s life, the first recovery is not put off', async (t) => {
  const sandbox = makeSandbox(t);
  const uptime = Number(execFileSync('cut', ['-d.', '-f1', '/proc/uptime'], { encoding: 'utf8' }));
  const script = `exec ${WATCHDOG} --pattern '^${sandbox.marker}' --recover '${sandbox.recover}' --log ${sandbox.path('log')} ${QUICK.join(' ')}`;
  sandbox.start('unshare', [
    '--time',
    '--fork',
    '--monotonic',
    String(-uptime),
    '--boottime',
    String(-uptime),
    'bash',
    '-c',
    script,
  ]);
  await logged(sandbox, 'recovered: ');
  const lines = sandbox.read('log').split('\n');
  assert.match(lines[1] ?? '', /watching: down/);
  assert.equal(sandbox.recoveries(), 1);
});
