import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initialState, wakeAtMs } from '../../src/core/state.ts';
import { step } from '../../src/core/step.ts';
import type { Death, Input, Observation, Phase, Seen, TargetState } from '../../src/core/types.ts';
import { makeTarget } from '../support/target.ts';

const target = makeTarget();
const me: Seen = { pid: 101, startTime: 7, commandLine: 'node my.js' };
const present: Observation = { kind: 'present', seen: [me] };
const absent: Observation = { kind: 'absent', seen: [], why: null };
const unknown: Observation = { kind: 'unknown', why: 'too many open files' };
const observed = (observation: Observation): Input => ({ kind: 'observed', observation });
const died = (how: Death): Input => ({ kind: 'died', identity: me, how });

const attempt = { startedAtMs: 0, exited: null, loss: null };
const command = { pid: 500, startTime: 1, stopping: null };
/** Every phase, as it may be at 1 s. */
const PHASES: readonly Phase[] = [
  { kind: 'looking', absentAtMs: null, lookAtMs: 1_000 },
  { kind: 'looking', absentAtMs: 900, lookAtMs: 1_150 },
  { kind: 'up', followed: [me], sinceMs: 0, commandEnd: null, lookAtMs: null },
  { kind: 'confirming', goneAtMs: 500, dueAtMs: 1_500, lookAtMs: 1_000 },
  { kind: 'recovering', ...attempt, failAtMs: 60_000, lookAtMs: 1_000 },
  { kind: 'settling', ...attempt, followed: [me], seenAtMs: 900, dueAtMs: 3_900, lookAtMs: 3_900 },
  { kind: 'backing-off', dueAtMs: 2_000, lookAtMs: 2_000 },
];

function stateIn(phase: Phase, changes: Partial<TargetState> = {}): TargetState {
  return { ...initialState(target, 1, 0), phase, ...changes };
}

function kinds(state: TargetState, input: Input, nowMs: number, of = target): string[] {
  return step(of, state, input, nowMs).actions.map((action) =>
    action.kind === 'report' ? action.report.kind : action.kind,
  );
}

for (const phase of PHASES) {
  test(`not being able to look changes nothing but the time of the next look, ${phase.kind}`, () => {
    const { state, actions } = step(target, stateIn(phase), observed(unknown), 1_000_000);
    assert.equal(state.phase.kind, phase.kind);
    assert.deepEqual({ ...state.phase, lookAtMs: 0 }, { ...phase, lookAtMs: 0 });
    assert.deepEqual(actions, [{ kind: 'report', report: { kind: 'blind', why: 'too many open files' } }]);
    assert.ok((wakeAtMs(state) ?? 0) > 1_000_000);
    assert.deepEqual(step(target, state, observed(unknown), 1_000_001).actions, [], 'and is said once');
  });

  test(`no phase starts anything when it sees the target, ${phase.kind}`, () => {
    for (const nowMs of [1_000, 1_000_000]) {
      assert.ok(!kinds(stateIn(phase), observed(present), nowMs).includes('start-recovery'));
    }
  });

  test(`time alone never does more than look, ${phase.kind}`, () => {
    const { state, actions } = step(target, stateIn(phase), { kind: 'time-passed' }, 1_000_000);
    assert.deepEqual(state.phase, phase);
    assert.deepEqual(actions, phase.lookAtMs === null ? [] : [{ kind: 'look' }]);
  });

  test(`the end of a process that nobody follows changes nothing, ${phase.kind}`, () => {
    const stranger: Input = { kind: 'died', identity: { pid: 101, startTime: 8 }, how: { kind: 'unknown' } };
    const before = stateIn(phase);
    assert.deepEqual(step(target, before, stranger, 1_000), { state: before, actions: [] });
    const otherCommand: Input = { kind: 'recovery-exited', pid: 501, how: { kind: 'unknown' } };
    assert.deepEqual(step(target, before, otherCommand, 1_000), { state: before, actions: [] });
  });
}

test('the second look counts only 250 ms after the first', () => {
  const state = stateIn({ kind: 'looking', absentAtMs: 900, lookAtMs: 1_150 });
  assert.deepEqual(kinds(state, observed(absent), 1_149), []);
  assert.deepEqual(kinds(state, observed(absent), 1_150), ['recovering', 'start-recovery']);
});

test('a target is recovered only when it has lasted', () => {
  const state = stateIn({
    kind: 'settling',
    ...attempt,
    followed: [me],
    seenAtMs: 900,
    dueAtMs: 3_900,
    lookAtMs: 3_900,
  });
  assert.deepEqual(kinds(state, observed(present), 3_899), []);
  assert.deepEqual(kinds(state, observed(present), 3_900), ['recovered']);
});

