/** nginx as Debian has it, in its default mode: it daemonizes itself, forks workers, hands over to a new binary. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { statusOf, tell, until, watchConfig } from '../support/control.ts';
import { allProcesses, isAlive, processesOf, readProcess, signal } from '../support/processes.ts';
import { makeSandbox, type Running, type Sandbox } from '../support/sandbox.ts';
import { waitUntil } from '../support/wait-until.ts';

const KILLS = 100;

async function watchNginx(sandbox: Sandbox, more = ''): Promise<Running> {
  sandbox.write('port', String(await freePort()));
  const at = (name: string): string => sandbox.path(name);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${at(name)};`);
  sandbox.write(
    'nginx.conf',
    `pid ${at('nginx.pid')};\nerror_log ${at('error.log')};\nworker_processes 2;\nevents {}\nhttp {\n access_log off;\n ${paths.join(' ')}\n server { listen 127.0.0.1:${sandbox.read('port')}; return 200 "ok"; }\n}\n`,
  );
  const text = `[target.nginx]\ncommand = "/usr/sbin/nginx -c ${at('nginx.conf')}"\nstart-seconds = 0\nbackoff = "100ms..1s"\nenv = { MARKER = "${sandbox.marker}" }\n${more}`;
  return watchConfig(sandbox, text);
}

/** A number that nobody listens at now. (Of a socket file, what a killed nginx leaves is in the way of the next.) */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function masterOf(sandbox: Sandbox): number {
  return Number(sandbox.read('nginx.pid').trim() || 0);
}

function workersOf(master: number): readonly number[] {
  return allProcesses().flatMap((one) =>
    one.ppid === master && one.line === 'nginx: worker process' ? [one.pid] : [],
  );
}

function all(sandbox: Sandbox): readonly string[] {
  return processesOf(sandbox.marker).flatMap(({ line }) => (line.startsWith('nginx') ? [line] : []));
}

/** What it answers; the empty text if nobody does. */
function ask(sandbox: Sandbox): Promise<string> {
  return new Promise((resolve) => {
    const request = get(
      { host: '127.0.0.1', port: Number(sandbox.read('port')), path: '/', agent: false },
      (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += String(chunk);
        });
        response.on('end', () => resolve(text));
      },
    );
    request.on('error', () => resolve(''));
  });
}

async function ready(sandbox: Sandbox, watchdog: Running): Promise<number> {
  return waitUntil('nginx is up with its workers', async () => {
    const master = masterOf(sandbox);
    const isOurs = master > 0 && isAlive(master) && readProcess(master)?.ppid === watchdog.pid;
    // Who is killed before he was ever seen is not told from his workers.
    const isFollowed = sandbox
      .read('log')
      .split('\n')
      .findLast((line) => /goes on|lasted/.test(line))
      ?.includes(`pid ${master} `);
    return isOurs && isFollowed && workersOf(master).length === 2 && (await ask(sandbox)) === 'ok' ? master : 0;
  });
}

test(`it is followed over ${KILLS} kills of its master, its workers and both`, async (t) => {
  const sandbox = makeSandbox(t);
  const watchdog = await watchNginx(sandbox);
  let starts = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    const master = await ready(sandbox, watchdog);
    const workers = workersOf(master);
    const isMaster = kill % 3 !== 1;
    if (kill % 3 !== 0) for (const worker of workers) signal(worker, 'SIGKILL');
    if (isMaster) signal(master, 'SIGKILL');
    if (isMaster) {
      starts += 1;
      await waitUntil(
        `the master is another, kill ${kill}`,
        () => masterOf(sandbox) !== master && isAlive(masterOf(sandbox)),
      );
    } else
      await waitUntil(
        'the workers are others',
        () => workersOf(master).length === 2 && !workersOf(master).some((one) => workers.includes(one)),
      );
  }
  await ready(sandbox, watchdog);
  await until(sandbox, 'nginx', 'up');
  assert.equal(statusOf(sandbox, 'nginx').recoveries, starts, 'who lost his workers only is not started again');
  assert.equal(tell(sandbox, 'stop', 'nginx').status, 0);
  assert.deepEqual(all(sandbox), [], 'nothing is left behind');
});

test('a reload keeps the master, and that is proved', async (t) => {
  const sandbox = makeSandbox(t);
  const watchdog = await watchNginx(sandbox);
  const master = await ready(sandbox, watchdog);
  await until(sandbox, 'nginx', 'up');
  const workers = workersOf(master);
  assert.deepEqual(tell(sandbox, 'reload', 'nginx'), {
    status: 0,
    output: `nginx: was reloaded: pid ${master} is still the same\n`,
  });
  await waitUntil(
    'it has new workers',
    () => workersOf(master).length === 2 && !workersOf(master).some((one) => workers.includes(one)),
  );
  assert.equal(statusOf(sandbox, 'nginx').recoveries, 0);
});

