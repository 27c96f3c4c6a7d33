/**
 * The rules of a program of ours: one that we start, and that stays with us. How it ended is
 * known exactly, and nobody else brings it back, so that there is nothing to confirm. What
 * there is to find out is who of it is left: a program that went into the background or handed
 * over to another lives on, and what a crash has left behind must end before the next start.
 */
import { isSuccess } from './death.ts';
import { PRESSURE_LOOK_MS, pressHarder, toSignal } from './pressure.ts';
import { isSame, without } from './state.ts';
import { enterSettling, enterUp, fail, lookAgain, report, STABLE_MS, startRecovery } from './transitions.ts';
import type {
  Action,
  Death,
  Identity,
  Input,
  Loss,
  Phase,
  PhaseOf,
  ProgramRule,
  Relative,
  Seen,
  Sight,
  Step,
  Target,
  TargetState,
} from './types.ts';

/** 128 and the numbers of INT and QUIT. */
const KEY_STATUSES: readonly number[] = [130, 131];
/** How long the host may take to tell of an end that we know already. */
const WORD_MS = 1_000;

/** It runs: nobody need look for it. A command that only starts it is another matter. */
export function programStarted(target: Target, state: TargetState, identity: Identity, nowMs: number): Step {
  const { phase } = state;
  if (phase.kind !== 'recovering' || target.program?.daemonizes === true) return { state, actions: [] };
  const seen: Seen = { ...identity, commandLine: target.recover };
  return enterSettling(target, state, phase, [seen], nowMs);
}

/** The next one runs already; the end of the one before is about to be told. */
export function programReplaced(state: TargetState, identity: Identity): Step {
  const { phase } = state;
  // Whatever an operator wants meanwhile finds it by its descent.
  if (phase.kind !== 'up') return { state: { ...state, command: { ...identity, stopping: null } }, actions: [] };
  return { state: { ...state, phase: { ...phase, replacement: identity } }, actions: [] };
}

/** The process that was followed has ended. */
export function programEnded(
  target: Target,
  state: TargetState,
  phase: PhaseOf<'up' | 'settling'>,
  loss: Loss,
  nowMs: number,
): Step {
  const isUp = phase.kind === 'up';
  const seenAtMs = isUp ? phase.sinceMs : phase.seenAtMs;
  const livedMs = nowMs - seenAtMs;
  const ending: Phase = {
    kind: 'ending',
    loss: { ...loss, livedMs },
    hadStarted: isUp || nowMs >= phase.dueAtMs,
    startedAtMs: isUp ? seenAtMs : phase.startedAtMs,
    sent: null,
    dueAtMs: nowMs,
    lookAtMs: nowMs,
  };
  const failures = isUp && livedMs >= STABLE_MS ? 0 : state.failures;
  if (isUp && phase.replacement !== undefined) {
    return goOnWith(target, { ...state, failures }, phase.replacement, loss, nowMs);
  }
  return { state: { ...state, failures, phase: ending }, actions: [{ kind: 'look' }] };
}

/** Whether somebody may have gone into the background and failed there before a look could find it. */
export function mayHaveLeft({ phase }: TargetState): boolean {
  return phase.kind === 'ending' && phase.sent === null && isSuccess(phase.loss.how);
}

/** Somebody whom it had left behind has ended as well, before a look could find it. */
export function orphanDied(
  target: Target,
  state: TargetState,
  { how, of, pid }: Extract<Input, { kind: 'orphan-died' }>,
  nowMs: number,
): Step {
  const { phase } = state;
  if (phase.kind === 'recovering' && phase.exited?.pid === of && target.program !== null) {
    const seen: Seen = { pid, startTime: 0, commandLine: target.recover };
    const loss = { seen, how, toldBy: 'kernel' as const, leftBy: of, livedMs: nowMs - phase.exited.atMs };
    return lookAgain({ ...state, phase: { ...phase, loss } }, nowMs);
  }
  if (phase.kind !== 'ending' || phase.loss.seen.pid !== of || !mayHaveLeft(state)) return { state, actions: [] };
  return { state: { ...state, phase: { ...phase, orphan: { pid, how } } }, actions: [] };
}

