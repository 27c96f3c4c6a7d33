/**
 * Against the real pgrep: the same patterns on the same living processes. Where the two
 * differ, the difference is listed here with its reason, and there is no other.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { compile } from '../support/compile.ts';
import { readProcess } from '../support/processes.ts';
import { makeSandbox, type Sandbox, WATCHDOG } from '../support/sandbox.ts';
import { waitUntil } from '../support/wait-until.ts';

const SEED = 20_261_121;
const GENERATED = 100;

/** Command lines that were picked for what they do to matchers; `@` is put in front of each. */
const LINES: readonly (readonly string[])[] = [
  ['node', 'my.js', 'start'],
  ['node', 'my-js', 'start'],
  ['NODE', 'MY.JS'],
  ['/usr/bin/node', '--flag=1', '/srv/my.js'],
  ['python3', '-m', 'http.server', '8000'],
  ['java', '-cp', 'a.jar:b.jar', 'com.example.Main'],
  ['a', '', 'b'],
  ['a', ' ', 'b'],
  ['a b', 'c'],
  ['back\\slash'],
  ['dollar$', '^caret'],
  ['(paren)', '[bracket]', '{brace}'],
  ['star*', 'plus+', 'quest?'],
  ['pipe|pipe'],
  ['x'.repeat(5_000), 'end'],
  ['aaaa'],
  ['aaab'],
  ['abab', 'abab'],
  ['0123456789'],
  ['UPPER', 'lower', 'MiXeD'],
  ['under_score', 'dash-dash'],
  ['trailing', ''],
  ['trailing blank '],
  ["quote'quote", '"double"'],
  ['comma,semi;colon:'],
  ['a.b.c'],
  ['~tilde`tick'],
  ['#hash%per!bang&amp@at=eq'],
];

/** Patterns that were picked for what they ask of an engine. */
const PATTERNS = [
  'my.js',
  'my\\.js',
  '^@.*node',
  'start$',
  'my[.]js',
  'node (my|your)',
  '[[:digit:]]{4}',
  '[[:upper:]]{4}',
  '[[:space:]]b',
  '[[:blank:]]',
  '[[:punct:]]{2}',
  '[[:alnum:]_]+_score',
  '[[:xdigit:]]{8}',
  '[^[:alpha:] ]z*[0-9]',
  'a{4}',
  '(ab){2} (ab){2}',
  'a**b',
  '(a|b)+?c',
  '\\(paren\\)',
  '[]]',
  '[^]a-z]',
  '[[]bracket',
  '\\{brace\\}',
  '\\$',
  '\\^caret',
  'star\\*',
  'a{2,3}b',
  'a{,2}b',
  '\\\\slash',
  'pipe\\|pipe',
  'x{200}',
  'end$',
  '\\<node\\>',
  '\\>node',
  'node\\<',
  '\\<ode',
  'nod\\>',
  ' \\<my',
  'my\\>.js',
  '\\bmy\\b',
  '\\Bode',
  '\\w+_\\w+',
  'e\\sm',
  '\\Sjs',
  '=[=]?eq',
  '()end',
  'a b$',
  '^@a  b$',
  'b c',
  'here$',
  'line$',
  'trailing ?$',
  'lower.*MiXeD',
  '[--/]dash',
  '[a\\]]slash',
  'quote.quote',
  '((((my))))',
  'node|python3|java',
  'a^b',
  'e$m',
  '[[=m=]]y',
  '[[.-.]]dash',
];

/** Where the two differ, and why. */
const REFUSED_BY_US: readonly [pattern: string, reason: string][] = [
  ['(a)\\1', 'a back-reference can take a time that grows exponentially with the command line'],
  ['\\d', 'pgrep reads it as the letter d, which nobody means'],
  ['a{1001}', 'more repetitions than RE2 takes'],
  ['', 'matches every process'],
  ['x*', 'matches every process'],
  ['a|', 'matches every process'],
];

