/**
 * What the log says. Text: `[2026-11-21_12:00:00] PATTERN …`, the shape of the shell
 * loop's own line, which the line of a recovery is to the byte. Or JSON, one object
 * a line. What happened, to what, and what happens next.
 */
import { isCommandTrouble } from './death.ts';
import { formatDuration } from './duration.ts';
import { cut, escapeForeign, escapeJson, escapeText } from './escape.ts';
import type { Death, FailureReason, Loss, Report, Seen, Sight, TargetRules } from './types.ts';

/** A line longer than this is cut, in characters. */
export const MAX_LINE_LENGTH = 4096;
/** Of a stranger's command line, no more is shown than this. */
const MAX_COMMAND_LENGTH = 200;

/** Things to tell that are not of a target: how the watchdog itself fares. */
export type OwnReport =
  | {
      readonly kind: 'started';
      readonly version: string;
      readonly pid: number;
      readonly user: string;
      readonly directory: string;
      readonly path: string;
      readonly host: string;
    }
  | { readonly kind: 'warning'; readonly text: string }
  | ({ readonly kind: 'reloaded'; readonly file: string } & Changes)
  /** A command of a target that is no longer watched has ended. */
  | { readonly kind: 'late-end'; readonly target: string; readonly what: string; readonly how: string }
  | { readonly kind: 'reload-refused'; readonly problem: string }
  | { readonly kind: 'defect'; readonly detail: string }
  | { readonly kind: 'lost-lines'; readonly lines: number; readonly bytes: number }
  | { readonly kind: 'stopped'; readonly why: string; readonly stillRuns: readonly number[] };

/** What a new configuration makes of the old one: names of targets. */
export interface Changes {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  readonly unchanged: readonly string[];
}

export type AnyReport = Report | OwnReport;

/** Whom a line of the log is about: a target, or the watchdog itself. */
export interface Subject {
  readonly label: string;
  readonly name: string;
}

/** The recovery's line is the shell loop's own, to the byte; all others are sentences. */
export function messageOf(target: TargetRules, report: Report): string {
  return report.kind === 'recovering' ? target.recover : describe(target, report);
}

/** One line for people, without its end. `time` is local, `2026-11-21_12:00:00`. */
export function formatText(subject: Subject, message: string, time: string): string {
  return cut(`[${time}] ${escapeText(subject.label)} ${escapeText(message)}`, MAX_LINE_LENGTH);
}

/** One line for programs, without its end. `message` is a sentence, `time` is ISO 8601 with the offset. */
export function formatJson(subject: Subject, report: AnyReport, message: string, time: string): string {
  const { kind, ...details } = report;
  const base = { time, event: kind, target: cut(subject.name, MAX_COMMAND_LENGTH) };
  const line = escapeJson(JSON.stringify({ ...base, message: cut(message, MAX_LINE_LENGTH / 2), ...details }));
  return line.length <= MAX_LINE_LENGTH
    ? line
    : escapeJson(JSON.stringify({ ...base, message: cut(message, MAX_LINE_LENGTH / 8) }));
}

/** What the watchdog says of itself, as a sentence. */
export function describeOwn(report: OwnReport): string {
  switch (report.kind) {
    case 'started':
      return (
        `started: watchdog ${report.version}, pid ${report.pid}, user ${report.user}, ` +
        `directory ${report.directory}, PATH ${report.path}; ${report.host}`
      );
    case 'warning':
      return `warning: ${report.text}`;
    case 'reloaded': {
      const { added, changed, file, removed, unchanged } = report;
      const counts = `${added.length} added, ${changed.length} changed, ${removed.length} removed, ${unchanged.length} unchanged`;
      return `reloaded ${file}: ${counts}`;
    }
    case 'late-end':
      return `the ${report.what} of ${report.target}, which is no longer watched, has ended: ${report.how}`;
    case 'reload-refused':
      return `not reloaded, all goes on as before: ${report.problem}`;
    case 'defect':
      return `a defect of the watchdog itself, please report it: ${report.detail}`;
    case 'lost-lines':
      return `lost ${report.lines} lines (${report.bytes} bytes) that could not be written to this log`;
    case 'stopped':
      return report.stillRuns.length === 0
        ? `stopped: ${report.why}`
        : `stopped: ${report.why}; the recovery, pid ${report.stillRuns.join(', ')}, is left to finish`;
  }
}

