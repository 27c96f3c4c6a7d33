/** The brain's half of `sentinel/PROTOCOL.md`: frames written, lines read. Pure. */
import { limitNumber } from '../core/limits.ts';
import { signalName } from '../core/signals.ts';
import type { Death } from '../core/types.ts';
import type { NotStarted, Restraint, RunAs } from '../system/child.ts';

/** What a frame says; PROTOCOL.md tells what each part means. Texts must not hold NUL. */
export interface Frame {
  readonly state: string;
  readonly brain: Command;
  readonly title: string;
  readonly note: string;
  /** `null`: standard output. */
  readonly log: string | null;
  /** What local time is ahead of UTC. */
  readonly offsetSeconds: number;
  readonly filesLimit: number | null;
  readonly watch: readonly { readonly pid: number; readonly startTime: number }[];
  readonly deadlineMs: number | null;
  readonly starts: readonly { readonly id: number; readonly command: Command }[];
  /** What follows a command in the moment that it ends, but by one of these exit statuses. */
  readonly replaces: readonly {
    readonly pid: number;
    readonly startTime: number;
    readonly id: number;
    readonly command: Command;
    readonly unless: readonly number[];
  }[];
  /** Programs whose pipe is to be read from now on, and where that goes. */
  readonly taps: readonly Tap[];
  readonly signals: readonly { readonly pid: number; readonly number: number }[];
  readonly kills: readonly { readonly pid: number; readonly startTime: number; readonly number: number }[];
  /** Whoever waits for the watch to begin is told. */
  readonly isReady: boolean;
  readonly isPatient: boolean;
  readonly forwards: boolean;
  /** With that, the standard streams are given up. */
  readonly detaches: boolean;
  readonly end: 'stay' | 'rest' | { readonly status: number };
}

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly set: Readonly<Record<string, string>>;
  readonly unset: readonly string[];
  readonly directory: string | null;
  readonly output: string | null;
  /** Where standard error goes instead; `null`: along with standard output. */
  readonly errors: string | null;
  /** The file is put aside when it has so many bytes, and so many of them are kept; `null`: it grows. */
  readonly rotate: { readonly maxBytes: number; readonly keep: number } | null;
  /** As whom it runs; `null`: as we do. */
  readonly user: RunAs | null;
  readonly restraint: Restraint;
  readonly isForeground: boolean;
}

export interface Tap {
  readonly pid: number;
  readonly startTime: number;
  readonly output: string;
  readonly errors: string | null;
  readonly maxBytes: number;
  readonly keep: number;
}

/** What only the first frame says. */
export interface Beginning {
  readonly lock: string | null;
  readonly control: string | null;
}

/** A line of the sentinel. `seq` is 0 where nothing is to be acknowledged. */
export type Told = { readonly seq: number; readonly nowMs: number } & ToldEvent;

export type ToldEvent =
  | { readonly kind: 'lock'; readonly errno: number }
  | { readonly kind: 'gone'; readonly pid: number; readonly startTime: number; readonly how: Death }
  | { readonly kind: 'unwatched'; readonly pid: number; readonly startTime: number; readonly errno: number }
  | { readonly kind: 'started'; readonly id: number; readonly pid: number; readonly startTime: number }
  | { readonly kind: 'failed'; readonly id: number; readonly step: Step; readonly errno: number }
  | { readonly kind: 'ended'; readonly pid: number; readonly how: Death }
  | { readonly kind: 'orphan'; readonly pid: number; readonly orphan: number; readonly how: Death }
  | { readonly kind: 'signal'; readonly number: number }
  | { readonly kind: 'due' }
  | { readonly kind: 'go' }
  | { readonly kind: 'connect' };

/** Where the start of a command failed. */
type Step = NotStarted['step'];

/** One variable of the environment may be this long at most (MAX_ARG_STRLEN, 128 KiB, less its name). */
const CHUNK_LENGTH = 100_000;
const DAY_SECONDS = 86_400;
const NICE_OFFSET = 20;

/** A frame with its header, which acknowledges all lines up to `ack`. */
export function formatFrame(frame: Frame, ack: number): Buffer {
  const body = Buffer.from(formatBody(frame, null), 'utf8');
  return Buffer.concat([formatHeader(ack, body.length), body]);
}

function formatHeader(ack: number, length: number): Buffer {
  const digits = (number: number): string => String(number).padStart(10, '0');
  return Buffer.from(`frame ${digits(ack)} ${digits(length)}\n`);
}

/** A frame without a body: asks for all that has happened until now. */
export const ASK = formatHeader(0, 0);

/** The first frame, as variables of the environment. */
export function formatHandover(frame: Frame, beginning: Beginning): Record<string, string> {
  const body = formatBody(frame, beginning);
  const variables: Record<string, string> = {};
  // A character has three bytes of UTF-8 at most, so that this many always fit.
  const length = CHUNK_LENGTH / 3;
  for (let at = 0; at < body.length; ) {
    const end = endOfChunk(body, at + length);
    variables[`WATCHDOG_FRAME_${Object.keys(variables).length}`] = body.slice(at, end);
    at = end;
  }
  return variables;
}

/** Not between the two halves of one character. */
function endOfChunk(text: string, at: number): number {
  const end = Math.floor(at);
  return /[\uD800-\uDBFF]/.test(text[end - 1] ?? '') ? end + 1 : end;
}

