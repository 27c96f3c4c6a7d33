import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDuration } from '../../src/config/duration.ts';
import { OWN_VARIABLES, readEnvironment } from '../../src/config/environment.ts';
import type { Given, Problem, RawValue } from '../../src/config/given.ts';
import { nearest } from '../../src/config/nearest.ts';
import { commandLineReader } from '../../src/config/reader.ts';
import { readSelect } from '../../src/config/select-settings.ts';
import { readTarget } from '../../src/config/target-settings.ts';
import { readRun, readWatchdog } from '../../src/config/watchdog-settings.ts';
import { DEFAULT_EVENTS } from '../../src/core/notice.ts';

function given(values: Readonly<Record<string, RawValue>>): Given {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value, from: `--${name}` }]));
}

function problemsOf(values: Readonly<Record<string, RawValue>>): readonly Problem[] {
  const reader = commandLineReader(given(values));
  readTarget(reader);
  readWatchdog(reader);
  return reader.problems;
}

test('durations have a unit', () => {
  const rows: readonly [string, number][] = [
    ['500ms', 500],
    ['5s', 5_000],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['1d', 86_400_000],
    ['1.5s', 1_500],
    ['0', 0],
    [' 5 s ', 5_000],
    ['24d', 2_073_600_000],
  ];
  for (const [text, ms] of rows) assert.deepEqual(parseDuration(text), { ms }, text);
  for (const text of ['', '5', '-5s', '5 parsecs', '1e3s', '0x5s', '5S', 's', '25d', '5s5s', 'Infinity']) {
    assert.ok('problem' in parseDuration(text), text);
  }
});

test('what is not given has its default', async () => {
  const reader = commandLineReader(given({ pattern: 'my.js', recover: 'x' }));
  assert.deepEqual(readTarget(reader), {
    recover: 'x',
    program: null,
    cwd: null,
    env: [],
    recoverTimeoutMs: 60_000,
    stop: { command: null, signal: 'TERM', timeoutMs: 10_000 },
    reload: { signal: 'HUP' },
    user: null,
    group: null,
    restraint: { umask: null, nice: null, limits: [] },
    notify: { onEvent: null, webhook: null, events: DEFAULT_EVENTS },
    dependsOn: [],
    groups: [],
    intervalMs: 5_000,
    confirmMs: 1_000,
    startGraceMs: 10_000,
    settleMs: 3_000,
    backoff: { minMs: 1_000, maxMs: 300_000 },
    startDelayMs: 0,
  });
  assert.deepEqual(readWatchdog(reader), {
    name: null,
    processTable: null,
    lingerMs: 2_000,
    log: null,
    logPlace: '--log',
    logFormat: 'text',
    isQuiet: false,
    isResident: false,
    control: null,
    controlPlace: '--control',
    runAs: null,
    runAsPlace: '--run-as',
    trustsPaths: false,
    ownPidFile: null,
    ownPidFilePlace: '--own-pid-file',
  });
  assert.deepEqual(readRun(reader), { isOnce: false, isDryRun: false, isDaemon: false, rewrites: {} });
  assert.deepEqual(await readSelect(reader), {
    pattern: { text: 'my.js', isFixed: false, isExact: false, ignoresCase: false },
    pidFile: null,
    owners: null,
    exe: null,
    min: 1,
    max: null,
  });
  assert.deepEqual(reader.problems, []);
});

test('all that is wrong is told at once', () => {
  const problems = problemsOf({ interval: 'x', confirm: '-1s', backoff: '1', 'log-format': 'xml', env: ['A'] });
  assert.deepEqual(problems.map((one) => one.where).sort(), [
    '--backoff',
    '--confirm',
    '--env',
    '--interval',
    '--log-format',
    '--recover',
  ]);
});

test('every option is also a variable, and the switches are on or off', () => {
  const { given: read, problems } = readEnvironment('watch', {
    WATCHDOG_PATTERN: 'my.js',
    WATCHDOG_PID_FILE: '/run/x',
    WATCHDOG_ONCE: '1',
    WATCHDOG_FIXED: 'false',
    WATCHDOG_ENV: 'A=1\nB=2',
    WATCHDOG_LOG: '',
    WATCHDOG_JSON: '1',
  });
  assert.deepEqual(problems, []);
  assert.deepEqual(read, {
    pattern: { value: 'my.js', from: 'WATCHDOG_PATTERN' },
    'pid-file': { value: '/run/x', from: 'WATCHDOG_PID_FILE' },
    once: { value: true, from: 'WATCHDOG_ONCE' },
    env: { value: ['A=1', 'B=2'], from: 'WATCHDOG_ENV' },
  });
});

test('a slip in a variable’s name is found; what is others’ under our prefix is theirs', () => {
  const { problems } = readEnvironment('watch', {
    WATCHDOG_RECOVR: 'x',
    WATCHDOG_USEC: '5',
    WATCHDOG_PID: '7',
    WATCHDOG_TARGET: 'x',
    WATCHDOG_SOMETHING_ELSE: 'x',
  });
  assert.deepEqual(problems, [
    { where: 'WATCHDOG_RECOVR', what: 'there is no such variable; did you mean WATCHDOG_RECOVER?' },
  ]);
  assert.ok(OWN_VARIABLES.has('WATCHDOG_START_GRACE') && !OWN_VARIABLES.has('WATCHDOG_USEC'));
});

test('the nearest word is the one that is meant, if any is near', () => {
  const known = ['pattern', 'pid-file', 'recover', 'log', 'json'];
  assert.deepEqual(
    ['patern', 'pidfile', 'recovery', 'lgo', 'jsn', 'zebra'].map((word) => nearest(word, known)),
    ['pattern', 'pid-file', 'recover', 'log', 'json', null],
  );
});

test('a command that no system call would take is refused', () => {
  const problems = problemsOf({ recover: 'x'.repeat(140_000) });
  assert.match(problems[0]?.what ?? '', /has 140000 bytes; at most 131071 are allowed/);
});
