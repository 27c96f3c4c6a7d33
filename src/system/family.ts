/**
 * The processes that descend from programs of ours, wherever they have run to. A daemon
 * leaves its parent, its session and its group behind, changes its name and its user, and
 * overwrites its variables; what it keeps is its limits (getrlimit(2)). One of them means
 * nothing to ordinary processes, the soft limit of processor time under real-time
 * scheduling: above a thousand years, its last digits are the program's mark.
 */
import { readdirSync } from 'node:fs';
import { joinArguments } from '../core/command-line.ts';
import type { Relative } from '../core/types.ts';
import { describeCode, errorCode } from './errors.ts';
import { openProcFiles } from './proc-file.ts';
import { hasEnded, isKernelThread, parseRealTimeLimit, parseStat } from './proc-stat.ts';

/** Which programs, and who gets their orphans. */
export interface FamilyQuestion {
  /** Their marks. */
  readonly marks: ReadonlySet<string>;
  /** The process that every orphan of them comes to, as their first parent is; `null` where there is none. */
  readonly reaper: number | null;
  /** Not only who is a child of the reaper, but all, wherever they are. */
  readonly isWhole: boolean;
}

/** Who lives of a program, by its mark; each is a root whose parent is none of them. */
export interface Families {
  readonly byMark: ReadonlyMap<string, readonly Kin[]>;
  /** Why this may not be all; `null` if it is. */
  readonly trouble: string | null;
}

export interface Kin extends Relative {
  readonly isRoot: boolean;
}

interface Reading extends Relative {
  readonly ppid: number;
  readonly mark: string;
}

/** So often the list is read before nobody is held to have been missed all those times. */
const ENOUGH_LISTINGS = 8;
const MAX_LISTINGS = 16;
const NOBODY: Families = { byMark: new Map(), trouble: null };

/**
 * Looks for them. A list of processes is read one after the other: who forks and ends meanwhile
 * leaves a child that was not yet listed. So it is listed again until nobody has ended unread, or
 * often enough: to be missed each time, a family would have to fork and end each time, and what
 * daemonizes does so twice or three times. On a busy machine somebody ends unread every time.
 */
export function readFamilies({ isWhole, marks, reaper }: FamilyQuestion): Families {
  if (marks.size === 0) return NOBODY;
  const readText = openProcFiles();
  let trouble: string | null = null;
  let found: readonly Reading[] = [];
  /** Who is none of them: nor is any child of theirs, so that their end need not be looked into. */
  const strangers = new Set<number>();
  let endedBefore: readonly number[] = [];
  for (let listing = 1; ; listing += 1) {
    const before: readonly Reading[] = found;
    const ended: number[] = [];
    found = list(listing).flatMap((pid) => (strangers.has(pid) ? [] : (readOne(pid, ended) ?? [])));
    if (isWithin(ended, endedBefore) && (ended.length === 0 || isWithin(pidsOf(found), pidsOf(before)))) break;
    if (listing >= ENOUGH_LISTINGS && isWithin(marksOf(before), marksOf(found))) break;
    if (listing === MAX_LISTINGS) {
      trouble ??= 'its processes come and go too quickly to be listed';
      break;
    }
    endedBefore = ended;
  }
  const known = new Map(found.map((one) => [one.pid, one.mark]));
  const byMark = new Map<string, Kin[]>();
  for (const { mark, ppid, ...relative } of found) {
    const family = byMark.get(mark) ?? [];
    byMark.set(mark, family);
    family.push({ ...relative, isRoot: known.get(ppid) !== mark });
  }
  for (const family of byMark.values())
    family.sort((one, other) => one.startTime - other.startTime || one.pid - other.pid);
  return { byMark, trouble };

  /** The list of children leaves out who comes after one that ends meanwhile: it is not asked for ever. */
  function list(listing: number): readonly number[] {
    const children = isWhole || reaper === null || listing > ENOUGH_LISTINGS / 2 ? null : childrenOf(reaper);
    return children ?? everybody();
  }

  /** `null` where the kernel does not tell. */
  function childrenOf(pid: number): readonly number[] | null {
    const children = readText(`/proc/${pid}/task/${pid}/children`);
    return 'code' in children
      ? null
      : children.text
          .split(' ')
          .filter((word) => word !== '')
          .map(Number);
  }

  function everybody(): readonly number[] {
    try {
      return readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .map(Number);
    } catch (error) {
      trouble = `/proc cannot be listed: ${describeCode(errorCode(error))}`;
      return [];
    }
  }

  /** `null` if it has ended, or is none of them. */
  function readOne(pid: number, ended: number[]): Reading | null {
    const text = readText(`/proc/${pid}/stat`);
    if ('code' in text) return notRead(pid, text.code, ended);
    const stat = parseStat(text.text);
    if (stat === null || isKernelThread(stat)) return nobody(pid);
    const limits = readText(`/proc/${pid}/limits`);
    if ('code' in limits) return notRead(pid, limits.code, ended);
    // Empty for who is being reaped.
    if (limits.text === '') return notRead(pid, 'ESRCH', ended);
    const mark = parseRealTimeLimit(limits.text)?.soft ?? null;
    if (mark === null || !marks.has(mark)) return nobody(pid);
    if (hasEnded(stat) && stat.threads <= 1) {
      ended.push(pid);
      return null;
    }
    const line = readText(`/proc/${pid}/cmdline`);
    const shown = 'text' in line ? joinArguments(line.text) : '';
    const commandLine = shown === '' ? `[${stat.comm}]` : shown;
    return { pid, ppid: stat.ppid, startTime: stat.startTime, group: stat.processGroup, commandLine, mark };
  }

  function nobody(pid: number): null {
    strangers.add(pid);
    return null;
  }

  /** Gone, unless the kernel says that there is such a process: then it is hidden from us. */
  function notRead(pid: number, code: string, ended: number[]): null {
    if (code !== 'ENOENT' && code !== 'ESRCH') trouble ??= `process ${pid} cannot be read: ${describeCode(code)}`;
    else if (isHidden(pid)) trouble ??= `process ${pid} is hidden from us (hidepid)`;
    else ended.push(pid);
    return null;
  }
}

function pidsOf(readings: readonly Reading[]): readonly number[] {
  return readings.map(({ pid }) => pid);
}

function marksOf(readings: readonly Reading[]): readonly string[] {
  return readings.map(({ mark }) => mark);
}

function isWithin<T>(some: readonly T[], all: readonly T[]): boolean {
  const known = new Set(all);
  return some.every((one) => known.has(one));
}

function isHidden(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}
