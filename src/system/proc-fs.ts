/**
 * The processes of Linux, read from `/proc` with as few system calls as will do: one
 * directory listing, and for each process its command line alone (open, read, close).
 * Only for those that are wanted, or that show no command line, is more read.
 */
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeUtf8, joinArguments, splitArguments } from '../core/command-line.ts';
import type { ProcessRecord } from '../core/process.ts';
import { describeCode, errorCode } from './errors.ts';
import { type FileReading, openProcFiles } from './proc-file.ts';
import { hasEnded, isKernelThread, type ProcStat, parseStat, statusNumber } from './proc-stat.ts';
import type { ProcessTable, Reading, Scan, Without } from './process-table.ts';

/** USER_HZ: `/proc` counts in hundredths of a second on every architecture that we run on. */
const TICKS_PER_SECOND = 100;
/**
 * A process in the middle of execve(2) shows an empty command line for a moment: with a
 * program that re-executes itself in a loop, 15 of 100 readings. So often it is read again.
 */
const EMPTY_READINGS = 12;
/** kthreadd, where the kernel's threads are shown. */
const KTHREADD = 2;
/** So few are read as quickly as it is found out which of them need not be. */
const FEW_PIDS = 16;
const NOBODY: ReadonlySet<number> = new Set();

export interface ProcFsOptions {
  /** `/proc`, or a directory made like it. */
  readonly root: string;
  readonly selfPid: number;
}

