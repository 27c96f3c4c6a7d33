/** Real families, looked for on a machine where processes come and go all the time. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type Families, readFamilies } from '../../src/system/family.ts';
import { isAlive, signal } from '../support/processes.ts';
import { waitUntil } from '../support/wait-until.ts';

const CHURNS = 6;
const LIVES = 40;
/** No other test, and no program, has these. */
const FIRST_MARK = 2_000_000_000_000_000 + process.pid * 1000;

function look(mark: number): Families {
  return readFamilies({ marks: new Set([String(mark)]), reaper: null, isWhole: true });
}

/** A process of this mark, and all that descend from it, until the test ends. */
function start(t: TestContext, mark: number, script: string): void {
  const child = spawn('prlimit', [`--rttime=${mark}:`, '--', 'bash', '-c', script], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  t.after(async () => {
    const left = () => look(mark).byMark.get(String(mark)) ?? [];
    for (const { pid } of left()) signal(pid, 'SIGKILL');
    await waitUntil('nobody is left', () => left().length === 0);
    await ended;
  });
}

function makeChurn(t: TestContext): void {
  const churns = Array.from({ length: CHURNS }, () =>
    spawn('bash', ['-c', 'while :; do /bin/true; done'], { stdio: 'ignore' }),
  );
  t.after(async () => {
    for (const one of churns) one.kill('SIGKILL');
    await waitUntil('they have ended', () => churns.every(({ pid }) => pid !== undefined && !isAlive(pid)));
  });
}

test('who is not there is known not to be, however busy the machine is', (t) => {
  makeChurn(t);
  for (let times = 0; times < LIVES; times += 1) {
    const { byMark, trouble } = look(FIRST_MARK);
    assert.equal(trouble, null);
    assert.equal(byMark.size, 0);
  }
});

test('who runs away is seen at every step, however busy the machine is', async (t) => {
  makeChurn(t);
  for (let life = 1; life <= LIVES; life += 1) {
    const mark = FIRST_MARK + life;
    start(t, mark, '( ( ( exec sleep 1000 ) & ) & ) &');
    const seen = async (): Promise<string> => {
      await turn();
      const { byMark, trouble } = look(mark);
      return trouble ?? byMark.get(String(mark))?.map(({ commandLine }) => commandLine)[0] ?? 'nobody';
    };
    await waitUntil('it has begun', async () => (await seen()) !== 'nobody');
    await waitUntil('it has settled', async () => {
      const who = await seen();
      assert.notEqual(who, 'nobody', `life ${life}`);
      return who === 'sleep 1000';
    });
  }
});
