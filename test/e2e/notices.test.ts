import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { pidOf, QUICK_DEFAULTS, recovered, targetTable, tell, until, watchConfig } from '../support/control.ts';
import { processesWith, signal } from '../support/processes.ts';
import { logged, makeSandbox, runWatchdog } from '../support/sandbox.ts';
import { waitUntil } from '../support/wait-until.ts';

test('a command is run for each event that was chosen, with its context', async (t) => {
  const sandbox = makeSandbox(t);
  const told = sandbox.path('told');
  const line = `echo "$WATCHDOG_TARGET|$WATCHDOG_EVENT|$WATCHDOG_TARGET_PID|$WATCHDOG_MESSAGE" >> ${told}`;
  const defaults = `${QUICK_DEFAULTS}on-event = '''${line}'''\n`;
  watchConfig(sandbox, defaults + targetTable(sandbox, 'all') + targetTable(sandbox, 'few', 'events = ["paused"]'));
  await logged(sandbox, ' recovered: ', 2);
  const pid = pidOf(sandbox, 'all') ?? 0;
  signal(pid, 'SIGSEGV');
  await logged(sandbox, 'all recovered: ', 2);
  assert.equal(tell(sandbox, 'pause', 'few').status, 0);
  await waitUntil('all was told', () => sandbox.read('told').includes('few|paused'));
  assert.match(sandbox.read('told'), new RegExp(`^all\\|gone\\|${pid}\\|gone: pid ${pid}, killed by SIGSEGV`, 'm'));
  assert.match(sandbox.read('told'), new RegExp(`^all\\|recovered\\|${pidOf(sandbox, 'all')}\\|recovered: `, 'm'));
  assert.doesNotMatch(sandbox.read('told'), /few\|(?!paused)/);
});

test('one that hangs or fails delays no recovery, and is ended or told', async (t) => {
  const sandbox = makeSandbox(t);
  const web = targetTable(sandbox, 'web', `on-event = "sleep 987"`);
  const bad = targetTable(sandbox, 'bad', `on-event = "exit 7"`);
  watchConfig(sandbox, QUICK_DEFAULTS + web + bad);
  await logged(sandbox, ' recovered: ', 2);
  await logged(sandbox, 'bad the on-event failed: exit status 7');
  for (let round = 2; round <= 4; round += 1) {
    signal(pidOf(sandbox, 'web') ?? 0, 'SIGKILL');
    await logged(sandbox, 'web recovered: ', round, 5_000);
  }
  assert.ok(processesWith('sleep 987').length > 0, 'they hang meanwhile');
  t.after(() => {
    for (const one of processesWith('sleep 987')) signal(one.pid, 'SIGKILL');
  });
});

test('a target that flaps does not bury whoever is told', async (t) => {
  const sandbox = makeSandbox(t);
  const table = `[target.flap]\npattern = "^${sandbox.marker}_no 1"\nrecover = "false"\non-event = "echo x >> ${sandbox.path('told')}"\nevents = ["all"]\n`;
  watchConfig(sandbox, `[defaults]\nconfirm = "10ms"\nstart-grace = "10ms"\nbackoff = "20ms..20ms"\n${table}`);
  await logged(sandbox, 'more than 20 events of flap in a minute: those that follow are only counted');
  await logged(sandbox, 'recovery failed', 30);
  assert.equal(sandbox.read('told').trim().split('\n').length, 20);
  assert.equal(sandbox.read('log').match(/only counted/g)?.length, 1, 'said once');
});

test('a webhook is posted to, again while the server fails, and not when the request is wrong', async (t) => {
  const sandbox = makeSandbox(t);
  const bodies: { event: string; target: string; message: string; host: string }[] = [];
  let fails = 2;
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += String(chunk);
    });
    request.on('end', () => {
      assert.equal(request.headers['content-type'], 'application/json');
      const isRefused = request.url === '/refused';
      const isBroken = !isRefused && fails > 0;
      if (isBroken) fails -= 1;
      else bodies.push(JSON.parse(text));
      response.writeHead(isRefused ? 404 : isBroken ? 503 : 200).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  sandbox.undo(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const web = targetTable(sandbox, 'web', `webhook = "${url}/hook?key=secret"\nevents = ["recovered"]`);
  const no = targetTable(sandbox, 'no', `webhook = "${url}/refused"\nevents = ["recovered"]`);
  watchConfig(sandbox, QUICK_DEFAULTS + web + no);
  await logged(sandbox, ' recovered: ', 2);
  await waitUntil('it was posted', () => bodies.some(({ target }) => target === 'web'));
  const body = bodies.find(({ target }) => target === 'web');
  assert.match(body?.message ?? '', /^recovered: pid \d+/);
  assert.equal(body?.event, 'recovered');
  await logged(sandbox, /the webhook http:\/\/127\.0\.0\.1:\d+ was not told: it answered 404/);
  await logged(sandbox, 'no the webhook failed: exit status 1');
  assert.equal(bodies.filter(({ target }) => target === 'no').length, 1);
  assert.doesNotMatch(sandbox.read('log'), /secret/);
  await until(sandbox, 'web', 'up');
  assert.deepEqual([...recovered(sandbox)].sort(), ['no', 'web']);
});

test('bad words for it are refused', async (t) => {
  const sandbox = makeSandbox(t);
  const base = `[target.web]\npattern = "my.js"\nrecover = "true"\n`;
  for (const [more, said] of [
    ['events = ["gone"]', /events: says what to tell, and nobody is told; give on-event or webhook too/],
    ['on-event = "true"\nevents = ["recoverd"]', /there is no event "recoverd"; did you mean recovered\?/],
    ['webhook = "example.org/x"', /"example.org\/x" is no URL; write it with http:\/\/ or https:\/\//],
  ] as const) {
    const { output, status } = await runWatchdog([
      'config',
      'check',
      '-c',
      sandbox.write('watchdog.toml', base + more),
    ]);
    assert.equal(status, 2);
    assert.match(output, said);
  }
});
