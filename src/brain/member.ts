/** One target at work, and what is to be asked of the machine about it. */
import type { Budget } from '../core/notice.ts';
import { followed } from '../core/state.ts';
import type { Death, TargetState } from '../core/types.ts';
import type { TargetPlan } from '../plan/plan.ts';
import type { Wanted } from '../system/look.ts';
import type { Question } from '../system/observe.ts';
import type { OomMark } from '../system/oom.ts';
import type { Entry } from './history.ts';

/** What is fixed of it, and what changes. Whoever has a member of the fleet has it as it is now. */
export interface Member {
  readonly plan: TargetPlan;
  readonly wanted: Wanted;
  state: TargetState;
  isUnwatched: boolean;
  oomMarks: readonly OomMark[];
  recoveries: number;
  nextId: number | null;
  lastEnd: Death | null;
  budget: Budget;
  history: readonly Entry[];
}

/** By name. */
export function toNames(members: readonly Member[]): ReadonlyMap<string, Member> {
  return new Map(members.map((member) => [member.plan.rules.name, member]));
}

/** Who waits for whom: by name, those that depend on it. */
export function toDependents(members: readonly Member[]): ReadonlyMap<string, readonly Member[]> {
  const dependents = new Map<string, Member[]>();
  for (const member of members) {
    for (const name of member.plan.dependsOn) dependents.set(name, [...(dependents.get(name) ?? []), member]);
  }
  return dependents;
}

/** What a look is to tell of it. `reaper`: whose child every orphan of ours becomes. */
export function questionOf({ plan: { program, rules }, state, wanted }: Member, reaper: number | null): Question {
  if (program === null || rules.program === null) return { wanted, followed: followed(state), program: null };
  const { kind } = state.phase;
  return {
    wanted,
    followed: followed(state),
    program: {
      mark: program.mark === null ? null : String(program.mark.soft),
      reaper,
      command: state.command,
      isStarter: rules.program.daemonizes,
      isWhole: kind === 'looking' || kind === 'stopping' || kind === 'paused',
    },
  };
}
