/**
 * The loop: wait for something to happen, let the rules decide, store what they say,
 * then do it. Nothing is done inside an event's handler, and nothing is decided here.
 */
import type { OwnReport } from './core/report.ts';
import { followed, initialState, wakeAtMs } from './core/state.ts';
import { step } from './core/step.ts';
import type { Action, Input, Target, TargetState } from './core/types.ts';
import type { Host, HostEvent } from './host/host.ts';
import { type ChildSpec, signalGroup } from './system/child.ts';
import { monotonicMs } from './system/clock.ts';
import type { Log } from './system/log.ts';
import { type LookQuestion, observe } from './system/look.ts';

/** All that the brain works with. */
export interface BrainOptions {
  readonly target: Target;
  readonly question: LookQuestion;
  readonly recovery: RecoverySettings;
  readonly host: Host;
  readonly log: Log;
  /** End as soon as it is up, has failed, or can't be told. */
  readonly isOnce: boolean;
  readonly seed: number;
}

/** What a recovery is started with, apart from what differs from one to the next. */
export type RecoverySettings = Omit<ChildSpec, 'output'>;

/** What it came to: asked to stop, or with `isOnce` how the target is. */
export type Outcome = 'stopped' | 'up' | 'down' | 'unknown';

/** Watches until told to stop. */
export async function runBrain(options: BrainOptions): Promise<Outcome> {
  const { host, log, target } = options;
  let state = initialState(target, options.seed, monotonicMs());
  if (target.startDelayMs > 0) log.report({ kind: 'waiting', startDelayMs: target.startDelayMs });
  for (;;) {
    const events = await host.wait(earliest(wakeAtMs(state), log.retryAtMs()));
    const asked = events.find((event) => event.kind === 'signal' && isStop(event.signal));
    if (asked?.kind === 'signal') {
      log.report(farewell(state, asked.signal));
      return 'stopped';
    }
    log.flush();
    for (const event of events) state = await onEvent(options, state, event);
    state = await advance(options, state, { kind: 'time-passed' });
    const outcome = options.isOnce ? outcomeOf(state) : null;
    if (outcome !== null) return outcome;
  }
}

async function onEvent(options: BrainOptions, state: TargetState, event: HostEvent): Promise<TargetState> {
  switch (event.kind) {
    case 'died':
      return advance(options, state, { kind: 'died', identity: event.identity, how: event.how });
    case 'child-exited':
      return advance(options, state, { kind: 'recovery-exited', pid: event.pid, how: event.how });
    case 'signal':
      if (event.signal === 'SIGHUP') options.log.reopen();
      if (event.signal !== 'SIGUSR2') return state;
      return advance(options, state, { kind: 'observed', observation: await look(options, state) });
  }
}

/** Takes one input, and all that follows from it, into the state. */
async function advance(options: BrainOptions, before: TargetState, input: Input): Promise<TargetState> {
  const { state, actions } = step(options.target, before, input, monotonicMs());
  options.host.store(JSON.stringify(state));
  let after = state;
  for (const action of actions) {
    const outcome = await carryOut(options, after, action);
    if (outcome !== null) after = await advance(options, after, outcome);
  }
  options.host.watch(followed(after));
  return after;
}

/** Does one thing. What came of it, where the rules want to know. */
async function carryOut(options: BrainOptions, state: TargetState, action: Action): Promise<Input | null> {
  switch (action.kind) {
    case 'report':
      options.log.report(action.report);
      return null;
    case 'look':
      return { kind: 'observed', observation: await look(options, state) };
    case 'start-recovery':
      return startRecovery(options, action.attempt, action.cause);
    case 'stop-recovery':
      signalGroup(action.command.pid, action.signal);
      return null;
  }
}

function look(options: BrainOptions, state: TargetState) {
  return observe(options.question, followed(state));
}

async function startRecovery(
  { host, log, recovery, target }: BrainOptions,
  attempt: number,
  cause: string,
): Promise<Input> {
  const context = {
    WATCHDOG_TARGET: target.name,
    WATCHDOG_CAUSE: cause,
    WATCHDOG_ATTEMPT: String(attempt),
    WATCHDOG_BY: String(process.pid),
  };
  const started = await host.start({
    ...recovery,
    env: { ...recovery.env, ...context },
    output: log.outputDescriptor(),
  });
  return started.kind === 'started'
    ? { kind: 'recovery-started', identity: started.identity }
    : { kind: 'recovery-not-started', why: started.why };
}

function isStop(signal: string): boolean {
  return signal === 'SIGTERM' || signal === 'SIGINT' || signal === 'SIGQUIT';
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
