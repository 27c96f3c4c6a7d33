/** What starts a watch by itself, each proved where this machine allows; learning from what runs; what hinders. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { compile } from '../support/compile.ts';
import { processesWith, signal } from '../support/processes.ts';
import { IN_NAMESPACES, logged, makeSandbox, type Sandbox, WATCHDOG } from '../support/sandbox.ts';
import { waitUntil } from '../support/wait-until.ts';

function run(sandbox: Sandbox, args: readonly string[], env: Record<string, string> = {}) {
  const run = spawnSync(WATCHDOG, args, {
    encoding: 'utf8',
    cwd: sandbox.directory,
    env: { PATH: process.env.PATH, ...env },
  });
  return { status: run.status, output: run.stdout + run.stderr };
}

/** Runs a script where it has mounts of its own; what it prints. */
function inMounts(sandbox: Sandbox, script: string): string {
  return execFileSync('unshare', ['-m', '--propagation', 'private', 'bash', '-euc', script], {
    encoding: 'utf8',
    cwd: sandbox.directory,
  });
}

const ONE = ['-p', 'my.js', '-r', "node my.js start 100% '$HOME'"] as const;

test('the unit of systemd is as systemd wants it', (t) => {
  const sandbox = makeSandbox(t);
  const { output, status } = run(sandbox, ['install', '--systemd', ...ONE, '--name', 'web']);
  assert.equal(status, 0, output);
  assert.match(output, /^# watchdog web: written by watchdog install/);
  assert.match(
    output,
    /\nType=notify\nExecStart=\/\S+watchdog -p my\.js -r "node my\.js start 100%% '\$\$HOME'" --name web\n/,
  );
  assert.match(output, /\nKillMode=process\n/);
  assert.ok(output.includes(`\nWorkingDirectory=${sandbox.directory}\n`));
  const unit = sandbox.write('watchdog-web.service', output);
  if (spawnSync('systemd-analyze', ['--version']).error === undefined) {
    const verified = spawnSync('systemd-analyze', ['verify', '--man=no', unit], { encoding: 'utf8' });
    assert.doesNotMatch(verified.stderr, /watchdog-web\.service/);
  }
});

test('it is written into its place once, and exactly that is taken out again', (t) => {
  const sandbox = makeSandbox(t);
  const args = `--name web -p my.js -r 'node my.js'`;
  for (const [place, path] of [
    ['systemd', '/etc/systemd/system/watchdog-web.service'],
    ['openrc', '/etc/init.d/watchdog-web'],
  ] as const) {
    const directory = path.slice(0, path.lastIndexOf('/'));
    const said = inMounts(
      sandbox,
      `mount -t tmpfs none ${directory}
       ${WATCHDOG} install --${place} --write ${args}
       ${WATCHDOG} install --${place} ${args} | cmp - ${path} && echo same
       ${WATCHDOG} install --${place} --write ${args}
       ls ${directory}
       ${WATCHDOG} uninstall --${place} ${args}
       ${WATCHDOG} uninstall --${place} --write ${args}
       ls ${directory}
       ${WATCHDOG} uninstall --${place} --write ${args}
       echo 'mine' > ${path}
       ${WATCHDOG} install --${place} --write ${args} || echo refused $?
       ${WATCHDOG} uninstall --${place} --write ${args} || echo refused $?
       cat ${path}`,
    );
    const lines = said.trim().split('\n');
    assert.match(lines[0] ?? '', new RegExp(`^${path} was written; now: \\S+`));
    assert.deepEqual(
      lines.slice(1),
      [
        'same',
        `${path} is as it should be`,
        'watchdog-web',
        `would take "watchdog web" out of ${path}; --write does it`,
        `${path} was removed`,
        `${path} is not there`,
        'refused 2',
        'refused 2',
        'mine',
      ].map((line) => (line === 'watchdog-web' && place === 'systemd' ? 'watchdog-web.service' : line)),
    );
  }
});

test('the line of the crontab is written once beside others, works under the real cron, and is taken out again', async (t) => {
  const sandbox = makeSandbox(t);
  const recover = `date +%s >> ${sandbox.path('ev')}; exec bash -c "exec -a ${sandbox.marker} sleep 1000"`;
  sandbox.write('args', recover);
  const call = `--name web -p ${sandbox.marker} -r "$(cat args)" -l ${sandbox.path('log')} --settle 300ms`;
  const script = `
    mount -t tmpfs none /run && mount -t tmpfs none /var/spool/cron && mount -t tmpfs none /etc/cron.d || exit 1
    mount --bind /dev/null /etc/crontab
    mkdir -m 1730 /var/spool/cron/crontabs
    echo '0 4 * * * true' | crontab -
    ${WATCHDOG} install --cron --write ${call}
    ${WATCHDOG} install --cron --write ${call}
    crontab -l > listed
    exec cron -f`;
  const cron = sandbox.start('unshare', [...IN_NAMESPACES, 'bash', '-c', script], {
    env: { PATH: process.env.PATH, SANDBOX: sandbox.marker },
    cwd: sandbox.directory,
  });
  await logged(sandbox, 'recovered: ', 1, 20_000);
  assert.match(cron.output(), /^the crontab was written.*\nthe crontab is as it should be\n/);
  const lines = sandbox
    .read('listed')
    .trim()
    .split('\n')
    .filter((line) => !line.startsWith('# DO NOT') && !line.startsWith('# ('));
  assert.equal(lines.length, 3);
  assert.equal(lines[0], '0 4 * * * true');
  assert.match(lines[1] ?? '', /^# watchdog web: written by watchdog install/);
  assert.ok(lines[2]?.startsWith(`@reboot cd ${sandbox.directory} && PATH=`) && lines[2].includes('date +\\%s'));
  signal(sandbox.targets()[0] ?? 0, 'SIGKILL');
  await logged(sandbox, 'recovered: ', 2);
  sandbox.write('table', sandbox.read('listed'));
  const left = inMounts(
    sandbox,
    `mount -t tmpfs none /var/spool/cron; mkdir -m 1730 /var/spool/cron/crontabs; crontab table
     ${WATCHDOG} uninstall --cron --write --name web -p x -r y; crontab -l | grep -v '^#'; ${WATCHDOG} uninstall --cron --write --name web -p x -r y`,
  );
  assert.equal(
    left,
    '"watchdog web" was taken out of the crontab\n0 4 * * * true\nthe crontab has no "watchdog web"\n',
  );
});

test('for containers: the program behind --, and a pod that shares its processes', (t) => {
  const sandbox = makeSandbox(t);
  const docker = run(sandbox, ['install', '--docker', '--exit-on-failure', '5', '--', 'node', 'my app.js']);
  assert.match(
    docker.output,
    /\nENTRYPOINT \["\/usr\/local\/bin\/watchdog","--exit-on-failure","5","--"\]\nCMD \["node","my app.js"\]\n/,
  );
  const pod = run(sandbox, ['install', '--kubernetes', ...ONE]);
  assert.match(pod.output, /\napiVersion: "v1"\nkind: "Pod"\n/);
  assert.match(pod.output, /\n {2}shareProcessNamespace: true\n/);
  assert.match(pod.output, /\n {6}args:\n {8}- "-p"\n {8}- "my\.js"\n {8}- "-r"\n/);
  assert.equal(run(sandbox, ['install', '--kubernetes', '--write', ...ONE]).status, 2);
  assert.match(run(sandbox, ['install', ...ONE]).output, /needs one place: --cron, --systemd/);
  assert.match(run(sandbox, ['install', '--cron', '-p', 'x']).output, /--recover: is missing/);
});

test('what runs is learned: the target means it and nobody else', async (t) => {
  const sandbox = makeSandbox(t);
  const program = compile(sandbox, 'idle');
  sandbox.start(program, ['one (1)', '--port=80']);
  sandbox.start(program, ['two']);
  const pid = await waitUntil('it runs', () => processesWith(`${program} one`)[0]?.pid);
  const learned = run(sandbox, ['learn', String(pid)]);
  assert.equal(learned.status, 0, learned.output);
  assert.ok(learned.output.includes(`\nexe = "${program}"\n`));
  assert.match(learned.output, /\npattern = ".* one \\\\\(1\\\\\) --port=80\$"\nowner = "root"\n/);
  const config = sandbox.write('watchdog.toml', learned.output);
  assert.equal(run(sandbox, ['config', 'check', '--trust-paths', '--config', config]).status, 0);
  const pattern = JSON.parse(/^pattern = (".*")/m.exec(learned.output)?.[1] ?? '""') as string;
  const matched = run(sandbox, ['match', '--pattern', pattern, '--json']);
  assert.deepEqual(
    (JSON.parse(matched.output) as { matches: { pid: number }[] }).matches.map((one) => one.pid),
    [pid],
  );
  for (const [word, says] of [
    ['0x1', /is no process number/],
    ['99999999', /is no running program/],
    ['2', /is no running program|wait/],
  ] as const) {
    const refused = run(sandbox, ['learn', word]);
    assert.equal(refused.status, 2, refused.output);
    assert.match(refused.output, says);
  }
});

test('the doctor tells who else keeps the target, and what is missing', async (t) => {
  const sandbox = makeSandbox(t);
  const healthy = run(sandbox, ['doctor', '-p', sandbox.marker, '-r', 'sleep 1', '-l', 'log']);
  assert.deepEqual([healthy.status, healthy.output.includes('hindrance')], [0, false], healthy.output);
  const args = ['doctor', '-p', `^${sandbox.marker}`, '-r', 'no-such-program start', '-l', 'nowhere/log'];
  const ill = run(sandbox, args);
  assert.equal(ill.status, 1);
  assert.match(ill.output, /hindrance: the log cannot be written: the directory \S+ does not exist/);
  assert.match(ill.output, /hindrance: \S+: no-such-program is in no directory of PATH/);
  sandbox.write(
    'supervisord.conf',
    `[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile=${sandbox.path('pid')}\n[program:x]\ncommand=bash -c 'exec -a ${sandbox.marker} sleep 1000'\n`,
  );
  sandbox.start('supervisord', ['-c', sandbox.path('supervisord.conf')]);
  await waitUntil('it is up', () => sandbox.targets().length === 1);
  assert.match(
    run(sandbox, args).output,
    /hindrance: \S+: process \d+ is kept by supervisord \(process \d+, \S+\) already/,
  );
});

test('the doctor tells of a process 1 that does not reap', async (t) => {
  const sandbox = makeSandbox(t);
  const script = `for i in 1 2 3 4; do (sleep 0.1 &) ; done; sleep 0.5; ${WATCHDOG} doctor > ${sandbox.path('said')}; echo $? > ${sandbox.path('code')}; exec sleep 1000`;
  const holder = `require('node:child_process').spawn('bash', ['-c', ${JSON.stringify(script)}], { stdio: 'ignore' }); setInterval(() => {}, 1000);`;
  sandbox.start('unshare', [...IN_NAMESPACES, process.execPath, '-e', holder]);
  await waitUntil('it has answered', () => sandbox.read('code') !== '');
  assert.match(sandbox.read('said'), /hindrance: process 1 does not reap orphans: \d+ of its children are zombies/);
  assert.equal(sandbox.read('code'), '1\n');
  assert.ok(readFileSync('/proc/self/stat').length > 0);
});
