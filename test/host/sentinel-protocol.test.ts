import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Frame, formatFrame, formatHandover, parseHello, parseTold } from '../../src/host/sentinel-protocol.ts';
import { NO_RESTRAINT } from '../../src/system/child.ts';

const command = {
  program: '/bin/sh',
  args: ['sh', '-c', 'true'],
  set: {},
  unset: [],
  directory: null,
  output: null,
  errors: null,
  user: null,
  rotate: null,
  restraint: NO_RESTRAINT,
  isForeground: false,
};
const frame: Frame = {
  state: '{"é":1}\n',
  brain: { ...command, program: '/w', args: ['watchdog: brain', 'brain'] },
  title: 'watchdog: web, up',
  note: '[%t] web warning: %m',
  log: '/var/log/w.log',
  offsetSeconds: -3_600,
  filesLimit: 1_024,
  watch: [{ pid: 42, startTime: 999 }],
  deadlineMs: 12.3,
  starts: [
    {
      id: 3,
      command: {
        ...command,
        set: { A: 'x y' },
        unset: ['B'],
        directory: '/srv',
        output: '/o',
        errors: '/e',
        user: { uid: 5, gid: 6, groups: [6, 7] },
        restraint: { umask: 0o27, nice: -3, limits: [{ name: 'nofile', soft: 64, hard: null }] },
      },
    },
  ],
  kills: [{ pid: 8, startTime: 9, number: 15 }],
  isReady: true,
  isPatient: false,
  taps: [],
  replaces: [],
  forwards: false,
  detaches: true,
  signals: [{ pid: 43, number: 15 }],
  end: 'rest',
};

test('a frame is what PROTOCOL.md says', () => {
  const [header = '', ...body] = formatFrame(frame, 7).toString('utf8').split('\n');
  assert.equal(
    body.join('\n'),
    `state 9
{"é":1}

brain
program 2
/w
arg 15
watchdog: brain
arg 5
brain
title 17
watchdog: web, up
note 20
[%t] web warning: %m
log 14
/var/log/w.log
offset 82800
files 1024
watch 42 999
deadline 13
start 3
program 7
/bin/sh
arg 2
sh
arg 2
-c
arg 4
true
env 5
A=x y
unset 1
B
directory 4
/srv
output 2
/o
errors 2
/e
user 5 6
group 6
group 7
umask 23
nice 17
limit 7 64 999999999999999999
signal 43 15
kill 8 9 15
ready
detach
sleep
`,
  );
  assert.equal(header, `frame 0000000007 ${String(Buffer.byteLength(body.join('\n'))).padStart(10, '0')}`);
});

test('the first frame fits into variables, however large, and is the same put together', () => {
  const state = '💥é'.repeat(100_000);
  const variables = formatHandover({ ...frame, state }, { lock: 'watchdog/abc', control: '/run/c' });
  const names = Object.keys(variables);
  assert.ok(names.length > 5);
  for (const [name, value] of Object.entries(variables)) assert.ok(Buffer.byteLength(`${name}=${value}`) < 131_072);
  const whole = names.map((_, at) => variables[`WATCHDOG_FRAME_${at}`]).join('');
  assert.ok(whole.includes(state));
  assert.match(whole, /\nlock 12\nwatchdog\/abc\ncontrol 6\n\/run\/c\n/);
});

test('what is told is understood, and what is not known is no line', () => {
  const rows: readonly [line: string, told: object][] = [
    ['1 5 lock 98', { seq: 1, nowMs: 5, kind: 'lock', errno: 98 }],
    ['2 6 gone 7 8 killed 9', { kind: 'gone', pid: 7, startTime: 8, how: { kind: 'killed', signal: 'KILL' } }],
    ['2 6 gone 7 8 exited 3', { kind: 'gone', pid: 7, startTime: 8, how: { kind: 'exited', status: 3 } }],
    ['2 6 gone 7 8 unknown', { kind: 'gone', pid: 7, startTime: 8, how: { kind: 'unknown' } }],
    ['3 6 unwatched 7 8 24', { kind: 'unwatched', pid: 7, startTime: 8, errno: 24 }],
    ['4 6 started 1 7 8', { kind: 'started', id: 1, pid: 7, startTime: 8 }],
    ['5 6 failed 1 directory 2', { kind: 'failed', id: 1, step: 'directory', errno: 2 }],
    ['6 6 ended 7 exited 0', { kind: 'ended', pid: 7, how: { kind: 'exited', status: 0 } }],
    ['7 6 signal 15', { kind: 'signal', number: 15 }],
    ['0 6 due', { seq: 0, kind: 'due' }],
    ['0 6 go', { kind: 'go' }],
    ['0 6 connect', { kind: 'connect' }],
  ];
  for (const [line, told] of rows) assert.deepEqual(parseTold(line), { ...parseTold(line), ...told }, line);
  for (const line of ['', '1 2', '1 2 what 3']) assert.equal(parseTold(line), null);
  assert.deepEqual(parseHello('hello 5 7'), { nowMs: 5, length: 7 });
  assert.equal(parseHello('hello 5'), null);
});