function formatBody(frame: Frame, beginning: Beginning | null): string {
  return [
    bytes('state', frame.state),
    'brain\n',
    ...formatCommand(frame.brain),
    bytes('title', frame.title),
    bytes('note', frame.note),
    frame.log === null ? '' : bytes('log', frame.log),
    `offset ${frame.offsetSeconds + DAY_SECONDS}\n`,
    frame.filesLimit === null ? '' : `files ${frame.filesLimit}\n`,
    beginning?.lock == null ? '' : bytes('lock', beginning.lock),
    beginning?.control == null ? '' : bytes('control', beginning.control),
    ...frame.watch.map(({ pid, startTime }) => `watch ${pid} ${startTime}\n`),
    frame.deadlineMs === null ? '' : `deadline ${Math.max(0, Math.ceil(frame.deadlineMs))}\n`,
    ...frame.starts.flatMap(({ id, command }) => [`start ${id}\n`, ...formatCommand(command)]),
    ...frame.replaces.flatMap(({ command, id, pid, startTime, unless }) => [
      `replace ${pid} ${startTime} ${id}\n`,
      ...formatCommand(command),
      ...unless.map((status) => `unless ${status}\n`),
    ]),
    ...frame.taps.flatMap(({ errors, keep, maxBytes, output, pid, startTime }) => [
      `tap ${pid} ${startTime}\n`,
      bytes('output', output),
      errors === null ? '' : bytes('errors', errors),
      `rotate ${maxBytes} ${keep}\n`,
    ]),
    ...frame.signals.map(({ pid, number }) => `signal ${pid} ${number}\n`),
    ...frame.kills.map(({ number, pid, startTime }) => `kill ${pid} ${startTime} ${number}\n`),
    frame.isPatient ? 'patient\n' : '',
    frame.forwards ? 'forward\n' : '',
    frame.isReady ? 'ready\n' : '',
    frame.detaches ? 'detach\n' : '',
    frame.end === 'stay' ? '' : frame.end === 'rest' ? 'sleep\n' : `exit ${frame.end.status}\n`,
  ].join('');
}

function formatCommand(command: Command): readonly string[] {
  return [
    bytes('program', command.program),
    ...command.args.map((arg) => bytes('arg', arg)),
    ...Object.entries(command.set).map(([name, value]) => bytes('env', `${name}=${value}`)),
    ...command.unset.map((name) => bytes('unset', name)),
    command.directory === null ? '' : bytes('directory', command.directory),
    command.output === null ? '' : bytes('output', command.output),
    command.errors === null ? '' : bytes('errors', command.errors),
    ...formatRotate(command),
    command.isForeground ? 'foreground\n' : '',
    ...formatUser(command.user),
    ...formatRestraint(command.restraint),
  ];
}

function formatRotate({ rotate }: Pick<Command, 'rotate'>): readonly string[] {
  return rotate === null ? [] : [`rotate ${rotate.maxBytes} ${rotate.keep}\n`];
}

function formatUser(user: RunAs | null): readonly string[] {
  if (user === null) return [];
  return [`user ${user.uid} ${user.gid}\n`, ...user.groups.map((gid) => `group ${gid}\n`)];
}

function formatRestraint({ limits, nice, umask }: Restraint): readonly string[] {
  return [
    umask === null ? '' : `umask ${umask}\n`,
    nice === null ? '' : `nice ${nice + NICE_OFFSET}\n`,
    ...limits.map(({ hard, name, soft }) => `limit ${limitNumber(name)} ${limitText(soft)} ${limitText(hard)}\n`),
  ];
}

/** The protocol's word for *without a limit*. */
function limitText(value: number | null): string {
  return value === null ? '9'.repeat(18) : String(value);
}

function bytes(verb: string, text: string): string {
  return `${verb} ${Buffer.byteLength(text)}\n${text}\n`;
}

/** Reads the first line: when it was, and how long the state is that follows. `null` if it is none. */
export function parseHello(line: string): { readonly nowMs: number; readonly length: number } | null {
  const match = /^hello (\d+) (\d+)$/.exec(line);
  return match === null ? null : { nowMs: Number(match[1]), length: Number(match[2]) };
}

/** Reads a later line; `null` if it is none that the protocol knows. */
export function parseTold(line: string): Told | null {
  const [seq, nowMs, kind, ...rest] = line.split(' ');
  const event = parseEvent(kind ?? '', rest);
  return event === null ? null : { seq: Number(seq), nowMs: Number(nowMs), ...event };
}

function parseEvent(kind: string, rest: readonly string[]): ToldEvent | null {
  const number = (at: number): number => Number(rest[at]);
  switch (kind) {
    case 'lock':
      return { kind, errno: number(0) };
    case 'gone':
      return { kind, pid: number(0), startTime: number(1), how: parseDeath(rest.slice(2)) };
    case 'unwatched':
      return { kind, pid: number(0), startTime: number(1), errno: number(2) };
    case 'started':
      return { kind, id: number(0), pid: number(1), startTime: number(2) };
    case 'failed':
      return { kind, id: number(0), step: rest[1] as Step, errno: number(2) };
    case 'ended':
      return { kind, pid: number(0), how: parseDeath(rest.slice(1)) };
    case 'orphan':
      return { kind, pid: number(0), orphan: number(1), how: parseDeath(rest.slice(2)) };
    case 'signal':
      return { kind, number: number(0) };
    case 'due':
    case 'go':
    case 'connect':
      return { kind };
    default:
      return null;
  }
}

function parseDeath([how, number]: readonly string[]): Death {
  if (how === 'exited') return { kind: 'exited', status: Number(number) };
  return how === 'killed' ? { kind: 'killed', signal: signalName(Number(number)) } : { kind: 'unknown' };
}
