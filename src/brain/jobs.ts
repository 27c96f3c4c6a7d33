/** Commands that an order has started and whose end is not yet known: for whom, what for, and how long they may take. */
import type { Identity } from '../core/types.ts';

export interface Job {
  /** As the order called it. */
  readonly id: number;
  readonly kind: 'recovery' | 'stop' | 'reload' | 'on-event' | 'webhook';
  /** The target's name. */
  readonly target: string;
  /** `null` until it is told that it runs. */
  readonly identity: Identity | null;
  /** When it is told (again) to end; `null`: never, a recovery's limit is a matter of the rules. */
  readonly limitAtMs: number | null;
  readonly told: null | 'TERM' | 'KILL';
}

/** Those that are under way, and the number of the next one. */
export interface Jobs {
  readonly nextId: number;
  readonly running: readonly Job[];
}

export const NO_JOBS: Jobs = { nextId: 1, running: [] };

/** How long each may take. */
const LIMIT_MS: Readonly<Record<Job['kind'], number | null>> = {
  recovery: null,
  stop: 60_000,
  reload: 60_000,
  'on-event': 30_000,
  webhook: 60_000,
};
/** How long it has to end after TERM. */
const TERM_GRACE_MS = 10_000;

export function withJob(jobs: Jobs, kind: Job['kind'], target: string, nowMs: number): Jobs {
  const limit = LIMIT_MS[kind];
  const limitAtMs = limit === null ? null : nowMs + limit;
  const job: Job = { id: jobs.nextId, kind, target, identity: null, limitAtMs, told: null };
  return { nextId: jobs.nextId + 1, running: [...jobs.running, job] };
}

export function withIdentity(jobs: Jobs, id: number, identity: Identity): Jobs {
  return { ...jobs, running: jobs.running.map((job) => (job.id === id ? { ...job, identity } : job)) };
}

export function withoutJob(jobs: Jobs, job: Job): Jobs {
  return { ...jobs, running: jobs.running.filter((one) => one.id !== job.id) };
}

/** Those whose time is over, with the signal that is theirs now; and the jobs from then on. */
export function overdue(
  jobs: Jobs,
  nowMs: number,
): { readonly jobs: Jobs; readonly late: readonly (readonly [job: Job, signal: 'TERM' | 'KILL'])[] } {
  const isLate = ({ identity, limitAtMs }: Job): boolean =>
    identity !== null && limitAtMs !== null && nowMs >= limitAtMs;
  const late = jobs.running.filter(isLate).map((job) => [job, job.told === null ? 'TERM' : 'KILL'] as const);
  if (late.length === 0) return { jobs, late };
  const running = jobs.running.map((job) => {
    const signal = late.find(([one]) => one === job)?.[1];
    // Whom KILL does not end, nothing does.
    return signal === undefined
      ? job
      : { ...job, told: signal, limitAtMs: signal === 'TERM' ? nowMs + TERM_GRACE_MS : null };
  });
  return { jobs: { ...jobs, running }, late };
}

/** When the next one's time is over; `null` if there is none. */
export function nextLimitAtMs({ running }: Jobs): number | null {
  const limits = running.flatMap(({ limitAtMs }) => limitAtMs ?? []);
  return limits.length === 0 ? null : Math.min(...limits);
}