/** What was decided before has been done already: told as if it were done now. */
function goOnWith(target: Target, state: TargetState, identity: Identity, loss: Loss, nowMs: number): Step {
  const attempt = { startedAtMs: nowMs, exited: null, loss: null };
  const seen: Seen = { ...identity, commandLine: target.recover };
  const next = enterSettling(target, { ...state, command: { ...identity, stopping: null } }, attempt, [seen], nowMs);
  const expected = target.program !== null && isExpected(target.program, loss.how);
  return {
    state: next.state,
    actions: [
      report({ kind: 'exited', loss, isExpected: expected, next: 'start' }),
      report({ kind: 'recovering', attempt: state.failures + 1 }),
      ...next.actions,
    ],
  };
}

/** Whether an end is what the program is meant to come to. */
export function isExpected({ expectedExitCodes }: ProgramRule, how: Death): boolean {
  return how.kind === 'exited' && expectedExitCodes.includes(how.status);
}

/** Ctrl-C and Ctrl-\\: the signal itself, or the exit status that shells and interpreters make of it. */
function isByKeys(how: Death): boolean {
  if (how.kind === 'killed') return how.signal === 'INT' || how.signal === 'QUIT';
  return how.kind === 'exited' && KEY_STATUSES.includes(how.status);
}

/** Whether it is started again after such an end. */
export function isRestarted(program: ProgramRule, how: Death): boolean {
  if (program.isAtTerminal && isByKeys(how)) return false;
  if (program.autorestart === 'unexpected') return !isExpected(program, how);
  return program.autorestart === 'always';
}

/** A look after it has ended: somebody has taken over, somebody must be ended first, or nobody is left. */
export function whenEnding(
  target: Target,
  state: TargetState,
  phase: PhaseOf<'ending'>,
  sight: Sight,
  nowMs: number,
): Step {
  const { how } = phase.loss;
  const isPeaceful = isSuccess(how) || how.kind === 'unknown';
  if (phase.sent === null && phase.orphan !== undefined && isAllOver(phase.orphan, sight)) {
    return whenEnding(target, state, asEndOf(phase, phase.orphan), sight, nowMs);
  }
  if (phase.sent === null && isPeaceful && sight.kind === 'present')
    return takeOver(target, state, phase, sight.seen, nowMs);
  const left = target.program?.ends === 'process' ? [] : (sight.family ?? []);
  if (left.length > 0) return clear(target, state, phase, left, nowMs);
  if (state.command !== null && isSame(state.command, phase.loss.seen)) {
    // We have seen the end before the host has told of it.
    return { state: { ...state, phase: { ...phase, lookAtMs: nowMs + WORD_MS } }, actions: [] };
  }
  const told = tellEnd(target, phase);
  // By now somebody else may have started another. (Who is left of this one, and may be, is none.)
  const others = without(sight.seen, sight.family ?? []);
  if (others.length >= target.min) {
    const back = report({ kind: 'came-back', seen: others.slice(0, target.min), afterMs: null });
    return { state: enterUp(target, state, others, nowMs, nowMs), actions: [...told, back] };
  }
  const next = goOn(target, state, phase, nowMs);
  return { state: next.state, actions: [...told, ...next.actions] };
}

/** It went into the background and failed there: that is how it ended. */
function asEndOf(
  { loss, orphan: _, ...phase }: PhaseOf<'ending'>,
  { how, pid }: NonNullable<PhaseOf<'ending'>['orphan']>,
): PhaseOf<'ending'> {
  return { ...phase, loss: { ...loss, seen: { ...loss.seen, pid }, how, leftBy: loss.seen.pid } };
}

/** Whether nobody goes on: those who are left, if any, are workers of one that was killed, who led their group. */
function isAllOver({ how, pid }: NonNullable<PhaseOf<'ending'>['orphan']>, { family = [], kind }: Sight): boolean {
  const isNobodyLeft = kind !== 'present' && family.length === 0;
  return isNobodyLeft || (how.kind === 'killed' && family.some(({ group }) => group === pid));
}

