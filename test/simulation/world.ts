/**
 * A machine made of numbers: processes that appear and end at set moments of a virtual
 * clock, recoveries that do as they are told, sight that comes and goes. It plays the
 * brain's part around the real rules, as fast as they can be computed.
 */
import { describe } from '../../src/core/report.ts';
import { followed, initialState, wakeAtMs } from '../../src/core/state.ts';
import { step } from '../../src/core/step.ts';
import type {
  Action,
  Death,
  Input,
  Observation,
  OperatorOrder,
  Report,
  Seen,
  Target,
  TargetState,
} from '../../src/core/types.ts';

/** What a recovery does once it is started. */
export interface RecoveryPlan {
  /** Why it can't even be started. */
  readonly refusal?: string;
  /** When its command ends and how; never, if not given, unless it is stopped. */
  readonly exits?: { readonly afterMs: number; readonly how: Death };
  /** Whether its command is the target, from so long after the start. */
  readonly becomesTargetAfterMs?: number;
  /** Targets that it leaves behind: when they appear, and for how long they live. */
  readonly leaves?: readonly { readonly afterMs: number; readonly livesMs?: number; readonly how?: Death }[];
  readonly ignoresTerm?: boolean;
}

export interface Line {
  readonly atMs: number;
  readonly text: string;
  readonly report: Report | null;
}

export interface World {
  readonly nowMs: number;
  readonly lines: readonly Line[];
  readonly starts: readonly { readonly atMs: number; readonly targetsThen: number; readonly wasBlind: boolean }[];
  readonly state: TargetState;
  readonly commandsRunning: number;
  targetsUp(): number;
  /** Does something at a moment of the virtual clock. */
  at(atMs: number, what: () => void): void;
  appear(pid?: number): number;
  /** `told`: whether the host hears of it by itself. */
  end(pid: number, how: Death, told?: boolean): void;
  /** The oldest target that is up ends. */
  endAny(how: Death, told?: boolean): void;
  blind(why: string | null): void;
  /** An operator asks for something. */
  ask(order: OperatorOrder): void;
  /** This process ends by no signal but KILL. */
  makeStubborn(pid: number): void;
  /** Another target, that this one waits for, is not up; `null`: it is. */
  waitFor(name: string | null): void;
  run(untilMs: number): void;
}

const UNKNOWN: Death = { kind: 'unknown' };