const crashes: readonly [Death, boolean][] = [
  [{ kind: 'killed', signal: 'SEGV' }, true],
  [{ kind: 'killed', signal: 'KILL' }, true],
  [{ kind: 'killed', signal: 'ABRT' }, true],
  [{ kind: 'killed', signal: 'TERM' }, false],
  [{ kind: 'killed', signal: 'INT' }, false],
  [{ kind: 'killed', signal: 'HUP' }, false],
  [{ kind: 'exited', status: 3 }, true],
  [{ kind: 'exited', status: 0 }, false],
  [{ kind: 'unknown' }, false],
];
for (const [how, isCrash] of crashes) {
  test(`${JSON.stringify(how)} is ${isCrash ? 'recovered after one look' : 'confirmed first'}`, () => {
    const up = stateIn({ kind: 'up', followed: [me], sinceMs: 0, commandEnd: null, lookAtMs: null });
    const gone = step(target, up, died(how), 5_000);
    assert.deepEqual(
      gone.actions.map((action) => action.kind),
      ['report', 'look'],
    );
    assert.equal(kinds(gone.state, observed(absent), 5_001).includes('start-recovery'), isCrash);
    assert.equal(kinds(gone.state, observed(absent), 6_000).includes('start-recovery'), true);
  });
}

test("the shell's word on a foreground target is believed: at once after a crash, and told as its word", () => {
  const up = stateIn({ kind: 'up', followed: [me], sinceMs: 0, commandEnd: null, lookAtMs: null }, { command });
  const ended = step(target, up, { kind: 'recovery-exited', pid: 500, how: { kind: 'exited', status: 139 } }, 5_000);
  assert.deepEqual(ended.actions, [{ kind: 'look' }]);
  const gone = step(target, ended.state, observed(absent), 5_001);
  assert.deepEqual(gone.actions[0], {
    kind: 'report',
    report: {
      kind: 'gone',
      confirmMs: 0,
      loss: { seen: me, how: { kind: 'killed', signal: 'SEGV' }, toldBy: 'shell' },
    },
  });
  assert.deepEqual(kinds(gone.state, observed(absent), 5_002), ['recovering', 'start-recovery']);
});

test('the end of a recovery whose target lives on is no news', () => {
  const up = stateIn({ kind: 'up', followed: [me], sinceMs: 0, commandEnd: null, lookAtMs: null }, { command });
  const ended = step(target, up, { kind: 'recovery-exited', pid: 500, how: { kind: 'exited', status: 1 } }, 5_000);
  const after = step(target, ended.state, observed(present), 5_001);
  assert.deepEqual(after.actions, []);
  assert.equal(after.state.command, null);
  assert.deepEqual(after.state.phase, up.phase);
});

test('a recovery that did not end by KILL is told of once, and no other is started', () => {
  let state = stateIn({ kind: 'recovering', ...attempt, failAtMs: 60_000, lookAtMs: 1_000 }, { command });
  const told: string[] = [];
  for (let nowMs = 60_000; nowMs < 600_000; nowMs += 5_000) {
    const next = step(target, state, observed(absent), nowMs);
    told.push(...next.actions.map((action) => (action.kind === 'report' ? action.report.kind : action.kind)));
    state = next.state;
  }
  assert.deepEqual(told, [
    'stopping-recovery',
    'stop-recovery',
    'stopping-recovery',
    'stop-recovery',
    'recovery-stuck',
  ]);
});

test('after a crash, a look that processes came and went in is confirmed first', () => {
  const target = makeTarget();
  const seen = { pid: 7, startTime: 1, commandLine: 'node my.js' };
  const up = step(
    target,
    initialState(target, 1, 0),
    { kind: 'observed', observation: { kind: 'present', seen: [seen] } },
    0,
  );
  const died = step(target, up.state, { kind: 'died', identity: seen, how: { kind: 'killed', signal: 'KILL' } }, 100);
  const unsteady = { kind: 'absent', seen: [], why: null, isUnsteady: true } as const;
  const first = step(target, died.state, { kind: 'observed', observation: unsteady }, 101);
  assert.deepEqual(first.actions, []);
  const steady = { kind: 'absent', seen: [], why: null } as const;
  assert.ok(
    step(target, first.state, { kind: 'observed', observation: steady }, 201).actions.some(
      (one) => one.kind === 'start-recovery',
    ),
  );
  const last = step(target, first.state, { kind: 'observed', observation: unsteady }, 1_100);
  assert.ok(
    last.actions.some((one) => one.kind === 'start-recovery'),
    'but not for longer than any other end',
  );
});
