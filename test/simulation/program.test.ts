/**
 * Programs of our own under the real rules, on a machine made of numbers: they crash, end in
 * peace, go into the background, leave workers behind; operators ask; looks fail. Whatever
 * happens, none is started while something of it lives, and what should run does in the end.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initialState, wakeAtMs } from '../../src/core/state.ts';
import { step } from '../../src/core/step.ts';
import type { Action, Death, Input, ProgramRule, Relative, Target, TargetState } from '../../src/core/types.ts';
import { makeTarget } from '../support/target.ts';

const LIVES = 400;
const EVENTS = 60;

interface Process extends Relative {
  /** Ends by no signal but KILL. */
  readonly isStubborn: boolean;
}

function createRandom(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761 + 1;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 3_266_489_917) >>> 0;
    return state % below;
  };
}

function live(seed: number): void {
  const random = createRandom(seed);
  const rule: ProgramRule = {
    autostart: true,
    autorestart: (['always', 'never', 'unexpected'] as const)[random(3)] as ProgramRule['autorestart'],
    expectedExitCodes: [0, 2],
    daemonizes: false,
    isAtTerminal: false,
    ends: 'family',
  };
  const target: Target = makeTarget({
    settleMs: 1_000,
    backoff: { minMs: 100, maxMs: 2_000 },
    stop: { command: null, signal: 'TERM', timeoutMs: 500 },
    program: rule,
  });
  let nowMs = 0;
  let state: TargetState = initialState(target, seed, 0);
  let family: Process[] = [];
  let pid = 100;
  let starts = 0;
  let isBlind = false;
  const history: string[] = [];

  const give = (input: Input): void => {
    const next = step(target, state, input, nowMs);
    state = next.state;
    for (const action of next.actions) act(action);
  };
  const bear = (group: number | null): Process => {
    pid += 1;
    const one = { pid, startTime: pid, group: group ?? pid, commandLine: `p ${pid}`, isStubborn: random(8) === 0 };
    family.push(one);
    return one;
  };
  const end = (one: Process, how: Death): void => {
    family = family.filter((other) => other !== one);
    history.push(`${nowMs} ${one.pid} ${JSON.stringify(how)}`);
    const isCommand = state.command?.pid === one.pid;
    give({ kind: 'died', identity: one, how });
    if (isCommand) give({ kind: 'recovery-exited', pid: one.pid, how });
  };
  const act = (action: Action): void => {
    history.push(`${nowMs} ${action.kind === 'report' ? action.report.kind : action.kind}`);
    if (action.kind === 'look') {
      const seen = family.map(({ pid: number, startTime, commandLine }) => ({ pid: number, startTime, commandLine }));
      if (isBlind) give({ kind: 'observed', observation: { kind: 'unknown', why: 'blind' } });
      else if (seen.length > 0) give({ kind: 'observed', observation: { kind: 'present', seen, family } });
      else give({ kind: 'observed', observation: { kind: 'absent', seen, why: null, family } });
    } else if (action.kind === 'start-recovery') {
      assert.deepEqual(family, [], `started while something of it lives, seed ${seed}:\n${history.join('\n')}`);
      starts += 1;
      if (random(10) === 0) give({ kind: 'recovery-not-started', why: 'no' });
      else give({ kind: 'recovery-started', identity: bear(null) });
    } else if (action.kind === 'signal') {
      const meant = family.filter((one) => action.identities.some((other) => other.pid === one.pid));
      for (const one of meant) {
        if (action.signal === 'KILL' || !one.isStubborn) end(one, { kind: 'killed', signal: action.signal });
      }
    }
  };
  const pass = (untilMs: number): void => {
    for (let due = wakeAtMs(state); due !== null && due <= untilMs; due = wakeAtMs(state)) {
      nowMs = Math.max(nowMs, due);
      give({ kind: 'time-passed' });
    }
    nowMs = untilMs;
  };
  const happen = (): void => {
    const one = family[random(Math.max(1, family.length))];
    switch (random(9)) {
      case 0:
        if (one !== undefined) end(one, { kind: 'killed', signal: 'SEGV' });
        return;
      case 1:
        if (one !== undefined) end(one, { kind: 'exited', status: random(4) });
        return;
      case 2: // into the background
        if (one !== undefined) {
          bear(null);
          end(one, { kind: 'exited', status: 0 });
        }
        return;
      case 3: // a worker
        if (one !== undefined) bear(one.group);
        return;
      case 4:
        isBlind = !isBlind;
        return;
      case 5:
        give({
          kind: 'asked',
          order: { verb: (['stop', 'start', 'restart', 'resume'] as const)[random(4)] as 'stop' },
        });
        return;
      case 6:
        give({ kind: 'asked', order: { verb: 'pause', forMs: 500, reason: null } });
        return;
      default:
        return;
    }
  };

  pass(1);
  for (let event = 0; event < EVENTS; event += 1) {
    happen();
    pass(nowMs + random(3_000));
  }
  isBlind = false;
  give({ kind: 'asked', order: { verb: 'start' } });
  pass(nowMs + 60_000);
  assert.ok(starts > 0);
  assert.equal(state.phase.kind, 'up', `it runs in the end, seed ${seed}:\n${history.slice(-20).join('\n')}`);
  assert.ok(family.length > 0);
  give({ kind: 'asked', order: { verb: 'leave' } });
  pass(nowMs + 60_000);
  assert.equal(state.phase.kind, 'stopped', history.slice(-20).join('\n'));
  assert.deepEqual(family, [], 'nothing is left behind');
}

test(`${LIVES} lives of programs: none is started beside itself, all run in the end, none is left behind`, () => {
  for (let seed = 1; seed <= LIVES; seed += 1) live(seed);
});
