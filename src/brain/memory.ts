/** What a brain leaves for the next one. */
import type { TargetState } from '../core/types.ts';
import type { OomMark } from '../system/oom.ts';
import type { Plan } from './plan.ts';

/** Goes up when a brain could misread what another version has left. */
const FORMAT = 1;

export interface Memory {
  readonly plan: Plan;
  /** `null` before the first look. */
  readonly state: TargetState | null;
  /** Somebody that is followed can't be watched: look every interval. */
  readonly isUnwatched: boolean;
  /** Where to see whether the followed ones were killed for lack of memory. */
  readonly oomMarks: readonly OomMark[];
}

export function freshMemory(plan: Plan): Memory {
  return { plan, state: null, isUnwatched: false, oomMarks: [] };
}

/** As text. The plan never changes, and is written but once. */
export function memoryWriter(plan: Plan): (memory: Memory) => string {
  const written = JSON.stringify(plan);
  return ({ state, isUnwatched, oomMarks }) =>
    `{"format":${FORMAT},"plan":${written},"rest":${JSON.stringify({ state, isUnwatched, oomMarks })}}`;
}

/** `null` if another version wrote it in a form of its own. */
export function readMemory(text: string): Memory | null {
  const { format, plan, rest } = JSON.parse(text) as { format: number; plan: Plan; rest: Omit<Memory, 'plan'> };
  return format === FORMAT ? { plan, ...rest } : null;
}
