/** Commands that an order has started and whose end is not yet known: for whom, and what for. */
import type { Identity } from '../core/types.ts';

export interface Job {
  /** As the order called it. */
  readonly id: number;
  readonly kind: 'recovery' | 'stop' | 'reload';
  /** The target's name. */
  readonly target: string;
  /** `null` until it is told that it runs. */
  readonly identity: Identity | null;
}

/** Those that are under way, and the number of the next one. */
export interface Jobs {
  readonly nextId: number;
  readonly running: readonly Job[];
}

export const NO_JOBS: Jobs = { nextId: 1, running: [] };

export function withJob(jobs: Jobs, kind: Job['kind'], target: string): Jobs {
  const job: Job = { id: jobs.nextId, kind, target, identity: null };
  return { nextId: jobs.nextId + 1, running: [...jobs.running, job] };
}

export function withIdentity(jobs: Jobs, id: number, identity: Identity): Jobs {
  return { ...jobs, running: jobs.running.map((job) => (job.id === id ? { ...job, identity } : job)) };
}

export function withoutJob(jobs: Jobs, job: Job): Jobs {
  return { ...jobs, running: jobs.running.filter((one) => one.id !== job.id) };
}