/** Pieces of which patterns are made at random: valid and invalid ones. */
const piece = fc.oneof(
  fc.constantFrom(...'aby@ .-_/0159'),
  fc.constantFrom(
    'my',
    'js',
    'node',
    'a',
    'start',
    '\\.',
    '[a-f]',
    '[^ ]',
    '[[:digit:]]',
    '[[:space:]]',
    '(a|b)',
    '(my)?',
    '\\w',
    '\\<',
    '\\>',
    '.',
  ),
  fc.constantFrom('*', '+', '?', '{2}', '{1,2}', '|', '^', '$', '(', ')', '{', '[', ']', '\\', '}'),
);
const pattern = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join(''));

interface Answer {
  readonly kind: 'pids' | 'refused';
  readonly pids: readonly number[];
}

function ask(program: string, args: readonly string[], read: (output: string) => readonly number[]): Answer {
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } });
  return status === 2 ? { kind: 'refused', pids: [] } : { kind: 'pids', pids: read(stdout) };
}

function askPgrep(pids: ReadonlySet<number>, args: readonly string[]): Answer {
  return ask('pgrep', ['-f', ...args], (output) =>
    output
      .split('\n')
      .map(Number)
      .filter((pid) => pids.has(pid))
      .sort(byNumber),
  );
}

function askUs(pids: ReadonlySet<number>, args: readonly string[]): Answer {
  return ask(WATCHDOG, ['match', '--json', ...args], (output) => {
    const { matches } = JSON.parse(output) as { matches: { pid: number }[] };
    return matches
      .map((one) => one.pid)
      .filter((pid) => pids.has(pid))
      .sort(byNumber);
  });
}

function byNumber(one: number, other: number): number {
  return one - other;
}

async function startFixtures(sandbox: Sandbox): Promise<ReadonlySet<number>> {
  const program = compile(sandbox, 'idle');
  const fixtures = LINES.map(([name = '', ...args]) => {
    // pgrep shows a program by its own name where an argument is empty, so that each begins alike.
    const child = spawn(program, args, { argv0: `@${name}`, stdio: 'ignore', env: { SANDBOX: sandbox.marker } });
    return child.pid ?? 0;
  });
  await waitUntil('all fixtures run', () => fixtures.every((pid) => readProcess(pid)?.line.startsWith('@')));
  return new Set(fixtures);
}

test(`${PATTERNS.length} picked and ${GENERATED} generated patterns on ${LINES.length} command lines`, async (t) => {
  const pids = await startFixtures(makeSandbox(t));
  const generated = fc.sample(pattern, { numRuns: GENERATED, seed: SEED });
  const differences: string[] = [];
  let pairs = 0;
  for (const one of [...PATTERNS, ...generated]) {
    const theirs = askPgrep(pids, ['--', one]);
    const ours = askUs(pids, [`--pattern=${one}`]);
    pairs += pids.size;
    if (ours.kind === 'refused' && theirs.kind === 'pids' && mayRefuse(one, pids, theirs)) continue;
    if (JSON.stringify(ours) !== JSON.stringify(theirs))
      differences.push(`${one}: ${JSON.stringify({ theirs, ours })}`);
  }
  assert.deepEqual(differences, []);
  assert.ok(pairs > 3_000, String(pairs));
});

/** What matches the empty text, or all there is, is refused; and an escaped letter or digit that means nothing. */
function mayRefuse(one: string, pids: ReadonlySet<number>, theirs: Answer): boolean {
  return theirs.pids.length === pids.size || /\\[A-Za-z0-9]/.test(one.replace(/\\[wWsSbB]/g, '')) || one.trim() === '';
}

