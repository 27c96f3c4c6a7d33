/**
 * Plays the transcripts beside this file. Each tells a story in the words of the log:
 * what happens at which moment, and below the line what is said and done about it.
 *
 *     target min=2 confirm=1s      the target's settings that differ from the defaults
 *     recovery: exits 0 after 1s, leaves 200ms lives 2s    what each recovery does; the last for all that follow
 *     0s appears 101               a process of the target
 *     2s ends 101 KILL             ended by a signal, `exit 3`, or `silently`: of that nobody tells
 *     3s blind no /proc            looks fail; `sight` lets them succeed again
 *     4s stubborn 101              it ends by no signal but KILL
 *     5s asks pause 10m deploy     an operator: pause, resume, start, stop, restart, recover
 *     6s waits-for db              another target is not up that must be; without a name: it is
 *     60s end                      so far the story goes
 *     --
 *     0s      watching: …
 *
 * After a wanted change, `UPDATE=1 npm test -- scenarios` writes them anew: read the diff.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseDuration } from '../../src/config/duration.ts';
import { formatDuration } from '../../src/core/duration.ts';
import type { Death, OperatorOrder, Target } from '../../src/core/types.ts';
import { createWorld, type RecoveryPlan, type World } from '../simulation/world.ts';
import { makeTarget } from '../support/target.ts';

const files = globSync('*.txt', { cwd: import.meta.dirname }).sort();
assert.ok(files.length > 0, 'there are transcripts');

for (const file of files) {
  const path = join(import.meta.dirname, file);
  const text = readFileSync(path, 'utf8');
  const [story = '', told = ''] = text.split('\n--\n');
  test(story.split('\n')[0]?.replace(/^# /, '') ?? file, () => {
    const played = play(story);
    if (process.env.UPDATE === '1') writeFileSync(path, `${story}\n--\n${played}`);
    else assert.equal(played, told);
  });
}

function play(story: string): string {
  let target = makeTarget();
  const plans: RecoveryPlan[] = [];
  const happenings: { atMs: number; words: string[] }[] = [];
  for (const line of story.split('\n')) {
    if (line.startsWith('#') || line.trim() === '') continue;
    const words = line.trim().split(/\s+/);
    if (words[0] === 'target') target = makeTarget(readTarget(words.slice(1)));
    else if (words[0] === 'recovery:') plans.push(readPlan(line.slice('recovery:'.length)));
    else happenings.push({ atMs: ms(words[0] ?? ''), words: words.slice(1) });
  }
  let started = 0;
  const world = createWorld(target, () => {
    const plan = plans[Math.min(started, plans.length - 1)];
    started += 1;
    return plan ?? {};
  });
  const last = happenings.at(-1);
  assert.equal(last?.words[0], 'end', 'a story ends with: TIME end');
  for (const { atMs, words } of happenings) world.at(atMs, () => happen(world, words));
  world.run(last?.atMs ?? 0);
  return world.lines.map(({ atMs, text }) => `${formatDuration(atMs).padEnd(8)}${text}\n`).join('');
}

function happen(world: World, words: readonly string[]): void {
  const [what, ...rest] = words;
  switch (what) {
    case 'appears':
      world.appear(Number(rest[0]));
      return;
    case 'ends':
      world.end(Number(rest[0]), readDeath(rest.slice(1)), rest[1] !== 'silently');
      return;
    case 'ends-any':
      world.endAny(readDeath(rest));
      return;
    case 'blind':
      world.blind(rest.join(' '));
      return;
    case 'sight':
      world.blind(null);
      return;
    case 'asks':
      world.ask(readOrder(rest));
      return;
    case 'stubborn':
      world.makeStubborn(Number(rest[0]));
      return;
    case 'waits-for':
      world.waitFor(rest[0] ?? null);
      return;
    case 'end':
      return;
    default:
      assert.fail(`no such happening: ${words.join(' ')}`);
  }
}

function readOrder([verb, forTime, ...reason]: readonly string[]): OperatorOrder {
  if (verb !== 'pause') return { verb: verb as Exclude<OperatorOrder['verb'], 'pause'> };
  return { verb, forMs: forTime === undefined ? null : ms(forTime), reason: reason.join(' ') || null };
}

function readTarget(words: readonly string[]): Partial<Target> {
  const changes: Record<string, unknown> = {};
  for (const word of words) {
    const [name = '', value = ''] = word.split('=');
    if (name === 'min' || name === 'max') changes[name] = Number(value);
    else if (name === 'stop') changes.stop = { command: value, signal: 'TERM', timeoutMs: 10_000 };
    else if (name === 'dry-run') changes.dryRun = true;
    else if (name === 'polled') changes.deathsAreTold = false;
    else if (name === 'backoff') changes.backoff = readBackoff(value);
    else changes[`${name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())}Ms`] = ms(value);
  }
  return changes;
}

function readBackoff(value: string): Target['backoff'] {
  const [min, max] = value.split('..');
  return max === undefined ? null : { minMs: ms(min ?? ''), maxMs: ms(max) };
}

function readPlan(text: string): RecoveryPlan {
  const plan: { -readonly [K in keyof RecoveryPlan]: RecoveryPlan[K] } = {};
  const leaves: { afterMs: number; livesMs?: number }[] = [];
  for (const clause of text.split(',')) {
    const words = clause.trim().split(/\s+/);
    if (words[0] === 'exits')
      plan.exits = { how: { kind: 'exited', status: Number(words[1]) }, afterMs: ms(words[3] ?? '') };
    else if (words[0] === 'is-target') plan.becomesTargetAfterMs = ms(words[1] ?? '');
    else if (words[0] === 'leaves') {
      leaves.push({ afterMs: ms(words[1] ?? ''), ...(words[2] === 'lives' ? { livesMs: ms(words[3] ?? '') } : {}) });
    } else if (words[0] === 'refused') plan.refusal = words.slice(1).join(' ');
    else if (words[0] === 'ignores-term') plan.ignoresTerm = true;
    else assert.ok(words[0] === 'hangs', `no such plan: ${clause}`);
  }
  return { ...plan, leaves };
}

function readDeath(words: readonly string[]): Death {
  if (words[0] === 'exit') return { kind: 'exited', status: Number(words[1]) };
  return words[0] === undefined || words[0] === 'silently' ? { kind: 'unknown' } : { kind: 'killed', signal: words[0] };
}

function ms(text: string): number {
  const parsed = parseDuration(text);
  assert.ok('ms' in parsed, `no duration: ${text}`);
  return parsed.ms;
}
