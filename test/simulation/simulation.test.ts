/**
 * Thousands of short lives of a target, each from one seed: it dies in every way, is
 * restarted by others, can't be seen for a while, and its recoveries fail, hang, work
 * late or leave short-lived things behind. Whatever happens, these must hold. A failure
 * prints its seed; `SEED=… npm test -- simulation` plays that one alone.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextRandom } from '../../src/core/backoff.ts';
import type { Death, Target } from '../../src/core/types.ts';
import { makeTarget } from '../support/target.ts';
import { createWorld, type RecoveryPlan, type World } from './world.ts';

const LIVES = 3_000;
/** Trouble goes on for so long; then the world is left alone, and recoveries work. */
const TROUBLE_MS = 180_000;
/** By then everything must be well: the longest back-off, the longest recovery and its end, the grace and the settling. */
const CALM_MS = 2 * (60_000 + 60_000 + 15_000 + 10_000 + 3_000);

interface Dice {
  chance(probability: number): boolean;
  between(least: number, most: number): number;
  pick<T>(some: readonly [T, ...T[]]): T;
}

const seeds =
  process.env.SEED === undefined ? Array.from({ length: LIVES }, (_, index) => index + 1) : [Number(process.env.SEED)];

test(`what must hold holds in ${seeds.length} simulated lives`, () => {
  for (const seed of seeds) {
    try {
      live(seed);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
});

test('the same seed gives the same life', () => {
  assert.deepEqual(live(7).lines, live(7).lines);
});

function live(seed: number): World {
  const dice = rollFrom(seed);
  const target = drawTarget(dice);
  const world: World = createWorld(
    target,
    () => (world.nowMs < TROUBLE_MS ? drawPlan(dice, target) : workingPlan(target)),
    seed,
  );
  if (dice.chance(0.5)) for (let copy = 0; copy < target.min; copy += 1) world.at(0, () => world.appear());
  for (let atMs = dice.between(0, 5_000); atMs < TROUBLE_MS; atMs += dice.between(10, 20_000)) {
    const [what, when] = [drawTrouble(dice, world), atMs];
    world.at(when, what);
  }
  world.at(TROUBLE_MS, () => world.blind(null));
  for (let atMs = 500; atMs <= TROUBLE_MS + CALM_MS; atMs += 500) {
    world.run(atMs);
    assert.ok(world.commandsRunning <= 1, 'never two recoveries at a time');
  }
  checkStarts(world, target);
  assert.ok(world.targetsUp() >= target.min, `the target is up in the end, not ${JSON.stringify(world.state)}`);
  assert.equal(world.state.phase.kind, 'up', `and is known to be, not ${JSON.stringify(world.state)}`);
  return world;
}

function checkStarts(world: World, target: Target): void {
  for (const start of world.starts) {
    assert.ok(!start.wasBlind, `nothing is started while we cannot look: at ${start.atMs}`);
    assert.ok(start.targetsThen < target.min, `nothing is started while the target is up: at ${start.atMs}`);
  }
  const told = world.lines.filter((line) => line.report?.kind === 'recovering');
  assert.deepEqual(
    told.map((line) => line.atMs),
    world.starts.map((start) => start.atMs),
    'every start has its line, and every line its start',
  );
  const failed = world.lines.flatMap((line) =>
    line.report?.kind === 'recovery-failed' ? [{ ...line.report, atMs: line.atMs }] : [],
  );
  for (const failure of failed) {
    const next = world.starts.find((start) => start.atMs > failure.atMs);
    const upBefore = world.lines.some(
      (line) => line.report?.kind === 'came-back' && line.atMs >= failure.atMs && line.atMs <= (next?.atMs ?? 0),
    );
    if (next !== undefined && !upBefore) {
      assert.ok(next.atMs >= failure.atMs + failure.nextMs, `the pause after the failure at ${failure.atMs} is kept`);
    }
  }
  const blindLines = world.lines.filter((line) => line.report?.kind === 'blind' || line.report?.kind === 'sighted');
  blindLines.forEach((line, index) => {
    if (line.report?.kind === 'sighted')
      assert.equal(blindLines[index - 1]?.report?.kind, 'blind', 'sight comes back once');
  });
}

function drawTarget(dice: Dice): Target {
  return makeTarget({
    min: dice.pick([1, 1, 1, 2, 3]),
    deathsAreTold: dice.chance(0.7),
    confirmMs: dice.pick([0, 200, 1_000]),
    settleMs: dice.pick([0, 500, 3_000]),
    startGraceMs: dice.pick([0, 1_000, 10_000]),
    recoverTimeoutMs: dice.pick([1_000, 10_000, 60_000]),
    backoff: dice.pick([null, { minMs: 1_000, maxMs: 60_000 }, { minMs: 100, maxMs: 100 }]),
  });
}

function drawPlan(dice: Dice, target: Target): RecoveryPlan {
  const afterMs = dice.between(1, 12_000);
  switch (dice.pick(['works', 'works', 'fails', 'refused', 'hangs', 'stubborn', 'foreground', 'flaps', 'late'])) {
    case 'works':
      return workingPlan(target);
    case 'fails':
      return { exits: { afterMs, how: { kind: 'exited', status: dice.pick([0, 1, 126, 127]) } } };
    case 'refused':
      return { refusal: 'not now' };
    case 'hangs':
      return dice.chance(0.5) ? {} : { leaves: [{ afterMs, livesMs: dice.between(1, 30_000) }] };
    case 'stubborn':
      return { ignoresTerm: true };
    case 'foreground':
      return { becomesTargetAfterMs: 50, exits: { afterMs: dice.between(60, 60_000), how: drawDeath(dice) } };
    case 'flaps':
      return {
        exits: { afterMs: 50, how: { kind: 'exited', status: 0 } },
        leaves: [{ afterMs: 100, livesMs: dice.between(1, 5_000) }],
      };
    default:
      return { exits: { afterMs: 50, how: { kind: 'exited', status: 0 } }, leaves: [{ afterMs }] };
  }
}

/** As many appear as must be there: a recovery that leaves fewer can't succeed. */
function workingPlan(target: Target): RecoveryPlan {
  return {
    exits: { afterMs: 20, how: { kind: 'exited', status: 0 } },
    leaves: Array.from({ length: target.min }, () => ({ afterMs: 10 })),
  };
}

function drawTrouble(dice: Dice, world: World): () => void {
  const how = drawDeath(dice);
  switch (dice.pick(['dies', 'dies', 'restarts', 'blind', 'sight', 'sight', 'appears'])) {
    case 'restarts': {
      const pauseMs = dice.between(0, 1_500);
      return () => {
        world.endAny(how);
        world.at(world.nowMs + pauseMs, () => world.appear());
      };
    }
    case 'blind':
      return () => world.blind('the dice say so');
    case 'sight':
      return () => world.blind(null);
    case 'appears':
      return () => world.appear();
    default:
      return () => world.endAny(how);
  }
}

function drawDeath(dice: Dice): Death {
  return dice.pick<Death>([
    { kind: 'unknown' },
    { kind: 'exited', status: 0 },
    { kind: 'exited', status: 3 },
    { kind: 'killed', signal: 'KILL' },
    { kind: 'killed', signal: 'TERM' },
  ]);
}

function rollFrom(first: number): Dice {
  let seed = first * 7_919;
  const roll = (): number => {
    const random = nextRandom(seed);
    seed = random.seed;
    return random.value;
  };
  return {
    chance: (probability) => roll() < probability,
    between: (least, most) => Math.floor(least + roll() * (most - least)),
    pick: (some) => some[Math.floor(roll() * some.length)] ?? some[0],
  };
}
