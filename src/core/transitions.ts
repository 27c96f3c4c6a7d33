/**
 * The ways from one phase into another. `step.ts` and `sight.ts` say when; here is what it takes:
 * the new phase, and all that has to be done and told with it.
 */
import { delayMs, nextRandom, reachesCap } from './backoff.ts';
import { isCommandTrouble, isCrash, isSuccess } from './death.ts';
import type {
  Absence,
  Action,
  Attempt,
  Death,
  FailureReason,
  Loss,
  Phase,
  PhaseOf,
  Report,
  Seen,
  Step,
  Target,
  TargetState,
} from './types.ts';

/** After so long up, earlier failures are forgotten. */
export const STABLE_MS = 60_000;
/** How long a recovery has to end after TERM, and then after KILL. */
const STOP_GRACE_MS = { TERM: 10_000, KILL: 5_000 } as const;
/** Who ends within so long of the recovery's command was a part of it, and not what it started. */
const STARTER_SLACK_MS = 500;
/** How often a target is counted that has a maximum: of one more of it nobody is told. */
const SURPLUS_LOOK_MS = 60_000;
/** How somebody ended of whom nobody could tell. */
export const UNKNOWN_END = { how: { kind: 'unknown' }, toldBy: 'kernel' } as const;

export function report(what: Report): Action {
  return { kind: 'report', report: what };
}

/** Looks at once, whatever was planned. */
export function lookAgain(state: TargetState, nowMs: number): Step {
  return { state: { ...state, phase: { ...state.phase, lookAtMs: nowMs } }, actions: [{ kind: 'look' }] };
}

/** It is there. `sinceMs` is when it was first seen in this life. */
export function enterUp(
  target: Target,
  state: TargetState,
  seen: readonly Seen[],
  sinceMs: number,
  nowMs: number,
): TargetState {
  const whenTold = target.max === null ? null : nowMs + Math.max(SURPLUS_LOOK_MS, target.intervalMs);
  const lookAtMs = target.deathsAreTold ? whenTold : nowMs + target.intervalMs;
  return { ...state, phase: { kind: 'up', followed: seen.slice(0, target.min), sinceMs, commandEnd: null, lookAtMs } };
}

/**
 * It is gone. A crash is recovered after one look; anything else may be half of a
 * planned restart, and gets the confirmation time to come back.
 */
export function enterConfirming(
  target: Target,
  state: TargetState,
  phase: PhaseOf<'up'>,
  losses: readonly Loss[],
  nowMs: number,
): Step {
  const confirmMs = losses.some((loss) => isCrash(loss.how)) ? 0 : target.confirmMs;
  const confirming: Phase = { kind: 'confirming', goneAtMs: nowMs, dueAtMs: nowMs + confirmMs, lookAtMs: nowMs };
  const failures = nowMs - phase.sinceMs >= STABLE_MS ? 0 : state.failures;
  return {
    state: { ...state, failures, phase: confirming },
    actions: [...losses.map((loss) => report({ kind: 'gone', loss, confirmMs })), { kind: 'look' }],
  };
}

/** Starts a recovery, unless another target must be up before, or the one before still runs: then that one is ended first. */
export function startRecovery(target: Target, state: TargetState, cause: string, nowMs: number): Step {
  if (target.waitsFor !== null) return waitForOther(target, state, target.waitsFor, cause, nowMs);
  if (target.dryRun) return sayWhatWouldRun(target, state, nowMs);
  if (state.command !== null) {
    const ending = endCommand(state, 'the target is gone and the recovery before still runs');
    const confirming: Phase = {
      kind: 'confirming',
      goneAtMs: nowMs,
      dueAtMs: nowMs + ending.waitMs,
      lookAtMs: nowMs + ending.waitMs,
    };
    return { state: { ...ending.state, phase: confirming }, actions: ending.actions };
  }
  const attempt = state.failures + 1;
  const recovering: Phase = {
    kind: 'recovering',
    startedAtMs: nowMs,
    exited: null,
    loss: null,
    failAtMs: nowMs + target.recoverTimeoutMs,
    lookAtMs: nowMs + rhythmMs(0),
  };
  return {
    state: { ...state, phase: recovering },
    actions: [report({ kind: 'recovering', attempt }), { kind: 'start-recovery', attempt, cause }],
  };
}

