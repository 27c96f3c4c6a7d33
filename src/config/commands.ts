/** The commands of the command line, as the table of options has them. */
import { VERBS, type Verb } from '../core/verbs.ts';

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

/** Those that ask a watchdog that is at work. `logs` asks for the status, and shows the files. */
export type ControlCommand = Verb | 'logs';

export const CONTROL_COMMANDS: readonly ControlCommand[] = VERBS.flatMap((verb) =>
  verb === 'shutdown' ? ['logs', verb] : [verb],
);

/** What starts a watch by itself. */
export const PLACES = {
  cron: 'a line of your crontab, at boot',
  systemd: 'a unit of systemd: of the system as root, else of your own',
  openrc: 'a script of OpenRC',
  docker: 'the lines of a Dockerfile',
  kubernetes: 'a pod with the watchdog beside your container',
} as const;
