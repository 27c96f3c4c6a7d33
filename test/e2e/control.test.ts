import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import {
  pidOf,
  QUICK_DEFAULTS,
  recovered,
  statusOf,
  targetTable,
  tell,
  until,
  watchConfig,
} from '../support/control.ts';
import { signal } from '../support/processes.ts';
import { AS_NOBODY, logged, makeSandbox, QUICK, type Sandbox, WATCHDOG } from '../support/sandbox.ts';
import { waitUntil } from '../support/wait-until.ts';

function curl(sandbox: Sandbox, path: string, ...args: readonly string[]) {
  const all = ['-s', '-w', '\n%{http_code}', '--max-time', '10', '--unix-socket', sandbox.path('control')];
  const { stdout } = spawnSync('curl', [...all, ...args, `http://watchdog/v1/${path}`], { encoding: 'utf8' });
  const at = stdout.lastIndexOf('\n');
  return { body: JSON.parse(stdout.slice(0, at) || 'null'), code: Number(stdout.slice(at + 1)) };
}

async function watchTwo(sandbox: Sandbox) {
  const tables = targetTable(sandbox, 'db', 'groups = ["back"]') + targetTable(sandbox, 'web', 'groups = ["front"]');
  const watchdog = watchConfig(sandbox, QUICK_DEFAULTS + tables);
  await logged(sandbox, ' recovered: ', 2);
  return watchdog;
}

async function asleep(pid: number): Promise<void> {
  await waitUntil('it sleeps', () => {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ');
    return children.every((child) => !readTitle(child).startsWith('watchdog: brain'));
  });
}

function readTitle(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}

test('status tells of every target, at once and while all sleeps; its exit code says whether all are up', async (t) => {
  const sandbox = makeSandbox(t);
  const watchdog = await watchTwo(sandbox);
  const shown = tell(sandbox, 'status');
  assert.equal(shown.status, 0);
  assert.match(shown.output, new RegExp(`^watchdog .*, pid ${watchdog.pid}, user root, .*watchdog\\.toml, log .*\\n`));
  assert.match(shown.output, /\nTARGET +STATE +PID +AGE +CPU +MEMORY +RECOVERIES +LAST EVENT\n/);
  assert.match(
    shown.output,
    new RegExp(`\ndb +up +${pidOf(sandbox, 'db')} +\\S+ +[\\d.]+% +[\\d.]+ MB +1 +\\S+ ago recovered: pid`),
  );
  await asleep(watchdog.pid);
  const startedAtMs = performance.now();
  assert.equal(curl(sandbox, 'status').body.targets.length, 2);
  assert.ok(performance.now() - startedAtMs < 2_000);
  signal(pidOf(sandbox, 'web') ?? 0, 'SIGKILL');
  await until(sandbox, 'web', 'up');
  assert.equal(statusOf(sandbox, 'web').recoveries, 2);
  assert.equal(statusOf(sandbox, 'web').processes[0]?.pid, pidOf(sandbox, 'web'));
});

test('stop ends all that matches and leaves it so; start brings it back; restart does both', async (t) => {
  const sandbox = makeSandbox(t);
  await watchTwo(sandbox);
  const first = pidOf(sandbox, 'web');
  const stopped = tell(sandbox, 'stop', 'web');
  assert.deepEqual(stopped, { status: 0, output: 'web: is stopped\n' });
  assert.equal(pidOf(sandbox, 'web'), undefined);
  assert.equal(tell(sandbox, 'status').status, 1);
  assert.equal(tell(sandbox, 'stop', 'web').output, 'web: is stopped already\n');
  const started = tell(sandbox, 'start', 'front');
  assert.match(started.output, /^web: is up, pid \d+\n$/);
  const second = pidOf(sandbox, 'web');
  assert.match(tell(sandbox, 'restart', 'w*').output, /^web: is up, pid \d+\n$/);
  assert.equal(new Set([first, second, pidOf(sandbox, 'web')]).size, 3);
  assert.deepEqual([...recovered(sandbox)].sort(), ['db', 'web', 'web', 'web']);
});

