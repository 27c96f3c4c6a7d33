/** The manual, "What waits": what stays while all is well, where it can't, and what it weighs. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { test } from 'node:test';
import { compile } from '../support/compile.ts';
import { allProcesses, isAlive, readProcess, signal } from '../support/processes.ts';
import {
  AS_NOBODY,
  brainOf,
  IN_NAMESPACES,
  logged,
  makeSandbox,
  QUICK,
  type Running,
  runWatchdog,
  type Sandbox,
  WATCHDOG,
} from '../support/sandbox.ts';
import { waitUntil } from '../support/wait-until.ts';

const BUNDLE = `${WATCHDOG}.cjs`;

async function asleep(watchdog: Running): Promise<void> {
  await waitUntil('it sleeps, and says so', () => {
    const isAlone = allProcesses().every((one) => one.ppid !== watchdog.pid || !one.line.startsWith('watchdog'));
    return isAlone && / up$/.test(readProcess(watchdog.pid)?.line ?? '');
  });
}

/** A number of `/proc/PID/status`. */
function status(pid: number, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);
}

/** Page by page: the figure of `status` is off by up to 64 pages a processor. */
function residentKb(pid: number): number {
  return Number(/^Rss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1]);
}

function watchArgs(sandbox: Sandbox): readonly string[] {
  return ['--pattern', `^${sandbox.marker}`, '--recover', sandbox.recover, ...QUICK];
}

test('while all is well: one process, one thread, 150 kB, and not one wake-up', async (t) => {
  const sandbox = makeSandbox(t);
  await sandbox.startTarget();
  const watchdog = sandbox.watchdog(watchArgs(sandbox));
  await logged(sandbox, 'watching: up');
  await asleep(watchdog);
  assert.ok(residentKb(watchdog.pid) <= 150, `${residentKb(watchdog.pid)} kB`);
  assert.equal(status(watchdog.pid, 'Threads'), 1);
  const before = status(watchdog.pid, 'voluntary_ctxt_switches');
  const startedAtMs = performance.now();
  await waitUntil('some time has passed', () => performance.now() - startedAtMs > 6_000);
  assert.equal(status(watchdog.pid, 'voluntary_ctxt_switches'), before);
});

test('while the recovery itself is the target, or the shell around it: not one wake-up either', async (t) => {
  const sandbox = makeSandbox(t);
  const recover = `bash -c "exec -a ${sandbox.marker} sleep 1000"; true`;
  const watchdog = sandbox.watchdog(['--pattern', `^${sandbox.marker}`, '--recover', recover, ...QUICK]);
  await logged(sandbox, 'recovered: ');
  await asleep(watchdog);
  const before = await settledSwitches(watchdog.pid);
  const startedAtMs = performance.now();
  await waitUntil('some time has passed', () => performance.now() - startedAtMs > 2_000);
  assert.equal(status(watchdog.pid, 'voluntary_ctxt_switches'), before);
});

/** The brain is gone a moment before the sentinel, which has just reaped it, sleeps again. */
async function settledSwitches(pid: number): Promise<number> {
  let before = -1;
  return waitUntil('the sentinel waits', () => {
    const now = status(pid, 'voluntary_ctxt_switches');
    const isSettled = now === before;
    before = now;
    return isSettled ? now : undefined;
  });
}

test('a thousand processes are watched within 2 MB', async (t) => {
  const sandbox = makeSandbox(t);
  const many = compile(sandbox, 'many');
  sandbox.start(many, ['1000', sandbox.marker]);
  await waitUntil('they are there', () => sandbox.targets().length === 1_000);
  const watchdog = sandbox.watchdog([...watchArgs(sandbox), '--min', '1000']);
  await logged(sandbox, 'watching: up');
  await asleep(watchdog);
  assert.ok(residentKb(watchdog.pid) <= 2_048, `${residentKb(watchdog.pid)} kB`);
  assert.ok(readdirSync(`/proc/${watchdog.pid}/fd`).length > 1_000);
  signal(sandbox.targets()[500] ?? 0, 'SIGSEGV');
  await logged(sandbox, /gone: pid \d+, killed by SIGSEGV/);
});

