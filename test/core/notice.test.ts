import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_EVENTS, EVENTS, FULL_BUDGET, MAX_TOLD, spend } from '../../src/core/notice.ts';

test('so many are told of in a minute; the next one after it says how many were not', () => {
  let budget = FULL_BUDGET;
  const skipped: (number | null)[] = [];
  for (let at = 0; at < MAX_TOLD + 5; at += 1) {
    const spent = spend(budget, 100_000 + at);
    budget = spent.budget;
    skipped.push(spent.skipped);
  }
  assert.deepEqual(skipped.slice(0, MAX_TOLD), Array(MAX_TOLD).fill(0));
  assert.deepEqual(skipped.slice(MAX_TOLD), Array(5).fill(null));
  assert.equal(spend(budget, 170_000).skipped, 5);
});

test('what is told by default can be chosen', () => {
  for (const event of DEFAULT_EVENTS) assert.ok(EVENTS.includes(event), event);
});
