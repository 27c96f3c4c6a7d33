import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayRest } from '../../src/core/rest.ts';
import { initialState } from '../../src/core/state.ts';
import type { Phase, TargetState } from '../../src/core/types.ts';
import { makeTarget } from '../support/target.ts';

const state = (phase: Partial<Phase>): TargetState => ({
  ...initialState(makeTarget(), 1, 0),
  phase: { ...phase } as Phase,
});

test('the brain rests while all is well, and stays while something is wrong', () => {
  const rows: readonly [what: string, phase: object, deadlineAtMs: number | null, mayRest: boolean][] = [
    ['up, nothing due', { kind: 'up' }, null, true],
    ['up, due in a second', { kind: 'up' }, 1_000, false],
    ['up, due at the end of the linger time', { kind: 'up' }, 2_000, false],
    ['up, due later', { kind: 'up' }, 2_001, true],
    ['before the first look, a long time', { kind: 'looking' }, 30_000, true],
    ['gone', { kind: 'confirming' }, null, false],
    ['a recovery runs for long', { kind: 'recovering' }, 60_000, false],
    ['settling', { kind: 'settling' }, 3_000, false],
    ['backing off for 9 s', { kind: 'backing-off', dueAtMs: 9_000 }, 5_000, false],
    ['backing off for 10 s', { kind: 'backing-off', dueAtMs: 10_000 }, 5_000, true],
  ];
  for (const [what, phase, deadlineAtMs, expected] of rows) {
    assert.equal(mayRest(state(phase), deadlineAtMs, 2_000, 0), expected, what);
  }
});
