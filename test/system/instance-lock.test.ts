import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { lockName, takeInstanceLock } from '../../src/system/instance-lock.ts';

test('a lock is held by one, and free again when it is released', async () => {
  const first = await takeInstanceLock(lockName('test one', process.geteuid?.() ?? 0));
  assert.equal(first.kind, 'held');
  assert.deepEqual(await takeInstanceLock(lockName('test one', process.geteuid?.() ?? 0)), {
    kind: 'taken',
    pid: process.pid,
  });
  const other = await takeInstanceLock(lockName('test two', process.geteuid?.() ?? 0));
  assert.equal(other.kind, 'held');
  if (first.kind === 'held') first.release();
  const again = await takeInstanceLock(lockName('test one', process.geteuid?.() ?? 0));
  assert.equal(again.kind, 'held');
  if (again.kind === 'held') again.release();
  if (other.kind === 'held') other.release();
});

test('a name that another user has taken keeps nobody from watching', async (t) => {
  // It says that it is a process of ours, to look like a watchdog.
  const squat = `require('net').createServer((c) => c.end('${process.pid}\\n')).listen(process.argv[1].replace('@', '\\0'), () => console.log('ready'))`;
  const args = [
    '--reuid=65534',
    '--regid=65534',
    '--clear-groups',
    process.execPath,
    '-e',
    squat,
    `@${lockName('squatted', process.geteuid?.() ?? 0)}`,
  ];
  const squatter = spawn('setpriv', args, { stdio: ['ignore', 'pipe', 'inherit'], cwd: '/' });
  t.after(() => squatter.kill('SIGKILL'));
  await once(squatter.stdout, 'data');
  const lock = await takeInstanceLock(lockName('squatted', process.geteuid?.() ?? 0));
  assert.equal(lock.kind, 'unavailable');
  assert.match(lock.kind === 'unavailable' ? lock.why : '', /no watchdog of this user/);
});