test('what is stopped and is there all the same is shown, and left alone', async (t) => {
  const sandbox = makeSandbox(t);
  await watchTwo(sandbox);
  assert.equal(tell(sandbox, 'stop', 'web').status, 0);
  const line = `${sandbox.marker}_web`;
  sandbox.start('bash', ['-c', `exec -a ${line} sleep 1000`]);
  await waitUntil('it is there', () => pidOf(sandbox, 'web'));
  const web = statusOf(sandbox, 'web');
  assert.deepEqual([web.state, web.isUp, web.processes[0]?.pid], ['stopped', false, pidOf(sandbox, 'web')]);
  signal(pidOf(sandbox, 'web') ?? 0, 'SIGKILL');
  await logged(sandbox, /web gone: pid \d+.*; it is paused or stopped, so nothing is recovered/);
  assert.deepEqual(statusOf(sandbox, 'web').processes, []);
});

test('an order waits for what its target depends on, as long as that is on its way', async (t) => {
  const sandbox = makeSandbox(t);
  const tables = targetTable(sandbox, 'db') + targetTable(sandbox, 'web', 'depends-on = ["db"]');
  watchConfig(sandbox, QUICK_DEFAULTS + tables);
  await logged(sandbox, ' recovered: ', 2);
  assert.equal(tell(sandbox, 'stop', 'db', 'web').status, 0);
  assert.deepEqual(tell(sandbox, 'start', 'web'), { status: 1, output: 'web: waits for db, which is not up\n' });
  assert.match(tell(sandbox, 'start', 'db', 'web').output, /^(db|web): is up, pid \d+\n(db|web): is up, pid \d+\n$/);
});

test('a target that ignores the stop signal is sent KILL; exactly what matches is ended', async (t) => {
  const sandbox = makeSandbox(t);
  const line = `${sandbox.marker}_deaf`;
  const recover = `exec bash -c "trap '' TERM; exec -a ${line} sleep 1000"`;
  watchConfig(
    sandbox,
    `${QUICK_DEFAULTS}[target.deaf]\npattern = "^${line} 1000"\nrecover = '''${recover}'''\nstop-timeout = "500ms"\n`,
  );
  await logged(sandbox, ' recovered: ');
  const bystander = sandbox.start('bash', ['-c', `exec -a other_${line} sleep 1000`]);
  assert.equal(tell(sandbox, 'stop', 'deaf').status, 0);
  assert.match(sandbox.read('log'), /did not end in time; sending KILL/);
  assert.equal(pidOf(sandbox, 'deaf'), undefined);
  assert.equal(bystander.child.exitCode, null);
});

test('a stop command ends the target; one that fails is told', async (t) => {
  const sandbox = makeSandbox(t);
  const line = `${sandbox.marker}_web`;
  const more = `stop = "pkill -f '^${line} 1000'"\nreload = "echo reloaded >> ${sandbox.path('reloads')}; exit 3"`;
  watchConfig(sandbox, QUICK_DEFAULTS + targetTable(sandbox, 'web', more));
  await logged(sandbox, ' recovered: ');
  assert.deepEqual(tell(sandbox, 'reload', 'web'), {
    status: 1,
    output: 'web: the command to reload it failed: exit status 3\n',
  });
  await logged(sandbox, 'web the command to reload it failed: exit status 3');
  assert.equal(sandbox.read('reloads'), 'reloaded\n');
  assert.equal(tell(sandbox, 'stop', 'web').status, 0);
  assert.match(sandbox.read('log'), /stopping pid .* by pkill/);
});

test('a signal goes to the processes that match', async (t) => {
  const sandbox = makeSandbox(t);
  const line = `${sandbox.marker}_web`;
  const recover = `exec -a ${line} bash -c 'trap "echo got USR1 >> ${sandbox.path('got')}" USR1; trap "echo got HUP >> ${sandbox.path('got')}" HUP; while :; do sleep 0.05; done' x`;
  const script = sandbox.write('start', `#!/bin/bash\n${recover}\n`, 0o755);
  watchConfig(sandbox, `${QUICK_DEFAULTS}[target.web]\npattern = "^${line} "\nrecover = "exec ${script}"\n`);
  await logged(sandbox, ' recovered: ');
  assert.match(tell(sandbox, 'signal', 'web', 'USR1').output, /^web: was sent SIGUSR1, 1 process\n$/);
  await waitUntil('it came', () => sandbox.read('got').includes('got USR1'));
  assert.match(tell(sandbox, 'reload', 'web').output, /^web: was reloaded: pid \d+ is still the same/);
  await waitUntil('it came', () => sandbox.read('got').includes('got HUP'));
  assert.equal(tell(sandbox, 'signal', 'web', 'USR3').status, 2);
  assert.equal(recoveredOnce(sandbox), true);
});

