import assert from 'node:assert/strict';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { beginFrom, openSavedFile, readSaved, toSaved } from '../../src/brain/saved.ts';
import { initialState } from '../../src/core/state.ts';
import { parseStat } from '../../src/system/proc-stat.ts';
import { makeSandbox } from '../support/sandbox.ts';
import { makeTarget } from '../support/target.ts';

const own = { pid: process.pid, startTime: parseStat(readFileSync('/proc/self/stat', 'latin1'))?.startTime ?? 0 };
const target = makeTarget();

test('pauses, stops and recoveries under way are read as they were written', (t) => {
  const path = makeSandbox(t).path('saved.json');
  const fresh = initialState(target, 1, 0);
  const paused = {
    ...fresh,
    phase: { kind: 'paused', followed: [], untilAtMs: 60_000, reason: 'é', lookAtMs: 60_000 } as const,
  };
  const stopped = { ...fresh, phase: { kind: 'stopped', followed: [], lookAtMs: null } as const };
  const running = { ...fresh, command: { ...own, stopping: null } };
  const trouble: string[] = [];
  openSavedFile(path, (why) => trouble.push(why))(
    toSaved(
      [
        ['a', paused],
        ['b', stopped],
        ['c', running],
        ['d', fresh],
      ],
      0,
    ),
  );
  const { targets, why } = readSaved(path);
  assert.deepEqual([trouble, why, targets.map(({ name }) => name)], [[], null, ['a', 'b', 'c']]);
  const [a, b, c] = targets.map((saved) => beginFrom(target, saved, 1, 1_000));
  assert.equal(a?.phase.kind === 'paused' && a.phase.reason, 'é');
  assert.equal(b?.phase.kind, 'stopped');
  assert.deepEqual([c?.phase.kind, c?.command?.pid], ['looking', own.pid]);
});

test('a pause that has ended, and a recovery that has, are none', (t) => {
  const path = makeSandbox(t).path('saved.json');
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  const gone = { pid: own.pid, startTime: own.startTime + 1 };
  const paused = { untilMs: Date.now() - 1_000, reason: null };
  writeFileSync(path, JSON.stringify({ boot, targets: [{ name: 'a', paused, isStopped: false, command: gone }] }));
  const [saved] = readSaved(path).targets;
  assert.deepEqual([beginFrom(target, saved, 1, 0).phase.kind, saved?.command], ['looking', null]);
});

test('what was stopped before the machine was started anew is forgotten, a pause is not', (t) => {
  const path = makeSandbox(t).path('saved.json');
  const paused = { untilMs: null, reason: null };
  writeFileSync(
    path,
    JSON.stringify({
      boot: 'another',
      targets: [
        { name: 'a', paused, isStopped: false, command: own },
        { name: 'b', paused: null, isStopped: true, command: null },
      ],
    }),
  );
  const [a, b] = readSaved(path).targets;
  assert.deepEqual([a?.paused, a?.command, b?.isStopped], [paused, null, false]);
});

test('a file that is broken, foreign or no file is ignored, with one word', (t) => {
  const sandbox = makeSandbox(t);
  const path = sandbox.path('saved.json');
  assert.deepEqual(readSaved(path), { targets: [], why: null }, 'none is nothing wrong');
  for (const text of ['', '{', '[]', 'null', '{"boot":"x","targets":[{"name":1}]}', '{"boot":"x","targets":{}}']) {
    writeFileSync(path, text);
    const { targets, why } = readSaved(path);
    assert.deepEqual([targets, /is ignored$/.test(why ?? '')], [[], true], text);
  }
  symlinkSync(path, sandbox.path('link'));
  assert.match(readSaved(sandbox.path('link')).why ?? '', /cannot be read/);
  const trouble: string[] = [];
  const save = openSavedFile('/nonexistent/saved.json', (why) => trouble.push(why));
  const stopped = { ...initialState(target, 1, 0), phase: { kind: 'stopped', followed: [], lookAtMs: null } as const };
  for (let round = 0; round < 3; round += 1) save(toSaved([['a', stopped]], 0));
  assert.equal(trouble.length, 1, 'said once');
});
