/** The standard streams of a watchdog in the background. */
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { errorCode } from './errors.ts';

/** Tells whoever has started us in the background that the watch has begun, by a NUL; then nobody is there to read. */
export function giveUpStreams(): void {
  try {
    writeSync(2, '\0');
    for (const descriptor of [0, 1, 2]) {
      closeSync(descriptor);
      // The lowest free number is taken: the one that was just closed.
      openSync('/dev/null', constants.O_RDWR);
    }
  } catch (error) {
    errorCode(error);
  }
}