function recoveredOnce(sandbox: Sandbox): boolean {
  return sandbox.read('log').match(/ recovered: /g)?.length === 1;
}

test('a pause ends by itself, and is remembered by the next watchdog, however this one ended', async (t) => {
  const sandbox = makeSandbox(t);
  const watchdog = await watchTwo(sandbox);
  assert.equal(tell(sandbox, 'pause', 'web', '--for', '6s', '--reason', 'deploy 1.4').output, 'web: is paused\n');
  assert.equal(tell(sandbox, 'stop', 'db').status, 0);
  signal(pidOf(sandbox, 'web') ?? 0, 'SIGKILL');
  await logged(sandbox, 'web gone: pid');
  signal(watchdog.pid, 'SIGKILL');
  await watchdog.ended;
  const next = sandbox.watchdog(['--config', sandbox.path('watchdog.toml'), '--control', sandbox.path('control')]);
  await waitUntil('it answers', () => tell(sandbox, 'status').status === 1);
  const web = statusOf(sandbox, 'web');
  assert.deepEqual([web.state, web.reason, statusOf(sandbox, 'db').state], ['paused', 'deploy 1.4', 'stopped']);
  assert.match(sandbox.read('log'), /web still paused for \d+.*s \(deploy 1\.4\): nothing is recovered/);
  assert.match(sandbox.read('log'), /db still stopped, by an operator/);
  await logged(sandbox, 'web resumed: the pause is over', 1, 20_000);
  await until(sandbox, 'web', 'up');
  assert.equal(statusOf(sandbox, 'db').state, 'stopped');
  assert.deepEqual(recovered(sandbox).filter((one) => one === 'web').length, 2, 'not while it was paused');
  assert.equal(tell(sandbox, 'stop').status, 0);
  assert.equal((await next.ended).status, 0);
  assert.ok(!existsSync(sandbox.path('control')), 'the socket is gone');
});

test('a recovery that runs when the watchdog is killed is not started a second time by the next', async (t) => {
  const sandbox = makeSandbox(t);
  const line = `${sandbox.marker}_slow`;
  const recover = `echo slow >> ${sandbox.path('ev')}; sleep 3; exec bash -c "exec -a ${line} sleep 1000"`;
  const table = `[target.slow]\npattern = "^${line} 1000"\nrecover = '''${recover}'''\n`;
  const watchdog = watchConfig(sandbox, QUICK_DEFAULTS + table);
  await waitUntil(
    'it runs',
    () => sandbox.read('ev') !== '' && readdirSync(sandbox.directory).some((name) => /^control-.*\.json$/.test(name)),
  );
  signal(watchdog.pid, 'SIGKILL');
  await watchdog.ended;
  sandbox.watchdog(['--config', sandbox.path('watchdog.toml'), '--control', sandbox.path('control')]);
  await until(sandbox, 'slow', 'up');
  assert.deepEqual(recovered(sandbox), ['slow']);
});

test('why and events tell the decisions, each with its reason; events follow what goes on', async (t) => {
  const sandbox = makeSandbox(t);
  await watchTwo(sandbox);
  const follower = spawn(WATCHDOG, ['events', '--control', sandbox.path('control'), '-f', '--json', 'web']);
  let told = '';
  follower.stdout.on('data', (chunk) => {
    told += String(chunk);
  });
  await waitUntil('what was is told', () => told.includes('"recovered"'));
  signal(pidOf(sandbox, 'web') ?? 0, 'SIGSEGV');
  await waitUntil('what happens is told', () => (told.match(/"recovered"/g)?.length ?? 0) === 2);
  for (const line of told.trim().split('\n')) assert.equal(JSON.parse(line).target, 'web');
  const why = tell(sandbox, 'why', 'web').output;
  assert.match(why, /web gone: pid \d+, killed by SIGSEGV; looking once more, then recovering\n/);
  assert.match(why, /web recovered: pid \d+/);
  assert.doesNotMatch(why, / db /);
  const ended = new Promise((resolve) => follower.on('exit', resolve));
  assert.equal(tell(sandbox, 'shutdown').status, 0);
  assert.equal(await ended, 0, 'the follower ends with it');
});

