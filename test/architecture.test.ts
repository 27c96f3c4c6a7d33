/** The rules of the tree that a machine can check: who may import whom, and what a wake loads. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..');
const files = globSync('src/**/*.ts', { cwd: root });

/** Each layer, and the layers that it may import from. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: ['core'],
  config: ['config', 'core'],
  system: ['system', 'core'],
  host: ['host', 'system', 'core'],
  plan: ['plan', 'system', 'config', 'core', 'version'],
  control: ['control', 'system', 'core'],
  brain: ['brain', 'control', 'host', 'plan', 'system', 'config', 'core'],
  version: [],
  import: ['import', 'core'],
  install: ['install', 'core'],
  cli: ['cli', 'import', 'install', 'brain', 'control', 'host', 'plan', 'system', 'config', 'core', 'version'],
  main: ['cli', 'brain', 'system'],
};

function importsOf(file: string): readonly string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/(?:from|import\(|^import)\s*'([^']+)'/gm)].map((match) => match[1] as string);
}

function layerOf(file: string): string {
  return file
    .replace(/^src\//, '')
    .replace(/\.ts$/, '')
    .split('/')[0] as string;
}

function resolveImport(file: string, wanted: string): string {
  return normalize(join(dirname(file), wanted));
}

test('imports go one way', () => {
  assert.ok(files.length > 40, 'the sources were found');
  for (const file of files) {
    const allowed = MAY_IMPORT[layerOf(file)];
    assert.ok(allowed !== undefined, `${file} is in a layer that is known`);
    for (const wanted of importsOf(file).filter((one) => one.startsWith('.'))) {
      const target = resolveImport(file, wanted);
      if (target.endsWith('package.json')) continue;
      assert.ok(allowed.includes(layerOf(target)), `${file} may not import ${target}`);
    }
  }
});

test('the core imports nothing but itself, and knows no clock, no chance and no process', () => {
  for (const file of files.filter((one) => layerOf(one) === 'core')) {
    for (const wanted of importsOf(file)) assert.ok(wanted.startsWith('./'), `${file} imports ${wanted}`);
    const code = readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*|^import .*/gm, '');
    assert.doesNotMatch(code, /\bDate\b|Math\.random|\bperformance\b|\bprocess\.|\bconsole\b|setTimeout|Buffer/, file);
  }
});

test('what the brain loads has nothing of the command line', () => {
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const wanted of importsOf(file)) {
      assert.notEqual(wanted, 'commander', `${file} is loaded by the brain`);
      if (wanted.startsWith('.')) visit(resolveImport(file, wanted));
    }
  };
  visit('src/brain/wake.ts');
  assert.ok(seen.has('src/core/step.ts'));
  for (const file of seen) assert.notEqual(layerOf(file), 'cli', file);
});

/** What Node has loaded by itself when it starts, or loads in no time. */
const ON_A_WAKE: readonly string[] = ['node:fs', 'node:os', 'node:timers/promises', 'node:util'];

test('a wake loads no part of Node that takes time to load', () => {
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = readFileSync(join(root, file), 'utf8');
    // What is imported as a type only, or when it is needed, is not loaded.
    const statics = [...text.matchAll(/^import (?!type )(?:[^;]*? from )?'([^']+)';/gm)].map(
      (match) => match[1] as string,
    );
    for (const wanted of statics) {
      if (wanted.startsWith('.')) visit(resolveImport(file, wanted));
      else assert.ok(ON_A_WAKE.includes(wanted), `${file} loads ${wanted} on every wake`);
    }
  };
  visit('src/brain/wake.ts');
  assert.ok(seen.size > 40);
});

test('the process is ended in one place', () => {
  const enders = files.filter((file) =>
    /process\.(exit|abort|reallyExit)\(/.test(readFileSync(join(root, file), 'utf8')),
  );
  assert.deepEqual(enders, ['src/main.ts']);
});

test('files are named after what they do', () => {
  for (const file of files) assert.doesNotMatch(file, /\/(utils?|helpers?|common|misc|manager|index)\.ts$/);
});
