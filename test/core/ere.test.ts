import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compilePattern, type PatternSettings } from '../../src/config/pattern.ts';

const plain: Omit<PatternSettings, 'text'> = { isFixed: false, isExact: false, ignoresCase: false };

async function matches(text: string, line: string, changes: Partial<PatternSettings> = {}): Promise<boolean> {
  const compiled = await compilePattern({ text, ...plain, ...changes });
  assert.ok('matcher' in compiled, 'problem' in compiled ? compiled.problem : '');
  return compiled.matcher(line);
}

test('a pattern is a POSIX extended regular expression', async () => {
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
  for (const [pattern, line, expected] of rows)
    assert.equal(await matches(pattern, line), expected, `${pattern} on ${line}`);
});

test('switches change how a pattern is read', async () => {
  assert.equal(await matches('my.js', 'my-js', { isFixed: true }), false);
  assert.equal(await matches('a(b', 'x a(b', { isFixed: true }), true);
  assert.equal(await matches('NODE', 'node x', { ignoresCase: true }), true);
  assert.equal(await matches('node', 'node x', { isExact: true }), false);
  assert.equal(await matches('node x|y', 'node x', { isExact: true }), true);
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
  ['x'.repeat(5_000), /has 5000 characters; at most 4096/],
  ['[[:foo:]]', /no class; there are alnum/],
  ['[z-a]', /no range/],
  ['a\\', /single backslash/],
  ['(a)\\1', /refers back/],
  ['\\d+', /means nothing here; use \[0-9\]/],
];
for (const [pattern, says] of WRONG) {
  test(`the pattern ${JSON.stringify(pattern)} is refused, and it is said why`, async () => {
    const compiled = await compilePattern({ text: pattern, ...plain });
    assert.ok('problem' in compiled);
    assert.match(compiled.problem, says);
    assert.doesNotMatch(compiled.problem, /\n/);
  });
}

test('a hostile command line takes no longer than its length warrants', async () => {
  const hostile = `${'a'.repeat(131_070)}!`;
  const startedAtMs = performance.now();
  assert.equal(await matches('^(a+)+$', hostile), false);
  assert.equal(await matches('(a|aa)+b', hostile), false);
  assert.ok(performance.now() - startedAtMs < 5_000);
});

test('a plain pattern means the same to either matcher', async () => {
  const { RE2JS } = await import('re2js');
  const { translateEre } = await import('../../src/core/ere.ts');
  const { toPlainRegExp } = await import('../../src/core/plain-pattern.ts');
  const piece = fc.constantFrom('a', 'b', '.', '\\.', '\\|', '\\\\', ' ', '-', '/', '^', '$', '|', '\\(', '<');
  const patterns = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join(''));
  const lines = fc.array(fc.constantFrom('a', 'b', '.', '|', '\\', '(', '<', ' ', '\n', 'é', '💥', '\udc80'), {
    maxLength: 8,
  });
  let compared = 0;
  fc.assert(
    fc.property(patterns, lines, fc.boolean(), (pattern, pieces, isExact) => {
      const regExp = toPlainRegExp(pattern, isExact);
      const translation = translateEre(pattern);
      if (regExp === null || translation.kind === 'invalid') return;
      compared += 1;
      const { re2 } = translation;
      const compiled = RE2JS.compile(isExact ? `\\A(?:${re2})\\z` : re2, RE2JS.DOTALL | RE2JS.LOOKBEHINDS);
      const line = pieces.join('');
      assert.equal(regExp.test(line), compiled.test(line), JSON.stringify({ pattern, line, isExact }));
    }),
    { numRuns: 5_000 },
  );
  assert.ok(compared > 1_000, String(compared));
});

test('what repeats, groups or has brackets is not plain', async () => {
  const { toPlainRegExp } = await import('../../src/core/plain-pattern.ts');
  for (const text of [
    'a*',
    'a+',
    'a?',
    'a{2}',
    '(a)',
    '[a]',
    'a^b',
    'a$b',
    'a\\b',
    'a|',
    '|a',
    'é',
    'a\\\\|b*',
    '^',
    '\\',
  ]) {
    assert.equal(toPlainRegExp(text, false), null, text);
  }
  for (const text of ['my.js', '^node my\\.js$', 'nginx: master', 'a|b', 'a\\|b'])
    assert.ok(toPlainRegExp(text, false), text);
});
