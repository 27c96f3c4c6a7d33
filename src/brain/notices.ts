/** How somebody outside is told of an event: a command with its context in variables, or a POST by a process of its own. */
import { hostname } from 'node:os';
import { quoteWord } from '../core/shell-words.ts';
import type { Report } from '../core/types.ts';
import type { Plan, TargetPlan } from '../plan/plan.ts';
import { formatIsoTime } from '../system/clock.ts';
import type { Entry } from './history.ts';
import type { Job } from './jobs.ts';

export interface Notice {
  readonly kind: Extract<Job['kind'], 'on-event' | 'webhook'>;
  readonly command: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** A variable may not be longer; what is cut off is in the log. */
const MAX_TEXT_LENGTH = 1_000;

/** Whom to tell of it. `skipped`: of how many before it nobody was told. */
export function noticesOf(
  plan: Plan,
  target: TargetPlan,
  entry: Entry,
  report: Report,
  skipped: number,
): readonly Notice[] {
  const { onEvent, webhook } = target.notify;
  const time = formatIsoTime(new Date(entry.atMs));
  const message = entry.message.slice(0, MAX_TEXT_LENGTH).replaceAll('\0', '');
  const pid = pidOf(report);
  const notices: Notice[] = [];
  if (onEvent !== null) {
    const variables = {
      WATCHDOG_EVENT: entry.event,
      WATCHDOG_MESSAGE: message,
      WATCHDOG_TIME: time,
      WATCHDOG_SKIPPED: String(skipped),
      ...(pid === null ? {} : { WATCHDOG_TARGET_PID: String(pid) }),
    };
    notices.push({ kind: 'on-event', command: onEvent, variables });
  }
  if (webhook !== null) {
    const { version } = plan.beginning;
    const body = {
      time,
      host: hostname(),
      target: target.rules.name,
      event: entry.event,
      message,
      pid,
      skipped,
      version,
    };
    const words = [plan.program, ...plan.args.slice(1, -1), 'deliver'];
    const variables = { WATCHDOG_URL: webhook, WATCHDOG_BODY: JSON.stringify(body) };
    notices.push({ kind: 'webhook', command: `exec ${words.map(quoteWord).join(' ')}`, variables });
  }
  return notices;
}

/** The process that it is about, where it is one. */
function pidOf(report: Report): number | null {
  if ('loss' in report) return report.loss.seen.pid;
  return 'seen' in report && Array.isArray(report.seen) ? (report.seen[0]?.pid ?? null) : null;
}
