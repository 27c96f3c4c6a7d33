import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from '../system/alive.ts';
import { exitCode } from './exit-codes.ts';
import { print, printError } from './output.ts';

/** It ends within seconds, whatever its brain does; but programs of its own have their stop-timeout. */
const LIMIT_MS = 120_000;
const PAUSE_MS = 20;

/** Waits until a watchdog that was asked to end is gone, and says so; the exit code. */
export async function untilGone(pid: number): Promise<number> {
  for (let waitedMs = 0; waitedMs < LIMIT_MS; waitedMs += PAUSE_MS) {
    if (!isAlive(pid)) {
      print(`watchdog: pid ${pid} has ended; what it watched lives on, but for programs of its own\n`);
      return exitCode('ok');
    }
    await sleep(PAUSE_MS);
  }
  printError(`watchdog: pid ${pid} was asked to end, and is still there\n`);
  return exitCode('down');
}
