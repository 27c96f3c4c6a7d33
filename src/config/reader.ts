/** Reads the values of one target or of the watchdog itself, one after the other, and collects what is wrong. */
import { DURATION_FORM, parseDuration } from './duration.ts';
import type { Given, Problem } from './given.ts';
import { nearest } from './nearest.ts';
import { type OptionName, optionName, specOf } from './options.ts';

export interface Reader {
  readonly given: Given;
  readonly problems: Problem[];
  /** Where an option would stand that was not given, as an error names it. */
  readonly missing: (name: OptionName) => string;
  /** How an option is written there: `--min`, or `min` in a file. */
  readonly spell: (name: OptionName) => string;
}

/** A reader of the command line and the environment. */
export function commandLineReader(given: Given): Reader {
  // A command is what stands behind it.
  const spell = (name: OptionName): string => (name === 'command' ? '--' : `--${optionName(specOf(name)) ?? name}`);
  return { given, problems: [], missing: spell, spell };
}

/** Where this option was given, or would be. */
export function placeOf(reader: Reader, name: OptionName): string {
  return reader.given[name]?.from ?? reader.missing(name);
}

/** Notes what is wrong with an option. */
export function complain(reader: Reader, name: OptionName, what: string): void {
  reader.problems.push({ where: placeOf(reader, name), what });
}

/** A text that must not be empty; `null` if it was not given. */
export function text(reader: Reader, name: OptionName): string | null {
  const value = reader.given[name]?.value;
  if (typeof value !== 'string') return null;
  if (value.trim() !== '') return value;
  complain(reader, name, 'is empty; give it a value or leave it out');
  return null;
}

export function isOn(reader: Reader, name: OptionName): boolean {
  return reader.given[name]?.value === true;
}

/** Several texts; one text has commas between them. */
export function list(reader: Reader, name: OptionName): readonly string[] | null {
  const value = reader.given[name]?.value;
  if (value === undefined || typeof value === 'boolean') return null;
  const items = typeof value === 'string' ? value.split(',') : value;
  return items.map((item) => item.trim());
}

/** A whole number within bounds; `null` if it was not given or isn't one. `what`: what is counted. */
export function count(
  reader: Reader,
  name: OptionName,
  { least, most, what }: { readonly least: number; readonly most: number; readonly what: string },
): number | null {
  const given = text(reader, name);
  if (given === null) return null;
  const number = Number(given);
  if (/^-?\d+$/.test(given.trim()) && number >= least && number <= most) return number;
  complain(reader, name, `"${given}" is no ${what}; allowed are ${least} to ${most}`);
  return null;
}

export function duration(reader: Reader, name: OptionName, leastMs: number): number {
  const given = text(reader, name) ?? defaultOf(name);
  const parsed = parseDuration(given);
  if ('problem' in parsed) {
    complain(reader, name, parsed.problem);
    return 0;
  }
  if (parsed.ms < leastMs) {
    complain(reader, name, `"${given}" is too short; at least ${leastMs}ms is needed: write ${DURATION_FORM}`);
  }
  return parsed.ms;
}

export function choice<T extends string>(reader: Reader, name: OptionName, allowed: readonly T[]): T | null {
  const given = text(reader, name);
  if (given === null) return null;
  const found = allowed.find((one) => one === given);
  if (found !== undefined) return found;
  const meant = nearest(given, allowed);
  const help = meant === null ? '' : `; did you mean ${meant}?`;
  complain(reader, name, `"${given}" is not allowed; allowed are ${allowed.join(' and ')}${help}`);
  return null;
}

export function defaultOf(name: OptionName): string {
  return specOf(name).default ?? '';
}