test('a name that nobody has does nothing to anybody; no watchdog is exit 4, and how to start one', async (t) => {
  const sandbox = makeSandbox(t);
  assert.equal(tell(sandbox, 'status').status, 4);
  assert.match(
    tell(sandbox, 'pause', 'web').output,
    /no watchdog of this user is at work \(by the name .*\); start one: watchdog start/,
  );
  await watchTwo(sandbox);
  const said = tell(sandbox, 'stop', 'web', 'dbb');
  assert.deepEqual([said.status, said.output], [2, 'watchdog: there is no target or group dbb; targets are db, web\n']);
  assert.ok(pidOf(sandbox, 'web'));
  assert.equal(tell(sandbox, 'pause', 'web', '--for', 'soon').status, 2);
  assert.equal(tell(sandbox, 'pause').status, 2);
});

test('a configuration without control: nobody else is asked in its place', async (t) => {
  const sandbox = makeSandbox(t);
  const config = sandbox.write('watchdog.toml', `control = "off"\n${QUICK_DEFAULTS}${targetTable(sandbox, 'web')}`);
  sandbox.watchdog(['--config', config]);
  await logged(sandbox, ' recovered: ');
  const { status, stderr } = spawnSync(WATCHDOG, ['status', '--config', config], { encoding: 'utf8' });
  assert.equal(status, 4, stderr);
  assert.equal(spawnSync(WATCHDOG, ['stop', '--config', config]).status, 0, 'it can be ended all the same');
});

