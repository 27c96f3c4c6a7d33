/** What is to follow a program in the moment that it ends, while nobody is awake to look. */
import { followed, isSame } from '../core/state.ts';
import type { Identity } from '../core/types.ts';
import type { Variables } from './child-spec.ts';
import type { Member } from './member.ts';

export interface Replacement {
  /** Whom it follows. */
  readonly identity: Identity;
  readonly script: string;
  readonly context: Variables;
  /** The exit statuses after which nothing follows. */
  readonly unless: readonly number[];
}

/**
 * Only where nothing else must be known: the program is up, is itself what was started, needs
 * nobody, and is started again after whatever can be told by an exit status. `null`: a brain must see.
 */
export function toReplace({ isUnwatched, plan, state }: Member): Replacement | null {
  const { dependsOn, program, rules } = plan;
  const { command, failures, phase } = state;
  if (program === null || rules.program === null || command === null || rules.dryRun || isUnwatched) return null;
  const { autorestart, expectedExitCodes, isAtTerminal } = rules.program;
  if (autorestart === 'never' || isAtTerminal || dependsOn.length > 0) return null;
  if (phase.kind !== 'up' || !followed(state).some((one) => isSame(one, command))) return null;
  return {
    identity: { pid: command.pid, startTime: command.startTime },
    script: program.script,
    context: { WATCHDOG_CAUSE: 'exited', WATCHDOG_ATTEMPT: String(failures + 1) },
    unless: autorestart === 'always' ? [] : expectedExitCodes,
  };
}
