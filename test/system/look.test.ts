import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProcessRecord } from '../../src/core/process.ts';
import type { Identity, Observation } from '../../src/core/types.ts';
import { observe as observeAll } from '../../src/system/observe.ts';
import type { ProcessTable, Reading } from '../../src/system/process-table.ts';

const target: ProcessRecord = {
  pid: 101,
  startTime: 7,
  ppid: 1,
  uid: 0,
  state: 'alive',
  isKernelThread: false,
  commandLine: 'node my.js',
  args: ['node', 'my.js'],
  exe: null,
  ageMs: 5,
};

/** A table that says what it is told to. */
function question(records: readonly ProcessRecord[], reading: Reading, trouble: string | null = null): ProcessTable {
  return {
    kind: 'proc',
    scan: async (wants) => ({
      records: records.filter((one) => wants(one.commandLine)),
      pids: [],
      ended: [],
      lookerPids: [],
      troubleFor: () => trouble,
    }),
    read: async () => reading,
  };
}

async function observe(table: ProcessTable, followed: readonly Identity[]): Promise<Observation> {
  const wanted = {
    selector: { matches: (line: string) => line.includes('my.js'), uids: null, exe: null },
    pidFile: null,
    min: 1,
    isByFamily: false,
  };
  const onlooker = { table, pid: 50, arguments: '', exe: null, commands: [] };
  const [observation] = await observeAll(onlooker, [{ wanted, followed, program: null }]);
  return observation as Observation;
}

test('a match is present, even where not all could be seen', async () => {
  const seen = [{ pid: 101, startTime: 7, commandLine: 'node my.js' }];
  assert.deepEqual(await observe(question([target], { kind: 'none' }), []), { kind: 'present', seen });
  assert.deepEqual(await observe(question([target], { kind: 'none' }, 'trouble'), []), { kind: 'present', seen });
});

test('nothing is absent only where all could be seen', async () => {
  assert.equal((await observe(question([], { kind: 'none' }), [])).kind, 'absent');
  assert.deepEqual(await observe(question([], { kind: 'none' }, 'EIO'), []), { kind: 'unknown', why: 'EIO' });
});

test('who is followed counts while it lives, whatever it is called, and is not gone because it can not be read', async () => {
  const renamed: Reading = { kind: 'process', record: { ...target, commandLine: 'worker', args: ['worker'] } };
  assert.deepEqual(await observe(question([], renamed), [target]), {
    kind: 'present',
    seen: [{ pid: 101, startTime: 7, commandLine: 'worker' }],
  });
  assert.equal(
    (await observe(question([], { kind: 'process', record: { ...target, startTime: 8 } }), [target])).kind,
    'absent',
  );
  assert.equal(
    (await observe(question([], { kind: 'process', record: { ...target, state: 'zombie' } }), [target])).kind,
    'absent',
  );
  assert.equal((await observe(question([], { kind: 'none' }), [target])).kind, 'absent');
  assert.deepEqual(await observe(question([], { kind: 'trouble', why: 'EMFILE' }), [target]), {
    kind: 'unknown',
    why: 'EMFILE',
  });
});
