/** From what the user wants to look for to a question that can be asked of this machine. */
import { realpathSync } from 'node:fs';
import { compilePattern } from '../config/pattern.ts';
import type { Problem } from '../config/problem.ts';
import type { SelectSettings } from '../config/settings.ts';
import { escapeText } from '../core/escape.ts';
import { errorCode } from '../system/errors.ts';
import type { LookQuestion } from '../system/look.ts';
import { ownExecutable } from '../system/own-process.ts';
import { openProcessTable } from '../system/process-table.ts';
import { uidOf } from '../system/users.ts';
import { exitCode } from './exit-codes.ts';
import { printError } from './output.ts';
import { toAbsolute } from './preflight.ts';

/** Builds the question; what only this machine can tell to be wrong is added to the problems. */
export function toQuestion(
  select: SelectSettings,
  args: readonly string[],
  recover: string | null,
): { readonly question: LookQuestion; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const compiled = select.pattern === null ? null : compilePattern(select.pattern);
  const uids = select.users?.flatMap((user) => {
    const uid = user === '' ? null : uidOf(user);
    if (uid === null && user !== '') problems.push({ where: '--user', what: `there is no user "${user}" here` });
    return uid === null ? [] : [uid];
  });
  const pidFile = select.pidFile === null ? null : toAbsolute('--pid-file', select.pidFile);
  if (pidFile !== null && 'problem' in pidFile) problems.push(pidFile.problem);
  const question: LookQuestion = {
    table: openProcessTable(select.processTable),
    selector: {
      matches: compiled !== null && 'matcher' in compiled ? compiled.matcher : null,
      uids: uids ?? null,
      exe: select.exe === null ? null : withoutLinks(select.exe),
    },
    pidFile: pidFile !== null && 'path' in pidFile ? pidFile.path : null,
    min: select.min,
    self: { pid: process.pid, arguments: args.join(' '), exe: ownExecutable(), recover },
  };
  return { question, problems };
}

/** Tells all problems, one a line; the exit code for them. */
export function refuse(problems: readonly Problem[]): number {
  for (const { where, what } of problems) printError(`watchdog: ${where}: ${escapeText(what)}\n`);
  return exitCode('usage');
}

/** As `/proc/PID/exe` has it. What isn't there yet keeps its name. */
function withoutLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    errorCode(error);
    return path;
  }
}
