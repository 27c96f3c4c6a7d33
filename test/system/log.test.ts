import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLineQueue, MAX_QUEUED_BYTES, MAX_QUEUED_LINES } from '../../src/system/line-queue.ts';
import { createLog } from '../../src/system/log.ts';
import type { LogSink } from '../../src/system/log-sink.ts';
import { makeTarget } from '../support/target.ts';

test('the queue keeps the newest lines within its bounds, and counts the others', () => {
  const queue = createLineQueue();
  for (let line = 0; line < MAX_QUEUED_LINES + 5; line += 1) queue.push(Buffer.from(`${line}\n`));
  assert.deepEqual([queue.length, String(queue.first())], [MAX_QUEUED_LINES, '5\n']);
  assert.deepEqual(queue.takeLost(), { lines: 5, bytes: 10 });
  assert.deepEqual(queue.takeLost(), { lines: 0, bytes: 0 });
  queue.push(Buffer.alloc(MAX_QUEUED_BYTES - 1));
  assert.equal(queue.length, 1);
});

function makeSink() {
  const written: string[] = [];
  let code: string | null = null;
  const sink: LogSink = {
    name: 'the sink',
    write(line) {
      if (code === null) written.push(String(line));
      return code;
    },
    reopen: () => {},
    output: () => null,
    close: () => {},
  };
  return {
    sink,
    written,
    fail: (next: string | null) => {
      code = next;
    },
  };
}

test('what could not be written is written later, in order, after the count of what was lost', () => {
  const { sink, written, fail } = makeSink();
  const complaints: string[] = [];
  const log = createLog({
    subject: { label: 'my.js', name: 'my.js' },
    sink,
    format: 'text',
    show: null,
    complain: (line) => complaints.push(line),
  });
  log.reportOn(makeTarget(), { kind: 'sighted' });
  assert.deepEqual([written.length, log.retryAtMs()], [1, null]);
  fail('ENOSPC');
  for (let line = 0; line < MAX_QUEUED_LINES + 3; line += 1)
    log.reportOn(makeTarget(), { kind: 'recovering', attempt: line });
  assert.equal(written.length, 1);
  assert.ok(log.retryAtMs() !== null);
  assert.equal(complaints.length, 1, 'said once');
  assert.match(complaints[0] ?? '', /the sink, cannot be written: no space left on device/);
  fail(null);
  log.flush();
  assert.equal(written.length, 1 + 1 + MAX_QUEUED_LINES);
  assert.match(written[1] ?? '', /lost 3 lines \(\d+ bytes\) that could not be written to this log\n$/);
  assert.equal(log.retryAtMs(), null);
});

test('what can not be written until the end is said where complaints go', () => {
  const { sink, fail } = makeSink();
  const complaints: string[] = [];
  const log = createLog({
    subject: { label: 'my.js', name: 'my.js' },
    sink,
    format: 'text',
    show: null,
    complain: (line) => complaints.push(line),
  });
  fail('ENOSPC');
  log.reportOn(makeTarget(), { kind: 'sighted' });
  log.report({ kind: 'stopped', why: 'SIGTERM', stillRuns: [] });
  log.close();
  assert.equal(complaints.length, 3);
  assert.match(complaints[2] ?? '', /^\[.*\] my\.js stopped: SIGTERM$/);
});
