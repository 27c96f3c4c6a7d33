import { describeSight } from '../../core/report.ts';
import { observe } from '../../system/observe.ts';
import { exitCode } from '../exit-codes.ts';
import { toLookTask } from '../look-task.ts';
import { print } from '../output.ts';
import { refuse } from '../refuse.ts';
import type { Invocation } from '../run.ts';

/** Looks once, starts nothing: fit for a container's health check. */
export async function check(invocation: Invocation): Promise<number> {
  const task = await toLookTask(invocation);
  if ('problems' in task) return refuse(task.problems);
  const { onlooker, wanted } = task;
  const [observation] = await observe(onlooker, [{ wanted, followed: [], program: null }]);
  if (observation === undefined || observation.kind === 'unknown') {
    print(`could not look: ${observation?.why}\n`);
    return exitCode('unknown');
  }
  print(`${describeSight(wanted.min, observation)}\n`);
  return exitCode(observation.kind === 'present' ? 'ok' : 'down');
}