/** Its command has only started it, or it has handed over to another: that one is followed from here on. */
function takeOver(
  target: Target,
  state: TargetState,
  { hadStarted, loss, startedAtMs }: PhaseOf<'ending'>,
  seen: readonly Seen[],
  nowMs: number,
): Step {
  const told = report({ kind: 'daemonized', loss, seen: seen.slice(0, target.min) });
  if (hadStarted) return { state: enterUp(target, state, seen, nowMs, nowMs), actions: [told] };
  const attempt = {
    startedAtMs,
    exited: { pid: loss.seen.pid, atMs: nowMs, how: loss.how, wasStopped: false },
    loss: null,
  };
  const next = enterSettling(target, state, attempt, seen, nowMs);
  return { state: next.state, actions: [told, ...next.actions] };
}

/** Told once, before anything is done about it. */
function tellEnd(target: Target, { hadStarted, isWanted, loss, sent }: PhaseOf<'ending'>): readonly Action[] {
  if (sent !== null || target.program === null) return [];
  const isAgain = isRestarted(target.program, loss.how);
  const next = isWanted === true ? 'start' : isAgain ? (hadStarted ? 'start' : 'retry') : 'none';
  return [report({ kind: 'exited', loss, isExpected: isExpected(target.program, loss.how), next })];
}

/** One step further in ending what it has left. */
function clear(
  target: Target,
  state: TargetState,
  phase: PhaseOf<'ending'>,
  left: readonly Relative[],
  nowMs: number,
): Step {
  const wait = (sent: PhaseOf<'ending'>['sent'], dueAtMs: number, lookMs: number): TargetState => ({
    ...state,
    phase: { ...phase, sent, dueAtMs, lookAtMs: Math.min(dueAtMs, nowMs + lookMs) },
  });
  if (nowMs < phase.dueAtMs) return { state: wait(phase.sent, phase.dueAtMs, PRESSURE_LOOK_MS), actions: [] };
  const { signal, timeoutMs } = target.stop;
  if (phase.sent === null) {
    return {
      state: wait('signal', nowMs + timeoutMs, PRESSURE_LOOK_MS),
      actions: [...tellEnd(target, phase), report({ kind: 'leftover', seen: left, signal }), toSignal(left, signal)],
    };
  }
  const { actions, lookMs, sent, waitMs } = pressHarder(phase.sent, left);
  return { state: wait(sent, nowMs + waitMs, lookMs), actions };
}

/** Nobody is left: started again, tried again later, or left so. */
function goOn(
  target: Target,
  state: TargetState,
  { hadStarted, isWanted, loss }: PhaseOf<'ending'>,
  nowMs: number,
): Step {
  if (isWanted === true) return startRecovery(target, { ...state, failures: 0 }, 'asked', nowMs);
  if (target.program === null || !isRestarted(target.program, loss.how)) {
    return { state: { ...state, failures: 0, phase: { kind: 'exited', loss, lookAtMs: null } }, actions: [] };
  }
  if (hadStarted) return startRecovery(target, state, 'exited', nowMs);
  return fail(target, state, { kind: 'died-again', loss, livedMs: loss.livedMs }, nowMs);
}

/** Who must be gone for a target to be stopped: of a program of ours all, unless only the process that is followed is meant. */
export function toBeEnded(
  { program }: Target,
  { family = [], seen }: Sight,
  followed: readonly Identity[],
): readonly Seen[] {
  if (program === null) return seen;
  if (program.ends === 'process') return seen.filter((one) => followed.some((other) => isSame(one, other)));
  return [...family, ...seen.filter((one) => !family.some((other) => isSame(one, other)))];
}

/** Whom of them the stop signal is for: the group of the process that is followed, or all where nobody is. */
export function groupOf(left: readonly Seen[], followed: readonly Identity[], { family = [] }: Sight): readonly Seen[] {
  const groups = family.filter((one) => followed.some((other) => isSame(one, other))).map(({ group }) => group);
  const members = family.filter(({ group }) => groups.includes(group));
  const inGroup = left.filter((one) => members.some((other) => isSame(one, other)));
  return inGroup.length === 0 ? left : inGroup;
}
