/**
 * The host that stays in memory: the brain and the waiting in one process. It hears of
 * a child's end from the kernel, and of the others' by reading their open
 * `/proc/PID/stat` ten times a second: one read of 5 µs each, which tells a zombie and
 * a number that was used again, as the open file is the old process's for ever.
 */
import { isSame } from '../core/state.ts';
import type { Identity } from '../core/types.ts';
import { startChild } from '../system/child.ts';
import { monotonicMs } from '../system/clock.ts';
import { openStatWatch, type StatWatch } from '../system/stat-watch.ts';
import { type Host, type HostEvent, TOLD_SIGNALS } from './host.ts';

/** How often each watched process is looked at. */
const WATCH_INTERVAL_MS = 100;
/** A timer of Node that is set for longer fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface ResidentOptions {
  /** Whether `/proc` can be read to watch a process. */
  readonly canWatch: boolean;
  readonly description: string;
}

export function openResidentHost({ canWatch, description }: ResidentOptions): Host {
  const children = new Set<number>();
  let events: HostEvent[] = [];
  let watches: StatWatch[] = [];
  const doubted = new WeakSet<StatWatch>();
  let poll: NodeJS.Timeout | null = null;
  let wake: (() => void) | null = null;

  const onSignal = (signal: NodeJS.Signals): void => {
    const told = TOLD_SIGNALS.find((one) => one === signal);
    if (told !== undefined) happened({ kind: 'signal', signal: told });
  };
  for (const signal of TOLD_SIGNALS) process.on(signal, onSignal);

  return {
    description,
    tellsDeaths: canWatch,
    store: () => {
      // The state outlives the wait by itself: it is in the memory of the same process.
    },
    watch,
    start: async (spec) => {
      const result = await startChild(spec, (pid, how) => {
        children.delete(pid);
        happened({ kind: 'child-exited', pid, how });
      });
      if (result.kind === 'started') children.add(result.identity.pid);
      return result;
    },
    wait,
    close,
  };

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

  async function wait(deadlineAtMs: number | null): Promise<readonly HostEvent[]> {
    if (events.length === 0) await somethingOrDeadline(deadlineAtMs);
    const happenedSince = events;
    events = [];
    return happenedSince;
  }

  function somethingOrDeadline(deadlineAtMs: number | null): Promise<void> {
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
    for (const signal of TOLD_SIGNALS) process.off(signal, onSignal);
    watch([]);
  }
}
