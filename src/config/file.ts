/**
 * A configuration file, taken apart into what it gives for each target. The keys are the
 * options of the command line; nothing is read from the disk here.
 */
import { posix } from 'node:path';
import { asText, type Environment, exampleOf, formOf, type Reading, toRaw, toText } from './file-values.ts';
import { type Given, type GivenValue, hint, type Problem } from './given.ts';
import type { OptionSpec } from './option-spec.ts';
import { isRepeatable, OPTION_SPECS } from './options.ts';
import { parseToml, type TomlEntry } from './toml.ts';

/** What one target was given: of its own as its file is read, with the defaults once all files are. */
export interface GivenTarget {
  readonly name: string;
  /** Where its table begins: what lacks a key is told there. */
  readonly place: string;
  readonly given: Given;
}

/** What one file says. */
export interface ConfigFile {
  /** The keys above the first table: they are for the watchdog itself. */
  readonly watchdog: Given;
  readonly defaults: Given;
  readonly targets: readonly GivenTarget[];
  /** Patterns of further files, from the root. */
  readonly include: readonly GivenValue[];
}

/** Names are used on command lines, in globs and in logs. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.@:+-]*$/;
const MAX_NAME_LENGTH = 64;
const TABLES = ['defaults', 'target'];

/** Reads the text of the file at `path`, an absolute path. */
export function readConfigFile(
  text: string,
  path: string,
  environment: Environment,
): { readonly file: ConfigFile; readonly problems: readonly Problem[] } {
  const reading: Reading = { path, environment, problems: [] };
  const parsed = parseToml(text, path);
  if ('problem' in parsed) {
    return { file: { watchdog: {}, defaults: {}, targets: [], include: [] }, problems: [parsed.problem] };
  }
  const entries = parsed.entries;
  const top = entries.filter(
    ({ path, value }) => path.length === 1 && value.kind !== 'table' && !TABLES.includes(path[0] ?? ''),
  );
  refuseUnknownTables(reading, entries);
  const file: ConfigFile = {
    watchdog: readTable(
      reading,
      top.filter((entry) => entry.path[0] !== 'include'),
      0,
      'watchdog',
    ),
    defaults: readTable(
      reading,
      entries.filter((entry) => entry.path[0] === 'defaults' && entry.path.length > 1),
      1,
      'target',
    ),
    targets: readTargets(reading, entries),
    include: readInclude(reading, top),
  };
  return { file, problems: reading.problems };
}

/** What a target has of its own goes before the defaults; variables are put together. */
export function withDefaults(given: Given, defaults: Given): Given {
  const merged: Record<string, GivenValue> = { ...defaults, ...given };
  for (const name of ['env', 'limits'] as const) {
    const both = [defaults[name], given[name]];
    const from = given[name]?.from ?? defaults[name]?.from;
    const value = both.flatMap((one) => (Array.isArray(one?.value) ? (one.value as string[]) : []));
    if (from !== undefined) merged[name] = { value, from };
  }
  // Two ways to say the same thing: the nearer one counts.
  for (const [one, other] of [['stop', 'stop-signal']] as const) {
    if (given[one] !== undefined && given[other] === undefined) delete merged[other];
    if (given[other] !== undefined && given[one] === undefined) delete merged[one];
  }
  return merged;
}

/** As TOML would have it: `target."two words"`. */
function keyPath(path: readonly string[]): string {
  return path.map((key) => (/^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key))).join('.');
}

function isTable(entry: TomlEntry): boolean {
  return entry.value.kind === 'table';
}

function refuseUnknownTables(reading: Reading, entries: readonly TomlEntry[]): void {
  const seen = new Set<string>();
  for (const { path, value, line } of entries) {
    const [table = ''] = path;
    const isOne = path.length > 1 || value.kind === 'table';
    if (!isOne || TABLES.includes(table) || seen.has(table)) continue;
    seen.add(table);
    const spec = OPTION_SPECS.find(({ name }) => name === table);
    const what =
      spec === undefined
        ? `there is no such table${hint(table, TABLES, 'tables')}`
        : `is no table but a value; write ${table} = ${exampleOf(spec)}`;
    reading.problems.push({ where: `${reading.path}:${line}: ${table}`, what });
  }
}

