/** The manual, "What it does": one target, gone and brought back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compile } from '../support/compile.ts';
import { isAlive, processesWith, signal } from '../support/processes.ts';
import { IN_NAMESPACES, logged, makeSandbox, QUICK, type Sandbox, WATCHDOG, withoutTimes } from '../support/sandbox.ts';
import { waitUntil } from '../support/wait-until.ts';

/** A target that can be told to end in every way; it ends itself on USR1 and USR2. */
const PROGRAM = `
process.on('SIGUSR1', () => process.exit(3));
process.on('SIGUSR2', () => process.exit(0));
require('fs').appendFileSync(process.env.EV, 'start ' + process.pid + '\\n');
setInterval(() => {}, 1000);
`;
const WAYS: readonly NodeJS.Signals[] = ['SIGKILL', 'SIGSEGV', 'SIGUSR1', 'SIGUSR2', 'SIGTERM'];

test('killed 20 times in five ways, it is recovered exactly 20 times', async (t) => {
  const sandbox = makeSandbox(t);
  const script = sandbox.write(`${sandbox.marker}.js`, PROGRAM);
  const alive = () => processesWith(sandbox.marker).find((one) => one.line.startsWith(`node ${script}`));
  const env = { ...process.env, EV: sandbox.path('ev') };
  const watchdog = sandbox.watchdog(
    ['--pattern', `${sandbox.marker}.js`, '--recover', `node ${script} start`, ...QUICK],
    { env },
  );
  await logged(sandbox, 'recovered: ');
  assert.equal(sandbox.recoveries(), 1, 'it was absent, and is running');

  for (let kill = 1; kill <= 20; kill += 1) {
    const target = await waitUntil('the target is up', alive);
    signal(target.pid, WAYS[kill % WAYS.length] ?? 'SIGKILL');
    await waitUntil('the target has ended', () => !isAlive(target.pid));
    await logged(sandbox, 'recovered: ', kill + 1);
    // It is there before it has run a line of its script.
    await waitUntil('it has begun', () => sandbox.recoveries() > kill);
    assert.equal(sandbox.recoveries(), kill + 1, `after kill ${kill}`);
  }

  // The shell around it tells how it went; on a busy machine not always in time.
  const told = sandbox.read('log').match(/gone: pid \d+, (exit status [03]|killed by SIG(KILL|SEGV|TERM))/g) ?? [];
  assert.ok(told.length >= 10, sandbox.read('log'));

  const last = await waitUntil('the target is up', alive);
  signal(watchdog.pid, 'SIGTERM');
  assert.deepEqual(await watchdog.ended, { status: 0, signal: null });
  assert.ok(isAlive(last.pid), 'what was recovered outlives the watchdog');
  assert.equal(sandbox.recoveries(), 21);
  assert.equal(withoutTimes(sandbox.read('log')).at(-1), `${sandbox.marker}.js stopped: SIGTERM`);
});

test('the recovery line is the shell loop’s to the byte', async (t) => {
  const ours = makeSandbox(t);
  const loops = makeSandbox(t);
  const recoveryOf = (marker: string) => `bash -c "exec -a ${marker} sleep 1000" &`;
  loops.start('bash', [
    '-c',
    `PATTERN=$1 RECOVERY=$2 LOGFILE=$3
     while true; do
       TIMEPOINT=$(date -d "today" +"%Y-%m-%d_%H:%M:%S")
       PROC=$(pgrep -o -f "^$PATTERN")
       if [ -z "$PROC" ]; then
         eval "$RECOVERY" >> $LOGFILE
         echo "[$TIMEPOINT] $PATTERN $RECOVERY" >> $LOGFILE
       fi
       sleep 0.2
     done`,
    'loop',
    loops.marker,
    recoveryOf(loops.marker),
    loops.path('log'),
  ]);
  ours.watchdog(['--pattern', ours.marker, '--recover', recoveryOf(ours.marker), ...QUICK]);
  for (const sandbox of [loops, ours]) {
    for (let recovery = 1; recovery <= 3; recovery += 1) {
      const target = await waitUntil('the target is up', () => sandbox.targets()[0]);
      if (sandbox === ours) await logged(ours, 'recovered: ', recovery);
      signal(target, 'SIGKILL');
      await waitUntil('the target has ended', () => !isAlive(target));
    }
    await waitUntil('the target is up again', () => sandbox.targets()[0]);
  }
  const recoveryLines = (log: string, marker: string) =>
    log
      .split('\n')
      .filter((line) => line.endsWith(' &'))
      .map((line) => line.replaceAll(marker, 'TARGET').replace(/\d/g, '0'));
  await waitUntil('both have logged four recoveries', () =>
    [loops, ours].every((sandbox) => recoveryLines(sandbox.read('log'), sandbox.marker).length === 4),
  );
  const expected = '[0000-00-00_00:00:00] TARGET bash -c "exec -a TARGET sleep 0000" &';
  assert.deepEqual(recoveryLines(loops.read('log'), loops.marker), Array(4).fill(expected));
  assert.deepEqual(recoveryLines(ours.read('log'), ours.marker), Array(4).fill(expected));
});

