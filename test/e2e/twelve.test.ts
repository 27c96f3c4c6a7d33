/**
 * Twelve targets of all kinds under one watchdog, real servers among them: every one is
 * killed in every way that it can be, all come back, and the status is right at each step.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { StatusAnswer } from '../../src/control/protocol.ts';
import { compile } from '../support/compile.ts';
import { tell } from '../support/control.ts';
import { allProcesses, readProcess, signal } from '../support/processes.ts';
import { makeSandbox, type Sandbox, WATCHDOG } from '../support/sandbox.ts';
import { waitUntil } from '../support/wait-until.ts';

const KILLS: readonly NodeJS.Signals[] = ['SIGKILL', 'SIGSEGV', 'SIGTERM', 'SIGINT', 'SIGQUIT'];

/** Programs of Debian, of Node and of the shell; by pattern, by pid-file, by both; alone, in copies and in an order. */
function configOf(sandbox: Sandbox): string {
  const at = (name: string): string => sandbox.path(name);
  const m = sandbox.marker;
  sandbox.write(
    'nginx.conf',
    `pid ${at('nginx.pid')};\nerror_log ${at('nginx.log')};\nworker_processes 2;\nevents {}\nhttp {\n access_log off;\n server { listen unix:${at('nginx.sock')}; return 200 "ok"; }\n}\n`,
  );
  sandbox.write('app.js', `process.title = 'x'; setInterval(() => {}, 1000);`);
  sandbox.write('plain.js', 'setInterval(() => {}, 1000);');
  sandbox.write(
    'fork.js',
    `const { spawn } = require('node:child_process');\nif (process.argv[2] === 'start') spawn(process.execPath, [__filename, 'serve'], { detached: true, stdio: 'ignore' }).unref();\nelse { require('node:fs').writeFileSync('${at('fork.pid')}', String(process.pid)); setInterval(() => {}, 1000); }\n`,
  );
  sandbox.write('loop.sh', '#!/bin/sh\nwhile :; do sleep 1; done\n', 0o755);
  sandbox.write(
    'daemon.sh',
    `#!/bin/bash\n(exec -a ${m}_daemon setsid bash -c 'echo $$ > ${at('daemon.pid')}; while :; do sleep 1; done' ) > /dev/null 2>&1 &\n`,
    0o755,
  );
  const odd = compile(sandbox, 'idle');
  return `
log = "log"
control = "control"
[defaults]
confirm = "300ms"
settle = "300ms"
start-grace = "5s"
backoff = "200ms..2s"
env = { MARKER = "${m}" }

[target.nginx]
pid-file = "nginx.pid"
recover = "rm -f ${at('nginx.sock')}; nginx -c ${at('nginx.conf')} -p ${sandbox.directory}"
groups = ["servers"]

[target.redis]
pattern = "^redis-server unixsocket:${at('redis.sock')}"
recover = "redis-server --port 0 --unixsocket ${at('redis.sock')} --save '' --daemonize yes --pidfile ${at('redis.pid')}"
stop = "redis-cli -s ${at('redis.sock')} shutdown nosave"
groups = ["servers"]

[target.node]
pattern = "node ${at('plain.js')}"
recover = "node ${at('plain.js')}"
depends-on = ["redis"]

[target.retitled]
pid-file = "retitled.pid"
recover = "node ${at('app.js')} & echo $! > ${at('retitled.pid')}"

[target.daemonized]
pattern = "fork\\\\.js serve"
pid-file = "fork.pid"
recover = "node ${at('fork.js')} start"

[target.script]
pattern = "${at('loop.sh')}"
recover = "${at('loop.sh')}"

[target.session]
pid-file = "daemon.pid"
recover = "bash ${at('daemon.sh')}"

[target.copies]
pattern = "^${m}_copy 1000"
min = 3
recover = '''n=$(pgrep -cf "^${m}_copy 1000"); while [ $n -lt 3 ]; do bash -c "exec -a ${m}_copy sleep 1000" & n=$((n + 1)); done'''

[target.fixed]
pattern = "${m}_[fixed] (1)"
fixed = true
recover = '''exec bash -c "exec -a '${m}_[fixed] (1)' sleep 1000"'''

[target.owned]
pattern = "^${m}_owned 1000"
owner = ["nobody"]
user = "nobody"
recover = '''exec bash -c "exec -a ${m}_owned sleep 1000"'''

[target.program]
pattern = "${m}_program"
exe = "${odd}"
recover = '''exec bash -c "exec -a ${m}_program ${odd}"'''

[target.last]
pattern = "^${m}_last 1000"
depends-on = ["nginx", "node"]
recover = '''exec bash -c "exec -a ${m}_last sleep 1000"'''
`;
}

