/** What to do about a target, and when. Plain data, so that it can travel with the state. */
import { LIMIT_NAMES, limitNumber } from '../core/limits.ts';
import { DEFAULT_EVENTS, EVENTS, type EventName } from '../core/notice.ts';
import type { Backoff, StopRule } from '../core/types.ts';
import { parseDuration } from './duration.ts';
import { hint } from './given.ts';
import { type ProgramSettings, readProgram } from './program-settings.ts';
import { complain, count, defaultOf, duration, list, type Reader, text } from './reader.ts';
import { readSignalName } from './signal-name.ts';

export interface TargetSettings {
  /** What brings it back; of a program of ours what starts it, as the log shows it. */
  readonly recover: string;
  readonly program: ProgramSettings | null;
  readonly cwd: string | null;
  readonly env: readonly (readonly [name: string, value: string])[];
  readonly recoverTimeoutMs: number;
  readonly stop: StopRule;
  readonly reload: ReloadRule;
  /** As given: a name or a number; `null` for ours. */
  readonly user: string | null;
  readonly group: string | null;
  readonly restraint: Restraint;
  readonly notify: NotifySettings;
  readonly dependsOn: readonly string[];
  readonly groups: readonly string[];
  readonly intervalMs: number;
  readonly confirmMs: number;
  readonly startGraceMs: number;
  readonly settleMs: number;
  readonly backoff: Backoff;
  readonly startDelayMs: number;
}

/** Who is told of events, and of which. */
export interface NotifySettings {
  readonly onEvent: string | null;
  readonly webhook: string | null;
  readonly events: readonly EventName[];
}

/** What its commands may take of the machine; `null` where it is as ours. */
export interface Restraint {
  readonly umask: number | null;
  readonly nice: number | null;
  readonly limits: readonly { readonly name: string; readonly soft: number | null; readonly hard: number | null }[];
}

/** What makes a target read its configuration again; the signal without `SIG`. */
export type ReloadRule = { readonly command: string } | { readonly signal: string };

/** One argument of execve(2) may be this long at most (MAX_ARG_STRLEN, less the final NUL). */
const MAX_COMMAND_BYTES = 131_071;
/** Looking more often than this would cost more than it could tell. */
const MIN_INTERVAL_MS = 50;

/** Reads it; what is wrong is noted by the reader. */
export function readTarget(reader: Reader): TargetSettings {
  const program = readProgram(reader);
  return {
    recover: program?.shown ?? readRecover(reader),
    program,
    cwd: text(reader, 'cwd'),
    env: readEnv(reader),
    recoverTimeoutMs: duration(reader, 'recover-timeout', 1),
    stop: readStop(reader),
    reload: readReload(reader),
    user: text(reader, 'user'),
    group: text(reader, 'group'),
    restraint: readRestraint(reader),
    notify: readNotify(reader),
    dependsOn: readNames(reader, 'depends-on'),
    groups: readNames(reader, 'groups'),
    intervalMs: duration(reader, 'interval', MIN_INTERVAL_MS),
    confirmMs: duration(reader, 'confirm', 0),
    startGraceMs: duration(reader, 'start-grace', 0),
    settleMs: readSettle(reader, program),
    backoff: readBackoff(reader),
    startDelayMs: duration(reader, 'start-delay', 0),
  };
}

/** How long it must last. For a program of ours there is a key of its own, in seconds. */
function readSettle(reader: Reader, program: ProgramSettings | null): number {
  if (program === null) return duration(reader, 'settle', 0);
  if (program.startSeconds !== null) return program.startSeconds * 1_000;
  return reader.given.settle === undefined ? Number(defaultOf('start-seconds')) * 1_000 : duration(reader, 'settle', 0);
}

function readRecover(reader: Reader): string {
  if (reader.given.recover === undefined) {
    complain(
      reader,
      'recover',
      `is missing; say what brings the target back, such as ${reader.spell('recover')}${reader.spell('recover').startsWith('-') ? ' ' : ' = '}"node my.js start"`,
    );
  }
  return readCommand(reader, 'recover') ?? '';
}

/** A command for the shell; `null` if none was given. */
function readCommand(reader: Reader, name: 'recover' | 'stop' | 'reload' | 'on-event'): string | null {
  const command = reader.given[name]?.value;
  if (typeof command !== 'string') return null;
  if (command.trim() === '') complain(reader, name, 'is empty; write a command, such as "node my.js start"');
  const bytes = new TextEncoder().encode(command).length;
  if (bytes > MAX_COMMAND_BYTES) {
    complain(reader, name, `has ${bytes} bytes; at most ${MAX_COMMAND_BYTES} are allowed: put it into a script`);
  }
  if (/\p{Surrogate}/u.test(command)) {
    complain(reader, name, 'has bytes that are not UTF-8; put the command into a script and name the script here');
  }
  if (command.includes('\0')) complain(reader, name, 'holds a NUL, which no command can');
  return command;
}

function readStop(reader: Reader): StopRule {
  const command = readCommand(reader, 'stop');
  const given = text(reader, 'stop-signal');
  if (command !== null && given !== null) {
    complain(reader, 'stop-signal', 'contradicts stop, which is a command; leave one of them out');
  }
  const signal = readSignalName(given ?? defaultOf('stop-signal'));
  if (signal === null)
    complain(reader, 'stop-signal', `"${given}" is no signal; write TERM, INT, QUIT, USR1 or another`);
  return { command, signal: signal ?? 'TERM', timeoutMs: duration(reader, 'stop-timeout', 0) };
}