/** What is said of a target, as a sentence without time and name. */
export function describe(target: TargetRules, report: Report): string {
  switch (report.kind) {
    case 'waiting':
      return `waiting ${formatDuration(report.startDelayMs)} before the first look`;
    case 'watching':
      return `watching: ${describeSight(target.min, report.sight)}`;
    case 'gone':
      return report.confirmMs === 0
        ? `gone: ${describeLoss(report.loss)}; looking once more, then recovering`
        : `gone: ${describeLoss(report.loss)}; recovering unless it is back within ${formatDuration(report.confirmMs)}`;
    case 'replaced':
      return `replaced: ${report.losses.map(describeLoss).join(' and ')} gone, ${describeSeen(report.seen)} there, not by us`;
    case 'came-back':
      if (report.afterMs === null) return `back: ${describeSeen(report.seen)}, not by us`;
      if (report.afterMs < 1) return `up all the same: ${describeSeen(report.seen)}`;
      return `back: ${describeSeen(report.seen)}, after ${formatDuration(report.afterMs)}, not by us`;
    case 'recovering':
      return `${target.program === null ? 'recovering' : 'starting'}: ${target.recover}`;
    case 'would-recover':
      return `would ${target.program === null ? 'recover' : 'start'} (dry run, nothing is started): ${target.recover}`;
    case 'recovered':
      if (target.program !== null)
        return `started: ${describeSeen(report.seen)}, lasted ${formatDuration(target.settleMs)}`;
      return `recovered: ${describeSeen(report.seen)}, up ${formatDuration(report.afterMs)} after the recovery began`;
    case 'recovery-failed':
      return `${target.program === null ? 'recovery' : 'start'} failed: ${describeFailure(target, report.why)}; next try in ${formatDuration(report.nextMs)}`;
    case 'backing-off':
      return (
        `backing off: ${report.failures} ${target.program === null ? 'recoveries' : 'starts'} failed in a row; ` +
        `trying every ${formatDuration(target.backoff?.maxMs ?? target.intervalMs)} from now on`
      );
    case 'stopping-recovery':
      return `sending ${report.signal} to the recovery, process group ${report.pid}: ${report.why}`;
    case 'recovery-stuck':
      return `the recovery, pid ${report.pid}, did not end by KILL; no other is started before it does`;
    case 'blind':
      return `could not look: ${report.why}; nothing is recovered until we can`;
    case 'sighted':
      return 'can look again';
    case 'waiting-for':
      return `waiting: it is recovered once ${report.on} is up`;
    case 'too-many':
      return `too many: ${report.seen} are there, at most ${report.max} may be; none of them is ended by us`;
    case 'no-longer-too-many':
      return `no longer too many: ${report.seen} ${report.seen === 1 ? 'is' : 'are'} there`;
    case 'paused':
      return `paused ${describePause(report)}: nothing is recovered`;
    case 'still-paused':
      return `still paused ${describePause(report)}: nothing is recovered`;
    case 'still-stopped':
      return 'still stopped, by an operator: not recovered until it is started';
    case 'resumed':
      return report.why === 'time' ? 'resumed: the pause is over' : 'resumed: asked by an operator';
    case 'gone-while-paused':
      return `gone: ${describeLoss(report.loss)}; it is paused or stopped, so nothing is recovered`;
    case 'stopping':
      return `stopping ${describeSeen(report.seen)} by ${report.by}: ${report.isLeaving ? 'the watchdog ends' : 'asked by an operator'}`;
    case 'stop-late':
      return `${describeSeen(report.seen)} did not end in time; sending KILL`;
    case 'stop-stuck':
      return `${describeSeen(report.seen)} did not end by KILL`;
    case 'stopped-target':
      return describeStopped(target, report.next);
    case 'exited':
      return `exited: ${describeLoss(report.loss)}, ${describeNext(report)}`;
    case 'daemonized':
      return `in the background: ${describeLoss(report.loss)}, and ${describeSeen(report.seen)} goes on: that one is followed`;
    case 'leftover':
      return `left behind: ${describeSeen(report.seen)}; sending ${report.signal} before it is started again`;
    case 'not-autostarted':
      return 'not started: autostart is off; watchdog start starts it';
    case 'changed':
      return 'changed: it has other settings now';
    case 'removed':
      return 'removed from the configuration: no longer watched';
    case 'asked':
      return `asked by an operator: ${report.what}`;
    case 'reload-ended':
      return report.message;
    case 'command-failed':
      return report.what === 'stop' || report.what === 'reload'
        ? `the command to ${report.what} it failed: ${report.why}`
        : `the ${report.what} failed: ${report.why}`;
  }
}

