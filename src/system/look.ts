/** One look at the machine: which processes are the target. The rules are in `core/match.ts` and `core/pid-file.ts`. */
import { judgeAll, LEFT_OUT_TEXT, type LeftOut, type Selector, type Surroundings, whyLeftOut } from '../core/match.ts';
import type { ProcessRecord } from '../core/process.ts';
import type { Identity } from '../core/types.ts';
import { isWatchdog, mayBeWatchdog } from '../core/watchdog-process.ts';
import { isWrapper } from '../core/wrapper.ts';
import { resolvePidFile } from './pid-file.ts';
import type { ProcessTable, Scan } from './process-table.ts';

/** No chain of parents is followed further than this. */
const MAX_ANCESTORS = 64;
/** Nor is the list of processes read more often in one look. */
const MAX_LISTINGS = 8;

/** Who looks, and by what: the same for all targets. */
export interface Onlooker {
  readonly table: ProcessTable;
  readonly pid: number;
  readonly arguments: string;
  /** Our executable; `null` where it is a general interpreter. */
  readonly exe: string | null;
  /** What we start for any target. */
  readonly commands: readonly string[];
}

/** What to look for. */
export interface Wanted {
  readonly selector: Selector;
  readonly pidFile: string | null;
  readonly min: number;
  /** Whoever there is of a program of ours, and nobody else; `selector` says nothing then. */
  readonly isByFamily: boolean;
}

/** A look with all that led to it. */
export interface Look {
  readonly matches: readonly ProcessRecord[];
  readonly leftOut: readonly { readonly record: ProcessRecord; readonly why: LeftOut }[];
  /** Why a pid-file names none; `null` where there is none, or it does. */
  readonly pidFileProblem: string | null;
  /** Why this may not be all; `null` if it is. */
  readonly trouble: string | null;
  /** As in the observation. */
  readonly isUnsteady?: true;
}

/** Looks for one, and tells of everything that holds the pattern. */
export async function lookAround(onlooker: Onlooker, wanted: Wanted): Promise<Look> {
  const [look] = await lookForAll(onlooker, [wanted], false);
  return look as Look;
}

/** Looks for all of them at once, in their order. `isTerse`: without a word on what can't be the target anyway. */
export async function lookForAll(
  onlooker: Onlooker,
  wanted: readonly Wanted[],
  isTerse: boolean,
): Promise<readonly Look[]> {
  const looks = new Map<Wanted, Look>();
  const byPattern = wanted.filter((one) => one.pidFile === null);
  await lookByPattern(onlooker, byPattern, isTerse, looks);
  const byPidFile = wanted.filter((one) => one.pidFile !== null);
  await Promise.all(
    byPidFile.map(async (one) => looks.set(one, await lookByPidFile(onlooker, one, one.pidFile as string))),
  );
  return wanted.map((one) => looks.get(one) as Look);
}

/** One listing serves all; it is repeated for those of whom too few were found. */
async function lookByPattern(
  onlooker: Onlooker,
  wanted: readonly Wanted[],
  isTerse: boolean,
  looks: Map<Wanted, Look>,
): Promise<void> {
  const { table } = onlooker;
  let open = wanted;
  let before: Scan | null = null;
  for (let listing = 1; open.length > 0; listing += 1) {
    const scan = await table.scan(anyOf(open), { kernelThreads: isTerse });
    const missed: Wanted[] = [];
    for (const one of open) {
      const look = await judgeScan(onlooker, one, scan);
      looks.set(one, look);
      if (look.matches.length < one.min && look.trouble === null) missed.push(one);
    }
    if (missed.length === 0 || table.kind === 'ps' || (await isSteady(table, scan, before))) return;
    if (listing === MAX_LISTINGS) {
      for (const one of missed) looks.set(one, { ...(looks.get(one) as Look), isUnsteady: true });
      return;
    }
    open = missed;
    before = scan;
  }
}

/** What must be read of a process: all that may be somebody's target, and watchdogs. */
function anyOf(wanted: readonly Wanted[]): (commandLine: string) => boolean {
  const tests = wanted.map(({ selector }) => selector.matches ?? (() => true));
  return (line) => mayBeWatchdog(line) || tests.some((test) => test(line));
}

/**
 * A listing is read one process after the other, not in one moment. Who hands over
 * meanwhile, and has ended before it is its turn, leaves a successor that was read
 * before it became one, or was not yet listed. Where nobody has ended and nobody has
 * come, nobody can have handed over.
 */