test('more than the hard limit of files allows: it looks every interval instead, and says so', async (t) => {
  const sandbox = makeSandbox(t);
  const many = compile(sandbox, 'many');
  sandbox.start(many, ['60', sandbox.marker]);
  await waitUntil('they are there', () => sandbox.targets().length === 60);
  const args = [...watchArgs(sandbox), '--min', '60', '--interval', '300ms', '--log', sandbox.path('log')];
  sandbox.start('prlimit', ['--nofile=40:40', WATCHDOG, ...args]);
  await logged(sandbox, /warning: pid \d+ cannot be watched: too many open files \(EMFILE\); looking every interval/);
  signal(sandbox.targets()[0] ?? 0, 'SIGKILL');
  await logged(sandbox, 'gone: ');
});

test("the user's soft limit of files is raised for the watch alone", async (t) => {
  const sandbox = makeSandbox(t);
  const many = compile(sandbox, 'many');
  sandbox.start(many, ['100', sandbox.marker]);
  await waitUntil('they are there', () => sandbox.targets().length === 100);
  const recover = `ulimit -Sn >> ${sandbox.path('limit')}`;
  const args = ['--pattern', `^${sandbox.marker}`, '--recover', recover, '--min', '100', '--log', sandbox.path('log')];
  sandbox.start('sh', ['-c', 'ulimit -Sn 64; "$@"', 'sh', WATCHDOG, ...args, ...QUICK]);
  await logged(sandbox, 'watching: up');
  signal(sandbox.targets()[0] ?? 0, 'SIGKILL');
  await waitUntil('the recovery has told its limit', () => sandbox.read('limit') !== '');
  assert.equal(sandbox.read('limit').split('\n')[0], '64');
});

/** A watchdog of its own executable, asleep, and the target that it watches. */
async function startCopy(sandbox: Sandbox): Promise<{ readonly pid: number; readonly watchdog: Running }> {
  copyFileSync(WATCHDOG, sandbox.path('watchdog'));
  const pid = await sandbox.startTarget();
  const watchdog = sandbox.start(sandbox.path('watchdog'), ['--log', sandbox.path('log'), ...watchArgs(sandbox)]);
  await logged(sandbox, 'watching: up');
  await asleep(watchdog);
  return { pid, watchdog };
}

test('its executable is deleted while it sleeps: it goes on with what it holds open', async (t) => {
  const sandbox = makeSandbox(t);
  const { pid } = await startCopy(sandbox);
  rmSync(sandbox.path('watchdog'));
  signal(pid, 'SIGKILL');
  await logged(sandbox, 'recovered: ');
  assert.doesNotMatch(sandbox.read('log'), /the brain/);
});

test('its executable is replaced while it sleeps: the next wake runs the new one, unless that is broken', async (t) => {
  const sandbox = makeSandbox(t);
  const { pid, watchdog } = await startCopy(sandbox);
  const held = () =>
    readdirSync(`/proc/${watchdog.pid}/fd`).map((fd) => readlinkSync(`/proc/${watchdog.pid}/fd/${fd}`));
  copyFileSync(WATCHDOG, sandbox.path('new'));
  renameSync(sandbox.path('new'), sandbox.path('watchdog'));
  assert.ok(held().includes(`${sandbox.path('watchdog')} (deleted)`));
  signal(pid, 'SIGKILL');
  await logged(sandbox, 'recovered: ');
  await asleep(watchdog);
  assert.ok(held().includes(sandbox.path('watchdog')), 'the new one has served, and is held');
  sandbox.write('broken', 'no program at all', 0o755);
  renameSync(sandbox.path('broken'), sandbox.path('watchdog'));
  signal(sandbox.targets()[0] ?? 0, 'SIGKILL');
  await logged(sandbox, 'recovered: ', 2);
});

test('--resident stays in memory, and so does what was asked to look only once; the log says why', async (t) => {
  const sandbox = makeSandbox(t);
  await sandbox.startTarget();
  const watchdog = sandbox.watchdog([...watchArgs(sandbox), '--resident']);
  await logged(sandbox, 'staying in memory (--resident), a death is noticed within 100ms');
  await logged(sandbox, 'watching: up');
  assert.ok(residentKb(watchdog.pid) > 10_000);
  signal(watchdog.pid, 'SIGTERM');
  await watchdog.ended;
  await sandbox.watchdog([...watchArgs(sandbox), '--once']).ended;
  assert.match(sandbox.read('log'), /staying in memory \(--once\)/);
});

