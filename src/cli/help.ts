import type { CommandName } from '../config/commands.ts';
import { EXIT_CODES } from './exit-codes.ts';

/** What each command is for. */
export const DESCRIPTIONS: Readonly<Record<CommandName, string>> = {
  watch: 'Watches any process and brings it back when it goes missing.',
  match: 'Shows which processes a pattern matches, and which it leaves out and why.',
  doctor: 'Tells how a watch would wait on this machine, and what would hinder it.',
  import: 'Prints what the configuration of another tool comes to in ours.',
  learn: 'Prints the narrowest target for a running process.',
  install: 'Prints what starts a watch by itself: for cron, systemd, OpenRC, Docker or Kubernetes.',
  uninstall: 'Takes out of its place what install has written.',
  'config check': 'Reads a configuration and tells all that is wrong with it; nothing is started.',
  'config show': 'Prints what a configuration comes to, and where each value is from.',
  status: 'Shows how the targets are: exit code 0 when all are up, 1 when not, 3 could not tell, 4 nobody watches.',
  start: 'Starts targets; without a name, the watchdog itself in the background.',
  stop: 'Ends targets, and leaves them so; without a name, ends the watchdog itself.',
  restart: 'Ends targets and recovers them; without a name, restarts the watchdog itself.',
  reload: 'Makes targets read their configuration again; without a name, the watchdog its own.',
  recover: 'Recovers targets that are down now, whatever they wait for.',
  pause: 'Leaves targets alone for a while: nothing is recovered.',
  resume: 'Ends a pause, or starts what was stopped.',
  signal: 'Sends a signal to the processes of targets: the last word is its name.',
  look: 'Looks at all targets now.',
  why: 'Tells the last decisions about targets, each with its reason.',
  events: 'Tells what happened to targets.',
  logs: 'Shows the last of what programs have written.',
  shutdown: 'Ends the watchdog and the programs that it has started; what else it watches lives on.',
  help: 'Prints a page of the manual.',
  completion: 'Prints completions for bash, zsh or fish.',
  check: 'Looks once and starts nothing: exit code 0 when it is up, 1 down, 3 could not tell.',
};

/** What follows the list of options in `--help`. */
export const AFTER_HELP = `
Times are written 500ms, 5s, 2m or 1h. Every option is also a variable: --pid-file
is WATCHDOG_PID_FILE, a switch is on with 1. The command line has the last word.
Many targets stand in a file, see watchdog help config. Other topics: targets,
recovery, programs, control, running, moving, log, events, privileges,
options.

The log is /var/log/watchdog.log for root, $XDG_STATE_HOME/watchdog/watchdog.log
(or ~/.local/state/…) for others, and standard output as process 1. SIGHUP reads
the configuration again and reopens the log; SIGUSR2 looks at once; SIGTERM, SIGINT and SIGQUIT end the watch. What was
recovered lives on. While all is well, only a sentinel of some kilobytes waits; where
there can be none, or by --resident, the watchdog itself (watchdog doctor tells which).

Examples:
  watchdog --pattern my.js --recover "node my.js start"
  watchdog --pid-file /run/nginx.pid --recover nginx
  watchdog --pattern worker --fixed --min 4 --user app --recover "systemctl start workers"
  watchdog -- node my.js                       (a program of our own; as process 1, too)
  watchdog match --pattern my.js
  watchdog check --pattern my.js || echo down
  watchdog doctor
  watchdog start --config /etc/watchdog/watchdog.toml
  watchdog status
  watchdog pause web --for 10m --reason deploy
  watchdog help config
  @reboot watchdog -p my.js -r "node /srv/my.js start"        (a line of a crontab)

Exit codes:
${Object.values(EXIT_CODES)
  .map(({ code, meaning }) => `  ${String(code).padStart(2)}  ${meaning.replaceAll('`', '')}`)
  .join('\n')}
`;
