/**
 * All that must hold before a change lands: types, lint, and the tests, the last of them
 * on the packaged executable. `npm test -- PART…` runs only the test files whose path
 * holds one of these texts.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const bin = join(root, 'node_modules', '.bin');
const parts = process.argv.slice(2);

run('types', join(bin, 'tsc'), ['--noEmit']);
run('lint', join(bin, 'biome'), ['check', '--error-on-warnings']);
run('build', process.execPath, [join(root, 'scripts/build.ts'), '--if-stale']);
const files = globSync('test/**/*.test.ts', { cwd: root }).filter(
  (file) => parts.length === 0 || parts.some((part) => file.includes(part)),
);
if (files.length === 0) fail(`no test file has ${parts.join(' or ')} in its path`);
run('tests', process.execPath, ['--test', '--test-reporter=spec', ...files.sort()]);

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
