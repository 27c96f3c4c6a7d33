/** What the user gave, unread: from the command line, the environment or a file, each with the place to name when it is wrong. */
import { nearest } from './nearest.ts';
import type { OptionName } from './options.ts';

/** A value as it was given: text, `true` or `false` for a switch, several of them for a list. */
export type RawValue = string | boolean | readonly string[];

export interface GivenValue {
  readonly value: RawValue;
  /** Where it was given, as an error names it: `--min`, `WATCHDOG_MIN`, `/etc/watchdog/watchdog.toml:12: target.web.min`. */
  readonly from: string;
}

/** What was given for each option; of what was not given there is no entry, and no default. */
export type Given = Readonly<Partial<Record<OptionName, GivenValue>>>;

/** One thing that is wrong: where, and what is allowed there. */
export interface Problem {
  readonly where: string;
  readonly what: string;
}

/** In the order of the lines of each file, and each but once: what is wrong in the defaults is so for every target. */
export function inOrder(problems: readonly Problem[]): readonly Problem[] {
  const places = problems.map(({ where }) => /^(.*?):(\d+)(?::|$)/.exec(where));
  const files = [...new Set(places.map((place) => place?.[1]))];
  const rank = (at: number): number => files.indexOf(places[at]?.[1]) * 1e9 + Number(places[at]?.[2] ?? 0);
  const order = problems.map((_, at) => at).sort((one, other) => rank(one) - rank(other) || one - other);
  const seen = new Set<string>();
  return order.flatMap((at) => {
    const problem = problems[at] as Problem;
    const key = JSON.stringify([problem.where, problem.what]);
    if (seen.has(key)) return [];
    seen.add(key);
    return [problem];
  });
}

/** `; did you mean X?` for the nearest of what is known, or all that is. */
export function hint(word: string, known: readonly string[], what: string): string {
  const meant = nearest(word, known);
  return meant === null ? `; ${what} are ${known.join(', ')}` : `; did you mean ${meant}?`;
}
