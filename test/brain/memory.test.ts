import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withJob } from '../../src/brain/jobs.ts';
import { freshMemory, memoryWriter, readMemory } from '../../src/brain/memory.ts';
import { FULL_BUDGET } from '../../src/core/notice.ts';
import { initialState } from '../../src/core/state.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { makeTarget } from '../support/target.ts';

const plan = { targets: [{ rules: makeTarget({ label: 'é"\n' }) }], lingerMs: 2_000 } as unknown as Plan;

test('what one brain leaves, the next one reads', () => {
  const memory = {
    ...freshMemory(plan),
    targets: [
      {
        state: initialState(makeTarget(), 1, 5),
        isUnwatched: true,
        oomMarks: [{ pid: 1, startTime: 2, path: '/x', kills: 3 }],
        nextId: null,
        lastEnd: null,
        recoveries: 2,
        budget: FULL_BUDGET,
        history: [{ atMs: 1, event: 'gone' as const, message: 'é' }],
      },
    ],
    jobs: withJob(freshMemory(plan).jobs, 'recovery', 'é"', 5),
  };
  assert.deepEqual(readMemory(memoryWriter()(memory)), memory);
  assert.deepEqual(readMemory(memoryWriter()(freshMemory(plan))), freshMemory(plan));
});

test('what another version left in a form of its own is not misread', () => {
  assert.equal(readMemory(memoryWriter()(freshMemory(plan)).replace('"format":3', '"format":4')), null);
});
