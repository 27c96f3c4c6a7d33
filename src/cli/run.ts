/** From the command line to an exit code. */

import type { CommandName } from '../config/commands.ts';
import { readEnvironment } from '../config/environment.ts';
import type { Given, Problem } from '../config/given.ts';
import { escapeText } from '../core/escape.ts';
import { ownArguments } from '../system/own-process.ts';
import { VERSION } from '../version.ts';
import { parseArguments } from './arguments.ts';
import { check } from './commands/check.ts';
import { completion } from './commands/completion.ts';
import { configCheck } from './commands/config-check.ts';
import { configShow } from './commands/config-show.ts';
import { deliver } from './commands/deliver.ts';
import { doctor } from './commands/doctor.ts';
import { events, why } from './commands/events.ts';
import { help } from './commands/help.ts';
import { importFile } from './commands/import.ts';
import { install, uninstall } from './commands/install.ts';
import { learn } from './commands/learn.ts';
import { logs } from './commands/logs.ts';
import { match } from './commands/match.ts';
import { orderTargets, orderWatchdog, signalTargets } from './commands/order.ts';
import { shutdown } from './commands/shutdown.ts';
import { restartWatchdog, startWatchdog, stopWatchdog } from './commands/start.ts';
import { status } from './commands/status.ts';
import { watch } from './commands/watch.ts';
import { exitCode } from './exit-codes.ts';
import { print, printError } from './output.ts';

/** What a command is given. */
export interface Invocation {
  readonly given: Given;
  readonly problems: readonly Problem[];
  /** Names of targets. */
  readonly words: readonly string[];
  readonly arguments: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

const COMMANDS: Readonly<Record<CommandName, (invocation: Invocation) => Promise<number>>> = {
  watch,
  match,
  check,
  doctor,
  'config check': configCheck,
  'config show': configShow,
  status,
  start: (invocation) =>
    invocation.words.length === 0 ? startWatchdog(invocation) : orderTargets('start', invocation),
  stop: (invocation) => (invocation.words.length === 0 ? stopWatchdog(invocation) : orderTargets('stop', invocation)),
  restart: (invocation) =>
    invocation.words.length === 0 ? restartWatchdog(invocation) : orderTargets('restart', invocation),
  reload: (invocation) =>
    invocation.words.length === 0 ? orderWatchdog('reload', invocation) : orderTargets('reload', invocation),
  recover: (invocation) => orderTargets('recover', invocation),
  pause: (invocation) => orderTargets('pause', invocation),
  resume: (invocation) => orderTargets('resume', invocation),
  signal: signalTargets,
  look: (invocation) =>
    orderTargets('look', { ...invocation, words: invocation.words.length === 0 ? ['*'] : invocation.words }),
  why,
  events,
  logs,
  shutdown,
  import: importFile,
  learn,
  install,
  uninstall,
  help,
  completion,
};

/** Runs what the command line asks for; the exit code. */
export async function run(argv: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const args = ownArguments(argv);
  // Started by a watchdog to tell of an event; nothing for a user.
  if (args[0] === 'deliver' && environment.WATCHDOG_URL !== undefined) return deliver(environment);
  const request = parseArguments(args, `watchdog ${VERSION} (Node ${process.version})`);
  switch (request.kind) {
    case 'show':
      print(request.text);
      return exitCode('ok');
    case 'invalid':
      printError(`watchdog: ${escapeText(request.message)}; watchdog --help lists what is allowed\n`);
      return exitCode('usage');
    case 'run': {
      const fromEnvironment = readEnvironment(request.command, environment);
      const given = { ...fromEnvironment.given, ...request.given };
      const problems = [...request.problems, ...fromEnvironment.problems];
      return COMMANDS[request.command]({ given, problems, words: request.words, arguments: args, environment });
    }
  }
}
