/** What programs write: kept in files of bounded size, no line lost and none torn. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { statusOf, tell, until, watchConfig } from '../support/control.ts';
import { allProcesses, readProcess, signal } from '../support/processes.ts';
import { idle, living, QUICK_PROGRAMS } from '../support/program.ts';
import { makeSandbox, type Sandbox, WATCHDOG } from '../support/sandbox.ts';
import { waitUntil } from '../support/wait-until.ts';

function table(sandbox: Sandbox, script: string, more = ''): string {
  return `${QUICK_PROGRAMS}[target.p]\noutput = "p.out"\n${more}\ncommand = ["bash", "-c", ${JSON.stringify(`${script}; ${idle(sandbox, 'p')}`)}]\n`;
}

/** The files from the oldest to the one that is written. */
function parts(sandbox: Sandbox): readonly string[] {
  const names = readdirSync(sandbox.directory).filter((name) => /^p\.out(\.\d+)?$/.test(name));
  const number = (name: string): number => Number(/\.(\d+)$/.exec(name)?.[1] ?? 0);
  return names.sort((one, other) => number(other) - number(one)).map((name) => sandbox.path(name));
}

function all(sandbox: Sandbox): string {
  return parts(sandbox)
    .map((path) => readFileSync(path, 'utf8'))
    .join('');
}

const COUNT = 20_000;
const LINES = `i=0; while [ $i -lt ${COUNT} ]; do echo "line $i"; i=$((i+1)); done`;
const EXPECTED = Array.from({ length: COUNT }, (_, at) => `line ${at}\n`).join('');

test('a file that is full is put aside between two lines, and not a byte is lost', async (t) => {
  const sandbox = makeSandbox(t);
  watchConfig(sandbox, table(sandbox, LINES, 'output-max-size = "20kB"\noutput-keep = 100'));
  await waitUntil('all has come', () => all(sandbox).length === EXPECTED.length, 30_000);
  assert.equal(all(sandbox), EXPECTED);
  assert.ok(parts(sandbox).length >= 10);
  for (const path of parts(sandbox)) {
    assert.ok(statSync(path).size <= 20_000);
    assert.match(readFileSync(path, 'utf8'), /^line .*\n$/s);
  }
});

test('only so many are kept', async (t) => {
  const sandbox = makeSandbox(t);
  watchConfig(sandbox, table(sandbox, LINES, 'output-max-size = "10kB"\noutput-keep = 2'));
  await waitUntil('the last line has come', () => sandbox.read('p.out').endsWith(`line ${COUNT - 1}\n`), 30_000);
  assert.deepEqual(
    parts(sandbox).map((path) => path.slice(sandbox.directory.length + 1)),
    ['p.out.2', 'p.out.1', 'p.out'],
  );
  assert.ok(EXPECTED.endsWith(all(sandbox)));
});

test('what is written while nobody reads is not lost, nor is the program stopped by it', async (t) => {
  const sandbox = makeSandbox(t);
  const script = `trap 'echo told' USR1; echo before`;
  const text = `${QUICK_PROGRAMS}[target.p]\noutput = "p.out"\ncommand = ["bash", "-c", ${JSON.stringify(`: ${sandbox.marker}; ${script}; while :; do sleep 0.05; done`)}]\n`;
  const first = watchConfig(sandbox, text);
  await waitUntil('it writes', () => sandbox.read('p.out') === 'before\n');
  const program = await waitUntil(
    'it is there',
    () => allProcesses().find((one) => one.ppid === first.pid && one.line.startsWith('bash'))?.pid,
  );
  signal(first.pid, 'SIGKILL');
  await first.ended;
  signal(program, 'SIGUSR1');
  await waitUntil('it lives on', () => readProcess(program)?.state === 'S');
  watchConfig(sandbox, text);
  await waitUntil('what was written meanwhile has come', () => sandbox.read('p.out') === 'before\ntold\n');
  assert.equal(tell(sandbox, 'stop', 'p').status, 0);
});

test('all that it says before it ends is there, and so is what follows', async (t) => {
  const sandbox = makeSandbox(t);
  // The order to end may come between its words: it says them all the same.
  const command = `trap '' TERM; echo $$ says >> ${sandbox.path('ev')}; echo out $$; echo err $$ >&2; exit 1`;
  watchConfig(
    sandbox,
    `[target.p]\nstart-seconds = 0\noutput = "p.out"\ncommand = ["bash", "-c", ${JSON.stringify(command)}]\n`,
  );
  await waitUntil('it has run often', () => sandbox.recoveries() >= 5);
  assert.equal(tell(sandbox, 'shutdown').status, 0);
  const pids = sandbox
    .read('ev')
    .trim()
    .split('\n')
    .map((line) => line.split(' ')[0]);
  assert.equal(sandbox.read('p.out'), pids.map((pid) => `out ${pid}\nerr ${pid}\n`).join(''));
});

