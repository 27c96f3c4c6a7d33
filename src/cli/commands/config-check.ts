import type { Problem } from '../../config/given.ts';
import { readWishes } from '../../plan/make-plan.ts';
import { exitCode } from '../exit-codes.ts';
import { print } from '../output.ts';
import { refuse } from '../refuse.ts';
import type { Invocation } from '../run.ts';
import { configPath, toWishes, whereConfigs } from '../wishes.ts';

/** Reads a configuration and tells all that is wrong with it; nothing is started. */
export async function configCheck(invocation: Invocation): Promise<number> {
  const { environment, given } = invocation;
  if (configPath(given, environment) === null) return refuse([noConfig(environment)]);
  const { problems, wishes } = toWishes(invocation);
  const { problems: more, targets } = await readWishes(wishes, environment);
  if (problems.length + more.length > 0) return refuse([...problems, ...more]);
  print(`${wishes.config}: ${targets.length === 1 ? '1 target' : `${targets.length} targets`}, nothing wrong\n`);
  return exitCode('ok');
}

/** That there is no file to read. */
export function noConfig(environment: NodeJS.ProcessEnv): Problem {
  return { where: '--config', what: `is missing, and none of these is there: ${whereConfigs(environment)}` };
}
