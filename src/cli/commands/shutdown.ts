import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from '../../system/alive.ts';
import { exitCode } from '../exit-codes.ts';
import { print, printError } from '../output.ts';
import { refuse } from '../refuse.ts';
import { toRequest } from '../request.ts';
import type { Invocation } from '../run.ts';
import { askOne } from '../watchdogs.ts';

/** A watchdog ends by itself within 5 s, whatever its brain does. */
const LIMIT_MS = 15_000;
const PAUSE_MS = 20;

/** Ends the watchdog, and waits until it is gone. */
export async function shutdown(invocation: Invocation): Promise<number> {
  if (invocation.problems.length > 0) return refuse(invocation.problems);
  const asked = await askOne(invocation, toRequest('shutdown', invocation));
  if ('code' in asked) return asked.code;
  const { pid } = asked.answers[0].body as { readonly pid: number };
  for (let waitedMs = 0; waitedMs < LIMIT_MS; waitedMs += PAUSE_MS) {
    if (!isAlive(pid)) {
      print(`watchdog, pid ${pid}, has ended; what it watched lives on\n`);
      return exitCode('ok');
    }
    await sleep(PAUSE_MS);
  }
  printError(`watchdog: pid ${pid} was asked to end, and is still there\n`);
  return exitCode('down');
}
