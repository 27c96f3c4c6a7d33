import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeUtf8, joinArguments, splitArguments } from '../../src/core/command-line.ts';
import { formatDuration } from '../../src/core/duration.ts';
import { cut, escapeForeign, escapeText } from '../../src/core/escape.ts';

const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

test('a command line is its arguments joined by blanks', () => {
  const rows: readonly [string, string, readonly string[]][] = [
    ['node\0my.js\0', 'node my.js', ['node', 'my.js']],
    ['sleep\x001000\0', 'sleep 1000', ['sleep', '1000']],
    ['a\0\0b\0', 'a  b', ['a', '', 'b']],
    [
      'nginx: master process /usr/sbin/nginx\0\0\0\0',
      'nginx: master process /usr/sbin/nginx',
      ['nginx: master process /usr/sbin/nginx'],
    ],
    ['title without an end', 'title without an end', ['title without an end']],
    ['', '', []],
    ['\0\0', '', []],
    [latin1('café\0é\0'), 'café é', ['café', 'é']],
  ];
  for (const [raw, line, args] of rows) {
    assert.equal(joinArguments(raw), line);
    assert.deepEqual(splitArguments(raw), args);
  }
});

test('UTF-8 is decoded as by the standard decoder', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => assert.equal(decodeUtf8(latin1(text)), text)));
});

test('bytes that are not UTF-8 are kept apart, whatever they are', () => {
  assert.equal(decodeUtf8('tgt\xff\xfe'), 'tgt\udcff\udcfe');
  // Cut off, overlong, a surrogate, beyond the last plane.
  for (const bytes of ['\xc3', '\xe2\x82', '\xc0\xaf', '\xed\xa0\x80', '\xf4\x90\x80\x80']) {
    assert.match(decodeUtf8(bytes), /^[\udc80-\udcff]+$/);
  }
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (one, other) => {
      const [a, b] = [one, other].map((bytes) => Buffer.from(bytes).toString('latin1'));
      assert.equal(decodeUtf8(a ?? '') === decodeUtf8(b ?? ''), a === b);
    }),
  );
});

test('nothing that could drive a terminal or break a line is left', () => {
  const hostile = 'svc\n[2026-11-21_12:00:00] FORGED\x1b[2J\x07\x7f\x9b\u2028\u202e\udcff';
  assert.equal(escapeText(hostile), 'svc\\x0a[2026-11-21_12:00:00] FORGED\\x1b[2J\\x07\\x7f\\x9b\\u2028\\u202e\\xff');
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const text = escapeForeign(decodeUtf8(Buffer.from(bytes).toString('latin1')));
      assert.doesNotMatch(text, /[\u0000-\u001f\u007f-\u009f\ud800-\udfff\u2028\u2029]/u);
      assert.ok(Buffer.from(text, 'utf8').toString('utf8') === text);
    }),
  );
});

test('what the user wrote keeps its backslashes; in what strangers wrote they are doubled', () => {
  assert.equal(escapeText('my\\.js'), 'my\\.js');
  assert.equal(escapeForeign('a\\x0ab\n'), 'a\\\\x0ab\\x0a');
});

test('a text that is too long is cut, with a mark', () => {
  assert.equal(cut('short', 10), 'short');
  assert.equal(cut('x'.repeat(20), 10), 'xxxx [cut]');
});

test('spans are told in the units that fit them', () => {
  const rows: readonly [number, string][] = [
    [0, '0ms'],
    [250, '250ms'],
    [999, '999ms'],
    [1_000, '1s'],
    [1_349, '1.3s'],
    [9_949, '9.9s'],
    [9_999, '10s'],
    [59_400, '59s'],
    [60_000, '1m'],
    [90_000, '1m30s'],
    [3_600_000, '1h'],
    [3_900_000, '1h5m'],
    [86_400_000, '1d'],
    [90_000_000, '1d1h'],
  ];
  for (const [ms, text] of rows) assert.equal(formatDuration(ms), text, String(ms));
});