test('twelve targets of all kinds: each killed in every way, all come back, status right at each step, asleep within 500 kB', {
  timeout: 110_000,
}, async (t) => {
  const sandbox = makeSandbox(t);
  execFileSync('chmod', ['755', sandbox.directory]);
  const config = sandbox.write('watchdog.toml', configOf(sandbox));
  const watchdog = sandbox.start(WATCHDOG, ['--config', config], { env: { ...process.env, MARKER: sandbox.marker } });
  await waitUntil('it answers', () => tell(sandbox, 'status').output.includes('nginx'));
  const targets = () => (JSON.parse(tell(sandbox, 'status', '--json').output) as StatusAnswer[])[0]?.targets ?? [];
  await waitUntil('all are up', () => tell(sandbox, 'status').status === 0, 40_000).catch((error: Error) => {
    throw new Error(`${error.message}\n${tell(sandbox, 'status').output}\n${sandbox.read('log')}`);
  });
  assert.equal(targets().length, 12);
  const before = new Map(targets().map(({ name, recoveries }) => [name, recoveries]));
  for (const how of KILLS) {
    const victims = new Map(targets().map((one) => [one.name, one.processes[0]?.pid ?? 0]));
    for (const pid of victims.values()) signal(pid, how);
    await waitUntil(
      'they are others, and up',
      () => {
        const now = targets();
        return now.every(({ isUp, name, processes }) => {
          // Who does not end by it (a shell ignores INT and QUIT in the background) is still up, and right so.
          const survived =
            readProcess(victims.get(name) ?? 0)?.state !== undefined &&
            readProcess(victims.get(name) ?? 0)?.state !== 'Z';
          return isUp && (survived || !processes.some(({ pid }) => pid === victims.get(name)));
        });
      },
      30_000,
    ).catch((error: Error) => {
      throw new Error(`${how}: ${error.message}\n${tell(sandbox, 'status').output}\n${sandbox.read('log')}`);
    });
    for (const { isUp, processes } of targets()) {
      assert.ok(isUp);
      for (const { pid } of processes) assert.ok(readProcess(pid) !== null, 'what is said to be there is there');
    }
  }
  for (const { name, recoveries } of targets()) {
    const more = recoveries - (before.get(name) ?? 0);
    assert.ok(more >= 3 && more <= KILLS.length, `${name}: ${more} recoveries after ${KILLS.length} kills`);
  }
  assert.equal(tell(sandbox, 'stop', 'servers').status, 0);
  assert.deepEqual(
    targets()
      .filter(({ isUp }) => !isUp)
      .map(({ name, state }) => [name, state]),
    [
      ['nginx', 'stopped'],
      ['redis', 'stopped'],
    ],
  );
  assert.equal(tell(sandbox, 'start', 'servers').status, 0);
  await waitUntil(
    'it sleeps',
    () => !allProcesses().some((one) => one.ppid === watchdog.pid && one.line.startsWith('watchdog: brain')),
  );
  const rollup = readFileSync(`/proc/${watchdog.pid}/smaps_rollup`, 'latin1');
  const kb = Number(/^Rss:\s+(\d+)/m.exec(rollup)?.[1]);
  assert.ok(kb <= 500, `${kb} kB`);
  assert.equal(tell(sandbox, 'shutdown').status, 0);
});
