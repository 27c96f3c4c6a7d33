/**
 * Everything that can be wrong with what the user gives, and what is said of it. The
 * transcript is beside this file; `UPDATE=1 npm test -- bad-input` writes it anew.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { AS_NOBODY, WATCHDOG } from '../support/sandbox.ts';

const path = join(import.meta.dirname, 'bad-input.txt');

test('bad input gets one clear line each, exit code 2, and starts nothing', () => {
  const expected = readFileSync(path, 'utf8');
  const calls = expected.split('\n').filter((line) => line.startsWith('$ '));
  assert.ok(calls.length > 30);
  const env = { PATH: `${dirname(WATCHDOG)}:${process.env.PATH}` };
  let played = '';
  for (const call of calls) {
    const { status, stdout, stderr } = spawnSync('sh', ['-c', call.slice(2)], {
      encoding: 'utf8',
      env,
      cwd: '/',
      timeout: 10_000,
    });
    assert.deepEqual([status, stdout], [2, ''], `${call}\n${stderr}`);
    for (const line of stderr.trim().split('\n')) assert.match(line, /^watchdog: ./, call);
    played += `${call}\n${stderr}`;
  }
  if (process.env.UPDATE === '1') writeFileSync(path, played);
  else assert.equal(played, expected);
});

test('a command that is not text is refused: it could not be handed on as it is', () => {
  const notText = spawnSync('bash', ['-c', `${WATCHDOG} --pattern my.js --recover $'a\\xff'`], { encoding: 'utf8' });
  assert.deepEqual([notText.status, /has bytes that are not UTF-8/.test(notText.stderr)], [2, true]);
});

test('a directory that this user may not enter is refused', () => {
  const args = [...AS_NOBODY, WATCHDOG, '--pattern', 'my.js', '--recover', 'x', '--cwd', '/root', '--log', '-'];
  const { status, stderr } = spawnSync('setpriv', args, { encoding: 'utf8', cwd: '/' });
  assert.deepEqual(
    [status, stderr],
    [
      2,
      'watchdog: --cwd: /root cannot be entered: permission denied (EACCES); name a directory that this user may enter\n',
    ],
  );
});

test('relative paths from a directory that was removed are refused', () => {
  const call = (args: string) =>
    spawnSync('bash', ['-c', `d=$(mktemp -d); cd $d; rmdir $d; ${WATCHDOG} ${args}`], { encoding: 'utf8' });
  for (const [args, option] of [
    ['check --pid-file x.pid', '--pid-file'],
    ['--pattern my.js --recover x --log x.log', '--log'],
  ] as const) {
    const { status, stderr } = call(args);
    assert.deepEqual(
      [status, stderr.includes(`watchdog: ${option}: `), stderr.includes('was removed; write it from the root')],
      [2, true, true],
      stderr,
    );
  }
});
