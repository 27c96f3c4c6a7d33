import type { Target } from '../../src/core/types.ts';

/** A target with the defaults of the command line. */
export function makeTarget(changes: Partial<Target> = {}): Target {
  return {
    label: 'my.js',
    name: 'my.js',
    recover: 'node my.js start',
    recoverPath: '/usr/bin:/bin',
    min: 1,
    max: null,
    intervalMs: 5_000,
    confirmMs: 1_000,
    startDelayMs: 0,
    startGraceMs: 10_000,
    settleMs: 3_000,
    recoverTimeoutMs: 60_000,
    backoff: { minMs: 1_000, maxMs: 300_000 },
    stop: { command: null, signal: 'TERM', timeoutMs: 10_000 },
    program: null,
    dryRun: false,
    deathsAreTold: true,
    waitsFor: null,
    ...changes,
  };
}
