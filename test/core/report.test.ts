import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describe, describeOwn, formatJson, formatText, MAX_LINE_LENGTH, messageOf } from '../../src/core/report.ts';
import type { Loss, Report, Seen } from '../../src/core/types.ts';
import { makeTarget } from '../support/target.ts';

const target = makeTarget({ label: 'my\\.js', name: 'web' });
const TIME = '2026-11-21_12:00:00';
const hostile: Seen = { pid: 7, startTime: 1, commandLine: 'svc\n[2026-11-21_12:00:00] x \\x0a\x1b[2J\udcff' };

test('the line of a recovery is the loop’s, with pattern and command as they were written', () => {
  assert.equal(
    formatText(target, messageOf(target, { kind: 'recovering', attempt: 3 }), TIME),
    `[${TIME}] my\\.js node my.js start`,
  );
});

test('what strangers wrote is escaped once, and can forge nothing', () => {
  const report: Report = { kind: 'watching', sight: { kind: 'present', seen: [hostile] } };
  assert.equal(
    formatText(target, describe(target, report), TIME),
    `[${TIME}] my\\.js watching: up, pid 7 "svc\\x0a[2026-11-21_12:00:00] x \\\\x0a\\x1b[2J\\xff"`,
  );
});

test('JSON is one line, and can be read again, whatever is in it', () => {
  const worse = { ...hostile, commandLine: `${hostile.commandLine}\x9b\u2028\u202e` };
  const report: Report = { kind: 'watching', sight: { kind: 'present', seen: [worse] } };
  const line = formatJson(target, report, describe(target, report), 'now');
  assert.doesNotMatch(line, /[\n\x1b\x9b\u2028\u202e]/);
  const read = JSON.parse(line) as Record<string, unknown>;
  assert.deepEqual([read.event, read.target, read.time], ['watching', 'web', 'now']);
  assert.deepEqual(read.sight, { kind: 'present', seen: [worse] });
});

test('no line is longer than it may be, in either form', () => {
  const long = makeTarget({ label: 'x'.repeat(50_000), recover: 'y'.repeat(50_000), name: 'n'.repeat(50_000) });
  const recovering = { kind: 'recovering', attempt: 1 } as const;
  const warning = { kind: 'warning', text: 'z'.repeat(9_000) } as const;
  for (const [report, message] of [
    [recovering, describe(long, recovering)],
    [warning, describeOwn(warning)],
  ] as const) {
    assert.ok(formatText(long, message, TIME).length <= MAX_LINE_LENGTH);
    const json = formatJson(long, report, message, TIME);
    assert.ok(json.length <= MAX_LINE_LENGTH);
    JSON.parse(json);
  }
});

test('of whom it had left in the background is told that it was so', () => {
  const seen = { pid: 12, startTime: 1, commandLine: 'daemon' };
  const loss: Loss = { seen, how: { kind: 'killed', signal: 'SEGV' }, toldBy: 'kernel', leftBy: 10 };
  assert.equal(
    describe(target, { kind: 'exited', loss, isExpected: false, next: 'retry' }),
    'exited: pid 12, which pid 10 had left in the background, killed by SIGSEGV, not expected, before it had lasted',
  );
});

test('126 and 127 are explained, with the PATH', () => {
  const failed = (status: number): Report => ({
    kind: 'recovery-failed',
    attempt: 1,
    nextMs: 1_000,
    why: {
      kind: 'never-appeared',
      exited: { kind: 'exited', status },
      waitedMs: 20,
      sight: { kind: 'absent', seen: [], why: null },
    },
  });
  assert.match(
    formatText(target, describe(target, failed(127)), TIME),
    /exit status 127 \(command not found; PATH is \/usr\/bin:\/bin; use an absolute path or --env PATH=…\)/,
  );
  assert.match(
    formatText(target, describe(target, failed(126)), TIME),
    /exit status 126 \(found, but it may not be executed; PATH/,
  );
  assert.match(
    formatText(target, describe(target, failed(1)), TIME),
    /exit status 1, and nothing matches after 20ms; next try in 1s$/,
  );
});
