/** What the commands that only look are asked to look for. */
import type { Problem } from '../config/given.ts';
import { choice, commandLineReader } from '../config/reader.ts';
import { readSelect, type SelectSettings } from '../config/select-settings.ts';
import { toOnlooker, toWanted } from '../plan/plan.ts';
import { toLookPlan } from '../plan/target-plan.ts';
import type { Onlooker, Wanted } from '../system/look.ts';
import { ownExecutable } from '../system/own-process.ts';
import type { Invocation } from './run.ts';

export interface LookTask {
  readonly select: SelectSettings;
  readonly onlooker: Onlooker;
  readonly wanted: Wanted;
}

/** The task, or all that is wrong with it. */
export async function toLookTask(
  invocation: Invocation,
): Promise<LookTask | { readonly problems: readonly Problem[] }> {
  const reader = commandLineReader(invocation.given);
  const select = await readSelect(reader);
  const processTable = choice(reader, 'process-table', ['proc', 'ps']);
  const look = toLookPlan(reader, select);
  const problems = [...invocation.problems, ...reader.problems];
  if (problems.length > 0) return { problems };
  const recover = invocation.given.recover?.value;
  const commands = typeof recover === 'string' ? [recover] : [];
  const onlooker = { processTable, arguments: invocation.arguments.join(' '), exe: ownExecutable() };
  return { select, onlooker: toOnlooker(onlooker, commands), wanted: await toWanted(look, null) };
}
