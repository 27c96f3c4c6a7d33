import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayHaveLeft } from '../../src/core/program.ts';
import { initialState } from '../../src/core/state.ts';
import { step } from '../../src/core/step.ts';
import type { Death, Input, Observation, ProgramRule, Relative, Target, TargetState } from '../../src/core/types.ts';
import { makeTarget } from '../support/target.ts';

const rule: ProgramRule = {
  autostart: true,
  autorestart: 'unexpected',
  expectedExitCodes: [0, 2],
  daemonizes: false,
  isAtTerminal: false,
  ends: 'family',
};
const one: Relative = { pid: 101, startTime: 7, group: 101, commandLine: 'worker' };
const nobody: Observation = { kind: 'absent', seen: [], why: null, family: [] };

function makeProgram(changes: Partial<ProgramRule> = {}): Target {
  return makeTarget({ settleMs: 1_000, program: { ...rule, ...changes } });
}

/** A life, told step by step: what was reported and done, in order. */
function play(target: Target, ...story: readonly (readonly [atMs: number, input: Input])[]) {
  let state: TargetState = initialState(target, 1, 0);
  const told: string[] = [];
  for (const [atMs, input] of story) {
    const next = step(target, state, input, atMs);
    state = next.state;
    for (const action of next.actions) {
      if (action.kind === 'report') told.push(action.report.kind);
      else if (action.kind !== 'look') told.push(`> ${action.kind}`);
    }
  }
  return { state, told };
}

const look = (observation: Observation): Input => ({ kind: 'observed', observation });
const sees = (...family: readonly Relative[]): Input => look({ kind: 'present', seen: family.slice(0, 1), family });
const ends = (how: Death): Input => ({ kind: 'died', identity: { pid: 500, startTime: 1 }, how });
const exits = (status: number): Input => ends({ kind: 'exited', status });
const ended: Input = { kind: 'recovery-exited', pid: 500, how: { kind: 'exited', status: 0 } };
const command: Relative = { pid: 500, startTime: 1, group: 500, commandLine: 'node my.js start' };
const BEGUN = [
  [0, look(nobody)],
  [1, { kind: 'recovery-started', identity: { pid: 500, startTime: 1 } }],
] as const satisfies readonly (readonly [number, Input])[];
const STARTED = [...BEGUN, [1_001, sees(command)]] as const;

test('it is started after one look, and is up once it has lasted', () => {
  const { state, told } = play(makeProgram(), ...STARTED);
  assert.deepEqual(told, ['recovering', '> start-recovery', 'recovered']);
  assert.equal(state.phase.kind, 'up');
});

test('without autostart it is not started, unless somebody asks for it', () => {
  const target = makeProgram({ autostart: false });
  const held = play(target, [0, look(nobody)]);
  assert.deepEqual([held.told, held.state.phase.kind], [['not-autostarted'], 'stopped']);
  const asked = play(target, [0, look(nobody)], [5, { kind: 'asked', order: { verb: 'start' } }], [6, look(nobody)]);
  assert.deepEqual(asked.told, ['not-autostarted', 'resumed', 'recovering', '> start-recovery']);
});

test('one that runs already is taken as it is', () => {
  const { state, told } = play(makeProgram(), [0, sees(one)]);
  assert.deepEqual([told, state.phase.kind], [['watching'], 'up']);
});

/** How it ends after it was up, and whether it is then started again: always, never, if unexpected. */
const ENDS: readonly (readonly [Death, always: boolean, never: boolean, unexpected: boolean])[] = [
  [{ kind: 'exited', status: 0 }, true, false, false],
  [{ kind: 'exited', status: 1 }, true, false, true],
  [{ kind: 'exited', status: 2 }, true, false, false],
  [{ kind: 'killed', signal: 'TERM' }, true, false, true],
  [{ kind: 'killed', signal: 'SEGV' }, true, false, true],
  [{ kind: 'unknown' }, true, false, true],
];
for (const [how, ...starts] of ENDS) {
  for (const [at, autorestart] of (['always', 'never', 'unexpected'] as const).entries()) {
    test(`${JSON.stringify(how)} is ${starts[at] ? '' : 'not '}followed by a start, ${autorestart}`, () => {
      const { state, told } = play(
        makeProgram({ autorestart }),
        ...STARTED,
        [5_000, ends(how)],
        [5_000, ended],
        [5_001, look(nobody)],
      );
      assert.deepEqual(told.slice(3), starts[at] ? ['exited', 'recovering', '> start-recovery'] : ['exited']);
      assert.equal(state.phase.kind, starts[at] ? 'recovering' : 'exited');
    });
  }
}

