/**
 * Which processes are the target. A pattern alone says which command lines hold a
 * text; many that hold it are not the target, and each is left out for a reason
 * that can be told.
 */
import { argumentsOf, type ProcessRecord } from './process.ts';
import { isWatchdog, mentionsWatchdogCall } from './watchdog-process.ts';
import { isShellCommand, isWrapper, withoutCarried } from './wrapper.ts';

/** What the target must be. Each part is `null` where it was not asked for. */
export interface Selector {
  readonly matches: ((commandLine: string) => boolean) | null;
  /** One of these effective users. */
  readonly uids: readonly number[] | null;
  /** This executable, an absolute path without links. */
  readonly exe: string | null;
}

/** What is known of ourselves and of those around us that may carry the pattern in their command lines. */
export interface Surroundings {
  readonly selfPid: number;
  /** Our parent, its parent, and so on. */
  readonly ancestors: readonly ProcessRecord[];
  /** Our own arguments, joined by spaces. */
  readonly ownArguments: string;
  /** Our executable; `null` where it is a general interpreter such as node. */
  readonly ownExe: string | null;
  /** Every ancestor of another watchdog: whose, by pid. */
  readonly ancestorsOfWatchdogs: ReadonlyMap<number, number>;
  /** What we start for any target, as `sh -c` has it: recoveries and the like. */
  readonly commands: readonly string[];
  /** Programs that the process table itself started to look. */
  readonly lookerPids: readonly number[];
}

/** Why a process that holds the pattern is not the target. */
export type LeftOut =
  | 'self'
  | 'looker'
  | 'watchdog'
  | 'own-wrapper'
  | 'wrapper-of-watchdog'
  | 'recovery-shell'
  | 'wrapper-of-match'
  | 'zombie'
  | 'kernel-thread'
  | 'no-command-line'
  | 'other-user'
  | 'other-program'
  | 'program-not-readable';

/** What each reason says to a person. */
export const LEFT_OUT_TEXT: Readonly<Record<LeftOut, string>> = {
  self: 'this watchdog itself',
  looker: 'started by this watchdog to list the processes',
  watchdog: 'another watchdog',
  'own-wrapper': "only carries this watchdog's command line",
  'wrapper-of-watchdog': "only carries another watchdog's command line",
  'recovery-shell': "only carries the recovery's command line",
  'wrapper-of-match': 'only carries the command line of another match, its child',
  zombie: 'a zombie: it has ended, and its parent has not taken notice',
  'kernel-thread': 'a thread of the kernel',
  'no-command-line': 'shows no command line',
  'other-user': 'runs as another user',
  'other-program': 'runs another program than --exe names',
  'program-not-readable': 'its program may not be read, so that --exe cannot be compared',
};

/** What is the target among those that hold the pattern, and what is not. */
export interface Judgement {
  readonly matches: readonly ProcessRecord[];
  readonly leftOut: readonly { readonly record: ProcessRecord; readonly why: LeftOut }[];
}

/** Tells the target from all else that holds the pattern. */
export function judgeAll(records: readonly ProcessRecord[], selector: Selector, around: Surroundings): Judgement {
  const judged = records.map((record) => ({ record, why: whyLeftOut(record, selector, around) }));
  const parents = new Set(judged.filter((one) => one.why === null).map((one) => one.record.ppid));
  const matches: ProcessRecord[] = [];
  const leftOut: { record: ProcessRecord; why: LeftOut }[] = [];
  for (const { record, why } of judged) {
    const reason = why ?? (parents.has(record.pid) && isWrapper(record) ? 'wrapper-of-match' : null);
    if (reason === null) matches.push(record);
    else leftOut.push({ record, why: reason });
  }
  return { matches, leftOut };
}

/** `null` if this process, whose command line holds the pattern, is the target; else why it is not. */
export function whyLeftOut(record: ProcessRecord, selector: Selector, around: Surroundings): LeftOut | null {
  if (record.pid === around.selfPid) return 'self';
  if (record.state === 'zombie') return 'zombie';
  if (record.isKernelThread) return 'kernel-thread';
  if (record.args?.length === 0) return 'no-command-line';
  if (around.lookerPids.includes(record.pid)) return 'looker';
  if (isWatchdog(record, around.ownExe)) return 'watchdog';
  if (isOwnWrapper(record, selector, around)) return 'own-wrapper';
  if (isWrapperOfWatchdog(record, around)) return 'wrapper-of-watchdog';
  if (carriesCommand(record, around.commands)) return 'recovery-shell';
  if (selector.uids !== null && !selector.uids.includes(record.uid)) return 'other-user';
  if (selector.exe !== null && record.exe === null) return 'program-not-readable';
  if (selector.exe !== null && record.exe !== selector.exe) return 'other-program';
  return null;
}

/**
 * An ancestor of ours that is a wrapper, or whose command line no longer matches once
 * ours is taken out of it. An application that starts its own watchdog is neither.
 */
function isOwnWrapper(record: ProcessRecord, selector: Selector, around: Surroundings): boolean {
  if (!around.ancestors.some((ancestor) => ancestor.pid === record.pid)) return false;
  if (isWrapper(record)) return true;
  const rest = withoutCarried(record.commandLine, around.ownArguments);
  return rest !== null && selector.matches !== null && !selector.matches(rest);
}

function isWrapperOfWatchdog(record: ProcessRecord, around: Surroundings): boolean {
  if (!isWrapper(record)) return false;
  return around.ancestorsOfWatchdogs.has(record.pid) || mentionsWatchdogCall(record.commandLine);
}

/** The shell of a recovery, or a wrapper inside of it such as the `sudo` of `sudo -u app node my.js`. */
function carriesCommand(record: ProcessRecord, commands: readonly string[]): boolean {
  if (!isWrapper(record)) return false;
  const carried = isShellCommand(record) ? shellText(record) : record.commandLine;
  return commands.some(
    (command) => record.commandLine.endsWith(` -c ${command}`) || withoutCarried(command, carried) !== null,
  );
}

/** What a shell was given after its `-c`. */
function shellText(record: ProcessRecord): string {
  const args = argumentsOf(record);
  const at = args.findIndex((arg) => /^-[A-Za-z]*c[A-Za-z]*$/.test(arg));
  return args.slice(at + 1).join(' ');
}
