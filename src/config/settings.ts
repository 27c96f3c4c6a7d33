/**
 * What the user gave, read: either settings that hold, or all that is wrong with it.
 * Settings are plain data, so that they can travel with the state. Nothing of the
 * machine is asked here; paths come out as they were given.
 */
import type { Backoff } from '../core/types.ts';
import { DURATION_FORM, parseDuration } from './duration.ts';
import { nearest } from './nearest.ts';
import { OPTION_SPECS, type OptionName, type RawOptions } from './options.ts';
import { compilePattern, type PatternSettings } from './pattern.ts';
import type { Problem } from './problem.ts';

/** What to look for. */
export interface SelectSettings {
  readonly pattern: PatternSettings | null;
  readonly pidFile: string | null;
  /** Names or numbers, as given; `null` for anybody. */
  readonly users: readonly string[] | null;
  readonly exe: string | null;
  readonly min: number;
  readonly processTable: 'proc' | 'ps' | null;
}

/** How to watch it. */
export interface WatchSettings {
  readonly recover: string;
  readonly cwd: string | null;
  readonly env: readonly (readonly [name: string, value: string])[];
  readonly recoverTimeoutMs: number;
  readonly intervalMs: number;
  readonly confirmMs: number;
  readonly startGraceMs: number;
  readonly settleMs: number;
  readonly backoff: Backoff;
  readonly startDelayMs: number;
  readonly lingerMs: number;
  /** `null` for the default place, `-` for standard output. */
  readonly log: string | null;
  readonly logFormat: 'text' | 'json';
  readonly isQuiet: boolean;
  readonly name: string | null;
  readonly isOnce: boolean;
  readonly isResident: boolean;
  readonly isDryRun: boolean;
}

/** One argument of execve(2) may be this long at most (MAX_ARG_STRLEN, less the final NUL). */
const MAX_COMMAND_BYTES = 131_071;
/** Looking more often than this would cost more than it could tell. */
const MIN_INTERVAL_MS = 50;
const MAX_COPIES = 10_000;

/** Reads one option after the other, and collects what is wrong. */
interface Reader {
  readonly raw: RawOptions;
  readonly problems: Problem[];
}

/** What to look for, for every command. */
export async function readSelect(raw: RawOptions): Promise<{
  readonly select: SelectSettings;
  readonly problems: readonly Problem[];
}> {
  const reader: Reader = { raw, problems: [] };
  const pidFile = text(reader, 'pid-file');
  const select: SelectSettings = {
    pattern: await readPattern(reader, pidFile),
    pidFile,
    users: readUsers(reader),
    exe: readExe(reader),
    min: readMin(reader, pidFile),
    processTable: choice(reader, 'process-table', ['proc', 'ps']),
  };
  return { select, problems: reader.problems };
}

/** How to watch, for the command that does. */
export function readWatch(raw: RawOptions): { readonly watch: WatchSettings; readonly problems: readonly Problem[] } {
  const reader: Reader = { raw, problems: [] };
  const watch: WatchSettings = {
    recover: readRecover(reader),
    cwd: text(reader, 'cwd'),
    env: readEnv(reader),
    recoverTimeoutMs: duration(reader, 'recover-timeout', 1),
    intervalMs: duration(reader, 'interval', MIN_INTERVAL_MS),
    confirmMs: duration(reader, 'confirm', 0),
    startGraceMs: duration(reader, 'start-grace', 0),
    settleMs: duration(reader, 'settle', 0),
    backoff: readBackoff(reader),
    startDelayMs: duration(reader, 'start-delay', 0),
    lingerMs: duration(reader, 'linger', 0),
    log: text(reader, 'log'),
    logFormat: choice(reader, 'log-format', ['text', 'json']) ?? 'text',
    isQuiet: raw.quiet === true,
    name: text(reader, 'name'),
    isOnce: raw.once === true,
    isResident: raw.resident === true,
    isDryRun: raw['dry-run'] === true,
  };
  if (watch.isQuiet && watch.log === '-') {
    complain(reader, '--quiet', 'contradicts --log -, which writes to standard output; leave one of them out');
  }
  return { watch, problems: reader.problems };
}

async function readPattern(reader: Reader, pidFile: string | null): Promise<PatternSettings | null> {
  const pattern = reader.raw.pattern;
  if (typeof pattern !== 'string') {
    for (const name of ['exact', 'ignore-case', 'fixed'] as const) {
      if (reader.raw[name] === true) complain(reader, `--${name}`, 'says how to read a pattern; give a --pattern too');
    }
    if (pidFile === null) complain(reader, '--pattern', 'is missing; say what to watch by --pattern or --pid-file');
    return null;
  }
  const settings: PatternSettings = {
    text: pattern,
    isFixed: reader.raw.fixed === true,
    isExact: reader.raw.exact === true,
    ignoresCase: reader.raw['ignore-case'] === true,
  };
  const compiled = await compilePattern(settings);
  if ('problem' in compiled) complain(reader, '--pattern', compiled.problem);
  return settings;
}

