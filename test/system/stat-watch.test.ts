import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { openProcFs } from '../../src/system/proc-fs.ts';
import { openStatWatch } from '../../src/system/stat-watch.ts';
import { readProcess, signal } from '../support/processes.ts';
import { waitUntil } from '../support/wait-until.ts';

async function identityOf(pid: number) {
  const reading = await openProcFs({ root: '/proc', selfPid: process.pid }).read(pid);
  assert.ok(reading.kind === 'process');
  return reading.record;
}

test('a process is alive while it lives, and dead once its parent has taken notice', async () => {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  const watch = openStatWatch(await identityOf(child.pid ?? 0));
  assert.deepEqual([watch.read(), watch.read()], [null, null]);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.deepEqual(watch.read(), { kind: 'unknown' });
  assert.deepEqual(watch.read(), { kind: 'unknown' });
  watch.close();
});

test('a zombie is dead, and root is told how it died', async (t) => {
  // A shell that does not wait: its child stays a zombie.
  const parent = spawn('bash', ['-c', 'sleep 1000 & echo $!; exec sleep 1000'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => parent.kill('SIGKILL'));
  const [chunk] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(String(chunk));
  await waitUntil(
    'the shell has become something that never waits',
    () => readProcess(parent.pid ?? 0)?.line === 'sleep 1000',
  );
  const watch = openStatWatch(await identityOf(pid));
  assert.equal(watch.read(), null);
  signal(pid, 'SIGSEGV');
  await waitUntil('it is a zombie', () => readProcess(pid)?.state === 'Z');
  assert.deepEqual(watch.read(), { kind: 'killed', signal: 'SEGV' });
  watch.close();
});

test('a number that is another’s by now is dead', async () => {
  const self = await identityOf(process.pid);
  const watch = openStatWatch({ pid: self.pid, startTime: self.startTime - 1 });
  assert.deepEqual(watch.read(), { kind: 'unknown' });
  watch.close();
});
