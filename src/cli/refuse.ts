import { inOrder, type Problem } from '../config/given.ts';
import { escapeText } from '../core/escape.ts';
import { exitCode } from './exit-codes.ts';
import { printError } from './output.ts';

/** Tells all problems, one a line; the exit code for them. */
export function refuse(problems: readonly Problem[]): number {
  for (const { where, what } of inOrder(problems)) printError(`watchdog: ${escapeText(where)}: ${escapeText(what)}\n`);
  return exitCode('usage');
}
