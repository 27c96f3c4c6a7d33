/**
 * The host that stays in memory: the brain and the waiting in one process. It hears of
 * a child's end from the kernel, and of the others' by reading their open
 * `/proc/PID/stat` ten times a second: one read of 5 µs each, which tells a zombie and
 * a number that was used again, as the open file is the old process's for ever.
 */
import { isSame } from '../core/state.ts';
import type { Identity } from '../core/types.ts';
import type { ChildSpec } from '../system/child.ts';
import { monotonicMs } from '../system/clock.ts';
import { signalProcess } from '../system/signal-process.ts';
import { signalGroup, startChild } from '../system/start-child.ts';
import { openStatWatch, type StatWatch } from '../system/stat-watch.ts';
import { FORWARDED_SIGNALS, type Host, type HostEvent, TOLD_SIGNALS, takeNext } from './host.ts';

/** How often each watched process is looked at. */
const WATCH_INTERVAL_MS = 100;
/** A timer of Node that is set for longer fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface ResidentOptions {
  /** Whether `/proc` can be read to watch a process. */
  readonly canWatch: boolean;
  readonly description: string;
  /** Told once, when the watch has begun. */
  readonly onReady: () => void;
  /** Where to listen for operators; `null`: nowhere. */
  readonly control: string | null;
  /** The soft limit of open files that children shall have; `null` for ours. */
  readonly openFilesLimit: number | null;
}

export function openResidentHost({ canWatch, control, description, onReady, openFilesLimit }: ResidentOptions): Host {
  const children = new Set<number>();
  const events: HostEvent[] = [];
  let deadlineAtMs: number | null = null;
  let isReady = false;
  let watches: StatWatch[] = [];
  const doubted = new WeakSet<StatWatch>();
  let poll: NodeJS.Timeout | null = null;
  let wake: (() => void) | null = null;

  const onSignal = (signal: NodeJS.Signals): void => happened({ kind: 'signal', signal });
  let taken: readonly NodeJS.Signals[] = TOLD_SIGNALS;
  for (const signal of taken) process.on(signal, onSignal);

  return {
    description,
    pid: process.pid,
    tellsDeaths: canWatch,
    mayRest: false,
    reaper: null,
    nowMs: monotonicMs,
    commit(order) {
      process.title = order.title;
      if (order.isReady && !isReady) onReady();
      isReady ||= order.isReady;
      deadlineAtMs = order.deadlineAtMs;
      if (order.forwards) takeAllSignals();
      watch(order.watch);
      for (const { pid, signal } of order.signals) signalGroup(pid, signal);
      for (const { identity, signal } of order.kills) signalProcess(identity, signal);
      for (const { id, spec } of order.starts) void start(id, spec);
    },
    end() {
      // Whoever called us is told by our exit status.
    },
    catchUp: async () => events,
    hasPending: () => events.length > 0,
    wait,
    control: control === null ? null : { path: control },
    stayResponsive() {
      // It always does.
    },
    interrupt: () => wake?.(),
    close,
  };

  function takeAllSignals(): void {
    if (taken.length > TOLD_SIGNALS.length) return;
    taken = [...TOLD_SIGNALS, ...FORWARDED_SIGNALS];
    for (const signal of FORWARDED_SIGNALS) process.on(signal, onSignal);
  }

  /** What becomes of it is told as an event; it never rejects but for a defect, which ends the process. */
  async function start(id: number, spec: ChildSpec): Promise<void> {
    const result = await startChild(spec, openFilesLimit, (pid, how) => {
      children.delete(pid);
      happened({ kind: 'child-exited', pid, how });
    });
    if (result.kind === 'started') children.add(result.identity.pid);
    happened(
      result.kind === 'started'
        ? { kind: 'child-started', id, identity: result.identity }
        : { ...result, kind: 'child-not-started', id },
    );
  }

  function happened(event: HostEvent): void {
    events.push(event);
    wake?.();
  }

  function watch(identities: readonly Identity[]): void {
    if (!canWatch) return;
    const kept = watches.filter((one) => identities.some((other) => isSame(one.identity, other)));
    for (const dropped of watches.filter((one) => !kept.includes(one))) dropped.close();
    const fresh = identities.filter((one) => !kept.some((other) => isSame(other.identity, one)));
    watches = [...kept, ...fresh.map(openStatWatch)];
    if (poll !== null) clearInterval(poll);
    poll = watches.length === 0 ? null : setInterval(lookAtWatched, WATCH_INTERVAL_MS);
    if (fresh.length > 0) lookAtWatched();
  }

  function lookAtWatched(): void {
    for (const one of watches) {
      // A child's end is told by the kernel, with its status: whoever asks /proc first knows less.
      if (children.has(one.identity.pid)) continue;
      const how = one.read();
      if (how === null) continue;
      if (how.kind === 'unknown' && children.size > 0 && !doubted.has(one)) {
        // A shell of ours that ran it is about to tell how it went: it gets until the next look.
        doubted.add(one);
        continue;
      }
      one.close();
      watches = watches.filter((other) => other !== one);
      happened({ kind: 'died', identity: one.identity, how });
    }
  }

  async function wait(): Promise<HostEvent | null> {
    if (events.length === 0) await somethingOrDeadline();
    return takeNext(events);
  }

  function somethingOrDeadline(): Promise<void> {
    return new Promise((resolve) => {
      const delayMs = deadlineAtMs === null ? MAX_TIMER_MS : Math.ceil(deadlineAtMs - monotonicMs());
      const timer = setTimeout(done, Math.min(Math.max(delayMs, 0), MAX_TIMER_MS));
      wake = done;
      function done(): void {
        clearTimeout(timer);
        wake = null;
        resolve();
      }
    });
  }

  function close(): void {
    for (const signal of taken) process.off(signal, onSignal);
    watch([]);
  }
}
