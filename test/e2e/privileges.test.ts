import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, symlinkSync } from 'node:fs';
import { test } from 'node:test';
import { pidOf, QUICK_DEFAULTS, statusOf, targetTable, tell, until, watchConfig } from '../support/control.ts';
import { signal } from '../support/processes.ts';
import { AS_NOBODY, logged, makeSandbox, QUICK, runWatchdog, type Sandbox, WATCHDOG } from '../support/sandbox.ts';
import { waitUntil } from '../support/wait-until.ts';

const NOBODY = 65534;
const isRoot = process.geteuid?.() === 0;

/** The sandbox as a place where nobody may work. */
function openFor(sandbox: Sandbox, ...directories: readonly string[]): void {
  chmodSync(sandbox.directory, 0o755);
  for (const name of directories) {
    mkdirSync(sandbox.path(name), { recursive: true });
    chownSync(sandbox.path(name), NOBODY, NOBODY);
  }
}

function ids(pid: number): Record<string, readonly number[]> {
  const text = readFileSync(`/proc/${pid}/status`, 'latin1');
  const numbers = (field: string) =>
    (new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(text)?.[1] ?? '').split(/\s+/).filter(Boolean).map(Number);
  return { uid: numbers('Uid'), gid: numbers('Gid'), groups: numbers('Groups') };
}

const nobodys = { uid: [NOBODY, NOBODY, NOBODY, NOBODY], gid: [NOBODY, NOBODY, NOBODY, NOBODY], groups: [NOBODY] };

for (const host of ['sentinel', 'resident'] as const) {
  test(`commands of another user have all of that user and nothing of root (${host})`, { skip: !isRoot }, async (t) => {
    const sandbox = makeSandbox(t);
    openFor(sandbox, 'out');
    const line = `${sandbox.marker}_web`;
    const report = `id -u; id -g; id -G; umask; ulimit -n; ulimit -c; nice; pwd; env`;
    const table = `
[target.web]
pattern = "^${line} 1000"
recover = '''(${report}) > ${sandbox.path('out/report')} 2>&1; touch ${sandbox.path('out/made')}; exec bash -c "exec -a ${line} sleep 1000"'''
user = "nobody"
umask = "027"
nice = 5
cwd = "out"
limits = { nofile = 321, core = "0:unlimited" }
env = { OWN = "yes" }
`;
    const env = {
      ...process.env,
      SECRET_TOKEN: 'hunter2',
      SSH_AUTH_SOCK: '/x',
      NODE_OPTIONS: '--no-warnings',
      LANG: 'C',
    };
    const config = sandbox.write('watchdog.toml', QUICK_DEFAULTS + table);
    // Supplementary groups of whoever started us must not stay.
    const args = ['--groups=0,4,27', WATCHDOG, '--config', config, '--log', sandbox.path('log')];
    const more = host === 'resident' ? ['--resident'] : [];
    sandbox.start('setpriv', [...args, '--control', sandbox.path('control'), ...more], { env });
    await logged(sandbox, 'web recovered: ');
    const lines = sandbox.read('out/report').split('\n');
    assert.deepEqual(lines.slice(0, 8), ['65534', '65534', '65534', '0027', '321', '0', '5', sandbox.path('out')]);
    const told = lines.slice(8).join('\n');
    assert.doesNotMatch(told, /SECRET_TOKEN|SSH_AUTH_SOCK|NODE_OPTIONS/);
    assert.match(told, /^OWN=yes$/m);
    assert.match(told, /^USER=nobody$/m);
    assert.match(told, /^HOME=\/nonexistent$/m);
    assert.match(told, /^WATCHDOG_TARGET=web$/m);
    assert.deepEqual(ids(pidOf(sandbox, 'web') ?? 0), nobodys);
    const made = statSync(sandbox.path('out/made'));
    assert.deepEqual([made.uid, made.gid, made.mode & 0o777], [NOBODY, NOBODY, 0o640]);
  });
}