test('standard error has a file apart, within the same bounds, and a watchdog that comes later goes on with both', async (t) => {
  const sandbox = makeSandbox(t);
  const script = `trap 'echo told; echo told >&2' USR1; for i in $(seq 300); do echo "out $i"; echo "err $i" >&2; done; while :; do sleep 0.05; done`;
  const text = `${QUICK_PROGRAMS}[target.p]\noutput = "p.out"\nerror-output = "p.err"\noutput-max-size = "1kB"\noutput-keep = 9\ncommand = ["bash", "-c", ${JSON.stringify(`: ${sandbox.marker}; ${script}`)}]\n`;
  const first = watchConfig(sandbox, text);
  const allOf = (name: string): string =>
    [...'987654321'].map((number) => sandbox.read(`${name}.${number}`)).join('') + sandbox.read(name);
  const expected = (word: string): string => Array.from({ length: 300 }, (_, at) => `${word} ${at + 1}\n`).join('');
  await waitUntil('both have come', () => allOf('p.out') === expected('out') && allOf('p.err') === expected('err'));
  assert.ok(existsSync(sandbox.path('p.err.1')));
  const status = statusOf(sandbox, 'p');
  assert.deepEqual([status.output, status.errorOutput], [sandbox.path('p.out'), sandbox.path('p.err')]);
  assert.match(tell(sandbox, 'logs', 'p', '--lines', '1').output, /p.out <==\nout 300\n==> .*p.err <==\nerr 300\n$/);
  const [program] = status.processes;
  signal(first.pid, 'SIGKILL');
  await first.ended;
  signal(program?.pid ?? 0, 'SIGUSR1');
  watchConfig(sandbox, text);
  const isThere = (name: string, word: string): boolean => allOf(name) === `${expected(word)}told\n`;
  await waitUntil('what was written meanwhile has come', () => isThere('p.out', 'out') && isThere('p.err', 'err'));
  assert.equal(tell(sandbox, 'stop', 'p').status, 0);
});

test('what goes to our standard output is in no file, and the log is not in it', async (t) => {
  const sandbox = makeSandbox(t);
  const script = `echo out; echo err >&2; ${idle(sandbox, 'p')}`;
  const text = `${QUICK_PROGRAMS}[target.p]\noutput = "-"\ncommand = ["bash", "-c", ${JSON.stringify(script)}]\n`;
  const watchdog = watchConfig(sandbox, text);
  await waitUntil('it has spoken', () => /^(out\nerr|err\nout)\n$/.test(watchdog.output()));
  assert.equal(statusOf(sandbox, 'p').output, '-');
  const said = tell(sandbox, 'logs', 'p');
  assert.equal(said.status, 1);
  assert.match(said.output, /its output goes where that of the watchdog goes, and is kept in no file/);
  assert.equal(tell(sandbox, 'stop', 'p').status, 0);
  assert.match(watchdog.output(), /^(out\nerr|err\nout)\n$/);
});

test('what is no file, as /dev/null, is never put aside', async (t) => {
  if (process.geteuid?.() !== 0) return;
  const sandbox = makeSandbox(t);
  execFileSync('mknod', [sandbox.path('null'), 'c', '1', '3']);
  const text = table(sandbox, LINES.replace(String(COUNT), '2000'), 'output-max-size = "1kB"\nerror-output = "p.err"');
  watchConfig(sandbox, text.replace('"p.out"', '"null"').replace('done; ', 'done; echo end >&2; '));
  await waitUntil('all was written', () => sandbox.read('p.err') === 'end\n', 30_000);
  assert.ok(statSync(sandbox.path('null')).isCharacterDevice());
  assert.ok(!existsSync(sandbox.path('null.1')));
  assert.equal(tell(sandbox, 'stop', 'p').status, 0);
});

test('a file that somebody else has put aside is opened anew by USR1', async (t) => {
  const sandbox = makeSandbox(t);
  const watchdog = watchConfig(
    sandbox,
    table(sandbox, `trap 'echo again' USR2; echo one; exec 3<> <(:); while [ ! -e go ]; do sleep 0.05; done; echo two`),
  );
  await waitUntil('it writes', () => sandbox.read('p.out') === 'one\n');
  renameSync(sandbox.path('p.out'), sandbox.path('aside'));
  signal(watchdog.pid, 'SIGUSR1');
  await waitUntil('the log was opened anew', () => tell(sandbox, 'status').status !== 4);
  sandbox.write('go', '');
  await waitUntil('it writes to the new one', () => sandbox.read('p.out') === 'two\n');
  assert.equal(sandbox.read('aside'), 'one\n');
});

