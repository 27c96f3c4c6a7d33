/**
 * Writes the parts of `docs/manual.md` that are tables of the source: the exit codes and
 * the options. They stand between two marks each; a test fails when they are stale.
 * `sh scripts/run.sh manual` writes them.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT_CODES } from '../src/cli/exit-codes.ts';
import { OPTION_SPECS, type OptionSpec, variableName } from '../src/config/options.ts';

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
    const variable = `\`${variableName(option.name)}\``;
    return `| ${flags(option)} | ${variable} | ${option.default ?? ''} | ${commands(option)} | ${escapeCell(option.help)} |\n`;
  });
  return `| option | variable | default | command | |\n|---|---|---|---|---|\n${rows.join('')}`;
}

function flags(option: OptionSpec): string {
  const value = option.value === undefined ? '' : ` ${option.value}`;
  return escapeCell(`\`${option.short === undefined ? '' : `-${option.short}, `}--${option.name}${value}\``);
}

function commands(option: OptionSpec): string {
  return option.commands.length === 3 ? 'all' : option.commands.join(', ');
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|');
}

if (process.argv[1] === import.meta.filename) {
  const manual = readFileSync(path, 'utf8');
  writeFileSync(path, renderManual(manual));
}