test('a reload by a command that fails says so', async (t) => {
  const sandbox = makeSandbox(t);
  const conf = sandbox.path('nginx.conf');
  const watchdog = await watchNginx(sandbox, `reload = "nginx -t -q -c ${conf} && nginx -s reload -c ${conf}"\n`);
  const master = await ready(sandbox, watchdog);
  await until(sandbox, 'nginx', 'up');
  assert.equal(tell(sandbox, 'reload', 'nginx').output, `nginx: was reloaded: pid ${master} is still the same\n`);
  sandbox.write('nginx.conf', 'nonsense');
  const said = tell(sandbox, 'reload', 'nginx');
  assert.deepEqual(said, { status: 1, output: 'nginx: the command to reload it failed: exit status 1\n' });
  assert.ok(isAlive(master));
});

test('a new binary takes over without a recovery: USR2, then QUIT to the old one', async (t) => {
  const sandbox = makeSandbox(t);
  const watchdog = await watchNginx(sandbox);
  const old = await ready(sandbox, watchdog);
  await until(sandbox, 'nginx', 'up');
  signal(old, 'SIGUSR2');
  const next = await waitUntil('there is a new master', () => (masterOf(sandbox) !== old ? masterOf(sandbox) : 0));
  await waitUntil('it has workers', () => workersOf(next).length === 2);
  signal(old, 'SIGQUIT');
  await waitUntil('the old one is gone', () => !isAlive(old));
  await waitUntil('the new one is followed', () => statusOf(sandbox, 'nginx').processes[0]?.pid === next);
  const { recoveries, state } = statusOf(sandbox, 'nginx');
  assert.deepEqual({ recoveries, state }, { recoveries: 0, state: 'up' });
  assert.equal(await ask(sandbox), 'ok');
  assert.match(sandbox.read('log'), new RegExp(`pid ${old}, exit status 0, and pid ${next} .* goes on`));
  signal(next, 'SIGKILL');
  await waitUntil('who took over is kept like the one before', () =>
    sandbox.read('log').includes(`pid ${next}, killed by SIGKILL`),
  );
  await ready(sandbox, watchdog);
  assert.equal(tell(sandbox, 'stop', 'nginx').status, 0);
  assert.deepEqual(all(sandbox), []);
});

test('a target that dies of its reload is started again, and whoever asked is told', async (t) => {
  const sandbox = makeSandbox(t);
  const script = `trap 'sleep 0.2; exit 5' HUP; while :; do sleep 0.05; done`;
  watchConfig(
    sandbox,
    `[target.p]\nsettle = "200ms"\ncommand = ["bash", "-c", ${JSON.stringify(`: ${sandbox.marker}; ${script}`)}]\n`,
  );
  await until(sandbox, 'p', 'up');
  const said = tell(sandbox, 'reload', 'p');
  assert.match(said.output, /^p: died of its reload, and is up again: pid \d+\n$/);
  assert.equal(said.status, 1);
  assert.match(
    tell(sandbox, 'why', 'p').output,
    /asked by an operator: reload by SIGHUP[\s\S]*exited: pid \d+, exit status 5[\s\S]*died of its reload/,
  );
});

test('a target of others that is reloaded by USR1 is proved alike, and one that hands over', async (t) => {
  const sandbox = makeSandbox(t);
  const name = `${sandbox.marker}_master`;
  const script = `trap 'exec -a ${name} bash ${sandbox.path('m.sh')}' USR1; trap '(exec -a ${name} bash ${sandbox.path('m.sh')}) & exit 0' USR2; while :; do sleep 0.05; done`;
  sandbox.write('m.sh', script);
  const table = `pattern = "^${name}"\nrecover = "exec bash -c 'exec -a ${name} bash ${sandbox.path('m.sh')}'"\nsettle = "200ms"\n`;
  watchConfig(sandbox, `[target.same]\n${table}reload = "SIGUSR1"\n`);
  await until(sandbox, 'same', 'up');
  assert.match(tell(sandbox, 'reload', 'same').output, /^same: was reloaded: pid \d+ is still the same\n$/);
  sandbox.write('watchdog.toml', `[target.same]\n${table}reload = "SIGUSR2"\n`);
  assert.equal(tell(sandbox, 'reload').status, 0);
  assert.match(tell(sandbox, 'reload', 'same').output, /^same: was reloaded: pid \d+ has taken over from \d+\n$/);
});
