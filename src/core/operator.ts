/**
 * What an operator asks of a target: to be left alone for a while, to be ended, to be
 * brought back now. Whatever was under way gives way to it.
 */
import { PRESSURE_LOOK_MS, pressHarder, toSignal } from './pressure.ts';
import { groupOf, toBeEnded } from './program.ts';
import { followed, isSame } from './state.ts';
import { endCommand, lookAgain, report, startRecovery } from './transitions.ts';
import type {
  Action,
  Death,
  Identity,
  OperatorOrder,
  Phase,
  PhaseOf,
  Seen,
  Sight,
  Step,
  Target,
  TargetState,
} from './types.ts';

/** How long a recovery may still run once the target is gone that it was around. */
const COMMAND_GRACE_MS = 1_000;

/** Why an order makes no sense now, as a sentence about the target; `null` if it does. */
export function whyIdle({ phase }: TargetState, { verb }: OperatorOrder): string | null {
  const isOver = phase.kind === 'exited';
  const isHeld = phase.kind === 'paused' || phase.kind === 'stopped';
  switch (verb) {
    case 'pause':
    case 'restart':
    case 'leave':
      return null;
    case 'stop':
      return phase.kind === 'stopped' ? 'is stopped already' : null;
    case 'resume':
      return isHeld || isOver ? null : 'is neither paused nor stopped';
    case 'start':
      return phase.kind === 'up' || phase.kind === 'settling' ? 'is up already' : null;
    case 'recover':
      if (isHeld) return `is ${phase.kind}; resume it first`;
      return phase.kind === 'up' || phase.kind === 'settling' ? 'is up; restart it to have a new one' : null;
  }
}

/** Goes on as the operator wants it. An order that makes no sense changes nothing. */
export function onAsked(state: TargetState, order: OperatorOrder, nowMs: number): Step {
  if (whyIdle(state, order) !== null) return { state, actions: [] };
  switch (order.verb) {
    case 'pause':
      return pause(state, order.forMs, order.reason, nowMs);
    case 'resume':
      return resume(state, 'asked', nowMs);
    case 'start':
    case 'recover':
      return hurry(state, nowMs);
    case 'stop':
      return stop(state, 'stopped', nowMs);
    case 'restart':
      return stop(state, 'recover', nowMs);
    case 'leave':
      return stop(state, 'leave', nowMs);
  }
}

function pause(state: TargetState, forMs: number | null, reason: string | null, nowMs: number): Step {
  const untilAtMs = forMs === null ? null : nowMs + forMs;
  const phase: Phase = { kind: 'paused', followed: followed(state), untilAtMs, reason, lookAtMs: untilAtMs };
  return { state: { ...state, phase }, actions: [report({ kind: 'paused', forMs, reason })] };
}

/** From here on it is looked for as if for the first time. */
export function resume(state: TargetState, why: 'asked' | 'time', nowMs: number): Step {
  const phase: Phase = { kind: 'looking', absentAtMs: null, lookAtMs: nowMs };
  return { state: { ...state, failures: 0, phase }, actions: [report({ kind: 'resumed', why }), { kind: 'look' }] };
}

/** No further waiting: a look that finds nothing is enough. */
function hurry(state: TargetState, nowMs: number): Step {
  const { phase } = state;
  switch (phase.kind) {
    case 'paused':
    case 'stopped':
    case 'exited':
      return resume(state, 'asked', nowMs);
    case 'confirming':
    case 'backing-off':
      return lookAgain({ ...state, phase: { ...phase, dueAtMs: nowMs } }, nowMs);
    case 'stopping':
      return { state: { ...state, phase: { ...phase, next: 'recover' } }, actions: [] };
    case 'ending':
      return lookAgain({ ...state, phase: { ...phase, isWanted: true } }, nowMs);
    default:
      return lookAgain(state, nowMs);
  }
}

/**
 * First of all it is seen who there is. A recovery that has not brought the target yet
 * would undo it, and is ended; where the target is there, the recovery may be the target
 * itself, or the shell around it, and ends with it in the way that was asked for.
 */
function stop(state: TargetState, next: PhaseOf<'stopping'>['next'], nowMs: number): Step {
  const hasTarget = followed(state).length > 0;
  const ending = hasTarget ? { state, actions: [], waitMs: null } : endCommand(state, 'the target is to be stopped');
  const phase: Phase = {
    kind: 'stopping',
    followed: followed(state),
    sent: null,
    told: [],
    next,
    dueAtMs: nowMs,
    commandDueAtMs: ending.waitMs === null ? null : nowMs + ending.waitMs,
    lookAtMs: nowMs,
  };
  return { state: { ...ending.state, phase }, actions: [...ending.actions, { kind: 'look' }] };
}

