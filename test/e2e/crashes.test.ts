/** The manual, "What waits": whatever becomes of a brain, no death is forgotten and nothing is started twice. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { freshMemory, memoryWriter } from '../../src/brain/memory.ts';
import { standingOf } from '../../src/brain/standing.ts';
import { formatHandover } from '../../src/host/sentinel-protocol.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { NO_RESTRAINT } from '../../src/system/child.ts';
import { compile } from '../support/compile.ts';
import { allProcesses, isAlive, readProcess, signal } from '../support/processes.ts';
import { makeSandbox, type Sandbox, WATCHDOG } from '../support/sandbox.ts';
import { SENTINEL } from '../support/sentinel.ts';
import { makeTarget } from '../support/target.ts';
import { waitUntil } from '../support/wait-until.ts';

const KILLS = Number(process.env.KILLS ?? 15);

test(`${KILLS} deaths, the brain killed at random moments of each: every death recovered, none twice`, {
  timeout: 60_000 + KILLS * 1_000,
}, async (t) => {
  const sandbox = makeSandbox(t);
  const append = compile(sandbox, 'append');
  const recover = `exec ${append} ${sandbox.path('ev')} ${sandbox.marker}`;
  const times = ['--settle', '100ms', '--confirm', '200ms', '--start-grace', '2s', '--backoff', '100ms..1s'];
  const watchdog = sandbox.watchdog(['--pattern', `^${sandbox.marker} 1000`, '--recover', recover, ...times]);
  let random = 7;
  let brainKills = 0;
  for (let death = 1; death <= KILLS; death += 1) {
    const pid = await waitUntil(
      `recovery ${death}`,
      () => (sandbox.recoveries() >= death ? (sandbox.targets()[0] ?? 0) : 0),
      30_000,
    );
    const asleep = () => /, up$/.test(readProcess(watchdog.pid)?.line ?? '');
    await waitUntil('it is watched', asleep);
    assert.equal(sandbox.recoveries(), death, sandbox.read('log'));
    signal(pid, 'SIGKILL');
    random = (random * 48_271) % 2_147_483_647;
    const delayMs = random % 60;
    const startedAtMs = performance.now();
    await waitUntil('the moment has come', () => performance.now() - startedAtMs >= delayMs);
    const brain = allProcesses().find((one) => one.ppid === watchdog.pid && one.line.startsWith('watchdog: brain'));
    if (brain !== undefined) {
      signal(brain.pid, 'SIGKILL');
      brainKills += 1;
    }
  }
  await waitUntil(
    'the last is recovered',
    () => sandbox.recoveries() === KILLS + 1 && sandbox.targets().length === 1,
    30_000,
  );
  assert.ok(brainKills > KILLS / 4, `${brainKills}`);
  const lines = sandbox
    .read('log')
    .split('\n')
    .filter((line) => line.endsWith(recover)).length;
  assert.ok(lines >= KILLS + 1 && lines <= KILLS + 1 + brainKills, `${lines} lines of ${KILLS + 1} recoveries`);
});

/** Every kind of call that a wake makes between its first line and its last, and how often it is tried. */
const POINTS: readonly (readonly [call: string, times: readonly number[]])[] = [
  ['write', [1, 2, 3, 4, 5, 6]],
  ['read', [1, 20, 25, 30, 40]],
  ['openat', [20, 25, 30, 60]],
  ['close', [25, 60]],
  ['getdents64', [1, 2, 3]],
  ['readlink', [1, 2]],
  ['exit_group', [1]],
];

for (const [call, times] of POINTS) {
  test(`killed at its ${call} number ${times.join(', ')}: the recovery is started once`, async (t) => {
    for (const when of times) await crashAt(makeSandbox(t), call, when);
  });
}

/** The second brain, which is woken by the death, is killed at one call; the next ones are left alone. */
async function crashAt(sandbox: Sandbox, call: string, when: number): Promise<void> {
  const append = compile(sandbox, 'append');
  const recover = `exec ${append} ${sandbox.path('ev')} ${sandbox.marker}`;
  const strace = `strace -D -o /dev/null -e trace=${call} -e inject=${call}:signal=KILL:when=${when}`;
  const program = sandbox.write(
    'brain',
    `#!/bin/sh
echo woken >> ${sandbox.path('wakes')}
case $(wc -l < ${sandbox.path('wakes')}) in
2) exec ${strace} ${WATCHDOG} brain ;;
*) exec ${WATCHDOG} brain ;;
esac
`,
    0o755,
  );
  const plan = planOf(sandbox, recover, program);
  const nothing = {
    watch: [],
    deadlineMs: null,
    starts: [],
    signals: [],
    kills: [],
    isReady: false,
    isPatient: false,
    taps: [],
    replaces: [],
    forwards: false,
    end: 'stay',
  } as const;
  const state = memoryWriter()(freshMemory(plan));
  const frame = { ...standingOf(plan), ...nothing, state, title: 'watchdog: crashing' };
  const pid = await sandbox.startTarget();
  const env = { ...process.env, ...formatHandover(frame, { lock: plan.lock, control: null }) };
  const sentinel = sandbox.start(SENTINEL, [' '.repeat(80)], { env });
  await waitUntil('it watches', () => sandbox.read('log').includes('watching: up'));
  await waitUntil('it sleeps', () => allProcesses().every((one) => one.ppid !== sentinel.pid));
  signal(pid, 'SIGKILL');
  await waitUntil('it is recovered', () => sandbox.read('log').includes('recovered: '), 30_000).catch(
    (error: Error) => {
      throw new Error(`${call} ${when}: ${error.message}\n${sandbox.read('log')}`);
    },
  );
  assert.equal(sandbox.recoveries(), 1, `${call} ${when}\n${sandbox.read('log')}`);
  assert.ok(isAlive(sandbox.targets()[0] ?? 0) && existsSync(sandbox.path('wakes')));
  signal(sentinel.pid, 'SIGTERM');
  await sentinel.ended;
}

function planOf(sandbox: Sandbox, recover: string, program: string): Plan {
  const { deathsAreTold, waitsFor, ...rules } = makeTarget({
    label: sandbox.marker,
    recover,
    settleMs: 100,
    confirmMs: 200,
    backoff: { minMs: 100, maxMs: 1_000 },
  });
  assert.ok(deathsAreTold && waitsFor === null);
  const pattern = { text: `^${sandbox.marker} 1000`, isFixed: false, isExact: false, ignoresCase: false };
  return {
    targets: [
      {
        rules,
        look: { pattern, uids: null, exe: null, pidFile: null, min: 1 },
        program: null,
        isRetired: false,
        reload: { signal: 'HUP' },
        dependsOn: [],
        groups: [],
        cwd: null,
        set: {},
        user: null,
        restraint: NO_RESTRAINT,
        notify: { onEvent: null, webhook: null, events: [] },
      },
    ],
    name: null,
    label: sandbox.marker,
    config: null,
    given: {},
    control: null,
    controlTrouble: null,
    saved: null,
    forwards: null,
    isResident: false,
    isDaemon: false,
    ownPidFile: null,
    startedBy: { arguments: [], directory: '/' },
    onlooker: { processTable: null, arguments: '', exe: WATCHDOG },
    start: { unset: [], unsetForOthers: [], openFilesLimit: null },
    log: { path: sandbox.path('log'), format: 'text', isShown: false },
    lingerMs: 2_000,
    beginning: { version: 'test', user: 'root', directory: '/', path: '' },
    isQuiet: true,
    lock: `watchdog/${sandbox.marker}`,
    program,
    args: ['watchdog: brain', 'brain'],
  };
}