test('whole command lines, upper and lower case, users and literal text', async (t) => {
  const pids = await startFixtures(makeSandbox(t));
  const pairs: readonly [theirs: readonly string[], ours: readonly string[]][] = [
    [
      ['-x', '--', '@node my.js start'],
      ['-x', '--pattern=@node my.js start'],
    ],
    [
      ['-x', '--', '@node'],
      ['-x', '--pattern=@node'],
    ],
    [
      ['-x', '--', '@aaa.|@abab abab'],
      ['-x', '--pattern=@aaa.|@abab abab'],
    ],
    [
      ['-i', '--', 'NODE MY.JS'],
      ['-i', '--pattern=NODE MY.JS'],
    ],
    [
      ['-i', '--', '[[:lower:]]{5} lower'],
      ['-i', '--pattern=[[:lower:]]{5} lower'],
    ],
    [
      ['-i', '-x', '--', '@node my\\.js'],
      ['-i', '-x', '--pattern=@node my\\.js'],
    ],
    [
      ['-u', 'root', '--', '@node'],
      ['-u', 'root', '--pattern=@node'],
    ],
    [
      ['-u', 'nobody', '--', '@node'],
      ['-u', 'nobody', '--pattern=@node'],
    ],
    [
      ['-u', '0,65534', '--', '@node'],
      ['-u', '0,65534', '--pattern=@node'],
    ],
    [
      ['--', 'a\\.b\\.c'],
      ['--fixed', '--pattern=a.b.c'],
    ],
    [
      ['--', '\\(paren\\) \\[bracket\\]'],
      ['--fixed', '--pattern=(paren) [bracket]'],
    ],
    [
      ['--', '\\$ \\^caret'],
      ['--fixed', '--pattern=$ ^caret'],
    ],
  ];
  for (const [theirs, ours] of pairs) {
    const [expected, actual] = [askPgrep(pids, theirs), askUs(pids, ours)];
    assert.deepEqual(actual, expected, ours.join(' '));
  }
});

for (const [one, reason] of REFUSED_BY_US) {
  test(`${JSON.stringify(one)} is refused by us alone: ${reason}`, async (t) => {
    const pids = await startFixtures(makeSandbox(t));
    assert.equal(askUs(pids, [`--pattern=${one}`]).kind, 'refused');
    if (one !== '') assert.equal(askPgrep(pids, ['--', one]).kind, 'pids');
  });
}

test('pgrep sees other characters in the place of control characters, and we see what is there', async (t) => {
  const sandbox = makeSandbox(t);
  const child = sandbox.start(compile(sandbox, 'idle'), [], { argv0: `@${sandbox.marker}\there` });
  await waitUntil('it runs', () => readProcess(child.pid)?.line.startsWith('@'));
  const pids = new Set([child.pid]);
  assert.deepEqual(askPgrep(pids, ['--', `${sandbox.marker}[[:blank:]]here`]).pids, []);
  assert.deepEqual(askUs(pids, [`--pattern=${sandbox.marker}[[:blank:]]here`]).pids, [child.pid]);
});

test('pgrep finds a zombie by its short name, and we do not: it has ended', async (t) => {
  const sandbox = makeSandbox(t);
  const name = sandbox.marker.slice(0, 14);
  const parent = sandbox.start(compile(sandbox, 'zombie'), [name], { argv0: 'parent' });
  const zombie = Number(await waitUntil('it has a child', () => parent.output().trim()));
  await waitUntil('the child is a zombie', () => readProcess(zombie)?.state === 'Z');
  const both = new Set([zombie]);
  assert.deepEqual(askPgrep(both, ['--', name]).pids, [zombie]);
  assert.deepEqual(askUs(both, [`--pattern=${name}`]).pids, []);
});

test('pgrep takes the shell around it for the target, and we do not', async (t) => {
  const sandbox = makeSandbox(t);
  const call = (what: string) =>
    spawnSync('sh', ['-c', `${what} ${sandbox.marker}; echo $? $$`], { encoding: 'utf8' }).stdout.trim();
  assert.match(call('pgrep -f'), /^(\d+)\n0 \1$/);
  assert.match(call(`${WATCHDOG} check --pattern`), /^down, nothing matches\n1 \d+$/);
});
