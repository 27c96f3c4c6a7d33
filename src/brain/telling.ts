/** What is told of a target: to the log, to its history, to whoever listens, and to those outside who asked for such events. */
import { MAX_TOLD, spend } from '../core/notice.ts';
import type { Report } from '../core/types.ts';
import type { Plan } from '../plan/plan.ts';
import type { Log } from '../system/log.ts';
import type { Variables } from './child-spec.ts';
import { type Entry, toEntry, withEntry } from './history.ts';
import type { Member } from './member.ts';
import { type Notice, noticesOf } from './notices.ts';

export interface TellingOptions {
  readonly log: Log;
  readonly nowMs: () => number;
  /** The one that holds at that moment. */
  readonly plan: () => Plan;
  /** Hears of everything that is told of a target. */
  readonly onTold: (member: Member, entry: Entry) => void;
  /** Starts a command that nothing waits for. */
  readonly start: (member: Member, kind: Notice['kind'], command: string, variables: Variables) => void;
}

/** Tells of a target. */
export type Tell = (member: Member, report: Report) => void;

export function createTelling({ log, nowMs, onTold, plan, start }: TellingOptions): Tell {
  return (member, report) => {
    log.reportOn(member.plan.rules, report);
    if (report.kind === 'exited') member.lastEnd = report.loss.how;
    const entry = toEntry(member.plan.rules, report, Date.now());
    member.history = withEntry(member.history, entry);
    onTold(member, entry);
    notify(member, report, entry);
  };

  /** Whoever wants to know of such events is told by a command of its own. */
  function notify(member: Member, report: Report, entry: Entry): void {
    const { events, onEvent, webhook } = member.plan.notify;
    if ((onEvent === null && webhook === null) || !events.some((one) => one === report.kind)) return;
    const { budget, skipped } = spend(member.budget, nowMs());
    member.budget = budget;
    if (skipped === null) {
      if (budget.skipped > 1) return;
      const text = `more than ${MAX_TOLD} events of ${member.plan.rules.name} in a minute: those that follow are only counted`;
      log.report({ kind: 'warning', text });
      return;
    }
    for (const { command, kind, variables } of noticesOf(plan(), member.plan, entry, report, skipped)) {
      start(member, kind, command, variables);
    }
  }
}
