/** The reading half of a target's pid-file; what its content means is said in `core/pid-file.ts`. */
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, readSync, type Stats } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { PID_FILE_BYTES, PID_MAX_LIMIT, type PidFileTimes, parsePidFile, whyStale } from '../core/pid-file.ts';
import type { ProcessRecord } from '../core/process.ts';
import { describeCode, errorCode } from './errors.ts';
import type { ProcessTable } from './process-table.ts';

/** An empty file may be half-written: for so long it is read again and again. */
const REREADS = 10;
const REREAD_PAUSE_MS = 20;
/** One that is still empty, but was written so lately, may be being written again and again. */
const SETTLED_MS = 1_000;

/** What became of a pid-file: a process, the certainty that there is none, or neither. */
export type PidFileVerdict =
  | { readonly kind: 'process'; readonly record: ProcessRecord }
  | { readonly kind: 'none'; readonly why: string }
  | { readonly kind: 'unknown'; readonly why: string };

type FileReading = { readonly text: string; readonly stats: Stats } | { readonly verdict: PidFileVerdict };

export interface PidFileQuestion {
  readonly path: string;
  readonly table: ProcessTable;
  readonly selfPid: number;
  /** Whether this process is what a pattern asks for; `null` where there is no pattern. */
  readonly vouches: ((record: ProcessRecord) => boolean) | null;
}

/** Finds the process that a pid-file names, and says why if it doesn't hold. */
export async function resolvePidFile(question: PidFileQuestion): Promise<PidFileVerdict> {
  const reading = await readUntilWritten(question.path);
  if ('verdict' in reading) return reading.verdict;
  if (question.vouches === null && (reading.stats.mode & 0o002) !== 0) {
    return unknown(
      question,
      'can be written by everybody, so that it cannot be relied on: chmod o-w, or add a --pattern',
    );
  }
  const content = parsePidFile(reading.text, readPidMax());
  if (content.kind === 'empty') {
    const isBeingWritten = Math.abs(Date.now() - reading.stats.mtimeMs) < SETTLED_MS;
    return isBeingWritten ? unknown(question, 'is empty, but was written just now') : none(question, 'is empty');
  }
  if (content.kind === 'invalid') return none(question, content.why);
  return judge(question, content.pid, reading.stats);
}

async function judge(question: PidFileQuestion, pid: number, stats: Stats): Promise<PidFileVerdict> {
  const found = await question.table.read(pid);
  switch (found.kind) {
    case 'trouble':
      return unknown(question, `names ${pid}, but ${found.why}`);
    case 'none':
      return none(question, `names ${pid}, and there is no such process`);
    case 'thread':
      return none(question, `names ${pid}, which is a thread of process ${found.processPid}: stale`);
    case 'process': {
      const isVouchedFor = question.vouches?.(found.record) ?? false;
      const why = whyStale(found.record, question.selfPid, readTimes(stats, found.record), isVouchedFor);
      if (why !== null) return none(question, why);
      if (question.vouches !== null && !isVouchedFor) {
        return none(question, `names ${pid}, which does not match the pattern: stale`);
      }
      return { kind: 'process', record: found.record };
    }
  }
}

async function readUntilWritten(path: string): Promise<FileReading> {
  let reading = readPidFile(path);
  for (let reread = 0; reread < REREADS && isEmpty(reading); reread += 1) {
    await sleep(REREAD_PAUSE_MS);
    reading = readPidFile(path);
  }
  return reading;
}

function isEmpty(reading: FileReading): boolean {
  return 'text' in reading && parsePidFile(reading.text, PID_MAX_LIMIT).kind === 'empty';
}

/** Never waits and never reads more than a number takes, whatever the path leads to. */
function readPidFile(path: string): FileReading {
  const question = { path };
  try {
    const link = lstatSync(path);
    if (link.isSymbolicLink() && link.uid !== 0 && link.uid !== process.geteuid?.()) {
      return { verdict: unknown(question, 'is a symbolic link of somebody else') };
    }
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      const stats = fstatSync(descriptor);
      if (!stats.isFile()) return { verdict: unknown(question, 'is no regular file') };
      const buffer = Buffer.alloc(PID_FILE_BYTES + 1);
      return { text: buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, buffer.length, 0)), stats };
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT') return { verdict: none(question, 'does not exist') };
    return { verdict: unknown(question, `cannot be read: ${describeCode(code)}`) };
  }
}

function readTimes(stats: Stats, record: ProcessRecord): PidFileTimes {
  const nowMs = Date.now();
  return { writtenAtMs: stats.mtimeMs, bootedAtMs: readBootedAtMs(nowMs), startedAtMs: nowMs - record.ageMs };
}

/** When this machine started, by the wall clock; without `/proc/uptime`, never. */
function readBootedAtMs(nowMs: number): number {
  try {
    return nowMs - Number.parseFloat(readFileSync('/proc/uptime', 'latin1')) * 1_000;
  } catch (error) {
    errorCode(error);
    return 0;
  }
}

function readPidMax(): number {
  try {
    return Number.parseInt(readFileSync('/proc/sys/kernel/pid_max', 'latin1'), 10) || PID_MAX_LIMIT;
  } catch (error) {
    errorCode(error);
    return PID_MAX_LIMIT;
  }
}

function none(question: { readonly path: string }, why: string): PidFileVerdict {
  return { kind: 'none', why: `${question.path} ${why}` };
}

function unknown(question: { readonly path: string }, why: string): PidFileVerdict {
  return { kind: 'unknown', why: `${question.path} ${why}` };
}
