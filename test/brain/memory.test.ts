import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freshMemory, memoryWriter, readMemory } from '../../src/brain/memory.ts';
import type { Plan } from '../../src/brain/plan.ts';
import { initialState } from '../../src/core/state.ts';
import { makeTarget } from '../support/target.ts';

const plan = { target: makeTarget({ label: 'é"\n' }), lingerMs: 2_000 } as unknown as Plan;

test('what one brain leaves, the next one reads', () => {
  const memory = {
    ...freshMemory(plan),
    state: initialState(makeTarget(), 1, 5),
    isUnwatched: true,
    oomMarks: [{ pid: 1, startTime: 2, path: '/x', kills: 3 }],
  };
  assert.deepEqual(readMemory(memoryWriter(plan)(memory)), memory);
  assert.deepEqual(readMemory(memoryWriter(plan)(freshMemory(plan))), freshMemory(plan));
});

test('what another version left in a form of its own is not misread', () => {
  assert.equal(readMemory(memoryWriter(plan)(freshMemory(plan)).replace('"format":1', '"format":2')), null);
});
