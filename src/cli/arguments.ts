/** The command line, taken apart by commander from the one table of options. */
import { Command, CommanderError, Option } from 'commander';
import { CONTROL_COMMANDS, type CommandName } from '../config/commands.ts';
import type { Given, GivenValue, Problem } from '../config/given.ts';
import { nearest } from '../config/nearest.ts';
import type { OptionSpec } from '../config/option-spec.ts';
import { isRepeatable, OPTION_SPECS, optionName, specOf } from '../config/options.ts';
import { AFTER_HELP, DESCRIPTIONS } from './help.ts';
import { TOPICS } from './topics.ts';

/** What the command line asks for. */
export type Request =
  | {
      readonly kind: 'run';
      readonly command: CommandName;
      readonly given: Given;
      /** What stands there without an option: names of targets. */
      readonly words: readonly string[];
      readonly problems: readonly Problem[];
    }
  /** Help or version: to be shown, and that is all. */
  | { readonly kind: 'show'; readonly text: string }
  | { readonly kind: 'invalid'; readonly message: string };

/** The commands beside the watch itself, which has no name; of some there are several under one word. */
export const COMMANDS = [
  'match',
  'check',
  'doctor',
  ...CONTROL_COMMANDS,
  'import',
  'learn',
  'install',
  'uninstall',
  'help',
  'completion',
] as const;
const ALL_COMMANDS: readonly string[] = [...COMMANDS, 'config'];
export const CONFIG_COMMANDS = ['check', 'show'] as const;

/** What a command takes besides options. */
const ARGUMENTS: Readonly<Partial<Record<CommandName, string>>> = {
  help: '[TOPIC]',
  completion: '<SHELL>',
  import: '<FILE>',
  learn: '<PID>',
  status: '[NAME...]',
  start: '[NAME...]',
  stop: '[NAME...]',
  restart: '[NAME...]',
  reload: '[NAME...]',
  recover: '<NAME...>',
  pause: '<NAME...>',
  resume: '<NAME...>',
  signal: '<NAME...>',
  look: '[NAME...]',
  why: '[NAME...]',
  events: '[NAME...]',
  logs: '<NAME...>',
};