function readUsers(reader: Reader): readonly string[] | null {
  const given = text(reader, 'user');
  if (given === null) return null;
  const users = given.split(',').map((user) => user.trim());
  if (users.includes(''))
    complain(reader, '--user', `"${given}" has an empty name; write names or numbers with commas between`);
  return users;
}

function readExe(reader: Reader): string | null {
  const exe = text(reader, 'exe');
  if (exe !== null && !exe.startsWith('/')) {
    complain(reader, '--exe', `"${exe}" is no absolute path; write it from the root, such as /usr/bin/node`);
  }
  return exe;
}

function readMin(reader: Reader, pidFile: string | null): number {
  const given = text(reader, 'min') ?? '1';
  const min = Number(given);
  if (!/^\d+$/.test(given.trim()) || min < 1 || min > MAX_COPIES) {
    complain(reader, '--min', `"${given}" is no number of processes; allowed are 1 to ${MAX_COPIES}`);
    return 1;
  }
  if (pidFile !== null && min > 1) {
    complain(reader, '--min', `${min} contradicts --pid-file, which names one process; leave one of them out`);
  }
  return min;
}

function readRecover(reader: Reader): string {
  const recover = reader.raw.recover;
  if (typeof recover !== 'string') {
    complain(reader, '--recover', 'is missing; say what brings the target back, such as --recover "node my.js start"');
    return '';
  }
  if (recover.trim() === '') complain(reader, '--recover', 'is empty; write a command, such as "node my.js start"');
  const bytes = new TextEncoder().encode(recover).length;
  if (bytes > MAX_COMMAND_BYTES) {
    complain(reader, '--recover', `has ${bytes} bytes; at most ${MAX_COMMAND_BYTES} are allowed: put it into a script`);
  }
  if (/\p{Surrogate}/u.test(recover)) {
    complain(
      reader,
      '--recover',
      'has bytes that are not UTF-8; put the command into a script and name the script here',
    );
  }
  return recover;
}

function readEnv(reader: Reader): readonly (readonly [string, string])[] {
  const given = reader.raw.env;
  const entries = Array.isArray(given) ? (given as readonly string[]) : typeof given === 'string' ? [given] : [];
  return entries.flatMap((entry) => {
    const match = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(entry);
    if (match !== null) return [[match[1] as string, match[2] as string] as const];
    complain(
      reader,
      '--env',
      `"${entry}" is not NAME=VALUE; a name has letters, digits and _, such as PATH=/usr/bin:/bin`,
    );
    return [];
  });
}

function readBackoff(reader: Reader): Backoff {
  const given = text(reader, 'backoff') ?? defaultOf('backoff');
  if (/^0(ms|s)?$/.test(given.trim())) return null;
  const ends = given.split('..').map((end) => parseDuration(end));
  const [min, max] = ends;
  if (ends.length !== 2 || min === undefined || max === undefined || 'problem' in min || 'problem' in max) {
    complain(
      reader,
      '--backoff',
      `"${given}" is no range; write two durations such as 1s..5m, or 0 for the plain loop`,
    );
    return null;
  }
  if (min.ms < 1 || min.ms > max.ms) {
    complain(reader, '--backoff', `"${given}" must begin above 0 and end no lower than it begins, such as 1s..5m`);
  }
  return { minMs: min.ms, maxMs: max.ms };
}

function duration(reader: Reader, name: OptionName, leastMs: number): number {
  const given = text(reader, name) ?? defaultOf(name);
  const parsed = parseDuration(given);
  if ('problem' in parsed) {
    complain(reader, `--${name}`, parsed.problem);
    return 0;
  }
  if (parsed.ms < leastMs) {
    complain(reader, `--${name}`, `"${given}" is too short; at least ${leastMs}ms is needed: write ${DURATION_FORM}`);
  }
  return parsed.ms;
}

function choice<T extends string>(reader: Reader, name: OptionName, allowed: readonly T[]): T | null {
  const given = text(reader, name);
  if (given === null) return null;
  const found = allowed.find((one) => one === given);
  if (found !== undefined) return found;
  const meant = nearest(given, allowed);
  const hint = meant === null ? '' : `; did you mean ${meant}?`;
  complain(reader, `--${name}`, `"${given}" is not allowed; allowed are ${allowed.join(' and ')}${hint}`);
  return null;
}

/** The text of an option that must not be empty. */
function text(reader: Reader, name: OptionName): string | null {
  const value = reader.raw[name];
  if (typeof value !== 'string') return null;
  if (value.trim() !== '') return value;
  complain(reader, `--${name}`, 'is empty; give it a value or leave it out');
  return null;
}

function defaultOf(name: OptionName): string {
  return OPTION_SPECS.find((option) => option.name === name)?.default ?? '';
}

function complain(reader: Reader, where: string, what: string): void {
  reader.problems.push({ where, what });
}
