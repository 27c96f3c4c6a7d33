// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of a configuration are what is tested
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { expandVariables } from '../../src/config/expand.ts';
import { readConfigFile, withDefaults } from '../../src/config/file.ts';
import { parseToml } from '../../src/config/toml.ts';

const RUNS = Number(process.env.RUNS ?? 1_500);

const GOOD = `log = "log"
include = ["conf.d/*.toml"]
[defaults]
settle = "1s"
env = { A = "1" }
limits = { nofile = 64 }
[target.web]
pattern = "my.js"
recover = """
node my.js
"""
min = 0x2
fixed = true
env.B = "\${HOME}"
depends-on = [
  "db", # the other
]
[target.'d b'.env]
C = "3"
`;

test('every value has its path and its line, however it is written', () => {
  const parsed = parseToml(GOOD, 'x');
  assert.ok('entries' in parsed);
  const lines = new Map(parsed.entries.map(({ line, path }) => [path.join('/'), line]));
  assert.deepEqual(
    ['log', 'defaults/env/A', 'target/web/min', 'target/web/env/B', 'target/d b/env/C'].map((path) => lines.get(path)),
    [1, 5, 12, 14, 19],
  );
});

test('what a file gives is what the command line would have given, with the place of each', () => {
  const { file, problems } = readConfigFile(GOOD, '/etc/w.toml', { HOME: '/root' });
  assert.deepEqual(
    problems.map(({ where }) => where),
    [`/etc/w.toml:18: target."d b"`],
  );
  assert.deepEqual(file.watchdog.log, { value: '/etc/log', from: '/etc/w.toml:1: log' });
  assert.deepEqual(file.include, [{ value: '/etc/conf.d/*.toml', from: '/etc/w.toml:2: include' }]);
  const [web] = file.targets;
  const given = withDefaults(web?.given ?? {}, file.defaults);
  assert.deepEqual(given.min, { value: '2', from: '/etc/w.toml:12: target.web.min' });
  assert.deepEqual(given.env?.value, ['A=1', 'B=/root']);
  assert.deepEqual(given.limits?.value, ['nofile=64']);
  assert.deepEqual(given['depends-on']?.value, ['db']);
  assert.equal(given.settle?.from, '/etc/w.toml:4: defaults.settle');
});

test('variables: there, missing, empty, with a text instead, and none at all', () => {
  const environment = { A: 'x', EMPTY: '' };
  const rows: readonly (readonly [string, string, number])[] = [
    ['${A}/${A}', 'x/x', 0],
    ['$A $(date) $1', '$A $(date) $1', 0],
    ['$${A}', '${A}', 0],
    ['${EMPTY}', '', 0],
    ['${EMPTY:-y}${NO:-z}', 'yz', 0],
    ['${NO}', '', 1],
    ['${', '', 1],
    ['${A B}', '', 1],
    ['${__proto__}', '', 1],
  ];
  for (const [text, expanded, problems] of rows) {
    const result = expandVariables(text, environment);
    assert.deepEqual([result.text, result.problems.length], [expanded, problems], text);
  }
});

test('no text whatever is more than a list of problems', () => {
  const piece = fc.constantFrom(
    ...GOOD.split(/(?<=\s)/),
    '__proto__',
    'constructor',
    '[',
    ']',
    '"',
    "'''",
    '=',
    '{',
    '}',
    '#',
    '.',
    '\\',
    '9',
    '\r',
    '${',
  );
  const mutated = fc
    .array(fc.oneof({ weight: 6, arbitrary: piece }, fc.string()), { maxLength: 60 })
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.oneof(mutated, fc.string(), fc.constant(GOOD)), (text) => {
      const { file, problems } = readConfigFile(text, '/x/y.toml', { HOME: '/root' });
      for (const { what, where } of problems) assert.ok(where.startsWith('/x/y.toml:') && what.length > 0, where);
      for (const { given } of file.targets)
        for (const value of Object.values(given)) assert.equal(typeof value.from, 'string');
    }),
    { numRuns: RUNS },
  );
});
