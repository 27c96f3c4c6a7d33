/** How a watch ends that has programs of its own: they end with it, those first that nobody else of them needs. */
import { signalNumber } from '../core/signals.ts';
import type { Death, TargetState } from '../core/types.ts';
import type { Member } from './member.ts';

/** Why the watch ends, from the moment that this is so until the last program has ended. */
export interface Leaving {
  readonly why: string;
  /** What the programs are sent in the place of their stop signal; `null`: that. Without `SIG`. */
  readonly signal: string | null;
  /** The exit code of the watchdog; `null`: that of its one program. */
  readonly status: number | null;
}

/** The same, since when: by the host's clock. */
export interface LeavingSince extends Leaving {
  readonly sinceMs: number;
}

/** What one program may take beyond its own time: KILL, and the looks. */
const SLACK_MS = 10_000;

/** When nobody is waited for any longer: one after the other they have had their time, and some can't be ended or not be seen. */
export function patienceEndsAtMs(leaving: LeavingSince, members: readonly Member[]): number {
  const programs = members.filter(({ plan }) => plan.program !== null);
  return programs.reduce((sum, { plan }) => sum + plan.rules.stop.timeoutMs + SLACK_MS, leaving.sinceMs);
}

/** Above it, a shell tells the number of a signal (POSIX, Shell Command Language, 2.8.2). */
const SIGNAL_BASE = 128;

/** Whether nothing of it runs, and nothing is about to. */
export function hasLeft({ state: { phase } }: Pick<Member, 'state'>): boolean {
  return (
    phase.kind === 'exited' || (phase.kind === 'stopped' && phase.followed.length === 0 && phase.lookAtMs === null)
  );
}

/** The programs whose turn it is to be told to end: none that is still there depends on them, and of these the highest priority. */
export function nextToLeave(members: readonly Member[]): readonly Member[] {
  const left = members.filter((member) => member.plan.program !== null && !hasLeft(member));
  const needed = new Set(left.flatMap(({ plan }) => plan.dependsOn));
  // Who is needed waits, whatever its priority: else the two orders could wait for each other.
  const free = left.filter(({ plan }) => !needed.has(plan.rules.name));
  const highest = Math.max(...free.map(priorityOf));
  return free.filter((member) => priorityOf(member) === highest && member.state.phase.kind !== 'stopping');
}

/** Those first that are to be started first; else as they stand in the configuration. */
export function inPriority(members: readonly Member[]): readonly Member[] {
  return members.toSorted((one, other) => priorityOf(one) - priorityOf(other));
}

function priorityOf({ plan: { program } }: Member): number {
  return program?.priority ?? 0;
}

/** What of a program's end an exit code can tell, as a shell has it. */
export function exitStatusOf(how: Death | null): number {
  if (how === null || how.kind === 'unknown') return 0;
  return how.kind === 'exited' ? how.status : SIGNAL_BASE + signalNumber(how.signal);
}

/** Whether it has ended and stays so, of itself. */
export function isOver({ phase }: TargetState): boolean {
  return phase.kind === 'exited';
}
