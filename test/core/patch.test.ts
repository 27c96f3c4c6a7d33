import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { diff, patch } from '../../src/core/patch.ts';

test('what was made of the differences is what they were made from, as JSON', () => {
  const value = fc.jsonValue({ maxDepth: 4 });
  fc.assert(
    fc.property(value, value, (base, other) => {
      const [one, two] = [JSON.parse(JSON.stringify(base)), JSON.parse(JSON.stringify(other))];
      const kept = diff(one, two);
      const text = kept === undefined ? undefined : JSON.parse(JSON.stringify(kept));
      assert.deepEqual(patch(one, text), two);
    }),
  );
});

test('only what differs is kept', () => {
  const base = { a: 1, b: { c: [1, 2], d: 'x' }, e: { command: 'x' } };
  assert.equal(diff(base, structuredClone(base)), undefined);
  assert.deepEqual(diff(base, { ...base, b: { c: [1, 2], d: 'y' } }), {
    parts: { b: { parts: { d: { whole: 'y' } } } },
  });
  assert.deepEqual(diff(base, { ...base, e: { signal: 'HUP' } }), { parts: { e: { whole: { signal: 'HUP' } } } });
});
