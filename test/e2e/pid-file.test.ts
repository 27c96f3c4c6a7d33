/** The manual, "By pid-file": what each file means, and why. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'node:test';
import { isAlive, signal } from '../support/processes.ts';
import { IN_NAMESPACES, logged, makeSandbox, QUICK, runWatchdog, type Sandbox, WATCHDOG } from '../support/sandbox.ts';
import { waitUntil } from '../support/wait-until.ts';

const UP = 0;
const DOWN = 1;
const UNKNOWN = 3;

function check(sandbox: Sandbox, ...more: string[]) {
  return runWatchdog(['check', '--pid-file', sandbox.path('pid'), ...more]);
}

const CONTENTS: readonly [name: string, content: string, status: number, says: RegExp][] = [
  ['empty', '', DOWN, /pid is empty$/],
  ['blanks', ' \n\t\n', DOWN, /is empty$/],
  ['0', '0\n', DOWN, /holds no process number$/],
  ['1', '1\n', DOWN, /names process 1, which is never a target$/],
  ['-1', '-1\n', DOWN, /holds no process number$/],
  ['abc', 'abc\n', DOWN, /holds no process number$/],
  ['12abc', '12abc\n', DOWN, /holds no process number$/],
  ['0x10', '0x10\n', DOWN, /holds no process number$/],
  ['1e3', '1e3\n', DOWN, /holds no process number$/],
  ['a byte-order mark', '\ufeff$PID\n', DOWN, /holds no process number$/],
  ['two lines', '$PID\n$PID\n', DOWN, /has more than one line$/],
  ['more than there can be', '99999999999\n', DOWN, /more than the greatest process number/],
  ['one number', '$PID\n', UP, /^up, pid \d+ "tgt_/],
  ['no newline', '$PID', UP, /^up/],
  ['blanks around it', '  $PID \n\n', UP, /^up/],
  ['CRLF', '$PID\r\n', UP, /^up/],
];
for (const [name, content, status, says] of CONTENTS) {
  test(`the content: ${name}`, async (t) => {
    const sandbox = makeSandbox(t);
    const pid = await sandbox.startTarget();
    sandbox.write('pid', content.replaceAll('$PID', String(pid)));
    if (content.trim() === '') utimesSync(sandbox.path('pid'), new Date(), new Date(Date.now() - 10_000));
    const checked = await check(sandbox);
    assert.deepEqual(
      [checked.status, checked.output.trim()],
      [status, checked.output.trim().match(says) ? checked.output.trim() : says],
    );
  });
}

test('a huge file is not read', async (t) => {
  const sandbox = makeSandbox(t);
  for (const size of [10 * 2 ** 20, 3 * 2 ** 30]) {
    sandbox.write('pid', '');
    truncateSync(sandbox.path('pid'), size);
    const checked = await check(sandbox);
    assert.deepEqual([checked.status, /too long for a pid-file/.test(checked.output)], [DOWN, true]);
  }
});

const PLACES: readonly [name: string, make: (path: string) => void, status: number, says: RegExp][] = [
  ['missing', () => {}, DOWN, /does not exist/],
  ['a directory', (path) => mkdirSync(path), UNKNOWN, /could not look: .*is no regular file/],
  ['a FIFO', (path) => execFileSync('mkfifo', [path]), UNKNOWN, /is no regular file/],
  ['a device', (path) => symlinkSync('/dev/zero', path), UNKNOWN, /is no regular file/],
  ['a link to itself', (path) => symlinkSync(path, path), UNKNOWN, /cannot be read: .*ELOOP/],
  ['a dangling link', (path) => symlinkSync('/nonexistent', path), DOWN, /does not exist/],
];
for (const [name, make, status, says] of PLACES) {
  test(`the place: ${name}`, async (t) => {
    const sandbox = makeSandbox(t);
    make(sandbox.path('pid'));
    const checked = await check(sandbox);
    assert.equal(checked.status, status);
    assert.match(checked.output, says);
  });
}

test('a link is followed, unless it is somebody else’s', async (t) => {
  const sandbox = makeSandbox(t);
  sandbox.write('real', `${await sandbox.startTarget()}\n`);
  symlinkSync('real', sandbox.path('pid'));
  assert.equal((await check(sandbox)).status, UP);
  execFileSync('chown', ['-h', 'nobody', sandbox.path('pid')]);
  const checked = await check(sandbox);
  assert.deepEqual([checked.status, /link of somebody else/.test(checked.output)], [UNKNOWN, true]);
});

test('a file that may not be read is no proof of anything', async (t) => {
  const sandbox = makeSandbox(t);
  sandbox.write('pid', `${await sandbox.startTarget()}\n`, 0o600);
  chmodSync(sandbox.directory, 0o755);
  const asNobody = sandbox.start('setpriv', [
    '--reuid=nobody',
    '--regid=65534',
    '--clear-groups',
    WATCHDOG,
    'check',
    '--pid-file',
    sandbox.path('pid'),
  ]);
  assert.equal((await asNobody.ended).status, UNKNOWN);
  assert.match(asNobody.output(), /could not look: .*permission denied/);
});

test('a file that everybody can write counts only with a pattern', async (t) => {
  const sandbox = makeSandbox(t);
  sandbox.write('pid', `${await sandbox.startTarget()}\n`);
  chmodSync(sandbox.path('pid'), 0o666);
  const checked = await check(sandbox);
  assert.deepEqual([checked.status, /can be written by everybody/.test(checked.output)], [UNKNOWN, true]);
  assert.equal((await check(sandbox, '--pattern', sandbox.marker)).status, UP);
  chmodSync(sandbox.path('pid'), 0o644);
  chownSync(sandbox.path('pid'), 65534, 65534);
  assert.equal((await check(sandbox)).status, UP, 'a daemon that gave up its rights owns its pid-file');
});

test('with a pattern, both must agree', async (t) => {
  const sandbox = makeSandbox(t);
  sandbox.write('pid', `${await sandbox.startTarget()}\n`);
  assert.equal((await check(sandbox, '--pattern', `^${sandbox.marker}`)).status, UP);
  const checked = await check(sandbox, '--pattern', 'something_else');
  assert.deepEqual([checked.status, /does not match the pattern: stale/.test(checked.output)], [DOWN, true]);
});

test('the number of a thread is stale', async (t) => {
  const sandbox = makeSandbox(t);
  const node = sandbox.start('node', ['-e', 'setInterval(() => {}, 1000)', sandbox.marker]);
  const thread = await waitUntil('it has threads', () => {
    try {
      return readdirSync(`/proc/${node.pid}/task`)
        .map(Number)
        .find((tid) => tid !== node.pid);
    } catch {
      // It has not begun yet.
      return null;
    }
  });
  sandbox.write('pid', `${thread}\n`);
  const checked = await check(sandbox);
  assert.equal(checked.status, DOWN);
  assert.match(checked.output, new RegExp(`names ${thread}, which is a thread of process ${node.pid}: stale`));
});

test('a number that is another process’s by now is stale', async (t) => {
  const sandbox = makeSandbox(t);
  sandbox.write('pid', `${await sandbox.startTarget()}\n`);
  const longAgo = new Date(Date.now() - 60_000);
  utimesSync(sandbox.path('pid'), longAgo, longAgo);
  const checked = await check(sandbox);
  assert.equal(checked.status, DOWN);
  assert.match(checked.output, /started after the file was written: stale/);
  assert.equal((await check(sandbox, '--pattern', sandbox.marker)).status, UP, 'unless a pattern vouches for it');
});

test('a number that the kernel has really used again is stale', async (t) => {
  const sandbox = makeSandbox(t);
  // In a PID namespace of its own, where the next number can be chosen.
  const script = `
    exec 2>&1
    bash -c 'exec -a ${sandbox.marker} sleep 1000' & old=$!
    echo $old > ${sandbox.path('pid')}
    touch -d '1 minute ago' ${sandbox.path('pid')}
    kill -9 $old; wait $old
    for try in 1 2 3 4 5 6 7 8 9; do
      echo $((old - 1)) > /proc/sys/kernel/ns_last_pid
      sleep 1001 & [ $! = $old ] && break; kill $!
    done
    echo "reused: $([ $! = $old ] && echo yes)"
    ${WATCHDOG} check --pid-file ${sandbox.path('pid')}; echo "status $?"`;
  const inside = sandbox.start('unshare', [...IN_NAMESPACES, 'bash', '-c', script, sandbox.marker]);
  await inside.ended;
  assert.match(inside.output(), /reused: yes/);
  assert.match(inside.output(), /started after the file was written: stale\nstatus 1/);
});

test('a file from before this machine started is stale', async (t) => {
  const sandbox = makeSandbox(t);
  sandbox.write('pid', `${await sandbox.startTarget()}\n`);
  utimesSync(sandbox.path('pid'), new Date(0), new Date(0));
  const checked = await check(sandbox);
  assert.deepEqual([checked.status, /before this machine started: stale/.test(checked.output)], [DOWN, true]);
});

test('our own number is stale', async (t) => {
  const sandbox = makeSandbox(t);
  const own = sandbox.start('sh', [
    '-c',
    `echo $$ > ${sandbox.path('pid')}; exec ${WATCHDOG} check --pid-file ${sandbox.path('pid')}`,
  ]);
  assert.equal((await own.ended).status, DOWN);
  assert.match(own.output(), /is this watchdog itself: stale/);
});

test('a file that is empty for a moment is read again', async (t) => {
  const sandbox = makeSandbox(t);
  const pid = await sandbox.startTarget();
  sandbox.write('pid', '');
  const checking = check(sandbox);
  setTimeout(() => writeFileSync(sandbox.path('pid'), `${pid}\n`), 100);
  assert.equal((await checking).status, UP);
});

test('a daemon is watched by its pid-file, and brought back', async (t) => {
  const sandbox = makeSandbox(t);
  const daemon = `echo start >> ${sandbox.path('ev')}; bash -c 'echo $$ > ${sandbox.path('pid')}; exec -a ${sandbox.marker} sleep 1000' &`;
  sandbox.watchdog(['--pid-file', sandbox.path('pid'), '--recover', daemon, ...QUICK]);
  for (let time = 1; time <= 3; time += 1) {
    await logged(sandbox, 'recovered: ', time);
    assert.equal(sandbox.recoveries(), time);
    const pid = Number(sandbox.read('pid'));
    if (time === 2) rmSync(sandbox.path('pid'));
    signal(pid, 'SIGKILL');
    await waitUntil('it has ended', () => !isAlive(pid));
  }
  await logged(sandbox, /recovered: /, 4);
});

test('a file that is rewritten all the time is never taken for empty', async (t) => {
  const sandbox = makeSandbox(t);
  const pid = await sandbox.startTarget();
  const file = sandbox.write('pid', `${pid}\n`);
  sandbox.start('bash', ['-c', `while :; do : > ${file}; sleep 0.01; echo ${pid} > ${file}; done`, sandbox.marker]);
  const looks = await Promise.all(Array.from({ length: 30 }, () => check(sandbox)));
  for (const look of looks) assert.ok(look.status === UP || look.status === UNKNOWN, look.output);
  const args = ['--pid-file', file, '--recover', `echo >> ${sandbox.path('ev')}`, '--interval', '100ms'];
  sandbox.watchdog(args);
  await logged(sandbox, /watching: up|could not look: .* is empty, but was written just now/);
  assert.equal(sandbox.recoveries(), 0);
});