function describeNext({ isExpected, next }: Extract<Report, { kind: 'exited' }>): string {
  const judgement = isExpected ? 'as expected' : 'not expected';
  if (next === 'none') return `${judgement}; not started again`;
  return next === 'start' ? `${judgement}; starting it again` : `${judgement}, before it had lasted`;
}

function describeStopped({ program }: TargetRules, next: 'stopped' | 'recover' | 'leave'): string {
  if (next === 'leave') return 'down: the watchdog ends';
  if (program !== null) {
    return next === 'stopped'
      ? 'down, by an operator: not started until it is asked for'
      : 'down, by an operator: starting it again';
  }
  return next === 'stopped'
    ? 'down, by an operator: not recovered until it is started'
    : 'down, by an operator: recovering it now';
}

function describePause({ forMs, reason }: { readonly forMs: number | null; readonly reason: string | null }): string {
  const until = forMs === null ? 'until it is resumed' : `for ${formatDuration(forMs)}`;
  return reason === null ? until : `${until} (${reason})`;
}

/** What a look saw, where `min` must be there. */
export function describeSight(min: number, sight: Sight): string {
  if (sight.kind === 'present') return `up, ${describeSeen(sight.seen)}`;
  const why = sight.why === null ? '' : `: ${sight.why}`;
  if (sight.seen.length > 0) return `down, ${sight.seen.length} of ${min} are there${why}`;
  return `down, nothing matches${why}`;
}

function describeSeen(seen: readonly Seen[]): string {
  const [first, ...others] = seen;
  if (first === undefined) return 'nothing';
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  return `pid ${first.pid} "${cut(escapeForeign(first.commandLine), MAX_COMMAND_LENGTH)}"${more}`;
}

function describeLoss(loss: Loss): string {
  const left = loss.leftBy === undefined ? '' : `, which pid ${loss.leftBy} had left in the background`;
  const who = `pid ${loss.seen.pid}${left}`;
  if (loss.how.kind === 'unknown') return who;
  const source = loss.toldBy === 'shell' ? ', by the word of the shell that ran it' : '';
  return `${who}, ${describeDeath(loss.how)}${source}`;
}

/** `exit status 3`, `killed by SIGSEGV`, or that nobody could tell. */
export function describeDeath(how: Death): string {
  switch (how.kind) {
    case 'exited':
      return `exit status ${how.status}`;
    case 'killed':
      return `killed by SIG${how.signal}${how.outOfMemory === true ? ', out of memory' : ''}`;
    case 'unknown':
      return 'how it ended is not known';
  }
}

function describeFailure(target: TargetRules, why: FailureReason): string {
  switch (why.kind) {
    case 'not-started':
      return why.why;
    case 'timed-out':
      return `the command still ran after ${formatDuration(why.limitMs)} and the target was not up`;
    case 'died-again':
      // The shell that should have become it could not: that is no life of its own.
      if (target.program !== null && isCommandTrouble(why.loss.how)) return describeCommandEnd(target, why.loss.how);
      return `pid ${why.loss.seen.pid} was up, but only for ${formatDuration(why.livedMs)} (${describeDeath(why.loss.how)})`;
    case 'never-appeared': {
      const there =
        why.sight.seen.length === 0 ? 'nothing matches' : `only ${why.sight.seen.length} of ${target.min} are there`;
      const detail = why.sight.why === null ? '' : ` (${why.sight.why})`;
      return `${describeCommandEnd(target, why.exited)}, and ${there} after ${formatDuration(why.waitedMs)}${detail}`;
    }
  }
}

/** How the command ended, and what the shell means by 126 and 127 (POSIX, Shell Command Language, 2.8.2). */
function describeCommandEnd(target: TargetRules, exited: Death): string {
  if (exited.kind === 'killed') return `the command was ${describeDeath(exited)}`;
  if (exited.kind === 'unknown') return 'the command ended';
  const end = `the command ended with ${describeDeath(exited)}`;
  const where = `PATH is ${target.recoverPath}; use an absolute path or --env PATH=…`;
  if (exited.status === 127) return `${end} (command not found; ${where})`;
  if (exited.status === 126) return `${end} (found, but it may not be executed; ${where})`;
  return end;
}
