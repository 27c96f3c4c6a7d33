import { signalNumber } from '../core/signals.ts';

/** The name of a signal as we have it, without `SIG`; `null` if there is none of that name. */
export function readSignalName(given: string): string | null {
  const name = given.trim().toUpperCase().replace(/^SIG/, '');
  return signalNumber(name) > 0 ? name : null;
}