test('at a terminal, an end by its keys is a wish', () => {
  const target = makeProgram({ isAtTerminal: true, autorestart: 'always' });
  for (const how of [
    { kind: 'killed', signal: 'INT' },
    { kind: 'exited', status: 130 },
  ] as const) {
    const { state } = play(target, ...STARTED, [5_000, ends(how)], [5_000, ended], [5_001, look(nobody)]);
    assert.equal(state.phase.kind, 'exited');
  }
  const { state } = play(target, ...STARTED, [5_000, exits(1)], [5_000, ended], [5_001, look(nobody)]);
  assert.equal(state.phase.kind, 'recovering');
});

test('one that ends before it has lasted is tried again later, unless that was expected', () => {
  const failed = play(makeProgram(), ...BEGUN, [500, exits(1)], [500, ended], [501, look(nobody)]);
  assert.deepEqual(failed.told.slice(2), ['exited', 'recovery-failed']);
  assert.deepEqual([failed.state.phase.kind, failed.state.failures], ['backing-off', 1]);
  const done = play(makeProgram(), ...BEGUN, [500, exits(0)], [500, ended], [501, look(nobody)]);
  assert.deepEqual([done.told.slice(2), done.state.phase.kind], [['exited'], 'exited']);
});

test('whoever goes on when the command has ended in peace is followed from then on', () => {
  const { state, told } = play(
    makeProgram(),
    ...BEGUN,
    [500, exits(0)],
    [500, ended],
    [501, sees(one)],
    [1_501, sees(one)],
  );
  assert.deepEqual(told.slice(2), ['daemonized', 'recovered']);
  assert.ok(state.phase.kind === 'up' && state.phase.followed[0]?.pid === 101);
});

const orphanDied: Input = { kind: 'orphan-died', of: 500, pid: 777, how: { kind: 'killed', signal: 'SEGV' } };

test('one that failed in the background before it was seen there has failed', () => {
  const ending = play(makeProgram(), ...STARTED, [5_000, exits(0)]).state;
  assert.ok(mayHaveLeft(ending));
  const story = [
    [5_000, exits(0)],
    [5_000, ended],
    [5_001, orphanDied],
    [5_001, look(nobody)],
  ] as const;
  const { state, told } = play(makeProgram(), ...STARTED, ...story);
  assert.deepEqual(told.slice(3), ['exited', 'recovering', '> start-recovery']);
  assert.equal(state.phase.kind, 'recovering');
  assert.ok(!mayHaveLeft(state));
});

test('who has failed in the background is no matter while another goes on there', () => {
  const ways = [
    [500, exits(0)],
    [500, ended],
    [500, orphanDied],
    [501, sees(one)],
    [1_501, sees(one)],
  ] as const;
  const { told } = play(makeProgram(), ...BEGUN, ...ways);
  assert.deepEqual(told.slice(2), ['daemonized', 'recovered']);
});

test('who was killed in the background and has left workers is not taken for one of them', () => {
  const worker = { ...one, group: 777 };
  const looks = [
    [501, sees(worker)],
    [502, look(nobody)],
  ] as const;
  const { told } = play(makeProgram(), ...BEGUN, [500, exits(0)], [500, ended], [500, orphanDied], ...looks);
  assert.deepEqual(told.slice(2), ['exited', 'leftover', '> signal', 'recovery-failed']);
});

test('a start is not waited for once what it left in the background has failed, and nobody is left', () => {
  const target = makeProgram({ daemonizes: true });
  const exited = [
    [500, ended],
    [510, orphanDied],
  ] as const;
  const { told } = play(target, ...BEGUN, ...exited, [511, look(nobody)]);
  assert.deepEqual(told.slice(2), ['recovery-failed']);
  const others = look({ kind: 'absent', seen: [], why: null, family: [one] });
  assert.deepEqual(play(target, ...BEGUN, ...exited, [511, others]).told.slice(2), []);
  const another = { ...orphanDied, of: 501 };
  assert.deepEqual(play(target, ...BEGUN, [500, ended], [510, another], [511, look(nobody)]).told.slice(2), []);
});

test('who has failed in the background is of no other program', () => {
  const { told } = play(
    makeProgram(),
    ...STARTED,
    [5_000, exits(0)],
    [5_000, ended],
    [5_001, { ...orphanDied, of: 501 }],
    [5_001, look(nobody)],
  );
  assert.deepEqual(told.slice(3), ['exited']);
});

test('whoever is left after a crash is ended before the next start: asked to, then made to', () => {
  const { told } = play(
    makeProgram(),
    ...STARTED,
    [5_000, ends({ kind: 'killed', signal: 'KILL' })],
    [5_000, ended],
    [5_001, sees(one)],
    [15_001, sees(one)],
    [15_101, look(nobody)],
  );
  assert.deepEqual(told.slice(3), [
    'exited',
    'leftover',
    '> signal',
    'stop-late',
    '> signal',
    'recovering',
    '> start-recovery',
  ]);
});

