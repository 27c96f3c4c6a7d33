/** Values of a configuration file, as the command line would have them; and how each kind is written. */
import { posix } from 'node:path';
import { expandVariables } from './expand.ts';
import type { Problem, RawValue } from './given.ts';
import type { OptionSpec } from './option-spec.ts';
import type { TomlValue } from './toml.ts';

/** Words in the place of a path. */
const LITERAL_PATHS: readonly string[] = ['-', 'off'];

/** One file while it is read. */
export interface Reading {
  readonly path: string;
  readonly environment: Environment;
  readonly problems: Problem[];
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** A value as the command line would have it; `null` if it is of another type. */
export function toRaw(reading: Reading, spec: OptionSpec, value: TomlValue, where: string): RawValue | null {
  switch (spec.type) {
    case 'switch':
      return value.kind === 'boolean' ? value.isTrue : null;
    case 'count':
      return value.kind === 'integer' ? value.text : null;
    case 'list':
    case 'command': {
      if (value.kind !== 'array') return toText(reading, value, where);
      const items = value.items.map((item) => (item.kind === 'integer' ? item.text : toText(reading, item, where)));
      return items.every((item) => item !== null) ? (items as string[]) : null;
    }
    case 'size':
    case 'duration':
      // Without a unit it is text all the same, so that the unit is asked for.
      return value.kind === 'integer' || value.kind === 'float' ? value.text : toText(reading, value, where);
    case 'path': {
      const text = toText(reading, value, where);
      if (text === null || text === '' || LITERAL_PATHS.includes(text)) return text;
      return posix.resolve(posix.dirname(reading.path), text);
    }
    case 'variables':
    case 'limits':
      return null;
    case 'choice':
      return value.kind === 'boolean' ? allowedBoolean(spec, value.isTrue) : toText(reading, value, where);
    case 'text':
      return toText(reading, value, where);
  }
}

/** Some choices are `true`, `false` and something between. */
function allowedBoolean({ choices }: OptionSpec, isTrue: boolean): string | null {
  return choices?.includes(String(isTrue)) === true ? String(isTrue) : null;
}

/** A string with its variables filled in; `null` if it is none. */
export function toText(reading: Reading, value: TomlValue, where: string): string | null {
  if (value.kind !== 'string') return null;
  const expanded = expandVariables(value.text, reading.environment);
  for (const what of expanded.problems) reading.problems.push({ where, what });
  return expanded.text;
}

/** A limit is a number, and may be written as one. */
export function asText({ type }: OptionSpec, value: TomlValue): TomlValue {
  return type === 'limits' && value.kind === 'integer' ? { kind: 'string', text: value.text } : value;
}

/** What a value must be, in words. */
export function formOf({ type, choices }: OptionSpec): string {
  switch (type) {
    case 'switch':
      return 'true or false';
    case 'count':
      return 'a whole number';
    case 'list':
      return 'a list of strings';
    case 'variables':
      return 'a table of strings';
    case 'limits':
      return 'a table of numbers';
    case 'choice':
      return `one of ${choices?.map(asToml).join(' and ')}`;
    case 'command':
      return 'a string or a list of strings';
    case 'size':
      return 'a number of bytes, or a string';
    case 'duration':
    case 'path':
    case 'text':
      return 'a string';
  }
}

function asToml(choice: string): string {
  return choice === 'true' || choice === 'false' ? choice : `"${choice}"`;
}

/** One that would do. */
export function exampleOf(spec: OptionSpec): string {
  switch (spec.type) {
    case 'switch':
      return 'true';
    case 'count':
      return '2';
    case 'list':
      return '["one", "two"]';
    case 'variables':
      return '{ NAME = "value" }';
    case 'limits':
      return '{ nofile = 4096 }';
    case 'command':
      return '"node my.js"';
    case 'choice':
      return asToml(spec.default ?? spec.choices?.[0] ?? '');
    default:
      return `"${spec.default ?? spec.choices?.[0] ?? '…'}"`;
  }
}
