/** How a program of ours is started and kept, as the user gave it. */
import { quoteWord } from '../core/shell-words.ts';
import { signalNumber } from '../core/signals.ts';
import type { ProgramRule } from '../core/types.ts';
import { OPTION_SPECS } from './options.ts';
import { choice, complain, count, defaultOf, isOn, list, placeOf, type Reader, text } from './reader.ts';
import { toShellCommand } from './shell-command.ts';
import { readSignalName } from './signal-name.ts';

export interface ProgramSettings {
  /** As the log shows it. */
  readonly shown: string;
  /** What `/bin/sh -c` gets. */
  readonly script: string;
  /** And what stands behind it: `$1` and so on. */
  readonly args: readonly string[];
  readonly rule: ProgramRule;
  readonly startSeconds: number | null;
  readonly numprocs: number;
  readonly priority: number;
  /** `ours`: where the watchdog's own goes; `null`: as is usual for it. */
  readonly output: OutputSettings | 'ours' | null;
  /** `null`: never. */
  readonly exitOnFailure: number | null;
}

/** The files that its output is kept in. */
export interface OutputSettings {
  readonly path: string;
  /** Where standard error goes; `null`: along with standard output. */
  readonly errorPath: string | null;
  /** 0: it grows without bounds. */
  readonly maxBytes: number;
  /** How many that were put aside are kept. */
  readonly keep: number;
}

/** The output that is no file, but where ours goes. */
const OURS = '-';
const UNITS: Readonly<Record<string, number>> = { '': 1, B: 1, k: 1e3, kB: 1e3, M: 1e6, MB: 1e6, G: 1e9, GB: 1e9 };
/** With less, more would be put aside than written. */
const MIN_BYTES = 1_000;
const MAX_BYTES = 1e15;
const MAX_KEPT = 1_000;
const MAX_COPIES = 1_000;
/** The group of the table that says which options are about a program alone. */
const GROUP = 'A program of ours';

/** Reads it; `null` if this target is none. What is wrong is noted by the reader. */
export function readProgram(reader: Reader): ProgramSettings | null {
  const command = readCommandLine(reader);
  if (command === null) {
    refuseWithout(reader);
    return null;
  }
  if (reader.given.recover !== undefined) {
    const what = `contradicts ${reader.spell('command')}, which starts a program of ours; leave one of them out`;
    complain(reader, 'recover', what);
  }
  return {
    ...command,
    rule: {
      autostart: choice(reader, 'autostart', ['true', 'false']) !== 'false',
      autorestart: AUTORESTART[choice(reader, 'autorestart', ['true', 'false', 'unexpected']) ?? 'unexpected'],
      expectedExitCodes: readExitCodes(reader),
      daemonizes: isOn(reader, 'daemonizes'),
      isAtTerminal: false,
      ends: choice(reader, 'kill-mode', ['family', 'process']) ?? 'family',
    },
    output: readOutput(reader),
    startSeconds: count(reader, 'start-seconds', { least: 0, most: 86_400, what: 'number of seconds' }),
    numprocs: count(reader, 'numprocs', { least: 1, most: MAX_COPIES, what: 'number of processes' }) ?? 1,
    priority:
      count(reader, 'priority', { least: 0, most: 1_000_000, what: 'priority' }) ?? Number(defaultOf('priority')),
    exitOnFailure: count(reader, 'exit-on-failure', { least: 1, most: 1_000_000, what: 'number of failures' }),
  };
}

/** The signals that the program gets in the place of others; without `SIG`. */
export function readRewrites(reader: Reader): Readonly<Record<string, string>> {
  const given = reader.given['rewrite-signal']?.value;
  const rewrites: Record<string, string> = {};
  for (const pair of Array.isArray(given) ? (given as readonly string[]) : []) {
    const [from, to, ...rest] = pair.split('=').map(readSignalName);
    if (from == null || to == null || rest.length > 0 || signalNumber(from) === signalNumber('KILL')) {
      complain(reader, 'rewrite-signal', `"${pair}" is not SIGNAL=SIGNAL; write TERM=QUIT or another pair`);
    } else rewrites[from] = to;
  }
  return rewrites;
}

const AUTORESTART = { true: 'always', false: 'never', unexpected: 'unexpected' } as const;

function readCommandLine(reader: Reader): Pick<ProgramSettings, 'shown' | 'script' | 'args'> | null {
  const given = reader.given.command?.value;
  if (given === undefined || typeof given === 'boolean') return null;
  const words = typeof given === 'string' ? [given] : given;
  if (words.length === 0 || (words[0] ?? '').trim() === '') {
    complain(reader, 'command', 'is empty; write what to start, such as node my.js');
  }
  if (words.some((word) => word.includes('\0'))) complain(reader, 'command', 'holds a NUL, which no command can');
  if (typeof given === 'string') return { shown: given, script: toShellCommand(given), args: [] };
  return { shown: given.map(quoteWord).join(' '), script: 'exec "$@"', args: given };
}

function readOutput(reader: Reader): ProgramSettings['output'] {
  const path = text(reader, 'output');
  const maxBytes = readSize(reader);
  const keep = count(reader, 'output-keep', { least: 0, most: MAX_KEPT, what: 'number of files' });
  if (path === null || path === OURS) {
    for (const name of ['error-output', 'output-max-size', 'output-keep'] as const) {
      const isOwn = reader.given[name] !== undefined && !placeOf(reader, name).includes(': defaults.');
      const what = name === 'error-output' ? 'says what goes apart from it' : 'says how much of it is kept';
      if (isOwn) complain(reader, name, `${what}, and there is no file; name one by ${reader.spell('output')}`);
    }
    return path === null ? null : 'ours';
  }
  const errorPath = text(reader, 'error-output');
  return {
    path,
    errorPath: errorPath === path ? null : errorPath,
    maxBytes,
    keep: keep ?? Number(defaultOf('output-keep')),
  };
}

function readSize(reader: Reader): number {
  const given = text(reader, 'output-max-size') ?? defaultOf('output-max-size');
  const match = /^(\d+) *([A-Za-z]*)$/.exec(given.trim());
  const unit = UNITS[match?.[2] ?? '-'];
  const bytes = unit === undefined ? Number.NaN : Number(match?.[1]) * unit;
  if (bytes === 0 || (bytes >= MIN_BYTES && bytes <= MAX_BYTES)) return bytes;
  complain(reader, 'output-max-size', `"${given}" is no size; write 10MB, 500kB or another, or 0 for no bounds`);
  return 0;
}

function readExitCodes(reader: Reader): readonly number[] {
  const given = list(reader, 'expected-exit-codes') ?? defaultOf('expected-exit-codes').split(',');
  return given.flatMap((word) => {
    const code = Number(word);
    if (/^\d{1,3}$/.test(word) && code <= 255) return [code];
    complain(reader, 'expected-exit-codes', `"${word}" is no exit code; allowed are 0 to 255`);
    return [];
  });
}

/** What is about a program says nothing where there is none; in the defaults of a file it is for those that are. */
function refuseWithout(reader: Reader): void {
  for (const { group, name } of OPTION_SPECS) {
    const option = name as keyof Reader['given'];
    if (group !== GROUP || reader.given[option] === undefined || name === 'rewrite-signal') continue;
    if (placeOf(reader, option).includes(': defaults.')) continue;
    complain(reader, option, 'is about a program that is started here; give a command, or leave it out');
  }
}
