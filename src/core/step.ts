/**
 * The rules of one target.
 *
 * 1. Everything that decides whether to act is in this file, `sight.ts`, `transitions.ts` and `program.ts`.
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
import { diedWhileHeld, onAsked } from './operator.ts';
import { orphanDied, programEnded, programReplaced, programStarted } from './program.ts';
import { onSight } from './sight.ts';
import { followed, isSame, wakeAtMs } from './state.ts';
import { enterConfirming, fail, lookAgain, patienceMs, report } from './transitions.ts';
import type { Death, Identity, Input, Observation, Phase, Step, Target, TargetState } from './types.ts';

/** Between looks while something is going on and we could not look. */
const BLIND_LOOK_MS = 250;
/** While a target is in one of these, something is going on. */
const URGENT: readonly Phase['kind'][] = ['confirming', 'recovering', 'settling', 'stopping', 'ending'];

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
      return onRecoveryStarted(target, state, input.identity, nowMs);
    case 'recovery-exited':
      return onRecoveryExited(target, state, input.pid, input.how, nowMs);
    case 'orphan-died':
      return orphanDied(target, state, input, nowMs);
    case 'recovery-not-started':
      return onRecoveryNotStarted(target, state, input.why, nowMs);
    case 'replaced':
      return programReplaced(state, input.identity);
    case 'asked':
      return onAsked(state, input.order, nowMs);
    case 'unblocked':
      return state.phase.kind === 'waiting' ? lookAgain(state, nowMs) : { state, actions: [] };
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
  const isUrgent = URGENT.some((one) => one === kind);
  const pauseMs = isUrgent ? Math.min(BLIND_LOOK_MS, target.intervalMs) : target.intervalMs;
  return {
    state: { ...state, blind: why, phase: { ...state.phase, lookAtMs: nowMs + pauseMs } },
    actions: state.blind === null ? [report({ kind: 'blind', why })] : [],
  };
}

function onDied(target: Target, state: TargetState, identity: Identity, how: Death, nowMs: number): Step {
  const { phase } = state;
  const seen = followed(state).find((one) => isSame(one, identity));
  if (seen === undefined) return { state, actions: [] };
  if (target.program !== null && (phase.kind === 'up' || phase.kind === 'settling')) {
    return programEnded(target, state, phase, { seen, how, toldBy: 'kernel' }, nowMs);
  }
  if (phase.kind === 'up') return enterConfirming(target, state, phase, [{ seen, how, toldBy: 'kernel' }], nowMs);
  if (phase.kind === 'paused' || phase.kind === 'stopped') return diedWhileHeld(state, phase, seen, how);
  if (phase.kind === 'stopping') return lookAgain(state, nowMs);
  if (phase.kind !== 'settling') return { state, actions: [] };
  const loss = { seen, how, toldBy: 'kernel' as const, livedMs: nowMs - phase.seenAtMs };
  return lookAgain({ ...state, phase: { ...phase, loss } }, nowMs);
}

function onRecoveryStarted(target: Target, state: TargetState, identity: Identity, nowMs: number): Step {
  const next: TargetState = { ...state, command: { ...identity, stopping: null } };
  return target.program === null ? { state: next, actions: [] } : programStarted(target, next, identity, nowMs);
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
    case 'stopping':
    case 'ending':
      return lookAgain(ended, nowMs);
    case 'exited':
    case 'looking':
    case 'backing-off':
    case 'waiting':
    case 'paused':
    case 'stopped':
      return { state: ended, actions: [] };
  }
}

/** The state once the command has ended, with how noted where an attempt is under way. */
function withoutCommand(state: TargetState, how: Death, nowMs: number): TargetState {
  const { command, phase } = state;
  if (phase.kind !== 'recovering' && phase.kind !== 'settling') return { ...state, command: null };
  if (command === null) return state;
  const exited = { pid: command.pid, atMs: nowMs, how, wasStopped: command.stopping !== null };
  return { ...state, command: null, phase: { ...phase, exited } };
}
