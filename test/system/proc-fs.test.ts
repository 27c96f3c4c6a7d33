/** The reader of `/proc`, on captured texts and on directories that are only made like it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { openProcFs } from '../../src/system/proc-fs.ts';
import { deathOfZombie, hasEnded, parseStat, statusNumber } from '../../src/system/proc-stat.ts';

/** One `stat` line as Linux 6 writes it. */
function statLine(
  pid: number,
  comm: string,
  state = 'S',
  flags = 4_194_304,
  startTime = 777,
  exitCode = 0,
  threads = 1,
): string {
  const after = [state, 1, pid, pid, 0, -1, flags, 100, 0, 0, 0, 5, 6, 0, 0, 20, 0, threads, 0, startTime, 8_192, 90];
  return `${pid} (${comm}) ${[...after, ...Array(27).fill(0), exitCode].join(' ')}\n`;
}

test('a stat line is read whatever the name in it is', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 15 }), fc.constantFrom('R', 'S', 'D', 'Z', 'T'), (comm, state) => {
      const stat = parseStat(statLine(42, comm, state));
      assert.deepEqual(
        [stat?.pid, stat?.comm, stat?.state, stat?.startTime, stat?.threads, stat?.ppid],
        [42, comm, state, 777, 1, 1],
      );
    }),
  );
  const odd = parseStat('16256 (a) S 1 (b\nc) R 1 2 3 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 5577 0 0');
  assert.deepEqual([odd?.comm, odd?.state, odd?.startTime], ['a) S 1 (b\nc', 'R', 5_577]);
});

test('what is no stat line is none', () => {
  for (const text of ['', '42', '42 (x', ') (', '42 (x) ', '42 (x) ? 1 2', '42 (x) S'])
    assert.equal(parseStat(text), null, text);
  fc.assert(fc.property(fc.string(), (text) => void parseStat(text)));
});

test('how a zombie ended is in its exit code, for those who may know', () => {
  const zombie = (exitCode: number) => parseStat(statLine(1, 'x', 'Z', 0, 1, exitCode));
  const told = [0, 3 << 8, 9, 11 | 0x80, 15].map((code) => deathOfZombie(zombie(code) ?? assert.fail(), true));
  assert.deepEqual(told, [
    { kind: 'exited', status: 0 },
    { kind: 'exited', status: 3 },
    { kind: 'killed', signal: 'KILL' },
    { kind: 'killed', signal: 'SEGV' },
    { kind: 'killed', signal: 'TERM' },
  ]);
  assert.deepEqual(deathOfZombie(zombie(0) ?? assert.fail(), false), { kind: 'unknown' });
  assert.equal(hasEnded(zombie(0) ?? assert.fail()), true);
});

test('numbers of a status file', () => {
  const status = 'Name:\tTgid: 9\nTgid:\t42\nUid:\t1000\t1001\t1002\t1003\n';
  assert.deepEqual(
    [statusNumber(status, 'Tgid'), statusNumber(status, 'Uid', 1), statusNumber(status, 'Gid')],
    [42, 1_001, null],
  );
});

interface Fake {
  readonly root: string;
  add(pid: number, comm: string, cmdline: string, more?: { stat?: string; uid?: number }): void;
}

function makeProc(t: TestContext, selfPid = 50): Fake {
  const root = mkdtempSync(join(tmpdir(), 'watchdog-proc-'));
  t.after(() => rmSync(root, { recursive: true }));
  const fake: Fake = {
    root,
    add(pid, comm, cmdline, { stat, uid = 0 } = {}) {
      mkdirSync(join(root, String(pid)));
      writeFileSync(join(root, String(pid), 'stat'), stat ?? statLine(pid, comm));
      writeFileSync(
        join(root, String(pid), 'status'),
        `Name:\t${comm}\nTgid:\t${pid}\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\n`,
      );
      writeFileSync(join(root, String(pid), 'cmdline'), cmdline, 'latin1');
    },
  };
  writeFileSync(join(root, 'uptime'), '100.00 200.00\n');
  symlinkSync(String(selfPid), join(root, 'self'));
  fake.add(1, 'init', '/sbin/init\0');
  fake.add(selfPid, 'watchdog', 'watchdog: watching\0');
  return fake;
}

