/**
 * The log: formats what is told, writes it, and keeps what could not be written until
 * it can be. It never fails; only a disk that hangs in the kernel can hold it up.
 */
import {
  type AnyReport,
  describe,
  describeOwn,
  formatJson,
  formatText,
  messageOf,
  type OwnReport,
  type Subject,
} from '../core/report.ts';
import type { Report, TargetRules } from '../core/types.ts';
import type { Output } from './child.ts';
import { formatIsoTime, formatLocalTime, monotonicMs } from './clock.ts';
import { describeCode } from './errors.ts';
import { createLineQueue } from './line-queue.ts';
import type { LogSink } from './log-sink.ts';
import type { ShowLine } from './terminal.ts';

/** How long after a failed write the next one is tried. */
const RETRY_MS = 1_000;

export interface LogOptions {
  /** Whose name the watchdog's own lines have. */
  readonly subject: Subject;
  readonly sink: LogSink;
  readonly format: 'text' | 'json';
  /** Where each line is shown as well; `null` for nowhere. */
  readonly show: ShowLine | null;
  /** Where it is said, once, that the log can't be written. */
  readonly complain: ShowLine;
}

export interface Log {
  /** Something of the watchdog itself. */
  report(report: OwnReport): void;
  /** Something of a target. */
  reportOn(target: TargetRules, report: Report): void;
  /** When to call `flush` again; `null` while all is written. */
  retryAtMs(): number | null;
  /** Writes what waits, if it can be. */
  flush(): void;
  reopen(): void;
  output(): Output | null;
  /** From now on elsewhere, or otherwise; what waits goes there. */
  moveTo(sink: LogSink, format: 'text' | 'json'): void;
  /** Writes what waits; what still can't be written is said where complaints go. */
  close(): void;
}

export function createLog(options: LogOptions): Log {
  const { complain, show, subject } = options;
  let { format, sink } = options;
  const queue = createLineQueue();
  let failedAtMs: number | null = null;
  let failure: string | null = null;

  return {
    report: (report) => push(ownLine(report)),
    reportOn: (target, report) =>
      push(toLine(target, report, format === 'json' ? describe(target, report) : messageOf(target, report))),
    retryAtMs: () => (failedAtMs === null ? null : failedAtMs + RETRY_MS),
    flush,
    reopen() {
      sink.reopen();
      flush();
    },
    output: () => sink.output(),
    moveTo(next, nextFormat) {
      flush();
      sink.close();
      sink = next;
      format = nextFormat;
      flush();
    },
    close() {
      flush();
      for (const line of queue.drain()) complain(String(line).trimEnd());
      sink.close();
    },
  };

  function push(line: string): void {
    show?.(line);
    queue.push(Buffer.from(`${line}\n`, 'utf8'));
    flush();
  }

  function flush(): void {
    for (let line = queue.first(); line !== undefined; line = queue.first()) {
      const code = writeLost() ?? sink.write(line);
      if (code !== null) {
        failed(code);
        return;
      }
      queue.shift();
    }
    failedAtMs = null;
    failure = null;
  }

  /** What was lost stood before what waits, and is told there. */
  function writeLost(): string | null {
    const lost = queue.takeLost();
    if (lost.lines === 0) return null;
    const code = sink.write(Buffer.from(`${ownLine({ kind: 'lost-lines', ...lost })}\n`, 'utf8'));
    if (code !== null) queue.addLost(lost);
    return code;
  }

  function failed(code: string): void {
    failedAtMs = monotonicMs();
    if (failure === code) return;
    failure = code;
    complain(
      `watchdog: the log, ${sink.name}, cannot be written: ${describeCode(code)}; lines are kept and written later`,
    );
  }

  function ownLine(report: OwnReport): string {
    return toLine(subject, report, describeOwn(report));
  }

  function toLine(about: Subject, report: AnyReport, message: string): string {
    const now = new Date();
    return format === 'json'
      ? formatJson(about, report, message, formatIsoTime(now))
      : formatText(about, message, formatLocalTime(now));
  }
}
