/** What a brain leaves for the next one. */
import type { Budget } from '../core/notice.ts';
import { diff, patch } from '../core/patch.ts';
import type { Death, TargetState } from '../core/types.ts';
import type { Plan, TargetPlan } from '../plan/plan.ts';
import type { OomMark } from '../system/oom.ts';
import type { Entry } from './history.ts';
import { type Jobs, NO_JOBS } from './jobs.ts';
import type { LeavingSince } from './leaving.ts';

/** Goes up when a brain could misread what another version has left. */
const FORMAT = 3;

export interface Memory {
  readonly plan: Plan;
  /** One for each target of the plan, in its order; `null` before the first look. */
  readonly targets: readonly Remembered[] | null;
  readonly jobs: Jobs;
  /** The watch is about to end, with its programs; `null`: it goes on. */
  readonly leaving: LeavingSince | null;
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
  /** The number of the command that follows its program while nobody is awake; `null`: none does. */
  readonly nextId: number | null;
  /** How the process that was followed last has ended; `null` if none has, or nobody knows. */
  readonly lastEnd: Death | null;
  /** How many events somebody was told of lately. */
  readonly budget: Budget;
  /** What was last told of it, the latest at the end. */
  readonly history: readonly Entry[];
}

export function freshMemory(plan: Plan): Memory {
  return { plan, targets: null, jobs: NO_JOBS, leaving: null };
}

/** As text. The plan is written once for as long as it is the same. */
export function memoryWriter(): (memory: Memory) => string {
  let known: Plan | null = null;
  let written = '';
  return ({ jobs, leaving, plan, targets }) => {
    if (plan !== known) {
      known = plan;
      written = JSON.stringify({ ...plan, targets: pack(plan.targets) });
    }
    return `{"format":${FORMAT},"plan":${written},"rest":${JSON.stringify({ targets: targets && pack(targets), jobs, leaving })}}`;
  };
}

/** `null` if another version wrote it in a form of its own. */
export function readMemory(text: string): Memory | null {
  const { format, plan, rest } = JSON.parse(text) as Written;
  if (format !== FORMAT) return null;
  const targets = rest.targets === null ? null : unpack<Remembered>(rest.targets);
  return {
    plan: { ...plan, targets: unpack<TargetPlan>(plan.targets) },
    targets,
    jobs: rest.jobs,
    leaving: rest.leaving,
  };
}

/** The text as JSON has it: lists of targets packed. */
interface Written {
  readonly format: number;
  readonly plan: Omit<Plan, 'targets'> & { readonly targets: readonly unknown[] };
  readonly rest: {
    readonly targets: readonly unknown[] | null;
    readonly jobs: Jobs;
    readonly leaving: LeavingSince | null;
  };
}

/** The first one whole; of the others what differs from it, `0` if nothing does. */
function pack(items: readonly unknown[]): readonly unknown[] {
  return items.map((item, at) => (at === 0 ? item : (diff(items[0], item) ?? 0)));
}

function unpack<T>(items: readonly unknown[]): readonly T[] {
  return items.map((item, at) => (at === 0 ? item : item === 0 ? items[0] : patch(items[0], item)) as T);
}
