/** The manual, "In a container": as process 1, and as the parent of orphans. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { allProcesses, readProcess, signal } from '../support/processes.ts';
import { IN_NAMESPACES, makeSandbox, type Running, type Sandbox, WATCHDOG } from '../support/sandbox.ts';
import { waitUntil } from '../support/wait-until.ts';

const RECOVERIES = Number(process.env.RECOVERIES ?? 60);

/** A watchdog that is process 1 of a namespace; its log is what it prints. */
function startAsInit(sandbox: Sandbox, args: readonly string[]): Running {
  return sandbox.start('unshare', [...IN_NAMESPACES, WATCHDOG, ...args]);
}

async function initOf(container: Running): Promise<number> {
  return waitUntil('process 1 is there', () => allProcesses().find((one) => one.ppid === container.pid)?.pid);
}

test(`${RECOVERIES} recoveries that daemonize as process 1 leave no zombie`, {
  timeout: 60_000 + RECOVERIES * 500,
}, async (t) => {
  const sandbox = makeSandbox(t);
  const recover = `(sleep 0.01 && echo orphan >> ${sandbox.path('orphans')} &) ; exit 0`;
  const quick = ['--interval', '50ms', '--backoff', '0', '--start-grace', '0', '--confirm', '0'];
  const container = startAsInit(sandbox, ['--pattern', `^${sandbox.marker}`, '--recover', recover, ...quick]);
  const orphans = () => sandbox.read('orphans').split('\n').length - 1;
  await waitUntil('so many have run', () => orphans() >= RECOVERIES, 600_000);
  const init = await initOf(container);
  await waitUntil('none is left', () => allProcesses().every((one) => one.ppid !== init || one.state !== 'Z'));
  const startedAtMs = performance.now();
  signal(init, 'SIGTERM');
  assert.equal((await container.ended).status, 0);
  assert.ok(performance.now() - startedAtMs < 3_000);
  assert.match(container.output(), /stopped: SIGTERM/);
});

test('at the end, as process 1, the others are asked to end before the kernel makes them', async (t) => {
  const sandbox = makeSandbox(t);
  const target = sandbox.write(
    `${sandbox.marker}.sh`,
    `trap 'echo asked >> ${sandbox.path('asked')}; exit' TERM; while :; do sleep 0.05; done\n`,
  );
  const args = [
    '--pattern',
    `^sh ${target}`,
    '--recover',
    `setsid sh ${target} > /dev/null 2>&1 & exit 0`,
    '--settle',
    '100ms',
  ];
  const container = startAsInit(sandbox, args);
  await waitUntil('it is up', () => container.output().includes('recovered: '));
  signal(await initOf(container), 'SIGTERM');
  assert.equal((await container.ended).status, 0);
  assert.equal(sandbox.read('asked'), 'asked\n');
});

test('its exit status is what the brain gave, as process 1 and otherwise', async (t) => {
  const sandbox = makeSandbox(t);
  const args = ['--pattern', `^${sandbox.marker}`, '--recover', 'sleep 1000', '--log', sandbox.path('log')];
  const command = `${WATCHDOG} ${args.map((arg) => `'${arg}'`).join(' ')}`;
  const script = `${command} & sleep 1000 & until grep -q started ${sandbox.path('log')}; do sleep 0.05; done; exec ${command}`;
  const container = sandbox.start('unshare', [...IN_NAMESPACES, 'bash', '-c', script]);
  assert.equal((await container.ended).status, 4);
  assert.match(container.output(), /another watchdog \(pid \d+\) already watches/);
});

test('what daemonizes itself elsewhere too comes to the watchdog, which knows how it ended and reaps it', async (t) => {
  const sandbox = makeSandbox(t);
  const watchdog = sandbox.watchdog([
    ...['--pattern', `^${sandbox.marker}`, '--settle', '100ms', '--confirm', '300ms'],
    ...['--recover', `(bash -c 'exec -a ${sandbox.marker} sleep 1000' >/dev/null 2>&1 &)`],
  ]);
  const pid = await waitUntil(
    'it is up',
    () => sandbox.read('log').includes('recovered: ') && (sandbox.targets()[0] ?? 0),
  );
  assert.equal(readProcess(Number(pid))?.ppid, watchdog.pid);
  signal(Number(pid), 'SIGABRT');
  await waitUntil('it is told', () =>
    sandbox.read('log').includes(`gone: pid ${pid}, killed by SIGABRT; looking once more`),
  );
  await waitUntil('no zombie', () => allProcesses().every((one) => one.ppid !== watchdog.pid || one.state !== 'Z'));
});

/** nginx with two workers, in a directory of the test. */
function writeNginx(sandbox: Sandbox): string {
  const path = sandbox.directory;
  sandbox.write('logs/.keep', '');
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${path}/${name};`)
    .join(' ');
  return sandbox.write(
    'nginx.conf',
    `worker_processes 2; user root; pid ${path}/nginx.pid; error_log ${path}/logs/error.log;
events { worker_connections 16; }
http { access_log off; ${temp} server { listen unix:${path}/socket; } }
`,
  );
}

for (const [how, select] of [
  ['by pattern', (sandbox: Sandbox) => ['--pattern', `^nginx: master process nginx -c ${sandbox.path('nginx.conf')}`]],
  ['by pid-file', (sandbox: Sandbox) => ['--pid-file', sandbox.path('nginx.pid')]],
] as const) {
  test(`nginx, a daemon that somebody else started, ${how}: its master killed while its workers live`, async (t) => {
    const sandbox = makeSandbox(t);
    const configuration = writeNginx(sandbox);
    execFileSync('nginx', ['-c', configuration, '-e', sandbox.path('logs/error.log')], {
      stdio: 'ignore',
      cwd: sandbox.directory,
    });
    const master = () => Number(sandbox.read('nginx.pid'));
    // The workers hold the socket until the master's end reaches them, or the recovery ends them.
    const recover = `echo start >> ${sandbox.path('ev')}; pkill -f 'nginx: worker.*' -P 1 -g $(cat ${sandbox.path('nginx.pid')}); rm -f ${sandbox.path('socket')}; exec nginx -c ${configuration}`;
    const times = ['--settle', '300ms', '--confirm', '500ms', '--start-grace', '3s'];
    sandbox.watchdog([...select(sandbox), '--recover', recover, ...times]);
    await waitUntil('it is watched', () => sandbox.read('log').includes('watching: up'));
    sandbox.undo(() => signal(master(), 'SIGQUIT'));
    for (let death = 1; death <= 3; death += 1) {
      const before = master();
      const workers = allProcesses().filter((one) => one.ppid === before);
      assert.equal(workers.length, 2);
      signal(before, 'SIGKILL');
      await waitUntil(`recovery ${death}`, () => sandbox.read('log').match(/recovered: /g)?.length === death);
      assert.equal(sandbox.recoveries(), death);
      assert.notEqual(master(), before);
      for (const worker of workers) signal(worker.pid, 'SIGKILL');
    }
    // A worker that dies is its master's affair.
    signal(allProcesses().find((one) => one.ppid === master())?.pid ?? 0, 'SIGKILL');
    await waitUntil('there are two again', () => allProcesses().filter((one) => one.ppid === master()).length >= 2);
    assert.equal(sandbox.recoveries(), 3);
    signal(master(), 'SIGTERM');
    await waitUntil('its end is confirmed, and recovered', () => sandbox.recoveries() === 4);
    await waitUntil('it is up', () => sandbox.read('log').match(/recovered: /g)?.length === 4);
  });
}