/** `SIGHUP` is a signal; anything else is a command. */
function readReload(reader: Reader): ReloadRule {
  const given = readCommand(reader, 'reload') ?? defaultOf('reload');
  if (!/^SIG[A-Z0-9]+$/.test(given)) return { command: given };
  const signal = readSignalName(given);
  if (signal === null)
    complain(reader, 'reload', `"${given}" is no signal; write SIGHUP, SIGUSR1, SIGUSR2 or a command`);
  return { signal: signal ?? 'HUP' };
}

function readNotify(reader: Reader): NotifySettings {
  const onEvent = readCommand(reader, 'on-event');
  const webhook = readUrl(reader);
  if (reader.given.events !== undefined && onEvent === null && webhook === null) {
    complain(
      reader,
      'events',
      `says what to tell, and nobody is told; give ${reader.spell('on-event')} or ${reader.spell('webhook')} too`,
    );
  }
  return { onEvent, webhook, events: readEvents(reader) };
}

function readUrl(reader: Reader): string | null {
  const url = text(reader, 'webhook');
  if (url === null || /^https?:\/\/[^/\s]+/.test(url)) return url;
  complain(reader, 'webhook', `"${url}" is no URL; write it with http:// or https://`);
  return null;
}

function readEvents(reader: Reader): readonly EventName[] {
  const given = list(reader, 'events');
  if (given === null) return DEFAULT_EVENTS;
  if (given.includes('all')) return EVENTS;
  return given.flatMap((word) => {
    const event = EVENTS.find((one) => one === word);
    if (event === undefined) complain(reader, 'events', `there is no event "${word}"${hint(word, EVENTS, 'events')}`);
    return event ?? [];
  });
}

function readRestraint(reader: Reader): Restraint {
  return {
    umask: readUmask(reader),
    nice: count(reader, 'nice', { least: -20, most: 19, what: 'niceness' }),
    limits: readPairs(reader, 'limits').flatMap((entry) => readLimit(reader, entry) ?? []),
  };
}

function readUmask(reader: Reader): number | null {
  const given = text(reader, 'umask');
  if (given === null) return null;
  if (/^[0-7]{1,4}$/.test(given) && Number.parseInt(given, 8) <= 0o777) return Number.parseInt(given, 8);
  complain(reader, 'umask', `"${given}" is no umask; write it in octal, such as 022 or 027`);
  return null;
}

/** `NAME=SOFT` or `NAME=SOFT:HARD`. */
function readLimit(reader: Reader, entry: string): Restraint['limits'][number] | null {
  const [name = '', ends = ''] = [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)];
  if (limitNumber(name) < 0) {
    complain(reader, 'limits', `there is no limit "${name}"${hint(name, LIMIT_NAMES, 'limits')}`);
    return null;
  }
  const match = /^(\d{1,15}|unlimited)(?::(\d{1,15}|unlimited))?$/.exec(ends);
  if (match === null) {
    complain(reader, 'limits', `"${ends}" is no limit; write a number, unlimited, or SOFT:HARD`);
    return null;
  }
  const [soft, hard] = [match[1], match[2] ?? match[1]].map((one) => (one === 'unlimited' ? null : Number(one)));
  if (hard !== null && (soft === null || (soft ?? 0) > (hard ?? 0))) {
    complain(reader, 'limits', `${name}: the soft limit in "${ends}" is above the hard one`);
  }
  return { name, soft: soft ?? null, hard: hard ?? null };
}

function readPairs(reader: Reader, name: 'env' | 'limits'): readonly string[] {
  const given = reader.given[name]?.value;
  return typeof given === 'string' ? [given] : Array.isArray(given) ? (given as readonly string[]) : [];
}

function readNames(reader: Reader, name: 'depends-on' | 'groups'): readonly string[] {
  const names = list(reader, name) ?? [];
  if (names.includes('')) complain(reader, name, 'has an empty name; leave it out');
  return [...new Set(names.filter((one) => one !== ''))];
}

function readEnv(reader: Reader): readonly (readonly [string, string])[] {
  return readPairs(reader, 'env').flatMap((entry) => {
    const match = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(entry);
    if (match !== null && !entry.includes('\0')) return [[match[1] as string, match[2] as string] as const];
    const form = 'a name has letters, digits and _, such as PATH=/usr/bin:/bin';
    complain(reader, 'env', `"${entry}" is not NAME=VALUE; ${form}`);
    return [];
  });
}

function readBackoff(reader: Reader): Backoff {
  const given = text(reader, 'backoff') ?? defaultOf('backoff');
  if (/^0(ms|s)?$/.test(given.trim())) return null;
  const ends = given.split('..').map((end) => parseDuration(end));
  const [min, max] = ends;
  if (ends.length !== 2 || min === undefined || max === undefined || 'problem' in min || 'problem' in max) {
    complain(reader, 'backoff', `"${given}" is no range; write two durations such as 1s..5m, or 0 for the plain loop`);
    return null;
  }
  if (min.ms < 1 || min.ms > max.ms) {
    complain(reader, 'backoff', `"${given}" must begin above 0 and end no lower than it begins, such as 1s..5m`);
  }
  return { minMs: min.ms, maxMs: max.ms };
}
