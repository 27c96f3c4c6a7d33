/**
 * Broken configurations and what is said of them: `bad-config.txt` has both, one after the
 * other, and is meant to be read. `config check` and the watch itself refuse alike.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { logged, makeSandbox, runWatchdog } from '../support/sandbox.ts';

const golden = join(import.meta.dirname, 'bad-config.txt');
const cases = readFileSync(golden, 'utf8')
  .split(/^={10,}\n/m)
  .filter((text) => text.trim() !== '')
  .map((text) => {
    const [head = '', said = ''] = text.split(/^-{10,}\n/m);
    return { head, said };
  });

test('a broken configuration is told all that is wrong with it, and nothing is started', async (t) => {
  assert.ok(cases.length >= 30, `${cases.length} configurations`);
  const sandbox = makeSandbox(t);
  const env = { PATH: process.env.PATH, HOME: '/root', APP: '/srv/app' };
  const told: string[] = [];
  for (const [at, { head }] of cases.entries()) {
    const directory = `case${at}`;
    mkdirSync(sandbox.path(directory));
    // A case is one file, or several, each after a line with its name.
    const [, first = '', ...others] = head
      .split(/^## (.+)\n/m)
      .map((part, index) => (index % 2 === 0 ? part : part.trim()));
    const files = first === '' ? ['watchdog.toml', head] : [first, ...others];
    for (let file = 0; file < files.length; file += 2) {
      sandbox.write(join(directory, files[file] ?? ''), withNuls(files[file + 1] ?? ''));
    }
    const options = { cwd: sandbox.path(directory), env };
    const checked = await runWatchdog(['config', 'check', '--config', 'watchdog.toml'], options);
    const watched = await runWatchdog(['--config', 'watchdog.toml', '--log', '../log'], options);
    assert.deepEqual([checked.status, watched.status], [2, 2], head);
    assert.equal(watched.output, checked.output, head);
    told.push(checked.output.replaceAll(`${sandbox.path(directory)}/`, ''));
  }
  assert.equal(sandbox.read('log'), '', 'nothing was begun');
  const text = cases.map(({ head }, at) => `${'='.repeat(40)}\n${head}${'-'.repeat(40)}\n${told[at]}`).join('');
  if (process.env.UPDATE === '1') writeFileSync(golden, text);
  else assert.equal(text, readFileSync(golden, 'utf8'));
});

/** Bytes that a text file should not have. */
function withNuls(text: string): string {
  return text.replaceAll('␀', '\0');
}

test('a file that is none: missing, a directory, a device, too large', async (t) => {
  const sandbox = makeSandbox(t);
  const rows: readonly (readonly [string, RegExp])[] = [
    ['none.toml', /none\.toml: cannot be read: no such file/],
    ['.', /: is no regular file; name a file in TOML/],
    ['/dev/zero', /\/dev\/zero: is no regular file/],
  ];
  for (const [path, said] of rows) {
    const { output, status } = await runWatchdog(['config', 'check', '-c', path], { cwd: sandbox.directory });
    assert.equal(status, 2, path);
    assert.match(output, said);
  }
  const huge = sandbox.write('huge.toml', '');
  truncateSync(huge, 1024 ** 3);
  const { output } = await runWatchdog(['config', 'check', '-c', huge]);
  assert.match(output, /has 1073741824 bytes; at most/);
});

test('the file is found where it belongs, and what it comes to is shown with where each value is from', async (t) => {
  const sandbox = makeSandbox(t);
  sandbox.write(
    'config/watchdog/watchdog.toml',
    `[target.web]\npattern = "^${sandbox.marker}"\nrecover = "true"\nmin = 2\n`,
  );
  const env = { PATH: process.env.PATH, XDG_CONFIG_HOME: sandbox.path('config'), HOME: sandbox.directory };
  const { output, status } = await runWatchdog(['config', 'show'], { cwd: sandbox.directory, env });
  assert.equal(status, 0, output);
  assert.match(output, /^\[target\.web\]$/m);
  assert.match(output, /^min = 2 +# .*\/config\/watchdog\/watchdog\.toml:4: target\.web\.min$/m);
  assert.match(output, /^interval = "5s" +# default$/m);
  sandbox.watchdog([], { env });
  await logged(sandbox, 'web watching: down, nothing matches');
});
