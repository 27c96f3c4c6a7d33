/** The build where there is no C compiler, or another one. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeSandbox } from '../support/sandbox.ts';

const root = join(import.meta.dirname, '..', '..');

test('without a C compiler it is built all the same, says so, and will stay resident', (t) => {
  const sandbox = makeSandbox(t);
  mkdirSync(sandbox.path('dist'));
  const script = `import { compileSentinel } from ${JSON.stringify(join(root, 'scripts', 'sentinel.ts'))};
    console.log(compileSentinel(${JSON.stringify(root)}, ${JSON.stringify(sandbox.path('dist'))}));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    env: { PATH: '/nowhere' },
  });
  assert.equal(stdout, 'null\n');
  assert.match(stderr, /there is no C compiler \(cc, gcc, clang\); built without the sentinel, it will stay resident/);
  assert.ok(!existsSync(sandbox.path('dist/watchdog-sentinel')));
});

test('a watchdog that was built so tells it', (t) => {
  const sandbox = makeSandbox(t);
  const { stdout } = spawnSync(process.execPath, [join(root, 'src', 'main.ts'), 'doctor'], {
    encoding: 'utf8',
    cwd: sandbox.directory,
  });
  assert.match(stdout, /^host: resident, no sentinel\n {2}this watchdog was built without a C compiler/);
});
