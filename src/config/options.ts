/**
 * The one table of the options: from it come the parser, `--help`, the variables, the keys
 * of the configuration and their JSON Schema, and the reference in the manual.
 */

/** Which commands take an option. */
export type CommandName =
  | 'watch'
  | 'match'
  | 'check'
  | 'doctor'
  | 'config check'
  | 'config show'
  | 'import'
  | 'learn'
  | 'install'
  | 'uninstall'
  | 'help'
  | 'completion'
  | ControlCommand;

/** Those that ask a watchdog that is at work. */
export type ControlCommand = (typeof CONTROL_COMMANDS)[number];

export const CONTROL_COMMANDS = [
  'status',
  'start',
  'stop',
  'restart',
  'reload',
  'recover',
  'pause',
  'resume',
  'signal',
  'look',
  'why',
  'events',
  'logs',
  'shutdown',
] as const;

export type OptionGroup =
  | 'What to watch'
  | 'What to do'
  | 'A program of ours'
  | 'Being told'
  | 'When'
  | 'The log'
  | 'This run';

/**
 * Where it counts. `target`: for one target, so that in a file it stands in `[target.NAME]`
 * or `[defaults]`. `watchdog`: once, at the top of the file. `run`: not in a file at all.
 */
export type OptionScope = 'target' | 'watchdog' | 'run';

/** How the value is written. `path`: in a file, relative to its directory. */
export type OptionType =
  | 'text'
  /** Text for the shell, or a list of words; on the command line all that follows `--`. */
  | 'command'
  | 'path'
  | 'duration'
  | 'count'
  /** Bytes, as a number or with kB, MB or GB. */
  | 'size'
  | 'switch'
  | 'choice'
  | 'list'
  /** `NAME=VALUE`, several times; in a file a table of strings. */
  | 'variables'
  /** The same, where numbers need no quotes. */
  | 'limits';

export interface OptionSpec {
  /** As in `--pid-file`, without the dashes; and the key in a file. */
  readonly name: string;
  /** Where the option has another name than the key; `null` where it is a key only. */
  readonly option?: string | null;
  readonly short?: string;
  readonly type: OptionType;
  /** What stands for the value in the help; none for a switch. */
  readonly value?: string;
  readonly choices?: readonly string[];
  readonly help: string;
  readonly group: OptionGroup;
  readonly scope: OptionScope;
  readonly default?: string;
  readonly commands: readonly CommandName[];
}

/** Those that put a watch into a place where it is started by itself. */
const INSTALL: readonly CommandName[] = ['install', 'uninstall'];
/** A watch in the foreground, in the background, or to come. */
const WATCH: readonly CommandName[] = ['watch', 'start', 'restart', 'doctor', ...INSTALL];
const ALL: readonly CommandName[] = [...WATCH, 'match', 'check'];
/** Those that read a configuration whole. */
const READ: readonly CommandName[] = [...WATCH, 'config check', 'config show'];
/** Those, and all that a configuration names the watchdog for. */
const CONFIG: readonly CommandName[] = [
  'watch',
  'doctor',
  ...INSTALL,
  'config check',
  'config show',
  ...CONTROL_COMMANDS,
];

/** What starts a watch by itself. */
export const PLACES = {
  cron: 'a line of your crontab, at boot',
  systemd: 'a unit of systemd: of the system as root, else of your own',
  openrc: 'a script of OpenRC',
  docker: 'the lines of a Dockerfile',
  kubernetes: 'a pod with the watchdog beside your container',
} as const;

