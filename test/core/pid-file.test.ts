import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PID_FILE_BYTES, parsePidFile, whyStale } from '../../src/core/pid-file.ts';
import type { ProcessRecord } from '../../src/core/process.ts';

const PID_MAX = 32_768;

test('one number with blanks around it is a pid, and nothing else is', () => {
  const rows: readonly [text: string, expected: number | 'empty' | RegExp][] = [
    ['42', 42],
    ['42\n', 42],
    [' 42 \r\n\n', 42],
    ['\t42', 42],
    [String(PID_MAX), PID_MAX],
    ['', 'empty'],
    [' \n\t\r\n', 'empty'],
    ['0', /no process number/],
    ['-1', /no process number/],
    ['+42', /no process number/],
    ['042', /no process number/],
    ['42abc', /no process number/],
    ['0x10', /no process number/],
    ['1e3', /no process number/],
    ['4 2', /no process number/],
    ['42.0', /no process number/],
    ['\0\0', /no process number/],
    ['42\n43', /more than one line/],
    ['42\r43', /more than one line/],
    ['1', /never a target/],
    [String(PID_MAX + 1), /greatest process number/],
    ['9'.repeat(60), /greatest process number/],
    ['4'.repeat(PID_FILE_BYTES + 1), /too long/],
  ];
  for (const [text, expected] of rows) {
    const content = parsePidFile(text, PID_MAX);
    if (typeof expected === 'number') assert.deepEqual(content, { kind: 'pid', pid: expected }, JSON.stringify(text));
    else if (expected === 'empty') assert.equal(content.kind, 'empty', JSON.stringify(text));
    else assert.match(content.kind === 'invalid' ? content.why : content.kind, expected, JSON.stringify(text));
  }
});

test('whatever is in the file, only a number that can be a process comes out', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.integer().map(String), fc.stringMatching(/^[\d\s+-]{0,12}$/)), (text) => {
      const content = parsePidFile(text, PID_MAX);
      if (content.kind === 'pid')
        assert.ok(
          Number.isInteger(content.pid) &&
            content.pid > 1 &&
            content.pid <= PID_MAX &&
            text.trim() === String(content.pid),
        );
    }),
  );
});

const record: ProcessRecord = {
  pid: 42,
  startTime: 1,
  ppid: 1,
  uid: 0,
  state: 'alive',
  isKernelThread: false,
  commandLine: 'x',
  args: ['x'],
  exe: null,
  ageMs: 0,
};
const written = { bootedAtMs: 1_000_000, startedAtMs: 2_000_000, writtenAtMs: 2_000_100 };

test('a process is the one that the file was written for, unless something speaks against it', () => {
  assert.equal(whyStale(record, 7, written, false), null);
  assert.equal(whyStale({ ...record, state: 'stopped' }, 7, written, false), null);
  assert.equal(
    whyStale(record, 7, { ...written, startedAtMs: written.writtenAtMs + 2_000 }, false),
    null,
    'clocks have whole seconds',
  );
  assert.match(
    whyStale(record, 7, { ...written, startedAtMs: written.writtenAtMs + 2_001 }, false) ?? '',
    /started after the file was written: stale/,
  );
  assert.match(
    whyStale(record, 7, { ...written, writtenAtMs: 900_000 }, false) ?? '',
    /before this machine started: stale/,
  );
  assert.equal(
    whyStale(record, 7, { ...written, writtenAtMs: 900_000 }, true),
    null,
    'where a pattern vouches for it, no clock is asked',
  );
  assert.match(whyStale(record, 42, written, true) ?? '', /this watchdog itself/);
  assert.match(whyStale({ ...record, state: 'zombie' }, 7, written, true) ?? '', /zombie/);
  assert.match(whyStale({ ...record, isKernelThread: true }, 7, written, true) ?? '', /thread of the kernel/);
});
