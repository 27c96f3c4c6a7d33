/** From the command line to an exit code. */
import { readEnvironment } from '../config/environment.ts';
import type { CommandName, RawOptions } from '../config/options.ts';
import type { Problem } from '../config/problem.ts';
import { escapeText } from '../core/escape.ts';
import { ownArguments } from '../system/own-process.ts';
import { VERSION } from '../version.ts';
import { parseArguments } from './arguments.ts';
import { check } from './commands/check.ts';
import { doctor } from './commands/doctor.ts';
import { match } from './commands/match.ts';
import { watch } from './commands/watch.ts';
import { exitCode } from './exit-codes.ts';
import { print, printError } from './output.ts';

/** What a command is given. */
export interface Invocation {
  readonly raw: RawOptions;
  readonly problems: readonly Problem[];
  readonly arguments: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
}

const COMMANDS: Readonly<Record<CommandName, (invocation: Invocation) => Promise<number>>> = {
  watch,
  match,
  check,
  doctor,
};

/** Runs what the command line asks for; the exit code. */
export async function run(argv: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const args = ownArguments(argv);
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
      const raw = { ...fromEnvironment.raw, ...request.raw };
      const problems = [...request.problems, ...fromEnvironment.problems];
      return COMMANDS[request.command]({ raw, problems, arguments: args, environment });
    }
  }
}
