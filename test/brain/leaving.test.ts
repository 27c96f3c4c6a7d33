import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitStatusOf, hasLeft, inPriority, nextToLeave, patienceEndsAtMs } from '../../src/brain/leaving.ts';
import type { Member } from '../../src/brain/member.ts';
import type { Phase } from '../../src/core/types.ts';
import { makeTarget } from '../support/target.ts';

const UP: Phase = { kind: 'up', followed: [], sinceMs: 0, commandEnd: null, lookAtMs: null };
const GONE: Phase = { kind: 'stopped', followed: [], isLeft: true, lookAtMs: null };

/** As much of a member as is asked here. */
function member(name: string, priority: number | null, phase: Phase, dependsOn: readonly string[] = []): Member {
  const rules = makeTarget({ name, stop: { command: null, signal: 'TERM', timeoutMs: 2_000 } });
  return {
    plan: { rules, dependsOn, program: priority === null ? null : { priority } },
    state: { phase },
  } as unknown as Member;
}

const names = (members: readonly Member[]): readonly string[] => members.map(({ plan }) => plan.rules.name);

test('those of the highest priority end first, and nobody before those that need him', () => {
  const all = (web: Phase, app: Phase): readonly Member[] => [
    member('watched', null, UP),
    member('db', 10, UP),
    member('app', 10, app, ['db']),
    member('web', 20, web),
  ];
  assert.deepEqual(names(nextToLeave(all(UP, UP))), ['web']);
  assert.deepEqual(names(nextToLeave(all(GONE, UP))), ['app']);
  assert.deepEqual(names(nextToLeave(all(GONE, GONE))), ['db']);
  assert.deepEqual(names(inPriority(all(UP, UP))), ['watched', 'db', 'app', 'web']);
});

test('a dependency goes before a priority that says the opposite', () => {
  const all = (job: Phase): readonly Member[] => [member('web', 20, UP), member('job', 10, job, ['web'])];
  assert.deepEqual(names(nextToLeave(all(UP))), ['job']);
  assert.deepEqual(names(nextToLeave(all(GONE))), ['web']);
});

test('who has ended, or is left so, has left; who is there although it was stopped has not', () => {
  const seen = { pid: 1, startTime: 2, commandLine: 'x' };
  assert.ok(hasLeft(member('a', 1, GONE)));
  assert.ok(!hasLeft(member('a', 1, UP)));
  assert.ok(!hasLeft(member('a', 1, { kind: 'stopped', followed: [seen], lookAtMs: null })));
});

test('each has its time, one after the other, and no more', () => {
  const leaving = { why: 'TERM', signal: null, status: 0, sinceMs: 1_000 };
  assert.equal(patienceEndsAtMs(leaving, [member('a', 1, UP), member('b', null, UP), member('c', 2, UP)]), 25_000);
});

test('an exit code tells of an end what a shell would', () => {
  assert.equal(exitStatusOf({ kind: 'exited', status: 7 }), 7);
  assert.equal(exitStatusOf({ kind: 'killed', signal: 'TERM' }), 143);
  assert.equal(exitStatusOf({ kind: 'killed', signal: 'RT34' }), 162);
  assert.equal(exitStatusOf(null), 0);
});