test('where only the process itself is meant, the others are left alone', () => {
  const target = makeProgram({ ends: 'process' });
  const { told } = play(target, ...STARTED, [5_000, exits(1)], [5_000, ended], [5_001, sees(one)]);
  assert.deepEqual(told.slice(3), ['exited', 'recovering', '> start-recovery']);
});

test('a look that shows the end before the host tells of it decides nothing', () => {
  const { state, told } = play(makeProgram(), ...STARTED, [5_000, look(nobody)], [5_000, sees(one)]);
  assert.deepEqual([told.slice(3), state.phase.kind], [[], 'up']);
});

test('it is stopped with all that it has started, the group of its process first', () => {
  const target = makeProgram();
  const up = play(target, ...STARTED).state;
  const asked = step(target, up, { kind: 'asked', order: { verb: 'stop' } }, 5_000);
  const told = step(
    target,
    asked.state,
    sees(command, { ...one, group: 500 }, { ...one, pid: 102, group: 102 }),
    5_001,
  );
  const signals = told.actions.flatMap((action) => (action.kind === 'signal' ? [action] : []));
  assert.deepEqual(
    signals[0]?.identities.map(({ pid }) => pid),
    [500, 101],
  );
  const late = step(target, told.state, sees({ ...one, pid: 102 }), 15_001);
  assert.ok(
    late.actions.some(
      (action) => action.kind === 'signal' && action.signal === 'KILL' && action.identities[0]?.pid === 102,
    ),
  );
});

test('a command that only starts it may not be taken for it', () => {
  const target = makeProgram({ daemonizes: true });
  const { state, told } = play(target, ...BEGUN, [500, { ...ended }], [501, sees(one)], [1_600, sees(one)]);
  assert.deepEqual([told.slice(2), state.phase.kind], [['recovered'], 'up']);
  const failed = play(
    target,
    ...BEGUN,
    [500, { ...ended, how: { kind: 'exited', status: 1 } } as Input],
    [501, look(nobody)],
  );
  assert.deepEqual(failed.told.slice(2), ['recovery-failed']);
});

test('where only the process itself is meant, a stop leaves the others to themselves', () => {
  const target = makeProgram({ ends: 'process' });
  const up = play(target, ...STARTED).state;
  const asked = step(target, up, { kind: 'asked', order: { verb: 'stop' } }, 5_000);
  const told = step(target, asked.state, sees(command, { ...one, group: 500 }), 5_001);
  const signals = told.actions.flatMap((action) => (action.kind === 'signal' ? [action] : []));
  assert.deepEqual(signals[0]?.identities, [{ pid: 500, startTime: 1 }]);
  const gone = step(
    target,
    told.state,
    { kind: 'recovery-exited', pid: 500, how: { kind: 'exited', status: 0 } },
    5_100,
  );
  assert.equal(step(target, gone.state, sees(one), 5_101).state.phase.kind, 'stopped');
});

test('what the host has started in the moment of a death is followed, and told like any other', () => {
  const next = { pid: 501, startTime: 2 };
  const { state, told } = play(
    makeProgram(),
    ...STARTED,
    [5_000, { kind: 'replaced', identity: next }],
    [5_000, ends({ kind: 'killed', signal: 'SEGV' })],
    [5_000, ended],
    [6_001, sees({ ...command, ...next })],
  );
  assert.deepEqual(told.slice(3), ['exited', 'recovering', 'recovered'], 'and nothing is started for it');
  assert.ok(state.phase.kind === 'up' && state.phase.followed[0]?.pid === 501 && state.command?.pid === 501);
});

test('what the host has started is stopped with the rest, if somebody wanted that meanwhile', () => {
  const target = makeProgram();
  const up = play(target, ...STARTED).state;
  const asked = step(target, up, { kind: 'asked', order: { verb: 'stop' } }, 5_000);
  const replaced = step(target, asked.state, { kind: 'replaced', identity: { pid: 501, startTime: 2 } }, 5_000);
  const told = step(target, replaced.state, sees({ ...command, pid: 501, startTime: 2 }), 5_001);
  assert.ok(told.actions.some((action) => action.kind === 'signal' && action.identities[0]?.pid === 501));
});

test('one that somebody asks for while its end is looked into is started again, however it ended', () => {
  const { told } = play(
    makeProgram(),
    ...STARTED,
    [5_000, exits(0)],
    [5_000, ended],
    [5_001, { kind: 'asked', order: { verb: 'start' } }],
    [5_002, look(nobody)],
  );
  assert.deepEqual(told.slice(3), ['exited', 'recovering', '> start-recovery']);
});
