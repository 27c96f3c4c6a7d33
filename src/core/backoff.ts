import type { Backoff } from './types.ts';

/** How far a delay may stray from its nominal value, to either side: ±20 %. */
const JITTER = 0.2;

/** A pseudo-random number in [0, 1) and the seed of the next one (mulberry32). */
export function nextRandom(seed: number): { readonly value: number; readonly seed: number } {
  const next = (seed + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(next ^ (next >>> 15), next | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return { value: ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32, seed: next };
}

/** The nominal delay after so many failures in a row: the minimum, doubled each time, up to the maximum. */
export function nominalDelayMs(backoff: Exclude<Backoff, null>, failures: number): number {
  return Math.min(backoff.maxMs, backoff.minMs * 2 ** Math.min(Math.max(failures - 1, 0), 52));
}

/**
 * How long to wait before the next try, in whole milliseconds. `random` is in [0, 1).
 * Jitter keeps many watchdogs that lost the same thing from coming back in step;
 * it never goes below the minimum nor above the maximum.
 */
export function delayMs(backoff: Backoff, intervalMs: number, failures: number, random: number): number {
  if (backoff === null) return intervalMs;
  const strayed = nominalDelayMs(backoff, failures) * (1 - JITTER + 2 * JITTER * random);
  return Math.round(Math.min(backoff.maxMs, Math.max(backoff.minMs, strayed)));
}

/** Whether this failure is the one at which the delay reaches its maximum. */
export function reachesCap(backoff: Backoff, failures: number): boolean {
  if (backoff === null || failures < 2) return false;
  return nominalDelayMs(backoff, failures) === backoff.maxMs && nominalDelayMs(backoff, failures - 1) < backoff.maxMs;
}
