/** How a target's life with us begins: as it was remembered, as it was saved, or from nothing. */
import { FULL_BUDGET } from '../core/notice.ts';
import type { Report, Target, TargetState } from '../core/types.ts';
import type { Host } from '../host/host.ts';
import { type TargetPlan, toWanted } from '../plan/plan.ts';
import type { Log } from '../system/log.ts';
import { toEntry } from './history.ts';
import type { Jobs } from './jobs.ts';
import type { Member } from './member.ts';
import type { Remembered } from './memory.ts';
import { beginFrom, type SavedTarget } from './saved.ts';

export interface Before {
  /** What a brain before us remembered of it; `undefined` if it is new. */
  readonly remembered?: Remembered | undefined;
  /** What the watchdog before ours has left of all targets. */
  readonly saved: readonly SavedTarget[];
  readonly jobs: Jobs;
}

export async function beginMember(
  target: TargetPlan,
  { jobs, remembered, saved }: Before,
  host: Host,
  log: Log,
): Promise<Member> {
  const wanted = await toWanted(target.look, target.program);
  if (remembered !== undefined) return { plan: target, wanted, ...remembered };
  const rules: Target = { ...target.rules, deathsAreTold: host.tellsDeaths, waitsFor: null };
  if (rules.startDelayMs > 0) log.reportOn(rules, { kind: 'waiting', startDelayMs: rules.startDelayMs });
  const seed = Math.floor(Math.random() * 2 ** 32);
  const known = saved.find(({ name }) => name === rules.name) ?? stillRunning(rules.name, jobs);
  const state = beginFrom(rules, known, seed, host.nowMs());
  const fresh = { isUnwatched: false, oomMarks: [], recoveries: 0, nextId: null, lastEnd: null, budget: FULL_BUDGET };
  const held = reportHeld(state, host.nowMs());
  if (held === null) return { plan: target, wanted, state, ...fresh, history: [] };
  log.reportOn(target.rules, held);
  return { plan: target, wanted, state, ...fresh, history: [toEntry(target.rules, held, Date.now())] };
}

/** What an operator told the watchdog before us, if that still holds. */
function reportHeld({ phase }: TargetState, nowMs: number): Report | null {
  if (phase.kind === 'stopped') return { kind: 'still-stopped' };
  if (phase.kind !== 'paused') return null;
  const forMs = phase.untilAtMs === null ? null : phase.untilAtMs - nowMs;
  return { kind: 'still-paused', forMs, reason: phase.reason };
}

/** A recovery of this name may be under way although the target is new: it was removed meanwhile. */
function stillRunning(name: string, { running }: Jobs): SavedTarget | undefined {
  const job = running.find((one) => one.kind === 'recovery' && one.target === name && one.identity !== null);
  return job === undefined ? undefined : { name, paused: null, isStopped: false, command: job.identity };
}