test('a disk that is full is told of, holds nobody up, and what comes later is kept', async (t) => {
  const sandbox = makeSandbox(t);
  execFileSync('mkdir', [sandbox.path('small')]);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', sandbox.path('small')]);
  sandbox.undo(() => execFileSync('umount', [sandbox.path('small')]));
  const script = `while [ ! -e go ]; do echo 0123456789012345678901234567890123456789; echo x >> ${sandbox.path('ev')}; done; echo at last`;
  watchConfig(sandbox, table(sandbox, script).replace('"p.out"', '"small/p.out"'));
  await waitUntil('it is full', () => sandbox.read('log').includes('small/p.out cannot be written'));
  const before = sandbox.recoveries();
  await waitUntil('the program goes on', () => sandbox.recoveries() > before + 100);
  execFileSync('rm', [sandbox.path('small/p.out')]);
  sandbox.write('go', '');
  await waitUntil('what comes is kept', () => sandbox.read('small/p.out').endsWith('at last\n'));
  const told = /bytes of output were lost before .*small\/p\.out could be written again/;
  await waitUntil('what was lost is told', () => told.test(sandbox.read('log')));
});

test('no brain is woken by what a program writes', async (t) => {
  const sandbox = makeSandbox(t);
  const watchdog = watchConfig(
    sandbox,
    table(sandbox, `sleep 4; for i in 1 2 3 4 5; do echo $i; sleep 0.1; done; touch done`),
    ['--linger', '0'],
  );
  const brains = () =>
    allProcesses().filter((one) => one.ppid === watchdog.pid && one.line.startsWith('watchdog: brain'));
  await waitUntil('it is up', () => sandbox.read('log').includes(', lasted'));
  await waitUntil('the brain sleeps', () => brains().length === 0);
  let seen = 0;
  await waitUntil('it has written', () => {
    seen += brains().length;
    return sandbox.read('p.out') === '1\n2\n3\n4\n5\n';
  });
  assert.equal(seen, 0);
});

test('watchdog logs shows the last lines, and follows over a file that is put aside', async (t) => {
  const sandbox = makeSandbox(t);
  const script = `for i in $(seq 300); do echo "line $i"; done; while [ ! -e go ]; do sleep 0.05; done; for i in $(seq 301 600); do echo "line $i"; done`;
  watchConfig(sandbox, table(sandbox, script, 'output-max-size = "1kB"\noutput-keep = 30'));
  await waitUntil('it has written', () => sandbox.read('p.out').endsWith('line 300\n'));
  const said = tell(sandbox, 'logs', 'p', '-n', '3');
  assert.deepEqual(said, { status: 0, output: 'line 298\nline 299\nline 300\n' });
  const following = sandbox.start(WATCHDOG, ['logs', 'p', '-f', '-n', '1', '--control', sandbox.path('control')]);
  await waitUntil('it shows the last one', () => following.output() === 'line 300\n');
  sandbox.write('go', '');
  await waitUntil('the last one has come', () => following.output().endsWith('line 600\n'));
  assert.match(following.output(), /^line 300\n(line \d+\n)+$/);
  assert.equal(tell(sandbox, 'logs', 'nobody').status, 2);
  assert.equal(tell(sandbox, 'logs', 'p', '-n', 'x').status, 2);
});

test('each copy writes into files of its own', async (t) => {
  const sandbox = makeSandbox(t);
  const command = `echo I am $WATCHDOG_NUMBER; echo $WATCHDOG_NUMBER fails >&2; exec -a ${sandbox.marker}_p sleep 1000`;
  watchConfig(
    sandbox,
    `${QUICK_PROGRAMS}[target.p]\nnumprocs = 2\noutput = "p.out"\nerror-output = "p.err"\ncommand = ["bash", "-c", ${JSON.stringify(command)}]\n`,
  );
  for (const number of [1, 2]) {
    await until(sandbox, `p-${number}`, 'up');
    await waitUntil('it has spoken', () => sandbox.read(`p-${number}.out`) === `I am ${number}\n`);
    await waitUntil('on both streams', () => sandbox.read(`p-${number}.err`) === `${number} fails\n`);
  }
  assert.equal(living(sandbox, 'p').length, 2);
});