/** Reads the arguments, without the program's own name. */
export function parseArguments(all: readonly string[], versionText: string): Request {
  const { args, behind } = splitProgram(all);
  let request: Request | null = null;
  let shown = '';
  const run = (command: CommandName) => (given: Record<string, unknown>, words: readonly string[]) => {
    const { given: read, problems } = toGiven(given);
    // What stands before a command is the watch's own, and would be passed over in silence.
    const early = command === 'watch' ? [] : Object.values(toGiven(program.opts()).given);
    const misplaced = early.map(({ from }) => ({ where: from, what: `stands before "${command}"; write it behind` }));
    const { given: own, problems: strange } = toProgram(command, behind);
    request = {
      kind: 'run',
      command,
      words,
      given: { ...read, ...own },
      problems: [...problems, ...misplaced, ...strange],
    };
  };
  const program = createCommand('watchdog', 'watch', run('watch'))
    .version(versionText, '-V, --version', 'print the version, and that of the Node inside')
    .enablePositionalOptions()
    .addHelpText('after', AFTER_HELP);
  for (const name of COMMANDS) program.addCommand(createCommand(name, name, run(name)));
  const config = new Command('config').description('Checks or shows a configuration.').helpCommand(false);
  config.helpOption('-h, --help', 'print this');
  for (const name of CONFIG_COMMANDS) {
    config.addCommand(createCommand(name, `config ${name}`, run(`config ${name}`)));
  }
  program.addCommand(config);
  for (const command of [program, ...program.commands, ...config.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => {
        shown += text;
      },
      writeErr: () => {},
    });
  }
  try {
    program.parse([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0
      ? { kind: 'show', text: shown }
      : { kind: 'invalid', message: toMessage(error, program) };
  }
  return request ?? { kind: 'show', text: shown };
}

/** What stands behind the first `--` is a program with its arguments, whatever it looks like. */
function splitProgram(all: readonly string[]): {
  readonly args: readonly string[];
  readonly behind: readonly string[] | null;
} {
  const at = all.indexOf('--');
  return at < 0 ? { args: all, behind: null } : { args: all.slice(0, at), behind: all.slice(at + 1) };
}

function toProgram(
  command: CommandName,
  behind: readonly string[] | null,
): { readonly given: Given; readonly problems: readonly Problem[] } {
  if (behind === null) return { given: {}, problems: [] };
  if (specOf('command').commands.includes(command))
    return { given: { command: { value: behind, from: '--' } }, problems: [] };
  return { given: {}, problems: [{ where: '--', what: `starts a program, which ${command} does not; leave it out` }] };
}

function createCommand(
  name: string,
  of: CommandName,
  action: (given: Record<string, unknown>, words: readonly string[]) => void,
): Command {
  const command = new Command(name)
    .description(DESCRIPTIONS[of])
    .helpOption('-h, --help', 'print this')
    .helpCommand(false);
  const words = ARGUMENTS[of];
  if (words !== undefined) command.argument(words, describeWords(of));
  if (words !== undefined || isControl(of)) command.usage(`[options]${words === undefined ? '' : ` ${words}`}`);
  else if (of === 'doctor' || of.endsWith('install') || of.startsWith('config')) command.usage('[options]');
  else if (of !== 'watch') command.usage('--pattern REGEX [options]');
  else command.usage('--pattern REGEX --recover COMMAND [options]\n       watchdog [options] -- COMMAND ARG...');
  for (const option of OPTION_SPECS) {
    const flag = optionName(option);
    if (flag !== null && option.commands.includes(of)) command.addOption(toOption(option, flag));
  }
  return command
    .allowExcessArguments(false)
    .action((...given: unknown[]) =>
      action(command.opts(), words === undefined ? [] : [given[0] ?? []].flat().map(String)),
    );
}

function describeWords(command: CommandName): string {
  if (command === 'help') return TOPICS.join(', ');
  if (command === 'import')
    return 'supervisord.conf, an ecosystem file of pm2 (JSON), a Procfile, a crontab or a script';
  if (command === 'learn') return 'the number of a running process';
  return command === 'completion' ? 'bash, zsh or fish' : 'names, globs (web-*) or groups';
}

function isControl(command: CommandName): boolean {
  return CONTROL_COMMANDS.some((one) => one === command);
}

function toOption(spec: OptionSpec, flag: string): Option {
  const flags = `${spec.short === undefined ? '' : `-${spec.short}, `}--${flag}`;
  const help = spec.default === undefined ? spec.help : `${spec.help} (${spec.default})`;
  const option = new Option(spec.value === undefined ? flags : `${flags} <${spec.value}>`, help);
  if (spec.value !== undefined)
    option.argParser((value, before: unknown) => [...(Array.isArray(before) ? before : []), value]);
  return option.helpGroup(`${spec.group}:`);
}

/** Commander's names for options (`pidFile`) and lists of values, as ours (`pid-file`) and single ones. */
function toGiven(options: Record<string, unknown>): { readonly given: Given; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const given: Record<string, GivenValue> = {};
  for (const spec of OPTION_SPECS) {
    const flag = optionName(spec);
    if (flag === null) continue;
    const value = options[flag.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())];
    const from = `--${flag}`;
    if (value === true) given[spec.name] = { value, from };
    if (!Array.isArray(value)) continue;
    if (value.length > 1 && !isRepeatable(spec)) {
      problems.push({ where: from, what: `is given ${value.length} times; give it once` });
    }
    given[spec.name] = { value: isRepeatable(spec) ? value : value[value.length - 1], from };
  }
  return { given, problems };
}

/** Commander's message as one sentence of ours. */
function toMessage(error: CommanderError, program: Command): string {
  const [word] = program.args;
  if (error.code === 'commander.help') return `"${word}" needs a command: ${CONFIG_COMMANDS.join(' or ')}`;
  if (error.code === 'commander.excessArguments' && word !== undefined) {
    const meant = nearest(word, ALL_COMMANDS);
    const hint = meant === null ? `; commands are ${ALL_COMMANDS.join(', ')}` : `; did you mean ${meant}?`;
    return `"${word}" is neither an option nor a command${hint}`;
  }
  return error.message
    .replace(/^error: /, '')
    .replace(/^missing required argument '(.+)'$/, `"${word}" needs a $1`)
    .replace(/\n\(Did you mean (.*)\?\)$/, '; did you mean $1?')
    .replace(/^option '(?:-., )?(--\S+).*' argument missing$/, '$1 needs a value')
    .replaceAll("'", '"');
}