/** The pause is over when its time has come; what is seen before changes nothing. */
export function whenPaused(state: TargetState, phase: PhaseOf<'paused'>, sight: Sight, nowMs: number): Step {
  if (phase.untilAtMs !== null && nowMs >= phase.untilAtMs) return resume(state, 'time', nowMs);
  return { state: { ...state, phase: { ...phase, followed: sight.seen, lookAtMs: phase.untilAtMs } }, actions: [] };
}

/** Someone who was followed has ended in a pause, or although it should not have been there. */
export function diedWhileHeld(state: TargetState, phase: PhaseOf<'paused' | 'stopped'>, seen: Seen, how: Death): Step {
  const loss = { seen, how, toldBy: 'kernel' as const };
  return {
    state: { ...state, phase: { ...phase, followed: phase.followed.filter((one) => one !== seen) } },
    actions: [report({ kind: 'gone-while-paused', loss })],
  };
}

/** One step further in ending whoever is there. */
export function whenStopping(
  target: Target,
  state: TargetState,
  phase: PhaseOf<'stopping'>,
  sight: Sight,
  nowMs: number,
): Step {
  const left = toBeEnded(target, sight, phase.followed);
  if (left.length === 0) return nobodyLeft(target, state, phase, nowMs);
  const wait = (sent: PhaseOf<'stopping'>['sent'], dueAtMs: number, lookMs: number): TargetState => ({
    ...state,
    phase: { ...phase, followed: left, sent, dueAtMs, lookAtMs: Math.min(dueAtMs, nowMs + lookMs) },
  });
  if (nowMs < phase.dueAtMs) {
    const next = wait(phase.sent, phase.dueAtMs, PRESSURE_LOOK_MS);
    const untold = phase.sent === 'signal' && !left.some((one) => isAmong(one, phase.told)) ? left : [];
    if (untold.length === 0) return { state: next, actions: [] };
    // Those have ended that were asked first; these have run elsewhere, or come since.
    return { state: withTold(next, untold), actions: [toSignal(untold, target.stop.signal)] };
  }
  if (phase.sent !== null) {
    const { actions, lookMs, sent, waitMs } = pressHarder(phase.sent, left);
    return { state: wait(sent, nowMs + waitMs, lookMs), actions };
  }
  const { command, signal, timeoutMs } = target.stop;
  const by = command ?? `SIG${signal}`;
  const first = groupOf(left, phase.followed, sight);
  const deed: Action = command === null ? toSignal(first, signal) : { kind: 'start-stop' };
  const next = wait(command === null ? 'signal' : 'command', nowMs + timeoutMs, PRESSURE_LOOK_MS);
  return {
    state: command === null ? withTold(next, first) : next,
    actions: [report({ kind: 'stopping', seen: left, by, isLeaving: phase.next === 'leave' }), deed],
  };
}

function isAmong(one: Identity, others: readonly Identity[]): boolean {
  return others.some((other) => isSame(one, other));
}

function withTold(state: TargetState, told: readonly Identity[]): TargetState {
  const identities = told.map(({ pid, startTime }) => ({ pid, startTime }));
  return state.phase.kind === 'stopping' ? { ...state, phase: { ...state.phase, told: identities } } : state;
}

/** Who is being ended has had its time. */
export function hurryStop(state: TargetState, nowMs: number): TargetState {
  if (state.phase.kind !== 'stopping') return state;
  return { ...state, phase: { ...state.phase, dueAtMs: nowMs, lookAtMs: nowMs } };
}

function nobodyLeft(target: Target, state: TargetState, phase: PhaseOf<'stopping'>, nowMs: number): Step {
  if (state.command !== null) return waitForCommand(state, phase, nowMs);
  const said = report({ kind: 'stopped-target', next: phase.next });
  if (phase.next !== 'recover') {
    const left = phase.next === 'leave' ? ({ isLeft: true } as const) : {};
    return {
      state: { ...state, failures: 0, phase: { kind: 'stopped', followed: [], ...left, lookAtMs: null } },
      actions: [said],
    };
  }
  const next = startRecovery(target, { ...state, failures: 0 }, 'asked', nowMs);
  return { state: next.state, actions: [said, ...next.actions] };
}

/** The recovery would start the target again, as long as it runs. */
function waitForCommand(state: TargetState, phase: PhaseOf<'stopping'>, nowMs: number): Step {
  const commandDueAtMs = phase.commandDueAtMs ?? nowMs + COMMAND_GRACE_MS;
  const isDue = nowMs >= commandDueAtMs;
  const ending = isDue ? endCommand(state, 'the target is to be stopped') : { state, actions: [], waitMs: 0 };
  const waiting: Phase = {
    ...phase,
    followed: [],
    sent: null,
    commandDueAtMs: isDue ? nowMs + ending.waitMs : commandDueAtMs,
    dueAtMs: nowMs,
    lookAtMs: nowMs + PRESSURE_LOOK_MS,
  };
  return { state: { ...ending.state, phase: waiting }, actions: ending.actions };
}
