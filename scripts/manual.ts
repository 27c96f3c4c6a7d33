/**
 * Writes the parts of `docs/manual.md` that are tables of the source: the exit codes and
 * the options. They stand between two marks each; a test fails when they are stale.
 * `sh scripts/run.sh manual` writes them.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT_CODES } from '../src/cli/exit-codes.ts';
import { variableOf } from '../src/config/environment.ts';
import { OPTION_SPECS, type OptionSpec, optionName } from '../src/config/options.ts';

const path = join(import.meta.dirname, '..', 'docs', 'manual.md');

/** The manual with its tables as the source has them now. */
export function renderManual(manual: string): string {
  return replaceBetween(replaceBetween(manual, 'exit codes', exitCodes()), 'options', options());
}

function replaceBetween(text: string, name: string, table: string): string {
  const [start, end] = [`<!-- ${name} -->\n`, `<!-- end of ${name} -->`];
  const [at, to] = [text.indexOf(start), text.indexOf(end)];
  if (at < 0 || to < at) throw new Error(`the manual has no place for the ${name}`);
  return text.slice(0, at + start.length) + table + text.slice(to);
}

function exitCodes(): string {
  const rows = Object.values(EXIT_CODES).map(({ code, meaning }) => `| ${code} | ${meaning} |\n`);
  return `| code | meaning |\n|---|---|\n${rows.join('')}`;
}

function options(): string {
  const rows = OPTION_SPECS.map((option) => {
    const variable = variableOf(option);
    const cells = [flags(option), variable === null ? '' : `\`${variable}\``, key(option), option.default ?? ''];
    return `| ${[...cells, commands(option), escapeCell(option.help)].join(' | ')} |\n`;
  });
  return `| option | variable | key in a file | default | command | |\n|---|---|---|---|---|---|\n${rows.join('')}`;
}

function flags(option: OptionSpec): string {
  const name = optionName(option);
  if (name === null) return '';
  const value = option.value === undefined ? '' : ` ${option.value}`;
  return escapeCell(`\`${option.short === undefined ? '' : `-${option.short}, `}--${name}${value}\``);
}

/** What stands for it in a configuration: of each target, or at the top. */
function key({ name, scope }: OptionSpec): string {
  if (scope === 'run') return '';
  return scope === 'target' ? `\`${name}\`` : `\`${name}\` (top)`;
}

function commands(option: OptionSpec): string {
  return option.commands.length === 3 && option.commands.includes('match') ? 'all' : option.commands.join(', ');
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|');
}

if (process.argv[1] === import.meta.filename) {
  const manual = readFileSync(path, 'utf8');
  writeFileSync(path, renderManual(manual));
}