test('commands that cannot run as their user are not run as root', { skip: !isRoot }, async (t) => {
  const sandbox = makeSandbox(t);
  openFor(sandbox);
  const table = (more: string) =>
    `${QUICK_DEFAULTS}[target.web]\npattern = "^${sandbox.marker}_x 1"\nrecover = "touch ${sandbox.path('ran')}"\n${more}\n`;
  for (const [more, said] of [
    ['user = "nosuchuser"', /target\.web\.user: there is no user "nosuchuser" here/],
    [
      'user = "nobody"\ngroup = "nosuchgroup"',
      /there is no group "nosuchgroup" here; or did you mean groups = \["nosuchgroup"\]/,
    ],
    ['limits = { nofiles = 5 }', /there is no limit "nofiles"; did you mean nofile\?/],
    ['limits = { nofile = "9:5" }', /the soft limit in "9:5" is above the hard one/],
    ['umask = "9"', /"9" is no umask; write it in octal/],
    ['nice = 30', /"30" is no niceness; allowed are -20 to 19/],
  ] as const) {
    const config = sandbox.write('watchdog.toml', table(more));
    const { output, status } = await runWatchdog(['config', 'check', '--config', config]);
    assert.equal(status, 2, output);
    assert.match(output, said);
  }
  chmodSync(sandbox.path('watchdog.toml'), 0o644);
  sandbox.write('watchdog.toml', table('user = "daemon"'));
  const asNobody = spawnSync(
    'setpriv',
    [...AS_NOBODY, WATCHDOG, 'config', 'check', '--config', sandbox.path('watchdog.toml')],
    {
      encoding: 'utf8',
    },
  );
  assert.match(asNobody.stderr, /only root can run commands as another user; start the watchdog as root/);
  // A directory that only root may enter is not entered for somebody else.
  mkdirSync(sandbox.path('closed'), { mode: 0o700 });
  watchConfig(sandbox, table('user = "nobody"\ncwd = "closed"'));
  await logged(sandbox, /recovery failed: the directory .*closed cannot be entered: permission denied/);
  assert.ok(!existsSync(sandbox.path('ran')));
});

test('run-as: the watchdog itself is another user for good, and works as one', { skip: !isRoot }, async (t) => {
  const sandbox = makeSandbox(t);
  openFor(sandbox, 'out');
  const config = sandbox.write(
    'watchdog.toml',
    `run-as = "nobody"\nlog = "out/log"\nown-pid-file = "out/pid"\ncontrol = "out/control"\n${QUICK_DEFAULTS}${targetTable(sandbox, 'web').replaceAll(sandbox.path('ev'), sandbox.path('out/ev'))}`,
  );
  const args = ['--groups=0,4,27', WATCHDOG, '--config', config];
  const watchdog = sandbox.start('setpriv', args);
  const log = () => sandbox.read('out/log');
  await waitUntil('it is up', () => log().includes('web recovered: '));
  assert.deepEqual(ids(watchdog.pid), nobodys);
  assert.deepEqual(ids(pidOf(sandbox, 'web') ?? 0), nobodys);
  assert.match(log(), /user nobody.*the sentinel waits/);
  assert.equal(statSync(sandbox.path('out/log')).uid, NOBODY);
  // What it needs afterwards: to open its log anew, to reload, to take its files away.
  renameSync(sandbox.path('out/log'), sandbox.path('out/log.1'));
  signal(watchdog.pid, 'SIGHUP');
  await waitUntil('it has reloaded', () => log().includes('reloaded '));
  const status = spawnSync('setpriv', [...AS_NOBODY, WATCHDOG, 'status', '--control', sandbox.path('out/control')], {
    encoding: 'utf8',
  });
  assert.equal(status.status, 0, status.stderr);
  signal(watchdog.pid, 'SIGTERM');
  assert.equal((await watchdog.ended).status, 0);
  assert.ok(!existsSync(sandbox.path('out/pid')) && !existsSync(sandbox.path('out/control')));
});

