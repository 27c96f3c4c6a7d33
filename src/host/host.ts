import type { Death, Identity } from '../core/types.ts';
import type { ChildSpec, StartResult } from '../system/child.ts';

/** The signals that are told; each means one thing, see the manual. */
export const TOLD_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR2'] as const;
export type ToldSignal = (typeof TOLD_SIGNALS)[number];

/** Something that happened while the brain waited. */
export type HostEvent =
  /** A process that was watched is gone. */
  | { readonly kind: 'died'; readonly identity: Identity; readonly how: Death }
  /** A child that the host started has ended. */
  | { readonly kind: 'child-exited'; readonly pid: number; readonly how: Death }
  | { readonly kind: 'signal'; readonly signal: ToldSignal };

/**
 * Who waits. The brain looks, decides and acts; between that it gives itself to the
 * host, which knows when something happens. Whether the brain stays in memory
 * meanwhile or ends and is started again is the host's own affair: all that must
 * outlast the wait is in what was stored.
 */
export interface Host {
  /** What it is and why, for the log. */
  readonly description: string;
  /** Whether it hears by itself of the death of a process that is watched. */
  readonly tellsDeaths: boolean;
  /** Keeps the state, before anything is done in its name. */
  store(state: string): void;
  /** From now on tell of the death of these, and of no others. */
  watch(identities: readonly Identity[]): void;
  /** Starts a child in a session of its own, and will tell of its end. */
  start(spec: ChildSpec): Promise<StartResult>;
  /** What happened since; waits for it until the deadline (monotonic milliseconds; `null`: for ever). Empty when the deadline came first. */
  wait(deadlineAtMs: number | null): Promise<readonly HostEvent[]>;
  /** Gives back timers, descriptors and signals. */
  close(): void;
}
