/**
 * What other tools' configurations come to: beside each file stands what is made of it. After a
 * wanted change, `UPDATE=1 npm test -- import` writes them anew: read the diff.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { makeSandbox, WATCHDOG } from '../support/sandbox.ts';

const files = [
  ...globSync('supervisord/*.conf', { cwd: import.meta.dirname }),
  ...globSync('others/*', { cwd: import.meta.dirname }).filter((name) => !name.endsWith('.toml')),
].sort();
assert.ok(files.length >= 15);

function run(args: readonly string[], cwd: string) {
  const { status, stderr, stdout } = spawnSync(WATCHDOG, args, { encoding: 'utf8', cwd });
  return { status, stdout, stderr };
}

for (const file of files) {
  test(`${file} is taken over, and what comes of it is a configuration`, (t) => {
    const sandbox = makeSandbox(t);
    const directory = join(import.meta.dirname, file, '..');
    cpSync(directory, sandbox.path('here'), { recursive: true });
    const name = basename(file);
    const imported = run(['import', name], sandbox.path('here'));
    assert.equal(imported.status, 0, imported.stderr);
    const shown = imported.stdout.replaceAll(sandbox.path('here'), '/srv/here');
    const golden = join(import.meta.dirname, `${file}.toml`);
    if (process.env.UPDATE === '1') writeFileSync(golden, shown);
    else assert.equal(shown, readFileSync(golden, 'utf8'));
    // Users, directories and files that are not here are another matter.
    const config = imported.stdout
      .replaceAll('/srv/api', sandbox.path('here'))
      .replaceAll('DIR', sandbox.path('here'))
      .replaceAll('/sub"', '"')
      .replaceAll(/^user = .*$/gm, '');
    sandbox.write('watchdog.toml', config);
    const checked = run(['config', 'check', '--trust-paths', '--config', 'watchdog.toml'], sandbox.directory);
    assert.equal(checked.status, 0, checked.stderr);
  });
}

/** What can't be taken over, and what is said. */
const REFUSED: readonly (readonly [name: string, text: string, says: RegExp])[] = [
  ['ecosystem.config.js', 'module.exports = {}', /is a program, which is not run here; make JSON of it: node -p/],
  ['ecosystem.json', '{ "apps": [ { "name": "x" } ] }', /apps\[0\]: has no script/],
  ['broken.json', '{ "apps": [', /is no JSON/],
  ['supervisord.conf', '[program:x]\ndirectory=/\n', /supervisord.conf:1: \[program:x\] has no command/],
  ['supervisord.conf', '[program:x]\ncommand=x\nnumprocs=many\n', /numprocs = many is no number/],
  ['supervisord.conf', '[program:x]\nwhat is this\n', /:2: is neither a \[section\] nor key = value/],
  ['php.ini', '[PHP]\nmemory_limit = 1M\n', /is no supervisord.conf/],
  ['crontab', '@daily /usr/bin/backup\n', /neither pgrep, pidof nor ps/],
  ['script.sh', '#!/bin/sh\nwhile :; do sleep 5; done\n', /neither pgrep, pidof nor ps/],
  [
    'script.sh',
    '#!/bin/sh\nwhile :; do pgrep -f my.js; sleep 5; done\n',
    /looks for "my.js", but what it starts .* was not found/,
  ],
  ['nowhere', '', /cannot be read: no such file/],
];
for (const [name, text, says] of REFUSED) {
  test(`${name}: ${says.source}`, (t) => {
    const sandbox = makeSandbox(t);
    if (name !== 'nowhere') sandbox.write(name, text);
    const { status, stderr, stdout } = run(['import', name], sandbox.directory);
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, says);
  });
}
