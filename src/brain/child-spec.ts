/** With what a command of a target is started. */
import type { StartPlan, TargetPlan } from '../plan/plan.ts';
import type { ChildSpec, Output } from '../system/child.ts';
import type { Job } from './jobs.ts';

/** Variables of the environment. */
export type Variables = Readonly<Record<string, string>>;

/** Who starts it. */
export interface Starter {
  readonly pid: number;
  readonly start: StartPlan;
  /** Where the log goes; `null`: nowhere. */
  readonly output: Output | null;
}

/** Where ours goes. */
const INHERITED: Output = { path: null, descriptor: 1 };

/** `context`: what the command is told of why it runs. */
export function toChildSpec(
  { cwd, program, restraint, rules, set, user }: TargetPlan,
  kind: Job['kind'],
  command: string,
  context: Variables,
  { output, pid, start }: Starter,
): ChildSpec {
  const own = { WATCHDOG_TARGET: rules.name, WATCHDOG_BY: String(pid), ...context };
  const common = { command, cwd, set: { ...set, ...own }, user, restraint };
  const unset = user === null ? start.unset : start.unsetForOthers;
  if (kind !== 'recovery' || program === null) {
    return { ...common, unset, args: [], mark: null, isForeground: false, output };
  }
  const { args, isForeground, mark } = program;
  return {
    ...common,
    unset,
    args,
    mark,
    isForeground,
    output: program.output === 'ours' ? INHERITED : (program.output ?? output),
  };
}
