import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { delayMs, nextRandom, nominalDelayMs, reachesCap } from '../../src/core/backoff.ts';

const backoff = { minMs: 1_000, maxMs: 300_000 };

test('the delay doubles from the minimum to the maximum', () => {
  const delays = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 1_000_000].map(
    (failures) => nominalDelayMs(backoff, failures) / 1_000,
  );
  assert.deepEqual(delays, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
});

test('the cap is reached at one failure only', () => {
  const at = Array.from({ length: 40 }, (_, failures) => failures).filter((failures) => reachesCap(backoff, failures));
  assert.deepEqual(at, [10]);
  assert.equal(reachesCap(null, 3), false);
  assert.equal(reachesCap({ minMs: 5, maxMs: 5 }, 2), false);
});

test('jitter never leaves the bounds, nor strays by more than a fifth', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.double({ min: 0, max: 0.999999, noNaN: true }),
      (failures, random) => {
        const ms = delayMs(backoff, 5_000, failures, random);
        const nominal = nominalDelayMs(backoff, failures);
        assert.ok(ms >= backoff.minMs && ms <= backoff.maxMs && ms >= nominal * 0.8 - 1 && ms <= nominal * 1.2 + 1);
      },
    ),
  );
});

test('without back-off the delay is the interval', () => {
  assert.equal(delayMs(null, 5_000, 12, 0.9), 5_000);
});

test('the pseudo-random numbers are spread over [0, 1)', () => {
  const counts = [0, 0, 0, 0];
  for (let seed = 1, at = 0; at < 4_000; at += 1) {
    const random = nextRandom(seed);
    counts[Math.floor(random.value * 4)] = (counts[Math.floor(random.value * 4)] ?? 0) + 1;
    seed = random.seed;
  }
  for (const count of counts) assert.ok(count > 850 && count < 1_150, String(counts));
});
