import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compilePattern, type PatternSettings } from '../../src/config/pattern.ts';

const plain: Omit<PatternSettings, 'text'> = { isFixed: false, isExact: false, ignoresCase: false };

function matches(text: string, line: string, changes: Partial<PatternSettings> = {}): boolean {
  const compiled = compilePattern({ text, ...plain, ...changes });
  assert.ok('matcher' in compiled, 'problem' in compiled ? compiled.problem : '');
  return compiled.matcher(line);
}

test('a pattern is a POSIX extended regular expression', () => {
  const rows: readonly [pattern: string, line: string, matches: boolean][] = [
    ['my.js', 'node my.js', true],
    ['my.js', 'tail -f my-js.log', true],
    ['my\\.js', 'tail -f my-js.log', false],
    ['^node', 'node my.js', true],
    ['^my', 'node my.js', false],
    ['js$', 'node my.js', true],
    ['[[:space:]]my', 'node my.js', true],
    ['[[:digit:]]{3}', 'x 123', true],
    ['[[:digit:]]{3}', 'x 12', false],
    ['[]x]y', ']y', true],
    ['[^]x]y', ']y', false],
    ['[a\\]z', '\\z', true],
    ['[a-c-]z', '-z', true],
    ['zq**', 'z', true],
    ['a+?b', 'b', true],
    ['zq{,2}x', 'zx', true],
    ['(ab|cd){2}', 'abcd', true],
    ['zq)', 'zq)', true],
    ['a^b', 'a^b', false],
    ['a.b', 'a\nb', true],
    ['\\<node\\>', 'a node b', true],
    ['\\<node\\>', 'anode', false],
    ['caf.$', 'café', true],
    ['x\\{2\\}', 'x{2}', true],
    ['[[=a=]]b', 'ab', true],
    ['[[.-.]]b', '-b', true],
  ];
  for (const [pattern, line, expected] of rows) assert.equal(matches(pattern, line), expected, `${pattern} on ${line}`);
});

test('switches change how a pattern is read', () => {
  assert.equal(matches('my.js', 'my-js', { isFixed: true }), false);
  assert.equal(matches('a(b', 'x a(b', { isFixed: true }), true);
  assert.equal(matches('NODE', 'node x', { ignoresCase: true }), true);
  assert.equal(matches('node', 'node x', { isExact: true }), false);
  assert.equal(matches('node x|y', 'node x', { isExact: true }), true);
});

const WRONG: readonly [pattern: string, says: RegExp][] = [
  ['', /empty/],
  ['  ', /empty/],
  ['.*', /matches the empty text/],
  ['x*', /matches the empty text/],
  ['a|', /matches the empty text/],
  ['.', /matches about every process/],
  ['[a-zA-Z]', /matches about every process/],
  ['(', /"\(" without "\)"/],
  ['a[b', /"\[" without "\]"/],
  ['*a', /nothing before it to repeat/],
  ['^*a', /nothing before it to repeat/],
  ['a|*b', /nothing before it to repeat/],
  ['a{', /"\{" without "\}"/],
  ['a{2,1}', /no repetition/],
  ['a{x}', /no repetition/],
  ['a{}', /no repetition/],
  ['a{2000}', /at most 1000/],
  ['[[:foo:]]', /no class; there are alnum/],
  ['[z-a]', /no range/],
  ['a\\', /single backslash/],
  ['(a)\\1', /refers back/],
  ['\\d+', /means nothing here; use \[0-9\]/],
];
for (const [pattern, says] of WRONG) {
  test(`the pattern ${JSON.stringify(pattern)} is refused, and it is said why`, () => {
    const compiled = compilePattern({ text: pattern, ...plain });
    assert.ok('problem' in compiled);
    assert.match(compiled.problem, says);
    assert.doesNotMatch(compiled.problem, /\n/);
  });
}

test('a hostile command line takes no longer than its length warrants', () => {
  const hostile = `${'a'.repeat(131_070)}!`;
  const startedAtMs = performance.now();
  assert.equal(matches('^(a+)+$', hostile), false);
  assert.equal(matches('(a|aa)+b', hostile), false);
  assert.ok(performance.now() - startedAtMs < 5_000);
});