/** In a mount namespace where nothing may be executed in any place that can be written. */
const NOEXEC = 'for place in /run /dev/shm /tmp; do mount -t tmpfs -o noexec tmpfs $place; done; ';

test('doctor tells which host would run, and every reason', async (t) => {
  const sandbox = makeSandbox(t);
  const beside = await runWatchdog(['doctor']);
  assert.match(beside.output, /^host: sentinel, executed from \S+dist\/watchdog-sentinel\nprocess table: \/proc\n$/);
  assert.equal(beside.status, 0);
  assert.match((await runWatchdog(['doctor', '--resident'])).output, /^host: resident, --resident\n/);

  copyFileSync(BUNDLE, sandbox.path('watchdog.cjs'));
  const call = `${process.execPath} ${sandbox.path('watchdog.cjs')} doctor`;
  const run = async (command: string, env: NodeJS.ProcessEnv): Promise<string> => {
    const one = sandbox.start('unshare', [...IN_NAMESPACES, 'sh', '-c', command], {
      env: { PATH: process.env.PATH, ...env },
      cwd: '/',
    });
    await one.ended;
    return one.output();
  };
  assert.match(await run(call, {}), /^host: sentinel, executed from \/run\/watchdog\n/);
  const copied = `mount -t tmpfs tmpfs /mnt; cp ${sandbox.path('watchdog.cjs')} ${process.execPath} /mnt; `;
  const hidden = `${copied}${NOEXEC}cd /mnt; ./node watchdog.cjs doctor`;
  const said = await run(hidden, { HOME: '/dev/null' });
  assert.match(said, /^host: resident, no sentinel\n/);
  assert.match(said, /\n {2}\/run\/watchdog: nothing may be executed there \(noexec/);
  assert.match(said, /\n {2}\/dev\/null\/.cache\/watchdog: not a directory \(ENOTDIR\)/);
  assert.match(said, /\n {2}\/dev\/shm: nothing may be executed there/);
  assert.match(said, /\n {2}\/tmp: nothing may be executed there/);
});

test('an old kernel without pidfd_open: the resident host, and the log says why', async (t) => {
  const sandbox = makeSandbox(t);
  await sandbox.startTarget();
  const strace = ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=pidfd_open', '-e', 'inject=pidfd_open:error=ENOSYS'];
  sandbox.start('strace', [...strace, WATCHDOG, ...watchArgs(sandbox), '--log', sandbox.path('log')]);
  await logged(
    sandbox,
    /staying in memory \(no sentinel: .*the kernel has no pidfd_open; Linux 5.3 or newer is needed/,
  );
  await logged(sandbox, 'watching: up');
});

test('as nobody, from a bundle that has no sentinel beside it, nothing is left behind', async (t) => {
  const sandbox = makeSandbox(t);
  mkdirSync(sandbox.path('out'));
  for (const place of ['.', 'out']) chmodSync(sandbox.path(place), 0o777);
  copyFileSync(BUNDLE, sandbox.path('watchdog.cjs'));
  copyFileSync(process.execPath, sandbox.path('node'));
  await sandbox.startTarget();
  const args = [...AS_NOBODY, sandbox.path('node'), sandbox.path('watchdog.cjs'), '--log', sandbox.path('out/log')];
  const env = { PATH: process.env.PATH, HOME: '/nonexistent' };
  const watchdog = sandbox.start('setpriv', [...args, ...watchArgs(sandbox)], { env, cwd: '/' });
  await waitUntil('it watches', () => sandbox.read('out/log').includes('watching: up'));
  assert.match(sandbox.read('out/log'), /user nobody.*the sentinel waits/);
  await asleep(watchdog);
  assert.ok(residentKb(watchdog.pid) <= 150);
  const left = () => readdirSync('/dev/shm').filter((name) => name.startsWith('.watchdog-sentinel'));
  await waitUntil('nothing is left, of this one or another', () => left().length === 0);
  // The brain is reaped a moment before its socket is closed.
  await waitUntil('few descriptors are open', () => readdirSync(`/proc/${watchdog.pid}/fd`).length <= 9);
});

test('what others see of it: neither pattern nor recovery, awake or asleep', async (t) => {
  const sandbox = makeSandbox(t);
  const watchdog = sandbox.watchdog([...watchArgs(sandbox), '--name', 'web', '--start-delay', '1s']);
  const brain = await brainOf(watchdog);
  assert.equal(readProcess(brain)?.line, 'watchdog: brain brain');
  assert.match(readProcess(watchdog.pid)?.line ?? '', /^watchdog: web, (starting|looking)$/);
  assert.equal(readFileSync(`/proc/${watchdog.pid}/comm`, 'utf8'), 'watchdog\n');
  await logged(sandbox, 'recovered: ');
  await asleep(watchdog);
  assert.equal(readProcess(watchdog.pid)?.line, 'watchdog: web, up');
});

test('a brain that is stopped does not hinder TERM; a second one ends it at once', async (t) => {
  const sandbox = makeSandbox(t);
  const watchdog = sandbox.watchdog([...watchArgs(sandbox), '--start-delay', '1s']);
  const brain = await brainOf(watchdog);
  signal(brain, 'SIGSTOP');
  signal(watchdog.pid, 'SIGTERM');
  const startedAtMs = performance.now();
  await waitUntil('a second TERM', () => {
    if (performance.now() - startedAtMs > 300) signal(watchdog.pid, 'SIGTERM');
    return !isAlive(watchdog.pid);
  });
  assert.ok(performance.now() - startedAtMs < 3_000);
  assert.equal((await watchdog.ended).status, 0);
  await waitUntil('the brain is gone too', () => !isAlive(brain));
});

test('killed for lack of memory, where its cgroup counts that', async (t) => {
  const sandbox = makeSandbox(t);
  const group = `/sys/fs/cgroup/memory/${sandbox.marker}`;
  const { mkdirSync, rmdirSync, writeFileSync } = await import('node:fs');
  mkdirSync(group);
  sandbox.undo(() => rmdirSync(group));
  writeFileSync(`${group}/memory.limit_in_bytes`, '30000000');
  const hog = compile(sandbox, 'hog');
  const target = sandbox.start('bash', ['-c', `echo $$ > ${group}/cgroup.procs; exec -a ${sandbox.marker} ${hog}`]);
  await waitUntil('it is up', () => readProcess(target.pid)?.line.startsWith(sandbox.marker));
  sandbox.watchdog(watchArgs(sandbox));
  await logged(sandbox, 'watching: up');
  signal(target.pid, 'SIGUSR1');
  await logged(sandbox, /gone: pid \d+, killed by SIGKILL, out of memory; looking once more/);
  await logged(sandbox, 'recovered: ');
  signal(sandbox.targets()[0] ?? 0, 'SIGKILL');
  await logged(sandbox, /gone: pid \d+, killed by SIGKILL; looking once more/);
});

test('the sentinel is killed while a brain is awake: the brain says so and ends, what was recovered lives on', async (t) => {
  const sandbox = makeSandbox(t);
  const args = ['--pattern', `^${sandbox.marker}`, '--recover', sandbox.recover, '--settle', '5s'];
  const watchdog = sandbox.watchdog(args);
  await waitUntil('the target is up', () => sandbox.targets().length === 1);
  const brain = await brainOf(watchdog);
  signal(watchdog.pid, 'SIGKILL');
  await waitUntil('the brain has ended', () => !isAlive(brain));
  await logged(sandbox, 'stopped: the sentinel was killed');
  assert.doesNotMatch(sandbox.read('log'), /defect/);
  assert.equal(sandbox.targets().length, 1);
  sandbox.watchdog(watchArgs(sandbox));
  await logged(sandbox, 'watching: up');
});

test('an executable that this user could not start again: the resident host, and the log says why', async (t) => {
  const sandbox = makeSandbox(t);
  await sandbox.startTarget();
  for (const place of ['.', 'out', 'closed']) {
    mkdirSync(sandbox.path(place), { recursive: true });
    chmodSync(sandbox.path(place), place === 'closed' ? 0o700 : 0o777);
  }
  copyFileSync(WATCHDOG, sandbox.path('closed/watchdog'));
  const args = [...AS_NOBODY, sandbox.path('closed/watchdog'), '--log', sandbox.path('out/log'), ...watchArgs(sandbox)];
  sandbox.start('setpriv', args, { cwd: '/' });
  await waitUntil('it watches', () => sandbox.read('out/log').includes('watching: up'));
  assert.match(sandbox.read('out/log'), /staying in memory \(no sentinel: this user cannot start \S+ again/);
});
