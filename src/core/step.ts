/**
 * The rules of one target.
 *
 * 1. Everything that decides whether to act is in this file and in `transitions.ts`.
 *    Whoever looks and acts is told what to do, and tells what came of it.
 * 2. Nothing here knows the time, the platform or the options: all is handed in.
 * 3. A target is in exactly one phase. Beside the phase there are only facts that
 *    outlive it: the recovery's process, the failures in a row, whether we can see.
 * 4. Every pair of phase and input is answered; the compiler checks it.
 * 5. Nothing is decided by a clock alone. When a moment has come, a look is asked
 *    for, and only what that look says decides: so neither a stopped machine nor a
 *    late timer can start anything that isn't needed.
 * 6. `unknown` changes no phase. It is reported once, and looked again.
 */
import { isCrash, readShellStatus } from './death.ts';
import {
  enterConfirming,
  enterSettling,
  enterUp,
  fail,
  isSame,
  lookAgain,
  patienceMs,
  report,
  returnToRecovering,
  startRecovery,
  UNKNOWN_END,
  waitInVain,
} from './transitions.ts';
import type {
  Death,
  Identity,
  Input,
  Loss,
  Observation,
  PhaseOf,
  Seen,
  Sight,
  Step,
  Target,
  TargetState,
} from './types.ts';

/** Between the two looks that must both miss a target that was never seen. */
export const SECOND_LOOK_MS = 250;
/** Between looks while a target may come back by itself. */
export const CONFIRM_LOOK_MS = 100;
/** Between looks while something is going on and we could not look. */
export const BLIND_LOOK_MS = 250;

/** The state before anything is known. `seed` makes this target's jitter its own. */
export function initialState(target: Target, seed: number, nowMs: number): TargetState {
  return {
    phase: { kind: 'looking', absentAtMs: null, lookAtMs: nowMs + target.startDelayMs },
    command: null,
    failures: 0,
    blind: null,
    seed,
  };
}

/** The processes whose death must be told: none while there is nothing to follow. */
export function followed(state: TargetState): readonly Seen[] {
  return state.phase.kind === 'up' || state.phase.kind === 'settling' ? state.phase.followed : [];
}

/** When to step again with `time-passed`; `null` when only an event can change anything. */
export function wakeAtMs(state: TargetState): number | null {
  return state.phase.lookAtMs;
}

/** One thing happened: what is so now, and what is to be done. */
export function step(target: Target, state: TargetState, input: Input, nowMs: number): Step {
  switch (input.kind) {
    case 'time-passed':
      return isDue(state, nowMs) ? { state, actions: [{ kind: 'look' }] } : { state, actions: [] };
    case 'observed':
      return onObserved(target, state, input.observation, nowMs);
    case 'died':
      return onDied(target, state, input.identity, input.how, nowMs);
    case 'recovery-started':
      return onRecoveryStarted(state, input.identity, nowMs);
    case 'recovery-exited':
      return onRecoveryExited(target, state, input.pid, input.how, nowMs);
    case 'recovery-not-started':
      return onRecoveryNotStarted(target, state, input.why, nowMs);
  }
}

function isDue(state: TargetState, nowMs: number): boolean {
  const dueAtMs = wakeAtMs(state);
  return dueAtMs !== null && nowMs >= dueAtMs;
}

function onObserved(target: Target, state: TargetState, observation: Observation, nowMs: number): Step {
  if (observation.kind === 'unknown') return whenBlind(target, state, observation.why, nowMs);
  const next = onSight(target, { ...state, blind: null }, observation, nowMs);
  if (state.blind === null) return next;
  return { state: next.state, actions: [report({ kind: 'sighted' }), ...next.actions] };
}

function whenBlind(target: Target, state: TargetState, why: string, nowMs: number): Step {
  const { kind } = state.phase;
  const isUrgent = kind === 'confirming' || kind === 'recovering' || kind === 'settling';
  const pauseMs = isUrgent ? Math.min(BLIND_LOOK_MS, target.intervalMs) : target.intervalMs;
  return {
    state: { ...state, blind: why, phase: { ...state.phase, lookAtMs: nowMs + pauseMs } },
    actions: state.blind === why ? [] : [report({ kind: 'blind', why })],
  };
}

