import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { renderAll } from '../scripts/manual.ts';
import { COMMANDS, parseArguments } from '../src/cli/arguments.ts';
import { completionFor, SHELLS } from '../src/cli/completion.ts';
import { EXIT_CODES } from '../src/cli/exit-codes.ts';
import { readTopic, TOPICS } from '../src/cli/topics.ts';
import { OPTION_SPECS, optionName } from '../src/config/options.ts';
import { configSchema } from '../src/config/schema.ts';

const docs = join(import.meta.dirname, '..', 'docs');

test('the tables of the manual are those of the source (sh scripts/run.sh manual)', () => {
  for (const [name, text] of renderAll()) assert.equal(readFileSync(join(docs, name), 'utf8'), text, name);
});

test('every page is in the manual, and every link in it leads somewhere', () => {
  const manual = readFileSync(join(docs, 'manual.md'), 'utf8');
  for (const topic of TOPICS) assert.ok(manual.includes(`[${topic}](${topic}.md)`), topic);
  for (const page of globSync('*.md', { cwd: docs })) {
    const text = readFileSync(join(docs, page), 'utf8');
    for (const [, link = ''] of text.matchAll(/\]\(([^)#]+)\)/g))
      assert.ok(existsSync(join(docs, link)), `${page}: ${link}`);
  }
});

test('help prints a page, and completions know every command and option', () => {
  assert.match(readTopic('config'), /^# The configuration\n/);
  for (const shell of SHELLS) {
    const script = completionFor(shell);
    for (const command of COMMANDS) assert.ok(script.includes(command), `${shell} ${command}`);
    for (const option of OPTION_SPECS) {
      const name = optionName(option);
      assert.ok(name === null || script.includes(shell === 'fish' ? `-l ${name}` : `--${name}`), `${shell} ${name}`);
    }
  }
});

test('what a configuration may hold is what its schema says', () => {
  const schema = JSON.parse(JSON.stringify(configSchema()));
  const { properties } = schema;
  for (const { name, scope } of OPTION_SPECS) {
    if (scope === 'watchdog') assert.ok(name in properties, name);
    if (scope === 'target') assert.ok(name in properties.target.additionalProperties.properties, name);
    if (scope === 'run') assert.ok(!(name in properties), name);
  }
});

test('--help names every option and every exit code', () => {
  const help = parseArguments(['--help'], '');
  assert.ok(help.kind === 'show');
  for (const option of OPTION_SPECS.filter((one) => one.commands.includes('watch'))) {
    const name = optionName(option);
    assert.ok(name === null || help.text.includes(`--${name}`), option.name);
  }
  for (const { code } of Object.values(EXIT_CODES)) assert.match(help.text, new RegExp(`^ +${code}  `, 'm'));
});

test('every exit code and every option has its own', () => {
  const codes = Object.values(EXIT_CODES).map((one) => one.code);
  assert.equal(new Set(codes).size, codes.length);
  for (const command of new Set(OPTION_SPECS.flatMap((option) => option.commands))) {
    const own = OPTION_SPECS.filter((option) => option.commands.includes(command));
    const shorts = own.flatMap((option) => (option.short === undefined ? [] : [option.short]));
    assert.equal(new Set(shorts).size, shorts.length, command);
  }
});
