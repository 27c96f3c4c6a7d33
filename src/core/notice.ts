/** Which events somebody is told of, and how many: a target that flaps must not bury whoever is told. */
import type { Report } from './types.ts';

/** All that can be chosen. */
export const EVENTS = [
  'watching',
  'gone',
  'replaced',
  'came-back',
  'recovering',
  'would-recover',
  'recovered',
  'recovery-failed',
  'backing-off',
  'recovery-stuck',
  'blind',
  'sighted',
  'waiting-for',
  'too-many',
  'no-longer-too-many',
  'paused',
  'resumed',
  'gone-while-paused',
  'stopping',
  'stopped-target',
  'stop-stuck',
  'exited',
  'daemonized',
  'leftover',
  'reload-ended',
] as const satisfies readonly Report['kind'][];

export type EventName = (typeof EVENTS)[number];

/** What is told where nothing was chosen: what somebody who is woken at night wants to know. */
export const DEFAULT_EVENTS: readonly EventName[] = [
  'gone',
  'recovered',
  'recovery-failed',
  'backing-off',
  'recovery-stuck',
  'blind',
  'sighted',
  'too-many',
  'stop-stuck',
  'exited',
];

/** How many were told of lately. */
export interface Budget {
  readonly sinceMs: number;
  readonly told: number;
  /** Of how many nobody was told, since the last one that was. */
  readonly skipped: number;
}

export const FULL_BUDGET: Budget = { sinceMs: 0, told: 0, skipped: 0 };

/** So many may be told of within a minute. */
export const MAX_TOLD = 20;
const WINDOW_MS = 60_000;

/** Whether one more may be told of. `skipped`: how many it stands for besides. */
export function spend(budget: Budget, nowMs: number): { readonly budget: Budget; readonly skipped: number | null } {
  const isOver = nowMs - budget.sinceMs >= WINDOW_MS;
  const { sinceMs, told } = isOver ? { sinceMs: nowMs, told: 0 } : budget;
  if (told >= MAX_TOLD) return { budget: { sinceMs, told, skipped: budget.skipped + 1 }, skipped: null };
  return { budget: { sinceMs, told: told + 1, skipped: 0 }, skipped: budget.skipped };
}
