import type { TargetState } from './types.ts';

/** A next try that is further away than this is worth ending for. */
const LONG_BACKOFF_MS = 10_000;

/**
 * Whether the brain may end until something happens or the deadline comes. While
 * something is wrong it stays: then the next thing to do is never far.
 */
export function mayRest(state: TargetState, deadlineAtMs: number | null, lingerMs: number, nowMs: number): boolean {
  if (deadlineAtMs !== null && deadlineAtMs - nowMs <= lingerMs) return false;
  switch (state.phase.kind) {
    case 'looking':
    case 'up':
    case 'waiting':
    case 'paused':
    case 'stopped':
    case 'exited':
      return true;
    case 'backing-off':
      return state.phase.dueAtMs - nowMs >= LONG_BACKOFF_MS;
    case 'confirming':
    case 'recovering':
    case 'settling':
    case 'stopping':
    case 'ending':
      return false;
  }
}
