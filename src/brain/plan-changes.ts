/** What a new configuration makes of the targets of the one before. */
import type { Changes } from '../core/report.ts';
import type { Phase } from '../core/types.ts';
import type { TargetPlan } from '../plan/plan.ts';
import type { Member } from './member.ts';

/** Where an operator has led a target. */
export const HELD: readonly Phase['kind'][] = ['paused', 'stopping', 'stopped'];

/** By name: who is new, other, gone, and as before. */
export function compare(before: ReadonlyMap<string, Member>, next: readonly TargetPlan[]): Changes {
  const names = next.map(({ rules }) => rules.name);
  const kept = next.filter(({ rules }) => before.has(rules.name));
  const same = (target: TargetPlan): boolean => isSamePlan(before.get(target.rules.name)?.plan, target);
  return {
    added: names.filter((name) => !before.has(name)),
    changed: kept.filter((target) => !same(target)).map(({ rules }) => rules.name),
    removed: [...before].flatMap(
      ([
        name,
        {
          plan: { isRetired },
        },
      ]) => (names.includes(name) || isRetired ? [] : [name]),
    ),
    unchanged: kept.filter(same).map(({ rules }) => rules.name),
  };
}

export function isSamePlan(one: TargetPlan | undefined, other: TargetPlan): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** A program that runs as it should no longer be started. */
export function isToBeRestarted(before: Member | undefined, { plan, state }: Member): boolean {
  if (before === undefined || plan.program === null || state.phase.kind === 'exited') return false;
  if (HELD.some((kind) => kind === state.phase.kind)) return false;
  const how = ({ cwd, program, restraint, set, user }: TargetPlan): string =>
    JSON.stringify([cwd, program?.script, program?.args, restraint, set, user]);
  return how(before.plan) !== how(plan);
}