test('a planned restart within half a second is left alone', async (t) => {
  const sandbox = makeSandbox(t);
  const first = await sandbox.startTarget();
  sandbox.watchdog(['--pattern', `^${sandbox.marker}`, '--recover', sandbox.recover]);
  await logged(sandbox, 'watching: up');
  signal(first, 'SIGTERM');
  await logged(sandbox, 'gone: ');
  await sandbox.startTarget();
  await logged(sandbox, 'not by us');
  assert.equal(sandbox.recoveries(), 0);
});

test('a slow starter is recovered exactly once', async (t) => {
  const sandbox = makeSandbox(t);
  const slow = `echo start >> ${sandbox.path('ev')}; setsid sh -c "sleep 8; exec bash -c 'exec -a ${sandbox.marker} sleep 1000'" &`;
  sandbox.watchdog(['--pattern', sandbox.marker, '--recover', slow, '--settle', '1s']);
  await logged(sandbox, 'recovered: ', 1, 30_000);
  assert.equal(sandbox.recoveries(), 1);
});

test('a program that daemonizes itself is followed by its daemon', async (t) => {
  const sandbox = makeSandbox(t);
  const script = sandbox.write(
    `${sandbox.marker}.js`,
    `const { spawn } = require('child_process');
     if (process.argv[2] === 'start') {
       require('fs').appendFileSync('${sandbox.path('ev')}', 'start\\n');
       spawn(process.execPath, [__filename, 'daemon'], { detached: true, stdio: 'ignore' }).unref();
     } else setInterval(() => {}, 1000);`,
  );
  const daemon = () => processesWith(sandbox.marker).find((one) => one.line.endsWith(' daemon'));
  sandbox.watchdog(['--pattern', `${sandbox.marker}.js`, '--recover', `node ${script} start`, ...QUICK]);
  for (let time = 1; time <= 3; time += 1) {
    await logged(sandbox, 'recovered: ', time);
    assert.equal(sandbox.recoveries(), time);
    const target = await waitUntil('the daemon is up', daemon);
    signal(target.pid, 'SIGKILL');
    await waitUntil('the daemon has ended', () => !isAlive(target.pid));
  }
});

test('--once recovers and ends, with the outcome as its exit code', async (t) => {
  const sandbox = makeSandbox(t);
  const args = ['--once', '--pattern', `^${sandbox.marker}`, ...QUICK];
  assert.equal((await sandbox.watchdog([...args, '--recover', 'exit 1']).ended).status, 1);
  assert.equal((await sandbox.watchdog([...args, '--recover', sandbox.recover, '--dry-run']).ended).status, 1);
  assert.equal(sandbox.recoveries(), 0, 'a dry run starts nothing');
  assert.match(sandbox.read('log'), /would recover/);
  assert.equal((await sandbox.watchdog([...args, '--recover', sandbox.recover]).ended).status, 0);
  assert.equal(sandbox.targets().length, 1);
  assert.equal((await sandbox.watchdog([...args, '--recover', sandbox.recover]).ended).status, 0);
  assert.equal(sandbox.recoveries(), 1, 'what is up is left alone');
});