function onSight(target: Target, state: TargetState, sight: Sight, nowMs: number): Step {
  const { phase } = state;
  switch (phase.kind) {
    case 'looking':
      return whenLooking(target, state, phase, sight, nowMs);
    case 'up':
      return whenUp(target, state, phase, sight, nowMs);
    case 'confirming':
      return whenConfirming(target, state, phase, sight, nowMs);
    case 'recovering':
      return sight.kind === 'present'
        ? enterSettling(target, state, phase, sight.seen, nowMs)
        : waitInVain(target, state, phase, sight, nowMs);
    case 'settling':
      return whenSettling(target, state, phase, sight, nowMs);
    case 'backing-off':
      return whenBackingOff(target, state, phase, sight, nowMs);
  }
}

function whenLooking(target: Target, state: TargetState, phase: PhaseOf<'looking'>, sight: Sight, nowMs: number): Step {
  const { absentAtMs } = phase;
  if (absentAtMs === null) {
    const next: TargetState =
      sight.kind === 'present'
        ? enterUp(target, state, sight.seen, nowMs, nowMs)
        : { ...state, phase: { ...phase, absentAtMs: nowMs, lookAtMs: nowMs + SECOND_LOOK_MS } };
    return { state: next, actions: [report({ kind: 'watching', sight })] };
  }
  if (sight.kind === 'present') return comeBack(target, state, sight.seen, nowMs - absentAtMs, nowMs);
  if (nowMs >= absentAtMs + SECOND_LOOK_MS) return startRecovery(target, state, 'missing', nowMs);
  return { state: { ...state, phase: { ...phase, lookAtMs: absentAtMs + SECOND_LOOK_MS } }, actions: [] };
}

function whenUp(target: Target, state: TargetState, phase: PhaseOf<'up'>, sight: Sight, nowMs: number): Step {
  const lost = without(phase.followed, sight.seen);
  const end = phase.commandEnd === null ? UNKNOWN_END : { how: phase.commandEnd, toldBy: 'shell' as const };
  const losses: Loss[] = lost.map((seen) => ({ seen, ...end }));
  if (sight.kind === 'absent') return enterConfirming(target, state, phase, losses, nowMs);
  const next = enterUp(target, state, sight.seen, phase.sinceMs, nowMs);
  if (losses.length === 0) return { state: next, actions: [] };
  const seen = without(followed(next), phase.followed);
  return { state: next, actions: [report({ kind: 'replaced', losses, seen })] };
}

function whenConfirming(
  target: Target,
  state: TargetState,
  phase: PhaseOf<'confirming'>,
  sight: Sight,
  nowMs: number,
): Step {
  if (sight.kind === 'present') return comeBack(target, state, sight.seen, nowMs - phase.goneAtMs, nowMs);
  if (nowMs >= phase.dueAtMs) return startRecovery(target, state, 'gone', nowMs);
  const lookAtMs = Math.min(phase.dueAtMs, nowMs + CONFIRM_LOOK_MS);
  return { state: { ...state, phase: { ...phase, lookAtMs } }, actions: [] };
}

function whenSettling(
  target: Target,
  state: TargetState,
  phase: PhaseOf<'settling'>,
  sight: Sight,
  nowMs: number,
): Step {
  if (sight.kind === 'absent') return returnToRecovering(target, state, phase, nowMs);
  const hasLost = without(phase.followed, sight.seen).length > 0;
  if (hasLost) return enterSettling(target, state, { ...phase, loss: null }, sight.seen, nowMs);
  if (nowMs < phase.dueAtMs) {
    return { state: { ...state, phase: { ...phase, lookAtMs: phase.dueAtMs } }, actions: [] };
  }
  const afterMs = phase.seenAtMs - phase.startedAtMs;
  const recovered = report({ kind: 'recovered', seen: phase.followed, afterMs, attempt: state.failures + 1 });
  return { state: enterUp(target, state, sight.seen, phase.seenAtMs, nowMs), actions: [recovered] };
}