test('the socket is its owner’s alone: another user is refused, and is told so', async (t) => {
  const sandbox = makeSandbox(t);
  await watchTwo(sandbox);
  assert.equal(statSync(sandbox.path('control')).mode & 0o777, 0o600);
  spawnSync('chmod', ['755', sandbox.directory]);
  const asNobody = spawnSync('setpriv', [...AS_NOBODY, WATCHDOG, 'status', '--control', sandbox.path('control')], {
    encoding: 'utf8',
  });
  assert.equal(asNobody.status, 77);
  assert.match(asNobody.stderr, /is another user's, and only that user or root may ask there; try sudo/);
});

test('the one-line form has a socket too, under its name, and is found without one', async (t) => {
  const sandbox = makeSandbox(t);
  const args = [
    '--pattern',
    `^${sandbox.marker} 1000`,
    '--recover',
    sandbox.recover,
    '--name',
    sandbox.marker,
    ...QUICK,
  ];
  const watchdog = sandbox.watchdog(args);
  await logged(sandbox, 'recovered: ');
  const { stdout } = spawnSync(WATCHDOG, ['status', '--name', sandbox.marker], { encoding: 'utf8' });
  assert.match(stdout, new RegExp(`\n${sandbox.marker} +up `));
  assert.match(spawnSync(WATCHDOG, ['status'], { encoding: 'utf8' }).stdout, new RegExp(sandbox.marker));
  signal(watchdog.pid, 'SIGTERM');
  await watchdog.ended;
  assert.ok(!existsSync(`/run/watchdog/${sandbox.marker}.sock`));
});

test('a socket that somebody answers at is not taken from him', async (t) => {
  const sandbox = makeSandbox(t);
  const first = await watchTwo(sandbox);
  const args = ['--pattern', `^${sandbox.marker}_other 1`, '--recover', 'true', '--control', sandbox.path('control')];
  const second = sandbox.watchdog([...args, '--name', sandbox.marker]);
  await logged(sandbox, /the control socket .*control is another watchdog's; the watch goes on without/);
  assert.match(tell(sandbox, 'status').output, new RegExp(`pid ${first.pid},`));
  signal(second.pid, 'SIGTERM');
  await second.ended;
  assert.match(tell(sandbox, 'status').output, new RegExp(`pid ${first.pid},`), 'nor is it taken away at the end');
});

test('resident, it answers in the same way, and a socket that was left behind is no hindrance', async (t) => {
  const sandbox = makeSandbox(t);
  const text = QUICK_DEFAULTS + targetTable(sandbox, 'web');
  const first = watchConfig(sandbox, text, ['--resident']);
  await until(sandbox, 'web', 'up');
  signal(first.pid, 'SIGKILL');
  await first.ended;
  assert.ok(existsSync(sandbox.path('control')));
  const second = watchConfig(sandbox, text, ['--resident']);
  await until(sandbox, 'web', 'up');
  assert.equal(tell(sandbox, 'restart', 'web').status, 0);
  assert.equal(tell(sandbox, 'stop').status, 0);
  assert.equal((await second.ended).status, 0);
  assert.ok(!existsSync(sandbox.path('control')), 'the socket is gone');
});

test('bad clients: refused or cut off, and the watch goes on', async (t) => {
  const sandbox = makeSandbox(t);
  await watchTwo(sandbox);
  const path = sandbox.path('control');
  const silent = Array.from({ length: 40 }, () => connect(path).on('error', () => {}));
  t.after(() => {
    for (const socket of silent) socket.destroy();
  });
  const garbage = connect(path).on('error', () => {});
  garbage.end('\x00\x01 not http\r\n\r\n');
  const rows: readonly (readonly [readonly string[], number])[] = [
    [['constructor'], 404],
    [['__proto__'], 404],
    [['stop'], 405],
    [['status', '-X', 'POST'], 405],
    [['stop', '-X', 'POST', '-d', '{"targets":"web"}'], 400],
    [['stop', '-X', 'POST', '-d', '{"command":"rm"}'], 400],
    [['stop', '-X', 'POST', '-d', '[]'], 400],
    [['stop', '-X', 'POST', '-d', '{"__proto__":{"targets":["web"]},"x":1}'], 400],
    [['stop', '-X', 'POST', '-d', 'x'.repeat(70_000)], 413],
    [['pause', '-X', 'POST', '-d', '{"forMs":-5}'], 400],
    [['signal', '-X', 'POST', '-d', '{"targets":["web"],"signal":"NOPE"}'], 400],
    [['status?target=nobody'], 404],
  ];
  for (const [[verb = '', ...args], code] of rows)
    assert.equal(curl(sandbox, verb, ...args).code, code, verb + args.join(' '));
  signal(pidOf(sandbox, 'web') ?? 0, 'SIGKILL');
  await logged(sandbox, 'web recovered: ', 2);
  assert.equal(curl(sandbox, 'status').code, 200);
});

test('whatever is asked in the same moment, each is answered, and by what was so', async (t) => {
  const sandbox = makeSandbox(t);
  const watchdog = await watchTwo(sandbox);
  const verbs = ['status', 'why', 'events', 'look', 'pause', 'resume', 'reload', 'recover', 'signal', 'start'];
  const asked = Array.from({ length: 40 }, (_, at) => verbs[at % verbs.length] as string).map((verb) => {
    const isQuestion = verb === 'status' || verb === 'why' || verb === 'events';
    const body =
      verb === 'reload' ? '{}' : verb === 'signal' ? '{"targets":["db"],"signal":"CONT"}' : '{"targets":["web"]}';
    return post(sandbox.path('control'), isQuestion ? 'GET' : 'POST', verb, isQuestion ? '' : body);
  });
  for (const { code, text } of await Promise.all(asked)) {
    assert.ok(code === 200 || code === 409, `${code} ${text}`);
    JSON.parse(text);
  }
  assert.equal(watchdog.child.exitCode, null);
  tell(sandbox, 'resume', 'web');
  await until(sandbox, 'web', 'up');
});

function post(socketPath: string, method: string, verb: string, body: string): Promise<{ code: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path: `/v1/${verb}`, timeout: 20_000 }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += String(chunk);
      });
      response.on('end', () => resolve({ code: response.statusCode ?? 0, text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
