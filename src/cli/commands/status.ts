import { setTimeout as sleep } from 'node:timers/promises';
import type { StatusAnswer, TargetStatus } from '../../control/protocol.ts';
import { formatDuration } from '../../core/duration.ts';
import { escapeText } from '../../core/escape.ts';
import { exitCode } from '../exit-codes.ts';
import { print } from '../output.ts';
import { refuse } from '../refuse.ts';
import { toRequest } from '../request.ts';
import type { Invocation } from '../run.ts';
import { formatTable } from '../table.ts';
import { askAll, order } from '../watchdogs.ts';

const WATCH_MS = 2_000;
const CLEAR = '\x1b[H\x1b[2J';

/** Shows how the targets of all watchdogs of this user are. */
export async function status(invocation: Invocation): Promise<number> {
  if (invocation.problems.length > 0) return refuse(invocation.problems);
  const isWatching = invocation.given.watch?.value === true;
  for (;;) {
    const request = toRequest('status', invocation);
    const asked = await (request.targets.length === 0 ? askAll : order)(invocation, request);
    if ('code' in asked) return asked.code;
    const answers = asked.answers.map(({ body }) => body as StatusAnswer);
    const text = invocation.given.json?.value === true ? toJson(answers) : toText(answers, Date.now());
    print(`${isWatching && process.stdout.isTTY ? CLEAR : ''}${text}`);
    if (!isWatching) return outcomeOf(answers.flatMap(({ targets }) => targets));
    await sleep(WATCH_MS);
  }
}

function outcomeOf(targets: readonly TargetStatus[]): number {
  if (targets.some(({ blind }) => blind !== null)) return exitCode('unknown');
  return exitCode(targets.every(({ isUp }) => isUp) ? 'ok' : 'down');
}

/** One object for each watchdog, in a list. */
function toJson(answers: readonly StatusAnswer[]): string {
  return `${JSON.stringify(answers, null, 2)}\n`;
}

function toText(answers: readonly StatusAnswer[], nowMs: number): string {
  return answers.map((answer) => formatOne(answer, nowMs)).join('\n');
}

function formatOne({ targets, watchdog }: StatusAnswer, nowMs: number): string {
  const { config, log, name, pid, user, version } = watchdog;
  const about = [
    `watchdog ${version}${name === null ? '' : ` "${escapeText(name)}"`}`,
    `pid ${pid}`,
    `user ${user}`,
    ...(config === null ? [] : [config]),
    `log ${log ?? 'standard output'}`,
  ];
  const head = ['TARGET', 'STATE', 'PID', 'AGE', 'CPU', 'MEMORY', 'RECOVERIES', 'LAST EVENT'];
  return `${about.join(', ')}\n${formatTable(
    head,
    targets.map((target) => toRow(target, nowMs)),
  )}`;
}

function toRow(target: TargetStatus, nowMs: number): string[] {
  const { lastEvent, processes, recoveries } = target;
  const [first, ...others] = processes;
  const more = others.length === 0 ? '' : ` +${others.length}`;
  const sum = (pick: (one: (typeof processes)[number]) => number | null): number | null =>
    processes.some((one) => pick(one) === null) || processes.length === 0
      ? null
      : processes.reduce((total, one) => total + (pick(one) ?? 0), 0);
  const cpu = sum(({ cpuPercent }) => cpuPercent);
  const memory = sum(({ memoryBytes }) => memoryBytes);
  return [
    escapeText(target.name),
    describeState(target, nowMs),
    first === undefined ? '-' : `${first.pid}${more}`,
    first?.ageMs == null ? '-' : formatDuration(Math.floor(first.ageMs / 1_000) * 1_000),
    cpu === null ? '-' : `${cpu.toFixed(1)}%`,
    memory === null ? '-' : `${(memory / 1_048_576).toFixed(1)} MB`,
    String(recoveries),
    lastEvent === null ? '-' : `${since(lastEvent.time, nowMs)} ago ${escapeText(lastEvent.message)}`,
  ];
}

/** The state, and until when or for whom where that is known. */
function describeState(
  { blind, nextTryAt, pausedUntil, reason, state, waitsFor }: TargetStatus,
  nowMs: number,
): string {
  if (blind !== null) return 'unknown';
  if (nextTryAt !== null) return `${state} (next try in ${until(nextTryAt, nowMs)})`;
  if (waitsFor !== null) return `${state} for ${escapeText(waitsFor)}`;
  const why = reason === null ? '' : ` (${escapeText(reason)})`;
  return pausedUntil === null ? `${state}${why}` : `${state} for ${until(pausedUntil, nowMs)}${why}`;
}

function until(time: string, nowMs: number): string {
  return formatDuration(Math.max(0, Math.ceil((Date.parse(time) - nowMs) / 1_000) * 1_000));
}

function since(time: string, nowMs: number): string {
  return formatDuration(Math.max(0, Math.floor((nowMs - Date.parse(time)) / 1_000) * 1_000));
}
