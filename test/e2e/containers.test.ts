/** The manual, "cron" and "Containers". */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { isAlive, processesWith, signal } from '../support/processes.ts';
import { IN_NAMESPACES, logged, makeSandbox, QUICK, runWatchdog, type Sandbox, WATCHDOG } from '../support/sandbox.ts';
import { waitUntil } from '../support/wait-until.ts';

test('an @reboot line of the real cron recovers the target, and takes cron’s shell not for it', async (t) => {
  const sandbox = makeSandbox(t);
  const line = `@reboot ${WATCHDOG} -p ${sandbox.marker} -r 'date >> ${sandbox.path('ev')}; exec bash -c "exec -a ${sandbox.marker} sleep 1000"' -l ${sandbox.path('log')} ${QUICK.join(' ')}`;
  sandbox.write('crontab', `${line}\n`, 0o600);
  const script = `
    mount -t tmpfs none /run && mount -t tmpfs none /var/spool/cron && mount -t tmpfs none /etc/cron.d || exit 1
    mount --bind /dev/null /etc/crontab
    mkdir -m 1730 /var/spool/cron/crontabs
    install -m 600 ${sandbox.path('crontab')} /var/spool/cron/crontabs/root
    exec cron -f`;
  sandbox.start('unshare', [...IN_NAMESPACES, 'bash', '-c', script], {
    env: { PATH: process.env.PATH, SANDBOX: sandbox.marker },
  });
  await logged(sandbox, 'recovered: ', 1, 20_000);
  assert.equal(sandbox.recoveries(), 1);
  assert.match(sandbox.read('log'), /started: .*directory \/root, PATH \/usr\/bin:\/bin;/);
  assert.match(sandbox.read('log'), /watching: down, nothing matches/);
  signal(sandbox.targets()[0] ?? 0, 'SIGKILL');
  await logged(sandbox, 'recovered: ', 2);
  assert.equal(sandbox.recoveries(), 2);
});

/** A file system with the executable, its libraries, a shell, and nothing else. */
function makeRoot(sandbox: Sandbox): string {
  const root = sandbox.path('root');
  for (const directory of ['proc', 'bin', 'dev']) mkdirSync(`${root}/${directory}`, { recursive: true });
  for (const [program, place] of [
    [WATCHDOG, '/watchdog'],
    ['/bin/dash', '/bin/sh'],
  ] as const) {
    copyInto(root, program, place);
    const libraries = execFileSync('ldd', [program], { encoding: 'utf8' }).match(/\/\S+/g) ?? [];
    for (const library of libraries) copyInto(root, library, library);
  }
  // Built of what the shell itself can do: it reads from a FIFO to which nobody writes.
  sandbox.write(`root/${sandbox.marker}.sh`, 'echo start >> /ev; exec 3<>/fifo; while read -r line <&3; do :; done\n');
  execFileSync('mkfifo', [`${root}/fifo`]);
  return root;
}

function copyInto(root: string, from: string, to: string): void {
  mkdirSync(`${root}${dirname(to)}`, { recursive: true });
  copyFileSync(from, `${root}${to}`);
  chmodSync(`${root}${to}`, 0o755);
}

const CONTAINER_ARGS = (marker: string) => `-p 'sh /${marker}.sh$' -r 'exec sh /${marker}.sh' ${QUICK.join(' ')}`;

function targetsIn(sandbox: Sandbox): readonly number[] {
  return processesWith(sandbox.marker)
    .filter((one) => one.line.endsWith(`sh /${sandbox.marker}.sh`) && !one.line.startsWith('chroot'))
    .map((one) => one.pid);
}

test('as process 1 of a container with nothing but itself and a shell', async (t) => {
  const sandbox = makeSandbox(t);
  const root = makeRoot(sandbox);
  const script = `mount -t proc proc ${root}/proc; exec chroot ${root} /watchdog ${CONTAINER_ARGS(sandbox.marker)}`;
  const container = sandbox.start('unshare', [...IN_NAMESPACES, 'bash', '-c', script]);
  await waitUntil('it is recovered', () => container.output().includes('recovered: '));
  assert.match(container.output(), /pid 1, user 0/);
  signal(targetsIn(sandbox)[0] ?? 0, 'SIGKILL');
  await waitUntil('it is recovered again', () => (container.output().match(/recovered: /g)?.length ?? 0) === 2);
  assert.equal(sandbox.read('root/ev').split('\n').length - 1, 2);
  const first = await waitUntil('process 1 is found', () =>
    processesWith('watchdog: watching').find((one) => one.ppid === container.pid),
  );
  const startedAtMs = performance.now();
  signal(first.pid, 'SIGTERM');
  await container.ended;
  assert.ok(performance.now() - startedAtMs < 2_000);
  assert.match(container.output(), /stopped: SIGTERM\n$/);
});

test('as a second process beside the target', async (t) => {
  const sandbox = makeSandbox(t);
  const root = makeRoot(sandbox);
  const script = `mount -t proc proc ${root}/proc
    chroot ${root} /bin/sh /${sandbox.marker}.sh &
    chroot ${root} /watchdog ${CONTAINER_ARGS(sandbox.marker)} --log /log & wait`;
  sandbox.start('unshare', [...IN_NAMESPACES, 'bash', '-c', script]);
  await waitUntil('it watches', () => sandbox.read('root/log').includes('watching: up'));
  const [pid = 0] = targetsIn(sandbox);
  signal(pid, 'SIGKILL');
  await waitUntil('it is recovered', () => sandbox.read('root/log').includes('recovered: '));
  assert.ok(!isAlive(pid));
  assert.equal(sandbox.read('root/ev').split('\n').length - 1, 2);
});

test('all options as variables, and none on the command line', async (t) => {
  const sandbox = makeSandbox(t);
  const env = {
    PATH: process.env.PATH,
    WATCHDOG_PATTERN: `^${sandbox.marker}`,
    WATCHDOG_RECOVER: `env | grep ^WATCHDOG_ | sort > ${sandbox.path('out')}; ${sandbox.recover}`,
    WATCHDOG_LOG: sandbox.path('log'),
    WATCHDOG_SETTLE: '300ms',
    WATCHDOG_ENV: 'A=1\nB=2',
  };
  sandbox.start(WATCHDOG, [], { env });
  await logged(sandbox, 'recovered: ');
  assert.match(
    sandbox.read('out'),
    /^WATCHDOG_ATTEMPT=1\nWATCHDOG_BY=\d+\nWATCHDOG_CAUSE=missing\nWATCHDOG_TARGET=\^tgt\S+\n$/,
  );
  const second = sandbox.start(WATCHDOG, ['--once'], { env });
  assert.equal((await second.ended).status, 4);
  const { leftOut } = JSON.parse((await runWatchdog(['match', '--json', '--pattern', 'watchdo'])).output) as {
    leftOut: { pid: number; why: string }[];
  };
  assert.ok(
    leftOut.some((one) => one.why === 'watchdog'),
    'known by its executable, as its title has no room',
  );
});
