/**
 * The processes as `ps` lists them, by the package ps-list: the reader for machines
 * without `/proc`. It starts `ps` for every look, and knows less: arguments come
 * joined, start times in whole seconds, states only as far as ps writes them into the
 * command line.
 */
import type { ProcessRecord } from '../core/process.ts';
import { monotonicMs } from './clock.ts';
import type { ProcessTable, Reading, Scan } from './process-table.ts';

/** How ps writes the command line of what has none of its own. */
const BRACKETED = /^\[.*\]( <defunct>)?$/;
const DEFUNCT = / <defunct>$/;

/** A look asks several times; so long one list serves for all of it. */
const FRESH_MS = 100;

/** The process table of `ps`. */
export function openPsList({ selfPid }: { readonly selfPid: number }): ProcessTable {
  let startTimes: ReadonlyMap<number, number> = new Map();
  let latest: { readonly records: readonly ProcessRecord[]; readonly atMs: number } | null = null;

  return { kind: 'ps', scan, read };

  async function scan(wants: (commandLine: string) => boolean): Promise<Scan> {
    const all = await list();
    if ('trouble' in all) return { records: [], pids: [], ended: [], lookerPids: [], troubleFor: () => all.trouble };
    const lookers = all.records.filter(
      (record) => record.ppid === selfPid && /^\S*ps a?wwxo /.test(record.commandLine),
    );
    return {
      records: all.records.filter((record) => wants(record.commandLine)),
      pids: all.records.map((record) => record.pid),
      ended: [],
      lookerPids: lookers.map((record) => record.pid),
      troubleFor: (uids) => whyBlind(all.records, uids),
    };
  }

  async function read(pid: number): Promise<Reading> {
    const isFresh = latest !== null && monotonicMs() - latest.atMs < FRESH_MS;
    const all = isFresh && latest !== null ? latest : await list();
    if ('trouble' in all) return { kind: 'trouble', why: all.trouble };
    const record = all.records.find((one) => one.pid === pid);
    if (record !== undefined) return { kind: 'process', record };
    const why = whyBlind(all.records, null);
    return why === null ? { kind: 'none' } : { kind: 'trouble', why };
  }

  async function list(): Promise<{ readonly records: readonly ProcessRecord[] } | { readonly trouble: string }> {
    try {
      const { default: psList } = await import('ps-list');
      const nowMs = Date.now();
      const listed = await psList();
      const records = listed.map((one) => toRecord(one, steadyStartTime(one), nowMs));
      startTimes = new Map(records.map((record) => [record.pid, record.startTime]));
      latest = { records, atMs: monotonicMs() };
      return latest;
    } catch (error) {
      return { trouble: `the list of ps cannot be had: ${reason(error)}` };
    }
  }

  /** ps works a start time out from the clock at each call, so that it may differ by a second from one to the next. */
  function steadyStartTime(listed: Listed): number {
    const startTime = listed.startTime?.getTime() ?? 0;
    const before = startTimes.get(listed.pid);
    return before !== undefined && Math.abs(startTime - before) <= 1_000 ? before : startTime;
  }

  function whyBlind(records: readonly ProcessRecord[], uids: readonly number[] | null): string | null {
    if (!records.some((record) => record.pid === selfPid)) return 'the list of ps does not show this watchdog itself';
    const onlyOwn = uids?.every((uid) => uid === process.geteuid?.()) === true;
    if (onlyOwn || records.some((record) => record.pid === 1)) return null;
    return "the list of ps hides other users' processes; run as root, or name yourself by --user";
  }
}

interface Listed {
  readonly pid: number;
  readonly ppid: number;
  readonly uid?: number;
  readonly cmd?: string;
  readonly path?: string;
  readonly startTime?: Date;
}

function toRecord(listed: Listed, startTime: number, nowMs: number): ProcessRecord {
  const commandLine = (listed.cmd ?? '').replace(DEFUNCT, '');
  const isBare = BRACKETED.test(listed.cmd ?? '') || commandLine === '';
  return {
    pid: listed.pid,
    startTime,
    ppid: listed.ppid,
    uid: listed.uid ?? -1,
    state: isBare && DEFUNCT.test(listed.cmd ?? '') ? 'zombie' : 'alive',
    isKernelThread: isBare && (listed.pid === 2 || listed.ppid === 2) && !listed.path,
    commandLine,
    args: isBare ? [] : null,
    exe: listed.path ? listed.path : null,
    ageMs: Math.max(0, nowMs - startTime),
  };
}

/** What ps itself said; the first line of the error is the command that was run, which differs from look to look. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'ENOENT') return 'there is no ps';
  const said = error.message.split('\n').slice(1).join(' ').trim();
  return said === '' ? 'it failed without a word' : said;
}