/** Waits for a recovery that runs already, as if it had begun now. */
export function resumeRecovery(target: Target, state: TargetState, nowMs: number): TargetState {
  const failAtMs = nowMs + target.recoverTimeoutMs;
  const lookAtMs = nowMs + rhythmMs(0);
  const recovering: Phase = { kind: 'recovering', startedAtMs: nowMs, exited: null, loss: null, failAtMs, lookAtMs };
  return { ...state, phase: recovering };
}

/** Told once for each that it waits for. */
function waitForOther(target: Target, state: TargetState, on: string, cause: string, nowMs: number): Step {
  const isTold = state.phase.kind === 'waiting' && state.phase.on === on;
  const waiting: Phase = { kind: 'waiting', on, cause, lookAtMs: nowMs + target.intervalMs };
  return { state: { ...state, phase: waiting }, actions: isTold ? [] : [report({ kind: 'waiting-for', on })] };
}

function sayWhatWouldRun(target: Target, state: TargetState, nowMs: number): Step {
  const { state: next, nextMs } = backOff(target, state, nowMs);
  return { state: next, actions: [report({ kind: 'would-recover', nextMs })] };
}

/** The target appeared after a recovery: it must now last. */
export function enterSettling(
  target: Target,
  state: TargetState,
  attempt: Attempt,
  seen: readonly Seen[],
  nowMs: number,
): Step {
  const settling: Phase = {
    kind: 'settling',
    startedAtMs: attempt.startedAtMs,
    exited: attempt.exited,
    loss: attempt.loss,
    followed: seen.slice(0, target.min),
    seenAtMs: nowMs,
    dueAtMs: nowMs + target.settleMs,
    lookAtMs: nowMs + target.settleMs,
  };
  return { state: { ...state, phase: settling }, actions: [] };
}

/**
 * It had appeared and is gone again. Its starter may have been taken for it (a
 * program that daemonizes itself forks under its own command line), so that the
 * recovery gets the time that is still its own before it counts as failed.
 */
export function returnToRecovering(
  target: Target,
  state: TargetState,
  phase: PhaseOf<'settling'>,
  nowMs: number,
): Step {
  const seen = phase.followed[0] as Seen;
  const loss = phase.loss ?? { seen, ...UNKNOWN_END, livedMs: nowMs - phase.seenAtMs };
  const recovering: Phase = {
    kind: 'recovering',
    startedAtMs: phase.startedAtMs,
    exited: phase.exited,
    loss,
    failAtMs: patienceEndsAtMs(target, state, phase, nowMs),
    lookAtMs: nowMs + rhythmMs(0),
  };
  return { state: { ...state, phase: recovering }, actions: [] };
}

function patienceEndsAtMs(target: Target, state: TargetState, attempt: Attempt, nowMs: number): number {
  if (state.command !== null) return Math.max(nowMs, attempt.startedAtMs + target.recoverTimeoutMs);
  const { exited } = attempt;
  const wasStarter = exited !== null && nowMs - exited.atMs <= STARTER_SLACK_MS;
  return nowMs + (wasStarter ? patienceMs(target, exited.how) : target.confirmMs);
}

/** How long the target may still take to appear once the recovery's command has ended. */
export function patienceMs(target: Target, how: Death): number {
  if (isSuccess(how)) return target.startGraceMs;
  // A program of ours is started by nobody else.
  return isCommandTrouble(how) || target.program !== null ? 0 : target.confirmMs;
}

