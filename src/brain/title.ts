/** How a watch shows itself in a process table: what it watches, and how that is. */
import type { TargetState } from '../core/types.ts';
import { processTitle } from '../core/watchdog-process.ts';

/** Makes titles; none of them is anything that `mustNotMatch` says a target's pattern would take for it. */
export function titleMaker(name: string | null, matches: (text: string) => boolean): (words: string) => string {
  // Worked out once for each: a pattern may be long, and there may be many.
  const known = new Map<string, string>();
  return (words) => {
    const title = known.get(words) ?? processTitle(name, words, (text) => !matches(text));
    known.set(words, title);
    return title;
  };
}

/** The state of all in a few words. */
export function stateWords(states: readonly TargetState[]): string {
  const [only] = states;
  if (only === undefined) return 'nothing to watch';
  if (states.length === 1) return phaseWords(only);
  const down = states.filter(({ blind, phase }) => blind !== null || phase.kind !== 'up').length;
  return `${states.length} targets, ${down === 0 ? 'all up' : `${down} not up`}`;
}

/** The state of one in a word or two. */
export function phaseWords({ blind, phase }: TargetState): string {
  if (blind !== null) return 'cannot look';
  switch (phase.kind) {
    case 'confirming':
      return 'gone';
    case 'backing-off':
      return 'backing off';
    default:
      return phase.kind;
  }
}
