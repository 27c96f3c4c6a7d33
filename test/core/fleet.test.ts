import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findCycle, findWaitedFor, selectNames, withDependencies } from '../../src/core/fleet.ts';
import { toGlob } from '../../src/core/glob.ts';
import { initialState } from '../../src/core/state.ts';
import { enterUp } from '../../src/core/transitions.ts';
import { makeTarget } from '../support/target.ts';

test('who waits, waits for the first that is not up', () => {
  const target = makeTarget();
  const down = initialState(target, 1, 0);
  const up = enterUp(target, down, [{ pid: 1, startTime: 1, commandLine: 'x' }], 0, 0);
  const states = new Map([
    ['a', up],
    ['b', down],
  ]);
  assert.equal(
    findWaitedFor([], (name) => states.get(name)),
    null,
  );
  assert.equal(
    findWaitedFor(['a'], (name) => states.get(name)),
    null,
  );
  assert.equal(
    findWaitedFor(['a', 'b'], (name) => states.get(name)),
    'b',
  );
  assert.equal(
    findWaitedFor(['gone'], (name) => states.get(name)),
    'gone',
  );
});

test('a circle is found, wherever it begins, and nothing else is taken for one', () => {
  const of = (pairs: Record<string, readonly string[]>) => findCycle(new Map(Object.entries(pairs)));
  assert.equal(of({ a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }), null);
  assert.deepEqual(of({ a: ['b'], b: ['c'], c: ['b'] }), ['b', 'c', 'b']);
  assert.deepEqual(of({ a: ['a'] }), ['a', 'a']);
});

test('what others depend on comes first, and is there though it was not named', () => {
  const dependencies: Record<string, readonly string[]> = { app: ['cache', 'db'], cache: ['db'], db: [], other: [] };
  const ordered = (...names: string[]) => withDependencies(names, (name) => dependencies[name] ?? []);
  assert.deepEqual(ordered('app'), ['db', 'cache', 'app']);
  assert.deepEqual(ordered('other', 'cache', 'db'), ['other', 'db', 'cache']);
});

test('names, globs and groups choose targets; a word that means nobody is told', () => {
  const targets = [
    { name: 'web-1', groups: ['web'] },
    { name: 'web-2', groups: ['web', 'blue'] },
    { name: 'db', groups: [] },
  ];
  const rows: readonly (readonly [readonly string[], readonly string[], readonly string[]])[] = [
    [['web-1'], ['web-1'], []],
    [['web'], ['web-1', 'web-2'], []],
    [['web-*', 'db'], ['web-1', 'web-2', 'db'], []],
    [['web-?'], ['web-1', 'web-2'], []],
    [['b*'], ['web-2'], []],
    [['*'], ['web-1', 'web-2', 'db'], []],
    [['nobody', 'db'], ['db'], ['nobody']],
  ];
  for (const [words, names, unknown] of rows) assert.deepEqual(selectNames(words, targets), { names, unknown });
});

test('a glob is what it means as a regular expression, and takes no time', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '.') });
  fc.assert(
    fc.property(word, fc.string({ unit: fc.constantFrom('a', 'b', '.') }), (glob, text) => {
      const parts = [...glob].map((one) => (one === '*' ? '.*' : one === '?' ? '.' : one.replace('.', '\\.')));
      assert.equal(toGlob(glob)(text), new RegExp(`^${parts.join('')}$`, 's').test(text));
    }),
  );
  assert.equal(toGlob(`${'*a'.repeat(200)}b`)('a'.repeat(20_000)), false);
});