function whenBackingOff(
  target: Target,
  state: TargetState,
  phase: PhaseOf<'backing-off'>,
  sight: Sight,
  nowMs: number,
): Step {
  if (sight.kind === 'present') return comeBack(target, state, sight.seen, null, nowMs);
  if (nowMs >= phase.dueAtMs) return startRecovery(target, state, 'retry', nowMs);
  const lookAtMs = Math.min(phase.dueAtMs, nowMs + target.intervalMs);
  return { state: { ...state, phase: { ...phase, lookAtMs } }, actions: [] };
}

/** It is there again, and not by our doing. */
function comeBack(
  target: Target,
  state: TargetState,
  seen: readonly Seen[],
  afterMs: number | null,
  nowMs: number,
): Step {
  return {
    state: enterUp(target, state, seen, nowMs, nowMs),
    actions: [report({ kind: 'came-back', seen: seen.slice(0, target.min), afterMs })],
  };
}

function onDied(target: Target, state: TargetState, identity: Identity, how: Death, nowMs: number): Step {
  const { phase } = state;
  const seen = followed(state).find((one) => isSame(one, identity));
  if (seen === undefined) return { state, actions: [] };
  if (phase.kind === 'up') return enterConfirming(target, state, phase, [{ seen, how, toldBy: 'kernel' }], nowMs);
  if (phase.kind !== 'settling') return { state, actions: [] };
  const loss = { seen, how, toldBy: 'kernel' as const, livedMs: nowMs - phase.seenAtMs };
  return lookAgain({ ...state, phase: { ...phase, loss } }, nowMs);
}

function onRecoveryStarted(state: TargetState, identity: Identity, nowMs: number): Step {
  return { state: { ...state, command: { ...identity, startedAtMs: nowMs, stopping: null } }, actions: [] };
}

function onRecoveryNotStarted(target: Target, state: TargetState, why: string, nowMs: number): Step {
  if (state.phase.kind !== 'recovering') return { state, actions: [] };
  return fail(target, state, { kind: 'not-started', why }, nowMs);
}

/**
 * The command ended. That says nothing of the target, unless the command *was* the
 * target, or the shell around it: so it is a reason to look, and where the target is
 * gone too, the best word there is on how it went.
 */
function onRecoveryExited(target: Target, state: TargetState, pid: number, how: Death, nowMs: number): Step {
  const { command, phase } = state;
  if (command === null || command.pid !== pid) return { state, actions: [] };
  if (followed(state).some((one) => isSame(one, command))) {
    return onDied(target, withoutCommand(state, how, nowMs), command, how, nowMs);
  }
  const ended = withoutCommand(state, how, nowMs);
  switch (phase.kind) {
    case 'recovering': {
      const failAtMs = nowMs + (command.stopping === null ? patienceMs(target, how) : 0);
      return lookAgain({ ...ended, phase: { ...(ended.phase as typeof phase), failAtMs } }, nowMs);
    }
    case 'up':
      return lookAgain({ ...ended, phase: { ...phase, commandEnd: readShellStatus(how) } }, nowMs);
    case 'confirming': {
      const isUrgent = command.stopping !== null || isCrash(readShellStatus(how));
      return lookAgain({ ...ended, phase: { ...phase, dueAtMs: isUrgent ? nowMs : phase.dueAtMs } }, nowMs);
    }
    case 'settling':
      return lookAgain(ended, nowMs);
    case 'looking':
    case 'backing-off':
      return { state: ended, actions: [] };
  }
}

/** The state once the command has ended, with how noted where an attempt is under way. */
function withoutCommand(state: TargetState, how: Death, nowMs: number): TargetState {
  const { command, phase } = state;
  if (phase.kind !== 'recovering' && phase.kind !== 'settling') return { ...state, command: null };
  const exited = { atMs: nowMs, how, wasStopped: command !== null && command.stopping !== null };
  return { ...state, command: null, phase: { ...phase, exited } };
}

/** Those of `some` that are not among `others`. */
function without(some: readonly Seen[], others: readonly Seen[]): Seen[] {
  return some.filter((one) => !others.some((other) => isSame(one, other)));
}
