/**
 * Writes the parts of the manual that are tables of the source: exit codes, options and
 * events, between two marks each; and the JSON Schema of a configuration. A test fails when
 * they are stale. `sh scripts/run.sh manual` writes them.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT_CODES } from '../src/cli/exit-codes.ts';
import { CONTROL_COMMANDS } from '../src/config/commands.ts';
import { variableOf } from '../src/config/environment.ts';
import type { OptionSpec } from '../src/config/option-spec.ts';
import { OPTION_SPECS, optionName } from '../src/config/options.ts';
import { configSchema } from '../src/config/schema.ts';
import { DEFAULT_EVENTS, EVENTS } from '../src/core/notice.ts';

const docs = join(import.meta.dirname, '..', 'docs');

/** What is written, by file: its text as the source has it now. */
export function renderAll(): ReadonlyMap<string, string> {
  const page = (name: string): string => readFileSync(join(docs, name), 'utf8');
  return new Map([
    ['options.md', replaceBetween(replaceBetween(page('options.md'), 'exit codes', exitCodes()), 'options', options())],
    ['events.md', replaceBetween(page('events.md'), 'events', events())],
    ['watchdog.schema.json', `${JSON.stringify(configSchema(), null, 2)}\n`],
  ]);
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

/** `start`, `restart`, `doctor`, `install` and `uninstall` take what a watch takes, and need not be told. */
function commands({ commands: all }: OptionSpec): string {
  const isControl = CONTROL_COMMANDS.every((command) => all.includes(command));
  const others = all.filter((command) => !CONTROL_COMMANDS.some((one) => one === command));
  const own = isControl ? ['control'] : all.filter((one) => CONTROL_COMMANDS.some((other) => other === one));
  const isWatch = all.includes('watch');
  const shown = isWatch && !isControl ? own.filter((one) => one !== 'start' && one !== 'restart') : own;
  const quiet = isWatch ? ['doctor', 'install', 'uninstall'] : [];
  return [...others.filter((one) => !quiet.includes(one)), ...shown].join(', ');
}

function events(): string {
  const row = (event: string): string =>
    `| \`${event}\` | ${DEFAULT_EVENTS.some((one) => one === event) ? 'yes' : ''} |\n`;
  return `| event | told by default |\n|---|---|\n${EVENTS.map(row).join('')}`;
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|');
}

if (process.argv[1] === import.meta.filename) {
  for (const [name, text] of renderAll()) writeFileSync(join(docs, name), text);
}
