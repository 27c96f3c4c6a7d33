import type { Identity, Seen, Target, TargetState } from './types.ts';

/** The state before anything is known. `seed` makes this target's jitter its own. */
export function initialState(target: Target, seed: number, nowMs: number): TargetState {
  const isHeld = target.program !== null && !target.program.autostart;
  return {
    phase: { kind: 'looking', absentAtMs: null, lookAtMs: nowMs + target.startDelayMs, ...(isHeld ? { isHeld } : {}) },
    command: null,
    failures: 0,
    blind: null,
    surplus: 0,
    seed,
  };
}

/** The processes whose death must be told: none while there is nothing to follow. */
export function followed(state: TargetState): readonly Seen[] {
  return 'followed' in state.phase ? state.phase.followed : [];
}

/** When to step again with `time-passed`; `null` when only an event can change anything. */
export function wakeAtMs(state: TargetState): number | null {
  return state.phase.lookAtMs;
}

/** Whether two are the same process. */
export function isSame(one: Identity, other: Identity): boolean {
  return one.pid === other.pid && one.startTime === other.startTime;
}

/** Those of `some` that are not among `others`. */
export function without(some: readonly Seen[], others: readonly Seen[]): Seen[] {
  return some.filter((one) => !others.some((other) => isSame(one, other)));
}
