/**
 * Whole fleets on a virtual clock: targets with random dependencies, random deaths,
 * recoveries that work or don't, operators who ask for anything at any time. What must
 * hold at every moment, holds.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findWaitedFor, isThere } from '../../src/core/fleet.ts';
import { whyIdle } from '../../src/core/operator.ts';
import type { OperatorOrder } from '../../src/core/types.ts';
import { makeTarget } from '../support/target.ts';
import { createWorld, type World } from './world.ts';

const SEEDS = Number(process.env.SEEDS ?? 48);
const LIFE_MS = 900_000;

for (const block of [0, 1, 2, 3]) {
  test(`lives of fleets, block ${block + 1} of 4`, () => {
    for (let seed = block; seed < SEEDS; seed += 4) live(seed + 1);
  });
}

function live(seed: number): void {
  const random = makeRandom(seed);
  const count = 2 + Math.floor(random() * 4);
  const dependsOn = Array.from({ length: count }, (_, at) =>
    Array.from({ length: at }, (_unused, other) => other).filter(() => random() < 0.4),
  );
  const worlds: World[] = [];
  for (let at = 0; at < count; at += 1) {
    const target = makeTarget({ name: `t${at}`, label: `t${at}`, backoff: { minMs: 1_000, maxMs: 20_000 } });
    worlds.push(
      createWorld(
        target,
        () => {
          const { kind } = worlds[at]?.state.phase ?? { kind: 'none' };
          assert.equal(kind, 'recovering', `seed ${seed}: started in phase ${kind}`);
          assert.ok(
            (dependsOn[at] ?? []).every((other) => isThere(worlds[other]?.state)),
            `seed ${seed}: t${at} was started before what it depends on was up`,
          );
          return random() < 0.7
            ? { leaves: [{ afterMs: 50 + random() * 500 }], exits: { afterMs: 10, how: { kind: 'exited', status: 0 } } }
            : { exits: { afterMs: 10, how: { kind: 'exited', status: 1 } } };
        },
        seed * 100 + at,
      ),
    );
  }
  const waitedFor = (at: number): string | null => {
    const names = (dependsOn[at] ?? []).map((other) => `t${other}`);
    return findWaitedFor(names, (name) => worlds[Number(name.slice(1))]?.state);
  };
  let held = worlds.map(() => false);
  for (let nowMs = 0; nowMs <= LIFE_MS; nowMs += 50) {
    for (const [at, world] of worlds.entries()) {
      const waits = waitedFor(at);
      world.waitFor(waits);
      world.run(nowMs);
      if (random() < 0.002) world.endAny({ kind: 'killed', signal: random() < 0.5 ? 'KILL' : 'TERM' });
      if (random() < 0.001) ask(world, random, seed);
      const { kind } = world.state.phase;
      if (held[at] && (kind === 'paused' || kind === 'stopped')) {
        assert.equal(
          world.starts.filter((one) => one.atMs > nowMs - 50).length,
          0,
          `seed ${seed}: started while ${kind}`,
        );
      }
    }
    held = worlds.map(({ state: { phase } }) => phase.kind === 'paused' || phase.kind === 'stopped');
  }
  // Once nobody asks or kills any more, whatever is not held comes up, in its order.
  for (const world of worlds) ask(world, () => 0, seed, { verb: 'resume' });
  for (let nowMs = LIFE_MS; nowMs <= LIFE_MS + 600_000; nowMs += 50) {
    for (const [at, world] of worlds.entries()) {
      world.waitFor(waitedFor(at));
      world.run(nowMs);
    }
  }
  for (const [at, world] of worlds.entries()) {
    assert.ok(
      isThere(world.state) || world.state.phase.kind !== 'waiting',
      `seed ${seed}: t${at} ends ${world.state.phase.kind}`,
    );
    for (const { targetsThen, wasBlind } of world.starts) {
      assert.ok(targetsThen === 0 && !wasBlind, `seed ${seed}: t${at} was started while it was there`);
    }
  }
}

function ask(world: World, random: () => number, seed: number, asked?: OperatorOrder): void {
  const verbs = ['pause', 'resume', 'start', 'stop', 'restart', 'recover'] as const;
  const verb = verbs[Math.floor(random() * verbs.length)] ?? 'resume';
  const order: OperatorOrder =
    asked ?? (verb === 'pause' ? { verb, forMs: random() < 0.8 ? random() * 60_000 : null, reason: null } : { verb });
  const before = JSON.stringify(world.state);
  const why = whyIdle(world.state, order);
  world.ask(order);
  if (why !== null)
    assert.equal(JSON.stringify(world.state), before, `seed ${seed}: what makes no sense changes nothing`);
}

/** mulberry32: the same life for the same seed. */
function makeRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