test('run-as that fails goes on as nobody at all', { skip: !isRoot }, async (t) => {
  const sandbox = makeSandbox(t);
  openFor(sandbox, 'out');
  const args = [
    '--pattern',
    `^${sandbox.marker} 1`,
    '--recover',
    `touch ${sandbox.path('out/ran')}`,
    '--log',
    sandbox.path('out/log'),
    ...QUICK,
  ];
  const unknown = await runWatchdog([...args, '--run-as', 'nosuchuser']);
  assert.deepEqual(
    [unknown.status, unknown.output],
    [2, 'watchdog: --run-as: there is no user "nosuchuser" here; nothing runs as root instead\n'],
  );
  const odd = await runWatchdog([...args, '--run-as', 'nobody:']);
  assert.match(odd.output, /"nobody:" is not USER or USER:GROUP/);
  // In a user namespace with one user there is nobody else to become.
  const inside = spawnSync('unshare', ['-U', '-r', WATCHDOG, ...args, '--run-as', 'daemon'], { encoding: 'utf8' });
  assert.equal(inside.status, 77, inside.stderr);
  assert.match(inside.stderr, /cannot become user daemon/);
  const ring = await runWatchdog([...args, '--run-as', 'nobody'], { env: { ...process.env, UV_USE_IO_URING: '1' } });
  assert.equal(ring.status, 77, ring.output);
  const asNobody = spawnSync('setpriv', [...AS_NOBODY, WATCHDOG, ...args, '--run-as', 'daemon'], { encoding: 'utf8' });
  assert.equal(asNobody.status, 77);
  assert.match(asNobody.stderr, /only root can become user daemon/);
  const unreadable = sandbox.write(
    'closed.toml',
    `run-as = "nobody"\nlog = "out/log"\n${targetTable(sandbox, 'web')}`,
    0o600,
  );
  const closed = await runWatchdog(['--config', unreadable]);
  assert.equal(closed.status, 2);
  assert.match(closed.output, /user nobody may not read .*closed\.toml, and could not reload it/);
  const elsewhere = args.map((one) => (one === sandbox.path('out/log') ? '/var/log/x.log' : one));
  const log = await runWatchdog([...elsewhere, '--run-as', 'nobody']);
  assert.equal(log.status, 77);
  assert.match(log.output, /the log \/var\/log\/x\.log may not be written by this user/);
  assert.ok(!existsSync(sandbox.path('out/ran')), 'nothing was started');
});

test('as root, a file, a script or a directory above it that others can change is refused, with path and mode', {
  skip: !isRoot,
}, async (t) => {
  const sandbox = makeSandbox(t);
  chmodSync(sandbox.directory, 0o755);
  mkdirSync(sandbox.path('a/conf.d'), { recursive: true });
  mkdirSync(sandbox.path('a/bin'));
  const script = sandbox.write('a/bin/start', '#!/bin/sh\n', 0o755);
  const js = sandbox.write('a/bin/app.js', '');
  const config = sandbox.write(
    'a/watchdog.toml',
    `include = ["conf.d/*.toml"]\n[target.web]\npattern = "^${sandbox.marker}_web"\nrecover = "${script}"\nstop = "node ${js}"\n`,
  );
  const more = sandbox.write(
    'a/conf.d/more.toml',
    `[target.more]\npattern = "^${sandbox.marker}_more"\nrecover = "true"\n`,
  );
  sandbox.write('open/real', '#!/bin/sh\n', 0o755);
  const check = () => runWatchdog(['config', 'check', '--config', config], { cwd: sandbox.directory });
  assert.equal((await check()).status, 0, (await check()).output);
  const rows: readonly (readonly [string, () => void, () => void, RegExp])[] = [
    [
      'the file',
      () => chmodSync(config, 0o646),
      () => chmodSync(config, 0o644),
      /watchdog\.toml \(mode 0646\) is refused: it can be written by everybody/,
    ],
    [
      'the file, its group',
      () => [chownSync(config, 0, NOBODY), chmodSync(config, 0o664)],
      () => [chownSync(config, 0, 0), chmodSync(config, 0o644)],
      /\(mode 0664\) is refused: it can be written by group 65534/,
    ],
    [
      'its owner',
      () => chownSync(config, NOBODY, 0),
      () => chownSync(config, 0, 0),
      /watchdog\.toml \(mode 0644\) is refused: it belongs to user 65534; chown root/,
    ],
    [
      'the directory above',
      () => chmodSync(sandbox.path('a'), 0o777),
      () => chmodSync(sandbox.path('a'), 0o755),
      /\/a \(mode 0777\) is refused/,
    ],
    [
      'the directory above that',
      () => chmodSync(sandbox.directory, 0o777),
      () => chmodSync(sandbox.directory, 0o755),
      /\(mode 0777\) is refused/,
    ],
    [
      'an included file',
      () => chmodSync(more, 0o666),
      () => chmodSync(more, 0o644),
      /more\.toml \(mode 0666\) is refused/,
    ],
    [
      'the directory of additions',
      () => chmodSync(sandbox.path('a/conf.d'), 0o757),
      () => chmodSync(sandbox.path('a/conf.d'), 0o755),
      /conf\.d \(mode 0757\) is refused/,
    ],
    [
      'the recovery script',
      () => chmodSync(script, 0o777),
      () => chmodSync(script, 0o755),
      /target\.web\.recover: as root, .*start \(mode 0777\) is refused/,
    ],
    [
      'the script of an interpreter',
      () => chmodSync(js, 0o666),
      () => chmodSync(js, 0o644),
      /target\.web\.stop: as root, .*app\.js \(mode 0666\) is refused/,
    ],
    [
      'the script’s directory',
      () => chmodSync(sandbox.path('a/bin'), 0o733),
      () => chmodSync(sandbox.path('a/bin'), 0o755),
      /\/bin \(mode 0733\) is refused/,
    ],
    [
      'what a link leads to',
      () => [
        renameSync(script, `${script}.real`),
        symlinkSync(sandbox.path('open/real'), script),
        chmodSync(sandbox.path('open'), 0o777),
      ],
      () => [chmodSync(sandbox.path('open'), 0o755)],
      /\/open \(mode 0777\) is refused/,
    ],
  ];
  for (const [what, open, close, said] of rows) {
    open();
    const { output, status } = await check();
    assert.equal(status, 2, `${what}: ${output}`);
    assert.match(output, said, what);
    const trusted = await runWatchdog(['config', 'check', '--trust-paths', '--config', config]);
    assert.equal(trusted.status, 0, `${what}: ${trusted.output}`);
    close();
    assert.equal((await check()).status, 0, what);
  }
  // A sticky directory is one for everybody, where nobody can take away what is another's.
  chmodSync(sandbox.path('a/bin'), 0o1777);
  assert.equal((await check()).status, 0);
  const inside = await runWatchdog([
    '--pattern',
    `^${sandbox.marker} 1`,
    '--recover',
    script,
    '--once',
    '--dry-run',
    '--log',
    sandbox.path('log'),
  ]);
  assert.notEqual(inside.status, 2, 'the one-line form is no exception, nor stricter');
});