test('a recovery that always fails is tried ever more rarely', async (t) => {
  const sandbox = makeSandbox(t);
  const failing = `date +%s.%N >> ${sandbox.path('ev')}; exit 1`;
  sandbox.watchdog(['--pattern', sandbox.marker, '--recover', failing, '--confirm', '0', '--backoff', '100ms..800ms']);
  await waitUntil('eight tries were made', () => sandbox.recoveries() >= 8, 30_000);
  const times = sandbox.read('ev').trim().split('\n').map(Number);
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  const least = [0.1, 0.16, 0.32, 0.64, 0.64, 0.64, 0.64];
  for (const [index, gap] of gaps.slice(0, least.length).entries()) {
    assert.ok(gap >= (least[index] ?? 0), `gap ${index} is ${gap} s`);
  }
  await logged(sandbox, 'backing off: ');
});

test('a target that dies soon after each start is tried ever more rarely', async (t) => {
  const sandbox = makeSandbox(t);
  const flapping = `echo start >> ${sandbox.path('ev')}; exec bash -c "exec -a ${sandbox.marker} sleep 0.3"`;
  const times = ['--settle', '2s', '--start-grace', '100ms', '--backoff', '200ms..5m'];
  sandbox.watchdog(['--pattern', `^${sandbox.marker}`, '--recover', flapping, ...times]);
  await logged(sandbox, 'next try in', 4, 30_000);
  const pauses = [...sandbox.read('log').matchAll(/next try in ([\d.]+)(ms|s)/g)].map(
    ([, number, unit]) => Number(number) * (unit === 's' ? 1_000 : 1),
  );
  assert.ok((pauses[3] ?? 0) > 2 * (pauses[0] ?? 0), String(pauses));
});

/** In a PID namespace of its own, where the next number can be chosen: a script around a watchdog and its target. */
function inNamespace(sandbox: Sandbox, script: string) {
  const program = compile(sandbox, 'idle');
  // Until it is called so: before, it is this shell, whose own last argument is the marker.
  const start = `start() { (exec -a ${sandbox.marker} ${program}) & new=$!; until read -r -d '' name < /proc/$new/cmdline; [ "$name" = ${sandbox.marker} ]; do :; done; }`;
  const call = `${WATCHDOG} --pattern '^${sandbox.marker}' --recover 'echo start >> ${sandbox.path('ev')}' --log ${sandbox.path('log')} --confirm 1s`;
  const whole = `exec 2>/dev/null; ${start}
    start; ${call} & watchdog=$!
    until grep -q 'watching: up' ${sandbox.path('log')}; do sleep 0.05; done
    ${script}
    kill $watchdog; wait $watchdog`;
  return sandbox.start('unshare', [...IN_NAMESPACES, 'bash', '-c', whole, sandbox.marker]);
}

test('handed over 200 times to a successor, whatever its number, it is never recovered', async (t) => {
  const sandbox = makeSandbox(t);
  const handOver = `for round in $(seq 200); do
      old=$new; echo $((300 + RANDOM % 1000)) > /proc/sys/kernel/ns_last_pid
      start; kill -9 $old; wait $old
    done`;
  await inNamespace(sandbox, handOver).ended;
  assert.equal(sandbox.recoveries(), 0, sandbox.read('log'));
  assert.match(sandbox.read('log'), /stopped: SIGTERM/);
  assert.ok((sandbox.read('log').match(/gone: /g)?.length ?? 0) > 0, 'it did notice');
});

test('restarted 60 times by somebody else within a moment, it is never recovered', async (t) => {
  const sandbox = makeSandbox(t);
  await inNamespace(sandbox, 'for round in $(seq 60); do kill $new; wait $new; sleep 0.04; start; sleep 0.1; done')
    .ended;
  assert.equal(sandbox.recoveries(), 0, sandbox.read('log'));
  assert.match(sandbox.read('log'), /stopped: SIGTERM/);
});
