/** One look at the machine: which processes are the target. The rules are in `core/match.ts` and `core/pid-file.ts`. */
import { judgeAll, LEFT_OUT_TEXT, type LeftOut, type Selector, type Surroundings, whyLeftOut } from '../core/match.ts';
import type { ProcessRecord } from '../core/process.ts';
import type { Identity, Observation, Seen } from '../core/types.ts';
import { isWatchdog, mayBeWatchdog } from '../core/watchdog-process.ts';
import { isWrapper } from '../core/wrapper.ts';
import { resolvePidFile } from './pid-file.ts';
import type { ProcessTable, Scan } from './process-table.ts';

/** No chain of parents is followed further than this. */
const MAX_ANCESTORS = 64;
/** Nor is the list of processes read more often in one look. */
const MAX_LISTINGS = 8;

/** What to look for, and who asks. */
export interface LookQuestion {
  readonly table: ProcessTable;
  readonly selector: Selector;
  readonly pidFile: string | null;
  readonly min: number;
  readonly self: Self;
}

/** What we know of ourselves without looking. */
export interface Self {
  readonly pid: number;
  readonly arguments: string;
  /** `null` where it is a general interpreter. */
  readonly exe: string | null;
  readonly recover: string | null;
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

/** Looks, and answers as the rules want it. Those in `followed` still count while they live, whatever they call themselves now. */
export async function observe(question: LookQuestion, followed: readonly Identity[]): Promise<Observation> {
  const look = await lookAround(question, true);
  const still = await stillThere(question.table, followed, look.matches);
  const seen = [...look.matches, ...still.records].sort(byAge).map(toSeen);
  if (seen.length >= question.min) return { kind: 'present', seen };
  const trouble = look.trouble ?? still.trouble;
  if (trouble !== null) return { kind: 'unknown', why: trouble };
  return { kind: 'absent', seen, why: look.pidFileProblem, ...(look.isUnsteady === true ? { isUnsteady: true } : {}) };
}

/** Looks, and tells of everything that holds the pattern; `isTerse`: but for what can't be the target anyway. */
export async function lookAround(question: LookQuestion, isTerse = false): Promise<Look> {
  return question.pidFile === null ? lookByPattern(question, isTerse) : lookByPidFile(question, question.pidFile);
}

async function lookByPattern(question: LookQuestion, isTerse: boolean): Promise<Look> {
  const { selector, table } = question;
  const matches = selector.matches ?? (() => true);
  const wants = (line: string): boolean => matches(line) || mayBeWatchdog(line);
  let before: Scan | null = null;
  for (let listing = 1; ; listing += 1) {
    const scan = await table.scan(wants, selector.uids, { kernelThreads: isTerse });
    const look = await judgeScan(question, scan);
    const isAnswer = look.matches.length >= question.min || look.trouble !== null || table.kind === 'ps';
    if (isAnswer || (await isSteady(table, scan, before))) return look;
    if (listing === MAX_LISTINGS) return { ...look, isUnsteady: true };
    before = scan;
  }
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
  const newcomers = await table.scan(() => false, null, { known: new Set(scan.pids) });
  return newcomers.pids.length === 0;
}

function isWithin(some: readonly number[], all: readonly number[] = []): boolean {
  const known = new Set(all);
  return some.every((one) => known.has(one));
}

async function judgeScan(question: LookQuestion, scan: Scan): Promise<Look> {
  const { selector } = question;
  const matches = selector.matches ?? (() => true);
  const watchdogs = scan.records.filter((record) => isWatchdog(record, question.self.exe));
  const candidates = scan.records.filter((record) => matches(record.commandLine));
  const around = await lookAtSurroundings(question, candidates, watchdogs, scan.lookerPids);
  const { matches: found, leftOut } = judgeAll(candidates, selector, around);
  const unreadable = leftOut.find((one) => one.why === 'program-not-readable');
  const trouble =
    unreadable === undefined
      ? null
      : `the program of process ${unreadable.record.pid} may not be read, to compare --exe`;
  return { matches: [...found].sort(byAge), leftOut, pidFileProblem: null, trouble: scan.trouble ?? trouble };
}

async function lookByPidFile(question: LookQuestion, path: string): Promise<Look> {
  const { selector, self, table } = question;
  const vouches =
    selector.matches === null ? null : (record: ProcessRecord) => selector.matches?.(record.commandLine) === true;
  const verdict = await resolvePidFile({ path, table, selfPid: self.pid, vouches });
  if (verdict.kind === 'unknown') return { matches: [], leftOut: [], pidFileProblem: null, trouble: verdict.why };
  if (verdict.kind === 'none') return { matches: [], leftOut: [], pidFileProblem: verdict.why, trouble: null };
  const { record } = verdict;
  const around = await lookAtSurroundings(question, [record], [], []);
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
  question: LookQuestion,
  candidates: readonly ProcessRecord[],
  watchdogs: readonly ProcessRecord[],
  lookerPids: readonly number[],
): Promise<Surroundings> {
  const { self, table } = question;
  const others = candidates.filter((record) => record.pid !== self.pid);
  const ancestors = others.length === 0 ? [] : await readAncestors(table, self.pid);
  const ancestorsOfWatchdogs = new Map<number, number>();
  if (others.some(isWrapper)) {
    for (const watchdog of watchdogs) {
      for (const ancestor of await readAncestors(table, watchdog.pid))
        ancestorsOfWatchdogs.set(ancestor.pid, watchdog.pid);
    }
  }
  return {
    selfPid: self.pid,
    ancestors,
    ownArguments: self.arguments,
    ownExe: self.exe,
    ancestorsOfWatchdogs,
    recover: self.recover,
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

/** Those followed that no longer match, but live on: they have changed their title. */
async function stillThere(
  table: ProcessTable,
  followed: readonly Identity[],
  matches: readonly ProcessRecord[],
): Promise<{ readonly records: readonly ProcessRecord[]; readonly trouble: string | null }> {
  const records: ProcessRecord[] = [];
  let trouble: string | null = null;
  for (const one of followed) {
    if (matches.some((record) => record.pid === one.pid)) continue;
    const reading = await table.read(one.pid);
    if (reading.kind === 'trouble') trouble ??= reading.why;
    if (reading.kind !== 'process') continue;
    const { record } = reading;
    if (record.startTime === one.startTime && record.state !== 'zombie') records.push(record);
  }
  return { records, trouble };
}

function byAge(one: ProcessRecord, other: ProcessRecord): number {
  return one.startTime - other.startTime || one.pid - other.pid;
}

function toSeen({ pid, startTime, commandLine }: ProcessRecord): Seen {
  return { pid, startTime, commandLine };
}
