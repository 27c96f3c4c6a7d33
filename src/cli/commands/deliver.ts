import { setTimeout as sleep } from 'node:timers/promises';
import { exitCode } from '../exit-codes.ts';
import { printError } from '../output.ts';

const TRIES = 5;
const FIRST_PAUSE_MS = 1_000;
const PATIENCE_MS = 5_000;

/**
 * Posts one event to a webhook: the watchdog starts this, so that neither a slow nor a
 * missing server holds it up. Tried again while the server fails, or is not there; not when
 * it says that the request is wrong.
 */
export async function deliver(environment: NodeJS.ProcessEnv): Promise<number> {
  const url = environment.WATCHDOG_URL ?? '';
  const body = environment.WATCHDOG_BODY ?? '';
  let why = '';
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    if (attempt > 0) await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1));
    const result = await post(url, body);
    if (result === null) return exitCode('ok');
    why = result.why;
    if (result.isFinal) break;
  }
  printError(`watchdog: the webhook ${withoutSecrets(url)} was not told: ${why}\n`);
  return exitCode('down');
}

/** `null` if it was taken. */
async function post(url: string, body: string): Promise<{ readonly why: string; readonly isFinal: boolean } | null> {
  try {
    const headers = { 'content-type': 'application/json', 'user-agent': 'watchdog' };
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const { status } = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'error' });
    if (status >= 200 && status < 300) return null;
    return { why: `it answered ${status}`, isFinal: status < 500 && status !== 408 && status !== 429 };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { why: cause instanceof Error ? cause.message : String(cause), isFinal: false };
  }
}

/** A path or a query may be the key to it. */
function withoutSecrets(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : 'that is no URL';
}
