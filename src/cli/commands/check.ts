import { toQuestion } from '../../brain/plan.ts';
import { readSelect } from '../../config/settings.ts';
import { describeSight } from '../../core/report.ts';
import { observe } from '../../system/look.ts';
import { exitCode } from '../exit-codes.ts';
import { print } from '../output.ts';
import { toLookPlan } from '../plan.ts';
import { refuse } from '../refuse.ts';
import type { Invocation } from '../run.ts';

/** Looks once, starts nothing: fit for a container's health check. */
export async function check(invocation: Invocation): Promise<number> {
  const { select, problems } = await readSelect(invocation.raw);
  const { look, problems: more } = toLookPlan(select, invocation.arguments, null);
  const all = [...invocation.problems, ...problems, ...more];
  if (all.length > 0) return refuse(all);
  const observation = await observe(await toQuestion(look), []);
  if (observation.kind === 'unknown') {
    print(`could not look: ${observation.why}\n`);
    return exitCode('unknown');
  }
  print(`${describeSight(select.min, observation)}\n`);
  return exitCode(observation.kind === 'present' ? 'ok' : 'down');
}