async function scan(fake: Fake, pattern: RegExp, selfPid = 50, uids: readonly number[] | null = null) {
  const found = await openProcFs({ root: fake.root, selfPid }).scan((line) => pattern.test(line));
  return { ...found, trouble: found.troubleFor(uids) };
}

test('a scan gives what is wanted, with all that is known of it', async (t) => {
  const fake = makeProc(t);
  fake.add(101, 'node', 'node\0my.js\0start\0', { uid: 33 });
  fake.add(102, 'sh', 'sh\0');
  const { records, trouble } = await scan(fake, /my\.js/);
  assert.equal(trouble, null);
  assert.deepEqual(records, [
    {
      pid: 101,
      startTime: 777,
      ppid: 1,
      uid: 33,
      state: 'alive',
      isKernelThread: false,
      commandLine: 'node my.js start',
      args: ['node', 'my.js', 'start'],
      exe: null,
      ageMs: 92_230,
    },
  ]);
});

test('who shows no command line is known by his short name, in brackets', async (t) => {
  const fake = makeProc(t);
  fake.add(2, 'kthreadd', '', { stat: statLine(2, 'kthreadd', 'S', 0x208040) });
  fake.add(101, 'node', '', { stat: statLine(101, 'node', 'Z') });
  fake.add(102, 'quiet', '\0\0\0');
  const { records } = await scan(fake, /kthreadd|node|quiet/);
  assert.deepEqual(
    [...records]
      .sort((one, other) => one.pid - other.pid)
      .map((one) => [one.commandLine, one.state, one.isKernelThread, one.args]),
    [
      ['[kthreadd]', 'alive', true, []],
      ['[node]', 'zombie', false, []],
      ['[quiet]', 'alive', false, []],
    ],
  );
});

test('a command line longer than any buffer is read whole', async (t) => {
  const fake = makeProc(t);
  fake.add(101, 'java', `java\0${'x'.repeat(300_000)}\0the.end\0`);
  assert.equal((await scan(fake, /the\.end$/)).records.length, 1);
});

test('a listing without ourselves or without process 1 is no proof of anything', async (t) => {
  const fake = makeProc(t);
  assert.match((await scan(fake, /x/, 51)).trouble ?? '', /does not show this watchdog itself/);
  rmSync(join(fake.root, '1'), { recursive: true });
  assert.match((await scan(fake, /x/)).trouble ?? '', /hides other users' processes/);
  assert.equal((await scan(fake, /x/, 50, [process.geteuid?.() ?? 0])).trouble, null, 'unless only our own count');
  assert.match((await scan({ ...fake, root: '/nonexistent' }, /x/)).trouble ?? '', /cannot be listed: no such file/);
});

test('our number in use in another namespace does not make it ours', async (t) => {
  const fake = makeProc(t);
  rmSync(join(fake.root, 'self'));
  symlinkSync('9050', join(fake.root, 'self'));
  assert.match((await scan(fake, /x/)).trouble ?? '', /another PID namespace/);
});

test('an entry that hangs, vanishes or is none does not hold the scan up', async (t) => {
  const fake = makeProc(t);
  fake.add(101, 'stuck', 'x');
  rmSync(join(fake.root, '101', 'cmdline'));
  execFileSync('mkfifo', [join(fake.root, '101', 'cmdline')]);
  mkdirSync(join(fake.root, '102'));
  writeFileSync(join(fake.root, '103'), 'a file');
  const { trouble, records } = await scan(fake, /init/);
  assert.deepEqual([records.map((one) => one.pid)], [[1]]);
  assert.match(trouble ?? '', /process 103 cannot be read: not a directory/);
});

test('a number that is not there, and one that is a thread’s', async (t) => {
  const fake = makeProc(t);
  fake.add(101, 'x', 'x\0');
  writeFileSync(join(fake.root, '101', 'status'), 'Tgid:\t100\nUid:\t0\t0\t0\t0\n');
  const table = openProcFs({ root: fake.root, selfPid: 50 });
  assert.deepEqual(await table.read(101), { kind: 'thread', processPid: 100 });
  assert.deepEqual(await table.read(4_000_000), { kind: 'none' });
});
