/**
 * The one table of the options: from it come the parser, `--help`, the variables and
 * the reference in the manual.
 */

/** Which commands take an option. */
export type CommandName = 'watch' | 'match' | 'check' | 'doctor';

export type OptionGroup = 'What to watch' | 'What to do' | 'When' | 'The log' | 'This run';

export interface OptionSpec {
  /** As in `--pid-file`, without the dashes. */
  readonly name: string;
  readonly short?: string;
  /** What stands for the value in the help; an option without it is a switch. */
  readonly value?: string;
  readonly help: string;
  readonly group: OptionGroup;
  readonly default?: string;
  /** May be given several times. As a variable: one value a line. */
  readonly isRepeatable?: boolean;
  readonly commands: readonly CommandName[];
}

const ALL: readonly CommandName[] = ['watch', 'match', 'check'];
const WATCH: readonly CommandName[] = ['watch'];

export const OPTIONS = [
  {
    name: 'pattern',
    short: 'p',
    value: 'REGEX',
    group: 'What to watch',
    commands: ALL,
    help: 'a POSIX extended regular expression that the command line must hold, as pgrep -f takes it',
  },
  {
    name: 'pid-file',
    short: 'f',
    value: 'FILE',
    group: 'What to watch',
    commands: ALL,
    help: 'a file that holds the process number; with a pattern, both must agree',
  },
  {
    name: 'user',
    short: 'u',
    value: 'USER[,USER]',
    group: 'What to watch',
    commands: ALL,
    help: 'only processes of these users, by name or number (the effective user)',
  },
  {
    name: 'exe',
    value: 'PATH',
    group: 'What to watch',
    commands: ALL,
    help: 'only processes that run this executable',
  },
  {
    name: 'exact',
    short: 'x',
    group: 'What to watch',
    commands: ALL,
    help: 'the pattern must match the whole command line',
  },
  {
    name: 'ignore-case',
    short: 'i',
    group: 'What to watch',
    commands: ALL,
    help: 'let upper and lower case match each other',
  },
  { name: 'fixed', group: 'What to watch', commands: ALL, help: 'the pattern is literal text' },
  {
    name: 'min',
    value: 'N',
    group: 'What to watch',
    default: '1',
    commands: ALL,
    help: 'how many processes must be there',
  },
  {
    name: 'process-table',
    value: 'proc|ps',
    group: 'What to watch',
    commands: ALL,
    help: 'where to look: /proc itself, or the list of ps (default: proc where there is one)',
  },

  {
    name: 'recover',
    short: 'r',
    value: 'COMMAND',
    group: 'What to do',
    commands: ['watch', 'match'],
    help: 'what brings it back; run by /bin/sh -c',
  },
  {
    name: 'cwd',
    value: 'DIR',
    group: 'What to do',
    commands: WATCH,
    help: 'the directory that the recovery runs in (default: this one)',
  },
  {
    name: 'env',
    value: 'NAME=VALUE',
    group: 'What to do',
    isRepeatable: true,
    commands: WATCH,
    help: 'a variable for the recovery; may be given several times',
  },
  {
    name: 'recover-timeout',
    value: 'TIME',
    group: 'What to do',
    default: '60s',
    commands: WATCH,
    help: 'how long the recovery may run while the target is not up; then TERM, and KILL 10s later',
  },

  {
    name: 'interval',
    short: 'n',
    value: 'TIME',
    group: 'When',
    default: '5s',
    commands: WATCH,
    help: 'how often to look where no event can tell',
  },
  {
    name: 'confirm',
    value: 'TIME',
    group: 'When',
    default: '1s',
    commands: WATCH,
    help: 'how long a target that did not crash may take to come back by itself',
  },
  {
    name: 'start-grace',
    value: 'TIME',
    group: 'When',
    default: '10s',
    commands: WATCH,
    help: 'how long the target may take to appear after the recovery ended',
  },
  {
    name: 'settle',
    value: 'TIME',
    group: 'When',
    default: '3s',
    commands: WATCH,
    help: 'how long it must last to count as recovered',
  },
  {
    name: 'backoff',
    value: 'MIN..MAX',
    group: 'When',
    default: '1s..5m',
    commands: WATCH,
    help: 'the pause after a failed recovery, doubling from MIN to MAX; 0: one interval, always',
  },
  {
    name: 'start-delay',
    value: 'TIME',
    group: 'When',
    default: '0',
    commands: WATCH,
    help: 'wait before the first look, such as at boot',
  },
  {
    name: 'linger',
    value: 'TIME',
    group: 'When',
    default: '2s',
    commands: WATCH,
    help: 'how long to stay awake for what is due next; else the sentinel waits alone',
  },

  {
    name: 'log',
    short: 'l',
    value: 'FILE|-',
    group: 'The log',
    commands: WATCH,
    help: 'where the log goes; - is standard output (default: see below)',
  },
  {
    name: 'log-format',
    value: 'text|json',
    group: 'The log',
    default: 'text',
    commands: WATCH,
    help: 'lines for people or JSON, one object a line',
  },
  { name: 'quiet', short: 'q', group: 'The log', commands: WATCH, help: 'do not show the log on the terminal as well' },

  {
    name: 'name',
    value: 'NAME',
    group: 'This run',
    commands: WATCH,
    help: 'what to call this watch; two watches of one target need two names',
  },
  {
    name: 'once',
    group: 'This run',
    commands: WATCH,
    help: 'look once, recover if needed, wait for the outcome and end',
  },
  {
    name: 'resident',
    group: 'This run',
    commands: ['watch', 'doctor'],
    help: 'stay in memory, without the sentinel',
  },
  { name: 'dry-run', group: 'This run', commands: WATCH, help: 'say what would be recovered, start nothing' },
  { name: 'json', group: 'This run', commands: ['match'], help: 'print JSON instead of a table' },
] as const satisfies readonly OptionSpec[];

export type OptionName = (typeof OPTIONS)[number]['name'];

/** What was given for each option, unread: the command line's word before the environment's, no defaults. */
export type RawOptions = Partial<Record<OptionName, string | readonly string[] | true>>;

/** The variable that stands for an option: `WATCHDOG_PID_FILE`. */
export function variableName(option: string): string {
  return `WATCHDOG_${option.toUpperCase().replaceAll('-', '_')}`;
}

/** The table as plain specifications, for those that go through all of it. */
export const OPTION_SPECS: readonly OptionSpec[] = OPTIONS;
