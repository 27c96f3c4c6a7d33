/** From a command line to a request. */
import { parseDuration } from '../config/duration.ts';
import type { Problem } from '../config/given.ts';
import type { ControlRequest } from '../control/protocol.ts';
import type { Verb } from '../core/verbs.ts';
import type { Invocation } from './run.ts';

export function toRequest(verb: Verb, { given, words }: Invocation): ControlRequest {
  const reason = given.reason?.value;
  return {
    verb,
    targets: words,
    forMs: readSpan(given.for?.value),
    reason: typeof reason === 'string' ? reason : null,
    signal: null,
    follow: given.follow?.value === true,
  };
}

function readSpan(value: unknown): number | null {
  const parsed = typeof value === 'string' ? parseDuration(value) : null;
  return parsed !== null && 'ms' in parsed ? parsed.ms : null;
}

/** What is wrong with the times on it. */
export function checkSpan({ given }: Invocation): readonly Problem[] {
  const value = given.for?.value;
  if (typeof value !== 'string') return [];
  const parsed = parseDuration(value);
  if ('problem' in parsed) return [{ where: '--for', what: parsed.problem }];
  return parsed.ms > 0 ? [] : [{ where: '--for', what: `"${value}" is too short; write how long, such as 10m` }];
}
