/** A configuration read again while the watch goes on: the new one wholly, or not at all. Loaded only when it is asked for. */
import type { Problem } from '../config/given.ts';
import { inOrder } from '../config/given.ts';
import { loadConfig } from '../plan/load-config.ts';
import { makePlan, wishesOfConfig } from '../plan/make-plan.ts';
import type { Plan } from '../plan/plan.ts';
import { unsafeFiles } from '../plan/safety.ts';

export type Reloaded =
  | { readonly kind: 'plan'; readonly plan: Plan; readonly warnings: readonly string[] }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] };

/** Reads the files of a plan again. What can't be changed while we run stays as it is, with a warning. */
export async function readAgain(plan: Plan, config: string, environment: NodeJS.ProcessEnv): Promise<Reloaded> {
  const loaded = loadConfig(config, environment);
  const wishes = wishesOfConfig(config, loaded.config, plan.given);
  const planned = await makePlan(wishes, { arguments: [], environment });
  const unsafe =
    plan.given['trust-paths']?.value === true ? [] : unsafeFiles(loaded.config.files, plan.given.config === undefined);
  const problems = [...unsafe, ...loaded.problems, ...(planned.kind === 'refused' ? planned.problems : [])];
  if (problems.length > 0 || planned.kind === 'refused') return { kind: 'refused', problems: inOrder(problems) };
  const { plan: next } = planned;
  const fixed = (['name', 'control', 'isResident'] as const).filter((key) => next[key] !== plan[key]);
  const warnings = fixed.map(
    (key) => `${key === 'isResident' ? 'resident' : key} has changed, and is taken at the next start`,
  );
  // What is the process's own stays: the lock, the socket, how a brain is started.
  return {
    kind: 'plan',
    plan: { ...plan, targets: next.targets, log: { ...next.log, isShown: plan.log.isShown }, lingerMs: next.lingerMs },
    warnings,
  };
}