export const OPTIONS = [
  {
    name: 'pattern',
    type: 'text',
    scope: 'target',
    short: 'p',
    value: 'REGEX',
    group: 'What to watch',
    commands: ALL,
    help: 'a POSIX extended regular expression that the command line must hold, as pgrep -f takes it',
  },
  {
    name: 'pid-file',
    type: 'path',
    scope: 'target',
    short: 'f',
    value: 'FILE',
    group: 'What to watch',
    commands: ALL,
    help: 'a file that holds the process number; with a pattern, both must agree',
  },
  {
    name: 'owner',
    option: 'user',
    type: 'list',
    scope: 'target',
    short: 'u',
    value: 'USER[,USER]',
    group: 'What to watch',
    commands: ALL,
    help: 'only processes of these users, by name or number (the effective user)',
  },
  {
    name: 'exe',
    type: 'text',
    scope: 'target',
    value: 'PATH',
    group: 'What to watch',
    commands: ALL,
    help: 'only processes that run this executable',
  },
  {
    name: 'exact',
    type: 'switch',
    scope: 'target',
    short: 'x',
    group: 'What to watch',
    commands: ALL,
    help: 'the pattern must match the whole command line',
  },
  {
    name: 'ignore-case',
    type: 'switch',
    scope: 'target',
    short: 'i',
    group: 'What to watch',
    commands: ALL,
    help: 'let upper and lower case match each other',
  },
  {
    name: 'fixed',
    type: 'switch',
    scope: 'target',
    group: 'What to watch',
    commands: ALL,
    help: 'the pattern is literal text',
  },
  {
    name: 'min',
    type: 'count',
    scope: 'target',
    value: 'N',
    group: 'What to watch',
    default: '1',
    commands: ALL,
    help: 'how many processes must be there',
  },
  {
    name: 'max',
    type: 'count',
    scope: 'target',
    value: 'N',
    group: 'What to watch',
    commands: ALL,
    help: 'how many may be there; more is told, and none of them is ended',
  },
  {
    name: 'process-table',
    type: 'choice',
    scope: 'watchdog',
    choices: ['proc', 'ps'],
    value: 'proc|ps',
    group: 'What to watch',
    commands: ALL,
    help: 'where to look: /proc itself, or the list of ps (default: proc where there is one)',
  },

  {
    name: 'recover',
    type: 'text',
    scope: 'target',
    short: 'r',
    value: 'COMMAND',
    group: 'What to do',
    commands: [...WATCH, 'match'],
    help: 'what brings it back; run by /bin/sh -c',
  },
  {
    name: 'cwd',
    type: 'path',
    scope: 'target',
    value: 'DIR',
    group: 'What to do',
    commands: WATCH,
    help: 'the directory that the recovery runs in (default: this one)',
  },
  {
    name: 'env',
    type: 'variables',
    scope: 'target',
    value: 'NAME=VALUE',
    group: 'What to do',
    commands: WATCH,
    help: 'a variable for the recovery; may be given several times',
  },
  {
    name: 'user',
    option: null,
    type: 'text',
    scope: 'target',
    value: 'USER',
    group: 'What to do',
    commands: WATCH,
    help: 'as whom its commands run; with all groups of that user, and little of our environment',
  },
  {
    name: 'group',
    option: null,
    type: 'text',
    scope: 'target',
    value: 'GROUP',
    group: 'What to do',
    commands: WATCH,
    help: 'in which group its commands run (default: the one of the user)',
  },
  {
    name: 'umask',
    type: 'text',
    scope: 'target',
    value: 'MODE',
    group: 'What to do',
    commands: WATCH,
    help: 'the umask of its commands, in octal such as 027 (default: ours)',
  },
  {
    name: 'nice',
    type: 'count',
    scope: 'target',
    value: 'N',
    group: 'What to do',
    commands: WATCH,
    help: 'the niceness of its commands, -20 to 19 (default: ours)',
  },
  {
    name: 'limits',
    option: 'limit',
    type: 'limits',
    scope: 'target',
    value: 'NAME=SOFT[:HARD]',
    group: 'What to do',
    commands: WATCH,
    help: 'what its commands may take, such as nofile=4096 or core=unlimited; may be given several times',
  },
  {
    name: 'recover-timeout',
    type: 'duration',
    scope: 'target',
    value: 'TIME',
    group: 'What to do',
    default: '60s',
    commands: WATCH,
    help: 'how long the recovery may run while the target is not up; then TERM, and KILL 10s later',
  },
  {
    name: 'stop',
    type: 'text',
    scope: 'target',
    value: 'COMMAND',
    group: 'What to do',
    commands: WATCH,
    help: 'what ends it when you ask for that (default: the stop signal to every process that matches)',
  },
  {
    name: 'stop-signal',
    type: 'text',
    scope: 'target',
    value: 'SIGNAL',
    group: 'What to do',
    default: 'TERM',
    commands: WATCH,
    help: 'the signal that ends it where there is no stop command',
  },
  {
    name: 'stop-timeout',
    type: 'duration',
    scope: 'target',
    value: 'TIME',
    group: 'What to do',
    default: '10s',
    commands: WATCH,
    help: 'how long it may take to end before it is sent KILL',
  },
  {
    name: 'reload',
    type: 'text',
    scope: 'target',
    value: 'COMMAND|SIGNAL',
    group: 'What to do',
    default: 'SIGHUP',
    commands: WATCH,
    help: 'what makes it read its own configuration again',
  },
  {
    name: 'depends-on',
    option: null,
    type: 'list',
    scope: 'target',
    value: 'NAME[,NAME]',
    group: 'What to do',
    commands: WATCH,
    help: 'targets that must be up before this one is recovered',
  },
  {
    name: 'groups',
    option: null,
    type: 'list',
    scope: 'target',
    value: 'NAME[,NAME]',
    group: 'What to do',
    commands: WATCH,
    help: 'names by which several targets can be asked for at once',
  },

  {
    name: 'command',
    option: null,
    type: 'command',
    scope: 'target',
    value: 'COMMAND',
    group: 'A program of ours',
    commands: WATCH,
    help: 'a program that is started here and stays; on the command line: -- COMMAND ARG…',
  },
  {
    name: 'autostart',
    type: 'choice',
    scope: 'target',
    choices: ['true', 'false'],
    value: 'true|false',
    group: 'A program of ours',
    default: 'true',
    commands: WATCH,
    help: 'whether the watch begins with starting it',
  },
  {
    name: 'autorestart',
    type: 'choice',
    scope: 'target',
    choices: ['true', 'false', 'unexpected'],
    value: 'true|false|unexpected',
    group: 'A program of ours',
    default: 'unexpected',
    commands: WATCH,
    help: 'whether it is started again when it has ended: always, never, or unless that was expected',
  },
  {
    name: 'expected-exit-codes',
    type: 'list',
    scope: 'target',
    value: 'CODE[,CODE]',
    group: 'A program of ours',
    default: '0',
    commands: WATCH,
    help: 'exit codes that are no failure; an end by a signal always is one',
  },
  {
    name: 'start-seconds',
    type: 'count',
    scope: 'target',
    value: 'N',
    group: 'A program of ours',
    default: '1',
    commands: WATCH,
    help: 'how long it must last to count as started',
  },
  {
    name: 'daemonizes',
    type: 'switch',
    scope: 'target',
    group: 'A program of ours',
    commands: WATCH,
    help: 'its command only starts it, and ends; without this, that is found out',
  },
  {
    name: 'kill-mode',
    type: 'choice',
    scope: 'target',
    choices: ['family', 'process'],
    value: 'family|process',
    group: 'A program of ours',
    default: 'family',
    commands: WATCH,
    help: 'who of it is ended: all that descend from it, or only the process itself',
  },
  {
    name: 'numprocs',
    type: 'count',
    scope: 'target',
    value: 'N',
    group: 'A program of ours',
    default: '1',
    commands: WATCH,
    help: 'how many of it there are: NAME-1, NAME-2 and so on, each with its number in WATCHDOG_NUMBER',
  },
  {
    name: 'output',
    type: 'path',
    scope: 'target',
    value: 'FILE',
    group: 'A program of ours',
    commands: WATCH,
    help: 'where its output goes (default: the log; behind --: where ours goes)',
  },
  {
    name: 'output-max-size',
    type: 'size',
    scope: 'target',
    value: 'SIZE',
    group: 'A program of ours',
    default: '50MB',
    commands: WATCH,
    help: 'when that file is this large it is put aside, as FILE.1 and so on; 0: never',
  },
  {
    name: 'output-keep',
    type: 'count',
    scope: 'target',
    value: 'N',
    group: 'A program of ours',
    default: '10',
    commands: WATCH,
    help: 'how many files that were put aside are kept',
  },
  {
    name: 'priority',
    type: 'count',
    scope: 'target',
    value: 'N',
    group: 'A program of ours',
    default: '999',
    commands: WATCH,
    help: 'lower ones are started first, and ended last when the watchdog ends',
  },
  {
    name: 'exit-on-failure',
    type: 'count',
    scope: 'target',
    value: 'N',
    group: 'A program of ours',
    commands: WATCH,
    help: 'after so many failures in a row the watchdog ends, too, with the exit code of the program',
  },
  {
    name: 'rewrite-signal',
    type: 'variables',
    scope: 'run',
    value: 'SIGNAL=SIGNAL',
    group: 'A program of ours',
    commands: WATCH,
    help: 'what the program behind -- gets in the place of a signal, such as TERM=QUIT; may be given several times',
  },

  {
    name: 'on-event',
    type: 'text',
    scope: 'target',
    value: 'COMMAND',
    group: 'Being told',
    commands: WATCH,
    help: 'run for each event, with its context in WATCHDOG_EVENT, WATCHDOG_MESSAGE and others',
  },
  {
    name: 'webhook',
    type: 'text',
    scope: 'target',
    value: 'URL',
    group: 'Being told',
    commands: WATCH,
    help: 'where each event is posted to, as JSON',
  },
  {
    name: 'events',
    type: 'list',
    scope: 'target',
    value: 'EVENT[,EVENT]',
    group: 'Being told',
    commands: WATCH,
    help: 'which events these are, or all (default: gone, recovered, recovery-failed and others that matter)',
  },

  {
    name: 'interval',
    type: 'duration',
    scope: 'target',
    short: 'n',
    value: 'TIME',
    group: 'When',
    default: '5s',
    commands: WATCH,
    help: 'how often to look where no event can tell',
  },
  {
    name: 'confirm',
    type: 'duration',
    scope: 'target',
    value: 'TIME',
    group: 'When',
    default: '1s',
    commands: WATCH,
    help: 'how long a target that did not crash may take to come back by itself',
  },
  {
    name: 'start-grace',
    type: 'duration',
    scope: 'target',
    value: 'TIME',
    group: 'When',
    default: '10s',
    commands: WATCH,
    help: 'how long the target may take to appear after the recovery ended',
  },
  {
    name: 'settle',
    type: 'duration',
    scope: 'target',
    value: 'TIME',
    group: 'When',
    default: '3s',
    commands: WATCH,
    help: 'how long it must last to count as recovered',
  },
  {
    name: 'backoff',
    type: 'text',
    scope: 'target',
    value: 'MIN..MAX',
    group: 'When',
    default: '1s..5m',
    commands: WATCH,
    help: 'the pause after a failed recovery, doubling from MIN to MAX; 0: one interval, always',
  },
  {
    name: 'start-delay',
    type: 'duration',
    scope: 'target',
    value: 'TIME',
    group: 'When',
    default: '0',
    commands: WATCH,
    help: 'wait before the first look, such as at boot',
  },
  {
    name: 'linger',
    type: 'duration',
    scope: 'watchdog',
    value: 'TIME',
    group: 'When',
    default: '2s',
    commands: WATCH,
    help: 'how long to stay awake for what is due next; else the sentinel waits alone',
  },

  {
    name: 'log',
    type: 'path',
    scope: 'watchdog',
    short: 'l',
    value: 'FILE|-',
    group: 'The log',
    commands: WATCH,
    help: 'where the log goes; - is standard output (default: see below)',
  },
  {
    name: 'log-format',
    type: 'choice',
    scope: 'watchdog',
    choices: ['text', 'json'],
    value: 'text|json',
    group: 'The log',
    default: 'text',
    commands: WATCH,
    help: 'lines for people or JSON, one object a line',
  },
  {
    name: 'quiet',
    type: 'switch',
    scope: 'watchdog',
    short: 'q',
    group: 'The log',
    commands: WATCH,
    help: 'do not show the log on the terminal as well',
  },

  {
    name: 'config',
    type: 'path',
    scope: 'run',
    short: 'c',
    value: 'FILE',
    group: 'This run',
    commands: CONFIG,
    help: 'watch what this file says (default, where no target is given: see watchdog help config)',
  },
  {
    name: 'name',
    type: 'text',
    scope: 'watchdog',
    value: 'NAME',
    group: 'This run',
    commands: ['watch', ...INSTALL, ...CONTROL_COMMANDS],
    help: 'what to call this watch; two watches of one target need two names',
  },
  {
    name: 'daemon',
    type: 'switch',
    scope: 'run',
    group: 'This run',
    commands: ['watch'],
    help: 'watch in the background; return once the watch has begun',
  },
  {
    name: 'own-pid-file',
    type: 'path',
    scope: 'watchdog',
    value: 'FILE',
    group: 'This run',
    commands: READ,
    help: "where the watchdog's own process number is written",
  },
  {
    name: 'run-as',
    type: 'text',
    scope: 'watchdog',
    value: 'USER[:GROUP]',
    group: 'This run',
    commands: CONFIG,
    help: 'become this user first; nothing of root is left, and there is no way back',
  },
  {
    name: 'trust-paths',
    type: 'switch',
    scope: 'watchdog',
    group: 'This run',
    commands: READ,
    help: 'as root, take files and programs that others could change as well',
  },
  {
    name: 'control',
    type: 'path',
    scope: 'watchdog',
    value: 'FILE|off',
    group: 'This run',
    commands: ['watch', 'config check', 'config show', ...CONTROL_COMMANDS],
    help: 'the socket for watchdog status and its like (default: one in the run directory)',
  },
  {
    name: 'once',
    type: 'switch',
    scope: 'run',
    group: 'This run',
    commands: ['watch'],
    help: 'look once, recover if needed, wait for the outcome and end',
  },
  {
    name: 'resident',
    type: 'switch',
    scope: 'watchdog',
    group: 'This run',
    commands: WATCH,
    help: 'stay in memory, without the sentinel',
  },
  {
    name: 'dry-run',
    type: 'switch',
    scope: 'run',
    group: 'This run',
    commands: WATCH,
    help: 'say what would be recovered, start nothing',
  },
  {
    name: 'json',
    type: 'switch',
    scope: 'run',
    group: 'This run',
    commands: ['match', ...CONTROL_COMMANDS],
    help: 'print JSON',
  },
  {
    name: 'watch',
    type: 'switch',
    scope: 'run',
    short: 'w',
    group: 'This run',
    commands: ['status'],
    help: 'print it again every two seconds, until Ctrl-C',
  },
  {
    name: 'follow',
    type: 'switch',
    scope: 'run',
    short: 'f',
    group: 'This run',
    commands: ['events', 'logs'],
    help: 'go on with what comes from now on, until Ctrl-C',
  },
  {
    name: 'lines',
    type: 'count',
    scope: 'run',
    short: 'n',
    value: 'N',
    group: 'This run',
    default: '20',
    commands: ['logs'],
    help: 'how many of the last lines are shown',
  },
  ...(['cron', 'systemd', 'openrc', 'docker', 'kubernetes'] as const).map(
    (name) =>
      ({
        name,
        type: 'switch',
        scope: 'run',
        group: 'This run',
        commands: INSTALL,
        help: PLACES[name],
      }) as const,
  ),
  {
    name: 'write',
    type: 'switch',
    scope: 'run',
    group: 'This run',
    commands: INSTALL,
    help: 'put it into its place, or take it out, instead of printing it',
  },
  {
    name: 'for',
    type: 'duration',
    scope: 'run',
    value: 'TIME',
    group: 'This run',
    commands: ['pause'],
    help: 'when the pause ends by itself (default: by watchdog resume only)',
  },
  {
    name: 'reason',
    type: 'text',
    scope: 'run',
    value: 'TEXT',
    group: 'This run',
    commands: ['pause'],
    help: 'why, for whoever asks',
  },
] as const satisfies readonly OptionSpec[];

export type OptionName = (typeof OPTIONS)[number]['name'];

/** Whether it is made of several pairs, and may be given several times. As a variable: one a line. */
export function isRepeatable({ type }: OptionSpec): boolean {
  return type === 'variables' || type === 'limits';
}

/** The name on the command line, without the dashes; `null` for what is a key only. */
export function optionName(spec: OptionSpec): string | null {
  return spec.option === undefined ? spec.name : spec.option;
}

/** The variable that stands for an option: `WATCHDOG_PID_FILE`. */
export function variableName(option: string): string {
  return `WATCHDOG_${option.toUpperCase().replaceAll('-', '_')}`;
}

/** The table as plain specifications, for those that go through all of it. */
export const OPTION_SPECS: readonly OptionSpec[] = OPTIONS;

/** The row of an option. */
export function specOf(name: OptionName): OptionSpec {
  return OPTION_SPECS.find((spec) => spec.name === name) as OptionSpec;
}