test('a reload takes no file that others have been let write to', { skip: !isRoot }, async (t) => {
  const sandbox = makeSandbox(t);
  watchConfig(sandbox, QUICK_DEFAULTS + targetTable(sandbox, 'web'));
  await until(sandbox, 'web', 'up');
  chmodSync(sandbox.path('watchdog.toml'), 0o666);
  const said = tell(sandbox, 'reload');
  assert.equal(said.status, 1);
  assert.match(said.output, /watchdog\.toml \(mode 0666\) is refused: it can be written by everybody/);
  assert.equal(statusOf(sandbox, 'web').state, 'up');
});

test('a run directory that somebody else has made is not used', { skip: !isRoot }, async (t) => {
  const sandbox = makeSandbox(t);
  openFor(sandbox, 'out', 'runtime');
  const args = [
    '--pattern',
    `^${sandbox.marker} 1`,
    '--recover',
    'true',
    '--log',
    sandbox.path('out/log'),
    '--start-delay',
    '1h',
  ];
  for (const make of [
    () => mkdirSync(sandbox.path('runtime/watchdog'), { mode: 0o777 }),
    () => symlinkSync(sandbox.path('out'), sandbox.path('runtime/watchdog')),
  ]) {
    spawnSync('rm', ['-rf', sandbox.path('runtime/watchdog'), sandbox.path('out/log')]);
    make();
    const env = { PATH: process.env.PATH, HOME: sandbox.path('out'), XDG_RUNTIME_DIR: sandbox.path('runtime') };
    const watchdog = sandbox.start('setpriv', [...AS_NOBODY, WATCHDOG, ...args], { env });
    await waitUntil('it says so', () =>
      /there is no control socket.*(another user|no directory)/.test(sandbox.read('out/log')),
    );
    signal(watchdog.pid, 'SIGTERM');
    await watchdog.ended;
  }
});

test('a configuration that merely lies where one is, is not taken from somebody else', { skip: !isRoot }, async (t) => {
  const sandbox = makeSandbox(t);
  openFor(sandbox, 'out');
  sandbox.write('out/watchdog.toml', `[target.web]\npattern = "^${sandbox.marker} 1"\nrecover = "true"\n`);
  chownSync(sandbox.path('out/watchdog.toml'), 1, 1);
  const env = { PATH: process.env.PATH, HOME: '/nonexistent' };
  const run = (...args: readonly string[]) =>
    spawnSync('setpriv', [...AS_NOBODY, WATCHDOG, 'config', 'check', ...args], {
      cwd: sandbox.path('out'),
      env,
      encoding: 'utf8',
    });
  assert.match(run().stderr, /watchdog\.toml \(mode 0644\) is refused: it belongs to user 1; chown/);
  assert.equal(run('--config', 'watchdog.toml').status, 0, 'whoever names it knows it');
  chownSync(sandbox.path('out/watchdog.toml'), NOBODY, NOBODY);
  assert.equal(run().status, 0);
});