/** The process table of `/proc`. */
export function openProcFs({ root, selfPid }: ProcFsOptions): ProcessTable {
  const readText = openProcFiles();

  return { kind: 'proc', scan, read };

  async function scan(wants: (commandLine: string) => boolean, without: Without = {}): Promise<Scan> {
    const listed = listPids();
    if ('trouble' in listed)
      return { records: [], pids: [], ended: [], lookerPids: [], troubleFor: () => listed.trouble };
    const silent: number[] = [];
    const wanted: number[] = [];
    const ended: number[] = [];
    const unread: Unread[] = [];
    const { known = NOBODY } = without;
    const pids = listed.pids.filter((pid) => !known.has(pid));
    const kernelThreads = without.kernelThreads === true && pids.length >= FEW_PIDS ? listKernelThreads() : NOBODY;
    for (const pid of pids) {
      if (kernelThreads.has(pid)) continue;
      const line = readCommandLine(`${root}/${pid}`);
      if ('code' in line) {
        if (isGone(line.code)) ended.push(pid);
        else unread.push({ why: unreadable(pid, line.code), uid: ownerOf(pid) });
      } else if (line.text === '') silent.push(pid);
      else if (wants(joinArguments(line.text))) wanted.push(pid);
    }
    const records: ProcessRecord[] = [];
    for (const pid of [...wanted, ...silent.filter((one) => mayMatter(one, wants, ended))]) {
      const reading = await read(pid);
      if (reading.kind === 'trouble') unread.push({ why: reading.why, uid: null });
      if (reading.kind === 'none' || (reading.kind === 'process' && isEnding(reading.record))) ended.push(pid);
      if (reading.kind === 'process' && wants(reading.record.commandLine)) records.push(reading.record);
    }
    const troubleFor = (uids: readonly number[] | null): string | null =>
      whyBlind(listed.pids, uids) ?? unread.find(({ uid }) => mayBeOf(uid, uids))?.why ?? null;
    return { records, pids, ended, lookerPids: [], troubleFor };
  }

  /** Of what shows no command line, only the living can match yet; the others are known by their short name. */
  function mayMatter(pid: number, wants: (commandLine: string) => boolean, ended: number[]): boolean {
    const stat = readStat(`${root}/${pid}`);
    const isOver = 'code' in stat || (hasEnded(stat.stat) && stat.stat.threads <= 1);
    if (isOver) ended.push(pid);
    if ('code' in stat) return false;
    const isQuiet = isKernelThread(stat.stat) || isOver;
    return !isQuiet || wants(bracketed(stat.stat));
  }

  async function read(pid: number): Promise<Reading> {
    const directory = `${root}/${pid}`;
    const stat = readStat(directory);
    if ('code' in stat)
      return isGone(stat.code) ? whenNotListed(pid) : { kind: 'trouble', why: unreadable(pid, stat.code) };
    const status = readText(`${directory}/status`);
    if ('code' in status)
      return isGone(status.code) ? { kind: 'none' } : { kind: 'trouble', why: unreadable(pid, status.code) };
    const processPid = statusNumber(status.text, 'Tgid');
    if (processPid !== null && processPid !== pid) return { kind: 'thread', processPid };
    const living = hasEnded(stat.stat) && stat.stat.threads > 1 ? livingThread(directory) : null;
    const isAlive = !hasEnded(stat.stat) || living !== null;
    const line = isAlive && !isKernelThread(stat.stat) ? await readUntilShown(living ?? directory) : '';
    return {
      kind: 'process',
      record: {
        pid,
        startTime: stat.stat.startTime,
        ppid: stat.stat.ppid,
        uid: statusNumber(status.text, 'Uid', 1) ?? -1,
        state: !isAlive ? 'zombie' : stat.stat.state === 'T' || stat.stat.state === 't' ? 'stopped' : 'alive',
        isKernelThread: isKernelThread(stat.stat),
        commandLine: line === '' ? bracketed(stat.stat) : joinArguments(line),
        args: splitArguments(line),
        exe: readExe(directory),
        ageMs: Math.max(0, readUptimeMs() - (stat.stat.startTime / TICKS_PER_SECOND) * 1_000),
      },
    };
  }

  function listPids(): { readonly pids: readonly number[] } | { readonly trouble: string } {
    try {
      const pids = readdirSync(root).filter((name) => /^[1-9]\d*$/.test(name));
      return { pids: pids.map(Number) };
    } catch (error) {
      return { trouble: `${root} cannot be listed: ${describeCode(errorCode(error))}` };
    }
  }

  /**
   * The children of the kernel's own process 2, which show no command line: on a machine
   * with many processors they are most of all that is listed. Where that is no thread of
   * the kernel, or its children are not to be had, each is read like any other.
   */
  function listKernelThreads(): ReadonlySet<number> {
    const parent = readStat(`${root}/${KTHREADD}`);
    if ('code' in parent || !isKernelThread(parent.stat)) return NOBODY;
    const children = readText(`${root}/${KTHREADD}/task/${KTHREADD}/children`);
    return 'text' in children ? new Set(children.text.split(' ').map(Number)) : NOBODY;
  }

  /** A complete listing has ourselves and process 1 in it. */
  function whyBlind(pids: readonly number[], uids: readonly number[] | null): string | null {
    if (pids.length === 0) return `${root} shows no processes; is it mounted?`;
    if (!pids.includes(selfPid) || readSelf() !== selfPid)
      return `${root} does not show this watchdog itself; is it that of another PID namespace?`;
    const onlyOwn = uids?.every((uid) => uid === process.geteuid?.()) === true;
    if (pids.includes(1) || onlyOwn) return null;
    return `${root} hides other users' processes (hidepid); run as root, or name yourself by --user`;
  }

  /** Who we are by `/proc`'s own word: the number that it has for us, which in another namespace is not ours. */
  function readSelf(): number {
    try {
      return Number(readlinkSync(`${root}/self`));
    } catch (error) {
      errorCode(error);
      return 0;
    }
  }

  /** Whose it is; `null` if that can't be told, -1 if it is gone. */
  function ownerOf(pid: number): number | null {
    try {
      return statSync(`${root}/${pid}`).uid;
    } catch (error) {
      return isGone(errorCode(error)) ? -1 : null;
    }
  }

  /** No entry: gone, unless the kernel says that there is such a process, and it is hidden from us. */
  function whenNotListed(pid: number): Reading {
    const listed = listPids();
    if ('trouble' in listed) return { kind: 'trouble', why: listed.trouble };
    const why = whyBlind(listed.pids, null);
    if (why === null) return { kind: 'none' };
    try {
      process.kill(pid, 0);
    } catch (error) {
      if (errorCode(error) === 'ESRCH') return { kind: 'none' };
    }
    return { kind: 'trouble', why };
  }

  /** The command line, read again while a living process shows none. One character per byte. */
  async function readUntilShown(directory: string): Promise<string> {
    for (let reading = 0; reading < EMPTY_READINGS; reading += 1) {
      const line = readCommandLine(directory);
      if ('code' in line) return '';
      if (line.text !== '') return line.text;
      await sleep(reading < 4 ? 0 : 2);
    }
    return '';
  }

  /** A thread that lives on after the first one, whose own entry is a zombie's, has ended. */
  function livingThread(directory: string): string | null {
    try {
      for (const thread of readdirSync(`${directory}/task`)) {
        const stat = readStat(`${directory}/task/${thread}`);
        if ('stat' in stat && !hasEnded(stat.stat)) return `${directory}/task/${thread}`;
      }
    } catch (error) {
      // Gone meanwhile, or not to be read: then its own entry is all there is to say.
      errorCode(error);
    }
    return null;
  }

  function readStat(directory: string): { readonly stat: ProcStat } | { readonly code: string } {
    const text = readText(`${directory}/stat`);
    if ('code' in text) return text;
    const stat = parseStat(text.text);
    return stat === null ? { code: 'ESRCH' } : { stat };
  }

  function readExe(directory: string): string | null {
    try {
      return readlinkSync(`${directory}/exe`).replace(/ \(deleted\)$/, '');
    } catch (error) {
      errorCode(error);
      return null;
    }
  }

  function readUptimeMs(): number {
    const uptime = readText(`${root}/uptime`);
    return 'text' in uptime ? Number.parseFloat(uptime.text) * 1_000 : 0;
  }

  /** The raw command line without the NULs at its end, so that one of nothing but NULs is empty. */
  function readCommandLine(directory: string): FileReading {
    const line = readText(`${directory}/cmdline`);
    return 'text' in line && line.text.endsWith('\0') ? { text: line.text.replace(/\0+$/, '') } : line;
  }
}

/** A process that could not be read, and whose it is. */
interface Unread {
  readonly why: string;
  readonly uid: number | null;
}

/** `uids`: `null` for everybody. Who is gone is nobody's. */
function mayBeOf(uid: number | null, uids: readonly number[] | null): boolean {
  return uid !== -1 && (uids === null || uid === null || uids.includes(uid));
}

/** What ps and pgrep show of a process without a command line. */
function bracketed(stat: ProcStat): string {
  return `[${decodeUtf8(stat.comm)}]`;
}

/** A zombie, or one that has lost its memory already, and with it its command line, but is not yet called one. */
function isEnding(record: ProcessRecord): boolean {
  return record.state === 'zombie' || (record.args?.length === 0 && !record.isKernelThread);
}

/** Ended between the listing and the reading: what happens all the time. */
function isGone(code: string): boolean {
  return code === 'ENOENT' || code === 'ESRCH';
}

function unreadable(pid: number, code: string): string {
  return `process ${pid} cannot be read: ${describeCode(code)}`;
}
