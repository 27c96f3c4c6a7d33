import type { Death, Identity } from '../core/types.ts';
import type { ChildSpec, KeptOutput, NotStarted } from '../system/child.ts';

/** The signals that are told; each means one thing, see the manual. */
export const TOLD_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;
/** What a program may be sent besides, where all signals are handed on to it: those that don't end or stop us by themselves. */
export const FORWARDED_SIGNALS = [
  'SIGWINCH',
  'SIGCONT',
  'SIGALRM',
  'SIGVTALRM',
  'SIGPROF',
  'SIGXCPU',
  'SIGXFSZ',
  'SIGIO',
  'SIGPWR',
  'SIGURG',
] as const;

/** Something that happened while the brain waited. */
export type HostEvent =
  /** A process that was watched is gone. */
  | { readonly kind: 'died'; readonly identity: Identity; readonly how: Death }
  /** A process can't be watched: whoever wants to know of its end must look. */
  | { readonly kind: 'unwatched'; readonly identity: Identity; readonly why: string }
  /** The command that an order asked for runs. */
  | { readonly kind: 'child-started'; readonly id: number; readonly identity: Identity }
  | ({ readonly kind: 'child-not-started'; readonly id: number } & NotStarted)
  /** A child that the host started has ended. */
  | { readonly kind: 'child-exited'; readonly pid: number; readonly how: Death }
  /** A child `of` the host has ended, and after it `pid`, which it had left behind: the first of them that failed. */
  | { readonly kind: 'orphan-died'; readonly of: number; readonly pid: number; readonly how: Death }
  /** Whoever waited is gone, and with it all that it kept: the watch is over. */
  | { readonly kind: 'host-gone' }
  /** Somebody waits at the control socket. */
  | { readonly kind: 'connect' }
  | { readonly kind: 'lock'; readonly result: 'held' | 'taken' | 'unavailable' }
  | { readonly kind: 'signal'; readonly signal: string };

/** What is to be kept, waited for and done from now on. It replaces the order before it. */
export interface Order {
  /** All that the brain must know when it is asked again; for the host any text. */
  readonly memory: () => string;
  /** Every target was looked at: whoever waits for the watch to begin is told, once. */
  readonly isReady: boolean;
  /** How we show ourselves in a process table. */
  readonly title: string;
  /** Tell of the death of these, and of no others. */
  readonly watch: readonly Identity[];
  /** When to be asked again even if nothing happens; `null`: never. */
  readonly deadlineAtMs: number | null;
  readonly starts: readonly { readonly id: number; readonly spec: ChildSpec }[];
  /** What is started in the moment that a child of ours ends, while nobody is awake; not after one of these exit statuses. */
  readonly replaces: readonly {
    readonly identity: Identity;
    readonly id: number;
    readonly spec: ChildSpec;
    readonly unless: readonly number[];
  }[];
  /** Programs that were started before us, whose output comes through a pipe that nobody reads any more. */
  readonly taps: readonly { readonly identity: Identity; readonly output: KeptOutput }[];
  /** To the process groups of children that were started and have not ended. */
  readonly signals: readonly { readonly pid: number; readonly signal: string }[];
  /** Programs of ours end with us: a request to stop is dealt with by the brain, for as long as it goes on giving orders. */
  readonly isPatient: boolean;
  /** Signals that mean nothing to us are told as well. */
  readonly forwards: boolean;
  /** To these very processes, which are among those that are watched; without `SIG`. */
  readonly kills: readonly { readonly identity: Identity; readonly signal: string }[];
}

/**
 * Who waits. The brain looks, decides and gives an order; between that it leaves itself
 * to the host, which knows when something happens. Whether the brain stays in memory
 * meanwhile or ends and is started again is the host's affair.
 */
export interface Host {
  /** What it is and why, for the log. */
  readonly description: string;
  /** The process that the user started: the one that is told to stop, and that the log names. */
  readonly pid: number;
  /** Whether it hears by itself of the death of a process that is watched. */
  readonly tellsDeaths: boolean;
  /** Whether the brain may end between two events; then what it must know is in the order's memory. */
  readonly mayRest: boolean;
  /** Whose child everybody becomes whose parent has ended, of all that we start; `null`: not ours. */
  readonly reaper: number | null;
  /** Milliseconds of a clock that nobody can set: the one of all deadlines. */
  nowMs(): number;
  /** Takes an order, wholly or not at all: the memory is never kept without what it goes with. */
  commit(order: Order): void;
  /** Whether something has happened that was not yet taken. */
  hasPending(): boolean;
  /** All that has happened until now and was not yet taken; it stays there. What a look could not see any more is among it. */
  catchUp(): Promise<readonly HostEvent[]>;
  /** What happened first since the last call, a request to stop before all else. Waits for it until the deadline; then `null`. */
  wait(): Promise<HostEvent | null>;
  /** Where the control socket is; `null` where there is none. */
  readonly control: { readonly fd: number } | { readonly path: string } | null;
  /** From now on a wait leaves the rest of the program to its work: somebody is to be served. */
  stayResponsive(): void;
  /** Ends a wait that is under way, as if its deadline had come. */
  interrupt(): void;
  /** The last word: `rest` if the brain is to be asked again, or how all of it ends. */
  end(order: Order, how: 'rest' | number): void;
  /** Gives back timers, descriptors and signals. */
  close(): void;
}

/** Takes the next event off a queue: a request to stop comes before all else, so that nothing is started after it. */
export function takeNext(events: HostEvent[]): HostEvent | null {
  const stop = events.findIndex((event) => event.kind === 'signal' && isStopSignal(event.signal));
  return events.splice(Math.max(stop, 0), 1)[0] ?? null;
}

export function isStopSignal(signal: string): boolean {
  return signal === 'SIGTERM' || signal === 'SIGINT' || signal === 'SIGQUIT';
}
