/**
 * The loop: let the rules decide, give the host what they say as one order, wait for
 * something to happen. Nothing is decided here. Lines of the log are written before the
 * order that goes with them: should we end in between, they are written twice, but never
 * is anything started without a line, or twice.
 */

import type { OwnReport } from '../core/report.ts';
import { mayRest } from '../core/rest.ts';
import { followed, initialState, wakeAtMs } from '../core/state.ts';
import { step } from '../core/step.ts';
import type { Action, Input, Target, TargetState } from '../core/types.ts';
import { processTitle } from '../core/watchdog-process.ts';
import { type Host, type HostEvent, isStopSignal, type Order } from '../host/host.ts';
import { explainNotStarted } from '../system/child.ts';
import type { Log } from '../system/log.ts';
import { type LookQuestion, observe } from '../system/look.ts';
import { marksFor, withCause } from './cause.ts';
import { type Memory, memoryWriter } from './memory.ts';

/** All that the brain works with. */
export interface BrainOptions {
  readonly memory: Memory;
  readonly question: LookQuestion;
  readonly host: Host;
  readonly log: Log;
  /** End as soon as it is up, has failed, or can't be told. */
  readonly isOnce: boolean;
}

/** What it came to: asked to stop, with `isOnce` how the target is, or that it sleeps until there is something to do. */
export type Outcome = 'stopped' | 'up' | 'down' | 'unknown' | 'rests';

/** A memory in which the watch has begun. */
interface Watch extends Memory {
  readonly state: TargetState;
}

