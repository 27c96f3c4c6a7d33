/**
 * All that must hold before a change lands: types, lint, and the tests, the last of them
 * on the packaged executable. `npm test -- PART…` runs only the test files whose path
 * holds one of these texts.
 */
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const TOOLS: Readonly<Record<string, string>> = {
  bash: 'bash',
  cc: 'gcc',
  cron: 'cron',
  faketime: 'faketime',
  ldd: 'libc-bin',
  mount: 'mount',
  nginx: 'nginx',
  curl: 'curl',
  pgrep: 'procps',
  prlimit: 'util-linux',
  'redis-server': 'redis-server',
  setpriv: 'util-linux',
  strace: 'strace',
  supervisord: 'supervisor',
  tini: 'tini',
  unshare: 'util-linux',
};

const root = join(import.meta.dirname, '..');
const bin = join(root, 'node_modules', '.bin');
const parts = process.argv.slice(2);

installTools();
run('types', join(bin, 'tsc'), ['--noEmit']);
run('lint', join(bin, 'biome'), ['check', '--error-on-warnings']);
run('build', process.execPath, [join(root, 'scripts/build.ts'), '--if-stale']);
const files = globSync('test/**/*.test.ts', { cwd: root }).filter(
  (file) => parts.length === 0 || parts.some((part) => file.includes(part)),
);
if (files.length === 0) fail(`no test file has ${parts.join(' or ')} in its path`);
// Most of the time the tests wait for something to happen, so that more can run than there are processors.
const options = ['--test-reporter=spec', '--test-timeout=120000', '--test-concurrency=4'];
const before = new Set(listRunFiles());
process.on('exit', clearAway);
run('tests', process.execPath, ['--test', ...options, ...files.sort()]);

/** What watchdogs that were killed by a test have left; those that were there before, or are at work, keep theirs. */
function clearAway(): void {
  const live = readFileSync('/proc/net/unix', 'latin1');
  for (const path of listRunFiles()) {
    const isLive = live.includes(path.replace(/\.json$/, '.sock'));
    if (!before.has(path) && !isLive) rmSync(path, { force: true });
  }
}

/** Where root's and nobody's watchdogs have their sockets, and what they remember. */
function listRunFiles(): readonly string[] {
  return globSync(['/run/watchdog/*', '/tmp/watchdog-65534/*', '/run/watchdog-65534/*']);
}

/** What the tests use beside Node and a C compiler, and the Debian package that each is in. */
function installTools(): void {
  const missing = Object.entries(TOOLS).filter(([tool]) => !isInstalled(tool));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(([, name]) => name))];
  console.log(`== tools: installing ${packages.join(', ')}`);
  if (process.geteuid?.() !== 0 || !isInstalled('apt-get')) {
    fail(`the tests use ${missing.map(([tool]) => tool).join(', ')}; install ${packages.join(', ')} and try again`);
  }
  // Nothing that is installed shall be started: outside of any run level, it isn't (invoke-rc.d(8)).
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  spawnSync('apt-get', ['update', '-qq'], { stdio: 'inherit', env });
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env,
  });
  const left = packages.filter((name) => missing.some(([tool, from]) => from === name && !isInstalled(tool)));
  if (left.length > 0) fail(`${left.join(', ')} could not be installed; install them and try again`);
}

function isInstalled(tool: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$1"', 'sh', tool], { stdio: 'ignore' }).status === 0;
}

function run(what: string, program: string, args: readonly string[]): void {
  const startedAtMs = performance.now();
  console.log(`\n== ${what}`);
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) fail(`${what} failed${error === undefined ? '' : `: ${error.message}`}`);
  console.log(`== ${what}: ${((performance.now() - startedAtMs) / 1_000).toFixed(1)} s`);
}

function fail(why: string): never {
  console.error(`npm test: ${why}`);
  process.exit(1);
}