export function createWorld(target: Target, planOf: (attempt: number) => RecoveryPlan, seed = 1): World {
  let nowMs = 0;
  let state = initialState(target, seed, 0);
  let nextPid = 100;
  let why: string | null = null;
  const targets = new Map<number, Seen>();
  const stubborn = new Set<number>();
  let waitsFor: string | null = null;
  const running = new Map<number, RecoveryPlan>();
  const events: { atMs: number; order: number; what: () => void }[] = [];
  const lines: Line[] = [];
  const starts: { atMs: number; targetsThen: number; wasBlind: boolean }[] = [];
  let order = 0;

  const world: World = {
    get nowMs() {
      return nowMs;
    },
    get state() {
      return state;
    },
    get commandsRunning() {
      return running.size;
    },
    lines,
    starts,
    targetsUp: () => targets.size,
    at,
    appear,
    end,
    endAny(how, told = true) {
      const [pid] = targets.keys();
      if (pid !== undefined) end(pid, how, told);
    },
    blind(reason) {
      why = reason;
    },
    ask: (what) => take({ kind: 'asked', order: what }),
    makeStubborn: (pid) => stubborn.add(pid),
    waitFor(name) {
      waitsFor = name;
      if (name === null) take({ kind: 'unblocked' });
    },
    run,
  };
  return world;

  function run(untilMs: number): void {
    let idle = 0;
    for (;;) {
      events.sort((one, other) => one.atMs - other.atMs || one.order - other.order);
      const nextMs = Math.min(events[0]?.atMs ?? Number.POSITIVE_INFINITY, wakeAtMs(state) ?? Number.POSITIVE_INFINITY);
      if (nextMs > untilMs) break;
      idle = nextMs > nowMs ? 0 : idle + 1;
      if (idle > 1_000) throw new Error(`time stands still at ${nowMs} ms in ${JSON.stringify(state)}`);
      nowMs = Math.max(nowMs, nextMs);
      while (events[0] !== undefined && events[0].atMs <= nowMs) events.shift()?.what();
      take({ kind: 'time-passed' });
    }
    nowMs = Math.max(nowMs, untilMs);
  }

  function at(atMs: number, what: () => void): void {
    events.push({ atMs, order: order++, what });
  }

  function appear(pid = nextPid++): number {
    nextPid = Math.max(nextPid, pid + 1);
    targets.set(pid, { pid, startTime: nowMs, commandLine: `target ${pid}` });
    return pid;
  }

  function end(pid: number, how: Death, told = true): void {
    const one = targets.get(pid);
    if (one === undefined) return;
    targets.delete(pid);
    if (running.delete(pid)) take({ kind: 'recovery-exited', pid, how });
    else if (told && target.deathsAreTold && followed(state).some((other) => other.pid === pid)) {
      take({ kind: 'died', identity: one, how });
    }
  }

  function take(input: Input): void {
    const result = step({ ...target, waitsFor }, state, input, nowMs);
    // As if the brain had ended in between: the state is all that is kept.
    state = JSON.parse(JSON.stringify(result.state)) as TargetState;
    for (const action of result.actions) carryOut(action);
  }

  function carryOut(action: Action): void {
    switch (action.kind) {
      case 'report':
        lines.push({ atMs: nowMs, text: describe(target, action.report), report: action.report });
        return;
      case 'look':
        take({ kind: 'observed', observation: look() });
        return;
      case 'start-recovery':
        start(action.attempt);
        return;
      case 'stop-recovery':
        stop(action.command.pid, action.signal);
        return;
      case 'start-stop':
        at(nowMs + 100, () => {
          for (const pid of targets.keys()) end(pid, { kind: 'exited', status: 0 });
        });
        return;
      case 'signal':
        for (const { pid } of action.identities) {
          if (action.signal !== 'KILL' && stubborn.has(pid)) continue;
          at(nowMs + 5, () => end(pid, { kind: 'killed', signal: action.signal }));
        }
        return;
    }
  }

  function look(): Observation {
    if (why !== null) return { kind: 'unknown', why };
    const seen = [...targets.values()].sort((one, other) => one.startTime - other.startTime || one.pid - other.pid);
    return seen.length >= target.min ? { kind: 'present', seen } : { kind: 'absent', seen, why: null };
  }

  function start(attempt: number): void {
    starts.push({ atMs: nowMs, targetsThen: targets.size, wasBlind: why !== null });
    const plan = planOf(attempt);
    if (plan.refusal !== undefined) {
      take({ kind: 'recovery-not-started', why: plan.refusal });
      return;
    }
    const pid = nextPid++;
    running.set(pid, plan);
    const { exits } = plan;
    if (exits !== undefined) at(nowMs + exits.afterMs, () => endCommand(pid, exits.how));
    if (plan.becomesTargetAfterMs !== undefined) {
      at(nowMs + plan.becomesTargetAfterMs, () => {
        if (running.has(pid)) targets.set(pid, { pid, startTime: 0, commandLine: `target ${pid}` });
      });
    }
    for (const left of plan.leaves ?? []) {
      at(nowMs + left.afterMs, () => {
        const child = appear();
        if (left.livesMs !== undefined) at(nowMs + left.livesMs, () => end(child, left.how ?? UNKNOWN));
      });
    }
    take({ kind: 'recovery-started', identity: { pid, startTime: 0 } });
  }

  function stop(pid: number, signal: 'TERM' | 'KILL'): void {
    if (signal === 'TERM' && running.get(pid)?.ignoresTerm === true) return;
    at(nowMs + 5, () => endCommand(pid, { kind: 'killed', signal }));
  }

  function endCommand(pid: number, how: Death): void {
    if (targets.has(pid)) end(pid, how);
    else if (running.delete(pid)) take({ kind: 'recovery-exited', pid, how });
  }
}
