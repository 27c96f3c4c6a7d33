import { refuse } from '../refuse.ts';
import { toRequest } from '../request.ts';
import type { Invocation } from '../run.ts';
import { untilGone } from '../until-gone.ts';
import { askOne } from '../watchdogs.ts';

/** Ends the watchdog, and waits until it is gone. */
export async function shutdown(invocation: Invocation): Promise<number> {
  if (invocation.problems.length > 0) return refuse(invocation.problems);
  const asked = await askOne(invocation, toRequest('shutdown', invocation));
  if ('code' in asked) return asked.code;
  const { pid } = asked.answers[0].body as { readonly pid: number };
  return untilGone(pid);
}