/** Watches until told to stop, or until the host can do it alone for a while. */
export async function runBrain(options: BrainOptions): Promise<Outcome> {
  const { host, log, memory } = options;
  const { plan } = memory;
  const write = memoryWriter(plan);
  const titles = new Map<string, string>();
  let watch = memory.state === null ? begin(options) : (memory as Watch);

  for (;;) {
    if (!host.hasPending()) {
      watch = await advance(watch, { kind: 'time-passed' });
      log.flush();
      const outcome = options.isOnce ? outcomeOf(watch.state) : null;
      if (outcome !== null) return outcome;
      if (maySleep(watch)) {
        host.end(orderOf(watch), 'rest');
        return 'rests';
      }
      host.commit(orderOf(watch));
    }
    const event = await host.wait();
    if (event?.kind === 'signal' && isStopSignal(event.signal)) {
      log.report(farewell(watch.state, event.signal));
      host.end(orderOf(watch), 0);
      return 'stopped';
    }
    if (event?.kind === 'host-gone') {
      log.report(farewell(watch.state, 'the sentinel was killed'));
      return 'stopped';
    }
    if (event !== null) watch = await onEvent(watch, event);
  }

  function maySleep({ state }: Watch): boolean {
    const deadlineAtMs = earliest(wakeAtMs(state), log.retryAtMs());
    return host.mayRest && !host.hasPending() && mayRest(state, deadlineAtMs, plan.lingerMs, host.nowMs());
  }

  /** Worked out once for each word: a pattern may be long. */
  function titleOf(words: string): string {
    const known = titles.get(words);
    if (known !== undefined) return known;
    const title = processTitle(plan.name, words, (text) => options.question.selector.matches?.(text) !== true);
    titles.set(words, title);
    return title;
  }

  async function onEvent(before: Watch, event: HostEvent): Promise<Watch> {
    switch (event.kind) {
      case 'died': {
        const how = withCause(event.identity, event.how, before.oomMarks);
        return advance(before, { kind: 'died', identity: event.identity, how });
      }
      case 'unwatched':
        // It is said of the first; from then on all are looked at.
        if (before.isUnwatched) return before;
        log.report({
          kind: 'warning',
          text: `pid ${event.identity.pid} cannot be watched: ${event.why}; looking every interval instead`,
        });
        return lookNow({ ...before, isUnwatched: true });
      case 'child-started':
        return advance(before, { kind: 'recovery-started', identity: event.identity });
      case 'child-not-started': {
        const why = explainNotStarted(event, plan.recovery, plan.log.path ?? 'standard output');
        return advance(before, { kind: 'recovery-not-started', why });
      }
      case 'child-exited':
        return advance(before, { kind: 'recovery-exited', pid: event.pid, how: event.how });
      case 'signal':
        if (event.signal === 'SIGHUP' || event.signal === 'SIGUSR1') log.reopen();
        return event.signal === 'SIGUSR2' ? lookNow(before) : before;
      case 'lock':
      case 'host-gone':
        return before;
    }
  }

  async function lookNow(before: Watch): Promise<Watch> {
    return advance(before, { kind: 'observed', observation: await observe(options.question, followed(before.state)) });
  }

  /** Takes one input, and all that follows from it, into the state. */
  async function advance(before: Watch, input: Input): Promise<Watch> {
    const { state, actions } = step(targetOf(before), before.state, input, host.nowMs());
    const after = { ...before, state, oomMarks: marksFor(followed(state), before.oomMarks) };
    for (const action of actions) if (action.kind === 'report') log.report(action.report);
    if (actions.some(isDeed)) host.commit(orderOf(after, actions));
    return actions.some((action) => action.kind === 'look') ? lookNow(after) : after;
  }

  function targetOf({ isUnwatched }: Memory): Target {
    return { ...plan.target, deathsAreTold: host.tellsDeaths && !isUnwatched };
  }

  function orderOf(at: Watch, actions: readonly Action[] = []): Order {
    return {
      memory: () => write(at),
      title: titleOf(phaseWords(at.state)),
      watch: at.isUnwatched ? [] : followed(at.state),
      deadlineAtMs: earliest(wakeAtMs(at.state), log.retryAtMs()),
      starts: actions.flatMap((action) => (action.kind === 'start-recovery' ? [toStart(action)] : [])),
      signals: actions.flatMap((action) =>
        action.kind === 'stop-recovery' ? [{ pid: action.command.pid, signal: action.signal }] : [],
      ),
    };
  }

  function toStart({ attempt, cause }: Extract<Action, { kind: 'start-recovery' }>): Order['starts'][number] {
    const context = {
      WATCHDOG_TARGET: plan.target.name,
      WATCHDOG_CAUSE: cause,
      WATCHDOG_ATTEMPT: String(attempt),
      WATCHDOG_BY: String(host.pid),
    };
    const { cwd, set, unset } = plan.recovery;
    const spec = { command: plan.target.recover, cwd, set: { ...set, ...context }, unset, output: log.output() };
    return { id: attempt, spec };
  }
}

/** The state before the first look. */
function begin({ memory, host, log }: BrainOptions): Watch {
  const target: Target = { ...memory.plan.target, deathsAreTold: host.tellsDeaths };
  if (target.startDelayMs > 0) log.report({ kind: 'waiting', startDelayMs: target.startDelayMs });
  return { ...memory, state: initialState(target, memory.plan.seed, host.nowMs()) };
}

function isDeed(action: Action): boolean {
  return action.kind === 'start-recovery' || action.kind === 'stop-recovery';
}

/** The state in a few words, for the process table. */
function phaseWords({ blind, phase }: TargetState): string {
  if (blind !== null) return 'cannot look';
  switch (phase.kind) {
    case 'confirming':
      return 'gone';
    case 'backing-off':
      return 'backing off';
    default:
      return phase.kind;
  }
}

function farewell(state: TargetState, signal: string): OwnReport {
  const isUnderWay = state.phase.kind === 'recovering' || state.phase.kind === 'confirming';
  return { kind: 'stopped', why: signal, stillRuns: isUnderWay ? (state.command?.pid ?? null) : null };
}

function outcomeOf(state: TargetState): Outcome | null {
  if (state.blind !== null) return 'unknown';
  if (state.phase.kind === 'up') return 'up';
  return state.phase.kind === 'backing-off' ? 'down' : null;
}

function earliest(one: number | null, other: number | null): number | null {
  if (one === null) return other;
  return other === null ? one : Math.min(one, other);
}
