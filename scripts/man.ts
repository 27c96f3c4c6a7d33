/** The man page, made of the same tables as `--help`: `man dist/watchdog.1`. */
import manifest from '../package.json' with { type: 'json' };
import { COMMANDS, CONFIG_COMMANDS } from '../src/cli/arguments.ts';
import { EXIT_CODES } from '../src/cli/exit-codes.ts';
import { DESCRIPTIONS } from '../src/cli/help.ts';
import { TOPICS } from '../src/cli/topics.ts';
import type { CommandName } from '../src/config/commands.ts';
import type { OptionSpec } from '../src/config/option-spec.ts';
import { OPTION_SPECS, optionName } from '../src/config/options.ts';

const SYNOPSES: readonly string[] = [
  '--pattern REGEX --recover COMMAND [options]',
  '--config FILE [options]',
  'match|check --pattern REGEX [options]',
  'start|stop|restart|status|reload [--config FILE] [NAME...]',
  'recover|pause|resume|why|events|logs|signal NAME... [options]',
  'help TOPIC',
];

const EXAMPLES: readonly (readonly [string, string])[] = [
  ['Bring a program back when it goes missing:', 'watchdog --pattern my.js --recover "node my.js start"'],
  ['By its pid-file:', 'watchdog --pid-file /run/nginx.pid --recover nginx'],
  ['At boot, as a line of a crontab:', '@reboot watchdog -p my.js -r "node /srv/my.js start"'],
  ['Many targets, in the background:', 'watchdog start --config /etc/watchdog/watchdog.toml'],
  ['Leave one alone during a deployment:', 'watchdog pause web --for 10m --reason deploy'],
];

const SIGNALS: readonly (readonly [string, string])[] = [
  ['TERM, INT, QUIT', 'end the watch; what was recovered lives on'],
  ['HUP', 'reads the configuration again, and reopens the log'],
  ['USR1', 'reopens the log'],
  ['USR2', 'looks at everything now'],
];

const FILES: readonly (readonly [string, string])[] = [
  ['/etc/watchdog/watchdog.toml', 'the configuration, where no target and no other file is given'],
  ['/var/log/watchdog.log', 'the log of root; of others, $XDG_STATE_HOME/watchdog/watchdog.log'],
  ['/run/watchdog', "root's control sockets; of others, $XDG_RUNTIME_DIR/watchdog"],
];

/** The page in roff, with the macros of man(7). */
export function manPage(): string {
  const parts = [
    `.TH WATCHDOG 1 "" "watchdog ${manifest.version}" "User Commands"`,
    section('NAME', 'watchdog \\- watches any process and brings it back when it goes missing'),
    section('SYNOPSIS', SYNOPSES.map((synopsis) => `.B watchdog\n${roff(synopsis)}`).join('\n.br\n')),
    section(
      'DESCRIPTION',
      roff(
        'It looks for a process by a pattern as pgrep -f takes it, by a pid-file, or by both, is told of its end at once, child or not, and runs a command that brings it back when nobody else does. While all is well only a sentinel of some kilobytes waits.',
      ),
    ),
    section(
      'COMMANDS',
      commandNames()
        .map((name) => entry(name, DESCRIPTIONS[name]))
        .join('\n'),
    ),
    section('OPTIONS', optionGroups()),
    section('SIGNALS', SIGNALS.map(([name, what]) => entry(name, what)).join('\n')),
    section(
      'EXIT STATUS',
      Object.values(EXIT_CODES)
        .map(({ code, meaning }) => entry(String(code), meaning.replaceAll('`', '')))
        .join('\n'),
    ),
    section('FILES', FILES.map(([name, what]) => entry(name, what)).join('\n')),
    section(
      'EXAMPLES',
      EXAMPLES.map(([what, command]) => `.PP\n${roff(what)}\n.PP\n.RS 4\n.nf\n${roff(command)}\n.fi\n.RE`).join('\n'),
    ),
    section(
      'SEE ALSO',
      `${roff(`watchdog help TOPIC, with ${TOPICS.join(', ')}`)}\n.PP\n.BR pgrep (1),\n.BR kill (1),\n.BR crontab (5)`,
    ),
  ];
  return `${parts.join('\n')}\n`;
}

function commandNames(): readonly CommandName[] {
  return [...COMMANDS, ...CONFIG_COMMANDS.map((name): CommandName => `config ${name}`)];
}

function optionGroups(): string {
  const groups = [...new Set(OPTION_SPECS.map(({ group }) => group))];
  return groups
    .map((group) => {
      const own = OPTION_SPECS.filter((spec) => spec.group === group && optionName(spec) !== null);
      return [`.SS ${roff(group)}`, ...own.map((spec) => entry(flags(spec), explain(spec)))].join('\n');
    })
    .join('\n');
}

function flags(spec: OptionSpec): string {
  const short = spec.short === undefined ? '' : `-${spec.short}, `;
  return `${short}--${optionName(spec)}${spec.value === undefined ? '' : ` ${spec.value}`}`;
}

function explain({ commands, default: byDefault, help }: OptionSpec): string {
  const value = byDefault === undefined ? '' : ` (${byDefault})`;
  const where = commands.includes('watch') ? '' : `; of watchdog ${commands.join(', ')}`;
  return `${help}${value}${where}`;
}

function section(name: string, body: string): string {
  return `.SH ${name}\n${body}`;
}

function entry(head: string, body: string): string {
  return `.TP\n.B ${roff(head)}\n${roff(body)}`;
}

/** Text as roff takes it: no control lines, no escapes, hyphens that can be copied. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/gm, '\\&$1');
}