/** A look while recovering that found nothing: wait on, end a command that hangs, or give this attempt up. */
export function waitInVain(
  target: Target,
  state: TargetState,
  phase: PhaseOf<'recovering'>,
  sight: Absence,
  nowMs: number,
): Step {
  // What it had left in the background has failed, and nobody of it is left who could still appear.
  const isOver = phase.loss?.leftBy !== undefined && sight.family?.length === 0;
  if (nowMs < phase.failAtMs && !isOver) {
    const lookAtMs = Math.min(phase.failAtMs, nowMs + rhythmMs(nowMs - phase.startedAtMs));
    return { state: { ...state, phase: { ...phase, lookAtMs } }, actions: [] };
  }
  if (state.command === null) return fail(target, state, failureReason(target, phase, sight, nowMs), nowMs);
  const ending = endCommand(state, 'its time limit has passed and the target is not up');
  const failAtMs = nowMs + ending.waitMs;
  return { state: { ...ending.state, phase: { ...phase, failAtMs, lookAtMs: failAtMs } }, actions: ending.actions };
}

function failureReason(target: Target, phase: PhaseOf<'recovering'>, sight: Absence, nowMs: number): FailureReason {
  if (phase.exited?.wasStopped === true) return { kind: 'timed-out', limitMs: target.recoverTimeoutMs };
  if (phase.loss !== null) return { kind: 'died-again', loss: phase.loss, livedMs: phase.loss.livedMs };
  const exited = phase.exited?.how ?? { kind: 'unknown' };
  return { kind: 'never-appeared', exited, waitedMs: nowMs - phase.startedAtMs, sight };
}

/** TERM, then KILL, then the admission that not even that helped. Never two of a kind. */
export function endCommand(
  state: TargetState,
  why: string,
): { readonly state: TargetState; readonly actions: readonly Action[]; readonly waitMs: number } {
  const { command } = state;
  if (command === null) return { state, actions: [], waitMs: 0 };
  const { pid, startTime, stopping } = command;
  if (stopping === null || stopping === 'TERM') {
    const signal = stopping === null ? 'TERM' : 'KILL';
    return {
      state: { ...state, command: { ...command, stopping: signal } },
      actions: [
        report({ kind: 'stopping-recovery', pid, signal, why }),
        { kind: 'stop-recovery', command: { pid, startTime }, signal },
      ],
      waitMs: STOP_GRACE_MS[signal],
    };
  }
  const actions = stopping === 'KILL' ? [report({ kind: 'recovery-stuck', pid })] : [];
  return { state: { ...state, command: { ...command, stopping: 'gave-up' } }, actions, waitMs: STOP_GRACE_MS.KILL };
}

/** This attempt has failed: says so, and when the next one comes. */
export function fail(target: Target, state: TargetState, why: FailureReason, nowMs: number): Step {
  const attempt = state.failures + 1;
  const { state: next, nextMs } = backOff(target, state, nowMs);
  const actions = [report({ kind: 'recovery-failed', why, attempt, nextMs })];
  if (reachesCap(target.backoff, next.failures)) {
    actions.push(report({ kind: 'backing-off', failures: next.failures }));
  }
  return { state: next, actions };
}

function backOff(target: Target, state: TargetState, nowMs: number): { state: TargetState; nextMs: number } {
  const failures = state.failures + 1;
  const random = nextRandom(state.seed);
  const nextMs = delayMs(target.backoff, target.intervalMs, failures, random.value);
  const dueAtMs = nowMs + nextMs;
  const lookAtMs = target.program === null ? Math.min(dueAtMs, nowMs + target.intervalMs) : dueAtMs;
  const phase: Phase = { kind: 'backing-off', dueAtMs, lookAtMs };
  return { state: { ...state, failures, seed: random.seed, phase }, nextMs };
}

/** How long to the next look for something that should appear soon: often at first, then more rarely. */
function rhythmMs(elapsedMs: number): number {
  if (elapsedMs < 2_000) return 100;
  return elapsedMs < 10_000 ? 250 : 1_000;
}