async function isSteady(table: ProcessTable, scan: Scan, before: Scan | null): Promise<boolean> {
  // A zombie stays for as long as its parent likes: it is no news where nobody else has come since.
  if (scan.ended.length > 0) return isWithin(scan.ended, before?.ended) && isWithin(scan.pids, before?.pids);
  const newcomers = await table.scan(() => false, { known: new Set(scan.pids) });
  return newcomers.pids.length === 0;
}

function isWithin(some: readonly number[], all: readonly number[] = []): boolean {
  const known = new Set(all);
  return some.every((one) => known.has(one));
}

async function judgeScan(onlooker: Onlooker, { selector }: Wanted, scan: Scan): Promise<Look> {
  const matches = selector.matches ?? (() => true);
  const candidates = scan.records.filter((record) => matches(record.commandLine));
  const trouble = scan.troubleFor(selector.uids);
  if (candidates.length === 0) return { matches: [], leftOut: [], pidFileProblem: null, trouble };
  const watchdogs = scan.records.filter((record) => isWatchdog(record, onlooker.exe));
  const around = await lookAtSurroundings(onlooker, candidates, watchdogs, scan.lookerPids);
  const { matches: found, leftOut } = judgeAll(candidates, selector, around);
  const unreadable = leftOut.find((one) => one.why === 'program-not-readable');
  const hidden =
    unreadable === undefined
      ? null
      : `the program of process ${unreadable.record.pid} may not be read, to compare --exe`;
  return { matches: [...found].sort(byAge), leftOut, pidFileProblem: null, trouble: trouble ?? hidden };
}

async function lookByPidFile(onlooker: Onlooker, { selector }: Wanted, path: string): Promise<Look> {
  const vouches =
    selector.matches === null ? null : (record: ProcessRecord) => selector.matches?.(record.commandLine) === true;
  const verdict = await resolvePidFile({ path, table: onlooker.table, selfPid: onlooker.pid, vouches });
  if (verdict.kind === 'unknown') return { matches: [], leftOut: [], pidFileProblem: null, trouble: verdict.why };
  if (verdict.kind === 'none') return { matches: [], leftOut: [], pidFileProblem: verdict.why, trouble: null };
  const { record } = verdict;
  const around = await lookAtSurroundings(onlooker, [record], [], []);
  const why = whyLeftOut(record, selector, around);
  if (why === null) return { matches: [record], leftOut: [], pidFileProblem: null, trouble: null };
  const trouble = why === 'program-not-readable' ? `the program of process ${record.pid} may not be read` : null;
  return {
    matches: [],
    leftOut: [{ record, why }],
    pidFileProblem: `${path} names ${record.pid}, which is left out: ${LEFT_OUT_TEXT[why]}`,
    trouble,
  };
}

/** Only a wrapper needs to be told from the target by its relatives: mostly there is nothing to look up. */
async function lookAtSurroundings(
  onlooker: Onlooker,
  candidates: readonly ProcessRecord[],
  watchdogs: readonly ProcessRecord[],
  lookerPids: readonly number[],
): Promise<Surroundings> {
  const { table } = onlooker;
  const others = candidates.filter((record) => record.pid !== onlooker.pid);
  const ancestors = others.length === 0 ? [] : await readAncestors(table, onlooker.pid);
  const ancestorsOfWatchdogs = new Map<number, number>();
  if (others.some(isWrapper)) {
    for (const watchdog of watchdogs) {
      for (const ancestor of await readAncestors(table, watchdog.pid))
        ancestorsOfWatchdogs.set(ancestor.pid, watchdog.pid);
    }
  }
  return {
    selfPid: onlooker.pid,
    ancestors,
    ownArguments: onlooker.arguments,
    ownExe: onlooker.exe,
    ancestorsOfWatchdogs,
    commands: onlooker.commands,
    lookerPids,
  };
}

async function readAncestors(table: ProcessTable, pid: number): Promise<readonly ProcessRecord[]> {
  const ancestors: ProcessRecord[] = [];
  let reading = await table.read(pid);
  while (reading.kind === 'process' && reading.record.ppid > 0 && ancestors.length < MAX_ANCESTORS) {
    reading = await table.read(reading.record.ppid);
    if (reading.kind === 'process') ancestors.push(reading.record);
  }
  return ancestors;
}

/** The oldest first. */
export function byAge(one: Identity, other: Identity): number {
  return one.startTime - other.startTime || one.pid - other.pid;
}