function readTargets(reading: Reading, entries: readonly TomlEntry[]): readonly GivenTarget[] {
  const names = new Map<string, { readonly line: number; readonly entries: TomlEntry[] }>();
  for (const entry of entries) {
    const [table, name, ...keys] = entry.path;
    if (table !== 'target' || name === undefined) {
      if (table === 'target' && !isTable(entry)) {
        const what = 'is no value but a table for each target, such as [target.web]';
        reading.problems.push({ where: `${reading.path}:${entry.line}: target`, what });
      }
      continue;
    }
    const known = names.get(name) ?? { line: entry.line, entries: [] };
    names.set(name, known);
    if (keys.length > 0) known.entries.push(entry);
    else if (!isTable(entry)) {
      const what = `is no value but a table; write [target.${name}]`;
      reading.problems.push({ where: `${reading.path}:${entry.line}: ${keyPath(['target', name])}`, what });
    }
  }
  return [...names].map(([name, { entries: own, line }]) => {
    const place = `${reading.path}:${line}: ${keyPath(['target', name])}`;
    if (!NAME.test(name) || name.length > MAX_NAME_LENGTH) {
      const what = `"${name}" is no name for a target; it has letters, digits and . _ - @ : +, at most ${MAX_NAME_LENGTH}`;
      reading.problems.push({ where: place, what });
    }
    return { name, place, given: readTable(reading, own, 2, 'target') };
  });
}

/** The values of one table, whose keys begin at `depth` of their paths. */
function readTable(
  reading: Reading,
  entries: readonly TomlEntry[],
  depth: number,
  scope: 'target' | 'watchdog',
): Given {
  const given: Record<string, GivenValue> = {};
  const pairs = new Map<string, string[]>();
  for (const entry of entries) {
    const where = `${reading.path}:${entry.line}: ${keyPath(entry.path)}`;
    const key = entry.path[depth] ?? '';
    const spec = OPTION_SPECS.find(({ name }) => name === key);
    if (spec === undefined || spec.scope !== scope) {
      reading.problems.push({ where, what: whyNoKey(key, spec, scope) });
      continue;
    }
    const inner = entry.path[depth + 1];
    if (inner !== undefined && isRepeatable(spec)) {
      const value = toText(reading, asText(spec, entry.value), where);
      const own = pairs.get(key) ?? [];
      pairs.set(key, own);
      if (value !== null) own.push(`${inner}=${value}`);
      given[spec.name] = {
        value: own,
        from: `${reading.path}:${entry.line}: ${keyPath(entry.path.slice(0, depth + 1))}`,
      };
      continue;
    }
    if (isTable(entry) && isRepeatable(spec)) {
      given[spec.name] ??= { value: [], from: where };
      continue;
    }
    const value = inner === undefined ? toRaw(reading, spec, entry.value, where) : null;
    if (value !== null) given[spec.name] = { value, from: where };
    else reading.problems.push({ where, what: `must be ${formOf(spec)}; write ${key} = ${exampleOf(spec)}` });
  }
  return given;
}

function whyNoKey(key: string, spec: OptionSpec | undefined, scope: 'target' | 'watchdog'): string {
  const known = OPTION_SPECS.filter((one) => one.scope === scope).map(({ name }) => name);
  if (spec === undefined) {
    const keys = scope === 'watchdog' ? [...known, 'include'] : known;
    return `there is no such key${hint(key, keys, 'keys')}`;
  }
  if (spec.scope === 'run') return `is for the command line only; give --${spec.name} there`;
  return spec.scope === 'target'
    ? 'is a key of a target; write it into [target.NAME] or [defaults]'
    : 'is the same for all targets; write it above the first [table]';
}

function readInclude(reading: Reading, top: readonly TomlEntry[]): readonly GivenValue[] {
  return top
    .filter((entry) => entry.path[0] === 'include')
    .flatMap(({ line, value }) => {
      const from = `${reading.path}:${line}: include`;
      const items = value.kind === 'array' ? value.items : [value];
      return items.flatMap((item) => {
        const text = toText(reading, item, from);
        if (text !== null && text !== '') return [{ value: posix.resolve(posix.dirname(reading.path), text), from }];
        reading.problems.push({ where: from, what: 'must be a list of file names; write include = ["conf.d/*.toml"]' });
        return [];
      });
    });
}
