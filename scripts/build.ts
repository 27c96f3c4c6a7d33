/**
 * Builds `dist/watchdog.cjs`, all of the program in one file for hosts that have Node,
 * and `dist/watchdog`, the same with Node inside, which needs nothing. Both have the
 * sentinel inside; `dist/watchdog-sentinel` is the same once more, to be put beside them
 * where it can't be written anywhere.
 *
 * `--if-stale`: only if a source is not the one that the last build was made of.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build } from 'esbuild';
import { TOPICS } from '../src/cli/topics.ts';
import { manPage } from './man.ts';
import { compileSentinel } from './sentinel.ts';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const bundle = join(dist, 'watchdog.cjs');
const executable = join(dist, 'watchdog');
const stamp = join(dist, '.sources');

const sources = hashSources();
if (process.argv.includes('--if-stale') && isFresh()) process.exit(0);
mkdirSync(dist, { recursive: true });
rmSync(stamp, { force: true });
await makeBundle(compileSentinel(root, dist));
await makeExecutable();
writeFileSync(join(dist, 'watchdog.1'), manPage());
smokeTest();
writeFileSync(stamp, sources);

function isFresh(): boolean {
  return existsSync(executable) && existsSync(bundle) && existsSync(stamp) && readFileSync(stamp, 'utf8') === sources;
}

function hashSources(): string {
  const hash = createHash('sha256').update(process.version);
  const own = ['src/**/*', 'docs/*.md', 'scripts/build.ts', 'scripts/sentinel.ts', 'scripts/man.ts'];
  const files = globSync([...own, 'package.json', 'package-lock.json'], { cwd: root });
  for (const file of files.sort()) {
    if (/\.(ts|json|c|h|md)$/.test(file)) hash.update(file).update(readFileSync(join(root, file)));
  }
  return hash.digest('hex');
}

async function makeBundle(sentinel: Buffer | null): Promise<void> {
  await build({
    entryPoints: [join(root, 'src/main.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    target: 'node22.15',
    format: 'cjs',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    banner: { js: '#!/usr/bin/env node\nconst __bundleUrl=require("node:url").pathToFileURL(__filename).href;' },
    // ps-list works out a path from this when it loads; a CommonJS bundle has none.
    define: {
      'import.meta.url': '__bundleUrl',
      WATCHDOG_SENTINEL: JSON.stringify(sentinel?.toString('base64') ?? ''),
      WATCHDOG_TOPICS: JSON.stringify(readTopics()),
    },
  });
  chmodSync(bundle, 0o755);
}

/** The manual's pages, which the executable can print. */
function readTopics(): Readonly<Record<string, string>> {
  const names = [...TOPICS, 'manual'];
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(root, 'docs', `${name}.md`), 'utf8')]));
}

/** pkg's simple mode: one script, and the Node that runs this; nothing is patched, nothing is downloaded. */
async function makeExecutable(): Promise<void> {
  // pkg's own module for this mode: its command line can't be told which Node to take.
  const { default: sea } = createRequire(import.meta.url)('@yao-pkg/pkg/lib-es5/sea.js');
  const node = join(dist, '.node');
  const unfinished = join(dist, '.watchdog');
  copyFileSync(process.execPath, node);
  strip(node);
  await sea(bundle, {
    targets: [
      {
        nodeRange: `node${process.versions.node.split('.')[0]}`,
        platform: 'linux',
        arch: process.arch,
        output: unfinished,
      },
    ],
    nodePath: node,
    seaConfig: {
      disableExperimentalSEAWarning: true,
      useCodeCache: true,
      // What is meant for the user's Node must not reach ours, and nobody shall open its debugger.
      execArgv: ['--disable-sigusr1'],
      execArgvExtension: 'none',
    },
  });
  chmodSync(unfinished, 0o755);
  // Renamed into place: an executable that runs can't be written to.
  renameSync(unfinished, executable);
  rmSync(node);
}

/** Symbols are a seventh of Node. They must go before the script comes in: afterwards the file would break. */
function strip(path: string): void {
  try {
    execFileSync('strip', [path], { stdio: 'ignore' });
  } catch {
    console.error('watchdog: there is no strip (binutils); the executable is 18 MB larger than it need be');
  }
}

function smokeTest(): void {
  console.log(execFileSync(executable, ['--version'], { encoding: 'utf8' }).trim());
}
