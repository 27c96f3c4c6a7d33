/** The entry of a brain that the sentinel has started. What is loaded here is loaded on every wake. */
import type { Host } from '../host/host.ts';
import { hearSentinel } from '../host/sentinel.ts';
import type { Plan } from '../plan/plan.ts';
import { findHolder, WHY_NOT_OURS } from '../system/lock-holder.ts';
import { openComplaints } from '../system/terminal.ts';
import { type Memory, readMemory } from './memory.ts';
import { notHeld, refusal } from './refusal.ts';
import type { Outcome } from './run.ts';
import { standingOf } from './standing.ts';
import { watchOn } from './watch.ts';

/** How it all ends when another already watches; as in `cli/exit-codes.ts`. */
const ALREADY_RUNNING = 4;

/** Goes on from what the brain before has left, until there is nothing to do for a while. The exit code. */
export async function wake(): Promise<number> {
  const hello = hearSentinel();
  const memory = readMemory(hello.kept);
  if (memory === null) throw new Error('what the brain before has left is of another version');
  let { plan } = memory;
  const host = hello.serve(() => standingOf(plan));
  const onPlan = (next: Plan): void => {
    plan = next;
  };
  if (memory.targets !== null) return end(await watchOn(memory, host, { isOnce: false, warnings: [], onPlan }));
  return begin(memory, host, hello.kept, onPlan);
}

/** Begins a watch, if nobody else watches the same. */
async function begin(memory: Memory, host: Host, kept: string, onPlan: (plan: Plan) => void): Promise<number> {
  const event = await host.wait();
  // Only a request to stop can come before the word on the lock.
  if (event?.kind !== 'lock') return give(host, kept, 0);
  const { plan } = memory;
  const holder = event.result === 'taken' ? findHolder(plan.lock) : null;
  if (holder !== null) {
    if (!plan.isQuiet) openComplaints()(refusal(holder, plan.config ?? plan.label));
    return give(host, kept, ALREADY_RUNNING);
  }
  const warnings =
    event.result === 'held' ? [] : [notHeld(event.result === 'taken' ? WHY_NOT_OURS : 'no lock can be taken')];
  return end(await watchOn(memory, host, { isOnce: false, warnings, onPlan }));
}

/** Ends the watch before it has begun. */
function give(host: Host, kept: string, status: number): number {
  const nothing = {
    isReady: false,
    isPatient: false,
    forwards: false,
    title: 'watchdog: ending',
    watch: [],
    deadlineAtMs: null,
    starts: [],
    taps: [],
    replaces: [],
    signals: [],
    kills: [],
  };
  host.end({ memory: () => kept, ...nothing }, status);
  return status;
}

function end(outcome: Outcome): number {
  if (outcome.kind === 'once') throw new Error('a brain of the sentinel looks more than once');
  return outcome.kind === 'over' ? outcome.status : 0;
}
