/** What a brain leaves for the next one. */
import type { Budget } from '../core/notice.ts';
import type { TargetState } from '../core/types.ts';
import type { Plan } from '../plan/plan.ts';
import type { OomMark } from '../system/oom.ts';
import type { Entry } from './history.ts';
import { type Jobs, NO_JOBS } from './jobs.ts';

/** Goes up when a brain could misread what another version has left. */
const FORMAT = 2;

export interface Memory {
  readonly plan: Plan;
  /** One for each target of the plan, in its order; `null` before the first look. */
  readonly targets: readonly Remembered[] | null;
  readonly jobs: Jobs;
}

/** What is remembered of one target. */
export interface Remembered {
  readonly state: TargetState;
  /** Somebody that is followed can't be watched: look every interval. */
  readonly isUnwatched: boolean;
  /** Where to see whether the followed ones were killed for lack of memory. */
  readonly oomMarks: readonly OomMark[];
  /** Recoveries since the watch began. */
  readonly recoveries: number;
  /** How many events somebody was told of lately. */
  readonly budget: Budget;
  /** What was last told of it, the latest at the end. */
  readonly history: readonly Entry[];
}

export function freshMemory(plan: Plan): Memory {
  return { plan, targets: null, jobs: NO_JOBS };
}

/** As text. The plan is written once for as long as it is the same. */
export function memoryWriter(): (memory: Memory) => string {
  let known: Plan | null = null;
  let written = '';
  return ({ jobs, plan, targets }) => {
    if (plan !== known) {
      known = plan;
      written = JSON.stringify(plan);
    }
    return `{"format":${FORMAT},"plan":${written},"rest":${JSON.stringify({ targets, jobs })}}`;
  };
}

/** `null` if another version wrote it in a form of its own. */
export function readMemory(text: string): Memory | null {
  const { format, plan, rest } = JSON.parse(text) as { format: number; plan: Plan; rest: Omit<Memory, 'plan'> };
  return format === FORMAT ? { plan, ...rest } : null;
}
