/**
 * The loop: let what is due happen, give the host one order, wait for something to
 * happen. What that means for the targets is said in `fleet.ts`.
 */
import type { OwnReport } from '../core/report.ts';
import type { TargetState } from '../core/types.ts';
import { type Host, type HostEvent, isStopSignal } from '../host/host.ts';
import type { Log } from '../system/log.ts';
import { type Fleet, openFleet } from './fleet.ts';
import { type Memory, memoryWriter } from './memory.ts';
import { stateWords, titleMaker } from './title.ts';

/** All that the brain works with. */
export interface BrainOptions {
  readonly memory: Memory;
  readonly host: Host;
  readonly log: Log;
  /** End as soon as all are up, have failed, or can't be told. */
  readonly isOnce: boolean;
}

/** What it came to: asked to stop, with `isOnce` how the targets are, or that it sleeps until there is something to do. */
export type Outcome = 'stopped' | 'up' | 'down' | 'unknown' | 'rests';

/** Watches until told to stop, or until the host can do it alone for a while. */
export async function runBrain({ host, isOnce, log, memory }: BrainOptions): Promise<Outcome> {
  const title = titleMaker(memory.plan.name, (text) =>
    fleet.members.some(({ wanted }) => wanted.selector.matches?.(text)),
  );
  const fleet: Fleet = await openFleet({ memory, host, log, write: memoryWriter(), title, words: stateWords });

  for (;;) {
    if (!host.hasPending()) {
      await fleet.passTime();
      log.flush();
      const outcome = isOnce ? outcomeOf(fleet.members.map(({ state }) => state)) : null;
      if (outcome !== null) return outcome;
      if (host.mayRest && !host.hasPending() && fleet.mayRest(fleet.deadlineAtMs())) {
        host.end(fleet.order(), 'rest');
        return 'rests';
      }
      host.commit(fleet.order());
    }
    const event = await host.wait();
    const why = event === null ? null : whyOver(event);
    if (why !== null) {
      log.report(farewell(fleet, why));
      host.end(fleet.order(), 0);
      return 'stopped';
    }
    if (event?.kind === 'signal') await onSignal(event.signal);
    else if (event !== null) await fleet.take(event);
  }

  async function onSignal(signal: string): Promise<void> {
    if (signal === 'SIGHUP' || signal === 'SIGUSR1') log.reopen();
    if (signal === 'SIGUSR2') await fleet.lookAtAll();
  }
}

/** Why this is the end; `null` if it isn't. */
function whyOver(event: HostEvent): string | null {
  if (event.kind === 'host-gone') return 'the sentinel was killed';
  return event.kind === 'signal' && isStopSignal(event.signal) ? event.signal : null;
}

function farewell({ members }: Fleet, why: string): OwnReport {
  const stillRuns = members.flatMap(({ state: { command, phase } }) =>
    command !== null && (phase.kind === 'recovering' || phase.kind === 'confirming') ? [command.pid] : [],
  );
  return { kind: 'stopped', why, stillRuns };
}

/** `null` while one of them has neither come up nor failed. */
function outcomeOf(states: readonly TargetState[]): Outcome | null {
  const outcomes = states.map(({ blind, phase }): Outcome | null => {
    if (blind !== null) return 'unknown';
    if (phase.kind === 'up') return 'up';
    return phase.kind === 'backing-off' ? 'down' : null;
  });
  if (outcomes.includes(null)) return null;
  return outcomes.includes('unknown') ? 'unknown' : outcomes.includes('down') ? 'down' : 'up';
}
