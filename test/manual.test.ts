import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { renderManual } from '../scripts/manual.ts';
import { parseArguments } from '../src/cli/arguments.ts';
import { EXIT_CODES } from '../src/cli/exit-codes.ts';
import { OPTION_SPECS, optionName } from '../src/config/options.ts';

const manual = readFileSync(join(import.meta.dirname, '..', 'docs', 'manual.md'), 'utf8');

test('the tables of the manual are those of the source (sh scripts/run.sh manual)', () => {
  assert.equal(renderManual(manual), manual);
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
