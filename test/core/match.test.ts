/** Which of those that hold the pattern are the target: the rules as tables, on records made by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { looksLikeBystander, narrowerPattern } from '../../src/core/lookalike.ts';
import { judgeAll, type LeftOut, type Selector, type Surroundings } from '../../src/core/match.ts';
import type { ProcessRecord } from '../../src/core/process.ts';
import { isWatchdog, mayBeWatchdog, mentionsWatchdogCall, processTitle } from '../../src/core/watchdog-process.ts';
import { isShellCommand, isWrapper, withoutCarried } from '../../src/core/wrapper.ts';

function record(pid: number, args: string | readonly string[], changes: Partial<ProcessRecord> = {}): ProcessRecord {
  const list = typeof args === 'string' ? args.split(' ') : args;
  return {
    pid,
    startTime: pid,
    ppid: 1,
    uid: 0,
    state: 'alive',
    isKernelThread: false,
    commandLine: list.join(' '),
    args: list,
    exe: null,
    ageMs: 0,
    ...changes,
  };
}

const selector: Selector = { matches: (line) => line.includes('my.js'), uids: null, exe: null };
const OWN = ['--pattern', 'my.js', '--recover', 'node my.js start'];
const CALL = `watchdog --pattern my.js --recover 'node my.js start'`;
const around: Surroundings = {
  selfPid: 50,
  ancestors: [
    record(40, ['sh', '-c', CALL]),
    record(30, 'node my.js'),
    record(20, ['npm start', '--pattern', 'my.js', '--recover', 'node', 'my.js', 'start']),
  ],
  ownArguments: OWN.join(' '),
  ownExe: '/usr/local/bin/watchdog',
  ancestorsOfWatchdogs: new Map([[60, 61]]),
  commands: ['cd /srv && sudo -u app node my.js start'],
  lookerPids: [70],
};

const RECORDS: readonly (readonly [what: string, record: ProcessRecord, expected: LeftOut | null])[] = [
  ['the target', record(101, 'node my.js'), null],
  ['ourselves', record(50, ['watchdog', ...OWN]), 'self'],
  ['the shell that we were started by', record(40, ['sh', '-c', CALL]), 'own-wrapper'],
  [
    'npm, which shows our options as its own',
    record(20, ['npm start', '--pattern', 'my.js', '--recover', 'node', 'my.js', 'start']),
    'own-wrapper',
  ],
  ['an application that started us', record(30, 'node my.js'), null],
  [
    'another watchdog by its executable',
    record(102, 'keeper --pattern my.js', { exe: '/usr/local/bin/watchdog' }),
    'watchdog',
  ],
  ['another watchdog by its options', record(103, '/opt/watchdog -p my.js -r x'), 'watchdog'],
  ['another watchdog run by node', record(104, 'node /opt/watchdog.cjs check --pattern my.js'), 'watchdog'],
  ['the shell around another watchdog', record(60, ['bash', '-c', 'W=wd; $W my.js']), 'wrapper-of-watchdog'],
  ['a shell that will start a watchdog', record(105, ['sh', '-c', `sleep 60 && ${CALL}`]), 'wrapper-of-watchdog'],
  ['a shell that will do something else', record(106, ['sh', '-c', 'sleep 60 && node my.js']), null],
  ['the recovery’s shell', record(107, ['/bin/sh', '-c', 'cd /srv && sudo -u app node my.js start']), 'recovery-shell'],
  ['a wrapper in the recovery', record(108, 'sudo -u app node my.js start'), 'recovery-shell'],
  ['what the recovery is for', record(109, 'node my.js start'), null],
  ['a zombie', record(110, 'node my.js', { state: 'zombie' }), 'zombie'],
  ['a stopped one', record(111, 'node my.js', { state: 'stopped' }), null],
  ['a thread of the kernel', record(112, 'my.js', { isKernelThread: true }), 'kernel-thread'],
  ['one without a command line', record(113, [], { commandLine: '[my.js]' }), 'no-command-line'],
  ['what the process table itself started', record(70, 'ps awwxo my.js'), 'looker'],
  ['a wrapper around the target', record(114, 'timeout 60 node my.js'), 'wrapper-of-match'],
  ['the target in a wrapper', record(115, 'node my.js', { ppid: 114 }), null],
  ['a shell that runs a script of that name', record(116, 'sh /srv/start-my.js'), null],
];

test('each that holds the pattern is judged for what it is', () => {
  const judged = judgeAll(
    RECORDS.map(([, one]) => one),
    selector,
    around,
  );
  const reasons = new Map(judged.leftOut.map((one) => [one.record.pid, one.why]));
  for (const [what, one, expected] of RECORDS) assert.equal(reasons.get(one.pid) ?? null, expected, what);
  assert.equal(judged.matches.length + judged.leftOut.length, RECORDS.length);
});

test('users and programs', () => {
  const judge = (changes: Partial<Selector>, one: ProcessRecord) =>
    judgeAll([one], { ...selector, ...changes }, around).leftOut[0]?.why ?? null;
  const target = record(101, 'node my.js', { uid: 33, exe: '/usr/bin/node' });
  assert.equal(judge({ uids: [33, 0] }, target), null);
  assert.equal(judge({ uids: [0] }, target), 'other-user');
  assert.equal(judge({ exe: '/usr/bin/node' }, target), null);
  assert.equal(judge({ exe: '/usr/bin/vim' }, target), 'other-program');
  assert.equal(judge({ exe: '/usr/bin/node' }, { ...target, exe: null }), 'program-not-readable');
});

test('shells that were given commands, and other wrappers', () => {
  const rows: readonly [string, isShellCommand: boolean, isWrapper: boolean][] = [
    ['sh -c x', true, true],
    ['/bin/bash -lc x', true, true],
    ['-bash', false, false],
    ['bash script.sh -c', false, false],
    ['dash -e -c x', true, true],
    ['busybox sh -c x', true, true],
    ['sudo x', false, true],
    ['/usr/bin/timeout 5 x', false, true],
    ['tmux: server', false, true],
    ['node -c x', false, false],
  ];
  for (const [line, shell, wrapper] of rows)
    assert.deepEqual([isShellCommand(record(1, line)), isWrapper(record(1, line))], [shell, wrapper], line);
});

test('what a command line carries is found whatever its quoting', () => {
  assert.equal(
    withoutCarried(`sh -c "watchdog -p 'my.js' -r \\"node my.js\\"; :"`, '-p my.js -r node my.js'),
    `sh -c "watchdog  \\"; :"`,
  );
  assert.equal(withoutCarried('sh -c other', '-p my.js'), null);
  assert.equal(withoutCarried('anything', ''), null);
});

test('how a watchdog shows itself, and is known by it', () => {
  assert.equal(
    processTitle('web', 'up', () => true),
    'watchdog: web, up',
  );
  assert.equal(
    processTitle(null, 'up', () => true),
    'watchdog: watching, up',
  );
  assert.equal(
    processTitle('my.js', 'up', (title) => !title.includes('my.js')),
    'watchdog: watching, up',
    'a name that would match is not shown',
  );
  for (const line of [
    'watchdog: web',
    '/usr/bin/watchdog --pid-file x --recover y',
    'node dist/watchdog.cjs -p x -r y',
    'watchdog match -p x',
  ]) {
    assert.ok(mayBeWatchdog(line) && isWatchdog(record(1, line), null), line);
  }
  for (const line of [
    '/usr/sbin/watchdog',
    '/usr/sbin/watchdog -f -c /etc/watchdog.conf',
    'watchdogd',
    'vim watchdog.ts',
    'node watchdog.js -p x',
    'tail -f /var/log/watchdog.log',
  ]) {
    assert.equal(isWatchdog(record(1, line), null), false, line);
  }
  assert.ok(mentionsWatchdogCall('cd /; /opt/watchdog --pattern x'));
  assert.ok(!mentionsWatchdogCall('tail -f watchdog.log; grep -p x'));
});

test('editors, pagers, searches and shells are bystanders', () => {
  const rows: readonly [string, boolean][] = [
    ['vim my.js', true],
    ['/usr/bin/tail -f my.js.log', true],
    ['grep my.js', true],
    ['sh -c my.js', true],
    ['node my.js', false],
    ['python3 vim.py my.js', false],
  ];
  for (const [line, expected] of rows) assert.equal(looksLikeBystander(record(1, line)), expected, line);
});

test('a narrower pattern asks for what runs the file', () => {
  const rows: readonly [string, boolean, string | null][] = [
    ['my.js', false, '^([^ ]*/)?node (.* )?([^ ]*/)?my\\.js( |$)'],
    ['my\\.js$', false, '^([^ ]*/)?node (.* )?([^ ]*/)?my\\.js( |$)'],
    ['my.js', true, '^([^ ]*/)?node (.* )?([^ ]*/)?my\\.js( |$)'],
    ['app.py', false, '^([^ ]*/)?python3? (.* )?([^ ]*/)?app\\.py( |$)'],
    ['nginx', false, '^([^ ]*/)?nginx( |$)'],
    ['^nginx', false, null],
  ];
  for (const [pattern, isFixed, expected] of rows) assert.equal(narrowerPattern(pattern, isFixed), expected, pattern);
});
