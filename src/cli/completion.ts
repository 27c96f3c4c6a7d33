/** Completion of commands, options and targets, from the tables that the parser is made of. */
import { CONTROL_COMMANDS, type CommandName } from '../config/commands.ts';
import type { OptionSpec } from '../config/option-spec.ts';
import { OPTION_SPECS, optionName } from '../config/options.ts';
import { COMMANDS, CONFIG_COMMANDS } from './arguments.ts';
import { DESCRIPTIONS } from './help.ts';
import { TOPICS } from './topics.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** The script for one shell; how it is installed is in its first lines. */
export function completionFor(shell: (typeof SHELLS)[number]): string {
  switch (shell) {
    case 'bash':
      return bash();
    case 'zsh':
      return zsh();
    case 'fish':
      return fish();
  }
}

/** Names of targets, from the watchdogs that are at work. */
const NAMES = `watchdog status --json 2>/dev/null | sed -n 's/^        "name": "\\(.*\\)",$/\\1/p'`;
const TAKES_NAMES = CONTROL_COMMANDS.filter((command) => command !== 'shutdown');

function optionsOf(command: CommandName): readonly OptionSpec[] {
  return OPTION_SPECS.filter((spec) => spec.commands.includes(command) && optionName(spec) !== null);
}

function flagsOf(command: CommandName): readonly string[] {
  return [...optionsOf(command).map((spec) => `--${optionName(spec)}`), '--help'];
}

function allCommands(): readonly CommandName[] {
  return [...COMMANDS, ...CONFIG_COMMANDS.map((name): CommandName => `config ${name}`)];
}

function bash(): string {
  const cases = allCommands().map((command) => `  '${command}') flags='${flagsOf(command).join(' ')}' ;;`);
  return `# bash completion for watchdog: watchdog completion bash > /etc/bash_completion.d/watchdog
_watchdog() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]} flags= names=
  [ "$command" = config ] && [ "$COMP_CWORD" -gt 2 ] && command="config \${COMP_WORDS[2]}"
  case $before in
  ${pathFlags().join('|')}) COMPREPLY=($(compgen -f -- "$word")); return ;;
  esac
  case $command in
${cases.join('\n')}
  *) flags='${flagsOf('watch').join(' ')}' ;;
  esac
  if [ "$COMP_CWORD" = 1 ] && [ "\${word#-}" = "$word" ]; then flags='${[...COMMANDS, 'config'].join(' ')}'
  elif [ "$COMP_CWORD" = 2 ] && [ "$command" = config ]; then flags='${CONFIG_COMMANDS.join(' ')}'
  elif [ "$COMP_CWORD" = 2 ] && [ "$command" = help ]; then flags='${TOPICS.join(' ')}'
  elif [ "\${word#-}" = "$word" ]; then
    case $command in
    ${TAKES_NAMES.join('|')}) names=$(${NAMES}); flags= ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$flags $names" -- "$word"))
}
complete -F _watchdog watchdog
`;
}

/** Options whose value is a path. */
function pathFlags(): readonly string[] {
  return OPTION_SPECS.filter(({ type }) => type === 'path').map((spec) => `--${optionName(spec)}`);
}

function zsh(): string {
  const commands = [...COMMANDS, 'config' as const].map(
    (name) => `    '${name}:${quoteZsh(name === 'config' ? 'Checks or shows a configuration.' : DESCRIPTIONS[name])}'`,
  );
  const cases = COMMANDS.map((command) => {
    const names = TAKES_NAMES.some((one) => one === command) ? " '*:target:_watchdog_targets'" : '';
    return `    ${command}) _arguments ${optionsOf(command).map(zshOption).join(' ')}${names} ;;`;
  });
  return `#compdef watchdog
# zsh completion for watchdog: watchdog completion zsh > /usr/local/share/zsh/site-functions/_watchdog
_watchdog_targets() { local -a names; names=(\${(f)"$(${NAMES})"}); compadd -a names }
_watchdog() {
  local -a commands
  commands=(
${commands.join('\n')}
  )
  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then _describe command commands; return; fi
  case $words[2] in
${cases.join('\n')}
    config) _values command ${CONFIG_COMMANDS.join(' ')} ;;
    help) _values topic ${TOPICS.join(' ')} ;;
    *) _arguments ${optionsOf('watch').map(zshOption).join(' ')} ;;
  esac
}
_watchdog "$@"
`;
}

function zshOption(spec: OptionSpec): string {
  const what = quoteZsh(spec.help);
  const value = spec.value === undefined ? '' : `:${quoteZsh(spec.value)}:${spec.type === 'path' ? '_files' : ''}`;
  return `'--${optionName(spec)}[${what}]${value}'`;
}

function quoteZsh(text: string): string {
  return text.replaceAll("'", '’').replaceAll(/[[\]:\\]/g, '\\$&');
}

function fish(): string {
  const all = [...COMMANDS, 'config'];
  const lines = [
    '# fish completion for watchdog: watchdog completion fish > ~/.config/fish/completions/watchdog.fish',
    `set -l commands ${all.join(' ')}`,
    'complete -c watchdog -f',
    ...COMMANDS.map(
      (name) =>
        `complete -c watchdog -n "not __fish_seen_subcommand_from $commands" -a ${name} -d ${quoteFish(DESCRIPTIONS[name])}`,
    ),
    `complete -c watchdog -n "__fish_seen_subcommand_from config" -a '${CONFIG_COMMANDS.join(' ')}'`,
    `complete -c watchdog -n "__fish_seen_subcommand_from help" -a '${TOPICS.join(' ')}'`,
    `complete -c watchdog -n "__fish_seen_subcommand_from ${TAKES_NAMES.join(' ')}" -a "(${NAMES.replaceAll('"', '\\"').replaceAll('$', '\\$')})"`,
    ...OPTION_SPECS.flatMap(fishOption),
  ];
  return `${lines.join('\n')}\n`;
}

function fishOption(spec: OptionSpec): readonly string[] {
  const name = optionName(spec);
  if (name === null) return [];
  const named = spec.commands.filter((command) => command !== 'watch' && !command.startsWith('config '));
  const places = [
    ...(spec.commands.includes('watch') ? ['not __fish_seen_subcommand_from $commands'] : []),
    ...(named.length > 0 ? [`__fish_seen_subcommand_from ${named.join(' ')}`] : []),
  ];
  const value = spec.value === undefined ? '' : spec.type === 'path' ? ' -r -F' : ' -x';
  return places.map((place) => `complete -c watchdog -n "${place}" -l ${name}${value} -d ${quoteFish(spec.help)}`);
}

function quoteFish(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
