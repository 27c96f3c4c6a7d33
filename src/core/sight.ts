/** What a look that did see means, in each phase: the first half of the rules whose other half is `step.ts`. */
import { whenPaused, whenStopping } from './operator.ts';
import { programEnded, whenEnding } from './program.ts';
import { followed, without } from './state.ts';
import {
  enterConfirming,
  enterSettling,
  enterUp,
  report,
  resumeRecovery,
  returnToRecovering,
  startRecovery,
  UNKNOWN_END,
  waitInVain,
} from './transitions.ts';
import type { Loss, PhaseOf, Seen, Sight, Step, Target, TargetState } from './types.ts';

/** Between the two looks that must both miss a target that was never seen. */
const SECOND_LOOK_MS = 250;
/** Between looks while a target may come back by itself. */
const CONFIRM_LOOK_MS = 100;
/** How long the host may take to tell of an end that a look has shown already. */
const WORD_MS = 250;

/** Goes on from what was seen. */
export function onSight(target: Target, state: TargetState, sight: Sight, nowMs: number): Step {
  const surplus = target.max === null ? 0 : Math.max(0, sight.seen.length - target.max);
  const next = goOn(target, { ...state, surplus }, sight, nowMs);
  if (surplus > 0 === state.surplus > 0) return next;
  const seen = sight.seen.length;
  const change =
    surplus > 0
      ? report({ kind: 'too-many', seen, max: target.max as number })
      : report({ kind: 'no-longer-too-many', seen });
  return { state: next.state, actions: [...next.actions, change] };
}

function goOn(target: Target, state: TargetState, sight: Sight, nowMs: number): Step {
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
    case 'waiting':
      return whenWaiting(target, state, phase, sight, nowMs);
    case 'paused':
      return whenPaused(state, phase, sight, nowMs);
    case 'stopping':
      return whenStopping(target, state, phase, sight, nowMs);
    case 'stopped':
      return { state: { ...state, phase: { ...phase, followed: sight.seen, lookAtMs: null } }, actions: [] };
    case 'ending':
      return whenEnding(target, state, phase, sight, nowMs);
    case 'exited':
      if (sight.kind === 'present') return comeBack(target, state, sight.seen, null, nowMs);
      return { state: { ...state, phase: { ...phase, lookAtMs: null } }, actions: [] };
  }
}

function whenLooking(target: Target, state: TargetState, phase: PhaseOf<'looking'>, sight: Sight, nowMs: number): Step {
  const { absentAtMs } = phase;
  if (target.program !== null && sight.kind === 'absent') return beginProgram(target, state, phase, nowMs);
  if (absentAtMs === null && sight.kind === 'absent' && state.command !== null) {
    // A recovery is under way that somebody before us has started.
    return { state: resumeRecovery(target, state, nowMs), actions: [report({ kind: 'watching', sight })] };
  }
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

/** Nobody else starts it: one look is enough. */
function beginProgram(target: Target, state: TargetState, { isHeld }: PhaseOf<'looking'>, nowMs: number): Step {
  if (isHeld !== true) return startRecovery(target, state, 'start', nowMs);
  const stopped: TargetState = { ...state, phase: { kind: 'stopped', followed: [], lookAtMs: null } };
  return { state: stopped, actions: [report({ kind: 'not-autostarted' })] };
}

function whenUp(target: Target, state: TargetState, phase: PhaseOf<'up'>, sight: Sight, nowMs: number): Step {
  const lost = without(phase.followed, sight.seen);
  if (target.program !== null) return whenProgramUp(target, state, phase, lost, nowMs);
  const end = phase.commandEnd === null ? UNKNOWN_END : { how: phase.commandEnd, toldBy: 'shell' as const };
  const losses: Loss[] = lost.map((seen) => ({ seen, ...end }));
  if (sight.kind === 'absent') return enterConfirming(target, state, phase, losses, nowMs);
  const next = enterUp(target, state, sight.seen, phase.sinceMs, nowMs);
  if (losses.length === 0) return { state: next, actions: [] };
  const seen = without(followed(next), phase.followed);
  return { state: next, actions: [report({ kind: 'replaced', losses, seen })] };
}

/** How it ended is told in a moment; where nobody tells it, it isn't known. */
function whenProgramUp(
  target: Target,
  state: TargetState,
  phase: PhaseOf<'up'>,
  lost: readonly Seen[],
  nowMs: number,
): Step {
  const [seen] = lost;
  if (seen !== undefined && !target.deathsAreTold)
    return programEnded(target, state, phase, { seen, ...UNKNOWN_END }, nowMs);
  const lookAtMs = target.deathsAreTold ? null : nowMs + target.intervalMs;
  return { state: { ...state, phase: { ...phase, lookAtMs } }, actions: [] };
}

function whenConfirming(
  target: Target,
  state: TargetState,
  phase: PhaseOf<'confirming'>,
  sight: Sight,
  nowMs: number,
): Step {
  if (sight.kind === 'present') return comeBack(target, state, sight.seen, nowMs - phase.goneAtMs, nowMs);
  // After a crash one look decides, unless it can't be relied on: then it is confirmed like any other end.
  const dueAtMs =
    sight.isUnsteady === true ? Math.max(phase.dueAtMs, phase.goneAtMs + target.confirmMs) : phase.dueAtMs;
  if (nowMs >= dueAtMs) return startRecovery(target, state, 'gone', nowMs);
  const lookAtMs = Math.min(dueAtMs, nowMs + CONFIRM_LOOK_MS);
  return { state: { ...state, phase: { ...phase, lookAtMs } }, actions: [] };
}

function whenSettling(
  target: Target,
  state: TargetState,
  phase: PhaseOf<'settling'>,
  sight: Sight,
  nowMs: number,
): Step {
  const hasLost = without(phase.followed, sight.seen).length > 0;
  if (hasLost && target.program !== null && target.deathsAreTold) return waitForWord(state, phase, nowMs);
  if (sight.kind === 'absent') return returnToRecovering(target, state, phase, nowMs);
  if (hasLost) return enterSettling(target, state, { ...phase, loss: null }, sight.seen, nowMs);
  if (nowMs < phase.dueAtMs) {
    return { state: { ...state, phase: { ...phase, lookAtMs: phase.dueAtMs } }, actions: [] };
  }
  const afterMs = phase.seenAtMs - phase.startedAtMs;
  const recovered = report({ kind: 'recovered', seen: phase.followed, afterMs, attempt: state.failures + 1 });
  return { state: enterUp(target, state, sight.seen, phase.seenAtMs, nowMs), actions: [recovered] };
}

/** A program of ours is gone, and the host is about to tell how it ended. */
function waitForWord(state: TargetState, phase: PhaseOf<'settling'>, nowMs: number): Step {
  return { state: { ...state, phase: { ...phase, lookAtMs: nowMs + WORD_MS } }, actions: [] };
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

function whenWaiting(target: Target, state: TargetState, phase: PhaseOf<'waiting'>, sight: Sight, nowMs: number): Step {
  if (sight.kind === 'present') return comeBack(target, state, sight.seen, null, nowMs);
  return startRecovery(target, state, phase.cause, nowMs);
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
