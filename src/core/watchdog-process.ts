/** How one watchdog knows another in a process table, and how it shows itself there. */
import { argumentsOf, type ProcessRecord, programName } from './process.ts';

const PROGRAM = 'watchdog';
const BUNDLE = 'watchdog.cjs';

/**
 * How a watchdog at work shows itself, with its state in a few words: its own command
 * line holds the pattern, and would match others' searches. What is in the title must not.
 */
export function processTitle(name: string | null, words: string, isHarmless: (title: string) => boolean): string {
  const titles = [
    `${PROGRAM}: ${name ?? 'watching'}, ${words}`,
    `${PROGRAM}: watching, ${words}`,
    `${PROGRAM}: watching`,
  ];
  return titles.find(isHarmless) ?? `${PROGRAM}: watching`;
}

/** A cheap test that no watchdog's command line fails, unless its executable was renamed and it only just started. */
export function mayBeWatchdog(commandLine: string): boolean {
  return commandLine.includes(PROGRAM);
}

/**
 * Whether this is a watchdog: by the executable if it is the very one that we run
 * from, else by the title above, or by the program's name with options of ours.
 * `ownExe` is `null` where ours is a general interpreter.
 */
export function isWatchdog(record: ProcessRecord, ownExe: string | null): boolean {
  if (ownExe !== null && record.exe === ownExe) return true;
  const args = argumentsOf(record);
  const [program = ''] = args;
  if (record.commandLine.startsWith(`${PROGRAM}: `)) return true;
  const at = programName(program) === 'node' ? args.findIndex((arg) => programName(arg) === BUNDLE) : 0;
  const isNamed = at > 0 || programName(program) === PROGRAM || programName(program) === BUNDLE;
  return isNamed && at >= 0 && isOurCall(args.slice(at + 1));
}

/** What to look for, and what to do about it or a command of ours: other programs are called watchdog too. */
function isOurCall(args: readonly string[]): boolean {
  const has = (option: RegExp): boolean => args.some((arg) => option.test(arg));
  return has(/^(--(pattern|pid-file)\b|-[pf])/) && has(/^(--recover\b|-r|match$|check$)/);
}

/** Whether a text, such as a shell's, holds a call of the watchdog with an option of ours. */
export function mentionsWatchdogCall(text: string): boolean {
  return /(^|[\s"'/;&|(])watchdog(\.cjs)?["']?\s[^;&|]*(--(pattern|pid-file|recover)\b|-[pfr]\b)/.test(text);
}
